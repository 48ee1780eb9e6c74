"""The archive in a campaign: what is on record is not run again, and counts for what it is."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from harness.campaign.oracle import Oracle
from harness.cases.load import load
from harness.engines.engine import Job
from harness.evidence.archive import Archive
from harness.evidence.store import Store
from harness.mode import parse_mode
from harness.outcome import Panicked, Ran, TimedOut, ToolFailed
from harness.resources import corpus_dir, rust_vm_dir
from harness.result import EngineName, Evidence, Result, Tool, Verdict
from harness.story.block import Story
from tests.unit.evidence_campaign import CASE, MISSING, TOOL, Fake, campaign

MODES = (parse_mode("stacked-strict"), parse_mode("tree-strict"))
NEXT = Tool(version="miri 0.1.0 (two)", compiler="rustc 1.96.0-nightly", target="here")

Do = Callable[..., list[Result]]


@pytest.fixture
def case(tmp_path: Path) -> Path:
    path = tmp_path / "byte.toml"
    path.write_text(CASE.format(value=7), encoding="utf-8")
    return path


@pytest.fixture
def do(tmp_path: Path, case: Path) -> Do:
    """Runs the case by an engine, with the store that all these calls share."""

    def do(engine: Fake, *, tool: Tool = TOOL, live: bool = False) -> list[Result]:
        store = tmp_path / "records.log"
        return list(campaign(engine, [case], store, tool=tool, live=live, modes=MODES).results())

    return do


def test_a_second_run_takes_what_the_first_has_seen(do: Do) -> None:
    first, second = Fake(), Fake()
    assert {each.evidence for each in do(first)} == {Evidence.LIVE}
    results = do(second)
    assert len(first.done) == len(results) == 2
    assert not second.done
    for result in results:
        assert result.evidence is Evidence.RECORDED
        assert result.verdict is Verdict.AGREE
        assert result.recording is not None
        assert result.recording.tool == TOOL


def test_a_changed_program_runs_again(do: Do, case: Path) -> None:
    do(Fake())
    case.write_text(CASE.format(value=8), encoding="utf-8")
    engine = Fake(outcome=Ran(checksum=8))
    do(engine)
    assert len(engine.done) == 2


def test_a_changed_description_changes_nothing(do: Do, case: Path) -> None:
    do(Fake())
    text = CASE.format(value=7).replace("A byte.", "A single byte.")
    case.write_text(text, encoding="utf-8")
    engine = Fake()
    do(engine)
    assert not engine.done


def test_live_takes_nothing_and_writes_all(do: Do) -> None:
    do(Fake())
    live = Fake()
    assert {each.evidence for each in do(live, live=True)} == {Evidence.LIVE}
    assert len(live.done) == 2


def test_another_miri_has_to_see_for_itself(do: Do) -> None:
    do(Fake())
    other = Fake()
    do(other, tool=NEXT)
    assert len(other.done) == 2
    # Both stay on record.
    for tool in (TOOL, NEXT):
        again = Fake()
        assert {r.recording and r.recording.tool for r in do(again, tool=tool)} == {tool}
        assert not again.done


def test_where_the_tool_is_missing_any_record_counts(do: Do) -> None:
    absent = Fake(absent=MISSING)
    assert {(r.verdict, r.reason) for r in do(absent)} == {(Verdict.NOT_CHECKED, MISSING.message)}
    do(Fake())
    do(Fake(), tool=NEXT)
    results = do(absent)
    assert {r.verdict for r in results} == {Verdict.AGREE}
    assert {r.recording and r.recording.tool for r in results} == {NEXT}, "the newest"
    assert not absent.done


def test_a_recorded_finding_is_seen_anew_and_shown_where_it_cannot_be(do: Do) -> None:
    do(Fake(outcome=Panicked(message="boom")))
    again = Fake(outcome=Panicked(message="boom"))
    assert {(r.verdict, r.evidence) for r in do(again)} == {(Verdict.MISMATCH, Evidence.LIVE)}
    assert len(again.done) == 2
    shown = do(Fake(absent=MISSING))
    assert {(r.verdict, r.evidence) for r in shown} == {(Verdict.MISMATCH, Evidence.RECORDED)}


@pytest.mark.parametrize(
    "engine",
    [
        Fake(outcome=TimedOut(message="60 s")),
        Fake(outcome=ToolFailed(message="a crash")),
        Fake(fault="two words for one thing"),
    ],
    ids=["limit", "tool", "fault"],
)
def test_what_says_nothing_of_the_program_is_not_kept(do: Do, engine: Fake) -> None:
    do(engine)
    again = Fake()
    do(again)
    assert len(again.done) == 2


def test_a_seed_is_a_run_of_its_own(tmp_path: Path, case: Path) -> None:
    archive = Archive(Store(tmp_path / "records.log"), vm_folder=rust_vm_dir())
    program = load((case,)).cases[0].program
    job = Job(case="byte", program=program, mode=MODES[0], seed=3)
    archive.keep(EngineName.MIRI, job, Ran(checksum=7), TOOL)
    assert archive.recall(EngineName.MIRI, case, job, TOOL)
    assert not archive.recall(EngineName.MIRI, case, replace(job, seed=4), TOOL)
    assert not archive.recall(EngineName.MIRI, case, replace(job, seed=None), TOOL)


def test_a_story_natively_is_on_record_with_its_block(tmp_path: Path) -> None:
    archive = Archive(Store(tmp_path / "records.log"), vm_folder=rust_vm_dir())
    path = corpus_dir() / "story" / "popcount.toml"
    (case,) = load([path]).cases
    assert isinstance(case.program, Story)
    (block,) = case.program.blocks
    other = replace(case.program, blocks=(replace(block, template=f"{block.template}\nnop"),))
    mode = parse_mode("none-strict")
    # Under Miri the two are the same.
    for engine, recalled in ((EngineName.NATIVE, False), (EngineName.MIRI, True)):
        of_mode = mode if engine is EngineName.MIRI else None
        job = Job(case=case.id, program=case.program, mode=of_mode)
        assert archive.keep(engine, job, Ran(), TOOL)
        assert archive.recall(engine, tmp_path, job, TOOL)
        assert bool(archive.recall(engine, tmp_path, replace(job, program=other), TOOL)) == recalled


def test_predictions_come_back_as_they_were(tmp_path: Path) -> None:
    cases = load((corpus_dir() / "pointer" / "provenance",)).cases
    archive = Archive(Store(tmp_path / "records.log"), vm_folder=rust_vm_dir())
    fresh, first, again = Oracle(), Oracle(archive), Oracle(archive)
    exact = 0
    for each in cases:
        for mode in MODES:
            prediction = fresh.prediction(each, None, mode)
            assert first.prediction(each, None, mode) == prediction
            assert again.prediction(each, None, mode) == prediction
        permissive = fresh.prediction(each, None, parse_mode("tree-permissive"))
        assert permissive is not None
        exact += permissive.exact is not None
        assert again.prediction(each, None, parse_mode("tree-permissive")) == permissive
        assert again._archive is archive
    assert exact


def test_what_is_settled_is_what_judging_anew_comes_to(do: Do, tmp_path: Path) -> None:
    do(Fake())
    taken = do(Fake())
    log = tmp_path / "records.log"
    lines = log.read_bytes().splitlines(keepends=True)
    kept = [line for line in lines if b" settled-" not in line]
    assert len(kept) < len(lines)
    log.write_bytes(b"".join(kept))
    judged = do(Fake())
    assert taken == judged
    assert {each.evidence for each in taken} == {Evidence.RECORDED}


def test_what_was_settled_counts_no_more_once_another_outcome_is_on_record(do: Do) -> None:
    do(Fake())
    do(Fake(outcome=Panicked(message="boom")), live=True)
    again = Fake()
    do(again)
    assert len(again.done) == 2


def test_a_run_in_which_something_else_came_on_record_is_never_whole(
    tmp_path: Path, case: Path
) -> None:
    program = load((case,)).cases[0].program
    job = Job(case="byte", program=program, mode=MODES[0])
    for outcomes, kept in (([1], True), ([1, 1], True), ([1, 2], False)):
        store = tmp_path / f"{outcomes}.log"
        archive = Archive(Store(store), vm_folder=rust_vm_dir())
        for checksum in outcomes:
            archive.keep(EngineName.MIRI, job, Ran(checksum=checksum), TOOL)
        archive.settle_run("all", b"what came of it")
        again = Archive(Store(store), vm_folder=rust_vm_dir())
        assert again.settled_run("all") == (b"what came of it" if kept else None)
        assert again.settled_run("another") is None


@pytest.mark.parametrize("record", [b"{}", b"!", b"bm8=", base64.b64encode(zlib.compress(b"no"))])
def test_what_cannot_be_read_was_never_settled(record: bytes) -> None:
    class Strange:
        def __init__(self) -> None:
            self.notes: list[str] = []

        def find(self, key: str) -> list[bytes]:
            return [record] if key.startswith("settled-") else []

        def add(self, key: str, record: bytes) -> None:
            raise AssertionError

    assert Archive(Strange(), vm_folder=rust_vm_dir()).settled("scope") is None


def test_a_finding_is_never_settled(do: Do, tmp_path: Path) -> None:
    do(Fake(outcome=Panicked(message="boom")))
    do(Fake(outcome=Panicked(message="boom")))
    assert b" settled-" not in (tmp_path / "records.log").read_bytes()
