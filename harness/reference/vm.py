"""The reference VM: what a bytecode program means, in Python and on bytes alone.

It knows no pointers, no variants and no Rust, and shares nothing with the lowering, so
that a mistake there shows as a difference.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from harness.bytecode.program import Binary, Instruction, Operand, Program, Unary, Width, WriteConst
from harness.outcome import Location, Ran, TrapKind, Trapped
from harness.reference.arithmetic import Undivided, binary, unary

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
    for index, instruction in enumerate(program.instructions):
        try:
            _execute(instruction, memory)
        except Undivided as undivided:
            location = Location(instruction=index, operand=undivided.operand)
            return Trapped(
                kind=undivided.kind, location=location, memory=bytes(memory), steps=steps
            )
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
    """Change `memory` as `instruction` says. Raises: Undivided, before any change."""
    match instruction:
        case WriteConst(width=width, addr=addr, value=value):
            _store(memory, addr, width, value)
        case Unary(operator=move, width=width, addr_op=addr_op, addr_res=addr_res):
            _store(memory, addr_res, width, unary(move, _load(memory, addr_op, width), width))
        case Binary(operator=operator, width=width, addr_res=addr_res):
            left = _load(memory, instruction.addr_op1, width)
            right = _load(memory, instruction.addr_op2, width)
            _store(memory, addr_res, width, binary(operator, left, right, width))
        case _:
            assert_never(instruction)


def _load(memory: bytearray, addr: int, width: Width) -> int:
    return int.from_bytes(memory[addr : addr + width], "little")


def _store(memory: bytearray, addr: int, width: Width, value: int) -> None:
    memory[addr : addr + width] = value.to_bytes(width, "little")
