"""Integers, and the checks that a lowered program makes of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.model.operations import Trap
from harness.model.variables import Integer

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.model.operations import Operations
    from harness.model.variables import Frame
    from harness.pointer import program as p

_OPERATE: dict[p.ArithmeticOperator, Callable[[int, int, int], int]] = {
    "add": lambda left, right, bits: left + right,
    "sub": lambda left, right, bits: left - right,
    "mul": lambda left, right, bits: left * right,
    "and": lambda left, right, bits: left & right,
    "or": lambda left, right, bits: left | right,
    "xor": lambda left, right, bits: left ^ right,
    "shl": lambda left, right, bits: left << (right % bits),
    "shr": lambda left, right, bits: left >> (right % bits),
}

_COMPARE: dict[p.Comparison, Callable[[int, int], bool]] = {
    "eq": lambda left, right: left == right,
    "ne": lambda left, right: left != right,
    "lt": lambda left, right: left < right,
    "le": lambda left, right: left <= right,
    "gt": lambda left, right: left > right,
    "ge": lambda left, right: left >= right,
}


def integer(memory: Operations, frame: Frame, s: p.Int) -> None:
    frame.integers[s.to] = Integer(s.value, False)


def arithmetic(memory: Operations, frame: Frame, s: p.Arithmetic) -> None:
    bits = 8 * s.width
    mask = (1 << bits) - 1
    left, left_of_address = frame.integer(s.left)
    right, right_of_address = frame.integer(s.right)
    value = _OPERATE[s.operator](left & mask, right & mask, bits) & mask
    frame.integers[s.to] = Integer(value, left_of_address or right_of_address)


def guard(memory: Operations, frame: Frame, s: p.Guard) -> None:
    """Raises: Trap, if the comparison does not hold."""
    if not _COMPARE[s.comparison](frame.integer(s.left).value, frame.integer(s.right).value):
        raise Trap(s)
