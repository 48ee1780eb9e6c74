"""A story as statements of the pointer language, one state at a time.

What rustc would refuse (a name that is not there, an operand that must not be assigned to, one
that is not written) is a breach; what the language has no words for is `CannotSay`, with its
place.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.outcome import FaultKind, Location, Span, UndefinedBehaviour
from harness.retelling import arithmetic, values as v
from harness.retelling.expressions import terms
from harness.retelling.statements import Statements

if TYPE_CHECKING:
    from harness._native import RustTerm
    from harness.retelling.draft import Draft
    from harness.retelling.values import Address, Value
    from harness.story.block import Block, Operand


class Breach(Exception):
    """The story breaks a rule before it does anything."""

    def __init__(self, outcome: UndefinedBehaviour) -> None:
        self.outcome = outcome
        super().__init__(outcome.message)


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a story comes to: its outputs, in the order of the operands."""

    outputs: tuple[Value, ...]


def tell(
    block: Block, inputs: Mapping[str, Value], statics: Mapping[str, Address], draft: Draft
) -> Told:
    """Tell the block's story once, at the end of the draft.

    inputs: the operands that go in. statics: those that it touches, and that are plain numbers.

    Raises: CannotSay, Breach.
    """
    scope = _Scope(text=block.name, block=block, draft=draft, statics=statics, known=dict(inputs))
    before = draft.span
    found = scope.tell(terms(block.story))
    draft.span = before
    return found


@dataclass(slots=True, kw_only=True)
class _Scope(Statements):
    """Operands are its variables. pending: the first breach of the second rule; that a name is
    missing rustc says before."""

    block: Block
    pending: UndefinedBehaviour | None = None

    def tell(self, statements: Sequence[RustTerm]) -> Told:
        ended = any(self.statement(each) for each in statements)
        block = self.block
        if not block.returns:
            if not ended:
                whole = Span(file=block.name, line=1, column=1)
                raise Breach(self._breach(FaultKind.NORETURN, "the story returns", whole))
            return Told(outputs=())
        missing = [each for each in block.outputs if each.name not in self.known]
        if missing:
            last = Span(file=block.name, line=block.story.count("\n") + 1, column=1)
            self._note(FaultKind.OUT_OPERAND, f"`{missing[0].name}` is not written", last)
        if self.pending is not None:
            raise Breach(self.pending)
        outputs = [v.typed(self.known[each.name], each.type) for each in block.outputs]
        return Told(outputs=tuple(outputs))

    def end(self, term: RustTerm) -> None:
        if self.block.returns:
            Statements.end(self, term)

    def assign_variable(self, term: RustTerm, value: Value) -> None:
        place = term.parts[0]
        name = place.text
        operand = self._operand(name)
        if operand is not None:
            self._check_assigned(operand, place)
        elif name not in self.locals:
            raise Breach(self._unknown(place))
        if term.text:
            value = arithmetic.binary(term.text, self.value(place), value)
        self.known[name] = value if operand is None else self.wanted(value, operand.type, term)

    def _check_assigned(self, operand: Operand, place: RustTerm) -> None:
        """An `in` operand stays, and one that only goes out is written once, as by `let x;`."""
        is_first = operand.name not in self.known and operand.name not in self.perhaps
        if not operand.is_output or not (operand.access.is_read or is_first):
            said = f"`{operand.name}` cannot be assigned to"
            self._note(FaultKind.IN_OPERAND, said, self.span_of(place))

    def missing(self, term: RustTerm) -> Value:
        name = term.text
        operand = self._operand(name)
        if operand is not None:
            said = f"`{name}` is not written yet"
            self._note(FaultKind.OUT_OPERAND, said, self.span_of(term))
            return v.any_of(operand.type)
        if name.isidentifier() and name[0].islower() and not self.imports:
            raise Breach(self._unknown(term))
        # It may come from what every story sees: the prelude, or the processor's intrinsics.
        raise v.CannotSay(f"the name {name}", term)

    def is_operand(self, name: str) -> bool:
        return self._operand(name) is not None

    def _operand(self, name: str) -> Operand | None:
        if name in self.locals:
            return None
        return next((each for each in self.block.operands if each.name == name), None)

    def _note(self, kind: FaultKind, said: str, span: Span) -> None:
        self.pending = self.pending or self._breach(kind, said, span)

    def _unknown(self, term: RustTerm) -> UndefinedBehaviour:
        said = f"there is no `{term.text}` among what it is given"
        return self._breach(FaultKind.REACHES_OUT, said, self.span_of(term), rule=1)

    def _breach(
        self, kind: FaultKind, said: str, span: Span, *, rule: int = 2
    ) -> UndefinedBehaviour:
        message = f"{self.block.name}: {said}"
        return UndefinedBehaviour(
            rule=rule, kind=kind, message=message, location=Location(span=span)
        )
