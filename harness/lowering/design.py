"""What every lowering has in common: the VM's frame around a variant.

A `Design` is the counterpart of the trait `Variant` in `rust/vm`, and its methods are called
in the same order: `over` once, `compile` for each instruction, `compiled` once, then `store`
and `compute`. Here they do not touch memory, they add the statements that do.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, assert_never

from harness.bytecode.program import (
    MEMORY_ALIGNMENT,
    Assert,
    Binary,
    Branch,
    Copy,
    Fill,
    Halt,
    Instruction,
    Jump,
    Load,
    Operand,
    Program,
    Store,
    Unary,
    WriteConst,
    computed_operands,
)
from harness.lowering.arithmetic import computed
from harness.lowering.computed import lower_computed
from harness.lowering.lowered import Lowered, Origin, Phase
from harness.pointer import program as p

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.lowering.way import Move, Way

MEMORY = "memory"
"""The local that is the VM's memory."""

OWNER = "owner"
"""The owner's `&mut` to all of it."""


@dataclass(slots=True, kw_only=True)
class Builder:
    """Collects statements, each with its origin.

    size: of the memory, in bytes.
    origin: of the statements that are added next.
    occurrence: how often the instruction has run before, so that its variables differ.
    found: the variables that hold the addresses of the operands that it finds in running.
    """

    size: int
    origin: Origin = field(default_factory=lambda: Origin(phase=Phase.SET_UP))
    occurrence: int = 0
    found: dict[str, str] = field(default_factory=dict)
    borrows: Counter[str] = field(default_factory=Counter)
    origins: dict[p.Path, Origin] = field(default_factory=dict)
    bodies: list[list[p.AnyStatement]] = field(default_factory=lambda: [[]])

    def add(self, statement: p.AnyStatement) -> None:
        """Add a statement."""
        path = tuple(len(body) for body in self.bodies)
        self.origins[path] = self.origin
        self.bodies[-1].append(statement)

    def call(
        self,
        args: tuple[p.Argument, ...],
        body: Callable[[], tuple[p.Return, ...]],
    ) -> None:
        """Add a call: `body` adds what is in it and says what is returned."""
        origin = self.origin
        self.bodies.append([])
        returns = body()
        statements = tuple(self.bodies.pop())
        self.origin = origin
        self.add(p.Call(args=args, body=statements, returns=returns))

    def at(self, phase: Phase, instruction: int, operand: str | None = None) -> None:
        """Say where the statements that are added next come from."""
        self.origin = Origin(phase=phase, instruction=instruction, operand=operand)

    def of_operand(self, operand: Operand) -> None:
        """Say for which operand of the same instruction they are."""
        self.at(self.origin.phase, self.index, operand.name)

    @property
    def index(self) -> int:
        """The instruction that is being compiled or run."""
        assert self.origin.instruction is not None
        return self.origin.instruction

    def made(self, prefix: str, operand: Operand) -> str:
        """The variable that making an operand of the instruction binds: `p_op1_0`."""
        if operand.name in self.found:
            return self.name(prefix, operand)
        return self._name(prefix, operand)

    def name(self, prefix: str, operand: Operand) -> str:
        """A variable to be bound now: as `made`, and `value_op1_0_2` the third time."""
        name = self._name(prefix, operand)
        return f"{name}_{self.occurrence}" if self.occurrence else name

    def _name(self, prefix: str, operand: Operand) -> str:
        part = operand.name.removeprefix("addr").strip("_")
        return "_".join(each for each in (prefix, part, str(self.index)) if each)

    def borrow(self, prefix: str) -> str:
        """A variable for a borrow of the whole memory, for operands of the instruction."""
        name = f"{prefix}_{self.index}"
        self.borrows[name] += 1
        return name if self.borrows[name] == 1 else f"{name}_{self.borrows[name]}"

    def address(self, operand: Operand) -> str:
        """The integer variable that holds the operand's address."""
        return self.found.get(operand.name) or self.made("addr", operand)

    def guard(
        self,
        left: p.IntOperand,
        comparison: p.Comparison,
        right: p.IntOperand,
        trap: p.GuardTrap,
        operand: str,
    ) -> None:
        """Add a check; where it fails the program traps, at this operand of the instruction."""
        self.add(
            p.Guard(
                left=left,
                comparison=comparison,
                right=right,
                trap=trap,
                instruction=self.index,
                operand=operand,
            )
        )

    def check(self, operand: Operand) -> None:
        """Add the checks of an operand's address, bounds before alignment."""
        address, width = self.address(operand), int(operand.width)
        if width <= self.size:
            self.guard(address, "le", self.size - width, "out-of-bounds", operand.name)
        else:
            self.guard(width, "le", self.size, "out-of-bounds", operand.name)
        if width > 1:
            rest = self.name("rest", operand)
            self.add(p.Arithmetic(to=rest, operator="and", left=address, right=width - 1, width=8))
            self.guard(rest, "eq", 0, "misaligned", operand.name)

    def all_of(self, kind: p.ArgumentKind, to: str, of: str) -> p.Argument:
        """An argument that borrows the whole memory."""
        return p.Argument(to=to, as_=kind, of=of, size=self.size)


class Design:
    """One way to touch the memory; the default is that of the trait in `rust/vm`."""

    def over(self, builder: Builder) -> None:
        """Take over the owner's borrow."""
        raise NotImplementedError

    def compile(self, builder: Builder, operands: tuple[Operand, ...]) -> None:
        """Make the operands of one instruction, whose addresses have been checked."""
        raise NotImplementedError

    def compiled(self, builder: Builder, memory: bytes) -> None:
        """What stands between the phases."""

    def load(self, builder: Builder, operand: Operand) -> str:
        """Read the value at an operand; returns the integer variable that has it."""
        raise NotImplementedError

    def store(self, builder: Builder, operand: Operand, value: p.IntOperand) -> None:
        """Write a value at an operand."""
        raise NotImplementedError

    def compute(
        self, builder: Builder, instruction: Instruction, sources: tuple[Operand, ...], res: Operand
    ) -> None:
        """Store what `instruction` makes of the values at `sources` at `res`."""
        values = []
        for source in sources:
            builder.of_operand(source)
            values.append(self.load(builder, source))
        builder.of_operand(res)
        self.store(builder, res, computed(builder, instruction, values, res))

    def copy(self, builder: Builder, source: Operand, to: Operand, move: Move) -> None:
        """Copy bytes from one address to another."""
        raise NotImplementedError

    def fill(self, builder: Builder, to: Operand, byte: str, move: Move) -> None:
        """Store the same byte again and again."""
        raise NotImplementedError


def read_value(builder: Builder, ptr: str, operand: Operand) -> str:
    """Read an operand's value, typed, where `ptr` points to; returns its variable."""
    value = builder.name("value", operand)
    width = operand.width
    builder.add(p.Read(ptr=ptr, at=0, width=width, to=value, aligned=width > 1))
    return value


def write_value(builder: Builder, ptr: str, operand: Operand, value: p.IntOperand) -> None:
    """Write an operand's value, typed, where `ptr` points to."""
    width = operand.width
    builder.add(p.Write(ptr=ptr, at=0, width=width, value=value, aligned=width > 1))


def lower_by(design: Design, program: Program, way: Way) -> Lowered:
    """`program` with the memory touched as `design` does on its way."""
    size = len(program.memory)
    builder = Builder(size=size)
    init = initial_bytes(program.memory)
    builder.add(p.Local(to=MEMORY, size=size, init=init, align=MEMORY_ALIGNMENT))
    builder.add(p.RefMut(to=OWNER, of=MEMORY))
    design.over(builder)
    for index, instruction in enumerate(program.instructions):
        operands = instruction.operands()
        for operand in operands:
            builder.at(Phase.COMPILE, index, operand.name)
            builder.add(p.Int(to=builder.address(operand), value=operand.addr))
            builder.check(operand)
        builder.at(Phase.COMPILE, index)
        # An instruction that computes an address has operands of different widths.
        if computed_operands(instruction):
            for operand in operands:
                design.compile(builder, (operand,))
        elif operands:
            design.compile(builder, operands)
    builder.origin = Origin(phase=Phase.SET_UP)
    design.compiled(builder, program.memory)
    _run(design, builder, program, way)
    statements = tuple(builder.bodies.pop())
    builder.origins[len(statements),] = Origin(phase=Phase.END)
    return Lowered(
        program=p.PointerProgram(statements=statements, result=OWNER), origins=builder.origins
    )


def _run(design: Design, builder: Builder, program: Program, way: Way) -> None:
    """The run phase: the instructions that are on the way."""
    seen: Counter[int] = Counter()
    end = len(program.instructions) if way.stops_before is None else way.stops_before
    for position, index in enumerate(way.path, start=1):
        instruction = program.instructions[index]
        following = way.path[position] if position < len(way.path) else end
        builder.at(Phase.RUN, index)
        builder.occurrence = seen[index]
        seen[index] += 1
        builder.found = {}
        if isinstance(instruction, Load | Store | Copy | Fill):
            lower_computed(design, builder, instruction, way.blocks.get(position - 1))
        else:
            _step(design, builder, instruction, following)
    if way.stops_before is not None:
        builder.at(Phase.RUN, way.stops_before)
        builder.guard(0, "eq", 1, "step-limit", "step")


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


def initial_bytes(memory: bytes) -> int | str:
    """`memory` as the initial value of an allocation; one byte where all are the same."""
    return memory[0] if len(set(memory)) == 1 else memory.hex()
