"""What an instruction makes of values, in statements of the pointer language."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.bytecode.program import Binary, BinaryOperator, Unary, UnaryOperator
from harness.pointer import program as p

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.bytecode.operands import Operand
    from harness.bytecode.program import Instruction
    from harness.lowering.builder import Builder

_OPERATORS: dict[BinaryOperator, p.ArithmeticOperator] = {
    BinaryOperator.ADD: "add",
    BinaryOperator.SUB: "sub",
    BinaryOperator.MUL: "mul",
    BinaryOperator.DIV: "div",
    BinaryOperator.REM: "rem",
    BinaryOperator.SDIV: "sdiv",
    BinaryOperator.SREM: "srem",
    BinaryOperator.AND: "and",
    BinaryOperator.OR: "or",
    BinaryOperator.XOR: "xor",
    BinaryOperator.SHL: "shl",
    BinaryOperator.SHR: "shr",
    BinaryOperator.SAR: "sar",
    BinaryOperator.EQ: "eq",
    BinaryOperator.NE: "ne",
    BinaryOperator.LT: "lt",
    BinaryOperator.LE: "le",
    BinaryOperator.SLT: "slt",
    BinaryOperator.SLE: "sle",
}


def computed(
    builder: Builder, instruction: Instruction, values: Sequence[str], res: Operand
) -> p.IntOperand:
    """What `instruction` makes of its operands' values, with the checks that belong to it."""
    width = res.width
    match instruction, values:
        case Unary(operator=UnaryOperator.MOVE), (value,):
            return value
        case Unary(operator=UnaryOperator.NOT), (value,):
            flipped = builder.name("not", res)
            ones = width.limit - 1
            builder.add(
                p.Arithmetic(to=flipped, operator="xor", left=value, right=ones, width=width)
            )
            return flipped
        case Binary(operator=operator), (left, right):
            if operator.divides:
                _check_division(builder, instruction, left, right, res)
            result = builder.name(operator.value, res)
            word = _OPERATORS[operator]
            builder.add(p.Arithmetic(to=result, operator=word, left=left, right=right, width=width))
            return result
        case _:
            raise AssertionError(instruction)


def _check_division(
    builder: Builder, division: Binary, left: str, right: str, res: Operand
) -> None:
    """The guards before a division; where they hold, there is a quotient."""
    builder.guard(right, "ne", 0, "division-by-zero", "addr_op2")
    if division.operator in (BinaryOperator.DIV, BinaryOperator.REM):
        return
    width = division.width
    lowest, minus_one, both = (builder.name(part, res) for part in ("lowest", "minus1", "both"))
    builder.add(
        p.Arithmetic(to=lowest, operator="eq", left=left, right=width.limit // 2, width=width)
    )
    builder.add(
        p.Arithmetic(to=minus_one, operator="eq", left=right, right=width.limit - 1, width=width)
    )
    builder.add(p.Arithmetic(to=both, operator="and", left=lowest, right=minus_one, width=8))
    builder.guard(both, "eq", 0, "division-overflow", "addr_res")
