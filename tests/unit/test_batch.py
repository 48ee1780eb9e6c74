"""Batches: a case that dies, hangs, floods or lies costs the others nothing."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pytest

from harness.engines.batch import Answer, run_batch
from harness.outcome import Outcome, Panicked, TimedOut, ToolFailed
from harness.toolchain.command import Command
from harness.toolchain.process import MEBIBYTE, Launcher, Limits

# A process that does what each line says, and keeps count of how often it was started.
WORKER = """
import os, sys, time
with open(sys.argv[1], "a") as starts:
    starts.write("x")
for line in sys.stdin:
    number, _, what = line.strip().partition(" ")
    print("begin", number, flush=True)
    if what == "die":
        os.kill(os.getpid(), 11)
    elif what == "hang":
        time.sleep(60)
    elif what == "flood":
        while True: print("x" * 1000)
    elif what == "exit":
        sys.exit(3)
    elif what == "leave":
        os._exit(0)
    elif what == "panic":
        sys.stderr.write("thread 'main' panicked at src/main.rs:3:4:\\nnot today\\nnote: run\\n")
        sys.stderr.flush()
        os._exit(101)
    elif what == "late":
        print("result"); sys.stdout.flush(); os.kill(os.getpid(), 11)
    elif what == "cut":
        sys.stdout.write("ran 1 0"); sys.stdout.flush(); os.kill(os.getpid(), 9)
    else:
        print("result of", number, what, flush=True)
"""

LIMITS = Limits(seconds=30, silence=1.0, output=MEBIBYTE)


class Batch:
    def __init__(self, folder: Path) -> None:
        self.starts_file = folder / "starts"

    def run(self, *lines: str) -> list[str | Outcome]:
        command = Command(
            argv=(sys.executable, "-c", WORKER, str(self.starts_file)), environment=dict(os.environ)
        )
        numbered = dict(enumerate(lines))
        answers = list(run_batch(Launcher(), command, numbered, LIMITS))
        assert sorted(answer.number for answer in answers) == list(numbered)
        return [answer.said for answer in sorted(answers, key=by_number)]

    @property
    def starts(self) -> int:
        return len(self.starts_file.read_text())


def by_number(answer: Answer) -> int:
    return answer.number


@pytest.fixture
def batch(tmp_path: Path) -> Batch:
    return Batch(tmp_path)


def test_one_process_does_all_that_goes_well(batch: Batch) -> None:
    said = batch.run(*(f"case {i}" for i in range(200)))
    assert said == [f"result of {i} case {i}" for i in range(200)]
    assert batch.starts == 1


def test_no_cases_start_no_process(batch: Batch) -> None:
    assert batch.run() == []
    assert not batch.starts_file.exists()


@pytest.mark.parametrize(
    ("what", "outcome"),
    [
        ("die", ToolFailed(message="ended by SIGSEGV without a word")),
        ("hang", TimedOut(message="no output for 1 s")),
        ("flood", ToolFailed(message="more than 1 MiB of output")),
        ("late", ToolFailed(message="ended by SIGSEGV without a word")),
        ("exit", ToolFailed(message="exit code 3 without a word")),
        ("leave", ToolFailed(message="the process ended well without an answer")),
        ("cut", ToolFailed(message=f"ended by {signal.SIGKILL.name} without a word")),
    ],
)
def test_a_bad_case_costs_the_others_nothing(batch: Batch, what: str, outcome: Outcome) -> None:
    said = batch.run("first", what, "last")
    assert said == ["result of 0 first", outcome, "result of 2 last"]
    assert batch.starts == 2


def test_a_panic_is_read(batch: Batch) -> None:
    [said] = batch.run("panic")
    assert isinstance(said, Panicked)
    assert said.message == "not today"


def test_a_process_that_never_begins_anything_comes_to_an_end() -> None:
    command = Command(argv=(sys.executable, "-c", "raise SystemExit(2)"))
    answers = list(run_batch(Launcher(), command, {1: "a", 2: "b"}, LIMITS))
    assert [answer.number for answer in answers] == [1, 2]
    assert all(isinstance(answer.said, ToolFailed) for answer in answers)
