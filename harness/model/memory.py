"""Memory: allocations of bytes, each byte with what is known of it.

A byte is uninitialised, or a value that may carry a fragment of a pointer. An allocation has
a base address of its own, far from every other, so that no pointer comes into another
allocation by arithmetic; a real machine picks addresses at random, and a program whose fate
hangs on them has no verdict.

Source: allocations and provenance per byte as in the Rust reference's memory model and in
Miri's `rustc_middle/src/mir/interpret/allocation`.
"""

from __future__ import annotations

from bisect import bisect_right
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from harness.model.provenance import MIXED, Integer

if TYPE_CHECKING:
    from harness.model.provenance import Origin, Pointer, Provenance
    from harness.pointer.program import Path
    from harness.target import ByteOrder

POINTER_SIZE = 8
"""Bytes of a pointer on the targets that the model speaks of."""

ADDRESS_MASK = (1 << 64) - 1

_FIRST_ADDRESS = 1 << 32
_GAP = 1 << 32
_BASE_ALIGNMENT = 1 << 16


Note = TypeVar("Note")


class AllocationKind(StrEnum):
    """Where an allocation lives; the value is what Miri calls it."""

    LOCAL = "stack variable"
    HEAP = "Rust heap"
    STATIC = "static"


class Fragment(NamedTuple):
    """One byte of a stored pointer: `position` counts the bytes from the pointer's first."""

    pointer: Pointer
    position: int


class Allocation:
    """A block of memory.

    base: its first byte's address. byte_order: of the values in it.
    bytes, initialised: one entry per byte, the latter 0 or 1.
    fragments: by offset, the bytes that carry a pointer. address_bytes: by offset, the bytes of
    numbers that have something of addresses: the number's origin, and which of its bytes it is.
    exposed: whether any pointer into it was exposed while it lived.
    """

    __slots__ = (
        "address_bytes",
        "align",
        "base",
        "byte_order",
        "bytes",
        "created_at",
        "exposed",
        "fragments",
        "freed_at",
        "initialised",
        "kind",
        "name",
        "number",
        "size",
    )

    def __init__(
        self,
        *,
        number: int,
        name: str,
        kind: AllocationKind,
        size: int,
        align: int,
        base: int,
        created_at: Path,
        byte_order: ByteOrder = "little",
    ) -> None:
        self.number = number
        self.name = name
        self.kind = kind
        self.size = size
        self.align = align
        self.base = base
        self.byte_order = byte_order
        self.created_at = created_at
        self.freed_at: Path | None = None
        self.exposed = False
        self.bytes = bytearray(size)
        self.initialised = bytearray(size)
        self.fragments: dict[int, Fragment] = {}
        self.address_bytes: dict[int, tuple[Origin, int]] = {}

    @property
    def live(self) -> bool:
        return self.freed_at is None

    def uninitialised_at(self, offset: int, size: int) -> int | None:
        """Offset of the first uninitialised byte of the range, or None."""
        found = self.initialised.find(0, offset, offset + size)
        return None if found < 0 else found

    def read_integer(self, offset: int, size: int) -> Integer:
        """The bytes as an unsigned integer.

        A part of an address, or several put together, is no address any more.
        """
        value = int.from_bytes(self.bytes[offset : offset + size], self.byte_order)
        if not self.address_bytes:
            return Integer(value)
        found = [self.address_bytes.get(at) for at in range(offset, offset + size)]
        if not any(found):
            return Integer(value)
        first = found[0]
        whole = size == POINTER_SIZE and first is not None
        if whole and first is not None and found == [(first[0], i) for i in range(size)]:
            return Integer(value, first[0])
        return Integer(value, MIXED)

    def write_integer(self, offset: int, size: int, number: Integer) -> None:
        """Store a number; pointers that were stored there lose their bytes."""
        end = offset + size
        value, origin = number
        self.bytes[offset:end] = value.to_bytes(size, self.byte_order)
        self.initialised[offset:end] = b"\x01" * size
        if self.fragments:
            _forget(self.fragments, offset, end)
        if origin is not None:
            self.address_bytes.update((offset + i, (origin, i)) for i in range(size))
        elif self.address_bytes:
            _forget(self.address_bytes, offset, end)

    def write_pointer(self, offset: int, pointer: Pointer) -> None:
        self.write_integer(offset, POINTER_SIZE, Integer(pointer.address, pointer.origin))
        for position in range(POINTER_SIZE):
            self.fragments[offset + position] = Fragment(pointer, position)

    def stored_provenance(self, offset: int) -> Provenance:
        """The provenance of the pointer that the eight bytes at `offset` make.

        None unless all eight are bytes of one pointer, in their order: anything else is an
        integer.

        Source: Miri, `provenance_map.rs`, `read_ptr`.
        """
        first = self.fragments.get(offset)
        if first is None:
            return None
        for position in range(POINTER_SIZE):
            fragment = self.fragments.get(offset + position)
            if fragment is None or fragment.position != position:
                return None
            if fragment.pointer != first.pointer:
                return None
        return first.pointer.provenance

    def fill(self, offset: int, size: int, byte: Integer) -> None:
        """Store the same byte `size` times."""
        end = offset + size
        self.bytes[offset:end] = bytes((byte.value,)) * size
        self.initialised[offset:end] = b"\x01" * size
        _forget(self.fragments, offset, end)
        _forget(self.address_bytes, offset, end)
        if byte.origin is not None:
            self.address_bytes.update((at, (byte.origin, 0)) for at in range(offset, end))

    def copy_from(self, source: Allocation, start: int, offset: int, size: int) -> None:
        """Copy `size` bytes from `source` at `start` to `offset`: values, gaps and provenance."""
        end = offset + size
        fragments = _part(source.fragments, start, offset, size)
        address_bytes = _part(source.address_bytes, start, offset, size)
        self.bytes[offset:end] = source.bytes[start : start + size]
        self.initialised[offset:end] = source.initialised[start : start + size]
        _forget(self.fragments, offset, end)
        _forget(self.address_bytes, offset, end)
        self.fragments.update(fragments)
        self.address_bytes.update(address_bytes)


def _part(notes: dict[int, Note], start: int, offset: int, size: int) -> dict[int, Note]:
    """What is noted of `size` bytes from `start` on, as of those from `offset` on."""
    if not notes:
        return {}
    return {offset + i: notes[start + i] for i in range(size) if start + i in notes}


def _forget(notes: dict[int, Note], start: int, end: int) -> None:
    if notes:
        for offset in range(start, end):
            notes.pop(offset, None)


class Memory:
    """All allocations of one run. byte_order: of the values in them."""

    __slots__ = ("_bases", "allocations", "byte_order")

    def __init__(self, byte_order: ByteOrder) -> None:
        self.allocations: list[Allocation] = []
        self.byte_order = byte_order
        self._bases: list[int] = []

    def allocate(
        self, kind: AllocationKind, size: int, align: int, name: str, path: Path
    ) -> Allocation:
        """A new allocation, uninitialised, at an address of its own."""
        base = _FIRST_ADDRESS
        if self.allocations:
            last = self.allocations[-1]
            base = last.base + last.size + _GAP
        step = max(_BASE_ALIGNMENT, align)
        base = -(-base // step) * step
        allocation = Allocation(
            number=len(self.allocations),
            name=name,
            kind=kind,
            size=size,
            align=align,
            base=base,
            byte_order=self.byte_order,
            created_at=path,
        )
        self.allocations.append(allocation)
        self._bases.append(base)
        return allocation

    def at(self, address: int) -> Allocation | None:
        """The live allocation at `address`.

        An address just past the end belongs to no allocation; the base of an empty one does.

        Source: Miri, `alloc_addresses/mod.rs`, `alloc_id_from_addr`.
        """
        index = bisect_right(self._bases, address) - 1
        if index < 0:
            return None
        allocation = self.allocations[index]
        offset = address - allocation.base
        if offset and offset >= allocation.size:
            return None
        return allocation if allocation.live else None
