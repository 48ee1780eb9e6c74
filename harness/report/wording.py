"""What reports say of results, whatever they are written in: of one, of a cell, of all."""

from __future__ import annotations

import glob
import shlex
from collections import Counter
from enum import Enum, auto
from typing import TYPE_CHECKING

from harness.result import EngineName, Verdict
from harness.verdict import describe

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from harness.outcome import Outcome
    from harness.report.matrix import Cell, Matrix
    from harness.report.tally import Tally
    from harness.result import Result, Run, Tool

SHORT_CLASS = {"ran": "", "trapped": "", "ub": "UB", "unsupported": "unsup", "timed-out": "timeout"}
"""How an outcome class stands in a cell; ends without any fault stand as a bare number."""


SHOWN_WAYS = 3
"""Runs of one case that are named where they fail alike."""


class Mark(Enum):
    """What a part of a cell means."""

    FINE = auto()
    FOUND = auto()
    WRONG = auto()
    OPEN = auto()
    UNKNOWN = auto()


def way(run: Run) -> str:
    """How the case was run: the engine, then what else applies."""
    parts = (run.engine, run.variant, run.form, run.mode, run.target)
    return " ".join(str(part) for part in parts if part is not None)


def details(result: Result) -> Iterator[tuple[str, str]]:
    """What is known of a result, each with a word for what it is."""
    sides = (
        ("expected", result.expected),
        ("predicted", result.predicted),
        ("seen", result.outcome),
    )
    for side, outcome in sides:
        if outcome is not None:
            yield side, ", ".join([describe(outcome), *_values(outcome)])
    if message := getattr(result.outcome, "message", ""):
        yield "message", message
    if result.recording is not None:
        yield "recorded", f"{result.recording.seen}, {result.recording.tool}"
    if result.place is not None:
        yield "case", str(result.place)
    yield "repeat", repeat(result)
    if result.command:
        yield "command", result.command


def repeat(result: Result) -> str:
    """The shell line that does this run again, on any machine that has the case."""
    run = result.run
    words = ["harness", "run"]
    if result.place is not None:
        words.append(result.place.file)
    words += ["--case", glob.escape(run.case), "--engine", run.engine]
    options = ("--variant", run.variant), ("--form", run.form), ("--mode", run.mode)
    for option, value in (*options, ("--target", run.target)):
        if value is not None:
            words += [option, str(value)]
    return shlex.join(words)


def failing(results: Iterable[Result]) -> list[list[Result]]:
    """Results that fail a run, those of one case for one reason together."""
    found: dict[tuple[str, str], list[Result]] = {}
    for result in results:
        if result.fault or result.verdict is Verdict.MISMATCH:
            found.setdefault((result.run.case, result.reason), []).append(result)
    return list(found.values())


def ways(results: Sequence[Result]) -> str:
    """How a case was run, the first few ways of them."""
    shown = "; ".join(way(result.run) for result in results[:SHOWN_WAYS])
    more = len(results) - SHOWN_WAYS
    return f"{shown}; … and {more} more" if more > 0 else shown


def summary(counted: Tally) -> str:
    """How many results there are, and how many with each verdict, in a sentence."""
    counts = dict.fromkeys(Verdict, 0)
    in_reference = 0
    for kind, count in counted.counts.items():
        counts[kind.verdict] += count
        if kind.engine is EngineName.REFERENCE:
            in_reference += count
    parts = [f"{counted.cases} cases ({in_reference} on the reference VM), {counted.size} results"]
    parts += [f"{count} {verdict.replace('_', ' ')}" for verdict, count in counts.items() if count]
    return ", ".join(parts) + "."


def legend(matrix: Matrix) -> str:
    """What stands in a matrix's cells."""
    seen_by = set(matrix.seen_by.values())
    if not seen_by:
        modes = ""
    elif EngineName.MIRI in seen_by:
        modes = " Modes: what Miri found."
    else:
        modes = " Modes: what the abstract machine predicts, no Miri ran."
    return (
        "A bare number: runs in which no undefined behaviour was found. UB, unsup: runs that had "
        f"to show it and did; UB? only predicted.{modes} ✗ does not agree, ? not checked, ~ open."
    )


def recorded(counted: Tally) -> str:
    """How many results are recorded, and of which tools, in a sentence; empty for none."""
    numbers: Counter[Tool] = Counter()
    days: dict[Tool, set[str]] = {}
    for kind, count in counted.counts.items():
        if kind.recording is not None:
            numbers[kind.recording.tool] += count
            days.setdefault(kind.recording.tool, set()).add(kind.recording.seen)
    parts = [
        f"{count} of {tool}, seen {' to '.join(sorted({min(days[tool]), max(days[tool])}))}"
        for tool, count in numbers.items()
    ]
    return f"Recorded results: {'; '.join(parts)}. `--evidence live` takes none." if parts else ""


def _values(outcome: Outcome) -> Iterator[str]:
    """What a program that ended has left."""
    if (memory := getattr(outcome, "memory", None)) is not None:
        yield f"memory {memory.hex() or 'of no bytes'}"
    if (checksum := getattr(outcome, "checksum", None)) is not None:
        yield f"checksum {checksum}"
    if advice := getattr(outcome, "advice", None):
        yield f"could promise {advice}"


def cell_parts(cell: Cell) -> Iterator[tuple[str, Mark]]:
    """What stands in the cell: numbers of runs with what they came to."""
    fine = sum(n for name, n in cell.classes.items() if not SHORT_CLASS.get(name, name))
    if fine:
        yield str(fine), Mark.FINE
    for name, count in sorted(cell.classes.items()):
        if label := SHORT_CLASS.get(name, name):
            yield f"{count}{label}", Mark.FOUND
    for name, count in sorted(cell.unconfirmed.items()):
        yield f"{count}{SHORT_CLASS.get(name) or name}?", Mark.UNKNOWN
    if cell.disagreeing:
        yield f"{cell.disagreeing}✗", Mark.WRONG
    if cell.open_:
        yield f"{cell.open_}~", Mark.OPEN
    if cell.unchecked:
        yield f"{cell.unchecked}?", Mark.UNKNOWN
