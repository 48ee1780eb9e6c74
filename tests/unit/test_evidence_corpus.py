"""Without a Miri: what a real one showed of the whole corpus, held against the predictions."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.campaign.blessing import AGREEING
from harness.campaign.campaign import Campaign
from harness.cases.case import BytecodeCase
from harness.evidence import committed
from harness.lowering.variants import VARIANTS
from harness.outcome import Unsupported
from harness.resources import corpus_dir
from harness.result import CaseKind, EngineName, Evidence, Form, Result
from harness.verdict import differences
from tests.unit.evidence_campaign import MISSING, Fake, campaign

MEBIBYTE = 1 << 20

FILES = sorted(corpus_dir().rglob(f"{committed.FOLDER}/*.json"))


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Campaign:
    """Every case, variant, form and mode, where Miri is missing and the store empty."""
    store = tmp_path_factory.mktemp("evidence") / "records.log"
    return campaign(Fake(absent=MISSING), [corpus_dir()], store, variants=tuple(VARIANTS))


@pytest.fixture(scope="module")
def results(work: Campaign) -> list[Result]:
    """Of all but the cases whose result depends on addresses: of those nothing is kept."""
    undetermined = {
        case.id
        for case in work.cases
        if isinstance(case, BytecodeCase) and isinstance(case.expected, Unsupported)
    }
    assert len(undetermined) == 2
    return [each for each in work.results() if each.run.case not in undetermined]


def test_every_run_is_on_record(work: Campaign, results: list[Result]) -> None:
    missing = [each.run for each in results if each.evidence is not Evidence.RECORDED]
    assert not missing, f"{len(missing)} are not; `harness bless` with a Miri adds them"
    cases = {each.run.case for each in results}
    assert len(results) == sum(case.id in cases for case, _ in work.jobs(EngineName.MIRI))
    assert {each.run.form for each in results} == {None, *Form}
    assert {each.run.variant for each in results} == {None, *VARIANTS}
    assert len({each.run.mode for each in results}) == 6


def test_none_of_it_is_stale_or_altered(work: Campaign, results: list[Result]) -> None:
    assert results
    assert not work.archive.notes(), "`harness bless` with a Miri renews it"


def test_what_miri_showed_is_what_was_predicted(results: list[Result]) -> None:
    """Class, kind, place, and what the program computed; of a story, what its case says."""
    for result in results:
        assert result.verdict in AGREEING, (result.run, result.reason)
        is_story = result.run.kind is CaseKind.STORY
        wanted = result.expected if is_story else result.predicted
        assert wanted is not None
        assert result.outcome is not None
        found = differences(wanted=wanted, seen=result.outcome)
        assert not found, (result.run, found)


def test_the_files_are_as_they_are_written() -> None:
    for path in FILES:
        evidence = committed.read(path)
        assert evidence is not None
        assert committed.encode(evidence) == path.read_bytes(), path


def test_there_is_no_file_without_a_case() -> None:
    for path in FILES:
        assert path.parent.with_name(f"{path.stem}.toml").is_file(), path


def test_it_is_small_and_names_no_machine() -> None:
    data = b"".join(path.read_bytes() for path in FILES)
    assert len(data) < 5 * MEBIBYTE
    assert b'"file":"/' not in data
    assert str(Path.home()).encode() not in data
