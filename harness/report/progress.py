"""Progress: how far a run is, for whoever waits: a live line, or now and then one in a log."""

from __future__ import annotations

import sys
import time
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar, overload

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn
from rich.text import Text

from harness.result import Result, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from rich.progress import Task

LINE_EVERY = 15.0
"""Seconds between two lines where nobody watches; a run that is shorter prints none."""

LOOK_EVERY = 0.05
"""Seconds between two looks at how far it is: results that are on record come by the thousand."""


Seen = TypeVar("Seen")


def _is_failing(result: Result) -> bool:
    return result.fault or result.verdict is Verdict.MISMATCH


@overload
def watched(
    results: Iterable[Result],
    *,
    total: int,
    console: Console | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[Result]: ...


@overload
def watched(
    results: Iterable[Seen],
    *,
    total: int,
    fails: Callable[[Seen], bool],
    console: Console | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[Seen]: ...


def watched(
    results: Iterable[Any],
    *,
    total: int,
    fails: Callable[[Any], bool] = _is_failing,
    console: Console | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[Any]:
    """`results` as they come, with what is done, fails and is left shown on the way.

    total: how many there will be. fails: whether one of them counts as failing.
    console: where to show it, standard error by default.
    clock: seconds from any moment on.
    """
    console = console or Console(file=sys.stderr)
    live = console.is_interactive and console.file.isatty()
    columns = (BarColumn(bar_width=20), MofNCompleteColumn(), _Figures())
    shown = Progress(
        *columns, console=console, transient=True, disable=not live, get_time=clock, expand=False
    )
    number = shown.add_task("", total=total, failing=0)
    task = shown.tasks[0]
    next_line = clock() + LINE_EVERY
    next_look = clock()
    failing = done = 0
    with shown:
        for result in results:
            failing += fails(result)
            done += 1
            now = clock()
            if now >= next_look or done == total:
                shown.update(number, completed=done, failing=failing)
                next_look = now + LOOK_EVERY
            if not live and now >= next_line:
                print(f"harness: {_line(task)}", file=console.file, flush=True)
                next_line = clock() + LINE_EVERY
            yield result


class _Figures(ProgressColumn):
    """What stands beside the bar."""

    def render(self, task: Task) -> Text:
        style = "red" if task.fields["failing"] else "dim"
        return Text(", ".join(_figures(task)), style=style)


def _line(task: Task) -> str:
    return ", ".join([f"{task.completed:.0f} of {task.total:.0f} done", *_figures(task)])


def _figures(task: Task) -> Iterator[str]:
    """Failing runs, runs a second of late, and the time left at that rate."""
    yield f"{task.fields['failing']} failing"
    if task.speed is not None:
        yield f"{task.speed:.3g} a second" if task.speed < 10 else f"{task.speed:.0f} a second"
    if task.time_remaining is not None:
        yield f"{timedelta(seconds=int(task.time_remaining))} left"
