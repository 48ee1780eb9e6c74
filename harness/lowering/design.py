"""What a variant says of its way to touch the memory.

A `Design` is the counterpart of the trait `Variant` in `rust/vm`, and its methods are called
in the same order: `over` once, `compile` for each instruction, `compiled` once, then `store`,
`compute` and the others. Here they do not touch memory, they add the statements that do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.lowering.arithmetic import computed
from harness.pointer import program as p

if TYPE_CHECKING:
    from harness.bytecode.operands import Operand
    from harness.bytecode.program import Instruction
    from harness.lowering.builder import Builder
    from harness.lowering.way import Move


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

    def grown(self, builder: Builder) -> None:
        """Take over the owner's borrow of what the memory has grown to."""
        self.over(builder)

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

    def host_read(self, builder: Builder, operand: Operand) -> str:
        """Let the host read a byte at a computed address; the variable that has it."""
        self.compile(builder, (operand,))
        builder.of_operand(operand)
        return self.load(builder, operand)

    def host_write(self, builder: Builder, operand: Operand, value: str) -> None:
        """Let it write one."""
        self.compile(builder, (operand,))
        builder.of_operand(operand)
        self.store(builder, operand, value)

    def pointer_to(self, builder: Builder, operand: Operand) -> str:
        """The variable that has a pointer into the memory, to an operand that has been checked."""
        raise NotImplementedError

    def read_pointer(self, builder: Builder, to: str, at: str) -> None:
        """Read the pointer that lies where the pointer `at` points to."""
        builder.add(p.LoadPtr(to=to, ptr=at, size=1))

    def write_pointer(self, builder: Builder, at: str, of: str) -> None:
        """Store the pointer `of` there."""
        builder.add(p.StorePtr(ptr=at, of=of))

    def kept_by_host(self, builder: Builder, operand: Operand) -> str | None:
        """The reference that the host keeps while it enters the VM; None: it keeps none."""
        return None


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
