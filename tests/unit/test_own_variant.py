"""Variants of the user's own: what is refused before cargo is called, and the starting point."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from pathlib import Path

import pytest

from harness.bytecode.program import Halt, Jump, Program
from harness.campaign.oracle import Oracle
from harness.campaign.own_variants import FOLDERS, why_refused
from harness.cases.case import BytecodeCase
from harness.cases.load import load
from harness.cli.exit_code import ExitCode
from harness.cli.main import run
from harness.cli.options import VariantChoice, choose_variants
from harness.engines.own_crate import LARGEST_FILE, wrong_names
from harness.engines.vm_crate import vm_files
from harness.lowering.variants import ON_DEMAND, VARIANTS
from harness.mode import MODES, Provenance
from harness.outcome import Ran, Unsupported
from harness.resources import corpus_dir, rust_vm_dir
from harness.target import Layout, Target
from harness.toolchain.workspace import digest_tree, read_tree


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert run(["run", *arguments]) == ExitCode.BAD_INPUT
    return capsys.readouterr().err


def test_a_name_of_the_table_is_no_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "raw").mkdir()
    (tmp_path / "mine").mkdir()
    assert choose_variants(None) == VariantChoice(table=None)
    assert choose_variants(["raw"]) == VariantChoice(table=("raw",))
    assert choose_variants(["./raw"]) == VariantChoice(table=(), paths=(Path("raw"),))
    assert choose_variants(["mine", "pulley", "raw", "x.rs"]) == VariantChoice(
        table=("raw",), on_demand=("pulley",), paths=(Path("mine"), Path("x.rs"))
    )


def test_a_path_that_leads_to_no_crate_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "no such path" in refused(capsys, "--variant", str(tmp_path / "nothing"))
    assert "there is no Cargo.toml" in refused(capsys, "--variant", str(tmp_path))
    text = tmp_path / "text.txt"
    text.touch()
    assert "neither a crate's folder nor a .rs" in refused(capsys, "--variant", str(text))
    large = tmp_path / "large.rs"
    large.write_bytes(b" " * (LARGEST_FILE + 1))
    assert f"larger than {LARGEST_FILE} bytes" in refused(capsys, "--variant", str(large))
    assert "there is no variant 'nothing'" in refused(capsys, "--variant", "nothing")


def test_what_leaves_nothing_to_run_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own = ("--variant", str(tmp_path))
    assert "--form" in refused(capsys, *own, "--form", "unrolled")
    assert "--engine" in refused(capsys, *own, "--engine", "model", "--engine", "const")


@pytest.mark.parametrize("name", ["", " ", "a b", "a\nb", "-a", "é", "a" * 65, "a/b", "'", "<b>"])
def test_names_that_cannot_stand_in_reports_are_refused(name: str) -> None:
    wrong = wrong_names(["good", name], ())
    assert wrong is not None
    assert "is no name for a variant" in wrong[0]


def test_names_are_taken_once() -> None:
    assert wrong_names(["mine", "twin.2", "A_b+c-d"], VARIANTS) is None
    assert wrong_names(["mine", "mine"], VARIANTS) is not None
    assert wrong_names(["raw"], VARIANTS) is not None
    assert wrong_names([], VARIANTS) is not None


def test_the_starting_point_is_a_crate_with_a_copy_of_the_vm(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(["new-variant", "my-vm"]) == ExitCode.AGREE
    assert "harness run --variant ./my-vm" in capsys.readouterr().out
    files = read_tree(tmp_path / "my-vm")
    manifest = tomllib.loads(files["Cargo.toml"].decode())
    assert manifest["package"]["name"] == "my-vm"
    assert b'entry!("my-vm", Mine)' in files["src/lib.rs"]
    copied = {f"harness-vm/{path}": data for path, data in vm_files(rust_vm_dir()).items()}
    assert {path: data for path, data in files.items() if "harness-vm/" in path} == copied
    assert str(tmp_path).encode() not in b"".join(files.values()), "it can go to another machine"


def test_only_the_copy_of_the_vm_is_renewed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(["new-variant", "mine"]) == ExitCode.AGREE
    before = read_tree(tmp_path / "mine")
    (tmp_path / "mine/harness-vm/src/lib.rs").write_text("old", encoding="utf-8")
    (tmp_path / "mine/harness-vm/src/gone.rs").write_text("old", encoding="utf-8")
    (tmp_path / "mine/src/lib.rs").write_text("// mine", encoding="utf-8")
    assert run(["new-variant", "mine", "--renew"]) == ExitCode.AGREE
    assert read_tree(tmp_path / "mine") == before | {"src/lib.rs": b"// mine"}
    assert run(["new-variant", "other", "--renew"]) == ExitCode.BAD_INPUT
    assert "there is no harness-vm in it" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["../mine", "raw", "a b", "", "1a", "/tmp/mine", "a" * 65])
def test_a_name_that_is_none_writes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    inside = tmp_path / "inside"
    inside.mkdir()
    monkeypatch.chdir(inside)
    assert run(["new-variant", name]) == ExitCode.BAD_INPUT
    assert list(tmp_path.rglob("*")) == [inside]


def test_what_is_there_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine").mkdir()
    assert run(["new-variant", "mine"]) == ExitCode.BAD_INPUT
    assert list(tmp_path.rglob("*")) == [tmp_path / "mine"]


def test_a_variant_of_ones_own_is_owed_the_references_outcome_in_every_mode() -> None:
    oracle = Oracle()
    loaded = load((corpus_dir() / "bytecode",), variants=VARIANTS)
    cases = [case for case in loaded.cases if isinstance(case, BytecodeCase)][::20]
    assert cases
    for case in cases:
        assert list(oracle.permissive(case, "mine")) == [oracle.reference(case)] * 3
        for mode in MODES:
            assert oracle.prediction(case, "mine", mode) is None
            assert oracle.expected(case, "mine", mode) in (None, case.expected)


def test_the_digest_of_a_tree_is_that_of_its_sources(tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "src/lib.rs").write_bytes(b"a")
    first = digest_tree(tmp_path)
    (tmp_path / "target").mkdir()
    (tmp_path / "target/x").write_bytes(b"a")
    assert digest_tree(tmp_path) == first
    (tmp_path / "src/lib.rs").rename(tmp_path / "src/main.rs")
    renamed = digest_tree(tmp_path)
    (tmp_path / "src/main.rs").write_bytes(b"b")
    assert len({first, renamed, digest_tree(tmp_path)}) == 3


def test_what_is_had_on_demand_is_named_and_runs_only_then(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert not set(ON_DEMAND) & set(VARIANTS)
    assert set(FOLDERS) == set(ON_DEMAND)
    assert run(["list", "--what", "variants"]) == ExitCode.AGREE
    printed = capsys.readouterr().out
    assert [line.split()[0] for line in printed.splitlines()] == [*VARIANTS, *ON_DEMAND]


def test_pulley_promises_nothing_beyond_the_first_access_under_strict_provenance() -> None:
    oracle = Oracle()
    case = load((corpus_dir() / "bytecode/thread-program.toml",)).cases[0]
    for mode in MODES:
        expected = oracle.expected(case, "pulley", mode)
        assert oracle.prediction(case, "pulley", mode) is None
        if mode.provenance is Provenance.PERMISSIVE:
            assert isinstance(expected, Ran)
        else:
            assert isinstance(expected, Unsupported)
            assert expected.location.instruction == 0


def test_a_program_with_an_unknown_instruction_is_refused_with_its_place() -> None:
    program = Program(instructions=(Halt(), Jump(target=0)), memory=b"")
    able = replace(ON_DEMAND["pulley"], expresses=(Halt,))
    assert able.refuses(program) == "pulley cannot express jump (instruction 1)"
    assert able.refuses(replace(program, instructions=(Halt(),))) is None
    assert ON_DEMAND["pulley"].refuses(program) is None
    big = Target(triple="big", layout=Layout(pointer_size=8, byte_order="big"))
    assert why_refused("mine", program, big) is None
    assert why_refused("pulley", program, None) is None
    wanted = "pulley keeps its values little-endian, unlike big"
    assert why_refused("pulley", program, big) == wanted
