"""`exposed`: operands are integers, which become pointers at each access."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.lowering.builder import OWNER, Builder
from harness.lowering.design import Design, read_value, write_value
from harness.lowering.host import lend_and_read, lend_and_write
from harness.lowering.raw_pointers import between
from harness.pointer import program as p

if TYPE_CHECKING:
    from harness.bytecode.program import Operand
    from harness.lowering.way import Move


BASE_ADDRESS = "base_address"


class Exposed(Design):
    """The base's provenance is exposed once; an address is added to it on either side."""

    def over(self, builder: Builder) -> None:
        builder.add(p.RawMut(to=builder.now("base"), of=builder.now(OWNER)))
        builder.add(p.Expose(to=builder.now(BASE_ADDRESS), of=builder.now("base")))

    def compile(self, builder: Builder, operands: tuple[Operand, ...]) -> None:
        for operand in operands:
            builder.of_operand(operand)
            sides = (builder.now(BASE_ADDRESS), builder.address(operand))
            left, right = reversed(sides) if operand.name == "addr_op2" else sides
            to = builder.name("at", operand)
            builder.add(p.Arithmetic(to=to, operator="add", left=left, right=right, width=8))

    def load(self, builder: Builder, operand: Operand) -> str:
        return read_value(builder, _pointer(builder, operand), operand)

    def store(self, builder: Builder, operand: Operand, value: p.IntOperand) -> None:
        write_value(builder, _pointer(builder, operand), operand, value)

    def copy(self, builder: Builder, source: Operand, to: Operand, move: Move) -> None:
        for operand in (source, to):
            self.compile(builder, (operand,))
            _pointer(builder, operand)
        between(builder, "p", source, to, move)

    def fill(self, builder: Builder, to: Operand, byte: str, move: Move) -> None:
        self.compile(builder, (to,))
        builder.add(p.Fill(ptr=_pointer(builder, to), value=byte, size=move.size))

    def host_read(self, builder: Builder, operand: Operand) -> str:
        return lend_and_read(builder, _whole(builder, operand), operand)

    def host_write(self, builder: Builder, operand: Operand, value: str) -> None:
        lend_and_write(builder, _whole(builder, operand), operand, value)


def _whole(builder: Builder, operand: Operand) -> str:
    """A pointer to all of the memory, for a call that lends it."""
    builder.of_operand(operand)
    whole, address = builder.name("whole", operand), builder.now(BASE_ADDRESS)
    builder.add(p.FromExposed(to=whole, int_=address, offset=0, size=builder.size))
    return whole


def _pointer(builder: Builder, operand: Operand) -> str:
    made = builder.name("p", operand)
    address = builder.made("at", operand)
    builder.add(p.FromExposed(to=made, int_=address, offset=0, size=operand.width))
    return made
