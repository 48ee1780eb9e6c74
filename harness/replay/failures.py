"""Failures: the runs that did not come to a defined end, each distinct one once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from harness.mode import Mode
from harness.outcome import Outcome, Ran, Span, TimedOut, ToolFailed, UndefinedBehaviour
from harness.replay.inputs import Input
from harness.replay.places import kept
from harness.replay.runs import Replayed, Replayer, Trial, agreed
from harness.replay.subject import OUR_FILES
from harness.usercode.account import Account, Point, account_of
from harness.usercode.log import LoggedFailure, read_log
from harness.usercode.source_lines import SourceLines


@dataclass(frozen=True, slots=True, kw_only=True)
class Symptom:
    """How a run fails: class, kind, and place in the source."""

    name: str
    kind: str | None
    span: Span | None

    def __str__(self) -> str:
        kind = f" {self.kind}" if self.kind else ""
        return f"{self.name}{kind} at {self.span}" if self.span else f"{self.name}{kind}"


def is_unchecked(outcome: Outcome) -> bool:
    """Whether nothing can be said of a run that came to this: a limit ended it, or a tool failed.

    A deadlock is Miri's own finding.
    """
    return isinstance(outcome, ToolFailed) or (isinstance(outcome, TimedOut) and outcome.by_limit)


def symptom_of(outcome: Outcome) -> Symptom | None:
    """How a run failed that came to this; None if it did not."""
    if isinstance(outcome, Ran):
        return None
    place = getattr(outcome, "location", None)
    return Symptom(
        name=outcome.name,
        kind=getattr(outcome, "kind", None),
        span=place.span if place is not None else None,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Distinct:
    """A failure, and all runs that show it. smallest: the one whose input is."""

    symptom: Symptom
    smallest: Replayed
    runs: tuple[Replayed, ...]

    @property
    def modes(self) -> tuple[Mode, ...]:
        return tuple(dict.fromkeys(run.trial.mode for run in self.runs))

    @property
    def inputs(self) -> Sequence[Input]:
        return tuple({run.trial.input.path: run.trial.input for run in self.runs}.values())


def distinct(replayed: Iterable[Replayed], modes: Sequence[Mode]) -> list[Distinct]:
    """Every failure once, undefined behaviour first. modes: as asked for, in whose order it is."""
    found: dict[Symptom, list[Replayed]] = {}
    in_order = sorted(replayed, key=lambda each: (modes.index(each.trial.mode), _size(each.trial)))
    for each in in_order:
        symptom = symptom_of(each.outcome)
        if symptom is not None:
            found.setdefault(symptom, []).append(each)
    failures = [
        # Of the first mode, the smallest.
        Distinct(symptom=symptom, smallest=runs[0], runs=tuple(runs))
        for symptom, runs in found.items()
    ]
    return sorted(failures, key=lambda each: each.symptom.name != UndefinedBehaviour.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """A failure in words. seen: what a run of its own came to; `ToolFailed` if not the same.

    account: None if nothing went wrong there. command: the shell line that repeats it.
    """

    outcome: Outcome
    account: Account | None
    command: str


def explain(replayer: Replayer, replayed: Replayed) -> Explained:
    """Do a failing run once more in a process of its own, and say what Miri says of it."""
    command = replayer.repeat(replayed.trial, replayed.seed)
    if is_unchecked(replayed.outcome):
        # That was such a run, and there is nothing in it to be explained.
        return Explained(outcome=replayed.outcome, account=None, command=command)
    again = replayer.run_plainly(replayed.trial, replayed.seed)
    outcome = agreed(replayed.outcome, again.outcome)
    if again.failure is None:
        return Explained(outcome=outcome, account=None, command=command)
    log = read_log(again.done.stderr)
    sources = SourceLines(quoted=log.sources.quoted, roots=(replayer.subject.root,))
    logged = (each for each in log.failures if each.failure.outcome == again.failure.outcome)
    account = account_of(next(logged, LoggedFailure(failure=again.failure, message=None)), sources)
    points = tuple(_points(account, replayer.subject.root))
    account = replace(account, points=points, meaning=account.meaning or _of_memory(account))
    return Explained(outcome=outcome, account=account, command=command)


def _of_memory(account: Account) -> str:
    """Whose the memory is that the failure is about, where no place of the user's says so."""
    is_input = any(
        point.what == "memory allocated" and point.span.file in OUR_FILES
        for point in account.points
    )
    return "The memory is that of the input." if is_input else ""


def _points(account: Account, root: Path) -> Iterator[Point]:
    """The places in the user's own words for them, and none of the program around."""
    for point in account.points:
        if point.span.file not in OUR_FILES:
            yield replace(point, span=kept(point.span, root))


def _size(trial: Trial) -> tuple[int, bytes]:
    return len(trial.input.data), trial.input.data
