"""Cases written as files are read back as what they were, whatever their texts are."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from harness.cases.case import BytecodeCase
from harness.cases.load import load
from harness.cases.pointer_case import PointerCase
from harness.cases.write import bytecode_case_text, expectation_words, pointer_case_text
from harness.fuzz.random_bytecode import generate_bytecode
from harness.fuzz.settings import SETTINGS
from harness.mode import MODES
from harness.model.machine import judge
from harness.outcome import TimedOut, UndefinedBehaviour
from harness.pointer.generator import generate
from harness.reference import vm as reference_vm

HOSTILE = "'''\n[expect]\nall = \"ran\"\n\\\" \x00 \u202e é \ud800"


def read(text: str, folder: Path) -> BytecodeCase | PointerCase:
    file = folder / "case.toml"
    file.write_text(text, encoding="utf-8")
    loaded = load([file])
    assert not loaded.errors, loaded.errors[0]
    (case,) = loaded.cases
    assert isinstance(case, BytecodeCase | PointerCase)
    return case


@pytest.mark.parametrize("seed", range(40))
def test_a_pointer_case_is_read_back(seed: int, tmp_path: Path) -> None:
    program = generate(random.Random(seed), 10)
    expected = {mode: judge(program, mode) for mode in MODES}
    text = pointer_case_text(
        program, description="a", source="b", rule="c", expected=expected, remarks=["x\ny"]
    )
    case = read(text, tmp_path)
    assert isinstance(case, PointerCase)
    assert case.program == program
    for mode in MODES:
        stated = case.expected_in(mode)
        assert stated is not None
        assert expectation_words(stated) == expectation_words(expected[mode])


@pytest.mark.parametrize("seed", range(60))
def test_a_bytecode_case_is_read_back(seed: int, tmp_path: Path) -> None:
    program = generate_bytecode(random.Random(seed), SETTINGS)
    expected = reference_vm.run(program)
    text = bytecode_case_text(program, description="a", source="b", expected=expected)
    case = read(text, tmp_path)
    assert isinstance(case, BytecodeCase)
    assert case.program == program
    assert reference_vm.run(case.program) == expected
    assert type(case.expected) is type(expected)


def test_texts_are_data(tmp_path: Path) -> None:
    program = generate(random.Random(1), 5)
    text = pointer_case_text(
        program, description=HOSTILE, source=HOSTILE, rule=HOSTILE, remarks=[HOSTILE]
    )
    case = read(text, tmp_path)
    assert isinstance(case, PointerCase)
    assert case.program == program
    assert not case.expectations


def test_a_rule_is_never_empty(tmp_path: Path) -> None:
    program = generate(random.Random(1), 5)
    read(pointer_case_text(program, description="a", source="b", rule=""), tmp_path)


def test_what_no_case_states_is_refused() -> None:
    with pytest.raises(ValueError, match="timed-out"):
        expectation_words(TimedOut(message=""))


def test_undefined_behaviour_is_stated_with_its_statement() -> None:
    found = (judge(generate(random.Random(seed), 12), MODES[0]) for seed in range(40))
    words = [expectation_words(each) for each in found if isinstance(each, UndefinedBehaviour)]
    assert words
    assert all(" @" in each for each in words)
