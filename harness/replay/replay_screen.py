"""What `harness replay` tells, as lines of text with styles, which a pipe does without."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from rich.text import Text

from harness.errors import printable
from harness.mode import Mode
from harness.outcome import Outcome, Ran, TimedOut, ToolFailed
from harness.replay.failures import Distinct, Explained, is_unchecked
from harness.replay.runs import Replayed
from harness.result import Evidence
from harness.usercode.account_screen import render_account, seed_words

SHOWN_INPUTS = 5
"""Inputs of one failure that are named at most."""

FOUND_NOTHING = "no UB found"
STOPPED = "stopped"
NOT_CHECKED = "not checked"

_COLUMNS = (FOUND_NOTHING, "ub", "panicked", "leaked", STOPPED, "unsupported", NOT_CHECKED)


def column(outcome: Outcome) -> str:
    """What an outcome counts as."""
    match outcome:
        case Ran():
            return FOUND_NOTHING
        case _ if is_unchecked(outcome):
            return NOT_CHECKED
        case TimedOut():
            return STOPPED
        case _:
            return outcome.name


def render_table(
    replayed: Sequence[Replayed], modes: Sequence[Mode], refused: Mapping[Mode, str]
) -> Iterator[Text]:
    """A line a mode: how many runs came to what."""
    counts: dict[Mode, Counter[str]] = {mode: Counter() for mode in modes}
    for each in replayed:
        counts[each.trial.mode][column(each.outcome)] += 1
    seen = {name for each in counts.values() for name in each}
    columns = tuple(name for name in _COLUMNS if name in seen or name == FOUND_NOTHING)
    width = max(len(str(mode)) for mode in modes)
    yield Text("  ".join((" " * width, *columns)), style="dim")
    for mode in modes:
        if mode in refused:
            yield Text(f"{mode!s:{width}}  not checked: {refused[mode]}", style="yellow")
            continue
        line = Text(f"{mode!s:{width}}")
        for name in columns:
            number = counts[mode][name]
            line.append(f"  {number or '':>{len(name)}}", style=_style(name) if number else "")
        yield line
    recorded = sum(each.evidence is Evidence.RECORDED for each in replayed)
    if recorded:
        yield Text(f"{recorded} of {len(replayed)} runs are on record.", style="dim")


def render_failure(
    failure: Distinct, explained: Explained, reduced: Path | None, *, repairs_are_known: bool
) -> Iterator[Text]:
    """One distinct failure: who shows it, what it is, and how to see it again."""
    inputs = failure.inputs
    yield Text()
    many = f"{len(inputs)} inputs" if len(inputs) > 1 else "1 input"
    modes = ", ".join(map(str, failure.modes))
    yield Text(f"{failure.symptom}: {many}, in {modes}", style="bold")
    names = ", ".join(each.name for each in inputs[:SHOWN_INPUTS])
    more = f" and {len(inputs) - SHOWN_INPUTS} more" if len(inputs) > SHOWN_INPUTS else ""
    yield Text(f"inputs              {names}{more}")
    smallest = failure.smallest
    seeds = tuple(run.seed for run in failure.runs if run.trial == smallest.trial)
    told = tuple(seed for seed in seeds if seed is not None)
    if len(told) > 1:
        yield Text(f"seeds               {seed_words(told)} of the first")
    outcome = explained.outcome
    if isinstance(outcome, TimedOut | ToolFailed) and is_unchecked(outcome):
        yield Text(f"not checked: {printable(outcome.message)}", style="yellow")
    elif explained.account is not None:
        yield from render_account(explained.account, repairs_are_known=repairs_are_known)
    if reduced is not None:
        yield Text(f"reduced             {printable(str(reduced))}")
    yield Text(f"to repeat it: {explained.command}", style="dim")


def _style(name: str) -> str:
    match name:
        case "no UB found":
            return "green"
        case "ub":
            return "red"
        case _:
            return "yellow"
