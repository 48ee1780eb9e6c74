"""Integers, and the checks that a lowered program makes of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.model.memory import POINTER_SIZE
from harness.model.operations import Trap
from harness.model.provenance import Integer, added, combined, subtracted

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.model.operations import Operations
    from harness.model.provenance import Origin
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
    frame.integers[s.to] = Integer(s.value)


def arithmetic(memory: Operations, frame: Frame, s: p.Arithmetic) -> None:
    bits = 8 * s.width
    mask = (1 << bits) - 1
    left, right = frame.integer(s.left), frame.integer(s.right)
    value = _OPERATE[s.operator](left.value & mask, right.value & mask, bits) & mask
    frame.integers[s.to] = Integer(value, _origin(s, left, right))


def _origin(s: p.Arithmetic, left: Integer, right: Integer) -> Origin:
    if s.width == POINTER_SIZE and s.operator == "add":
        return added(left.origin, right.origin)
    if s.width == POINTER_SIZE and s.operator == "sub":
        return subtracted(left.origin, right.origin)
    return combined(left.origin, right.origin)


def guard(memory: Operations, frame: Frame, s: p.Guard) -> None:
    """Raises: Trap, if the comparison does not hold."""
    left, right = frame.integer(s.left), frame.integer(s.right)
    if subtracted(left.origin, right.origin) is not None:
        memory.hangs_on_addresses = True
    if not _COMPARE[s.comparison](left.value, right.value):
        raise Trap(s)
