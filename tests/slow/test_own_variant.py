"""Variants of the user's own: sound ones pass, broken ones are caught, and bad input is told."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import jsonschema
import pytest

from harness.cli.exit_code import ExitCode
from harness.cli.main import run
from harness.engines.own_crate import OwnCrate, prepare
from harness.errors import InputError
from harness.report.json_report import json_schema
from harness.resources import rust_vm_dir
from harness.toolchain.miri import (
    TOOLCHAIN_VARIABLE,
)
from harness.toolchain.process import Launcher
from harness.toolchain.rust import RustToolchain, find_rust

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

NATIVE = ("--engine", "reference", "--engine", "native")

ADDS_WRONGLY = """
    unsafe fn binary<T: Value, M: Marks>(
        &mut self,
        operator: Binary,
        op1: *mut T,
        _: *mut T,
        res: *mut T,
        marks: &mut M,
    ) -> Result<(), Undivided> {
        marks.operand(harness_vm::marks::ADDR_RES);
        let value = unsafe { *op1 };
        unsafe { *res = value.binary(operator, value)? };
        Ok(())
    }
"""


@pytest.fixture(autouse=True, scope="module")
def _own_cache(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[None]:
    """A cache of their own, but for Miri's sysroot, which takes a minute to build."""
    with pytest.MonkeyPatch.context() as patch:
        if TOOLCHAIN_VARIABLE in os.environ:
            patch.setenv("MIRI_SYSROOT", str(request.getfixturevalue("miri_sysroot")))
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The crate that `harness new-variant` writes."""
    monkeypatch.chdir(tmp_path)
    assert run(["new-variant", "mine"]) == ExitCode.AGREE
    return tmp_path / "mine"


def rewrite(crate: Path, change: Callable[[str], str]) -> None:
    library = crate / "src/lib.rs"
    before = library.read_text(encoding="utf-8")
    after = change(before)
    assert after != before
    library.write_text(after, encoding="utf-8")


def add_wrongly(source: str) -> str:
    """Every operator takes its first operand twice."""
    source = source.replace(
        "use harness_vm::{", "use harness_vm::operator::{Binary, Undivided};\nuse harness_vm::{"
    )
    method = "    unsafe fn load"
    return source.replace(method, f"{ADDS_WRONGLY.strip(chr(10))}\n\n{method}")


def reborrow(source: str) -> str:
    """Every operand is a borrow of its own, as the thread's author began."""
    return (
        source.replace("Mine {\n    base: *mut u8", "Mine<'m> {\n    memory: &'m mut [u8]")
        .replace("Variant<'m> for Mine ", "Variant<'m> for Mine<'m> ")
        .replace("base: memory.as_mut_ptr()", "memory")
        .replace("self.base.add", "self.memory.as_mut_ptr().add")
    )


def results(path: Path) -> list[dict[str, Any]]:
    document = json.loads(path.read_text(encoding="utf-8"))
    jsonschema.validate(document, json_schema())
    found: list[dict[str, Any]] = document["results"]
    return found


def prepared(path: Path, cache: Path) -> OwnCrate:
    launcher = Launcher()
    rust = find_rust(launcher)
    assert isinstance(rust, RustToolchain)
    return prepare(
        launcher, path, vm_folder=rust_vm_dir(), compiler=rust.compiler, cache=cache, taken=["raw"]
    )


def test_the_starting_point_passes_the_corpus_and_its_folder_is_only_read(
    mine: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = {path: path.stat().st_mtime_ns for path in mine.rglob("*")}
    out, tests = mine.parent / "out.json", mine.parent / "out.xml"
    files = ("--json", str(out), "--junit", str(tests))
    assert run(["run", "--variant", "./mine", *NATIVE, *files]) == ExitCode.AGREE
    assert {path: path.stat().st_mtime_ns for path in mine.rglob("*")} == before
    native = [each for each in results(out) if each["engine"] == "native"]
    assert {(each["variant"], each["form"]) for each in native} == {("mine", "vm")}
    agreeing = [each for each in native if each["verdict"] == "agree"]
    assert len(agreeing) > 500
    for each in (each for each in native if each["verdict"] != "agree"):
        assert each["verdict"] == "not_checked", each
        if each["outcome"] is None:
            # What is undefined by itself, or depends on addresses, is not run natively.
            reasons = ("native-is-no-evidence", "the result depends on addresses")
            assert each["reason"].startswith(reasons), each
        else:
            assert each["outcome"]["kind"] == "not-expressed", each
            assert "it has no such pointers" in each["reason"], each
    assert {each["kind"] for each in results(out)} == {"bytecode"}, "pointer cases have no variant"
    assert all(each["predicted"] is None for each in native)
    suites = {suite.attrib["name"] for suite in ElementTree.parse(tests).iter("testsuite")}
    assert "bytecode.mine" in suites
    assert "mine" in capsys.readouterr().out


def test_a_wrong_value_is_caught_natively_with_the_program_that_shows_it(
    mine: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rewrite(mine, add_wrongly)
    out = mine.parent / "out.json"
    arguments = ["run", "--variant", "mine", *NATIVE, "--case", "bytecode/thread-program"]
    assert run([*arguments, "--json", str(out)]) == ExitCode.MISMATCH
    (native,) = (each for each in results(out) if each["engine"] == "native")
    assert (native["case"], native["variant"]) == ("bytecode/thread-program", "mine")
    assert "memory: wanted" in native["reason"]
    printed = capsys.readouterr().out
    assert "bytecode/thread-program" in printed
    assert "native mine vm" in printed


def test_several_variants_run_by_their_names_beside_those_of_the_table(mine: Path) -> None:
    rewrite(
        mine,
        lambda source: source.replace(
            '&[entry!("mine", Mine)]', '&[entry!("mine", Mine), entry!("twin.2", Mine)]'
        ),
    )
    out = mine.parent / "out.json"
    arguments = ["--variant", "mine", "--variant", "raw", "--case", "bytecode/thread-program"]
    assert run(["run", *arguments, *NATIVE, "--json", str(out)]) == ExitCode.AGREE
    seen = {(each["variant"], each["form"]) for each in results(out) if each["variant"]}
    assert seen == {("mine", "vm"), ("twin.2", "vm"), ("raw", "vm"), ("raw", "unrolled")}


def test_a_file_will_do_and_its_errors_name_it(
    mine: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = mine.parent / "a file.rs"
    shutil.copy(mine / "src/lib.rs", file)
    call = ["run", "--variant", str(file), *NATIVE, "--case", "bytecode/thread-program"]
    assert run(call) == ExitCode.AGREE
    file.write_text(file.read_text(encoding="utf-8") + "fn f() { 1 }\n", encoding="utf-8")
    assert run(call) == ExitCode.BAD_INPUT
    said = capsys.readouterr().err
    assert "error[E0308]: mismatched types" in said
    assert f"{file}:{len(file.read_text(encoding='utf-8').splitlines())}:10" in said


def test_what_was_seen_counts_until_the_sources_change(mine: Path) -> None:
    """Those of the crate itself, and those of what it depends on."""
    helper = mine.parent / "helper"
    (helper / "src").mkdir(parents=True)
    (helper / "Cargo.toml").write_text(
        '[package]\nname = "helper"\nversion = "0.1.0"\nedition = "2024"\n', encoding="utf-8"
    )
    (helper / "src/lib.rs").write_text("pub const ONE: u8 = 1;\n", encoding="utf-8")
    manifest = mine / "Cargo.toml"
    text = manifest.read_text(encoding="utf-8")
    manifest.write_text(
        text.replace("[dependencies]", '[dependencies]\nhelper = { path = "../helper" }'),
        encoding="utf-8",
    )
    cache = mine.parent / "cache"
    first = prepared(mine, cache)
    assert prepared(mine, cache) == first
    (helper / "src/lib.rs").write_text("pub const ONE: u8 = 2;\n", encoding="utf-8")
    second = prepared(mine, cache)
    rewrite(mine, lambda source: source + "// more\n")
    third = prepared(mine, cache)
    assert len({first.digest, second.digest, third.digest}) == 3
    out = mine.parent / "out.json"

    def evidence() -> set[str]:
        call = ["run", "--variant", "mine", "--engine", "native", "--case", "*thread-program"]
        assert run([*call, "--json", str(out)]) == ExitCode.AGREE
        return {each["evidence"] for each in results(out)}

    assert [evidence(), evidence()] == [{"live"}, {"recorded"}]
    (helper / "src/lib.rs").write_text("pub const ONE: u8 = 3;\n", encoding="utf-8")
    assert evidence() == {"live"}


BROKEN: dict[str, tuple[Callable[[str], str], str]] = {
    "does not build": (lambda s: s + "fn f() { 1 }\n", "E0308"),
    "no table": (lambda s: s.replace("VARIANTS", "OTHERS"), "exports no table VARIANTS"),
    "a table of another type": (
        lambda s: s.replace('&[Entry] = &[entry!("mine", Mine)]', "u8 = 1").replace(
            "&VARIANTS[0]", "todo!()"
        ),
        "exports no table VARIANTS",
    ),
    "no trait": (lambda s: s.replace("impl<'m> Variant<'m> for Mine", "impl Mine"), "not build"),
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_crate_that_cannot_be_run_is_told(mine: Path, what: str) -> None:
    change, said = BROKEN[what]
    rewrite(mine, change)
    with pytest.raises(InputError) as caught:
        prepared(mine, mine.parent / "cache")
    assert caught.value.place is not None
    assert caught.value.place.file == str(mine)
    assert said in str(caught.value)
    assert caught.value.remedy


def test_a_name_that_will_not_do_is_told_whatever_it_is(mine: Path) -> None:
    rewrite(mine, lambda source: source.replace('&[entry!("mine", Mine)]', '&[entry!("", Mine)]'))
    with pytest.raises(InputError, match="'' is no name for a variant"):
        prepared(mine, mine.parent / "cache")
    rewrite(mine, lambda source: source.replace('entry!("", Mine)', 'entry!("mi\\n ne", Mine)'))
    with pytest.raises(InputError, match=r"'mi\\n ne' is no name for a variant"):
        prepared(mine, mine.parent / "cache")


MANIFESTS: dict[str, tuple[Callable[[str], str], str]] = {
    "no TOML": (lambda text: text + "[", "cargo cannot read the crate"),
    "no such dependency": (
        lambda text: text.replace('"harness-vm" }', '"nowhere" }'),
        "cargo cannot read the crate",
    ),
    "not by path": (
        lambda text: text.replace('{ path = "harness-vm" }', '"0.1"'),
        "does not depend on harness-vm by a path",
    ),
    "no package": (lambda _: "[workspace]\n", "a workspace, and no crate itself"),
}


@pytest.mark.parametrize("what", MANIFESTS)
def test_a_manifest_that_will_not_do_is_told(mine: Path, what: str) -> None:
    change, said = MANIFESTS[what]
    manifest = mine / "Cargo.toml"
    manifest.write_text(change(manifest.read_text(encoding="utf-8")), encoding="utf-8")
    with pytest.raises(InputError, match=said):
        prepared(mine, mine.parent / "cache")


def test_a_crate_without_a_library_is_told(mine: Path) -> None:
    (mine / "src/lib.rs").rename(mine / "src/main.rs")
    with pytest.raises(InputError, match="the crate has no library"):
        prepared(mine, mine.parent / "cache")


@pytest.mark.miri
def test_a_sound_variant_passes_under_miri_with_what_it_depends_on(mine: Path) -> None:
    helper = mine.parent / "helper"
    (helper / "src").mkdir(parents=True)
    (helper / "Cargo.toml").write_text(
        '[package]\nname = "helper"\nversion = "0.1.0"\nedition = "2024"\n', encoding="utf-8"
    )
    (helper / "src/lib.rs").write_text(
        "pub fn base(memory: &mut [u8]) -> *mut u8 { memory.as_mut_ptr() }\n", encoding="utf-8"
    )
    manifest = mine / "Cargo.toml"
    text = manifest.read_text(encoding="utf-8")
    manifest.write_text(
        text.replace("[dependencies]", '[dependencies]\nhelper = { path = "../helper" }'),
        encoding="utf-8",
    )
    rewrite(mine, lambda s: s.replace("memory.as_mut_ptr()", "helper::base(memory)"))
    out = mine.parent / "out.json"
    call = ["run", "--variant", "mine", "--engine", "miri", "--quick", "--json", str(out)]
    assert run(call) == ExitCode.AGREE
    seen = results(out)
    assert len(seen) > 200
    assert {(each["engine"], each["variant"]) for each in seen} == {("miri", "mine")}
    modes = {(each["aliasing"], each["provenance"]) for each in seen}
    assert len(modes) == 6


@pytest.mark.miri
def test_undefined_behaviour_is_caught_with_the_program_that_shows_it(
    mine: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rewrite(mine, reborrow)
    out = mine.parent / "out.json"
    call = ["run", "--variant", "mine", "--case", "bytecode/thread-program", "--json", str(out)]
    assert run(call) == ExitCode.MISMATCH
    seen = {
        (each["engine"], each["aliasing"]): each
        for each in results(out)
        if each["engine"] in ("native", "miri")
    }
    assert seen["native", None]["verdict"] == "agree"
    assert seen["miri", "none"]["verdict"] == "agree"
    for aliasing in ("stacked", "tree"):
        found = seen["miri", aliasing]
        assert found["verdict"] == "mismatch"
        assert found["outcome"]["class"] == "ub"
        assert found["outcome"]["location"]["instruction"] is not None
        assert found["predicted"] is None
    assert "bytecode/thread-program [miri mine vm stacked-strict]" in capsys.readouterr().out


@pytest.mark.miri
def test_a_crate_that_miri_cannot_compile_is_no_success(mine: Path) -> None:
    rewrite(mine, lambda source: source + '#[cfg(miri)]\ncompile_error!("not for Miri");\n')
    out = mine.parent / "out.json"
    call = ["run", "--variant", "mine", "--engine", "miri", "--case", "bytecode/thread-program"]
    assert run([*call, "--json", str(out)]) == ExitCode.MISMATCH
    (reason,) = {each["reason"] for each in results(out)}
    assert "not for Miri" in reason
