"""Expressions of Rust, told in the order in which they are evaluated.

Those of stories and of the programs around them: what a name stands for, and who is called, is
theirs to say.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING

from harness.outcome import Span
from harness.retelling import arithmetic, values as v
from harness.retelling.allocations import call_of_memory, is_memory_call, method_of_layout
from harness.retelling.atomics import atomic_at, is_atomic, method_of_atomic
from harness.retelling.pointers import call_of_pointers, is_pointer_call, method_of_pointer
from harness.retelling.values import Address, Atomic, CannotSay, Layout, Number, Unit, Value

if TYPE_CHECKING:
    from harness._native import RustTerm
    from harness.retelling.draft import Draft

_IDLE = ("std::hint::spin_loop", "core::hint::spin_loop")
_FENCES = (
    "std::sync::atomic::fence",
    "std::sync::atomic::compiler_fence",
    "core::sync::atomic::fence",
    "core::sync::atomic::compiler_fence",
)
"""What orders the accesses of several threads: of one alone it says nothing."""


@cache
def terms(text: str) -> tuple[RustTerm, ...]:
    """The statements of a piece of Rust. Raises: RustError."""
    from harness._native import rust_terms

    return tuple(rust_terms(text))


@dataclass(slots=True, kw_only=True)
class Expressions:
    """text: what places are in. statics: those that are plain numbers.

    known: by their names, the variables that have a value.
    """

    text: str
    draft: Draft
    statics: Mapping[str, Address]
    known: dict[str, Value]

    # What differs

    def missing(self, term: RustTerm) -> Value:
        """A name that is no variable and no static."""
        raise CannotSay(f"the name {term.text}", term)

    def call_other(self, term: RustTerm) -> Value:
        """Call what is no function of the library."""
        raise CannotSay(f"the function {term.text}", term)

    def macro(self, term: RustTerm) -> Value:
        raise CannotSay(f"the macro {term.text}!", term)

    def borrow(self, term: RustTerm) -> Value:
        """A borrow of what is no raw pointer's place and no static."""
        if term.text.startswith("&raw"):
            raise CannotSay("a pointer to a variable of its own", term)
        raise CannotSay("a reference", term)

    def dereferenced(self, value: Value, term: RustTerm) -> Value:
        """`*` of what is no raw pointer."""
        raise CannotSay("what is dereferenced there", term)

    def part(self, term: RustTerm) -> Value:
        """A field or an element."""
        raise CannotSay("a part of a variable", term)

    # Values

    def span_of(self, term: RustTerm) -> Span:
        return Span(file=self.text, line=term.line, column=term.column)

    def value(self, term: RustTerm) -> Value:
        """What an expression comes to, told as far as it looks at memory.

        Raises: CannotSay, with its place.
        """
        with self.placed(term):
            return self._value(term)

    def address(self, term: RustTerm) -> Address:
        """As `value`, of a raw pointer."""
        found = self.value(term)
        if not isinstance(found, Address):
            raise CannotSay("what is no raw pointer there", term)
        return found

    def number(self, term: RustTerm) -> int:
        """As `value`, of a number that is known."""
        found = self.value(term)
        if not isinstance(found, Number) or found.exact is None:
            raise CannotSay("how far or how much, as it may be any number", term)
        return found.exact

    def layout(self, term: RustTerm) -> Layout:
        """As `value`, of a layout."""
        found = self.value(term)
        if not isinstance(found, Layout):
            raise CannotSay("what is no layout there", term)
        return found

    @contextmanager
    def placed(self, term: RustTerm) -> Iterator[None]:
        """What cannot be said inside is said of the term, unless it has a place."""
        try:
            yield
        except CannotSay as said:
            if said.span is None:
                raise CannotSay(said.what, span=self.span_of(said.term or term)) from None
            raise

    def _value(self, term: RustTerm) -> Value:
        tell = _TELL.get(term.kind)
        if tell is None:
            raise CannotSay(term.text if term.kind == "unsaid" else "such an expression")
        return tell(self, term)

    def _name(self, term: RustTerm) -> Value:
        name = term.text
        if name in self.known:
            return self.known[name]
        type_, _, what = name.rpartition("::")
        if v.is_integer(type_) and what in ("MIN", "MAX", "BITS"):
            low, high = v.limits(type_)
            if what == "BITS":
                return v.literal((high - low).bit_length(), "u32")
            return v.literal(low if what == "MIN" else high, type_)
        if name in self.statics:
            return self.load(self.statics[name], aligned=True)
        return self.missing(term)

    def _tuple(self, term: RustTerm) -> Value:
        parts = [self.value(each) for each in term.parts]
        return Unit(hangs_on=v.NOTHING.union(*(each.hangs_on for each in parts)))

    def _cast(self, term: RustTerm) -> Value:
        return self.cast(self.value(term.parts[0]), term.written or "")

    def cast(self, value: Value, type_: str) -> Value:
        pointee = next(
            (type_.removeprefix(word) for word in _POINTERS if type_.startswith(word)), None
        )
        if isinstance(value, Address):
            if pointee is not None:
                return replace(value, pointee=None if pointee == "_" else pointee)
            return v.cast(self.draft.expose(value), type_)
        if pointee is not None and isinstance(value, Number):
            return self.draft.from_exposed(value, None if pointee == "_" else pointee)
        return v.cast(value, type_)

    def _unary(self, term: RustTerm) -> Value:
        value = self.value(term.parts[0])
        if term.text != "*":
            return arithmetic.negated(term.text, value)
        if isinstance(value, Address):
            return self.load(value, aligned=True)
        return self.dereferenced(value, term)

    def _binary(self, term: RustTerm) -> Value:
        left, right = (self.value(each) for each in term.parts)
        return arithmetic.binary(term.text, left, right)

    def method(self, term: RustTerm) -> Value:
        receiver = self.value(term.parts[0])
        match receiver:
            case Address():
                return method_of_pointer(self, term.text, receiver, term)
            case Atomic():
                return method_of_atomic(self, term.text, receiver, term)
            case Layout():
                return method_of_layout(term.text, receiver)
        return arithmetic.method(term.text, receiver, [self.value(each) for each in term.parts[1:]])

    def _call(self, term: RustTerm) -> Value:
        name = term.text
        if name == "any" and not term.parts:
            return v.Open(hangs_on=frozenset((v.Cause.CHOICE,)))
        if name == "any_where" and len(term.parts) == 1:
            self._check_closure(term.parts[0])
            return v.Open(hangs_on=frozenset((v.Cause.SELECTION,)))
        if name in _IDLE or name in _FENCES:
            # Whether a fence may be there at all is decided by its name.
            return Unit()
        if is_pointer_call(name):
            return call_of_pointers(self, name, term)
        if is_memory_call(name):
            return call_of_memory(self, name, term)
        if is_atomic(name):
            return atomic_at(self, name, term)
        type_, _, what = name.rpartition("::")
        if what == "from" and v.is_integer(type_) and len(term.parts) == 1:
            return v.cast(self.value(term.parts[0]), type_)
        return self.call_other(term)

    def _check_closure(self, closure: RustTerm) -> None:
        """What decides on a choice must not look at memory. Raises: CannotSay."""
        for each in closure.parts:
            seen = self.known.get(each.text)
            if each.kind == "unsaid" or each.text in self.statics or isinstance(seen, Address):
                raise CannotSay("a choice that hangs on memory", each)
        if closure.kind != "closure":
            raise CannotSay("a choice by a function", closure)

    def _borrow(self, term: RustTerm) -> Value:
        """`&raw` of a static, or of what a raw pointer points to: that pointer."""
        (place,) = term.parts
        if term.text.startswith("&raw"):
            if place.kind == "unary" and place.text == "*":
                found = self.value(place.parts[0])
                if isinstance(found, Address):
                    return found
            elif place.text in self.statics and place.text not in self.known:
                return self.statics[place.text]
        return self.borrow(term)

    def _last(self, term: RustTerm) -> Value:
        """The value of a block that is one expression."""
        if len(term.parts) != 1:
            raise CannotSay("a block that is more than one expression")
        return self.value(term.parts[0])

    def _branch(self, term: RustTerm) -> Value:
        """Two ways of computing a value, neither of which looks at memory or assigns."""
        condition = self.value(term.parts[0])
        before, known = len(self.draft.statements), dict(self.known)
        ways = [self.value(each) for each in term.parts[1:]]
        if len(ways) < 2 or len(self.draft.statements) != before or self.known != known:
            raise CannotSay("a branch")
        return v.joined(ways, condition.hangs_on)

    # Memory

    def load(self, address: Address, *, aligned: bool) -> Value:
        self.draft.read(address, aligned=aligned)
        assert address.pointee is not None, "what is read has a size"
        return v.any_of(address.pointee, frozenset((v.Cause.MEMORY,)))

    def store(self, address: Address, value: Value, *, aligned: bool) -> None:
        exact = value.exact if isinstance(value, Number) else None
        self.draft.write(address, exact or 0, aligned=aligned)

    def wanted(self, value: Value, type_: str, term: RustTerm) -> Value:
        """The value where one of the type is wanted."""
        with self.placed(term):
            if isinstance(value, Address) and value.pointee is None:
                return self.cast(value, type_)
            return v.typed(value, type_)


def number_of(term: RustTerm) -> int:
    """The number that the term is. Raises: CannotSay."""
    if len(term.text) > _DIGITS:
        raise CannotSay("so large a number")
    return int(term.text)


_DIGITS = 39
"""Of the largest integer that Rust has."""

_POINTERS = ("*mut ", "*const ", "*_ ")

_TELL: dict[str, Callable[[Expressions, RustTerm], Value]] = {
    "name": Expressions._name,
    "number": lambda _, term: v.literal(number_of(term), term.written),
    "float": lambda _, term: v.any_of(term.written or "f64"),
    "tuple": Expressions._tuple,
    "cast": Expressions._cast,
    "unary": Expressions._unary,
    "binary": Expressions._binary,
    "method": lambda scope, term: scope.method(term),
    "call": Expressions._call,
    "borrow": Expressions._borrow,
    "block": Expressions._last,
    "if": Expressions._branch,
    "macro": lambda scope, term: scope.macro(term),
    "field": lambda scope, term: scope.part(term),
    "index": lambda scope, term: scope.part(term),
}
"""What each kind of expression comes to."""
