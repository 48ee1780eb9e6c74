"""Planted faults: twenty of each kind, which fit; and those in the model are found and shrunk."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import HarnessFault, InputError
from harness.fuzz import __main__
from harness.fuzz.planted import Caught, VmFault, hunt_model_faults, table
from harness.fuzz.settings import SETTINGS
from harness.mode import Mode
from harness.model.machine import judge
from harness.mutation.altered_model import Model
from harness.mutation.catalogue import mutants, reasons
from harness.pointer.program import PointerProgram
from harness.resources import rust_vm_dir

PLANTED = table()


def test_there_are_twenty_of_each() -> None:
    assert len(set(PLANTED["model"])) == len(PLANTED["model"]) == 20
    assert len({each["name"] for each in PLANTED["vm"]}) == len(PLANTED["vm"]) == 20


def test_those_in_the_model_are_mutants_that_change_a_verdict() -> None:
    assert set(PLANTED["model"]) <= {mutant.name for mutant in mutants()}
    assert not set(PLANTED["model"]) & set(reasons())


@pytest.mark.parametrize("planted", PLANTED["vm"], ids=lambda each: str(each["name"]))
def test_those_in_the_vm_fit_and_change_one_file(planted: dict[str, str], tmp_path: Path) -> None:
    folder = VmFault(**planted).plant(rust_vm_dir(), tmp_path)
    changed = [
        path.relative_to(folder)
        for path in folder.rglob("*.rs")
        if path.read_bytes() != (rust_vm_dir() / path.relative_to(folder)).read_bytes()
    ]
    assert changed == [Path(planted["file"])]


def test_one_that_does_not_fit_is_a_fault_of_the_harness(tmp_path: Path) -> None:
    fault = VmFault(name="", file="src/program.rs", old="no such piece", new="", variant="raw")
    with pytest.raises(HarnessFault, match="0 times"):
        fault.plant(rust_vm_dir(), tmp_path)


QUICK = [PLANTED["model"][number] for number in (0, 3, 9, 14)]


def test_those_in_the_model_are_found_and_shrunk() -> None:
    confirmed: list[PointerProgram] = []

    def confirm(program: PointerProgram, mode: Mode, model: Model) -> bool:
        confirmed.append(program)
        return model.examine(program, mode).outcome != judge(program, mode)

    caught = list(hunt_model_faults(QUICK, SETTINGS, confirm, 200))
    assert [each.name for each in caught] == QUICK
    for each in caught:
        assert each.size is not None
        assert each.size <= __main__.MOST_STATEMENTS
        assert each.confirmed
        assert 0 < each.programs <= 200
        assert each.tries > 0
    assert len(confirmed) == len(QUICK)


def test_what_is_not_found_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    caught = list(hunt_model_faults(["a write pops nothing"], SETTINGS, _never, 0))
    assert caught == [Caught(name="a write pops nothing", programs=0, seconds=caught[0].seconds)]
    assert __main__.planted_command(only="model", count=1, most=0) == 1
    assert "0 of 1 found" in capsys.readouterr().out


@pytest.mark.parametrize(("first", "count"), [(20, 1), (-1, 1), (0, 0), (0, -1)])
def test_none_of_them_is_bad_usage(first: int, count: int) -> None:
    with pytest.raises(InputError, match="none of the 20"):
        __main__.planted_command(first=first, count=count)


def _never(program: PointerProgram, mode: Mode, model: Model) -> bool | None:
    raise AssertionError("nothing was found")
