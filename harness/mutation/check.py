"""The check: every mutant is tried on the cases first, then on all other programs."""

from __future__ import annotations

import multiprocessing
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from harness.mutation.altered_model import altered_model
from harness.mutation.mutant import Edit
from harness.mutation.tables import THOROUGH, override
from harness.mutation.trials import Unaltered, difference

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from harness.mutation.altered_model import Model
    from harness.mutation.mutant import Mutant
    from harness.mutation.trials import Known, Trial

EXACT = ("exposure", "exposed")
"""The modules that have a say in the exact reading of exposed provenance."""


class Fate(StrEnum):
    """What became of a mutant.

    CAUGHT: what a case states does not hold. NOT_CAUGHT: no case objects, and yet some program's
    verdict changes. UNCHANGED: no verdict changes.
    """

    CAUGHT = "caught"
    NOT_CAUGHT = "not caught"
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """by: the first trial that tells, with its mode. how: in what it differs."""

    mutant: str
    subject: str
    fate: Fate
    by: str = ""
    how: str = ""


def check(
    mutants: Sequence[Mutant],
    trials: Sequence[Trial],
    *,
    jobs: int,
    progress: Callable[[int, int], None] | None = None,
) -> list[Finding]:
    """Try mutants, in several processes.

    trials: those of cases first. progress: called with how much is done, and how much there is.

    Raises: HarnessFault, if the unaltered machine does not come to what a case states, or if a
    mutant does not fit its source.
    """
    total = len(trials) + len(mutants)
    # A forked process has what stands here already.
    _Shared.trials, _Shared.unaltered = trials, Unaltered()
    context = multiprocessing.get_context("fork")
    known: list[Known] = []
    with context.Pool(jobs) as pool:
        for each in pool.imap(_know, range(len(trials)), chunksize=200):
            known.append(each)
            if progress:
                progress(len(known), total)
    _Shared.known = known
    findings: list[Finding] = []
    with context.Pool(jobs) as pool:
        for finding in pool.imap(_try, mutants, chunksize=2):
            findings.append(finding)
            if progress:
                progress(len(known) + len(findings), total)
    return findings


class _Shared:
    """What the processes of a pool have in common."""

    trials: Sequence[Trial]
    unaltered: Unaltered
    known: Sequence[Known]


def _know(number: int) -> Known:
    return _Shared.unaltered.know(_Shared.trials[number])


def _try(mutant: Mutant) -> Finding:
    fate, by, how = _fate(mutant)
    return Finding(mutant=mutant.name, subject=mutant.subject, fate=fate, by=by, how=how)


def _fate(mutant: Mutant) -> tuple[Fate, str, str]:
    alteration = mutant.alteration
    concerned = list(zip(_Shared.trials, _Shared.known, strict=True))
    if not isinstance(alteration, Edit):
        entry = (alteration.table, alteration.arguments)
        concerned = [each for each in concerned if entry in each[1].entries]
    if not concerned:
        return Fate.UNCHANGED, "", ""
    model = altered(mutant)
    exact = isinstance(alteration, Edit) and alteration.module in EXACT
    for trial, known in concerned:
        how = difference(trial, known, model, exact=exact)
        if how:
            fate = Fate.NOT_CAUGHT if trial.wanted is None else Fate.CAUGHT
            return fate, f"{trial.id}, {trial.mode}", how
    return Fate.UNCHANGED, "", ""


def altered(mutant: Mutant) -> Model:
    """The abstract machine with the mutant's alteration."""
    alteration = mutant.alteration
    if isinstance(alteration, Edit):
        return altered_model(THOROUGH, (alteration,))
    return altered_model({**THOROUGH, alteration.table: override(alteration)})
