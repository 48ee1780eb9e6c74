"""Committed evidence: the same bytes for the same outcomes, and nothing of it once altered."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from harness.campaign.blessing import Change, bless
from harness.cli.exit_code import ExitCode
from harness.cli.main import run
from harness.evidence.committed import Committed, Row, Unusable, encode, path_of, read
from harness.evidence.record import lasting
from harness.mode import MODES
from harness.outcome import Outcome, Panicked, Ran
from harness.result import EngineName, Evidence, Form, Recording, Result, Tool, Verdict
from tests.unit.evidence_campaign import CASE, MISSING, TOOL, Fake, campaign

OUTCOMES = st.one_of(*(st.from_type(each) for each in Outcome.__args__)).map(
    lambda outcome: lasting(outcome, shared_source=False)
)
ROWS = st.builds(
    Row,
    program=st.text("0123456789abcdef", min_size=20, max_size=20),
    outcomes=st.dictionaries(st.sampled_from(list(map(str, MODES))), OUTCOMES, min_size=1),
)
POINTER: st.SearchStrategy[tuple[str | None, Form | None]] = st.just((None, None))
BYTECODE = st.tuples(st.sampled_from(["raw", "cell"]), st.sampled_from(Form))
COMMITTED = st.builds(
    Committed,
    recording=st.just(Recording(tool=TOOL, seen="2026-11-21")),
    rows=st.dictionaries(POINTER, ROWS, min_size=1) | st.dictionaries(BYTECODE, ROWS, min_size=1),
)


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("evidence") / "case.json"


@given(evidence=COMMITTED)
def test_evidence_comes_back_as_it_was(evidence: Committed, path: Path) -> None:
    path.write_bytes(encode(evidence))
    again = read(path)
    assert again == evidence
    assert encode(again) == encode(evidence)


@given(evidence=COMMITTED, data=st.data())
def test_altered_evidence_is_refused(evidence: Committed, path: Path, data: st.DataObject) -> None:
    whole = encode(evidence)
    at = data.draw(st.integers(0, len(whole) - 1))
    flipped = bytes([whole[at] ^ 1 << data.draw(st.integers(0, 7))])
    for altered in (whole[:at], whole[:at] + flipped + whole[at + 1 :]):
        path.write_bytes(altered)
        with pytest.raises(Unusable, match=r"case\.json"):
            read(path)


def test_each_outcome_stands_once() -> None:
    row = Row(program="0" * 20, outcomes={str(mode): Ran(checksum=7) for mode in MODES})
    recording = Recording(tool=TOOL, seen="2026-11-21")
    evidence = Committed(recording=recording, rows={(None, None): row})
    assert encode(evidence).count(b'"ran"') == 1


def put(path: Path, value: int = 7) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_text(CASE.format(value=value), encoding="utf-8")
    return path


def blessed(folder: Path, engine: Fake | None = None, *, tool: Tool = TOOL) -> dict[str, Change]:
    """What blessing the folder changes; a new machine each time, with an empty store."""
    store = folder.with_suffix(".log")
    store.unlink(missing_ok=True)
    work = campaign(engine or Fake(), [folder], store, tool=tool)
    return {each.path.name: each.change for each in bless(work, list(work.results()), tool)}


def without_miri(folder: Path) -> tuple[list[Result], list[str]]:
    """What a machine without Miri says of the folder: the results, and of the evidence."""
    work = campaign(Fake(absent=MISSING), [folder], folder.with_suffix(".other"))
    return list(work.results()), work.archive.notes()


def test_what_was_blessed_counts_where_miri_is_missing(tmp_path: Path) -> None:
    folder = put(tmp_path / "cases" / "byte.toml").parent
    assert blessed(folder) == {"byte.json": Change.ADDED}
    results, notes = without_miri(folder)
    assert len(results) == len(MODES)
    assert {(each.verdict, each.evidence) for each in results} == {
        (Verdict.AGREE, Evidence.RECORDED)
    }
    assert {each.recording and each.recording.tool for each in results} == {TOOL}
    assert not notes


def test_blessing_twice_runs_and_changes_nothing(tmp_path: Path) -> None:
    folder = put(tmp_path / "cases" / "byte.toml").parent
    blessed(folder)
    engine = Fake()
    assert blessed(folder, engine) == {}
    assert not engine.done


def test_another_miri_sees_and_is_blessed_anew(tmp_path: Path) -> None:
    folder = put(tmp_path / "cases" / "byte.toml").parent
    blessed(folder)
    newer = Tool(version="miri 0.1.0 (two)", compiler="rustc 1.96.0-nightly", target="here")
    assert blessed(folder, tool=newer) == {"byte.json": Change.RENEWED}
    assert {each.recording and each.recording.tool for each in without_miri(folder)[0]} == {newer}


def test_stale_evidence_is_not_used_and_is_renewed(tmp_path: Path) -> None:
    case = put(tmp_path / "cases" / "byte.toml")
    blessed(case.parent)
    put(case, 8)
    results, (note,) = without_miri(case.parent)
    assert {(each.verdict, each.reason) for each in results} == {
        (Verdict.NOT_CHECKED, MISSING.message)
    }
    assert note.startswith("6 stale records")
    assert blessed(case.parent, Fake(outcome=Ran(checksum=8))) == {"byte.json": Change.RENEWED}
    assert not without_miri(case.parent)[1]


def test_altered_evidence_is_said_and_renewed(tmp_path: Path) -> None:
    case = put(tmp_path / "cases" / "byte.toml")
    blessed(case.parent)
    evidence = path_of(case)
    evidence.write_bytes(evidence.read_bytes().replace(b'"checksum":7', b'"checksum":9'))
    results, (note,) = without_miri(case.parent)
    assert {each.verdict for each in results} == {Verdict.NOT_CHECKED}
    assert str(evidence) in note
    assert blessed(case.parent) == {"byte.json": Change.RENEWED}
    assert not without_miri(case.parent)[1]


def test_what_does_not_agree_is_not_blessed(tmp_path: Path) -> None:
    folder = put(tmp_path / "cases" / "byte.toml").parent
    assert blessed(folder, Fake(outcome=Panicked(message="boom"))) == {}
    assert not (folder / "evidence" / "byte.json").exists()


def test_evidence_of_a_case_that_is_gone_goes_too(tmp_path: Path) -> None:
    folder = put(tmp_path / "cases" / "byte.toml").parent
    gone = put(folder / "gone.toml")
    blessed(folder)
    gone.unlink()
    assert blessed(folder) == {"gone.json": Change.REMOVED}


def test_a_run_in_one_mode_does_not_call_the_others_stale(tmp_path: Path) -> None:
    folder = put(tmp_path / "cases" / "byte.toml").parent
    blessed(folder)
    work = campaign(Fake(absent=MISSING), [folder], tmp_path / "other.log", modes=MODES[2:3])
    assert [each.evidence for each in work.results()] == [Evidence.RECORDED]
    assert [job.mode for _, job in work.jobs(EngineName.MIRI)] == [MODES[2]]
    assert not work.archive.notes()


def test_a_set_is_not_blessed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["bless", str(tmp_path / "set.jsonl")]) == ExitCode.BAD_INPUT
    assert "set.jsonl is a set" in capsys.readouterr().err
