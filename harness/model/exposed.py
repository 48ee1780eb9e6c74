"""Exposed provenance exactly: undefined only if no choice of provenance makes the run defined.

The wildcard reading accepts whatever some choice at each single access would allow, and leaves
a node of the tree as it is where it cannot tell. So it misses undefined behaviour. Where it
does, this says which kind of miss it is:

- no choice helps, not even a new one at each use: the standard library documents that the
  pointer's use must be justified by a provenance exposed before, and that invalidated pointers
  stay so;
- a new choice at each use would help, one choice for each cast does not: when and how often a
  choice is made is not settled, see `OPEN_QUESTION`.

Source: the documentation of `std::ptr::with_exposed_provenance`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.mode import Provenance
from harness.model.exposure import ChosenExposure
from harness.model.judgement import Judgement
from harness.model.machine import Machine, examine
from harness.outcome import UndefinedBehaviour
from harness.pointer import program as p

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harness.mode import Mode
    from harness.model.memory import Memory
    from harness.target import ByteOrder

OPEN_QUESTION = "https://github.com/rust-lang/unsafe-code-guidelines/issues/392"

RUN_LIMIT = 10_000
"""Runs after which a search gives up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExactReading:
    """What exact exposed provenance says of a program that the wildcard lets pass.

    judgement: of the choices that came farthest. open_question: the address of the question
    that it rests on, or None where the standard library documents the rule. runs: how many
    choices were tried.
    """

    judgement: Judgement
    open_question: str | None
    runs: int


def missed_by_wildcard(
    program: p.PointerProgram,
    mode: Mode,
    wildcard: Judgement | None = None,
    byte_order: ByteOrder = "little",
) -> ExactReading | None:
    """The undefined behaviour that the wildcard reading misses, if there is any.

    wildcard: the judgement by that reading, if it is at hand. None also where the search gives
    up.
    """
    if mode.provenance is Provenance.STRICT or not casts_integers(program):
        return None
    wildcard = wildcard or examine(program, mode, byte_order)
    if isinstance(wildcard.outcome, UndefinedBehaviour):
        return None
    exact, runs = _search(program, mode, byte_order, for_good=True)
    if exact is None:
        return None
    each_use, more_runs = _search(program, mode, byte_order, for_good=False)
    return ExactReading(
        judgement=exact,
        open_question=OPEN_QUESTION if each_use is None else None,
        runs=runs + more_runs,
    )


def casts_integers(program: p.PointerProgram) -> bool:
    """Whether the program casts an integer to a pointer with exposed provenance.

    That is all in which strict provenance and permissive differ: a program that never does
    comes to the same in both.
    """
    return _casts(program.statements)


def _casts(statements: Iterable[p.AnyStatement]) -> bool:
    return any(
        isinstance(statement, p.FromExposed)
        or (isinstance(statement, p.Call) and _casts(statement.body))
        for statement in statements
    )


def _search(
    program: p.PointerProgram, mode: Mode, byte_order: ByteOrder, *, for_good: bool
) -> tuple[Judgement | None, int]:
    """The fault that all choices run into, that of the run that came farthest; and the runs.

    None if some choice makes the program defined, or if the search gives up.
    """
    script: list[int] = []
    farthest: Judgement | None = None
    for runs in range(1, RUN_LIMIT + 1):
        exposures: list[ChosenExposure] = []

        def expose(memory: Memory, script: list[int] = script) -> ChosenExposure:
            # Only called while this round lasts, so that the loop's variables are its own.
            exposures.append(ChosenExposure(memory, script, for_good=for_good))  # noqa: B023
            return exposures[-1]  # noqa: B023

        judgement = Machine(mode, expose, byte_order).run(program)
        if not isinstance(judgement.outcome, UndefinedBehaviour):
            return None, runs
        if farthest is None or _path(farthest) < _path(judgement):
            farthest = judgement
        following = _following(exposures[0].taken)
        if following is None:
            return farthest, runs
        script = following
    return None, RUN_LIMIT


def _path(judgement: Judgement) -> tuple[int, ...]:
    assert isinstance(judgement.outcome, UndefinedBehaviour)
    return judgement.outcome.location.path or ()


def _following(taken: list[tuple[int, int]]) -> list[int] | None:
    """The next choices in order, after those that were taken."""
    while taken:
        choice, count = taken.pop()
        if choice + 1 < count:
            return [*(earlier for earlier, _ in taken), choice + 1]
    return None
