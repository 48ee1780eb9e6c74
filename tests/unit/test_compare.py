"""Two Miris held against each other, which stand-ins are here: what changed, and smaller."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from harness.campaign.compare import Comparison, Crates, Side
from harness.cases.case import Case
from harness.cases.load import load
from harness.cli.main import run as run_harness
from harness.engines.engine import Engine, Job, Observation
from harness.evidence.archive import Archive
from harness.evidence.store import Store
from harness.lowering.variants import VARIANTS
from harness.mode import MODES, Aliasing
from harness.model.machine import judge
from harness.outcome import FaultKind, Outcome, Ran, TimedOut, UndefinedBehaviour
from harness.pointer.program import PointerProgram
from harness.reduce.change import reduce_change
from harness.resources import rust_vm_dir
from harness.result import Tool
from tests.unit.stand_in import StandIn

TOOL = Tool(version="miri 0.1.0", compiler="rustc 1.95.0", target="here")

Changing = Callable[[Job, Outcome], Outcome]


@dataclass
class Miri(StandIn):
    """The abstract machine, with what it says changed. done: how many jobs it ran."""

    change: Changing = lambda job, outcome: outcome
    refused: str | None = None
    is_fickle: bool = False
    done: int = 0

    def refuses(self, job: Job) -> str | None:
        return self.refused

    def run(self, jobs: Sequence[Job]) -> Iterator[Observation]:
        for seen in super().run(jobs):
            self.done += 1
            yield replace(seen, outcome=self.change(seen.job, seen.outcome), seed=3)

    def confirm(self, seen: Observation) -> Observation:
        return replace(seen, fault="it says something else" if self.is_fickle else "")


def side(engine: Engine, path: Path) -> Side:
    archive = Archive(Store(path), vm_folder=rust_vm_dir(), committed=False)
    return Side(name="one", engine=engine, archive=archive, tool=TOOL)


CASE = """
kind = "pointer"
description = "The older of two pointers is used, and other things have nothing to do with it."
source = "this test"
rule = "memory"
program = '''
local x = [1, 2, 3, 4]
local y = [5, 6, 7, 8]
p = &raw mut y
first = x.as_mut_ptr()
read p[0]: u8
second = x.as_mut_ptr()
write p[1]: u8 = 9
write second[0]: u8 = 1
write first[0]: u8 = 2
read y[2]: u8
'''
"""


def jobs_of(tmp_path: Path) -> list[tuple[Case, Job]]:
    path = tmp_path / "case.toml"
    path.write_text(CASE)
    loaded = load((path,), variants=VARIANTS)
    assert not loaded.errors
    (case,) = loaded.cases
    return [(case, Job(case=case.id, program=case.program, mode=mode)) for mode in MODES]


def lenient(job: Job, outcome: Outcome) -> Outcome:
    """As a Miri that takes Tree Borrows lightly."""
    assert job.mode is not None
    return Ran(checksum=1) if job.mode.aliasing is Aliasing.TREE else outcome


def test_only_what_differs_is_a_change(tmp_path: Path) -> None:
    old, new = Miri(), Miri(change=lenient)
    comparison = Comparison(before=side(old, tmp_path / "old"), after=side(new, tmp_path / "new"))
    done = list(comparison.run(jobs_of(tmp_path)))
    assert len(done) == 2 * len(MODES)
    assert comparison.compared == len(MODES)
    assert [str(change.job.mode) for change in comparison.changes] == [
        "tree-strict",
        "tree-permissive",
    ]
    for change in comparison.changes:
        assert isinstance(change.before, UndefinedBehaviour)
        assert isinstance(change.after, Ran)
        assert not change.unstable


def test_what_one_of_them_does_not_repeat_is_not_confirmed(tmp_path: Path) -> None:
    old, new = Miri(), Miri(change=lenient, is_fickle=True)
    comparison = Comparison(before=side(old, tmp_path / "old"), after=side(new, tmp_path / "new"))
    list(comparison.run(jobs_of(tmp_path)))
    assert [change.unstable for change in comparison.changes] == [True, True]


def test_what_one_of_them_cannot_do_is_not_compared(tmp_path: Path) -> None:
    old, new = Miri(), Miri(refused="it does not know the flag")
    comparison = Comparison(before=side(old, tmp_path / "old"), after=side(new, tmp_path / "new"))
    assert list(comparison.run(jobs_of(tmp_path))) == []
    assert comparison.refused == {"it does not know the flag": len(MODES)}
    assert not comparison.compared


def test_each_crate_has_an_engine_of_its_own(tmp_path: Path) -> None:
    """The variants of one crate come to something else, those of the table do not."""
    jobs = [
        (case, replace(job, variant=variant))
        for case, job in jobs_of(tmp_path)
        for variant in ("raw", "mine")
    ]
    old = Crates(table=Miri(), own={"mine": Miri()})
    table, own = Miri(), Miri(change=lenient)
    new = Crates(table=table, own={"mine": own})
    # A record is of a program, whoever would run it.
    sides = (side(engine, tmp_path / name) for engine, name in ((old, "old"), (new, "new")))
    comparison = Comparison(before=next(sides), after=next(sides))
    list(comparison.run(jobs))
    assert (table.done, own.done) == (len(MODES), len(MODES))
    assert {change.job.variant for change in comparison.changes} == {"mine"}
    assert len(comparison.changes) == 2

    fickle = Crates(table=Miri(), own={"mine": Miri(is_fickle=True)})
    for (_, job), is_confirmed in zip(jobs[:2], (True, False), strict=True):
        seen = Observation(job=job, outcome=Ran())
        assert (fickle.confirm(seen).fault == "") is is_confirmed
    refusing = Crates(table=Miri(refused="no"), own={"mine": Miri()})
    assert [refusing.refuses(job) for _, job in jobs[:2]] == ["no", None]


def test_runs_without_an_end_are_no_agreement(tmp_path: Path) -> None:
    def endless(job: Job, outcome: Outcome) -> Outcome:
        return TimedOut(message="no end")

    sides = (side(Miri(change=endless), tmp_path / name) for name in ("old", "new"))
    comparison = Comparison(before=next(sides), after=next(sides))
    list(comparison.run(jobs_of(tmp_path)))
    assert (comparison.open, comparison.compared) == (len(MODES), 0)


def test_each_side_recalls_what_it_has_shown_itself_and_nothing_of_the_other(
    tmp_path: Path,
) -> None:
    for number in range(2):
        old, new = Miri(), Miri(change=lenient)
        sides = side(old, tmp_path / "old"), side(new, tmp_path / "new")
        comparison = Comparison(before=sides[0], after=sides[1])
        list(comparison.run(jobs_of(tmp_path)))
        # Both call themselves alike, and still each has its own record.
        assert len(comparison.changes) == 2
        assert (old.done, new.done) == ((len(MODES), len(MODES)) if number == 0 else (0, 0))


def test_a_change_is_reduced_to_what_both_still_differ_in(tmp_path: Path) -> None:
    old, new = Miri(), Miri(change=lenient)
    comparison = Comparison(before=side(old, tmp_path / "old"), after=side(new, tmp_path / "new"))
    list(comparison.run(jobs_of(tmp_path)))
    change = comparison.changes[0]
    reduced = reduce_change(change, old, new)
    assert reduced.before == 10
    assert reduced.after <= 5
    program = reduced.program
    assert isinstance(program, PointerProgram)
    assert change.job.mode is not None
    outcome = judge(program, change.job.mode)
    assert isinstance(outcome, UndefinedBehaviour)
    assert outcome.kind is FaultKind.ALIASING


@pytest.mark.parametrize(
    "words",
    [
        ["--compare", "x", "--engine", "model"],
        ["--compare", "x", "--junit", "x.xml"],
        ["--compare", "x", "--seeds", "2"],
        ["--reduce", "folder"],
    ],
)
def test_options_that_do_not_go_with_it_are_bad_usage(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_harness(["run", *words]) == 2
    assert "--compare" in capsys.readouterr().err
