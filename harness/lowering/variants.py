"""The variants: the table of them all, and what each promises.

A variant is one way in which the VM touches its memory; `rust/vm` has the same names. A new
one is a `Design` in a file of its own and a line in `VARIANTS`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, get_args

from harness.bytecode.instruction_set import form_of
from harness.bytecode.pointers import OnPointers, ReadPointer
from harness.bytecode.program import (
    Assert,
    Binary,
    Branch,
    Grow,
    Halt,
    HostEnter,
    HostRead,
    HostWrite,
    Jump,
    Return,
    Unary,
    WriteConst,
)
from harness.lowering.addresses import Exposed, Transmuted, Unexposed, VmPtrs, WithAddr
from harness.lowering.cells import AtomicBytes, CellBytes, CellSlice, UnsafeCellSlice
from harness.lowering.deref_mut import DerefMut
from harness.lowering.design import Design
from harness.lowering.indexed import Index
from harness.lowering.lower import lower_by
from harness.lowering.lowered import Lowered, Origin, Phase
from harness.lowering.raw_pointers import (
    CachedBase,
    HandedOver,
    KeptBorrow,
    LentBorrow,
    NonNullAsInteger,
    NonNullBase,
    Owner,
    Raw,
    Reborrow,
    SharedBase,
    SlicePtr,
)
from harness.lowering.way import Way, straight
from harness.mode import Aliasing, Mode, Provenance
from harness.outcome import (
    Location,
    Meaning,
    Outcome,
    Trapped,
    UndefinedBehaviour,
    Unsupported,
    UnsupportedKind,
)
from harness.result import Form
from harness.verdict import CANNOT_EXPRESS

if TYPE_CHECKING:
    from harness.bytecode.operands import Operand
    from harness.bytecode.program import Instruction, Program
    from harness.target import ByteOrder, Target

__all__ = ["ON_DEMAND", "VARIANTS", "Lowered", "Origin", "Phase", "Variant", "Way", "lower"]

_POINTERS: tuple[type[OnPointers], ...] = get_args(OnPointers)
_SAFE = "safe code has no pointers that it could follow"
_INT_TO_PTR = (
    "integer-to-pointer casts and `ptr::with_exposed_provenance` are not supported "
    "under strict provenance"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """A line of the table.

    promise: what the design relies on, in a sentence.
    design: None where nobody lowers it, so that nothing is predicted.
    unrolled: whether the lowered program, written out as Rust, does what the variant does; if
    not, it is there for the prediction alone.
    expresses: the instructions that it can run; None for all. lacks: those that it cannot, and
    because: why not.
    byte_order: the only one in which it can keep a value; None: that of the target.
    sound: free of undefined behaviour by design, for every program; if not, aliasing: what may
    go wrong is a matter of the borrow models alone.
    strict: can be judged under strict provenance.
    shown_by: instructions without which it does what `raw` does; none for a variant that does
    not.
    """

    name: str
    description: str
    promise: str
    design: Callable[[], Design] | None
    unrolled: bool = True
    expresses: tuple[type[Instruction], ...] | None = None
    lacks: tuple[type[Instruction], ...] = ()
    because: str = ""
    byte_order: ByteOrder | None = None
    sound: bool = True
    aliasing: bool = True
    strict: bool = True
    shown_by: tuple[type[Instruction], ...] = ()

    def tells(self, program: Program) -> bool:
        """Whether it can run `program`, and show anything that `raw` does not show as well."""
        if self.refuses(program) is not None:
            return False
        return not self.shown_by or any(
            isinstance(instruction, self.shown_by) for instruction in program.instructions
        )

    @property
    def forms(self) -> tuple[Form, ...]:
        """The forms that it has."""
        return tuple(Form) if self.unrolled else (Form.VM,)

    def refuses(self, program: Program, target: Target | None = None) -> str | None:
        """Why the variant cannot run the program on a target; None if it can."""
        if target and self.byte_order not in (None, target.layout.byte_order):
            return f"{self.name} keeps its values {self.byte_order}-endian, unlike {target}"
        if self.expresses is None and not self.lacks:
            return None
        for index, instruction in enumerate(program.instructions):
            outside = self.expresses is not None and not isinstance(instruction, self.expresses)
            if outside or isinstance(instruction, self.lacks):
                mnemonic = form_of(instruction).mnemonic
                why = f": {self.because}" if self.because else ""
                return f"{self.name} {CANNOT_EXPRESS} {mnemonic} (instruction {index}){why}"
        return None

    def promises(self, program: Program, expected: Meaning, mode: Mode) -> Outcome | None:
        """What the design by itself says of `program` in `mode`, if it means `expected`.

        None where it depends on the rules of the borrow model, or on addresses.
        """
        compiles = not isinstance(expected, Trapped) or not expected.in_compiling
        if not compiles or not program.instructions:
            return expected
        if isinstance(expected, Unsupported):
            return None
        if isinstance(expected, UndefinedBehaviour) and not self.strict:
            return None
        if not self.strict and mode.provenance is Provenance.STRICT:
            if any(isinstance(each, OnPointers) for each in program.instructions):
                return None
            first = _first_access(program)
            if first is None:
                return expected
            index, operand = first
            location = Location(instruction=index, operand=operand.name)
            return Unsupported(
                kind=UnsupportedKind.INT_TO_PTR, message=_INT_TO_PTR, location=location
            )
        defined = mode.aliasing is Aliasing.NONE and self.aliasing
        return expected if self.sound or defined else None


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
        if isinstance(instruction, Halt | Return):
            return None
        at = instruction.target if isinstance(instruction, Jump) else at + 1
        steps += 1
    return None


def lower(
    program: Program, variant: Variant, way: Way | None = None, byte_order: ByteOrder = "little"
) -> Lowered:
    """What the VM does to memory for `program` in `variant`, as a pointer program.

    The compile phase comes first, then the run phase. Addresses are checked and values
    computed by the lowered program itself. way: needed where there are branches.
    """
    assert variant.design is not None, "only what has a design is lowered"
    return lower_by(variant.design(), program, way or straight(program), byte_order)


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
        lacks=_POINTERS,
        because=_SAFE,
    ),
    Variant(
        name="cell-slice",
        description="&Cell<[u8]>, operands are &Cell<u8> or &Cell<u16> cast out of it",
        promise="shared references to cells may alias each other",
        design=CellSlice,
        lacks=_POINTERS,
        because=_SAFE,
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
        lacks=_POINTERS,
        because=_SAFE,
    ),
    Variant(
        name="non-null",
        description="every pointer is a NonNull, derived from one base",
        promise="the owner's &mut is not used while the pointers are",
        design=NonNullBase,
    ),
    Variant(
        name="with-addr",
        description="operands are integer addresses, and the base is moved to them",
        promise="the base's provenance goes with every pointer, under strict provenance too",
        design=WithAddr,
    ),
    Variant(
        name="atomic",
        description="&[AtomicU8], operands are references to single bytes, accessed relaxed",
        promise="shared references to atomics may alias each other, in other threads too",
        design=AtomicBytes,
        unrolled=False,
        lacks=_POINTERS,
        because=_SAFE,
    ),
    Variant(
        name="unsafe-cell",
        description="&UnsafeCell<[u8]>, every pointer is derived from what its get gives",
        promise="nobody refers to what is in the cell while the pointers are used",
        design=UnsafeCellSlice,
    ),
    Variant(
        name="vm-ptr",
        description="a #[repr(C)] context has the base as an exposed address, read at each access",
        promise="the base's provenance is exposed; there is no meaning under strict provenance",
        design=VmPtrs,
        strict=False,
    ),
    Variant(
        name="unexposed",
        description="operands are integer addresses over a base that is never exposed",
        promise="none: what becomes of an address may access only what was exposed",
        design=Unexposed,
        sound=False,
        strict=False,
        aliasing=False,
    ),
    Variant(
        name="transmuted",
        description="operands are integer addresses, transmuted to pointers",
        promise="none: a transmuted integer has no provenance",
        design=Transmuted,
        sound=False,
        aliasing=False,
    ),
    Variant(
        name="shared-base",
        description="every pointer is derived from a base that a shared reference is cast to",
        promise="none: what a shared reference leads to must not be written",
        design=SharedBase,
        sound=False,
    ),
    Variant(
        name="cached-base",
        description="the base pointer is kept when the memory grows and moves",
        promise="none: what the base points to is given back",
        design=CachedBase,
        sound=False,
        aliasing=False,
        shown_by=(Grow,),
    ),
    Variant(
        name="kept-borrow",
        description="the owner's &mut is kept beside the base pointer, for the host",
        promise="none: the host's access ends the base pointer's claim",
        design=KeptBorrow,
        sound=False,
        shown_by=(HostRead, HostWrite, HostEnter),
    ),
    Variant(
        name="lent-borrow",
        description="the host keeps a &mut of the memory while it enters the VM again",
        promise="none: the guest's accesses end the host's claim",
        design=LentBorrow,
        sound=False,
        aliasing=False,
        shown_by=(HostEnter,),
    ),
    Variant(
        name="non-null-as-integer",
        description="what is stored as a NonNull is loaded as an integer and transmuted",
        promise="none: an integer has no provenance",
        design=NonNullAsInteger,
        sound=False,
        aliasing=False,
        shown_by=(ReadPointer,),
    ),
)

VARIANTS: dict[str, Variant] = {variant.name: variant for variant in _TABLE}
"""Every variant, by its name."""

ON_DEMAND: dict[str, Variant] = {
    "pulley": Variant(
        name="pulley",
        description="the real pulley-interpreter 42.0.2 from crates.io; only where asked for",
        promise="the memory's base is exposed, and each access makes a pointer of its address",
        design=None,
        expresses=(WriteConst, Unary, Binary, Jump, Branch, Assert, Halt),
        byte_order="little",
        strict=False,
    )
}
"""Variants that need what not every machine has: none of them runs unless it is named."""
