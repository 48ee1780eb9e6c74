"""Allocating and freeing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.model import faults
from harness.model.memory import AllocationKind
from harness.model.operations import Stop
from harness.model.provenance import Pointer
from harness.model.reborrows import (
    ARGUMENT,
    RAW_MUT,
    box_from_raw,
    leave_call,
)
from harness.model.variables import Kind, Place

if TYPE_CHECKING:
    from harness.model.operations import Operations
    from harness.model.variables import Frame
    from harness.pointer import program as p


def local(memory: Operations, frame: Frame, s: p.Local) -> None:
    pointer, allocation = memory.allocate(
        AllocationKind.LOCAL, _padded(s.size, s.align), s.align, s.to
    )
    _initialise(memory, s.init, s.size)
    frame.locals.append(allocation)
    frame.places[s.to] = Place(Kind.LOCAL, pointer, s.size, s.align)


def static(memory: Operations, frame: Frame, s: p.Static) -> None:
    pointer, _ = memory.allocate(AllocationKind.STATIC, _padded(s.size, s.align), s.align, s.to)
    _initialise(memory, s.init, s.size)
    frame.places[s.to] = Place(Kind.RAW, pointer, s.size)


def heap(memory: Operations, frame: Frame, s: p.Heap) -> None:
    if s.size == 0:
        raise Stop(faults.empty_allocation())
    pointer, _ = memory.allocate(AllocationKind.HEAP, s.size, s.align, s.to)
    frame.places[s.to] = Place(Kind.RAW, pointer, s.size)


def box(memory: Operations, frame: Frame, s: p.Box) -> None:
    """`Box::new` makes a box of what it allocated, `into_raw` a raw pointer of the box.

    An empty one has no allocation.
    """
    pointer = Pointer(1, None, None)
    if s.size:
        pointer, _ = memory.allocate(AllocationKind.HEAP, s.size, 1, s.to)
        _initialise(memory, s.init, s.size)
        pointer = box_from_raw(memory, pointer, s.size)
        pointer = memory.reborrow(pointer, s.size, RAW_MUT, "")
    frame.places[s.to] = Place(Kind.RAW, pointer, s.size)


def free(memory: Operations, frame: Frame, s: p.Free) -> None:
    memory.deallocate(frame.place(s.ptr).pointer, s.size, s.align)


def drop_box(memory: Operations, frame: Frame, s: p.DropBox) -> None:
    """`Box::from_raw` retags, and so does `drop` on entry; then the box frees its memory."""
    place = frame.place(s.ptr)
    size = place.size
    pointer = box_from_raw(memory, place.pointer, size)
    memory.borrows.enter_call()
    pointer = memory.reborrow(pointer, size, ARGUMENT[Kind.BOX], Kind.BOX.type_name(size))
    if size:
        memory.deallocate(pointer, size, 1)
    leave_call(memory)


def _padded(size: int, align: int) -> int:
    """The size of a type: a multiple of its alignment."""
    return -(-size // align) * align


def _initialise(memory: Operations, init: int | str | None, size: int) -> None:
    """Fill the newest allocation, which is no access."""
    if init is None:
        return
    content = bytes.fromhex(init) if isinstance(init, str) else bytes([init]) * size
    allocation = memory.memory.allocations[-1]
    allocation.bytes[:size] = content
    allocation.initialised[:size] = b"\x01" * size
