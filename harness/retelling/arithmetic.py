"""Operators and methods of numbers: what they give, and that they do not panic."""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import replace

from harness.retelling.values import (
    BOOL,
    CannotSay,
    Cause,
    Number,
    Opaque,
    Perhaps,
    Value,
    any_of,
    limits,
    literal,
    typed,
    wrapped,
)

_COMPARISONS: dict[str, Callable[[int, int], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_EXACT: dict[str, Callable[[int, int], int]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": lambda left, right: abs(left) // abs(right) * (1 if (left < 0) == (right < 0) else -1),
    "%": lambda left, right: abs(left) % abs(right) * (1 if left >= 0 else -1),
    "&": operator.and_,
    "|": operator.or_,
    "^": operator.xor,
    "<<": operator.lshift,
    ">>": operator.rshift,
}


def binary(sign: str, left: Value, right: Value) -> Value:
    """`left sign right`. Raises: CannotSay, also where it might panic."""
    causes = left.hangs_on | right.hangs_on
    if isinstance(left, Opaque) or isinstance(right, Opaque):
        return _of_floats(sign, left, right, causes)
    if not (isinstance(left, Number) and isinstance(right, Number)):
        raise CannotSay(f"the operator {sign} on pointers, or on what is left open")
    if sign in _COMPARISONS:
        known = None
        if left.exact is not None and right.exact is not None:
            known = int(_COMPARISONS[sign](left.exact, right.exact))
        return Number(type=BOOL, low=0, high=1, exact=known, hangs_on=causes)
    shifts = sign in ("<<", ">>")
    type_ = left.type if shifts else left.type or right.type
    if type_ is None:
        # Whether it overflows, nobody can say yet.
        raise CannotSay("arithmetic on numbers whose type is not said")
    if not shifts:
        left, right = typed(left, type_), typed(right, type_)
        assert isinstance(left, Number), "a number stays one"
        assert isinstance(right, Number), "a number stays one"
    low, high = _range(sign, left, right, type_)
    exact = None
    if left.exact is not None and right.exact is not None:
        exact = _EXACT[sign](left.exact, right.exact)
        exact = wrapped(exact, type_) if sign == "<<" else exact
    return Number(type=type_, low=low, high=high, exact=exact, hangs_on=causes)


def _of_floats(sign: str, left: Value, right: Value, causes: frozenset[Cause]) -> Value:
    if not (isinstance(left, Opaque) and isinstance(right, Opaque) and left.type == right.type):
        raise CannotSay(f"the operator {sign} on different types")
    if sign in _COMPARISONS:
        return Number(type=BOOL, low=0, high=1, hangs_on=causes)
    return Opaque(type=left.type, hangs_on=causes)


def _range(sign: str, left: Number, right: Number, type_: str) -> tuple[int, int]:
    """What the result may be in any state. Raises: CannotSay, where one of them panics."""
    if sign in "/%":
        if right.low <= 0 <= right.high:
            raise CannotSay("a division that may be by zero, and so a panic")
        if right.low <= -1 <= right.high and left.low == limits(type_)[0]:
            raise CannotSay("a division that may overflow, and so a panic")
    if sign in ("<<", ">>"):
        width = (limits(type_)[1] - limits(type_)[0]).bit_length()
        if not 0 <= right.low <= right.high < width:
            raise CannotSay("a shift that may be too far, and so a panic")
        return limits(type_)
    ends = [(a, b) for a in (left.low, left.high) for b in (right.low, right.high)]
    match sign:
        case "+" | "-" | "*":
            results = [_EXACT[sign](*each) for each in ends]
            low, high = min(results), max(results)
            if not limits(type_)[0] <= low <= high <= limits(type_)[1]:
                raise CannotSay("arithmetic that may overflow, and so a panic")
            return low, high
        case "/" if left.low >= 0 and right.low > 0:
            return left.low // right.high, left.high // right.low
        case "%" if left.low >= 0 and right.low > 0:
            return 0, min(left.high, right.high - 1)
        case "&" if left.low >= 0 and right.low >= 0:
            return 0, min(left.high, right.high)
    if left.low == left.high and right.low == right.high:
        only = _EXACT[sign](left.low, right.low)
        return only, only
    return limits(type_)


def negated(sign: str, value: Value) -> Value:
    """`!value` or `-value`. Raises: CannotSay."""
    if isinstance(value, Opaque):
        return value
    if not isinstance(value, Number):
        raise CannotSay(f"the operator {sign} on no number")
    if sign == "-" and value.type is None and value.exact is not None:
        return literal(-value.exact, None)
    if sign == "-":
        return binary("-", replace(literal(0, value.type), hangs_on=value.hangs_on), value)
    return any_of(value.type or "", value.hangs_on)


# Methods

_SAME = {
    "abs_diff", "from_be", "from_le", "reverse_bits", "rotate_left", "rotate_right",
    "saturating_add", "saturating_mul", "saturating_sub", "swap_bytes", "to_be", "to_le",
    "wrapping_add", "wrapping_mul", "wrapping_neg", "wrapping_shl", "wrapping_shr",
    "wrapping_sub",
}  # fmt: skip
"""Of integers: they give one of the same type, and never panic."""

_WRAPPING = {"wrapping_add": "+", "wrapping_sub": "-", "wrapping_mul": "*"}

_COUNTS = {
    "count_ones", "count_zeros", "leading_ones", "leading_zeros", "trailing_ones",
    "trailing_zeros",
}  # fmt: skip

_CHECKED = {
    "checked_add", "checked_div", "checked_mul", "checked_neg", "checked_rem", "checked_shl",
    "checked_shr", "checked_sub",
}  # fmt: skip

_OF_FLOATS = {
    "abs", "ceil", "copysign", "floor", "mul_add", "next_down", "next_up", "round",
    "round_ties_even", "sqrt", "trunc",
}  # fmt: skip


def method(name: str, receiver: Value, arguments: list[Value]) -> Value:
    """A method of a number, which neither panics nor looks at memory. Raises: CannotSay."""
    causes = receiver.hangs_on.union(*(each.hangs_on for each in arguments))
    match receiver:
        case Perhaps(inner=inner) if name in ("unwrap_or", "unwrap_or_default"):
            return any_of(inner, causes)
        case Opaque(type="f32" | "f64") if name in _OF_FLOATS:
            return replace(receiver, hangs_on=causes)
        case Number(type=str() as type_) if type_ != BOOL:
            if name in _COUNTS:
                width = (limits(type_)[1] - limits(type_)[0]).bit_length()
                return Number(type="u32", low=0, high=width, hangs_on=causes)
            if name in _CHECKED:
                return Perhaps(inner=type_, hangs_on=causes)
            if name in _SAME:
                if name == "abs_diff":
                    type_ = type_.replace("i", "u", 1) if type_.startswith("i") else type_
                found = any_of(type_, causes)
                assert isinstance(found, Number), "an integer gives an integer"
                return replace(found, exact=_wrapping(name, receiver, arguments))
    raise CannotSay(f"the method {name}")


def _wrapping(name: str, receiver: Number, arguments: list[Value]) -> int | None:
    """What it is in this state, where that is known."""
    sign = _WRAPPING.get(name)
    if sign is None or receiver.exact is None or receiver.type is None:
        return None
    other = arguments[0] if len(arguments) == 1 else None
    if not isinstance(other, Number) or other.exact is None:
        return None
    return wrapped(_EXACT[sign](receiver.exact, other.exact), receiver.type)
