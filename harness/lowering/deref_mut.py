"""`deref-mut`: raw pointers that become `&mut` where they are used."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.lowering.arithmetic import computed
from harness.lowering.builder import Builder
from harness.lowering.design import read_value, write_value
from harness.lowering.raw_pointers import Raw
from harness.pointer import program as p

if TYPE_CHECKING:
    from harness.bytecode.operands import Operand
    from harness.bytecode.program import Instruction


class DerefMut(Raw):
    """The references of an instruction are made before the first of them is used."""

    def load(self, builder: Builder, operand: Operand) -> str:
        return read_value(builder, _deref(builder, operand), operand)

    def store(self, builder: Builder, operand: Operand, value: p.IntOperand) -> None:
        write_value(builder, _deref(builder, operand), operand, value)

    def compute(
        self, builder: Builder, instruction: Instruction, sources: tuple[Operand, ...], res: Operand
    ) -> None:
        result, *made = (_deref(builder, operand) for operand in (res, *sources))
        values = []
        for source, reference in zip(sources, made, strict=True):
            builder.of_operand(source)
            values.append(read_value(builder, reference, source))
        builder.of_operand(res)
        write_value(builder, result, res, computed(builder, instruction, values, res))


def _deref(builder: Builder, operand: Operand) -> str:
    builder.of_operand(operand)
    made = builder.name("m", operand)
    builder.add(p.RefMut(to=made, of=builder.made("p", operand), align=operand.width))
    return made
