"""The reference VM: what a bytecode program means, in Python and on bytes alone.

It knows no pointers, no variants and no Rust, and shares nothing with the lowering, so
that a mistake there shows as a difference.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from harness.bytecode.program import Add, Instruction, Operand, Program, Width, WriteConst
from harness.outcome import Location, Ran, TrapKind, Trapped

if TYPE_CHECKING:
    from collections.abc import Iterator


def run(program: Program) -> Ran | Trapped:
    """What `program` does, first compiled and then run, as the thread's VM does it.

    Compiling checks every operand of every instruction; if one fails, no instruction runs.
    """
    for trap in _traps(program):
        return trap
    memory = bytearray(program.memory)
    steps = 0
    for instruction in program.instructions:
        _execute(instruction, memory)
        steps += 1
    return Ran(memory=bytes(memory), steps=steps)


def _traps(program: Program) -> Iterator[Trapped]:
    """Every operand that does not compile, in the order in which they are compiled."""
    for index, instruction in enumerate(program.instructions):
        for operand in instruction.operands():
            kind = _trap(operand, len(program.memory))
            if kind is not None:
                location = Location(instruction=index, operand=operand.name)
                yield Trapped(kind=kind, location=location, memory=program.memory, steps=0)


def _trap(operand: Operand, size: int) -> TrapKind | None:
    """Why `operand` does not compile in a memory of `size` bytes; None if it does.

    Being out of bounds comes before being misaligned. The memory's base is aligned to
    every width, so that an address is aligned if its offset is.
    """
    if operand.addr + operand.width > size:
        return TrapKind.OUT_OF_BOUNDS
    if operand.addr % operand.width != 0:
        return TrapKind.MISALIGNED
    return None


def _execute(instruction: Instruction, memory: bytearray) -> None:
    """Change `memory` as `instruction` says."""
    match instruction:
        case WriteConst(width=width, addr=addr, value=value):
            _store(memory, addr, width, value)
        case Add(width=width, addr_op1=addr_op1, addr_op2=addr_op2, addr_res=addr_res):
            total = _load(memory, addr_op1, width) + _load(memory, addr_op2, width)
            _store(memory, addr_res, width, total % width.limit)
        case _:
            assert_never(instruction)


def _load(memory: bytearray, addr: int, width: Width) -> int:
    return int.from_bytes(memory[addr : addr + width], "little")


def _store(memory: bytearray, addr: int, width: Width, value: int) -> None:
    memory[addr : addr + width] = value.to_bytes(width, "little")
