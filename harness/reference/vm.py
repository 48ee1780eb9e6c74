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
    CALL_DEPTH_LIMIT,
    GROWTH_LIMIT,
    Assert,
    Binary,
    Branch,
    Copy,
    Fill,
    Grow,
    Halt,
    HostEnter,
    HostRead,
    HostSteps,
    HostWrite,
    Jump,
    Load,
    Program,
    Return,
    Store,
    Unary,
    Width,
    WriteConst,
)
from harness.outcome import Location, Ran, TrapKind, Trapped
from harness.reference.arithmetic import Undivided, binary, unary
from harness.target import STATED

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from harness.target import ByteOrder, Layout


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """What a copy or a fill did. backwards: from the last byte on, as overlapping needs it."""

    size: int
    backwards: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """path: the instructions that were begun, by their index, in order.

    blocks: by position in the path, what the copies and fills did that did not trap.
    sizes: by position, how large the memory was once it was to grow there, if it could.
    """

    path: tuple[int, ...]
    outcome: Ran | Trapped
    blocks: Mapping[int, Block] = field(default_factory=dict)
    sizes: Mapping[int, int] = field(default_factory=dict)


def run(program: Program, layout: Layout = STATED) -> Ran | Trapped:
    """What `program` does, first compiled and then run, as the thread's VM does it.

    Compiling checks every operand of every instruction; if one fails, no instruction runs.
    layout: of the values in its memory. An address is a `u64` in all of them.
    """
    return trace(program, layout).outcome


def trace(program: Program, layout: Layout = STATED) -> Trace:
    """As `run`, with the way that the program took."""
    for trap in _traps(program):
        return Trace(path=(), outcome=trap)
    run = _Run(program=program, memory=_Memory(program.memory, layout.byte_order))
    outcome = run.outcome()
    return Trace(path=tuple(run.path), outcome=outcome, blocks=run.blocks, sizes=run.sizes)


class _Memory(bytearray):
    """The memory's bytes, and the order in which a value has its own."""

    def __init__(self, initial: bytes, byte_order: ByteOrder) -> None:
        super().__init__(initial)
        self.byte_order = byte_order


@dataclass(slots=True, kw_only=True)
class _Run:
    """A run of a program that compiles.

    entries: the instructions by which the host has entered, innermost last; addresses: of the
    bytes that it is to read then. blocks, sizes: as in `Trace`.
    """

    program: Program
    memory: _Memory
    path: list[int] = field(default_factory=list)
    entries: list[int] = field(default_factory=list)
    addresses: list[int] = field(default_factory=list)
    blocks: dict[int, Block] = field(default_factory=dict)
    sizes: dict[int, int] = field(default_factory=dict)

    def outcome(self) -> Ran | Trapped:
        at = 0
        while at < len(self.program.instructions):
            if len(self.path) == self.program.step_limit:
                return self._trapped(_Stop(TrapKind.STEP_LIMIT, "step"), at, len(self.path))
            self.path.append(at)
            try:
                at = self._step(at)
            except _Stop as stop:
                return self._trapped(stop, at, len(self.path) - 1)
        return Ran(memory=bytes(self.memory), steps=len(self.path))

    def _trapped(self, stop: _Stop, at: int, steps: int) -> Trapped:
        location = Location(instruction=at, operand=stop.operand)
        memory = bytes(self.memory)
        return Trapped(kind=stop.kind, location=location, memory=memory, steps=steps)

    def _step(self, at: int) -> int:
        """Do what the instruction with the index `at` says; the next one's. Raises: _Stop."""
        memory, position = self.memory, len(self.path) - 1
        match instruction := self.program.instructions[at]:
            case Copy() | Fill():
                self.blocks[position] = _move(instruction, memory)
            case Grow(addr_op=addr_op, addr_res=addr_res):
                size, more = len(memory), _load(memory, addr_op, Width.U64)
                grows = more == 0 or size + more <= GROWTH_LIMIT
                if grows:
                    memory += bytes(more)
                    self.sizes[position] = size + more
                result = size if grows else Width.U64.limit - 1
                _store(memory, addr_res, Width.U64, result)
            case HostSteps(addr_res=addr_res):
                _store(memory, addr_res, Width.U64, position + 1)
            case HostEnter(addr_op=addr_op, target=target):
                _found(memory, addr_op, Width.U8, AT_OP)
                if len(self.entries) == CALL_DEPTH_LIMIT:
                    raise _Stop(TrapKind.CALL_DEPTH, "target")
                self.entries.append(at)
                self.addresses.append(_load(memory, addr_op, Width.U64))
                return target
            case Return():
                if not self.entries:
                    return len(self.program.instructions)
                return self._leave()
            case _:
                return _execute(self.program, at, memory)
        return at + 1

    def _leave(self) -> int:
        """The VM is left: the host reads a byte, and the instruction that called it ends."""
        at = self.entries.pop()
        entry = self.program.instructions[at]
        assert isinstance(entry, HostEnter), "only these enter"
        byte = _load(self.memory, self.addresses.pop(), Width.U8)
        _store(self.memory, entry.addr_res, Width.U8, byte)
        return at + 1


class _Stop(Exception):
    """A trap in running. operand: its name."""

    def __init__(self, kind: TrapKind, operand: str) -> None:
        super().__init__(kind)
        self.kind = kind
        self.operand = operand


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


def _execute(program: Program, at: int, memory: _Memory) -> int:
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
        case HostRead(addr_op=addr_op, addr_res=addr_res):
            address = _found(memory, addr_op, Width.U8, AT_OP)
            _store(memory, addr_res, Width.U8, _load(memory, address, Width.U8))
        case HostWrite(addr_op=addr_op, addr_res=addr_res):
            value = _load(memory, addr_op, Width.U8)
            _store(memory, _found(memory, addr_res, Width.U8, AT_RES), Width.U8, value)
        case Copy() | Fill() | Grow() | HostSteps() | HostEnter() | Return():
            raise AssertionError("only the run as a whole can do that")
        case Halt():
            following = len(program.instructions)
        case _:
            assert_never(instruction)
    return following


def _found(memory: _Memory, addr: int, width: Width, operand: str) -> int:
    """The address that lies at `addr`, of a value that is there. Raises: _Stop."""
    address = _load(memory, addr, Width.U64)
    kind = _trap(address, width, len(memory))
    if kind is not None:
        raise _Stop(kind, operand)
    return address


def _move(instruction: Copy | Fill, memory: _Memory) -> Block:
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


def _load(memory: _Memory, addr: int, width: Width) -> int:
    return int.from_bytes(memory[addr : addr + width], memory.byte_order)


def _store(memory: _Memory, addr: int, width: Width, value: int) -> None:
    memory[addr : addr + width] = value.to_bytes(width, memory.byte_order)
