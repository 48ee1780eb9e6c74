"""`harness story` on Rust of a user's own: natively, and with a real Miri."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from harness.cli.exit_code import ExitCode
from harness.cli.main import run
from harness.report.story_report import json_schema

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

DATA = Path(__file__).parents[1] / "data" / "own_stories"

GIVEN = (
    "--memory", "fill.start=64",
    "--values", "fill.len=0..=64",
    "--memory", "copy.to=64",
    "--memory", "copy.from=64",
    "--values", "copy.count=0..=16",
    "--values", "divide.divisor=1..=4294967295",
)  # fmt: skip

NATIVELY: dict[str, tuple[int, str]] = {
    "popcount": (3, "output"),
    "average": (3, "in-operand"),
    "swap_bytes": (1, "reaches-out"),
    "divide": (3, "output"),
    "fetch_add": (3, "memory"),
    "choose": (3, "flags"),
    "fill": (3, "memory"),
    "root": (3, "output"),
    "copy": (3, "memory"),
}
"""What each function of `broken.rs` breaks, where the processor shows it."""


@pytest.fixture(autouse=True)
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    # Nothing that was seen before counts.
    monkeypatch.setattr("harness.campaign.assemble.cache_folder", lambda: tmp_path / "cache")


def story(tmp_path: Path, *arguments: object) -> tuple[int, dict[str, Any]]:
    out = tmp_path / "out.json"
    code = run(["story", *map(str, arguments), "--json", str(out)])
    document: dict[str, Any] = json.loads(out.read_text(encoding="utf-8"))
    jsonschema.validate(document, json_schema())
    return code, document


def broken(pair: dict[str, Any]) -> list[tuple[int, str]]:
    return [
        (rule["rule"], finding["kind"])
        for rule in pair["rules"]
        if rule["state"] == "broken"
        for finding in rule["findings"]
    ]


@pytest.mark.parametrize("configuration", [(), ("--cfg", "miri")])
@pytest.mark.parametrize("name", ["sound", "broken"])
def test_the_examples_are_rust(tmp_path: Path, name: str, configuration: tuple[str, ...]) -> None:
    command = ["rustc", "--edition=2021", "--crate-type=lib", "--emit=metadata", *configuration]
    done = subprocess.run(
        [*command, "--out-dir", str(tmp_path), str(DATA / f"{name}.rs")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_sound_pairs_natively(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = (DATA / "sound.rs").read_bytes()
    code, document = story(tmp_path, DATA / "sound.rs", *GIVEN, "--engine", "native")
    assert code == ExitCode.AGREE
    assert (DATA / "sound.rs").read_bytes() == before
    assert len(document["pairs"]) == 11
    for pair in document["pairs"]:
        assert [rule["state"] for rule in pair["rules"]] == ["kept", "not_checked", "kept"], pair
    store = next(pair for pair in document["pairs"] if pair["function"] == "store")
    assert store["advice"] == ["preserves_flags", "nostack"]
    out = capsys.readouterr().out
    assert f"{DATA}/sound.rs:{store['line']}:{store['column']}: store: not checked in full" in out
    assert "assumed: place points to 8 bytes, aligned to 8" in out


def test_broken_siblings_natively(tmp_path: Path) -> None:
    code, document = story(tmp_path, DATA / "broken.rs", *GIVEN, "--engine", "native")
    assert code == ExitCode.MISMATCH
    found = {pair["function"]: broken(pair) for pair in document["pairs"]}
    # Which of the outputs shows it hangs on the registers.
    ((rule, _),) = found.pop("low_bits")
    assert rule == 3
    assert found.pop("store") == []
    assert found == {name: [breach] for name, breach in NATIVELY.items()}


def test_what_a_story_must_not_read_is_told_with_its_place(tmp_path: Path) -> None:
    _, document = story(
        tmp_path, DATA / "broken.rs", "--function", "swap_bytes", "--engine", "native"
    )
    (pair,) = document["pairs"]
    (finding,) = pair["rules"][0]["findings"]
    assert "`salt`" in finding["message"]
    line = (DATA / "broken.rs").read_text(encoding="utf-8").split("\n")[finding["line"] - 1]
    assert line[finding["column"] - 1 :].startswith("salt")


def write(tmp_path: Path, told: str, before: str = "") -> Path:
    path = tmp_path / "code.rs"
    path.write_text(
        f"use core::arch::asm;\n{before}\npub unsafe fn f(x: u64) -> u64 {{\n    let y: u64;\n"
        '    #[cfg(not(miri))] asm!("mov {}, {}", out(reg) y, in(reg) x, options(pure, nomem));\n'
        f"    #[cfg(miri)] {{\n        {told}\n    }}\n    y\n}}\n",
        encoding="utf-8",
    )
    return path


def test_what_only_the_crate_has_is_no_finding(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(tmp_path, "y = from_elsewhere(x);", "use crate::prelude::*;")
    code, document = story(tmp_path, path, "--engine", "native")
    assert code == ExitCode.NOT_CHECKED
    (pair,) = document["pairs"]
    assert [rule["state"] for rule in pair["rules"]] == ["not_checked"] * 3
    assert "outside of its crate: f: cannot find function `from_elsewhere`" in (
        capsys.readouterr().out
    )


def test_a_story_that_does_not_compile_is_no_finding(tmp_path: Path) -> None:
    path = write(tmp_path, "y = x.no_such_method();")
    code, document = story(tmp_path, path, "--engine", "native")
    assert code == ExitCode.NOT_CHECKED
    finding = document["pairs"][0]["rules"][0]["findings"][0]
    assert finding["message"].startswith("it does not compile by itself: error[E0599]")
    assert (finding["line"], finding["column"]) == (7, 15)


def test_an_output_that_is_forgotten_breaks_the_second_rule(tmp_path: Path) -> None:
    path = write(tmp_path, "let _ = x;")
    code, document = story(tmp_path, path, "--engine", "native")
    assert code == ExitCode.MISMATCH
    assert broken(document["pairs"][0]) == [(2, "out-operand")]


def test_a_block_that_is_not_read_is_not_checked(tmp_path: Path) -> None:
    path = tmp_path / "code.rs"
    path.write_text('fn f() { unsafe { core::arch::asm!("nop") } }\n', encoding="utf-8")
    code, document = story(tmp_path, path)
    assert code == ExitCode.NOT_CHECKED
    assert not document["pairs"]
    (left,) = document["left_out"]
    assert (left["line"], left["column"], left["function"]) == (1, 19, "f")


@pytest.mark.miri
def test_sound_pairs_under_miri(tmp_path: Path) -> None:
    code, document = story(tmp_path, DATA / "sound.rs", *GIVEN)
    assert code == ExitCode.AGREE
    for pair in document["pairs"]:
        assert [rule["state"] for rule in pair["rules"]] == ["kept"] * 3, pair
        assert len(pair["rules"][1]["modes"]) == 6


@pytest.mark.miri
def test_broken_siblings_under_miri(tmp_path: Path) -> None:
    words = ("--engine", "miri", "--mode", "tree-strict")
    code, document = story(tmp_path, DATA / "broken.rs", *GIVEN, *words)
    assert code == ExitCode.MISMATCH
    found = {pair["function"]: broken(pair) for pair in document["pairs"]}
    assert {name: each for name, each in found.items() if each} == {
        "store": [(2, "nomem")],
        "swap_bytes": [(1, "reaches-out")],
    }
    (store,) = (pair for pair in document["pairs"] if pair["function"] == "store")
    (finding,) = store["rules"][1]["findings"]
    line = (DATA / "broken.rs").read_text(encoding="utf-8").split("\n")[finding["line"] - 1]
    assert line.strip() == "*place = value;"


@pytest.mark.miri
def test_where_the_story_is_undefined_the_block_may_do_anything(tmp_path: Path) -> None:
    path = tmp_path / "code.rs"
    path.write_text(
        "use core::arch::asm;\npub unsafe fn f(p: &u64, x: u64) {\n"
        '    #[cfg(not(miri))] asm!("mov [{}], {}", in(reg) p as *const u64, in(reg) x);\n'
        "    #[cfg(miri)] { (p as *const u64).cast_mut().write(x) }\n}\n",
        encoding="utf-8",
    )
    code, document = story(tmp_path, path)
    assert code == ExitCode.MISMATCH
    first, second, third = document["pairs"][0]["rules"]
    assert (first["state"], second["state"], third["state"]) == ("kept", "broken", "not_checked")
    assert third["findings"][0]["message"] == "native-is-no-evidence"
    modes = {mode for finding in second["findings"] for mode in finding["modes"]}
    assert modes == {f"{a}-{b}" for a in ("stacked", "tree") for b in ("strict", "permissive")}
