"""The reference VM: what a bytecode program means, in Python and on bytes alone.

It knows no pointers, no variants and no Rust, and shares nothing with the lowering, so
that a mistake there shows as a difference.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, assert_never

from harness.bytecode.program import (
    Assert,
    Binary,
    Branch,
    Halt,
    Jump,
    Operand,
    Program,
    Unary,
    Width,
    WriteConst,
)
from harness.outcome import Location, Ran, TrapKind, Trapped
from harness.reference.arithmetic import Undivided, binary, unary

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """path: the instructions that were begun, by their index, in order."""

    path: tuple[int, ...]
    outcome: Ran | Trapped


def run(program: Program) -> Ran | Trapped:
    """What `program` does, first compiled and then run, as the thread's VM does it.

    Compiling checks every operand of every instruction; if one fails, no instruction runs.
    """
    return trace(program).outcome


def trace(program: Program) -> Trace:
    """As `run`, with the way that the program took."""
    for trap in _traps(program):
        return Trace(path=(), outcome=trap)
    memory = bytearray(program.memory)
    path: list[int] = []
    at = 0
    while at < len(program.instructions):
        if len(path) == program.step_limit:
            trapped = _Stop(TrapKind.STEP_LIMIT, "step")
            return Trace(path=tuple(path), outcome=_trapped(trapped, at, memory, len(path)))
        path.append(at)
        try:
            at = _execute(program, at, memory)
        except _Stop as stop:
            return Trace(path=tuple(path), outcome=_trapped(stop, at, memory, len(path) - 1))
    return Trace(path=tuple(path), outcome=Ran(memory=bytes(memory), steps=len(path)))


class _Stop(Exception):
    """A trap in running. operand: its name."""

    def __init__(self, kind: TrapKind, operand: str) -> None:
        super().__init__(kind)
        self.kind = kind
        self.operand = operand


def _trapped(stop: _Stop, at: int, memory: bytearray, steps: int) -> Trapped:
    location = Location(instruction=at, operand=stop.operand)
    return Trapped(kind=stop.kind, location=location, memory=bytes(memory), steps=steps)


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


def _execute(program: Program, at: int, memory: bytearray) -> int:
    """Do what the instruction with the index `at` says; returns the next one's.

    Raises: _Stop, before any change.
    """
    following = at + 1
    match instruction := program.instructions[at]:
        case WriteConst(width=width, addr=addr, value=value):
            _store(memory, addr, width, value)
        case Unary(operator=move, width=width, addr_op=addr_op, addr_res=addr_res):
            _store(memory, addr_res, width, unary(move, _load(memory, addr_op, width), width))
        case Binary(operator=operator, width=width, addr_res=addr_res):
            left = _load(memory, instruction.addr_op1, width)
            right = _load(memory, instruction.addr_op2, width)
            try:
                _store(memory, addr_res, width, binary(operator, left, right, width))
            except Undivided as undivided:
                raise _Stop(undivided.kind, undivided.operand) from None
        case Jump(target=target):
            following = target
        case Branch(width=width, addr=addr, target=target, on_zero=on_zero):
            if (_load(memory, addr, width) == 0) is on_zero:
                following = target
        case Assert(width=width, addr=addr):
            if _load(memory, addr, width) == 0:
                raise _Stop(TrapKind.ASSERTION_FAILED, "addr")
        case Halt():
            following = len(program.instructions)
        case _:
            assert_never(instruction)
    return following


def _load(memory: bytearray, addr: int, width: Width) -> int:
    return int.from_bytes(memory[addr : addr + width], "little")


def _store(memory: bytearray, addr: int, width: Width, value: int) -> None:
    memory[addr : addr + width] = value.to_bytes(width, "little")
