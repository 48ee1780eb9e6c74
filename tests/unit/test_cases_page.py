"""`docs/cases.md`: its examples are cases that hold."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from harness.cases.case import FILE_LIMIT, BytecodeCase
from harness.cases.expectations import SELECTIONS
from harness.cases.files import CaseFile
from harness.cases.load import read_case
from harness.errors import InputError
from harness.outcome import Ran, Trapped
from harness.reference.vm import run

PAGE = (Path(__file__).parents[2] / "docs" / "cases.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_is_a_case_that_holds(example: str) -> None:
    case = read_case(CaseFile(path=Path("example.toml"), id="example"), example.encode())
    assert isinstance(case, BytecodeCase)
    outcome = run(case.program)
    match case.expected:
        case Ran(memory=memory):
            assert isinstance(outcome, Ran)
            assert outcome.memory == memory
        case Trapped():
            assert outcome == case.expected


def test_there_are_examples() -> None:
    assert len(EXAMPLES) == 3


def test_the_mistake_is_told_as_it_is_shown() -> None:
    shown = re.search(r"```\n(\S+?):4:10: (.*?)\n```", PAGE, re.DOTALL)
    assert shown
    mistaken = EXAMPLES[0].replace("const.u16 40 ->", "const.u8 256 ->")
    with pytest.raises(InputError) as caught:
        read_case(CaseFile(path=Path(shown[1]), id="mine"), mistaken.encode())
    assert str(caught.value) == f"{shown[1]}:4:10: {shown[2]}"


def test_the_limits_are_those_of_the_code() -> None:
    assert f"from 0 to {FILE_LIMIT:,}" in PAGE
    assert f"at most {FILE_LIMIT:,} bytes, a memory as many" in PAGE


def test_the_keys_for_modes_are_those_of_the_code() -> None:
    named = re.findall(r"`([a-z-]+)`", PAGE[PAGE.index("A key is a mode") :].partition(";")[0])
    assert set(named) == {"all", "stacked-strict", "stacked", "tree", "none", "tree-writes"}
    assert set(named) <= set(SELECTIONS)
