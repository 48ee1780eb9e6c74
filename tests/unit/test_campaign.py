"""Campaigns: what is confirmed before it is called a finding, and what differs by seed."""

from __future__ import annotations

from pathlib import Path

from harness.mode import MODES
from harness.outcome import FaultKind, Outcome, Ran, UndefinedBehaviour
from harness.result import Result, Verdict
from tests.unit.evidence_campaign import CASE, SEVEN, Fake, campaign

WRONG = Ran(checksum=8)
UNDEFINED = UndefinedBehaviour(kind=FaultKind.OUT_OF_BOUNDS, message="")

HANGS = "p = &raw mut x\na = p.addr()\nguard a != 0 else misaligned 0 addr\n"


def result(engine: Fake, folder: Path, text: str = CASE.format(value=7)) -> Result:
    path = folder / "case.toml"
    path.write_text(text)
    [only] = campaign(engine, [path], folder / "store", modes=MODES[:1]).results()
    return only


def test_what_agrees_is_not_confirmed(tmp_path: Path) -> None:
    engine = Fake()
    assert result(engine, tmp_path).verdict is Verdict.AGREE
    assert engine.confirmed == []


def test_a_mismatch_is_confirmed(tmp_path: Path) -> None:
    engine = Fake(outcome=WRONG)
    assert result(engine, tmp_path).verdict is Verdict.MISMATCH
    assert engine.confirmed == engine.done


def test_a_mismatch_that_is_not_confirmed_is_a_fault_of_the_harness(tmp_path: Path) -> None:
    found = result(Fake(outcome=WRONG, contradiction="plainly it was 7"), tmp_path)
    assert (found.verdict, found.fault) == (Verdict.NOT_CHECKED, True)
    assert found.reason == "plainly it was 7"


def rows(*outcomes: Outcome) -> tuple[tuple[Outcome, tuple[int, ...]], ...]:
    """The first outcome under seeds 0 to 2, each further one under 10, 11, …"""
    first, *others = outcomes
    return ((first, (0, 1, 2)), *((each, (10 + n,)) for n, each in enumerate(others)))


def test_one_outcome_under_all_seeds_agrees_and_names_them(tmp_path: Path) -> None:
    found = result(Fake(by_seed=rows(SEVEN)), tmp_path)
    assert (found.verdict, found.seeds) == (Verdict.AGREE, (0, 1, 2))


def test_a_run_that_differs_by_seed_is_a_mismatch_that_names_the_seeds(tmp_path: Path) -> None:
    found = result(Fake(by_seed=rows(SEVEN, UNDEFINED)), tmp_path)
    assert (found.verdict, found.seeds) == (Verdict.MISMATCH, (0, 1, 2, 10))
    assert found.reason == "differs by seed: ran under seed 0-2; ub out-of-bounds under seed 10"


def test_a_run_that_hangs_on_addresses_may_differ_by_seed(tmp_path: Path) -> None:
    text = CASE.format(value=7).replace("read x", HANGS + "read x")
    engine = Fake(by_seed=rows(SEVEN, UNDEFINED))
    found = result(engine, tmp_path, text)
    assert found.verdict is Verdict.NOT_CHECKED
    assert found.reason.startswith("hangs on addresses: ran under seed 0-2; ub")
    assert engine.confirmed == []
