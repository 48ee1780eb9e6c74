"""The corpus: every case loads, says what it must, and agrees with the reference VM."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from harness.bytecode import assembly, wire
from harness.cases.case import BytecodeCase
from harness.cases.load import load
from harness.outcome import Ran, Trapped
from harness.reference.vm import run

CORPUS = Path(__file__).parents[2] / "corpus" / "bytecode"
LOADED = load([CORPUS])
CASES = [case for case in LOADED.cases if isinstance(case, BytecodeCase)]


def test_every_file_is_a_case() -> None:
    assert not LOADED.errors
    files = [path for path in CORPUS.iterdir() if path.is_file()]
    assert len(CASES) == len(files) >= 40


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_the_reference_agrees(case: BytecodeCase) -> None:
    outcome = run(case.program)
    match case.expected:
        case Ran(memory=memory, steps=steps):
            assert isinstance(outcome, Ran)
            assert outcome.memory == memory
            assert steps in (None, outcome.steps)
        case Trapped():
            assert outcome == case.expected


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_its_name_says_what_it_shows(case: BytecodeCase) -> None:
    name = case.id.removeprefix("bytecode/")
    assert re.fullmatch("[a-z0-9]+(-[a-z0-9]+)*", name)
    assert isinstance(case.expected, Trapped) == name.startswith("trap-")
    assert case.description.endswith(".")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_text_and_wire_form_give_it_back(case: BytecodeCase) -> None:
    text = assembly.format(case.program.instructions)
    assert assembly.parse(text) == case.program.instructions
    assert wire.decode(wire.encode(case.program)) == case.program


def test_no_two_cases_are_the_same_program() -> None:
    seen: dict[object, str] = {}
    for case in CASES:
        assert seen.setdefault(case.program, case.id) == case.id
