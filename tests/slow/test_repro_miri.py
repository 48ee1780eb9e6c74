"""Reproducers and reductions under a real Miri and a real rustc."""

from __future__ import annotations

import random
import subprocess
from pathlib import Path

import pytest

from harness.cli import main
from harness.pointer.generator import generate
from harness.repro.check import Compiled
from harness.repro.plain_rust import Plainness, write_plain
from harness.toolchain.missing import Missing
from harness.toolchain.process import Launcher
from harness.toolchain.rust import find_rust

pytestmark = pytest.mark.slow

under_miri = [
    pytest.mark.miri,
]


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param([name, *options], marks=under_miri)
        for name, *options in (
            ("bytecode/thread-program", "--variant", "reborrow"),
            ("bytecode/thread-program", "--variant", "owner", "--mode", "tree-strict"),
            ("pointer/tree-only/as-ptr-freezes-written-as-mut-ptr", "--engine", "miri"),
            ("pointer/memory/double-free",),
        )
    ],
)
def test_the_head_s_own_command_shows_it(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main.run(["repro", *arguments]) == 0
    (file,) = tmp_path.glob("*.rs")
    lines = file.read_text().splitlines()
    command = lines[lines.index("// Run it:") + 1].removeprefix("// ").strip()
    done = subprocess.run(command, shell=True, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "error: Undefined Behavior: " in done.stderr
    at = next(number for number, line in enumerate(lines, 1) if "// undefined" in line)
    assert f"{file.name}:{at + 1}:" in done.stderr


def test_what_rustc_compiles_wrongly_is_reproduced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    name = "pointer/provenance/exposed-then-with-addr-of-other-allocation"
    assert main.run(["repro", name, "--engine", "native"]) == 0
    assert "where it must print" in capsys.readouterr().out


def test_every_plain_file_of_exact_rust_compiles() -> None:
    launcher = Launcher()
    rust = find_rust(launcher)
    if isinstance(rust, Missing):
        pytest.skip(rust.message)
    compiler = Compiled(compiler=rust.compiler, level=0, launcher=launcher)
    for seed in range(12):
        source = write_plain(generate(random.Random(seed), 14), plainness=Plainness.EXACT)
        seen = compiler.run(source.text(()))
        assert "error" not in getattr(seen.outcome, "message", ""), seen
