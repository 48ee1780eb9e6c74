"""What the operators of bytecode make of values, as Python's integers have it."""

from __future__ import annotations

from typing import assert_never

from harness.bytecode.operands import Width
from harness.bytecode.program import BinaryOperator as B, UnaryOperator
from harness.outcome import TrapKind


class Undivided(Exception):
    """A quotient that there is not. operand: whose value is in the way."""

    def __init__(self, kind: TrapKind, operand: str) -> None:
        super().__init__(kind)
        self.kind = kind
        self.operand = operand


def unary(operator: UnaryOperator, value: int, width: Width) -> int:
    """The value that `operator` makes of an unsigned one."""
    match operator:
        case UnaryOperator.MOVE:
            return value
        case UnaryOperator.NOT:
            return width.limit - 1 - value
        case _:
            assert_never(operator)


def binary(operator: B, left: int, right: int, width: Width) -> int:
    """The value that `operator` makes of two unsigned ones. Raises: Undivided."""
    count = right % (8 * width)
    match operator:
        case B.ADD:
            return (left + right) % width.limit
        case B.SUB:
            return (left - right) % width.limit
        case B.MUL:
            return (left * right) % width.limit
        case B.DIV | B.REM | B.SDIV | B.SREM:
            return _divided(operator, left, right, width)
        case B.AND:
            return left & right
        case B.OR:
            return left | right
        case B.XOR:
            return left ^ right
        case B.SHL:
            return (left << count) % width.limit
        case B.SHR:
            return left >> count
        case B.SAR:
            return (_signed(left, width) >> count) % width.limit
        case B.EQ:
            return int(left == right)
        case B.NE:
            return int(left != right)
        case B.LT:
            return int(left < right)
        case B.LE:
            return int(left <= right)
        case B.SLT:
            return int(_signed(left, width) < _signed(right, width))
        case B.SLE:
            return int(_signed(left, width) <= _signed(right, width))
        case _:
            assert_never(operator)


def _divided(operator: B, left: int, right: int, width: Width) -> int:
    if right == 0:
        raise Undivided(TrapKind.DIVISION_BY_ZERO, "addr_op2")
    if operator is B.DIV:
        return left // right
    if operator is B.REM:
        return left % right
    dividend, divisor = _signed(left, width), _signed(right, width)
    # Rounded towards zero, where Python rounds down.
    quotient = abs(dividend) // abs(divisor) * (1 if (dividend < 0) == (divisor < 0) else -1)
    if quotient == width.limit // 2:
        raise Undivided(TrapKind.DIVISION_OVERFLOW, "addr_res")
    if operator is B.SDIV:
        return quotient % width.limit
    return (dividend - quotient * divisor) % width.limit


def _signed(value: int, width: Width) -> int:
    """The number that the bits of `value` are in two's complement."""
    return value - width.limit if value >= width.limit // 2 else value
