"""The search for a smaller program: passes propose edits, a judge alone decides.

Each pass is a delta debugging over its edits: of all that could be done to the program, as much
as possible is done at once. Lithium asks for one answer at a time, and a batch of a hundred
costs a judge hardly more than one; so what it would ask next, if the answers were all no or all
yes, is asked in the same batch.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar, cast

from lithium.strategies import Minimize, ReductionIterator
from lithium.testcases import Testcase

Program = TypeVar("Program", bound=Hashable)
Judged = TypeVar("Judged", contravariant=True)
Edited = TypeVar("Edited")

LARGEST_BATCH = 100
"""Candidates to a batch."""

MOST_ROUNDS = 8
"""How often all passes are gone through again at most; the last one changes nothing."""


class Judge(Protocol[Judged]):
    """Says which candidates fail in the same way as the program that is reduced."""

    def rules_out(self, program: Judged) -> bool:
        """Whether it is clear, without running anything, that the candidate does not."""

    def fail_alike(self, programs: Sequence[Judged]) -> Sequence[bool]:
        """Whether each does, all of them in one batch."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pass(Generic[Program, Edited]):
    """One kind of edit. name: in words, for people."""

    name: str
    propose: Callable[[Program], Sequence[Edited]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Language(Generic[Program, Edited]):
    """What a reducer has to know of one kind of program. size: what people count."""

    passes: Sequence[Pass[Program, Edited]]
    apply: Callable[[Program, Sequence[Edited]], Program]
    size: Callable[[Program], int]


@dataclass(slots=True, kw_only=True)
class Tally:
    """tries: candidates that were looked at. ruled_out: those of them that nothing ran for.

    batches: how often the judge was asked to run some. accepted: steps.
    """

    tries: int = 0
    ruled_out: int = 0
    batches: int = 0
    accepted: int = 0


@dataclass(slots=True)
class Search(Generic[Program, Edited]):
    """A reduction under way. accept: told of every step, before the next is tried."""

    language: Language[Program, Edited]
    judge: Judge[Program]
    accept: Callable[[Program, str], None]
    tally: Tally = field(default_factory=Tally)
    _known: dict[Program, bool] = field(default_factory=dict)

    def reduce(self, program: Program) -> Program:
        """The smallest program that the passes come to. `program` itself must fail."""
        self._known[program] = True
        for each in self.language.passes:
            program = self._run(each, program)
        everything = Pass(name="everything at once", propose=self._every_edit)
        for _ in range(MOST_ROUNDS):
            before = program
            program = self._run(everything, program)
            if program == before:
                break
        return program

    def _every_edit(self, program: Program) -> list[Edited]:
        return [edit for each in self.language.passes for edit in each.propose(program)]

    def _run(self, each: Pass[Program, Edited], program: Program) -> Program:
        edits = each.propose(program)
        if not edits:
            return program
        best = program
        dialogue = _Dialogue(self, program, edits)
        while True:
            unknown = dialogue.unknown(LARGEST_BATCH)
            if dialogue.best != best:
                best = dialogue.best
                self.tally.accepted += 1
                self.accept(best, each.name)
            if not unknown:
                return best
            self.tally.batches += 1
            self._known.update(zip(unknown, self.judge.fail_alike(unknown), strict=True))

    def known(self, program: Program) -> bool | None:
        """What is known of a candidate by now; None if it has to be run."""
        if program not in self._known:
            self.tally.tries += 1
            if not self.judge.rules_out(program):
                return None
            self.tally.ruled_out += 1
            self._known[program] = False
        return self._known[program]


class _Dialogue(Generic[Program, Edited]):
    """One pass as far as answers are known, and what would be asked then.

    best: the program that the known answers lead to.
    """

    def __init__(
        self, search: Search[Program, Edited], program: Program, edits: Sequence[Edited]
    ) -> None:
        self._search = search
        self._program = program
        self._edits = edits
        self._made: dict[bytes, Program] = {}
        self.best = program

    def unknown(self, most: int) -> list[Program]:
        """Candidates that have no answer yet, in the order in which they would be asked."""
        self.best = self._program
        found: dict[Program, None] = {}
        for assumed, limit in ((False, most - most // 2), (True, most)):
            for program, answer in self._replay(assumed):
                if answer is None:
                    found[program] = None
                elif answer and not found and not assumed:
                    self.best = program
                if len(found) >= limit:
                    break
        return list(found)

    def _replay(self, assumed: bool) -> Iterator[tuple[Program, bool | None]]:
        """Each candidate that is asked for, with the answer, if it is known."""
        whole = _Edits()
        whole.parts = [f"{number}\n".encode() for number in range(len(self._edits))]
        whole.reducible = [True] * len(self._edits)
        # Its own annotation names less than what it is.
        dialogue = cast("ReductionIterator", Minimize().reduce(whole))
        asked: dict[Program, bool | None] = {}
        for attempt in dialogue:
            program = self._make(attempt.parts)
            if program not in asked:
                asked[program] = self._search.known(program)
            answer = asked[program]
            yield program, answer
            dialogue.feedback(assumed if answer is None else answer)

    def _make(self, parts: Sequence[bytes]) -> Program:
        """The candidate for which the edits that are no part any more are made."""
        key = b"".join(parts)
        if key not in self._made:
            left = {int(part) for part in parts}
            made = [edit for number, edit in enumerate(self._edits) if number not in left]
            self._made[key] = self._search.language.apply(self._program, made)
        return self._made[key]


class _Edits(Testcase):
    """The edits that are not made, by their numbers; Lithium takes away from them."""

    atom = "edit"

    def split_parts(self, data: bytes) -> None:
        self.parts = data.splitlines(keepends=True)
        self.reducible = [True] * len(self.parts)
