"""What a mutant is tried on: what the corpus states, and what the unaltered machine says.

The pointer cases state what must come of them. Of recorded sets and random programs only what
the unaltered machine says counts: they measure whether a mutant changes any verdict.
"""

from __future__ import annotations

import lzma
import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.cases.load import load
from harness.cases.pointer_case import PointerCase
from harness.errors import HarnessFault, InputError
from harness.mode import EVERY_MODE, Provenance
from harness.mutation.altered_model import altered_model
from harness.mutation.tables import noting
from harness.pointer import program as p
from harness.pointer.generator import generate
from harness.pointer.jsonl import read_set
from harness.result import Verdict
from harness.verdict import differences

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from harness.mode import Mode
    from harness.model.judgement import Judgement
    from harness.mutation.altered_model import Model
    from harness.mutation.tables import Entry
    from harness.outcome import Outcome

LENGTH = 14
"""Statements of a random program, about."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One program in one mode. wanted: what a case states, None for other programs.

    id: of the case, or a name. casts: whether an integer is cast to a pointer with exposed
    provenance.
    """

    id: str
    program: p.PointerProgram
    mode: Mode
    wanted: Outcome | None
    casts: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What the unaltered machine makes of a trial.

    outcome: what must come of it; None where it hangs on addresses, so that it shows nothing.
    reading: what the exact reading of exposed provenance makes of it.
    entries: those of the tables that are looked up.
    """

    outcome: Outcome | None
    reading: Verdict
    entries: frozenset[Entry]


def case_trials(corpus: Path) -> Iterator[Trial]:
    """What the pointer cases state. Raises: HarnessFault, if a case cannot be read."""
    loaded = load([corpus])
    for error in loaded.errors:
        raise HarnessFault(f"the corpus has a case that cannot be read: {error}")
    for case in loaded.cases:
        if isinstance(case, PointerCase):
            yield from _trials(case.id, case.program, case.expectations.get)


def other_trials(sets: Path, count: int) -> Iterator[Trial]:
    """All programs of the sets in a folder, and random ones, whose seeds count from 0.

    Raises: InputError, if a set cannot be read.
    """
    for path in sorted(sets.glob("*.jsonl.xz")):
        for entry in read_set(path.name, lzma.decompress(path.read_bytes()).splitlines()):
            if isinstance(entry, InputError):
                raise entry
            yield from _trials(f"{path.name} {entry.id}", entry.program)
    for seed in range(count):
        yield from _trials(f"random {seed}", generate(random.Random(seed), LENGTH))


def _trials(
    name: str,
    program: p.PointerProgram,
    stated: Callable[[Mode], Outcome | None] | None = None,
) -> Iterator[Trial]:
    casts = _has_casts(program.statements)
    for mode in EVERY_MODE:
        # Without casts strict and permissive provenance are one.
        if mode.provenance is Provenance.STRICT and not casts:
            continue
        wanted = stated(mode) if stated else None
        if wanted is not None or stated is None:
            yield Trial(id=name, program=program, mode=mode, wanted=wanted, casts=casts)


def _has_casts(body: Iterable[p.AnyStatement]) -> bool:
    return any(
        isinstance(each, p.FromExposed) or (isinstance(each, p.Call) and _has_casts(each.body))
        for each in body
    )


class Unaltered:
    """The unaltered machine, asked for what is known of trials."""

    def __init__(self) -> None:
        self._entries: set[Entry] = set()
        self._model = altered_model(noting(self._entries))

    def know(self, trial: Trial) -> Known:
        """Raises: HarnessFault, if the machine does not come to what the case states."""
        self._entries.clear()
        judgement = self._model.examine(trial.program, trial.mode)
        entries = frozenset(self._entries)
        wanted = trial.wanted or judgement.outcome
        found = differences(wanted=wanted, seen=judgement.outcome)
        if found:
            raise HarnessFault(f"{trial.id}, {trial.mode}: {'; '.join(found)}")
        shows = trial.wanted is not None or not judgement.hangs_on_addresses
        return Known(
            outcome=wanted if shows else None,
            reading=_reading(self._model, trial, judgement),
            entries=entries,
        )


def difference(trial: Trial, known: Known, model: Model, *, exact: bool) -> str:
    """In what an altered machine differs from what must come of a trial; empty if in nothing.

    exact: whether to compare the exact reading of exposed provenance, too.
    """
    if known.outcome is None:
        return ""
    try:
        judgement = model.examine(trial.program, trial.mode)
    except Exception as error:
        # An altered machine may break down in any way, and that tells it apart.
        return f"the machine breaks down: {error!r}"
    seen = judgement.outcome
    found = differences(wanted=known.outcome, seen=seen)
    if found:
        return "; ".join(found)
    if exact and (reading := _reading(model, trial, judgement)) is not known.reading:
        return f"exact reading: wanted {known.reading}, saw {reading}"
    return ""


def _reading(model: Model, trial: Trial, judgement: Judgement) -> Verdict:
    if not trial.casts or trial.mode.provenance is Provenance.STRICT:
        return Verdict.AGREE
    missed = model.missed_by_wildcard(trial.program, trial.mode, judgement)
    if missed is None:
        return Verdict.AGREE
    return Verdict.SPEC_OPEN if missed.open_question else Verdict.MIRI_MISSES
