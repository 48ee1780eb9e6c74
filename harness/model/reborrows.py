"""How references are made from places: which retags an expression of Rust comes with.

Source: `rustc_mir_transform/src/add_retag.rs` and `deref_separator.rs`,
`rustc_const_eval/src/interpret/step.rs`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from harness.model import faults
from harness.model.borrows import Referrer, Retag
from harness.model.operations import Halt, Stop
from harness.model.variables import REFERENCES, UNIQUE_REFERENCES, Kind
from harness.outcome import Location, Panicked

if TYPE_CHECKING:
    from harness.model.operations import Operations
    from harness.model.provenance import Pointer
    from harness.model.variables import Place

MUT = Retag(referrer=Referrer.MUT)
BOX = Retag(referrer=Referrer.BOX)
RAW_MUT = Retag(referrer=Referrer.RAW_MUT)


def _reference(kind: Kind, *, function_entry: bool) -> Retag:
    if kind is Kind.BOX:
        return Retag(referrer=Referrer.BOX, function_entry=function_entry)
    referrer = Referrer.MUT if kind in UNIQUE_REFERENCES else Referrer.SHARED
    return Retag(referrer=referrer, interior=kind.interior, function_entry=function_entry)


REFERENCE = {kind: _reference(kind, function_entry=False) for kind in REFERENCES}
"""The retag that makes a reference of a kind."""

TWO_PHASE = {kind: replace(REFERENCE[kind], two_phase=True) for kind in UNIQUE_REFERENCES}
"""The retag of a `&mut` that is only written through later."""

ARGUMENT = {kind: _reference(kind, function_entry=True) for kind in (*REFERENCES, Kind.BOX)}
"""The retag of a parameter of a kind, on function entry."""

RAW_CONST = {kind: Retag(referrer=Referrer.RAW_CONST, interior=kind.interior) for kind in Kind}
"""The retag that makes a `*const` of what a variable of a kind stands for."""


def place_pointer(memory: Operations, place: Place) -> Pointer:
    """The pointer to PLACE. A reference or box is copied to be dereferenced: it must be valid.

    Raises: Stop.
    """
    if place.kind in REFERENCES or place.kind is Kind.BOX:
        name = place.kind.type_name(place.size)
        memory.require_valid(place.pointer, place.size, name, place.align)
    return place.pointer


def element(memory: Operations, place: Place, at: int) -> Pointer:
    """The place of one element of the array that PLACE is. Raises: Stop, Halt."""
    if at >= place.size:
        raise index_panic(memory, at, place.size)
    if place.kind is Kind.LOCAL:
        return memory.offset(place.pointer, at)
    return memory.offset_inbounds(place.pointer, at)


def index_panic(memory: Operations, at: int, size: int) -> Halt:
    message = f"index out of bounds: the len is {size} but the index is {at}"
    return Halt(Panicked(message=message, location=Location(path=memory.at)))


def borrow(
    memory: Operations, place: Place, pointer: Pointer, size: int, kind: Kind, align: int = 1
) -> Pointer:
    """A reference to `size` bytes at `pointer`, in PLACE; of a local by way of `&raw`.

    Raises: Stop.
    """
    if place.kind is Kind.LOCAL:
        raw = RAW_MUT if kind in UNIQUE_REFERENCES else RAW_CONST[Kind.LOCAL]
        pointer = memory.reborrow(pointer, size, raw, "")
    return memory.reborrow(pointer, size, REFERENCE[kind], kind.type_name(size), align)


def mut_argument(
    memory: Operations, place: Place, pointer: Pointer, kind: Kind = Kind.MUT
) -> Pointer:
    """`&mut PLACE` as an argument, which is coerced: reborrowed once more, in two phases.

    Source: `rustc_hir_typeck/src/fn_ctxt/checks.rs` (`AllowTwoPhase::Yes`). Raises: Stop.
    """
    pointer = borrow(memory, place, pointer, place.size, kind)
    return memory.reborrow(pointer, place.size, TWO_PHASE[kind], kind.type_name(place.size))


def box_from_raw(memory: Operations, pointer: Pointer, size: int) -> Pointer:
    """`Box::from_raw`: the value is made first, then retagged. Raises: Stop."""
    if pointer.address == 0:
        raise Stop(faults.null_box(size))
    name = Kind.BOX.type_name(size)
    memory.require_valid(pointer, size, name)
    return memory.reborrow(pointer, size, BOX, name)


def enter_argument(memory: Operations, pointer: Pointer, kind: Kind, size: int) -> Pointer:
    """A parameter as its function begins. Raises: Stop."""
    return memory.reborrow(pointer, size, ARGUMENT[kind], kind.type_name(size))


def leave_call(memory: Operations) -> None:
    """Raises: Stop."""
    broken = memory.borrows.leave_call()
    if broken is not None:
        raise Stop(broken)
