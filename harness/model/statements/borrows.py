"""Borrowing a place, or a part of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.model.borrows import Referrer, Retag
from harness.model.provenance import Integer
from harness.model.reborrows import (
    ARGUMENT,
    RAW_CONST,
    RAW_MUT,
    REFERENCE,
    TWO_PHASE,
    borrow,
    element,
    enter_argument,
    index_panic,
    leave_call,
    mut_argument,
    place_pointer,
)
from harness.model.variables import Kind, Place

if TYPE_CHECKING:
    from harness.model.operations import Operations
    from harness.model.provenance import Pointer
    from harness.model.variables import Frame
    from harness.pointer import program as p

# The library marks this function as not writing to its argument unasked.
# Source: rust-lang/rust#155207 (`rustc_no_writable`).
_AS_MUT_PTR_SELF = Retag(referrer=Referrer.MUT, function_entry=True, may_write=False)

_MIX_SIZE = 3


def raw_mut(memory: Operations, frame: Frame, s: p.RawMut) -> None:
    place, pointer, size = _referent(memory, frame, s)
    if place.kind is not Kind.RAW:
        pointer = memory.reborrow(pointer, size, RAW_MUT, "")
    frame.places[s.to] = Place(Kind.RAW, pointer, size)


def raw_const(memory: Operations, frame: Frame, s: p.RawConst) -> None:
    place, pointer, size = _referent(memory, frame, s)
    if place.kind is not Kind.RAW:
        pointer = memory.reborrow(pointer, size, RAW_CONST[place.kind], "")
    frame.places[s.to] = Place(Kind.RAW, pointer, size)


def ref_mut(memory: Operations, frame: Frame, s: p.RefMut) -> None:
    place, pointer, size = _referent(memory, frame, s)
    kind = Kind.MUT_CELL if s.cell else Kind.MUT
    pointer = borrow(memory, place, pointer, size, kind, s.align)
    frame.places[s.to] = Place(kind, pointer, size, s.align)


def ref_shared(memory: Operations, frame: Frame, s: p.RefShared) -> None:
    place, pointer, size = _referent(memory, frame, s)
    pointer = borrow(memory, place, pointer, size, Kind.SHARED, s.align)
    frame.places[s.to] = Place(Kind.SHARED, pointer, size, s.align)


def ref_cell(memory: Operations, frame: Frame, s: p.RefCell) -> None:
    place, pointer, size = _referent(memory, frame, s)
    kind = Kind.UNSAFE_CELL if s.unsafe_cell else Kind.CELL
    if place.kind in (Kind.LOCAL, Kind.MUT):
        pointer = _cell_from_mut(memory, place, pointer, kind, s.align)
    else:
        pointer = borrow(memory, place, pointer, size, kind, s.align)
    frame.places[s.to] = Place(kind, pointer, size, s.align)


def ref_mix(memory: Operations, frame: Frame, s: p.RefMix) -> None:
    place = frame.place(s.of)
    pointer = borrow(memory, place, place_pointer(memory, place), _MIX_SIZE, Kind.MIX)
    frame.places[s.to] = Place(Kind.MIX, pointer, _MIX_SIZE)


def as_mut_ptr(memory: Operations, frame: Frame, s: p.AsMutPtr) -> None:
    retags = (TWO_PHASE[Kind.MUT], _AS_MUT_PTR_SELF, RAW_MUT)
    _slice_pointer(memory, frame, s, Kind.MUT, retags)


def as_ptr(memory: Operations, frame: Frame, s: p.AsPtr) -> None:
    shared = Kind.SHARED
    _slice_pointer(
        memory, frame, s, shared, (REFERENCE[shared], ARGUMENT[shared], RAW_CONST[shared])
    )


def two_phase(memory: Operations, frame: Frame, s: p.TwoPhase) -> None:
    """The receiver is borrowed first, the argument found next, and then the call writes."""
    place = frame.place(s.of)
    size = place.size
    kind = Kind.MUT_CELL if s.cell else Kind.MUT
    pointer = place_pointer(memory, place)
    if s.cell and place.kind is Kind.LOCAL:
        # Seen as a cell, a local is reached by a raw pointer to it.
        pointer = memory.reborrow(pointer, size, RAW_MUT, "")
    receiver = memory.reborrow(pointer, size, TWO_PHASE[kind], kind.type_name(size))
    source = element(memory, frame.place(s.from_), s.at)
    if s.value is None:
        byte = memory.read_integer(source, 1)
    else:
        byte = Integer(s.value)
        memory.write_integer(source, 1, byte)
    memory.borrows.enter_call()
    parameter = enter_argument(memory, receiver, kind, size)
    memory.write_integer(parameter, 1, byte)
    leave_call(memory)


def _referent(
    memory: Operations,
    frame: Frame,
    s: p.RawMut | p.RawConst | p.RefMut | p.RefShared | p.RefCell,
) -> tuple[Place, Pointer, int]:
    """What is borrowed: PLACE, where the part begins, and its size."""
    place = frame.place(s.of)
    if s.at is None:
        return place, place_pointer(memory, place), place.size
    at = memory.decide_by(frame.integer(s.at))
    # An array's length is known without a look at it.
    if isinstance(s.at, str) and at >= place.size:
        raise index_panic(memory, at, place.size)
    pointer = memory.offset_inbounds(place_pointer(memory, place), at)
    return place, pointer, 1 if s.size is None else s.size


def _cell_from_mut(
    memory: Operations, place: Place, pointer: Pointer, kind: Kind, align: int
) -> Pointer:
    """`Cell::from_mut(&mut PLACE)`: a call whose argument is cast and reborrowed."""
    size = place.size
    pointer = mut_argument(memory, place, pointer)
    memory.borrows.enter_call()
    pointer = enter_argument(memory, pointer, Kind.MUT, size)
    pointer = memory.reborrow(pointer, size, REFERENCE[kind], kind.type_name(size), align)
    leave_call(memory)
    return pointer


def _slice_pointer(
    memory: Operations,
    frame: Frame,
    s: p.AsMutPtr | p.AsPtr,
    kind: Kind,
    retags: tuple[Retag, Retag, Retag],
) -> None:
    """The receiver's retag, the parameter's within the call, and the raw pointer's from it."""
    place = frame.place(s.of)
    receiver, parameter, raw = retags
    size, name = place.size, kind.type_name(place.size)
    pointer = memory.reborrow(place_pointer(memory, place), size, receiver, name)
    memory.borrows.enter_call()
    pointer = memory.reborrow(pointer, size, parameter, name)
    pointer = memory.reborrow(pointer, size, raw, "")
    leave_call(memory)
    frame.places[s.to] = Place(Kind.RAW, pointer, size)
