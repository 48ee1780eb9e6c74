"""`deref-mut`: raw pointers that become `&mut` where they are used."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.lowering.design import Builder, add_values, read_value, write_value
from harness.lowering.raw_pointers import Raw
from harness.pointer import program as p

if TYPE_CHECKING:
    from harness.bytecode.program import Operand


class DerefMut(Raw):
    """The three references of an addition are made before the first of them is used."""

    def store(self, builder: Builder, operand: Operand, value: p.IntOperand) -> None:
        write_value(builder, _deref(builder, operand), operand, value)

    def sum(self, builder: Builder, op1: Operand, op2: Operand, res: Operand) -> None:
        result, first, second = (_deref(builder, operand) for operand in (res, op1, op2))
        builder.of_operand(op1)
        left = read_value(builder, first, op1)
        builder.of_operand(op2)
        right = read_value(builder, second, op2)
        builder.of_operand(res)
        write_value(builder, result, res, add_values(builder, left, right, res))


def _deref(builder: Builder, operand: Operand) -> str:
    builder.of_operand(operand)
    made = builder.name("m", operand)
    builder.add(p.RefMut(to=made, of=builder.name("p", operand), align=operand.width))
    return made
