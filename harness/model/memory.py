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
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from harness.model.provenance import Pointer, Provenance
    from harness.pointer.program import Path

POINTER_SIZE = 8
"""Bytes of a pointer on the targets that the model speaks of."""

ADDRESS_MASK = (1 << 64) - 1

_FIRST_ADDRESS = 1 << 32
_GAP = 1 << 32
_BASE_ALIGNMENT = 1 << 16


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

    base: its first byte's address. bytes, initialised: one entry per byte, the latter 0 or 1.
    fragments: by offset, the bytes that carry a pointer. address_bytes: offsets whose value
    depends on addresses. exposed: whether any pointer into it was exposed while it lived.
    """

    __slots__ = (
        "address_bytes",
        "align",
        "base",
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
    ) -> None:
        self.number = number
        self.name = name
        self.kind = kind
        self.size = size
        self.align = align
        self.base = base
        self.created_at = created_at
        self.freed_at: Path | None = None
        self.exposed = False
        self.bytes = bytearray(size)
        self.initialised = bytearray(size)
        self.fragments: dict[int, Fragment] = {}
        self.address_bytes: set[int] = set()

    @property
    def live(self) -> bool:
        return self.freed_at is None

    def uninitialised_at(self, offset: int, size: int) -> int | None:
        """Offset of the first uninitialised byte of the range, or None."""
        found = self.initialised.find(0, offset, offset + size)
        return None if found < 0 else found

    def read_integer(self, offset: int, size: int) -> tuple[int, bool]:
        """The bytes as a little-endian unsigned integer, and whether it depends on addresses."""
        value = int.from_bytes(self.bytes[offset : offset + size], "little")
        if not self.address_bytes:
            return value, False
        return value, not self.address_bytes.isdisjoint(range(offset, offset + size))

    def write_integer(self, offset: int, size: int, value: int, of_address: bool) -> None:
        """Store `value`, little-endian; pointers that were stored there lose their bytes."""
        end = offset + size
        self.bytes[offset:end] = value.to_bytes(size, "little")
        self.initialised[offset:end] = b"\x01" * size
        if self.fragments:
            self._forget_fragments(offset, end)
        if of_address:
            self.address_bytes.update(range(offset, end))
        elif self.address_bytes:
            self.address_bytes.difference_update(range(offset, end))

    def write_pointer(self, offset: int, pointer: Pointer) -> None:
        self.write_integer(offset, POINTER_SIZE, pointer.address, True)
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

    def copy_from(self, source: Allocation, start: int, offset: int, size: int) -> None:
        """Copy `size` bytes from `source` at `start` to `offset`: values, gaps and provenance."""
        end = offset + size
        shift = offset - start
        fragments = {}
        if source.fragments:
            for at in range(start, start + size):
                fragment = source.fragments.get(at)
                if fragment is not None:
                    fragments[at + shift] = fragment
        address_bytes = {at + shift for at in source.address_bytes if start <= at < start + size}
        self.bytes[offset:end] = source.bytes[start : start + size]
        self.initialised[offset:end] = source.initialised[start : start + size]
        if self.fragments:
            self._forget_fragments(offset, end)
        self.fragments.update(fragments)
        if self.address_bytes:
            self.address_bytes.difference_update(range(offset, end))
        self.address_bytes |= address_bytes

    def _forget_fragments(self, start: int, end: int) -> None:
        for offset in range(start, end):
            self.fragments.pop(offset, None)


class Memory:
    """All allocations of one run."""

    __slots__ = ("_bases", "allocations")

    def __init__(self) -> None:
        self.allocations: list[Allocation] = []
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
