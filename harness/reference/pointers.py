"""What the instructions on pointers do, but for calls, which are the run's own."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from harness.bytecode.operands import AT_OP, AT_RES, Width
from harness.bytecode.pointers import (
    BLOCK_LIMIT,
    Allocate,
    Free,
    IsNull,
    MovePointer,
    OffCalls,
    Offset,
    Point,
    Read,
    ReadPointer,
    Write,
    WritePointer,
)
from harness.outcome import TrapKind
from harness.reference.block import NULL, POINTER_BYTES, Block, Fault, Pointer, Undefined
from harness.reference.stop import Stop, found

if TYPE_CHECKING:
    from collections.abc import Callable


def execute(
    instruction: OffCalls,
    memory: Block,
    registers: list[Pointer],
    note: Callable[[int], None],
) -> None:
    """Do what the instruction says.

    note: is told how many bytes it allocates, moves a pointer by, or gives back, before it does.

    Raises: Stop, Undefined, Undetermined.
    """
    match instruction:
        case Allocate(addr_size=addr_size, ptr_res=ptr_res):
            size = memory.load(addr_size, Width.U64)
            if size > BLOCK_LIMIT:
                size = 0
            note(size)
            block = Block.uninitialised(size, memory.byte_order)
            registers[ptr_res] = Pointer(block=block, offset=0) if size else NULL
        case Free(ptr_op=ptr_op):
            _free(registers[ptr_op], note)
        case Offset(ptr_op=ptr_op, addr_op=addr_op, ptr_res=ptr_res):
            distance = _signed(memory.load(addr_op, Width.U64))
            note(distance)
            registers[ptr_res] = _moved(registers[ptr_op], distance)
        case MovePointer(ptr_op=ptr_op, ptr_res=ptr_res):
            registers[ptr_res] = registers[ptr_op]
        case IsNull(ptr_op=ptr_op, addr_res=addr_res):
            memory.store(addr_res, Width.U8, int(registers[ptr_op].is_null))
        case ReadPointer(ptr_op=ptr_op, ptr_res=ptr_res):
            block, at = registers[ptr_op].checked(POINTER_BYTES, AT_OP)
            block.check_initialised(at, POINTER_BYTES, AT_OP)
            registers[ptr_res] = block.load_pointer(at)
        case WritePointer(ptr_op=ptr_op, ptr_res=ptr_res):
            block, at = registers[ptr_res].checked(POINTER_BYTES, AT_RES)
            block.store_pointer(at, registers[ptr_op])
        case Point(addr_op=addr_op, ptr_res=ptr_res):
            address = found(memory, addr_op, Width.U8, AT_OP)
            registers[ptr_res] = Pointer(block=memory, offset=address)
        case Read(width=width, ptr_op=ptr_op, addr_res=addr_res):
            block, at = registers[ptr_op].checked(width, AT_OP, align=width)
            block.check_initialised(at, width, AT_OP)
            memory.store(addr_res, width, block.load(at, width))
        case Write(width=width, addr_op=addr_op, ptr_res=ptr_res):
            value = memory.load(addr_op, width)
            block, at = registers[ptr_res].checked(width, AT_RES, align=width)
            block.store(at, width, value)
        case _:
            assert_never(instruction)


def give_back(block: Block, operand: str) -> None:
    """End a block's life. Raises: Undefined."""
    if not block.is_live:
        raise Undefined(Fault.FREED_TWICE, operand)
    block.is_live = False


def _free(pointer: Pointer, note: Callable[[int], None]) -> None:
    block = pointer.block
    if block is None:
        note(0 if pointer.is_null else 1)
        if not pointer.is_null:
            raise Undefined(Fault.NO_POINTER, "ptr_op")
        return
    if block.is_memory and block.is_live:
        raise Stop(TrapKind.FOREIGN_FREE, "ptr_op")
    note(len(block.data))
    if pointer.offset != 0:
        raise Undefined(Fault.INVALID_FREE, "ptr_op")
    give_back(block, "ptr_op")


def _signed(number: int) -> int:
    return number - Width.U64.limit if number >= Width.U64.limit // 2 else number


def _moved(pointer: Pointer, distance: int) -> Pointer:
    """The pointer within its block or right behind it; by no bytes any pointer may be moved."""
    if distance == 0:
        return pointer
    block = pointer.within("ptr_op")
    assert pointer.offset is not None, "it is unknown only where there is no block"
    moved = pointer.offset + distance
    if not 0 <= moved <= len(block.data):
        raise Undefined(Fault.POINTER_ARITHMETIC, "ptr_op")
    return Pointer(block=block, offset=moved)
