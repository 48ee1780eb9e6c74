"""Instructions about pointers: blocks that are allocated, and calls, whose frames are such blocks.

A program holds pointers in registers, which are no part of any memory, and can store them in
whatever a pointer points to. What is done through a wrong pointer is undefined: the reference VM
says what is wrong, a VM over raw memory does not look.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from harness.bytecode.operands import (
    AT_OP,
    AT_RES,
    Touch,
    Touching,
    Width,
    check_range,
    reads,
    writes,
)

BLOCK_LIMIT = 1 << 16
"""Bytes of the largest block; a frame with its argument is one."""

ARGUMENT = 8
"""Bytes at the beginning of a frame that hold the call's argument, a `u64`."""

FRAME_LIMIT = BLOCK_LIMIT - ARGUMENT
"""Bytes that a frame may have behind its argument."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Allocate(Touching):
    """Allocate as many bytes as the `u64` at `addr_size` says; `ptr_res` points to them.

    They are uninitialised. It is null instead for no bytes, and for more than `BLOCK_LIMIT`.
    """

    touches: ClassVar[tuple[Touch, ...]] = (reads("addr_size", Width.U64),)
    registers: ClassVar[tuple[str, ...]] = ("ptr_res",)
    addr_size: int
    ptr_res: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Free(Touching):
    """Give the block at `ptr_op` back; nothing, if that is null."""

    registers: ClassVar[tuple[str, ...]] = ("ptr_op",)
    ptr_op: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Offset(Touching):
    """`ptr_res` is `ptr_op` moved by as many bytes as the signed `u64` at `addr_op` says."""

    touches: ClassVar[tuple[Touch, ...]] = (reads("addr_op", Width.U64),)
    registers: ClassVar[tuple[str, ...]] = ("ptr_op", "ptr_res")
    ptr_op: int
    addr_op: int
    ptr_res: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MovePointer(Touching):
    """`ptr_res` is `ptr_op`."""

    registers: ClassVar[tuple[str, ...]] = ("ptr_op", "ptr_res")
    ptr_op: int
    ptr_res: int


@dataclass(frozen=True, slots=True, kw_only=True)
class IsNull(Touching):
    """Store 1 at `addr_res`, a `u8`, if `ptr_op` is null, else 0."""

    touches: ClassVar[tuple[Touch, ...]] = (writes("addr_res", Width.U8),)
    registers: ClassVar[tuple[str, ...]] = ("ptr_op",)
    ptr_op: int
    addr_res: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadPointer(Touching):
    """`ptr_res` is the pointer that lies where `ptr_op` points to, at any alignment."""

    registers: ClassVar[tuple[str, ...]] = ("ptr_op", "ptr_res")
    computes: ClassVar[tuple[str, ...]] = (AT_OP,)
    ptr_op: int
    ptr_res: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WritePointer(Touching):
    """Store the pointer `ptr_op` where `ptr_res` points to, at any alignment."""

    registers: ClassVar[tuple[str, ...]] = ("ptr_op", "ptr_res")
    computes: ClassVar[tuple[str, ...]] = (AT_RES,)
    ptr_op: int
    ptr_res: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Point(Touching):
    """`ptr_res` points into the memory, to the byte at the address at `addr_op`."""

    touches: ClassVar[tuple[Touch, ...]] = (reads("addr_op", Width.U64),)
    registers: ClassVar[tuple[str, ...]] = ("ptr_res",)
    computes: ClassVar[tuple[str, ...]] = (AT_OP,)
    addr_op: int
    ptr_res: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Call(Touching):
    """Go on at `target`, with a frame to which `ptr_res` points until the `Return` from there.

    The frame is a block: the `u64` at `addr_op`, and after it `size` uninitialised bytes.

    Raises: ValueError, also for a frame larger than `BLOCK_LIMIT`.
    """

    touches: ClassVar[tuple[Touch, ...]] = (reads("addr_op", Width.U64),)
    registers: ClassVar[tuple[str, ...]] = ("ptr_res",)
    targets: ClassVar[tuple[str, ...]] = ("target",)
    addr_op: int
    size: int
    ptr_res: int
    target: int

    def __post_init__(self) -> None:
        super(Call, self).__post_init__()
        check_range("size", self.size, FRAME_LIMIT + 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Read(Touching):
    """Store the value to which `ptr_op` points at `addr_res`."""

    touches: ClassVar[tuple[Touch, ...]] = (writes("addr_res"),)
    registers: ClassVar[tuple[str, ...]] = ("ptr_op",)
    computes: ClassVar[tuple[str, ...]] = (AT_OP,)
    width: Width
    ptr_op: int
    addr_res: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Write(Touching):
    """Store the value at `addr_op` where `ptr_res` points to."""

    touches: ClassVar[tuple[Touch, ...]] = (reads("addr_op"),)
    registers: ClassVar[tuple[str, ...]] = ("ptr_res",)
    computes: ClassVar[tuple[str, ...]] = (AT_RES,)
    width: Width
    addr_op: int
    ptr_res: int


OffCalls = (
    Allocate
    | Free
    | Offset
    | MovePointer
    | IsNull
    | ReadPointer
    | WritePointer
    | Point
    | Read
    | Write
)
OnPointers = OffCalls | Call
