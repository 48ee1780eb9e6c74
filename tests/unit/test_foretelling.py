"""Foretelling: several processes predict the same as one."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from msgspec.structs import replace

from harness.campaign.assemble import assemble
from harness.campaign.foretelling import WORTH
from harness.campaign.selection import Selection
from harness.cases.case import Case
from harness.cases.load import load
from harness.mode import MODES
from harness.resources import corpus_dir
from harness.result import EngineName, Result

PREDICTED = (EngineName.MODEL, EngineName.IN_PROCESS)


def cases(count: int) -> list[Case]:
    """So many pointer cases, and half as many of bytecode."""
    pointer, bytecode = (load([corpus_dir() / name]).cases for name in ("pointer", "bytecode"))
    return [*pointer[:count], *bytecode[: count // 2]]


def run(
    some: list[Case], jobs: int, commands: list[str] | None = None, *, live: bool = False
) -> list[Result]:
    """The results of the engines that need predictions, in the order of their runs, as if all of
    them had been seen in the same way; commands: receives what was started."""
    selection = Selection(
        toolchain="",
        jobs=jobs,
        engines=PREDICTED,
        variants=("raw", "reborrow"),
        modes=MODES[:4],
        live=live,
    )
    started: list[str] = [] if commands is None else commands
    results = assemble(some, selection, echo=started.append).campaign.results()
    alike = (replace(each, seconds=None, evidence=None, recording=None) for each in results)
    return sorted(alike, key=lambda each: repr(each.run))


def cache(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder))


def test_several_processes_predict_the_same_as_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    some = cases(WORTH)
    cache(monkeypatch, tmp_path / "one")
    one = run(some, 1)
    cache(monkeypatch, tmp_path / "three")
    commands: list[str] = []
    assert run(some, 3, commands) == one
    assert len([line for line in commands if "harness.campaign.foretelling" in line]) == 3
    # All of it is on record.
    commands.clear()
    assert run(some, 3, commands) == one
    assert not [line for line in commands if "harness.campaign.foretelling" in line]


@pytest.mark.parametrize("live", [False, True])
def test_what_they_find_is_not_looked_for_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, live: bool
) -> None:
    cache(monkeypatch, tmp_path)

    def fail(*_: object) -> None:
        raise AssertionError("this process was to predict nothing")

    monkeypatch.setattr("harness.model.machine.Machine.run", fail)
    some = cases(WORTH)
    assert {result.run.engine for result in run(some, 2, live=live)} == set(PREDICTED)
    # A live run takes nothing that an earlier one has found, and has it found anew.
    commands: list[str] = []
    run(some, 2, commands, live=live)
    assert bool([line for line in commands if "harness.campaign.foretelling" in line]) == live
    # But leaves it to others.
    commands.clear()
    run(some, 2, commands)
    assert not [line for line in commands if "harness.campaign.foretelling" in line]


@pytest.mark.parametrize("executable", ["false", ""])
def test_a_process_that_fails_costs_nothing_but_time(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, executable: str
) -> None:
    some = cases(WORTH)
    cache(monkeypatch, tmp_path / "one")
    one = run(some, 1)
    cache(monkeypatch, tmp_path / "false")
    monkeypatch.setattr(sys, "executable", executable)
    assert run(some, 2) == one


def test_a_few_cases_are_predicted_here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    cache(monkeypatch, tmp_path)
    commands: list[str] = []
    assert run(cases(10), 2, commands)
    assert not [line for line in commands if "harness.campaign.foretelling" in line]
