"""Progress: a live line on a terminal, a line now and then in a log, nothing in a short one."""

from __future__ import annotations

from collections.abc import Iterator
from io import StringIO

import pytest
from rich.console import Console

from harness.report.progress import watched
from harness.result import CaseKind, EngineName, Result, Run, Verdict

RUN = Run(case="case", kind=CaseKind.BYTECODE, engine=EngineName.MODEL)


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


class Clock:
    """Seconds that pass only when they are told to."""

    now = 100.0

    def __call__(self) -> float:
        return self.now

    def results(self, *, count: int, seconds: float, failing: int = 0) -> Iterator[Result]:
        """So many results, each after so many seconds; the first ones fail."""
        for number in range(count):
            self.now += seconds
            verdict = Verdict.MISMATCH if number < failing else Verdict.AGREE
            yield Result(
                run=RUN, expected=None, predicted=None, outcome=None, evidence=None, verdict=verdict
            )


def printed(stream: StringIO, *, count: int, seconds: float, failing: int = 0) -> str:
    clock = Clock()
    console = Console(file=stream, force_terminal=stream.isatty(), width=100)
    results = clock.results(count=count, seconds=seconds, failing=failing)
    assert len(list(watched(results, total=count, console=console, clock=clock))) == count
    return stream.getvalue()


def test_a_short_run_leaves_nothing_in_a_log() -> None:
    assert printed(StringIO(), count=1000, seconds=0.01) == ""


def test_a_long_run_leaves_a_line_every_fifteen_seconds() -> None:
    lines = printed(StringIO(), count=320, seconds=0.125, failing=2).splitlines()
    assert lines == [
        "harness: 120 of 320 done, 2 failing, 8 a second, 0:00:25 left",
        "harness: 240 of 320 done, 2 failing, 8 a second, 0:00:10 left",
    ]


def test_a_slow_rate_is_not_rounded_to_nothing() -> None:
    assert "0.25 a second" in printed(StringIO(), count=10, seconds=4.0)


def test_a_terminal_shows_what_is_done_and_then_clears_it() -> None:
    shown = printed(Terminal(), count=3, seconds=1.0, failing=1)
    assert "3/3" in shown
    assert "1 failing, 1 a second, 0:00:00 left" in shown
    assert "harness:" not in shown
    assert shown.endswith("\x1b[2K")


def test_an_interruption_passes_through_and_ends_the_display() -> None:
    def interrupted() -> Iterator[Result]:
        yield from Clock().results(count=1, seconds=1.0)
        raise KeyboardInterrupt

    stream = Terminal()
    seen: list[Result] = []
    with pytest.raises(KeyboardInterrupt):
        seen.extend(
            watched(interrupted(), total=2, console=Console(file=stream, force_terminal=True))
        )
    assert stream.getvalue().endswith("\x1b[?25h\r\x1b[1A\x1b[2K")
