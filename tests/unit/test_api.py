"""The API: the names that the package exports, and the README's way of using them."""

from __future__ import annotations

from pathlib import Path

import pytest

import harness
from harness import api

CORPUS = Path(__file__).parents[2] / "corpus"


def test_the_package_exports_what_the_api_does() -> None:
    assert set(api.__all__) <= set(dir(harness))
    for name in api.__all__:
        assert getattr(harness, name) is getattr(api, name)


def test_another_name_is_no_attribute() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = harness.nothing


def test_a_program_is_built_and_run_on_the_reference_vm() -> None:
    program = harness.program("const.u16 2 -> [2]\nadd.u8 [2], [2] -> [0]", memory=bytes(4))
    assert harness.run_reference(program) == harness.Ran(memory=b"\x04\x00\x02\x00", steps=2)


def test_malformed_assembly_has_a_place() -> None:
    with pytest.raises(harness.InputError, match=r":2:1: "):
        harness.program("const.u8 1 -> [0]\nfrobnicate [0]", memory=bytes(1))


def test_a_case_is_checked_in_process() -> None:
    (case,) = harness.load(CORPUS / "bytecode" / "thread-program.toml")
    results = list(harness.check(case, variants=["raw"], engines=["reference", "in-process"]))
    assert [result.run.engine for result in results] == ["reference", "in-process"]
    assert all(result.verdict is harness.Verdict.AGREE for result in results)
