"""Values in a story, as far as they decide anything: a number's range, what a pointer points to.

What is computed matters to the abstract machine only where it says how much memory is accessed,
and where. That Rust panics on an overflow is nothing that the pointer language can say, so that
arithmetic which might overflow is not retold.
"""

from __future__ import annotations

from collections.abc import Sequence
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
            low, high = limits(type_)
            if not low <= value.low <= value.high <= high:
                raise CannotSay(f"a number that no {type_} can be")
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
    exact = None if value.exact is None else wrapped(value.exact, type_)
    return Number(type=type_, low=low, high=high, exact=exact, hangs_on=value.hangs_on)


def wrapped(number: int, type_: str) -> int:
    low, high = limits(type_)
    return (number - low) % (high - low + 1) + low


def joined(ways: Sequence[Value], also: frozenset[Cause]) -> Value:
    """One of several values, and it hangs on `also` which. Raises: CannotSay."""
    causes = also.union(*(each.hangs_on for each in ways))
    first = ways[0]
    if isinstance(first, Opaque) and all(isinstance(each, Opaque) for each in ways):
        return replace(first, hangs_on=causes)
    numbers = [each for each in ways if isinstance(each, Number)]
    if len(numbers) < len(ways):
        raise CannotSay("a branch")
    exact = {each.exact for each in numbers}
    return Number(
        type=next((each.type for each in numbers if each.type), None),
        low=min(each.low for each in numbers),
        high=max(each.high for each in numbers),
        exact=exact.pop() if len(exact) == 1 else None,
        hangs_on=causes,
    )
