"""The variant `pulley`: a real interpreter of somebody else's, fetched where it is asked for."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from harness.campaign.own_variants import AbsentCrate, prepare_own
from harness.campaign.selection import Selection
from harness.cli.exit_code import ExitCode
from harness.cli.main import run
from harness.resources import rust_pulley_dir

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def _there() -> None:
    """Skips the test where crates.io cannot be reached."""
    (crate,) = prepare_own(["pulley"], [], Selection(toolchain="any", jobs=1))
    if isinstance(crate, AbsentCrate):
        pytest.skip(crate.missing.message)


def results(path: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))["results"]
    return found


@pytest.mark.usefixtures("_there")
def test_every_program_comes_to_the_references_end_natively(tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    call = ["run", "--variant", "pulley", "--engine", "native", "--json", str(out)]
    assert run(call) == ExitCode.AGREE
    seen = results(out)
    refused = [each for each in seen if "pulley cannot express" in each["reason"]]
    assert {each["verdict"] for each in refused} == {"not_checked"}
    ran = [each for each in seen if each not in refused]
    assert len(ran) > 200
    assert {(each["variant"], each["verdict"]) for each in ran} == {("pulley", "agree")}


REGISTERS = """
description = "No access to memory: a jump over an assertion, and the end."
source = "written for this test"
program = '''
jump end
assert.u8 [0]
end:
halt
'''
[memory]
size = 1
[expect]
memory = {}
steps = 2
"""


@pytest.mark.miri
@pytest.mark.usefixtures("_there")
def test_miri_takes_it_with_permissive_provenance_and_stops_with_strict(tmp_path: Path) -> None:
    case, out = tmp_path / "registers.toml", tmp_path / "out.json"
    case.write_text(REGISTERS, encoding="utf-8")
    thread = rust_pulley_dir().parents[1] / "corpus/bytecode/thread-program.toml"
    call = ["run", str(case), str(thread), "--variant", "pulley", "--engine", "miri"]
    call += ["--evidence", "live"]
    assert run([*call, "--json", str(out)]) == ExitCode.AGREE
    by_run = {
        (each["case"], each["aliasing"], each["provenance"]): each["outcome"]
        for each in results(out)
    }
    assert len(by_run) == 12
    for (name, _, provenance), outcome in by_run.items():
        if name == "registers" or provenance == "permissive":
            assert outcome["class"] == "ran"
        else:
            assert (outcome["class"], outcome["kind"]) == ("unsupported", "int-to-ptr")
            assert outcome["location"]["instruction"] == 0


def test_where_it_cannot_be_had_it_is_not_checked_and_the_others_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    home = os.environ.get("CARGO_HOME") or str(Path.home() / ".cargo")
    monkeypatch.setenv("PATH", f"{home}/bin{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("CARGO_HOME", str(tmp_path / "cargo"))
    monkeypatch.setenv("CARGO_NET_OFFLINE", "true")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    out = tmp_path / "out.json"
    call = ["run", "--variant", "pulley", "--variant", "raw", "--engine", "native"]
    call += ["--case", "bytecode/thread-program", "--form", "vm", "--json", str(out)]
    assert run(call) == ExitCode.NOT_CHECKED
    seen = {each["variant"]: each for each in results(out)}
    assert seen["raw"]["verdict"] == "agree"
    assert seen["pulley"]["verdict"] == "not_checked"
    assert "pulley-interpreter" in seen["pulley"]["reason"]
    assert "pulley cannot be had" in " ".join(capsys.readouterr().out.split())


@pytest.mark.usefixtures("_there")
def test_the_crate_has_the_style_of_the_others(tmp_path: Path) -> None:
    for words in (
        ("fmt", "--check"),
        ("clippy", "--quiet", "--locked", "--target-dir", str(tmp_path), "--", "-D", "warnings"),
    ):
        done = subprocess.run(
            ["cargo", *words], cwd=rust_pulley_dir(), capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
