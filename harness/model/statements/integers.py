"""Integers, and the checks that a lowered program makes of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.model.memory import POINTER_SIZE
from harness.model.operations import Trap
from harness.model.provenance import MIXED, Integer, added, combined, subtracted

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
    "sar": lambda left, right, bits: _signed(left, bits) >> (right % bits),
    "div": lambda left, right, bits: left // right if right else 0,
    "rem": lambda left, right, bits: left % right if right else 0,
    "sdiv": lambda left, right, bits: _quotient(_signed(left, bits), _signed(right, bits)),
    "srem": lambda left, right, bits: _remainder(_signed(left, bits), _signed(right, bits)),
    "eq": lambda left, right, bits: left == right,
    "ne": lambda left, right, bits: left != right,
    "lt": lambda left, right, bits: left < right,
    "le": lambda left, right, bits: left <= right,
    "slt": lambda left, right, bits: _signed(left, bits) < _signed(right, bits),
    "sle": lambda left, right, bits: _signed(left, bits) <= _signed(right, bits),
}

_COMPARE: dict[p.Comparison, Callable[[int, int], bool]] = {
    "eq": lambda left, right: left == right,
    "ne": lambda left, right: left != right,
    "lt": lambda left, right: left < right,
    "le": lambda left, right: left <= right,
    "gt": lambda left, right: left > right,
    "ge": lambda left, right: left >= right,
}


def _signed(value: int, bits: int) -> int:
    return value - (1 << bits) if value >> (bits - 1) else value


def _quotient(left: int, right: int) -> int:
    """Rounded towards zero, where Python rounds down; 0 where there is none."""
    if right == 0:
        return 0
    magnitude = abs(left) // abs(right)
    return -magnitude if (left < 0) != (right < 0) else magnitude


def _remainder(left: int, right: int) -> int:
    return left - _quotient(left, right) * right if right else 0


def integer(memory: Operations, frame: Frame, s: p.Int) -> None:
    frame.integers[s.to] = Integer(s.value)


def arithmetic(memory: Operations, frame: Frame, s: p.Arithmetic) -> None:
    bits = 8 * s.width
    mask = (1 << bits) - 1
    left, right = frame.integer(s.left), frame.integer(s.right)
    value = _OPERATE[s.operator](left.value & mask, right.value & mask, bits) & mask
    frame.integers[s.to] = Integer(value, _origin(memory, s, left, right))


def _origin(memory: Operations, s: p.Arithmetic, left: Integer, right: Integer) -> Origin:
    if s.width == POINTER_SIZE and s.operator in ("eq", "ne"):
        sides = (left, right), (right, left)
        if any(each == Integer(0) and _is_no_null(memory, other) for each, other in sides):
            return None
    if s.width == POINTER_SIZE and s.operator == "add":
        return added(left.origin, right.origin)
    if s.width == POINTER_SIZE and s.operator == "sub":
        return subtracted(left.origin, right.origin)
    return combined(left.origin, right.origin)


def _is_no_null(memory: Operations, number: Integer) -> bool:
    """Whether it is an address in an allocation, or right behind one: none of them lies at 0."""
    if number.origin is None or number.origin == MIXED:
        return False
    allocation = memory.memory.allocations[number.origin]
    return allocation.base <= number.value <= allocation.base + allocation.size


def guard(memory: Operations, frame: Frame, s: p.Guard) -> None:
    """Raises: Trap, if the comparison does not hold."""
    left, right = frame.integer(s.left), frame.integer(s.right)
    if subtracted(left.origin, right.origin) is not None:
        memory.hangs_on_addresses = True
    if not _COMPARE[s.comparison](left.value, right.value):
        raise Trap(s)
