"""Pointer arithmetic, and casts between pointers and integers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.model.memory import ADDRESS_MASK
from harness.model.operations import Halt, signed
from harness.model.provenance import MIXED, Integer, Pointer, added
from harness.model.variables import Kind, Place
from harness.outcome import Location, Unsupported, UnsupportedKind

if TYPE_CHECKING:
    from harness.model.operations import Operations
    from harness.model.provenance import Provenance
    from harness.model.variables import Frame
    from harness.pointer import program as p

_STRICT_CAST = (
    "unsupported operation: integer-to-pointer casts and `ptr::with_exposed_provenance` are not "
    "supported with `-Zmiri-strict-provenance`"
)


def sub(memory: Operations, frame: Frame, s: p.Sub) -> None:
    pointer = frame.place(s.of).pointer
    offset = signed(memory.decide_by(frame.integer(s.offset)) & ADDRESS_MASK)
    move = memory.offset_inbounds if s.inbounds else memory.offset
    frame.places[s.to] = Place(Kind.RAW, move(pointer, offset), s.size)


def expose(memory: Operations, frame: Frame, s: p.Expose) -> None:
    pointer = frame.place(s.of).pointer
    memory.expose(pointer)
    frame.integers[s.to] = Integer(pointer.address, pointer.origin)


def addr(memory: Operations, frame: Frame, s: p.Addr | p.TransmuteAddr) -> None:
    pointer = frame.place(s.of).pointer
    frame.integers[s.to] = Integer(pointer.address, pointer.origin)


def from_exposed(memory: Operations, frame: Frame, s: p.FromExposed) -> None:
    provenance = memory.exposure.cast()
    if provenance is None:
        location = Location(path=memory.at)
        kind = UnsupportedKind.INT_TO_PTR
        raise Halt(Unsupported(kind=kind, message=_STRICT_CAST, location=location))
    frame.places[s.to] = Place(Kind.RAW, _pointer(memory, frame, s, provenance), s.size)


def with_addr(memory: Operations, frame: Frame, s: p.WithAddr) -> None:
    provenance = frame.place(s.of).pointer.provenance
    frame.places[s.to] = Place(Kind.RAW, _pointer(memory, frame, s, provenance), s.size)


def transmute(memory: Operations, frame: Frame, s: p.Transmute) -> None:
    frame.places[s.to] = Place(Kind.RAW, _pointer(memory, frame, s, None), s.size)


def _pointer(
    memory: Operations,
    frame: Frame,
    s: p.FromExposed | p.WithAddr | p.Transmute,
    provenance: Provenance,
) -> Pointer:
    """A pointer to the address that the statement says."""
    base, offset = frame.integer(s.int_), frame.integer(s.offset)
    origin = added(base.origin, offset.origin)
    if origin == MIXED:
        memory.hangs_on_addresses = True
    return Pointer((base.value + offset.value) & ADDRESS_MASK, provenance, origin)
