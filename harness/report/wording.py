"""What reports say of one result: its run, its sides, and how to repeat it."""

from __future__ import annotations

import glob
import shlex
from typing import TYPE_CHECKING

from harness.verdict import describe

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.result import Result, Run


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
            yield side, describe(outcome)
    if message := getattr(result.outcome, "message", ""):
        yield "message", message
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
    for option, value in (("--variant", run.variant), ("--form", run.form), ("--mode", run.mode)):
        if value is not None:
            words += [option, str(value)]
    return shlex.join(words)
