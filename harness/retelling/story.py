"""A story as statements of the pointer language, one state at a time.

What rustc would refuse (a name that is not there, an operand that must not be assigned to, one
that is not written) is a breach; what the language has no words for is `CannotSay`, with its
place.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from typing import TYPE_CHECKING

from harness.outcome import FaultKind, Location, Span, UndefinedBehaviour
from harness.retelling import values as v
from harness.retelling.pointers import call_of_pointers, is_pointer_call, method_of_pointer
from harness.retelling.values import Address, CannotSay, Number, Unit, Value

if TYPE_CHECKING:
    from harness._native import RustTerm
    from harness.retelling.draft import Draft
    from harness.story.block import Block, Operand

_ENDS = {("call", "std::process::exit"), ("call", "std::process::abort"), ("macro", "panic")}
"""What never returns; the last of them is caught by whoever tells the story."""

_IDLE = ("std::hint::spin_loop", "core::hint::spin_loop")
_FENCES = (
    "std::sync::atomic::fence",
    "std::sync::atomic::compiler_fence",
    "core::sync::atomic::fence",
    "core::sync::atomic::compiler_fence",
)
"""What orders the accesses of several threads: of one alone it says nothing."""


class Breach(Exception):
    """The story breaks a rule before it does anything."""

    def __init__(self, outcome: UndefinedBehaviour) -> None:
        self.outcome = outcome
        super().__init__(outcome.message)


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a story comes to: its outputs, in the order of the operands."""

    outputs: tuple[Value, ...]


@cache
def terms(text: str) -> tuple[RustTerm, ...]:
    """The statements of a story. Raises: RustError."""
    from harness._native import rust_terms

    return tuple(rust_terms(text))


def span_of(block: str, term: RustTerm) -> Span:
    return Span(file=block, line=term.line, column=term.column)


def tell(
    block: Block, inputs: Mapping[str, Value], statics: Mapping[str, Address], draft: Draft
) -> Told:
    """Tell the block's story once, at the end of the draft.

    inputs: the operands that go in. statics: those that it touches, and that are plain numbers.

    Raises: CannotSay, Breach.
    """
    scope = _Scope(block=block, draft=draft, statics=statics, known=dict(inputs))
    try:
        found = scope.tell(terms(block.story))
    except CannotSay as said:
        span = None if said.term is None else span_of(block.name, said.term)
        raise CannotSay(said.what, said.term, span) from None
    draft.span = None
    return found


@dataclass(slots=True)
class _Scope:
    """known: by their names, the variables that have a value. depth: of braces.

    pending: the first breach of the second rule; that a name is missing rustc says before.
    """

    block: Block
    draft: Draft
    statics: Mapping[str, Address]
    known: dict[str, Value]
    locals: set[str] = field(default_factory=set)
    pending: UndefinedBehaviour | None = None
    imports: bool = False
    depth: int = 0

    def tell(self, statements: Sequence[RustTerm]) -> Told:
        ended = any(self._statement(each) for each in statements)
        block = self.block
        if not block.returns:
            if not ended:
                last = Span(file=block.name, line=1, column=1)
                raise Breach(_breach(FaultKind.NORETURN, "the story returns", block, last))
            return Told(outputs=())
        if self.pending is None:
            missing = [each for each in block.outputs if each.name not in self.known]
            if missing:
                said = f"`{missing[0].name}` is not written"
                end = Span(file=block.name, line=block.story.count("\n") + 1, column=1)
                self.pending = _breach(FaultKind.OUT_OPERAND, said, block, end)
        if self.pending is not None:
            raise Breach(self.pending)
        outputs = [v.typed(self.known[each.name], each.type) for each in block.outputs]
        return Told(outputs=tuple(outputs))

    # Statements

    def _statement(self, term: RustTerm) -> bool:
        """Tell one; whether it never returns."""
        self.draft.span = span_of(self.block.name, term)
        match term.kind:
            case "use":
                self.imports = True
            case "let":
                value = self.value(term.parts[0])
                if term.written is not None:
                    value = self._wanted(value, term.written, term)
                if term.text != "_":
                    self._declare(term, value)
            case "assign":
                with self._placed(term):
                    self._assign(term)
            case "call" | "macro" if (term.kind, term.text) in _ENDS:
                if term.kind == "call":
                    for each in term.parts:
                        self.value(each)
                if self.block.returns:
                    raise CannotSay(f"an end of the program ({term.text})", term)
                return True
            case "block":
                return self._block(term)
            case _:
                self.value(term)
        return False

    def _declare(self, term: RustTerm, value: Value) -> None:
        name = term.text
        hides = name in self.known or name in self.statics or self._operand(name) is not None
        if hides and self.depth:
            raise CannotSay("a variable that hides another until its block ends", term)
        self.known[name] = value
        self.locals.add(name)

    def _block(self, term: RustTerm) -> bool:
        """Statements in braces, whose variables go with them."""
        before = set(self.locals)
        self.depth += 1
        # Nothing is told after one that never returns.
        ended = any(self._statement(each) for each in term.parts)
        self.depth -= 1
        for name in self.locals - before:
            del self.known[name]
        self.locals = before
        return ended

    def _assign(self, term: RustTerm) -> None:
        place, given = term.parts
        value = self.value(given)
        if place.kind == "unary" and place.text == "*":
            address = self.address(place.parts[0])
            if term.text:
                old = self._load(address, aligned=True)
                value = v.binary(term.text, old, value)
            self._store(address, value, aligned=True)
            return
        if place.kind != "name":
            raise CannotSay("an assignment to such a place", place)
        name = place.text
        if name in self.statics and name not in self.locals:
            static = self.statics[name]
            if term.text:
                value = v.binary(term.text, self._load(static, aligned=True), value)
            self._store(static, value, aligned=True)
            return
        operand = self._operand(name)
        if operand is not None:
            self._check_assigned(operand, place)
        elif name not in self.locals:
            raise Breach(self._unknown(place))
        if term.text:
            value = v.binary(term.text, self.value(place), value)
        if operand is not None:
            value = self._wanted(value, operand.type, term)
        self.known[name] = value

    def _check_assigned(self, operand: Operand, place: RustTerm) -> None:
        """An `in` operand stays, and one that only goes out is written once, as by `let x;`."""
        is_first = operand.is_output and operand.name not in self.known
        if operand.is_output and (operand.access.is_read or is_first):
            return
        said = f"`{operand.name}` cannot be assigned to"
        if self.pending is None:
            span = span_of(self.block.name, place)
            self.pending = _breach(FaultKind.IN_OPERAND, said, self.block, span)

    def _operand(self, name: str) -> Operand | None:
        if name in self.locals:
            return None
        return next((each for each in self.block.operands if each.name == name), None)

    # Values

    def value(self, term: RustTerm) -> Value:
        """What an expression comes to, told as far as it looks at memory.

        Raises: CannotSay, with its place; Breach.
        """
        with self._placed(term):
            return self._value(term)

    def address(self, term: RustTerm) -> Address:
        """As `value`, of a raw pointer."""
        found = self.value(term)
        if not isinstance(found, Address):
            raise CannotSay("what is dereferenced there", term)
        return found

    def number(self, term: RustTerm) -> int:
        """As `value`, of a number that is known."""
        found = self.value(term)
        if not isinstance(found, Number) or found.exact is None:
            raise CannotSay("how far or how much, as it may be any number", term)
        return found.exact

    @contextmanager
    def _placed(self, term: RustTerm) -> Iterator[None]:
        """What cannot be said inside is said of the term."""
        try:
            yield
        except CannotSay as said:
            if said.term is None:
                raise CannotSay(said.what, term) from None
            raise

    def _value(self, term: RustTerm) -> Value:
        match term.kind:
            case "unsaid":
                raise CannotSay(term.text)
            case "name":
                return self._name(term)
            case "number":
                return v.literal(int(term.text), term.written)
            case "float":
                return v.any_of(term.written or "f64")
            case "tuple":
                parts = [self.value(each) for each in term.parts]
                return Unit(hangs_on=v.NOTHING.union(*(each.hangs_on for each in parts)))
            case "cast":
                return self._cast(self.value(term.parts[0]), term.written or "")
            case "unary" if term.text == "*":
                return self._load(self.address(term.parts[0]), aligned=True)
            case "unary":
                return v.negated(term.text, self.value(term.parts[0]))
            case "binary":
                left, right = (self.value(each) for each in term.parts)
                return v.binary(term.text, left, right)
            case "method":
                return self._method(term)
            case "call":
                return self._call(term)
            case "borrow" if term.text.startswith("&raw"):
                return self._borrow(term.parts[0])
            case "block" if len(term.parts) == 1:
                return self.value(term.parts[0])
            case "if":
                return self._branch(term)
            case "macro":
                raise CannotSay(f"the macro {term.text}!")
            case "assign" | "let":
                raise CannotSay("a statement as a value")
            case "borrow":
                raise CannotSay("a reference")
        raise CannotSay("such an expression")

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
            return self._load(self.statics[name], aligned=True)
        operand = self._operand(name)
        if operand is not None:
            if self.pending is None:
                said, span = f"`{name}` is not written yet", span_of(self.block.name, term)
                self.pending = _breach(FaultKind.OUT_OPERAND, said, self.block, span)
            return v.any_of(operand.type)
        if name.isidentifier() and name[0].islower() and not self.imports:
            raise Breach(self._unknown(term))
        raise CannotSay(f"the name {name}")

    def _unknown(self, term: RustTerm) -> UndefinedBehaviour:
        said = f"there is no `{term.text}` among what it is given"
        span = span_of(self.block.name, term)
        return _breach(FaultKind.REACHES_OUT, said, self.block, span, rule=1)

    def _cast(self, value: Value, type_: str) -> Value:
        if not isinstance(value, Address):
            return v.cast(value, type_)
        for word in ("*mut ", "*const ", "*_ "):
            if type_.startswith(word):
                pointee = type_.removeprefix(word)
                return replace(value, pointee=None if pointee == "_" else pointee)
        raise CannotSay("a pointer as an address")

    def _method(self, term: RustTerm) -> Value:
        receiver = self.value(term.parts[0])
        if isinstance(receiver, Address):
            return method_of_pointer(self, term.text, receiver, term)
        return v.method(term.text, receiver, [self.value(each) for each in term.parts[1:]])

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
        type_, _, what = name.rpartition("::")
        if what == "from" and v.is_integer(type_) and len(term.parts) == 1:
            return v.cast(self.value(term.parts[0]), type_)
        raise CannotSay(f"the function {name}")

    def _check_closure(self, closure: RustTerm) -> None:
        """What decides on a choice must not look at memory. Raises: CannotSay."""
        for each in closure.parts:
            seen = self.known.get(each.text)
            if each.kind == "unsaid" or each.text in self.statics or isinstance(seen, Address):
                raise CannotSay("a choice that hangs on memory", each)
        if closure.kind != "closure":
            raise CannotSay("a choice by a function", closure)

    def _borrow(self, place: RustTerm) -> Value:
        """`&raw` of a static, or of what a raw pointer points to: that pointer."""
        if place.kind == "unary" and place.text == "*":
            return self.address(place.parts[0])
        if place.kind == "name" and place.text in self.statics and place.text not in self.locals:
            return self.statics[place.text]
        raise CannotSay("a pointer to a variable of its own", place)

    def _branch(self, term: RustTerm) -> Value:
        """Two ways of computing a value, neither of which looks at memory or assigns."""
        condition = self.value(term.parts[0])
        before, known = len(self.draft.statements), dict(self.known)
        ways = [self.value(each) for each in term.parts[1:]]
        if len(self.draft.statements) != before or self.known != known:
            raise CannotSay("a branch")
        return v.joined(ways[0], ways[1], condition.hangs_on)

    # Memory

    def _load(self, address: Address, *, aligned: bool) -> Value:
        self.draft.read(address, aligned=aligned)
        assert address.pointee is not None, "what is read has a size"
        return v.any_of(address.pointee, frozenset((v.Cause.MEMORY,)))

    def _store(self, address: Address, value: Value, *, aligned: bool) -> None:
        exact = value.exact if isinstance(value, Number) else None
        self.draft.write(address, exact or 0, aligned=aligned)

    load = _load
    store = _store

    def _wanted(self, value: Value, type_: str, term: RustTerm) -> Value:
        """The value where one of the type is wanted."""
        if isinstance(value, Address) and value.pointee is None:
            return self._cast(value, type_)
        with self._placed(term):
            return v.typed(value, type_)


def _breach(
    kind: FaultKind, said: str, block: Block, span: Span, *, rule: int = 2
) -> UndefinedBehaviour:
    return UndefinedBehaviour(
        rule=rule, kind=kind, message=f"{block.name}: {said}", location=Location(span=span)
    )
