"""Engine `const` with a real rustc: the corpus, what comes of programs that fail, and limits."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.campaign.assemble import assemble
from harness.campaign.selection import Selection
from harness.cases.load import load
from harness.engines.constant import LIMITS, ConstEngine
from harness.engines.engine import Job, Observation
from harness.lowering.variants import VARIANTS
from harness.mode import NONE_STRICT
from harness.outcome import Panicked, Ran, TimedOut, ToolFailed, UndefinedBehaviour
from harness.pointer import program as p
from harness.resources import corpus_dir
from harness.result import EngineName, Result, Verdict
from harness.toolchain.process import Launcher, Limits
from tests.unit.const_page import CHECKED, ONLY_MIRI, case_of, lines

pytestmark = pytest.mark.slow


def evaluate(
    tmp_path: Path, *programs: p.PointerProgram, limits: Limits = LIMITS
) -> list[Observation]:
    engine = ConstEngine(Launcher(), cache=tmp_path, workers=2, limits=limits)
    jobs = [
        Job(case=str(number), program=program, mode=NONE_STRICT)
        for number, program in enumerate(programs)
    ]
    assert not any(engine.refuses(job) for job in jobs)
    return sorted(engine.run(jobs), key=lambda seen: int(seen.job.case))


def run(monkeypatch: pytest.MonkeyPatch, cache: Path, *paths: Path) -> list[Result]:
    """The results of the engine for the cases in these files."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache))
    selection = Selection(toolchain="none", jobs=2, engines=(EngineName.CONST,))
    return list(assemble(load(paths).cases, selection).campaign.results())


@pytest.mark.timeout(300)
def test_the_pointer_corpus_agrees(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    results = run(monkeypatch, tmp_path, corpus_dir() / "pointer")
    assert not [each for each in results if each.verdict is Verdict.MISMATCH]
    agreeing = [each for each in results if each.verdict is Verdict.AGREE]
    assert len(agreeing) >= 180
    assert {each.outcome.name for each in agreeing if each.outcome} == {
        "ran", "ub", "panicked", "trapped",
    }  # fmt: skip
    # What is on record is not evaluated again.
    again = run(monkeypatch, tmp_path, corpus_dir() / "pointer")
    assert [each.verdict for each in again] != []
    recorded = [each for each in again if each.recording]
    assert {each.run.case for each in agreeing} <= {each.run.case for each in recorded}


@pytest.mark.timeout(300)
def test_lowered_bytecode_comes_to_the_memory_of_the_reference(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A program of every size, in every variant that can be said."""
    names = (
        "thread-program",
        "trap-div-u8-by-zero",
        "memory-of-1024-bytes",
        "sar-u64-keeps-the-sign",
    )
    files = [corpus_dir() / "bytecode" / f"{name}.toml" for name in names]
    results = run(monkeypatch, tmp_path, *files)
    said = [each for each in results if each.outcome is not None]
    addressed = {"exposed", "unexposed", "with-addr", "transmuted", "vm-ptr"}
    everywhere = {
        name for name, variant in VARIANTS.items() if variant.unrolled and not variant.shown_by
    }
    assert {each.run.variant for each in said} == everywhere - addressed
    assert len(said) == len(names) * len(everywhere - addressed)
    for each in said:
        if each.run.variant == "shared-base" and isinstance(each.outcome, UndefinedBehaviour):
            # The one rule of aliasing that constant evaluation knows, in a mode without any.
            assert "derived from a shared (immutable) reference" in each.outcome.message
            assert each.verdict is Verdict.NOT_CHECKED
        else:
            assert each.verdict is Verdict.AGREE, each
            assert getattr(each.outcome, "memory", None) is not None


def test_the_many_and_the_one_say_the_same(tmp_path: Path) -> None:
    """And a constant that fails leaves the others as they are."""
    local = p.Local(to="x", size=4, init=7)
    pointer = p.RawMut(to="q", of="x")
    ends = p.PointerProgram(statements=(local, p.Read(ptr="x", at=1, width=1)))
    outside = p.PointerProgram(statements=(local, pointer, p.Read(ptr="q", at=2, width=4)))
    panics = p.PointerProgram(
        statements=(local, p.Int(to="i", value=9), p.Read(ptr="x", at="i", width=1))
    )
    programs = [ends, outside, panics] * 80
    together = evaluate(tmp_path, *programs)
    assert len(together) == len(programs)
    for seen, alone in zip(together[:3], (ends, outside, panics), strict=True):
        assert evaluate(tmp_path, alone)[0].outcome.name == seen.outcome.name
    kinds = [type(seen.outcome) for seen in together]
    assert kinds == [Ran, UndefinedBehaviour, Panicked] * 80
    assert together[0].outcome == Ran(checksum=7)
    places = {
        s.outcome.location.path for s in together if isinstance(s.outcome, UndefinedBehaviour)
    }
    assert places == {(2,)}


def test_a_program_that_does_not_compile_costs_the_others_nothing(tmp_path: Path) -> None:
    """A heap is refused before; here nobody has asked."""
    good = p.PointerProgram(statements=(p.Local(to="x", size=1, init=1),))
    bad = p.PointerProgram(statements=(p.Heap(to="h", size=1),))
    engine = ConstEngine(Launcher(), cache=tmp_path)
    jobs = [Job(case=name, program=each) for name, each in (("a", good), ("b", bad), ("c", good))]
    seen = {each.job.case: each.outcome for each in engine.run(jobs)}
    assert seen["a"] == seen["c"] == Ran(checksum=0)
    assert isinstance(seen["b"], ToolFailed)
    assert "non-const function" in seen["b"].message


def test_a_compiler_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    good = p.PointerProgram(statements=(p.Local(to="x", size=1, init=1),))
    seen = evaluate(tmp_path, good, good, limits=Limits(seconds=0.001))
    assert [type(each.outcome) for each in seen] == [TimedOut, TimedOut]


def test_the_evaluator_says_what_its_page_says(tmp_path: Path) -> None:
    """`docs/const.md`, whose own words are in the third column."""
    rows = [(row[0], row[1]) for title in (CHECKED, ONLY_MIRI) for row in lines(title)]
    for seen in evaluate(tmp_path, *(case_of(case).program for case, _ in rows)):
        case, said = rows[int(seen.job.case)]
        kind = getattr(seen.outcome, "kind", None)
        assert (f"{seen.outcome.name} {kind}" if kind else seen.outcome.name) == said, case
