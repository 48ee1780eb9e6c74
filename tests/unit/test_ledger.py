"""The ledger: a known divergence is no mismatch, one that vanished is."""

from __future__ import annotations

import pytest

from harness.cases.load import load
from harness.ledger import Entry, Ledger, entries
from harness.outcome import Ran
from harness.resources import corpus_dir
from harness.result import CaseKind, EngineName, Evidence, Result, Run, Verdict

ENTRY = Entry(
    engine=EngineName.NATIVE,
    case="pointer/known",
    release="rustc 1.95.",
    seen="it gives 0",
    reason="the compiler is wrong",
    source="https://example.org/1",
)


def result(case: str, verdict: Verdict, engine: EngineName = EngineName.NATIVE) -> Result:
    return Result(
        run=Run(case=case, kind=CaseKind.POINTER, engine=engine),
        expected=None,
        predicted=None,
        outcome=Ran(),
        evidence=Evidence.LIVE,
        verdict=verdict,
    )


def ledger(version: str | None) -> Ledger:
    return Ledger(entries=(ENTRY,), version=lambda engine: version)


def test_a_known_mismatch_is_not_checked_and_says_why() -> None:
    seen = ledger("rustc 1.95.0").apply(result("pointer/known", Verdict.MISMATCH))
    assert seen.verdict is Verdict.NOT_CHECKED
    assert seen.reason == "known: it gives 0; the compiler is wrong; https://example.org/1"


def test_one_that_vanished_under_its_release_fails() -> None:
    seen = ledger("rustc 1.95.0").apply(result("pointer/known", Verdict.AGREE))
    assert seen.verdict is Verdict.MISMATCH
    assert "no longer true" in seen.reason


@pytest.mark.parametrize("version", ["rustc 1.96.0", None])
def test_one_that_another_release_does_not_have_is_fine(version: str | None) -> None:
    seen = ledger(version).apply(result("pointer/known", Verdict.AGREE))
    assert seen.verdict is Verdict.AGREE


def test_other_runs_are_left_alone() -> None:
    for other in (
        result("pointer/unknown", Verdict.MISMATCH),
        result("pointer/known", Verdict.MISMATCH, EngineName.MIRI),
    ):
        assert ledger("rustc 1.95.0").apply(other) is other


def test_every_entry_is_about_a_case_of_the_corpus() -> None:
    known = {case.id for case in load((corpus_dir(),)).cases}
    assert entries()
    for entry in entries():
        assert entry.case in known
        assert entry.reason
        assert entry.source.startswith("https://")
