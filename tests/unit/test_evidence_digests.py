"""Digests: everything that decides an outcome changes them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from harness.bytecode.assembly import parse
from harness.bytecode.program import Program
from harness.evidence import digests
from harness.pointer import text
from harness.pointer.program import PointerProgram
from harness.resources import rust_vm_dir

ADD = Program(instructions=parse("add.u8 [0], [1] -> [2]"), memory=bytes([1, 2, 3]))


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    cached = (digests.emission, digests.package, digests.rust_vm)
    for each in cached:
        each.cache_clear()
    yield
    for each in cached:
        each.cache_clear()


def pointer(source: str) -> PointerProgram:
    return text.parse(source).program


def bytecode(program: Program = ADD, variant: str = "raw", vm: Path | None = None) -> str:
    return digests.of_bytecode(program, variant, vm or rust_vm_dir())


DIGESTS_OF_CASES = """
from harness.cases.load import load
from harness.evidence.digests import of_case
from harness.resources import corpus_dir
for case in load([corpus_dir()]).cases:
    print(case.id, of_case(case))
"""


def test_a_case_has_the_same_digest_in_every_process() -> None:
    """Whatever order a process has sets in."""
    said = [
        subprocess.run(
            [sys.executable, "-c", DIGESTS_OF_CASES],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    ]
    assert said[0] == said[1]
    digests = [line.split()[1] for line in said[0].splitlines()]
    assert len(digests) == len(set(digests)) > 1000


def test_bytecode_is_its_instructions_its_memory_and_its_variant() -> None:
    other = replace(ADD, instructions=parse("add.u8 [0], [1] -> [1]"))
    memory = replace(ADD, memory=bytes([1, 2, 4]))
    assert len({bytecode(), bytecode(other), bytecode(memory), bytecode(variant="cell")}) == 4
    assert bytecode() == bytecode(replace(ADD))


def test_another_vm_is_another_program(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name / "src").mkdir(parents=True)
        (tmp_path / name / "src" / "lib.rs").write_text(f"// VM {name}", encoding="utf-8")
    assert len({bytecode(vm=tmp_path / "one"), bytecode(vm=tmp_path / "two"), bytecode()}) == 3


def test_a_pointer_program_is_the_rust_that_it_is_written_out_as() -> None:
    program = pointer("local x = [7]\nread x[0]: u8")
    assert digests.of_rust(program) == digests.of_rust(pointer("local x = [7]\nread x[0]: u8 // !"))
    assert digests.of_rust(program) != digests.of_rust(pointer("local x = [8]\nread x[0]: u8"))


def test_what_reads_miris_answers_changes_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    program = pointer("local x = [7]\nread x[0]: u8")
    before = digests.emission(), digests.of_rust(program), bytecode()
    digests.emission.cache_clear()
    monkeypatch.setattr(digests, "DECIDING", digests.DECIDING[1:])
    after = digests.emission(), digests.of_rust(program), bytecode()
    assert all(old != new for old, new in zip(before, after, strict=True))


def test_other_flags_change_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    before = digests.emission()
    digests.emission.cache_clear()
    monkeypatch.setattr(digests, "mode_flags", lambda mode: ("-Zmiri-something-else",))
    assert digests.emission() != before


def test_the_whole_package_has_one_too(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "bundle").mkdir()
    module = tmp_path / "module.py"
    monkeypatch.setattr(digests, "_PACKAGE", tmp_path)

    def package() -> str:
        digests.package.cache_clear()
        return digests.package()

    module.write_text("ONE = 1\n", encoding="utf-8")
    first = package()
    (tmp_path / "bundle" / "case.toml").write_text("", encoding="utf-8")
    assert package() == first
    module.write_text("ONE = 2\n", encoding="utf-8")
    assert package() != first
