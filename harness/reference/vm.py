"""The reference VM: what a bytecode program means, in Python and on bytes alone.

It knows no pointers, no variants and no Rust, and shares nothing with the lowering, so
that a mistake there shows as a difference.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, assert_never

from harness.bytecode.program import (
    AT_OP,
    AT_RES,
    Assert,
    Binary,
    Branch,
    Copy,
    Fill,
    Halt,
    Jump,
    Load,
    Program,
    Store,
    Unary,
    Width,
    WriteConst,
)
from harness.outcome import Location, Ran, TrapKind, Trapped
from harness.reference.arithmetic import Undivided, binary, unary

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """What a copy or a fill did. backwards: from the last byte on, as overlapping needs it."""

    size: int
    backwards: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """path: the instructions that were begun, by their index, in order.

    blocks: by position in the path, what the copies and fills did that did not trap.
    """

    path: tuple[int, ...]
    outcome: Ran | Trapped
    blocks: Mapping[int, Block] = field(default_factory=dict)


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
    blocks: dict[int, Block] = {}
    at = 0
    while at < len(program.instructions):
        if len(path) == program.step_limit:
            trapped = _Stop(TrapKind.STEP_LIMIT, "step")
            outcome = _trapped(trapped, at, memory, len(path))
            return Trace(path=tuple(path), outcome=outcome, blocks=blocks)
        path.append(at)
        try:
            instruction = program.instructions[at]
            if isinstance(instruction, Copy | Fill):
                blocks[len(path) - 1] = _move(instruction, memory)
                at += 1
            else:
                at = _execute(program, at, memory)
        except _Stop as stop:
            outcome = _trapped(stop, at, memory, len(path) - 1)
            return Trace(path=tuple(path), outcome=outcome, blocks=blocks)
    ran = Ran(memory=bytes(memory), steps=len(path))
    return Trace(path=tuple(path), outcome=ran, blocks=blocks)


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
            kind = _trap(operand.addr, operand.width, len(program.memory))
            if kind is not None:
                location = Location(instruction=index, operand=operand.name)
                yield Trapped(kind=kind, location=location, memory=program.memory, steps=0)


def _trap(addr: int, width: Width, size: int) -> TrapKind | None:
    """Why there is no value at `addr` in a memory of `size` bytes; None if there is one.

    Being out of bounds comes before being misaligned. The memory's base is aligned to
    every width, so that an address is aligned if its offset is.
    """
    if addr + width > size:
        return TrapKind.OUT_OF_BOUNDS
    if addr % width != 0:
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
        case Load(width=width, addr_op=addr_op, addr_res=addr_res):
            address = _found(memory, addr_op, width, AT_OP)
            _store(memory, addr_res, width, _load(memory, address, width))
        case Store(width=width, addr_op=addr_op, addr_res=addr_res):
            value = _load(memory, addr_op, width)
            _store(memory, _found(memory, addr_res, width, AT_RES), width, value)
        case Copy() | Fill():
            raise AssertionError("a block is moved, and the trace says how")
        case Halt():
            following = len(program.instructions)
        case _:
            assert_never(instruction)
    return following


def _found(memory: bytearray, addr: int, width: Width, operand: str) -> int:
    """The address that lies at `addr`, of a value that is there. Raises: _Stop."""
    address = _load(memory, addr, Width.U64)
    kind = _trap(address, width, len(memory))
    if kind is not None:
        raise _Stop(kind, operand)
    return address


def _move(instruction: Copy | Fill, memory: bytearray) -> Block:
    """Do what a copy or a fill says. Nothing is wrong with no bytes. Raises: _Stop."""
    match instruction:
        case Copy(addr_op=addr_op):
            source = _load(memory, addr_op, Width.U64)
        case Fill(addr_op=addr_op):
            byte = _load(memory, addr_op, Width.U8)
    size = _load(memory, instruction.addr_size, Width.U64)
    target = _load(memory, instruction.addr_res, Width.U64)
    if size == 0:
        return Block(size=0)
    if isinstance(instruction, Copy) and source + size > len(memory):
        raise _Stop(TrapKind.OUT_OF_BOUNDS, AT_OP)
    if target + size > len(memory):
        raise _Stop(TrapKind.OUT_OF_BOUNDS, AT_RES)
    if isinstance(instruction, Fill):
        memory[target : target + size] = bytes((byte,)) * size
        return Block(size=size)
    if not instruction.overlapping and abs(source - target) < size:
        raise _Stop(TrapKind.OVERLAP, AT_RES)
    memory[target : target + size] = memory[source : source + size]
    return Block(size=size, backwards=instruction.overlapping and source < target)


def _load(memory: bytearray, addr: int, width: Width) -> int:
    return int.from_bytes(memory[addr : addr + width], "little")


def _store(memory: bytearray, addr: int, width: Width, value: int) -> None:
    memory[addr : addr + width] = value.to_bytes(width, "little")
