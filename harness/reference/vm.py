"""The reference VM: what a bytecode program means, in Python.

It knows no variants and no Rust, and shares nothing with the lowering, so that a mistake
there shows as a difference. Its memory is made of blocks (`block.py`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, assert_never

from harness.bytecode.operands import AT_OP, AT_RES, FRAME, REGISTERS, Width
from harness.bytecode.pointers import ARGUMENT, Call, OffCalls
from harness.bytecode.program import (
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
    WriteConst,
)
from harness.outcome import (
    DEPENDS_ON_ADDRESSES,
    Location,
    Meaning,
    Ran,
    TrapKind,
    Trapped,
    UndefinedBehaviour,
    Unsupported,
    UnsupportedKind,
)
from harness.reference.arithmetic import Undivided, binary, unary
from harness.reference.block import NULL, Block, Pointer, Undefined, Undetermined
from harness.reference.pointers import execute, give_back
from harness.reference.stop import Stop, found, trap_at
from harness.target import STATED

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from harness.target import Layout


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """What a copy or a fill did. backwards: from the last byte on, as overlapping needs it."""

    size: int
    backwards: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """path: the instructions that were begun, by their index, in order.

    blocks: by position in the path, what the copies and fills did that did not trap.
    sizes: by position, how large the memory was once it was to grow there, if it could.
    numbers: by position, how many bytes were to be allocated or given back, or a pointer moved by.
    """

    path: tuple[int, ...]
    outcome: Meaning
    blocks: Mapping[int, Moved] = field(default_factory=dict)
    sizes: Mapping[int, int] = field(default_factory=dict)
    numbers: Mapping[int, int] = field(default_factory=dict)


def run(program: Program, layout: Layout = STATED) -> Meaning:
    """What `program` does, first compiled and then run, as the thread's VM does it.

    Compiling checks every operand of every instruction; if one fails, no instruction runs.
    layout: of the values in its memory. An address is a `u64` in all of them.
    """
    return trace(program, layout).outcome


def trace(program: Program, layout: Layout = STATED) -> Trace:
    """As `run`, with the way that the program took."""
    for trap in _traps(program):
        return Trace(path=(), outcome=trap)
    run = _Run(program=program, memory=Block.of(program.memory, layout.byte_order))
    outcome = run.outcome()
    return Trace(
        path=tuple(run.path),
        outcome=outcome,
        blocks=run.blocks,
        sizes=run.sizes,
        numbers=run.numbers,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    """The host has entered. at: by which instruction. address: of the byte that it is to read."""

    at: int
    address: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Frame:
    """A call. block: its frame. before: what the frame's register held."""

    at: int
    block: Block
    register: int
    before: Pointer


@dataclass(slots=True, kw_only=True)
class _Run:
    """A run of a program that compiles.

    entered: what is not left yet, innermost last. blocks, sizes, numbers: as in `Trace`.
    """

    program: Program
    memory: Block
    path: list[int] = field(default_factory=list)
    entered: list[_Entry | _Frame] = field(default_factory=list)
    registers: list[Pointer] = field(default_factory=lambda: [NULL] * REGISTERS)
    blocks: dict[int, Moved] = field(default_factory=dict)
    sizes: dict[int, int] = field(default_factory=dict)
    numbers: dict[int, int] = field(default_factory=dict)

    def outcome(self) -> Meaning:
        at = 0
        while at < len(self.program.instructions):
            if len(self.path) == self.program.step_limit:
                return self._trapped(Stop(TrapKind.STEP_LIMIT, "step"), at, len(self.path))
            self.path.append(at)
            try:
                at = self._step(at)
            except Stop as stop:
                return self._trapped(stop, at, len(self.path) - 1)
            except Undefined as undefined:
                location = Location(instruction=at, operand=undefined.operand)
                fault = undefined.fault
                message = f"{fault}: {fault.sentence}"
                return UndefinedBehaviour(kind=fault.kind, message=message, location=location)
            except Undetermined:
                return _undetermined("a pointer's bytes are read as a number", at)
        if self.memory.pointers:
            return _undetermined("a pointer is left in the memory")
        return Ran(memory=bytes(self.memory.data), steps=len(self.path))

    def _trapped(self, stop: Stop, at: int, steps: int) -> Meaning:
        if self.memory.pointers:
            return _undetermined("a pointer is left in the memory")
        location = Location(instruction=at, operand=stop.operand)
        memory = bytes(self.memory.data)
        return Trapped(kind=stop.kind, location=location, memory=memory, steps=steps)

    def _step(self, at: int) -> int:
        """Do what the instruction with the index `at` says; the next one's.

        Raises: Stop, Undefined, Undetermined.
        """
        memory, position = self.memory, len(self.path) - 1
        instruction = self.program.instructions[at]
        if isinstance(instruction, OffCalls):
            note = partial(self.numbers.__setitem__, position)
            execute(instruction, memory, self.registers, note)
            return at + 1
        match instruction:
            case Copy() | Fill():
                self.blocks[position] = _move(instruction, memory)
            case Grow(addr_op=addr_op, addr_res=addr_res):
                size, more = len(memory.data), memory.load(addr_op, Width.U64)
                grows = more == 0 or size + more <= GROWTH_LIMIT
                if grows:
                    self.memory = memory = memory.grown(more) if more else memory
                    self.sizes[position] = size + more
                result = size if grows else Width.U64.limit - 1
                memory.store(addr_res, Width.U64, result)
            case HostSteps(addr_res=addr_res):
                memory.store(addr_res, Width.U64, position + 1)
            case HostEnter(addr_op=addr_op, target=target):
                address = found(memory, addr_op, Width.U8, AT_OP)
                self._check_depth()
                self.entered.append(_Entry(at=at, address=address))
                return target
            case Call():
                return self._call(instruction, at)
            case Return():
                return self._leave() if self.entered else len(self.program.instructions)
            case _:
                return _execute(instruction, at, len(self.program.instructions), memory)
        return at + 1

    def _check_depth(self) -> None:
        if len(self.entered) == CALL_DEPTH_LIMIT:
            raise Stop(TrapKind.CALL_DEPTH, "target")

    def _call(self, call: Call, at: int) -> int:
        argument = self.memory.load(call.addr_op, Width.U64)
        self._check_depth()
        block = Block.uninitialised(ARGUMENT + call.size, self.memory.byte_order)
        block.store(0, Width.U64, argument)
        before = self.registers[call.ptr_res]
        frame = _Frame(at=at, block=block, register=call.ptr_res, before=before)
        self.entered.append(frame)
        self.registers[call.ptr_res] = Pointer(block=block, offset=0)
        return call.target

    def _leave(self) -> int:
        """What was entered last is left: a call, or the VM; then the host reads a byte."""
        match self.entered.pop():
            case _Entry(at=at, address=address):
                entry = self.program.instructions[at]
                assert isinstance(entry, HostEnter), "only these enter"
                byte = self.memory.load(address, Width.U8)
                self.memory.store(entry.addr_res, Width.U8, byte)
            case _Frame(at=at, block=block, register=register, before=before):
                give_back(block, FRAME)
                self.registers[register] = before
        return at + 1


def _undetermined(why: str, at: int | None = None) -> Unsupported:
    message = f"{DEPENDS_ON_ADDRESSES}: {why}"
    location = Location(instruction=at)
    return Unsupported(kind=UnsupportedKind.OTHER, message=message, location=location)


def _traps(program: Program) -> Iterator[Trapped]:
    """Every operand that does not compile, in the order in which they are compiled."""
    for index, instruction in enumerate(program.instructions):
        for operand in instruction.operands():
            kind = trap_at(operand.addr, operand.width, len(program.memory))
            if kind is not None:
                location = Location(instruction=index, operand=operand.name)
                yield Trapped(kind=kind, location=location, memory=program.memory, steps=0)


def _execute(
    instruction: WriteConst
    | Unary
    | Binary
    | Jump
    | Branch
    | Assert
    | Load
    | Store
    | HostRead
    | HostWrite
    | Halt,
    at: int,
    count: int,
    memory: Block,
) -> int:
    """Do what the instruction with the index `at` of `count` says; returns the next one's.

    Raises: Stop, before any change.
    """
    following = at + 1
    match instruction:
        case WriteConst(width=width, addr=addr, value=value):
            memory.store(addr, width, value)
        case Unary(operator=move, width=width, addr_op=addr_op, addr_res=addr_res):
            memory.store(addr_res, width, unary(move, memory.load(addr_op, width), width))
        case Binary(operator=operator, width=width, addr_res=addr_res):
            left = memory.load(instruction.addr_op1, width)
            right = memory.load(instruction.addr_op2, width)
            try:
                memory.store(addr_res, width, binary(operator, left, right, width))
            except Undivided as undivided:
                raise Stop(undivided.kind, undivided.operand) from None
        case Jump(target=target):
            following = target
        case Branch(width=width, addr=addr, target=target, on_zero=on_zero):
            if (memory.load(addr, width) == 0) is on_zero:
                following = target
        case Assert(width=width, addr=addr):
            if memory.load(addr, width) == 0:
                raise Stop(TrapKind.ASSERTION_FAILED, "addr")
        case Load(width=width, addr_op=addr_op, addr_res=addr_res):
            address = found(memory, addr_op, width, AT_OP)
            memory.store(addr_res, width, memory.load(address, width))
        case Store(width=width, addr_op=addr_op, addr_res=addr_res):
            value = memory.load(addr_op, width)
            memory.store(found(memory, addr_res, width, AT_RES), width, value)
        case HostRead(addr_op=addr_op, addr_res=addr_res):
            address = found(memory, addr_op, Width.U8, AT_OP)
            memory.store(addr_res, Width.U8, memory.load(address, Width.U8))
        case HostWrite(addr_op=addr_op, addr_res=addr_res):
            value = memory.load(addr_op, Width.U8)
            memory.store(found(memory, addr_res, Width.U8, AT_RES), Width.U8, value)
        case Halt():
            following = count
        case _:
            assert_never(instruction)
    return following


def _move(instruction: Copy | Fill, memory: Block) -> Moved:
    """Do what a copy or a fill says. Nothing is wrong with no bytes. Raises: Stop."""
    match instruction:
        case Copy(addr_op=addr_op):
            source = memory.load(addr_op, Width.U64)
        case Fill(addr_op=addr_op):
            byte = memory.load(addr_op, Width.U8)
    size = memory.load(instruction.addr_size, Width.U64)
    target = memory.load(instruction.addr_res, Width.U64)
    if size == 0:
        return Moved(size=0)
    if isinstance(instruction, Copy) and source + size > len(memory.data):
        raise Stop(TrapKind.OUT_OF_BOUNDS, AT_OP)
    if target + size > len(memory.data):
        raise Stop(TrapKind.OUT_OF_BOUNDS, AT_RES)
    if isinstance(instruction, Fill):
        memory.fill(target, size, byte)
        return Moved(size=size)
    if not instruction.overlapping and abs(source - target) < size:
        raise Stop(TrapKind.OVERLAP, AT_RES)
    memory.move(source, target, size)
    return Moved(size=size, backwards=instruction.overlapping and source < target)
