"""Lowering a program: the VM's frame around a design, compile phase and run phase."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, assert_never

from harness.bytecode.operands import AT_OP, Width
from harness.bytecode.pointers import Call, OffCalls
from harness.bytecode.program import (
    CALL_DEPTH_LIMIT,
    Assert,
    Binary,
    Branch,
    Computing,
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
    Return,
    Store,
    Unary,
    WriteConst,
)
from harness.lowering import pointers
from harness.lowering.builder import Builder
from harness.lowering.computed import found_operand, lower_computed
from harness.lowering.growth import grow, set_up
from harness.lowering.host import lend_and_read
from harness.lowering.lowered import Lowered, Origin, Phase
from harness.pointer import program as p

if TYPE_CHECKING:
    from harness.bytecode.operands import Operand
    from harness.bytecode.program import Instruction, Program
    from harness.lowering.design import Design
    from harness.lowering.way import Way
    from harness.target import ByteOrder


def lower_by(design: Design, program: Program, way: Way, byte_order: ByteOrder) -> Lowered:
    """`program` with the memory touched as `design` does on its way."""
    builder = Builder(size=len(program.memory), byte_order=byte_order)
    result = set_up(builder, program, way)
    pointers.set_up(builder, program)
    design.over(builder)
    _compile(design, builder, program, first=True)
    builder.origin = Origin(phase=Phase.SET_UP)
    design.compiled(builder, program.memory)
    _Run(design=design, builder=builder, program=program, way=way).all()
    statements = tuple(builder.bodies.pop())
    builder.origins[len(statements),] = Origin(phase=Phase.END)
    return Lowered(
        program=p.PointerProgram(statements=statements, result=result), origins=builder.origins
    )


def _compile(design: Design, builder: Builder, program: Program, *, first: bool) -> None:
    """The compile phase. What was in bounds at first still is when the memory has grown."""
    for index, instruction in enumerate(program.instructions):
        operands = instruction.operands()
        if first:
            for operand in operands:
                builder.at(Phase.COMPILE, index, operand.name)
                builder.add(p.Int(to=builder.address(operand), value=operand.addr))
                builder.check(operand)
        builder.at(Phase.COMPILE, index)
        # These have operands of different widths.
        if isinstance(instruction, Computing):
            for operand in operands:
                design.compile(builder, (operand,))
        elif operands:
            design.compile(builder, operands)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    """The host has entered the VM and not left it.

    origin, occurrence, found: what the builder had, of the instruction that called the host.
    operand: what the host is to read; kept: the reference that it has kept of `size` bytes.
    """

    origin: Origin
    occurrence: int
    found: dict[str, str]
    res: Operand
    operand: Operand
    kept: str | None
    size: int


@dataclass(slots=True, kw_only=True)
class _Run:
    """The run phase: the instructions that are on the way."""

    design: Design
    builder: Builder
    program: Program
    way: Way
    entered: list[_Entry | pointers.Frame] = field(default_factory=list)
    registers: pointers.Registers = field(default_factory=pointers.Registers)

    def all(self) -> None:
        way, builder = self.way, self.builder
        seen: Counter[int] = Counter()
        end = len(self.program.instructions) if way.stops_before is None else way.stops_before
        for position, index in enumerate(way.path):
            builder.at(Phase.RUN, index)
            builder.occurrence = seen[index]
            seen[index] += 1
            builder.found = {}
            following = way.path[position + 1] if position + 1 < len(way.path) else end
            self._step(position, self.program.instructions[index], following)
        if way.stops_before is not None:
            builder.at(Phase.RUN, way.stops_before)
            builder.guard(0, "eq", 1, "step-limit", "step")

    def _step(self, position: int, instruction: Instruction, following: int) -> None:
        design, builder = self.design, self.builder
        if isinstance(instruction, OffCalls):
            number = self.way.numbers.get(position)
            self.registers.step(design, builder, instruction, number)
            return
        match instruction:
            case Load() | Store() | Copy() | Fill() | HostRead() | HostWrite():
                lower_computed(design, builder, instruction, self.way.blocks.get(position))
            case Grow():
                self._grow(instruction, self.way.sizes.get(position))
            case HostSteps():
                (res,) = instruction.operands()
                builder.of_operand(res)
                design.store(builder, res, position + 1)
            case HostEnter():
                self._enter(instruction)
            case Call():
                self._call(instruction)
            case Return():
                if self.entered:
                    self._leave(self.entered.pop())
            case _:
                _step(design, builder, instruction, following)

    def _grow(self, instruction: Grow, size: int | None) -> None:
        design, builder = self.design, self.builder
        op, res = instruction.operands()
        builder.of_operand(op)
        more = design.load(builder, op)
        generation = builder.generation
        result = grow(builder, more, size)
        origin, occurrence = builder.origin, builder.occurrence
        if builder.generation > generation:
            design.grown(builder)
            builder.occurrence = 0
            _compile(design, builder, self.program, first=False)
        builder.origin, builder.occurrence = origin, occurrence
        builder.of_operand(res)
        design.store(builder, res, result)

    def _enter(self, instruction: HostEnter) -> None:
        design, builder = self.design, self.builder
        op, res = instruction.operands()
        builder.of_operand(op)
        operand = found_operand(builder, AT_OP, design.load(builder, op), Width.U8)
        builder.check(operand)
        self._check_depth()
        entry = _Entry(
            origin=builder.origin,
            occurrence=builder.occurrence,
            found=builder.found,
            res=res,
            operand=operand,
            kept=design.kept_by_host(builder, operand),
            size=builder.size,
        )
        self.entered.append(entry)

    def _call(self, call: Call) -> None:
        (op,) = call.operands()
        self.builder.of_operand(op)
        argument = self.design.load(self.builder, op)
        self._check_depth()
        self.entered.append(self.registers.call(self.builder, call, argument))

    def _check_depth(self) -> None:
        if len(self.entered) == CALL_DEPTH_LIMIT:
            self.builder.guard(0, "eq", 1, "call-depth", "target")

    def _leave(self, entry: _Entry | pointers.Frame) -> None:
        """A call ends, or the host reads what it was asked for and what called it ends."""
        design, builder = self.design, self.builder
        if isinstance(entry, pointers.Frame):
            self.registers.leave(builder, entry)
            return
        builder.origin, builder.occurrence = entry.origin, entry.occurrence
        builder.found = entry.found
        builder.of_operand(entry.operand)
        if entry.kept is None:
            byte = design.host_read(builder, entry.operand)
        else:
            byte = lend_and_read(builder, entry.kept, entry.operand, entry.size)
        builder.of_operand(entry.res)
        design.store(builder, entry.res, byte)


def _step(
    design: Design,
    builder: Builder,
    instruction: WriteConst | Unary | Binary | Branch | Assert | Jump | Halt,
    following: int,
) -> None:
    """One instruction of the run phase, after which `following` is the next."""
    match instruction:
        case WriteConst(value=value):
            (res,) = instruction.operands()
            builder.of_operand(res)
            design.store(builder, res, value)
        case Unary() | Binary():
            *sources, res = instruction.operands()
            design.compute(builder, instruction, tuple(sources), res)
        case Branch(target=target, on_zero=on_zero):
            (operand,) = instruction.operands()
            builder.of_operand(operand)
            condition = design.load(builder, operand)
            if target != builder.index + 1:
                is_zero = (following == target) is on_zero
                comparison: p.Comparison = "eq" if is_zero else "ne"
                builder.guard(condition, comparison, 0, "diverged", operand.name)
        case Assert():
            (operand,) = instruction.operands()
            builder.of_operand(operand)
            builder.guard(design.load(builder, operand), "ne", 0, "assertion-failed", operand.name)
        case Jump() | Halt():
            pass
        case _:
            assert_never(instruction)
