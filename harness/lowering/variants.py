"""The variants: the table of them all, and what each promises.

A variant is one way in which the VM touches its memory; `rust/vm` has the same names. A new
one is a `Design` in a file of its own and a line in `VARIANTS`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.bytecode.program import Halt, Jump
from harness.lowering.cells import CellBytes, CellSlice
from harness.lowering.deref_mut import DerefMut
from harness.lowering.design import Design, lower_by
from harness.lowering.exposed import Exposed
from harness.lowering.indexed import Index
from harness.lowering.lowered import Lowered, Origin, Phase
from harness.lowering.raw_pointers import HandedOver, Owner, Raw, Reborrow, SlicePtr
from harness.lowering.way import Way, straight
from harness.mode import Aliasing, Mode, Provenance
from harness.outcome import Location, Outcome, Ran, Trapped, Unsupported, UnsupportedKind

if TYPE_CHECKING:
    from harness.bytecode.program import Operand, Program

__all__ = ["VARIANTS", "Lowered", "Origin", "Phase", "Variant", "Way", "lower"]

_INT_TO_PTR = (
    "integer-to-pointer casts and `ptr::with_exposed_provenance` are not supported "
    "under strict provenance"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """A line of the table.

    promise: what the design relies on, in a sentence.
    sound: free of undefined behaviour by design, for every program.
    strict: can be judged under strict provenance.
    """

    name: str
    description: str
    promise: str
    design: Callable[[], Design]
    sound: bool = True
    strict: bool = True

    def promises(self, program: Program, expected: Ran | Trapped, mode: Mode) -> Outcome | None:
        """What the design by itself says of `program` in `mode`, if the VM computes `expected`.

        None where it depends on the rules of the borrow model.
        """
        compiles = not isinstance(expected, Trapped) or not expected.in_compiling
        if not compiles or not program.instructions:
            return expected
        if not self.strict and mode.provenance is Provenance.STRICT:
            first = _first_access(program)
            if first is None:
                return expected
            index, operand = first
            location = Location(instruction=index, operand=operand.name)
            return Unsupported(
                kind=UnsupportedKind.INT_TO_PTR, message=_INT_TO_PTR, location=location
            )
        return expected if self.sound or mode.aliasing is Aliasing.NONE else None


def _first_access(program: Program) -> tuple[int, Operand] | None:
    """The instruction and the operand that are accessed first; None if none is.

    Before the first instruction with an operand there are only jumps, each taken once.
    """
    at, steps = 0, 0
    while at < len(program.instructions) and steps < program.step_limit:
        instruction = program.instructions[at]
        operands = instruction.operands()
        if operands:
            return at, operands[0]
        if isinstance(instruction, Halt):
            return None
        at = instruction.target if isinstance(instruction, Jump) else at + 1
        steps += 1
    return None


def lower(program: Program, variant: Variant, way: Way | None = None) -> Lowered:
    """What the VM does to memory for `program` in `variant`, as a pointer program.

    The compile phase comes first, then the run phase. Addresses are checked and values
    computed by the lowered program itself. way: needed where there are branches.
    """
    return lower_by(variant.design(), program, way or straight(program))


_TABLE = (
    Variant(
        name="reborrow",
        description="borrows the memory anew for every operand (the thread's original)",
        promise="none: each borrow ends the claims of the pointers made before it",
        design=Reborrow,
        sound=False,
    ),
    Variant(
        name="owner",
        description="one base pointer, but the owner's &mut is used after the operands are made",
        promise="none: the owner's access ends the base pointer's claim",
        design=Owner,
        sound=False,
    ),
    Variant(
        name="deref-mut",
        description="raw pointers that are turned into &mut at each access",
        promise="none: operands of one addition that overlap contradict each other as &mut",
        design=DerefMut,
        sound=False,
    ),
    Variant(
        name="raw",
        description="every pointer is derived from one base pointer",
        promise="the owner's &mut is not used while the pointers are",
        design=Raw,
    ),
    Variant(
        name="slice-ptr",
        description="a *mut [u8] is handed to compile (the thread's first repair)",
        promise="the owner's &mut is not used while the pointers are",
        design=SlicePtr,
    ),
    Variant(
        name="wrapped",
        description="a Copy wrapper with the borrow's lifetime is handed to compile",
        promise="the lifetime keeps the owner's &mut from being used",
        design=HandedOver,
    ),
    Variant(
        name="cell",
        description="&[Cell<u8>], operands are references to single cells; safe code",
        promise="shared references to cells may alias each other",
        design=CellBytes,
    ),
    Variant(
        name="cell-slice",
        description="&Cell<[u8]>, operands are &Cell<u8> or &Cell<u16> cast out of it",
        promise="shared references to cells may alias each other",
        design=CellSlice,
    ),
    Variant(
        name="exposed",
        description="operands are integer addresses over an exposed base",
        promise="the base's provenance is exposed; there is no meaning under strict provenance",
        design=Exposed,
        strict=False,
    ),
    Variant(
        name="index",
        description="safe slice indexing at each access, the baseline",
        promise="safe code",
        design=Index,
    ),
)

VARIANTS: dict[str, Variant] = {variant.name: variant for variant in _TABLE}
"""Every variant, by its name."""
