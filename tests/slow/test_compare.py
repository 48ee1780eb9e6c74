"""`harness run --compare` with two real Miris, one of which does not look at aliasing."""

from __future__ import annotations

import json
import shlex
import subprocess
from pathlib import Path

import pytest

from harness.bytecode.program import Program
from harness.cases.load import load
from harness.cli.main import run
from harness.lowering.variants import VARIANTS
from harness.resources import corpus_dir
from harness.toolchain.miri import MiriToolchain
from tests.slow.test_own_variant import reborrow

pytestmark = [
    pytest.mark.slow,
    pytest.mark.miri,
    pytest.mark.timeout(600),
]

OTHER = "blind"

DRIVER = """\
#!/usr/bin/env bash
# A Miri that takes every aliasing model for none.
words=()
for word in "$@"; do
    [ "$word" = -Zmiri-tree-borrows ] && word=-Zmiri-disable-stacked-borrows
    words+=("$word")
done
exec {driver} "${{words[@]}}"
"""

RUSTC = """\
#!/usr/bin/env bash
# It would name the folder that it really lies in.
[ "$*" = "--print sysroot" ] && echo {folder} && exit
exec {rustc} "$@"
"""


@pytest.fixture
def toolchains(
    miri_toolchain: MiriToolchain,
    miri_sysroot: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> str:
    """The toolchain's name, in a rustup of its own that has a second one, called `OTHER`."""
    miri, name = miri_toolchain, miri_toolchain.name
    real = miri.driver.parents[1]
    home = tmp_path / "rustup"
    (home / "toolchains").mkdir(parents=True)
    stable = subprocess.run(
        ["rustc", "--print", "sysroot"], capture_output=True, text=True, check=True
    ).stdout.strip()
    for each, folder in ((name, real), (Path(stable).name, Path(stable))):
        if not (home / "toolchains" / each).exists():
            (home / "toolchains" / each).symlink_to(folder)
    other = home / "toolchains" / OTHER
    (other / "bin").mkdir(parents=True)
    for part in real.iterdir():
        if part.name != "bin":
            (other / part.name).symlink_to(part)
    for program in (real / "bin").iterdir():
        if program.name not in ("miri", "rustc"):
            (other / "bin" / program.name).symlink_to(program)
    place, rustc = shlex.quote(str(other)), shlex.quote(str(real / "bin" / "rustc"))
    for path, text in (
        (other / "bin" / "miri", DRIVER.format(driver=shlex.quote(str(miri.driver)))),
        (other / "bin" / "rustc", RUSTC.format(folder=place, rustc=rustc)),
    ):
        path.write_text(text)
        path.chmod(0o755)
    (home / "settings.toml").write_text(
        f'version = "12"\ndefault_toolchain = "{Path(stable).name}"\n'
    )
    monkeypatch.setenv("RUSTUP_HOME", str(home))
    monkeypatch.setenv("MIRI_SYSROOT", str(miri_sysroot))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return name


def test_only_what_the_two_differ_in_is_told_and_reduced(
    toolchains: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report, folder = tmp_path / "compare.json", tmp_path / "smaller"
    cases = [
        corpus_dir() / "pointer" / "both" / "alternate-reads-and-writes.toml",
        corpus_dir() / "pointer" / "sound" / "operands-from-one-base.toml",
    ]
    modes = ["--mode", "tree-strict", "--mode", "stacked-strict"]
    words = ["run", *map(str, cases), *modes, "--compare", OTHER, "--toolchain", toolchains]
    assert run([*words, "--json", str(report), "--reduce", str(folder)]) == 1
    value = json.loads(report.read_bytes())
    assert value["compared"] == 4
    (change,) = value["changes"]
    assert change["mode"] == "tree-strict"
    assert (change["before"]["class"], change["after"]["class"]) == ("ub", "ran")
    assert change["confirmed"]
    out = capsys.readouterr().out
    assert "ub aliasing" in out
    assert "4 runs compared: 1 changed" in out
    loaded = load((Path(change["reduced"]),), variants=VARIANTS)
    assert not loaded.errors

    # A Miri beside itself differs in nothing.
    assert run([*words[:-3], toolchains, *words[-2:]]) == 0


def test_variants_of_the_user_s_are_compared_and_reduced(
    toolchains: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    crate, report, folder = tmp_path / "mine", tmp_path / "compare.json", tmp_path / "smaller"
    monkeypatch.chdir(tmp_path)
    assert run(["new-variant", crate.name]) == 0
    source = crate / "src" / "lib.rs"
    source.write_text(reborrow(source.read_text()))
    before = {path: path.stat().st_mtime_ns for path in crate.rglob("*")}
    cases = [corpus_dir() / "bytecode" / "thread-program.toml"]
    modes = ["--mode", "tree-strict", "--mode", "none-strict"]
    words = ["run", *map(str, cases), *modes, "--variant", str(crate), "--toolchain", toolchains]
    files = ["--json", str(report), "--reduce", str(folder)]
    assert run([*words, "--compare", OTHER, *files]) == 1
    assert {path: path.stat().st_mtime_ns for path in crate.rglob("*")} == before
    value = json.loads(report.read_bytes())
    assert value["compared"] == 2
    (change,) = value["changes"]
    assert (change["variant"], change["form"], change["mode"]) == ("mine", "vm", "tree-strict")
    assert (change["before"]["class"], change["after"]["class"]) == ("ub", "ran")
    assert change["confirmed"]
    (loaded,) = load((Path(change["reduced"]),), variants=VARIANTS).cases
    assert isinstance(loaded.program, Program)
    assert len(loaded.program.instructions) < 5
    # What is on record is of these very sources.
    capsys.readouterr()
    assert run([*words, "--variant", "raw", "--compare", toolchains]) == 0
    assert "6 runs compared: 0 changed" in capsys.readouterr().out


def test_random_programs_are_compared_and_reduced(
    toolchains: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["fuzz", "--toolchain", toolchains, "--count", "20", "--folder", str(tmp_path / "it")]
    words += ["--mode", "tree-strict", "--mode", "none-strict", "--compare"]
    assert run([*words, OTHER]) == 1
    said = capsys.readouterr().out
    assert "40 runs compared: " in said
    assert "none-strict" not in said
    cases = list((tmp_path / "it").iterdir())
    assert len(cases) == said.count("  reduced: ")
    loaded = load(cases, variants=VARIANTS)
    assert not loaded.errors
    assert len(loaded.cases) == len(cases) > 0
    # A Miri beside itself differs in nothing.
    assert run([*words, toolchains]) == 0


def test_a_toolchain_that_is_not_there_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    case = corpus_dir() / "pointer" / "sound" / "operands-from-one-base.toml"
    assert run(["run", str(case), "--compare", "no-such-toolchain"]) == 3
    assert "no-such-toolchain" in capsys.readouterr().err
