"""Values in a story, as far as they decide anything: a number's range, what a pointer points to.

What is computed matters to the abstract machine only where it says how much memory is accessed,
and where. That Rust panics on an overflow is nothing that the pointer language can say, so that
arithmetic which might overflow is not retold.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from harness.story.block import SCALARS

if TYPE_CHECKING:
    from harness._native import RustTerm
    from harness.outcome import Span


class CannotSay(Exception):
    """What the pointer language cannot say of a story.

    term, span: where; None until that is known, and where it is no single place. A span has the
    text that it is in.
    """

    def __init__(self, what: str, term: RustTerm | None = None, span: Span | None = None) -> None:
        self.what = what
        self.term = term
        self.span = span
        super().__init__(what)


class Cause(StrEnum):
    """What a value hangs on, beside the story's inputs.

    CHOICE: `any()`, which is another value each time. SELECTION: `any_where`, which may leave
    only one. MEMORY: what was read.
    """

    CHOICE = "choice"
    SELECTION = "selection"
    MEMORY = "memory"


NOTHING: frozenset[Cause] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Number:
    """An integer or a truth value.

    type: as Rust has it; None for a literal whose type is not known yet.
    low, high: what it may be in any state. exact: what it is in this one; None if that is open.
    variable: of the pointer program, which holds it; None if none does.
    """

    type: str | None
    low: int
    high: int
    exact: int | None = None
    variable: str | None = None
    hangs_on: frozenset[Cause] = NOTHING


@dataclass(frozen=True, slots=True, kw_only=True)
class Opaque:
    """A floating-point number or a vector, of which nothing is known."""

    type: str
    hangs_on: frozenset[Cause] = NOTHING


@dataclass(frozen=True, slots=True, kw_only=True)
class Open:
    """What `any()` or `any_where` gives: of whatever type it is wanted."""

    hangs_on: frozenset[Cause]


@dataclass(frozen=True, slots=True, kw_only=True)
class Perhaps:
    """An `Option` of an integer. inner: the type of what may be in it."""

    inner: str
    hangs_on: frozenset[Cause] = NOTHING


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """A raw pointer. variable: of the pointer program. size: of what that points to, in bytes.

    pointee: the type that it points to in Rust; None where the context would say.
    is_static: whether it points to a static.
    """

    variable: str
    size: int
    pointee: str | None
    is_static: bool = False
    hangs_on: frozenset[Cause] = NOTHING


@dataclass(frozen=True, slots=True, kw_only=True)
class Atomic:
    """A reference to an atomic integer. variable: of the pointer program. type: of the integer."""

    variable: str
    type: str
    is_static: bool
    hangs_on: frozenset[Cause] = NOTHING


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """How much the allocator is asked for, in bytes."""

    size: int
    align: int
    hangs_on: frozenset[Cause] = NOTHING


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """No value, or several that nobody looks at."""

    hangs_on: frozenset[Cause] = NOTHING


@dataclass(frozen=True, slots=True, kw_only=True)
class Bytes:
    """A struct of an array of bytes. type: its name. byte: each of them. align: of the whole."""

    type: str
    size: int
    byte: int
    align: int
    hangs_on: frozenset[Cause] = NOTHING


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A variable that is in memory, or what a reference refers to.

    variable: of the pointer program, a local or a reference. size, align: in bytes.
    type: as Rust has it. at: the byte that alone is meant; None for all of it.
    """

    variable: str
    size: int
    align: int
    type: str | None
    is_local: bool
    is_unique: bool = True
    at: int | None = None
    hangs_on: frozenset[Cause] = NOTHING


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """A reference to a place, whose variable it is."""

    place: Place
    hangs_on: frozenset[Cause] = NOTHING


Value = (
    Number | Opaque | Open | Perhaps | Address | Atomic | Layout | Bytes | Place | Reference | Unit
)

BOOL = "bool"

_LIMITS = {
    **{
        f"{sign}{bits}": (
            (0, (1 << int(width)) - 1)
            if sign == "u"
            else (-(1 << int(width) - 1), (1 << int(width) - 1) - 1)
        )
        for sign in "ui"
        for bits, width in (*((n, n) for n in ("8", "16", "32", "64")), ("size", "64"))
    },
    BOOL: (0, 1),
}


def limits(type_: str | None) -> tuple[int, int]:
    """The smallest and the largest number of a type. Raises: CannotSay."""
    found = _LIMITS.get(type_ or "")
    if found is None:
        raise CannotSay(f"a number of the type {type_}" if type_ else "a number of an open type")
    return found


def is_integer(type_: str | None) -> bool:
    return type_ in _LIMITS


def any_of(type_: str, hangs_on: frozenset[Cause] = NOTHING) -> Number | Opaque:
    """Any value of a type. Raises: CannotSay."""
    if type_ in SCALARS and not is_integer(type_):
        return Opaque(type=type_, hangs_on=hangs_on)
    low, high = limits(type_)
    return Number(type=type_, low=low, high=high, hangs_on=hangs_on)


def literal(number: int, type_: str | None) -> Number | Opaque:
    """Raises: CannotSay."""
    if type_ is not None and not is_integer(type_):
        return any_of(type_)
    return Number(type=type_, low=number, high=number, exact=number)


def typed(value: Value, type_: str) -> Value:
    """The value where one of the type is wanted: a literal, or what is left open, becomes one.

    Raises: CannotSay.
    """
    match value:
        case Open():
            return any_of(type_, value.hangs_on)
        case Number(type=None) if is_integer(type_):
            return replace(value, type=type_)
    return value


def cast(value: Value, type_: str) -> Value:
    """`value as type_`, of a number. Raises: CannotSay."""
    if not isinstance(value, Number | Opaque):
        raise CannotSay(f"a cast to {type_}")
    if isinstance(value, Opaque) or not is_integer(type_):
        return any_of(type_, value.hangs_on)
    low, high = limits(type_)
    if low <= value.low and value.high <= high:
        return replace(value, type=type_)
    exact = None if value.exact is None else _wrapped(value.exact, type_)
    return Number(type=type_, low=low, high=high, exact=exact, hangs_on=value.hangs_on)


def _wrapped(number: int, type_: str) -> int:
    low, high = limits(type_)
    return (number - low) % (high - low + 1) + low


def joined(first: Value, second: Value, also: frozenset[Cause]) -> Value:
    """One of two values, and it hangs on `also` which. Raises: CannotSay."""
    causes = first.hangs_on | second.hangs_on | also
    if isinstance(first, Opaque) and isinstance(second, Opaque):
        return replace(first, hangs_on=causes)
    if not (isinstance(first, Number) and isinstance(second, Number)):
        raise CannotSay("a branch")
    return Number(
        type=first.type or second.type,
        low=min(first.low, second.low),
        high=max(first.high, second.high),
        exact=first.exact if first.exact == second.exact else None,
        hangs_on=causes,
    )


# Operators

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
    shifts = sign in ("<<", ">>")
    type_ = left.type if shifts else left.type or right.type
    if sign in _COMPARISONS:
        known = None
        if left.exact is not None and right.exact is not None:
            known = int(_COMPARISONS[sign](left.exact, right.exact))
        return Number(type=BOOL, low=0, high=1, exact=known, hangs_on=causes)
    low, high = _range(sign, left, right, type_)
    exact = None
    if left.exact is not None and right.exact is not None:
        exact = _EXACT[sign](left.exact, right.exact)
        exact = _wrapped(exact, type_) if sign == "<<" and type_ else exact
    return Number(type=type_, low=low, high=high, exact=exact, hangs_on=causes)


def _of_floats(sign: str, left: Value, right: Value, causes: frozenset[Cause]) -> Value:
    if not (isinstance(left, Opaque) and isinstance(right, Opaque) and left.type == right.type):
        raise CannotSay(f"the operator {sign} on different types")
    if sign in _COMPARISONS:
        return Number(type=BOOL, low=0, high=1, hangs_on=causes)
    return Opaque(type=left.type, hangs_on=causes)


def _range(sign: str, left: Number, right: Number, type_: str | None) -> tuple[int, int]:
    """What the result may be in any state. Raises: CannotSay, where one of them panics."""
    if sign in "/%":
        if right.low <= 0 <= right.high:
            raise CannotSay("a division that may be by zero, and so a panic")
        if right.low <= -1 <= right.high and (type_ is None or left.low == limits(type_)[0]):
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
            if type_ is not None and not limits(type_)[0] <= low <= high <= limits(type_)[1]:
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
    return _wrapped(_EXACT[sign](receiver.exact, other.exact), receiver.type)
