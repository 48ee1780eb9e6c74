"""A block of memory after Miri's allocations: bytes, which of them are initialised, and pointers.

Source: “There is no global linear heap”: each allocation has its own bytes, an initialisation
mask, and relocations, by which some bytes are a pointer to another one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from harness.outcome import FaultKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.target import ByteOrder

POINTER_BYTES = 8
"""Bytes that a pointer takes."""


class Fault(StrEnum):
    """What a program may do wrong with a pointer."""

    OUT_OF_BOUNDS = "out-of-bounds"
    MISALIGNED = "misaligned"
    UNINITIALISED = "uninitialised"
    DANGLING = "dangling"
    FREED_TWICE = "freed-twice"
    INVALID_FREE = "invalid-free"
    NULL = "null"
    NO_POINTER = "no-pointer"
    POINTER_ARITHMETIC = "pointer-arithmetic"

    @property
    def kind(self) -> FaultKind:
        """The kind of undefined behaviour that it is in Rust."""
        return _KINDS[self]

    @property
    def sentence(self) -> str:
        return _SENTENCES[self]


_KINDS = {
    Fault.OUT_OF_BOUNDS: FaultKind.OUT_OF_BOUNDS,
    Fault.MISALIGNED: FaultKind.MISALIGNED,
    Fault.UNINITIALISED: FaultKind.UNINITIALISED,
    Fault.DANGLING: FaultKind.DANGLING,
    Fault.FREED_TWICE: FaultKind.DANGLING,
    Fault.INVALID_FREE: FaultKind.DEALLOCATION,
    Fault.NULL: FaultKind.NULL,
    Fault.NO_POINTER: FaultKind.NO_PROVENANCE,
    Fault.POINTER_ARITHMETIC: FaultKind.OUT_OF_BOUNDS,
}
_SENTENCES = {
    Fault.OUT_OF_BOUNDS: "the bytes lie beyond the block",
    Fault.MISALIGNED: "the address is no multiple of the width",
    Fault.UNINITIALISED: "bytes are read that nobody has written",
    Fault.DANGLING: "the block has been given back",
    Fault.FREED_TWICE: "the block has been given back before",
    Fault.INVALID_FREE: "what is given back is not the beginning of a block",
    Fault.NULL: "the pointer is null",
    Fault.NO_POINTER: "the bytes that were read as a pointer are none",
    Fault.POINTER_ARITHMETIC: "the pointer leaves its block",
}


class Undefined(Exception):
    """The program is wrong in a way that a VM over raw memory does not look for."""

    def __init__(self, fault: Fault, operand: str) -> None:
        super().__init__(fault)
        self.fault = fault
        self.operand = operand


class Undetermined(Exception):
    """The program asks for an address: what it comes to is no constant."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pointer:
    """A place in a block, or a mere address where there is none; 0 is null.

    offset: from the block's beginning, or the address; None for one that nobody knows.
    """

    block: Block | None
    offset: int | None

    @property
    def is_null(self) -> bool:
        return self.block is None and self.offset == 0

    def checked(self, size: int, operand: str, align: int = 1) -> tuple[Block, int]:
        """The block and the offset of `size` bytes that are to be accessed. Raises: Undefined."""
        block = self.within(operand)
        assert self.offset is not None, "it is unknown only where there is no block"
        if not 0 <= self.offset <= len(block.data) - size:
            raise Undefined(Fault.OUT_OF_BOUNDS, operand)
        if self.offset % align:
            raise Undefined(Fault.MISALIGNED, operand)
        return block, self.offset

    def within(self, operand: str) -> Block:
        """The block, which is there. Raises: Undefined."""
        if self.block is None:
            raise Undefined(Fault.NULL if self.is_null else Fault.NO_POINTER, operand)
        if not self.block.is_live:
            raise Undefined(Fault.DANGLING, operand)
        return self.block


NULL = Pointer(block=None, offset=0)


@dataclass(slots=True, kw_only=True, eq=False)
class Block:
    """data: the bytes, zero where they are part of a pointer or uninitialised.

    initialised: one byte for each, 1 or 0. pointers: by offset, of which pointer the byte there
    is a part, and which. byte_order: that of a value. is_memory: it is the program's own memory,
    which it may not give back.
    """

    data: bytearray
    initialised: bytearray
    pointers: dict[int, tuple[Pointer, int]] = field(default_factory=dict)
    byte_order: ByteOrder = "little"
    is_memory: bool = False
    is_live: bool = True

    @staticmethod
    def of(memory: bytes, byte_order: ByteOrder = "little") -> Block:
        """The program's own memory."""
        known = bytearray(b"\1") * len(memory)
        data = bytearray(memory)
        return Block(data=data, initialised=known, byte_order=byte_order, is_memory=True)

    @staticmethod
    def uninitialised(size: int, byte_order: ByteOrder = "little") -> Block:
        return Block(data=bytearray(size), initialised=bytearray(size), byte_order=byte_order)

    def load(self, at: int, width: int) -> int:
        """The number at an offset. Raises: Undetermined, where a pointer's bytes are in it."""
        if self.pointers and any(each in self.pointers for each in range(at, at + width)):
            raise Undetermined
        return int.from_bytes(self.data[at : at + width], self.byte_order)

    def store(self, at: int, width: int, value: int) -> None:
        self._write(at, value.to_bytes(width, self.byte_order))

    def load_pointer(self, at: int) -> Pointer:
        """The pointer that lies at an offset, or an address if none does."""
        parts = list(self._parts(at))
        first = parts[0]
        if first is not None and parts == [(first[0], index) for index in range(POINTER_BYTES)]:
            return first[0]
        if any(part is not None for part in parts):
            return Pointer(block=None, offset=None)
        return Pointer(block=None, offset=self.load(at, POINTER_BYTES))

    def store_pointer(self, at: int, pointer: Pointer) -> None:
        if pointer.block is None and pointer.offset is not None:
            self.store(at, POINTER_BYTES, pointer.offset)
            return
        self._write(at, bytes(POINTER_BYTES))
        for index in range(POINTER_BYTES):
            self.pointers[at + index] = (pointer, index)

    def check_initialised(self, at: int, size: int, operand: str) -> None:
        """Raises: Undefined."""
        if 0 in self.initialised[at : at + size]:
            raise Undefined(Fault.UNINITIALISED, operand)

    def move(self, source: int, target: int, size: int) -> None:
        """Copy bytes, whatever they are; the ranges may overlap."""
        parts = {}
        if self.pointers:
            parts = {
                target + each: self.pointers[source + each]
                for each in range(size)
                if source + each in self.pointers
            }
        self._write(target, bytes(self.data[source : source + size]))
        self.pointers |= parts

    def fill(self, at: int, size: int, byte: int) -> None:
        self._write(at, bytes((byte,)) * size)

    def grown(self, more: int) -> Block:
        """What the program's own memory moves to; this one is given back."""
        self.is_live = False
        return Block(
            data=self.data + bytes(more),
            initialised=self.initialised + b"\1" * more,
            pointers=self.pointers,
            byte_order=self.byte_order,
            is_memory=True,
        )

    def _write(self, at: int, data: bytes) -> None:
        end = at + len(data)
        self.data[at:end] = data
        self.initialised[at:end] = b"\1" * len(data)
        if self.pointers:
            for each in range(at, end):
                self.pointers.pop(each, None)

    def _parts(self, at: int) -> Iterator[tuple[Pointer, int] | None]:
        return (self.pointers.get(at + index) for index in range(POINTER_BYTES))
