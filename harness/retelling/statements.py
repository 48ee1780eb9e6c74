"""Statements of Rust, told one after the other."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from harness.retelling import arithmetic, values as v
from harness.retelling.expressions import Expressions
from harness.retelling.values import Address, CannotSay, Value

if TYPE_CHECKING:
    from harness._native import RustTerm

ENDS = {("call", "std::process::exit"), ("call", "std::process::abort"), ("macro", "panic")}
"""What never returns; the last of them is caught by whoever tells the story."""


@dataclass(slots=True, kw_only=True)
class Statements(Expressions):
    """locals: the variables that are declared here.

    perhaps: those that only some ways so far have assigned to.
    imports: whether names come from elsewhere. depth: of braces.
    """

    locals: set[str] = field(default_factory=set)
    perhaps: set[str] = field(default_factory=set)
    imports: bool = False
    depth: int = 0

    # What differs

    def assign_variable(self, term: RustTerm, value: Value) -> None:
        """Assign to a variable. term: the whole assignment."""
        # Operands and the variables of a program have rules of their own; nothing else is told.
        raise NotImplementedError

    def assign_elsewhere(self, place: RustTerm, operator: str, value: Value) -> None:
        """Assign to a place that is neither a variable nor behind a raw pointer."""
        raise CannotSay("an assignment to such a place", place)

    def end(self, term: RustTerm) -> None:
        """What never returns is called."""
        raise CannotSay(f"an end of the program ({term.text or 'a loop'})", term)

    def declared(self, term: RustTerm, value: Value) -> Value:
        """What a variable is that is declared with a value."""
        return value

    def is_operand(self, name: str) -> bool:
        """Whether the name means something before it has a value."""
        return False

    # What is the same

    def statement(self, term: RustTerm) -> bool:
        """Tell one; whether it never returns. Raises: CannotSay, with its place."""
        self.draft.span = self.span_of(term)
        with self.placed(term):
            return self.statement_of(term)

    def statement_of(self, term: RustTerm) -> bool:
        """As `statement`."""
        match term.kind:
            case "use":
                self.imports = True
            case "let" if term.text == "_" and self._mentions(term.parts[0]):
                pass
            case "let":
                value = self.value(term.parts[0])
                if term.written is not None:
                    value = self.wanted(value, term.written, term)
                if term.text != "_":
                    self._declare(term, self.declared(term, value))
            case "assign":
                self._assign(term)
            case "call" | "macro" if (term.kind, term.text) in ENDS:
                if term.kind == "call":
                    for each in term.parts:
                        self.value(each)
                self.end(term)
                return True
            case "block":
                return self._block(term)
            case "if":
                return self._conditional(term)
            case "loop":
                self._endless(term)
                return True
            case _:
                self.value(term)
        return False

    def _mentions(self, term: RustTerm) -> bool:
        """Whether a place is named, which is not looked at: of that only the way to it is told."""
        match term.kind:
            case "unary" if term.text == "*":
                if not self._mentions(term.parts[0]):
                    self.value(term.parts[0])
                return True
            case "field":
                return self._mentions(term.parts[0])
            case "index" if self._mentions(term.parts[0]):
                self.value(term.parts[1])
                return True
            case "name":
                named = term.text in self.known or term.text in self.statics
                return named or self.is_operand(term.text)
        return False

    def _declare(self, term: RustTerm, value: Value) -> None:
        name = term.text
        hides = name in self.known or name in self.statics or self.is_operand(name)
        if hides and self.depth:
            raise CannotSay("a variable that hides another until its block ends")
        self.known[name] = value
        self.locals.add(name)

    def _block(self, term: RustTerm) -> bool:
        """Statements in braces, whose variables go with them."""
        before = set(self.locals)
        self.depth += 1
        # Nothing is told after one that never returns.
        ended = any(self.statement(each) for each in term.parts)
        self.depth -= 1
        for name in self.locals - before:
            del self.known[name]
        self.locals = before
        return ended

    def _conditional(self, term: RustTerm) -> bool:
        """Ways of which none looks at memory: what all of them assign to is one of its values."""
        condition = self.value(term.parts[0])
        told, before = len(self.draft.statements), dict(self.known)
        ways = [] if len(term.parts) > 2 else [before]
        for each in term.parts[1:]:
            self.known = dict(before)
            if not self.statement(each):
                ways.append(self.known)
        if len(self.draft.statements) != told:
            raise CannotSay("a branch")
        if not ways:
            return True
        first, *others = ways
        self.known = {name: first[name] for name in first if all(name in each for each in others)}
        self.perhaps |= set().union(*ways) - set(self.known)
        for name, value in self.known.items():
            if any(each[name] != value for each in others):
                self.known[name] = v.joined([each[name] for each in ways], condition.hangs_on)
        return False

    def _endless(self, term: RustTerm) -> None:
        """A loop that nothing ends, and that does not look at memory."""
        told = len(self.draft.statements)
        if any(self.statement(each) for each in term.parts):
            return
        if len(self.draft.statements) != told:
            raise CannotSay("a loop")
        self.end(term)

    def _assign(self, term: RustTerm) -> None:
        place, given = term.parts
        value = self.value(given)
        if place.kind == "unary" and place.text == "*":
            target = self.value(place.parts[0])
            if isinstance(target, Address):
                self._change(target, term.text, value)
                return
            self.assign_elsewhere(place, term.text, value)
        elif place.kind != "name":
            self.assign_elsewhere(place, term.text, value)
        elif place.text in self.statics and place.text not in self.locals:
            self._change(self.statics[place.text], term.text, value)
        else:
            self.assign_variable(term, value)

    def _change(self, address: Address, operator: str, value: Value) -> None:
        if operator:
            value = arithmetic.binary(operator, self.load(address, aligned=True), value)
        self.store(address, value, aligned=True)
