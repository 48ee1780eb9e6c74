"""What rustc says of constants, as a real one printed it, read into outcomes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.bytecode.program import Program
from harness.cases.load import load
from harness.diagnostics.message import Message
from harness.engines.constant import read_outcomes
from harness.engines.constant_errors import read_evaluation
from harness.engines.engine import Job
from harness.lowering.variants import VARIANTS, lower
from harness.outcome import (
    FaultKind,
    Outcome,
    Panicked,
    Ran,
    TimedOut,
    ToolFailed,
    UndefinedBehaviour,
)
from harness.pointer.program import PointerProgram
from harness.pointer.rust import RustSource
from harness.pointer.rust_const import Constants
from harness.resources import corpus_dir
from harness.toolchain.command import Command
from harness.toolchain.process import Completed, Ending, Limits
from harness.verdict import describe

RECORDINGS = {
    recording["name"]: recording
    for line in (Path(__file__).parents[1] / "data" / "rustc-constants.jsonl").open()
    for recording in [json.loads(line)]
}


def program_of(name: str) -> PointerProgram:
    case, _, variant = name.partition(" ")
    (loaded,) = load((corpus_dir() / f"{case}.toml",)).cases
    if isinstance(loaded.program, PointerProgram):
        return loaded.program
    assert isinstance(loaded.program, Program)
    return lower(loaded.program, VARIANTS[variant]).program


def outcomes(name: str, ending: Ending = Ending.EXITED) -> dict[str, Outcome]:
    """What the recorded compiler says, by the program."""
    recording = RECORDINGS[name]
    jobs = [Job(case=each, program=program_of(each)) for each in recording["programs"]]
    lines = {int(line): (index, tuple(path)) for line, (index, path) in recording["lines"].items()}
    constants = Constants(
        source=RustSource(text="", lines=lines),
        answers={int(line): index for line, index in recording["answers"].items()},
    )
    done = Completed(
        command=Command(argv=("rustc",), environment={}),
        exit_code=1,
        ending=ending,
        stdout=b"",
        stderr=recording["stderr"].encode(),
        seconds=1.0,
        limits=Limits(),
    )
    found = read_outcomes(done, constants, jobs)
    return {jobs[index].case: outcome for index, outcome in found.items()}


def test_every_program_has_its_own_outcome_and_place() -> None:
    assert {name: describe(outcome) for name, outcome in outcomes("each").items()} == {
        "pointer/both/write-through-shared": "ub aliasing at statement 3",
        "pointer/memory/read-past-the-end": "ub out-of-bounds at statement 2",
        "pointer/memory/misaligned-read": "ub misaligned at statement 2",
        "pointer/memory/uninitialised-local": "ub uninitialised at statement 2",
        "pointer/memory/local-of-ended-call": "ub dangling at statement 1",
        "pointer/memory/copy-overlaps-itself": "ub overlap at statement 3",
        "pointer/memory/null-read": "ub null at statement 2",
        "pointer/memory/offset-past-the-end": "ub out-of-bounds at statement 2",
        "pointer/provenance/pointer-bytes-as-integer": "unsupported other at statement 5",
        "pointer/provenance/pointer-loaded-and-stored-askew": "unsupported other at statement 7",
        "pointer/sound/index-out-of-bounds-panics": "panicked: index out of bounds: "
        "the length is 2 but the index is 2",
        "pointer/sound/guard-leaves-a-call": "trapped out-of-bounds at instruction 0 addr",
        "pointer/sound/every-width-aligned": "ran",
        "bytecode/thread-program raw": "ran",
    }


def test_the_value_of_a_constant_is_what_the_program_left() -> None:
    said = outcomes("each")
    wide, thread = said["pointer/sound/every-width-aligned"], said["bytecode/thread-program raw"]
    assert isinstance(wide, Ran)
    assert (wide.checksum, wide.memory) == (16782587, None)
    assert isinstance(thread, Ran)
    assert thread.memory == bytes.fromhex("2a00 0200 2800 2a00 0000 0000 0000 0000")


def test_a_program_that_does_not_compile_is_told_apart_and_the_others_are_asked_again() -> None:
    ((name, outcome),) = outcomes("one does not compile").items()
    assert name == "pointer/both/write-through-shared"
    assert isinstance(outcome, ToolFailed)
    assert "cannot find function `nonsense`" in outcome.message


def test_a_compiler_that_was_ended_says_nothing() -> None:
    assert outcomes("each", Ending.TIME) == {}


@pytest.mark.parametrize(
    "text",
    ["attempt to compute `1_u8 / 0_u8`, which would overflow", "evaluation panicked: a reason"],
)
def test_other_panics(text: str) -> None:
    outcome = read_evaluation(Message(level="error", code="E0080", text=text)).outcome
    assert outcome == Panicked(message=text)


def test_an_evaluation_without_end() -> None:
    text = "reached the configured maximum number of stack frames"
    assert read_evaluation(Message(level="error", text=text)).outcome == TimedOut(
        message=text, by_limit=False
    )


def test_undefined_behaviour_in_words_that_are_new() -> None:
    outcome = read_evaluation(Message(level="error", text="something new")).outcome
    assert isinstance(outcome, UndefinedBehaviour)
    assert outcome.kind is FaultKind.OTHER
