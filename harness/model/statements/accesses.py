"""Reading, writing and copying."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.model.memory import POINTER_SIZE
from harness.model.provenance import Integer, combined
from harness.model.reborrows import MUT, REFERENCE, element, enter_argument, leave_call
from harness.model.variables import Kind, Place

if TYPE_CHECKING:
    from harness.model.operations import Operations
    from harness.model.provenance import Origin, Pointer
    from harness.model.variables import Frame
    from harness.pointer import program as p

_CELLS = frozenset((Kind.CELL, Kind.UNSAFE_CELL))
_MIX_CELL = 1


def read(memory: Operations, frame: Frame, s: p.Read) -> None:
    place = frame.place(s.ptr)
    pointer = _accessed(memory, frame, s, place)
    if place.kind is Kind.LOCAL and s.width > 1:
        number = _read_bytes(memory, pointer, s.width)
    else:
        align = s.width if s.aligned else 1
        if place.kind in _CELLS or (place.kind is Kind.MIX and s.at == _MIX_CELL):
            cell = _borrow_cell(memory, pointer, s.width, align)
            number = memory.read_integer(cell, s.width, align)
            memory.forget(cell, pointer)
        else:
            number = memory.read_integer(pointer, s.width, align)
    frame.note_read(number)
    if s.to is not None:
        frame.integers[s.to] = number


def write(memory: Operations, frame: Frame, s: p.Write) -> None:
    place = frame.place(s.ptr)
    pointer = _accessed(memory, frame, s, place)
    number = _cut(frame.integer(s.value), s.width)
    align = s.width if s.aligned else 1
    if place.kind is Kind.LOCAL and s.width > 1:
        for index, byte in enumerate(number.value.to_bytes(s.width, memory.memory.byte_order)):
            part = Integer(byte, combined(number.origin, None))
            memory.write_integer(memory.offset(pointer, index), 1, part)
        return
    if place.kind in _CELLS or place.kind is Kind.MIX:
        cell = _borrow_cell(memory, pointer, s.width, align)
        if place.kind is Kind.UNSAFE_CELL:
            memory.write_integer(cell, s.width, number, align)
        else:
            _set_cell(memory, cell, s.width, number, align)
        memory.forget(cell, pointer)
        return
    memory.write_integer(pointer, s.width, number, align)


def _cut(number: Integer, width: int) -> Integer:
    """What of a number is written at a width."""
    if width == POINTER_SIZE:
        return number
    return Integer(number.value & ((1 << (8 * width)) - 1), combined(number.origin, None))


def copy(memory: Operations, frame: Frame, s: p.Copy) -> None:
    size = memory.decide_by(frame.integer(s.size))
    source = frame.place(s.from_).pointer
    memory.copy(source, frame.place(s.to_ptr).pointer, size, s.overlapping)


def fill(memory: Operations, frame: Frame, s: p.Fill) -> None:
    size = memory.decide_by(frame.integer(s.size))
    byte = _cut(frame.integer(s.value), 1)
    memory.fill(frame.place(s.ptr).pointer, size, byte)


def store_ptr(memory: Operations, frame: Frame, s: p.StorePtr) -> None:
    memory.write_pointer(frame.place(s.ptr).pointer, frame.place(s.of).pointer)


def load_ptr(memory: Operations, frame: Frame, s: p.LoadPtr) -> None:
    pointer = memory.read_pointer(frame.place(s.ptr).pointer)
    frame.places[s.to] = Place(Kind.RAW, pointer, s.size)


def _accessed(memory: Operations, frame: Frame, s: p.Read | p.Write, place: Place) -> Pointer:
    """Where a read or write goes: an element, or wherever a wide one's pointer points."""
    at = memory.decide_by(frame.integer(s.at))
    if s.width == 1:
        return element(memory, place, at)
    return memory.offset(place.pointer, at)


def _read_bytes(memory: Operations, pointer: Pointer, width: int) -> Integer:
    """A local's bytes are read one by one, that of the lowest address first."""
    bytes_ = [memory.read_integer(memory.offset(pointer, index), 1) for index in range(width)]
    origin: Origin = None
    for byte in bytes_:
        origin = combined(origin, byte.origin)
    value = int.from_bytes(bytes(byte.value for byte in bytes_), memory.memory.byte_order)
    return Integer(value, origin)


def _borrow_cell(memory: Operations, pointer: Pointer, width: int, align: int) -> Pointer:
    """The receiver of a cell's method: a `&Cell` to the bytes alone."""
    name = Kind.CELL.type_name(width)
    return memory.reborrow(pointer, width, REFERENCE[Kind.CELL], name, align)


def _set_cell(
    memory: Operations, pointer: Pointer, width: int, number: Integer, align: int
) -> None:
    """`Cell::set` is `mem::replace(&mut *cell.get(), value)`: it reads the old value too.

    Source: `library/core/src/cell.rs`.
    """
    borrow = memory.reborrow(pointer, width, MUT, Kind.MUT.type_name(width), align)
    memory.borrows.enter_call()
    argument = enter_argument(memory, borrow, Kind.MUT, width)
    memory.read_integer(argument, width)
    memory.write_integer(argument, width, number)
    leave_call(memory)
    memory.forget(argument, borrow)
    memory.forget(borrow, pointer)
