"""Calls: arguments and what protects them, the body, and what is returned."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.model.borrows import Referrer, Retag
from harness.model.operations import Trap
from harness.model.provenance import MIXED, Integer
from harness.model.reborrows import (
    REFERENCE,
    borrow,
    box_from_raw,
    enter_argument,
    leave_call,
    mut_argument,
    place_pointer,
)
from harness.model.variables import REFERENCES, UNIQUE_REFERENCES, Frame, Kind, Place

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from harness.model.operations import Operations
    from harness.pointer import program as p

_KIND = {
    "mut": Kind.MUT,
    "mut_cell": Kind.MUT_CELL,
    "shared": Kind.SHARED,
    "cell": Kind.CELL,
    "mix": Kind.MIX,
    "boxed": Kind.BOX,
}

# The library marks `mem::forget` as not writing to its argument unasked.
# Source: rust-lang/rust#159181 (`rustc_no_writable`).
_FORGOTTEN = Retag(referrer=Referrer.BOX, function_entry=True, may_write=False)


def call(
    memory: Operations,
    frame: Frame,
    s: p.Call,
    run_body: Callable[[Frame, Sequence[p.AnyStatement]], None],
) -> None:
    """Arguments are made in the caller, in order; then each is retagged with a protector.

    What fails on entering or leaving has the call's own path. Raises: Stop, Halt, Trap.
    """
    here = memory.at
    callee = Frame(frame, here)
    arguments = [_argument(memory, frame, argument) for argument in s.args]
    memory.borrows.enter_call()
    for argument, place in zip(s.args, arguments, strict=True):
        pointer = enter_argument(memory, place.pointer, place.kind, place.size)
        callee.places[argument.to] = place._replace(pointer=pointer)
        if place.kind is Kind.BOX:
            callee.boxes.append(argument.to)
    try:
        run_body(callee, s.body)
    except Trap:
        memory.at = here
        _end(memory, callee)
        raise
    _forget_boxes(memory, callee, len(s.body))
    memory.at = here
    values = _returned(memory, callee, s.returns)
    _end(memory, callee)
    for returned, value in zip(s.returns, _retag_all(memory, values), strict=True):
        if isinstance(value, Integer):
            frame.integers[returned.to] = value
        else:
            frame.places[returned.to] = value
    frame.note_read(Integer(callee.checksum, MIXED if callee.address_read else None))


def _argument(memory: Operations, frame: Frame, argument: p.Argument) -> Place:
    place = frame.place(argument.of)._replace(size=argument.size)
    kind = _KIND[argument.as_]
    pointer = place_pointer(memory, place)
    if kind is Kind.BOX:
        pointer = box_from_raw(memory, pointer, argument.size)
    elif kind in UNIQUE_REFERENCES:
        pointer = mut_argument(memory, place, pointer, kind)
    else:
        pointer = borrow(memory, place, pointer, argument.size, kind)
    return Place(kind, pointer, argument.size)


def _forget_boxes(memory: Operations, callee: Frame, index: int) -> None:
    """Hand each box to `std::mem::forget`, at the statement after the body's last."""
    for name in callee.boxes:
        memory.at = (*callee.prefix, index)
        place = callee.places[name]
        type_name = Kind.BOX.type_name(place.size)
        memory.require_valid(place.pointer, place.size, type_name)
        memory.borrows.enter_call()
        memory.reborrow(place.pointer, place.size, _FORGOTTEN, type_name)
        leave_call(memory)


def _returned(
    memory: Operations, callee: Frame, returns: tuple[p.Return, ...]
) -> list[Place | Integer]:
    """The values that a body returns, its references reborrowed and put together.

    Putting them together retags each once more, after the last was reborrowed.
    """
    values = [callee.value(returned.of) for returned in returns]
    return _retag_all(memory, _retag_all(memory, values))


def _retag_all(memory: Operations, values: list[Place | Integer]) -> list[Place | Integer]:
    return [
        _retagged(memory, value) if isinstance(value, Place) and value.kind in REFERENCES else value
        for value in values
    ]


def _retagged(memory: Operations, place: Place) -> Place:
    """A reference after it was moved: its value must be valid, and it is retagged."""
    name = place.kind.type_name(place.size)
    memory.require_valid(place.pointer, place.size, name, place.align)
    retag = REFERENCE[place.kind]
    pointer = memory.reborrow(place.pointer, place.size, retag, name, place.align)
    return place._replace(pointer=pointer)


def _end(memory: Operations, callee: Frame) -> None:
    """The body's locals die, then its protectors end."""
    for allocation in callee.locals:
        memory.end(allocation)
    leave_call(memory)
