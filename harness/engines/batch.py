"""Batches: many cases in one process, which says what it begins and what came of it.

The process reads one line a case from standard input, beginning with a number, and writes
`begin NUMBER` and then the case's result line. Where it dies, falls silent or prints without
end, that is the fault of the case it began last; the rest is taken up again by a new process.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from harness.diagnostics.failure import read_failure
from harness.diagnostics.human import read_human
from harness.outcome import Outcome, TimedOut, ToolFailed
from harness.toolchain.command import Command
from harness.toolchain.process import Completed, Ending, Launcher, Limits


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the process said of one case: its result line, or the outcome of its failing."""

    number: int
    said: str | Outcome


def run_batch(
    launcher: Launcher, command: Command, lines: Mapping[int, str], limits: Limits
) -> Iterator[Answer]:
    """Run every case and yield an answer for each.

    lines: what the process reads for each case, without the number and the line's end.
    limits: `silence` is the time that one case may take.
    """
    waiting = dict(lines)
    while waiting:
        fed = "".join(f"{number} {line}".rstrip() + "\n" for number, line in waiting.items())
        done = launcher.run(command, stdin=fed.encode(), limits=limits)
        answers, begun = _read_answers(done)
        answers = {number: line for number, line in answers.items() if number in waiting}
        if not done.succeeded or len(answers) < len(waiting):
            # What went wrong after a result, and before the next case began, is that result's.
            # Each round has a culprit, so that the rounds come to an end.
            candidates = [begun, *reversed(answers), *waiting]
            culprit = next(number for number in candidates if number in waiting)
            answers.pop(culprit, None)
            del waiting[culprit]
            yield Answer(number=culprit, said=_failure(done))
        for number, said in answers.items():
            del waiting[number]
            yield Answer(number=number, said=said)


def _read_answers(done: Completed) -> tuple[dict[int, str], int | None]:
    """The result lines by number, and the case that was begun and has none."""
    answers: dict[int, str] = {}
    begun: int | None = None
    # A line without its end was cut off in the middle: it is no answer.
    for line in done.output.split("\n")[:-1]:
        word, _, number = line.partition(" ")
        if word == "begin" and number.isdecimal():
            begun = int(number)
        elif begun is not None:
            answers[begun] = line
            begun = None
    return answers, begun


def _failure(done: Completed) -> Outcome:
    match done.ending:
        case Ending.EXITED:
            failure = read_failure(read_human(done.stderr), done.exit_code)
            if failure is not None:
                return failure.outcome
            return ToolFailed(message="the process ended well without an answer")
        case Ending.TIME | Ending.SILENCE | Ending.MEMORY:
            return TimedOut(message=done.describe_ending())
        case Ending.OUTPUT:
            return ToolFailed(message=done.describe_ending())
