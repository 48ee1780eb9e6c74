"""Every story of the corpus in the pointer language, held against its case and against Miri."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import pytest

from harness.campaign.judging import Judging
from harness.campaign.oracle import Oracle
from harness.cases.load import load
from harness.cases.story_case import StoryCase
from harness.evidence import committed
from harness.ledger import Ledger
from harness.mode import EVERY_MODE, Mode, parse_mode
from harness.model.machine import examine
from harness.outcome import NOWHERE, Outcome, Ran, UndefinedBehaviour, Unsupported
from harness.pointer.validate import faults
from harness.resources import corpus_dir
from harness.result import Evidence, Result
from harness.retelling.judgement import Retelling, judge, retell
from harness.target import STATED, Target
from harness.verdict import differences

CASES = {
    case.path.stem: case
    for case in load([corpus_dir() / "story"]).cases
    if isinstance(case, StoryCase)
}

UNSAID = {
    "compare-exchange": "a branch",
    "memcmp": "a pattern",
    "memcmp-backwards": "a pattern",
    "non-temporal-store": "threads that meet",
    "non-temporal-store-loaded-too-early": "threads that meet",
    "non-temporal-store-published-too-early": "threads that meet",
    "non-temporal-store-told-as-a-store": "threads that meet",
    "popcount": "a loop",
}
"""All that the pointer language cannot say. One that it comes to say leaves the table."""

ADVISED_BY_MIRI_ALONE = {"getpid-told-as-init": "pure"}
"""A choice that leaves one value only, which is seen where it is made."""


@cache
def retold(name: str) -> Retelling:
    return retell(CASES[name].program)


def comes_to(name: str, mode: Mode) -> Outcome:
    return judge(retold(name), lambda program: examine(program, mode).outcome)


SAID = sorted(set(CASES) - set(UNSAID))


def test_nearly_every_story_can_be_said() -> None:
    assert set(UNSAID) <= set(CASES)
    assert len(UNSAID) < len(CASES) / 10


@pytest.mark.parametrize("name", UNSAID)
def test_what_cannot_be_said_says_why_and_where(name: str) -> None:
    decided = comes_to(name, EVERY_MODE[0])
    assert isinstance(decided, Unsupported)
    assert decided.message.startswith(f"the pointer language cannot say {UNSAID[name]}")
    place = CASES[name].place_of(decided.location)
    assert place is not None
    if decided.location != NOWHERE:
        text = CASES[name].path.read_text(encoding="utf-8").splitlines()[place.line - 1]
        assert text[place.column - 1 :].strip()


@pytest.mark.parametrize("name", SAID)
def test_what_is_said_is_what_the_case_expects(name: str) -> None:
    for mode in EVERY_MODE:
        found = comes_to(name, mode)
        assert not differences(wanted=CASES[name].expected_in(mode), seen=found), (mode, found)


@pytest.mark.parametrize("name", SAID)
def test_what_is_said_is_what_miri_showed(name: str) -> None:
    """Class, kind and rule in each mode, and what could be promised besides."""
    evidence = committed.read(committed.path_of(CASES[name].path))
    assert evidence is not None
    (row,) = evidence.rows.values()
    assert len(row.outcomes) == 6
    for mode, seen in row.outcomes.items():
        found = comes_to(name, parse_mode(mode))
        assert not differences(wanted=seen, seen=found), (mode, found)
        if isinstance(seen, Ran) and isinstance(found, Ran):
            advice = (seen.advice or "").split(", ")
            missed = ADVISED_BY_MIRI_ALONE.get(name)
            if missed is not None:
                advice = advice[: [each.endswith(missed) for each in advice].index(True)]
            assert (found.advice or "") == ", ".join(advice), mode


@pytest.mark.parametrize("name", SAID)
def test_its_programs_are_well_formed(name: str) -> None:
    for trial in retold(name).trials:
        assert not faults(trial.program)
        assert len(trial.spans) == len(trial.program.statements)


def result(name: str, mode: Mode, target: Target | None = None) -> Result:
    judging = Judging(oracle=Oracle(), ledger=Ledger(entries=(), version=lambda _: None))
    return judging.prediction(CASES[name], None, mode, target)


def test_a_run_by_the_model_is_a_result_in_each_mode() -> None:
    for mode in EVERY_MODE:
        found = result("innocent", mode)
        assert (found.run.engine, found.run.mode, found.verdict) == ("model", mode, "agree")
        assert found.evidence is Evidence.PREDICTED
        assert found.outcome == found.predicted == comes_to("innocent", mode)


def test_a_story_that_cannot_be_said_is_not_checked_at_its_line() -> None:
    found = result("popcount", EVERY_MODE[0])
    assert (found.verdict, found.outcome, found.evidence) == ("not_checked", None, None)
    assert found.reason.startswith("the pointer language cannot say a loop (line 3 of the story")
    assert found.place is not None
    text = CASES["popcount"].path.read_text(encoding="utf-8").splitlines()
    assert text[found.place.line - 1] == "while left != 0 {"


def test_no_story_is_told_for_another_machine() -> None:
    other = Target(triple="aarch64-unknown-linux-gnu", layout=STATED)
    found = result("innocent", EVERY_MODE[0], other)
    assert (found.verdict, found.outcome) == ("not_checked", None)
    assert "the host's assembly" in found.reason


def test_what_disagrees_with_its_case_is_a_mismatch() -> None:
    kept = replace(CASES["innocent"], broken=None)
    judging = Judging(oracle=Oracle(), ledger=Ledger(entries=(), version=lambda _: None))
    found = judging.prediction(kept, None, EVERY_MODE[0], None)
    assert found.verdict == "mismatch"
    assert "wanted ran, saw ub rule 2 aliasing" in found.reason


def test_what_breaks_is_told_where_it_stands() -> None:
    """The line of the case's file in which the story does what it must not."""
    shown = {
        "innocent": "x.cast_mut().write(0)",
        "story-writes-through-shared": "p.cast_mut().write(value)",
        "false-readonly-store": "p.write(value)",
        "simd-load-uninitialised": "p.cast::<__m256i>().read()",
        "story-changes-an-in-operand": "n = 0",
    }
    for name, said in shown.items():
        found = comes_to(name, EVERY_MODE[0])
        assert isinstance(found, UndefinedBehaviour)
        place = CASES[name].place_of(found.location)
        assert place is not None
        lines = CASES[name].path.read_text(encoding="utf-8").splitlines()
        assert said in lines[place.line - 1]
