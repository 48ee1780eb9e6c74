"""Collecting the statements of a lowered program, each with what it stands for."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from harness.lowering.lowered import Origin, Phase
from harness.pointer import program as p

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.bytecode.operands import Operand
    from harness.target import ByteOrder

OWNER = "owner"
"""The owner's `&mut` to all of the memory."""


@dataclass(slots=True, kw_only=True)
class Builder:
    """Collects statements, each with its origin.

    size: of the memory, in bytes.
    origin: of the statements that are added next.
    occurrence: how often the instruction has run before, so that its variables differ.
    found: the variables that hold the addresses of the operands that it finds in running.
    generation: how often the memory has grown; everything that is made of it is made anew then.
    byte_order: in which a value's bytes lie in the memory.
    """

    size: int
    byte_order: ByteOrder
    origin: Origin = field(default_factory=lambda: Origin(phase=Phase.SET_UP))
    occurrence: int = 0
    generation: int = 0
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
        self.of(operand.name)

    def of(self, operand: str) -> None:
        """As `of_operand`, by the operand's name."""
        self.at(self.origin.phase, self.index, operand)

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
        return self._anew(self._name(prefix, operand))

    def _name(self, prefix: str, operand: Operand) -> str:
        return self.now(self._plain(prefix, operand))

    def _plain(self, prefix: str, operand: Operand) -> str:
        part = operand.name.removeprefix("addr").strip("_")
        return "_".join(each for each in (prefix, part, str(self.index)) if each)

    def result(self, prefix: str) -> str:
        """A variable to be bound now for the instruction as a whole."""
        return self._anew(self.now(f"{prefix}_{self.index}"))

    def _anew(self, name: str) -> str:
        return f"{name}_{self.occurrence}" if self.occurrence else name

    def now(self, name: str) -> str:
        """The variable that is called so as long as the memory does not grow: `base`, `base_g1`."""
        return f"{name}_g{self.generation}" if self.generation else name

    def borrow(self, prefix: str) -> str:
        """A variable for a borrow of the whole memory, for operands of the instruction."""
        name = f"{prefix}_{self.index}"
        self.borrows[name] += 1
        return name if self.borrows[name] == 1 else f"{name}_{self.borrows[name]}"

    def address(self, operand: Operand) -> str:
        """The integer variable that holds the operand's address."""
        return self.found.get(operand.name) or self._plain("addr", operand)

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

    def all_of(self, kind: p.ArgumentKind, to: str, of: str, size: int | None = None) -> p.Argument:
        """An argument that borrows the whole memory, of which `of` may know another size."""
        return p.Argument(to=to, as_=kind, of=of, size=self.size if size is None else size)
