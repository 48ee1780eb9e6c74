"""Reproducers and reductions under a real Miri and a real rustc."""

from __future__ import annotations

import json
import random
import re
import subprocess
from pathlib import Path

import pytest

from harness.cli import main
from harness.engines.own_start import LIBRARY
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
    done = say(command_in(file))
    assert done.returncode == 1
    assert "error: Undefined Behavior: " in done.stderr
    at = next(number for number, line in enumerate(lines, 1) if "// undefined" in line)
    assert f"{file.name}:{at + 1}:" in done.stderr


@pytest.mark.parametrize(
    ("name", "level"),
    [
        ("exposed-then-with-addr-of-other-allocation", "3"),
        ("address-from-the-neighbour", "1"),
        ("exposed-in-passing-and-read-on", "1"),
    ],
)
def test_what_rustc_compiles_wrongly_is_reproduced(
    name: str,
    level: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    if not say("rustc -V").stdout.startswith("rustc 1.95."):
        pytest.skip("what rustc 1.95 compiles wrongly another may compile rightly")
    monkeypatch.chdir(tmp_path)
    command = ["repro", f"pointer/provenance/{name}", "--engine", "native", "--level", level]
    assert main.run(command) == 0
    found = re.search(r"it prints '(.+)' where it must print '(.+)'", capsys.readouterr().out)
    assert found is not None
    (file,) = tmp_path.glob("*.rs")
    assert say(command_in(file)).stdout.strip() == found[1]
    # Without optimisation it is right.
    plain = command_in(file).replace(f"-Copt-level={level}", "-Copt-level=0")
    assert say(plain).stdout.strip() == found[2]


def command_in(file: Path) -> str:
    """The command in a file's head."""
    lines = file.read_text().splitlines()
    return lines[lines.index("// Run it:") + 1].removeprefix("// ").strip()


def say(command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, shell=True, capture_output=True, text=True, check=False)


@pytest.mark.miri
def test_what_miri_misses_is_reproduced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    name = "exposed-siblings-are-both-read"
    assert main.run(["repro", f"pointer/provenance/{name}", "--mode", "tree-permissive"]) == 0
    text = (tmp_path / f"{name}.rs").read_text()
    assert "// Expected: undefined behaviour (aliasing), by the rule tree/" in text
    assert "// Seen: it ran to its end; no undefined behaviour found" in text
    done = say(command_in(tmp_path / f"{name}.rs"))
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("variant", ["reborrow", "owner"])
@pytest.mark.miri
def test_the_project_with_the_vm_shows_it(
    variant: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    name = "bytecode/thread-program"
    assert main.run(["repro", name, "--variant", variant, "--form", "vm"]) == 0
    done = say(command_in(tmp_path / "thread-program" / "src" / "main.rs"))
    assert done.returncode == 1
    assert "error: Undefined Behavior: " in done.stderr


def wrong_variant() -> str:
    """The starting point for a variant of the user's own, but for one store that is wrong."""
    sound = "        // SAFETY: as in `load`.\n        unsafe { *to = value }\n"
    text = LIBRARY.read_text(encoding="utf-8").replace("@name", "mine")
    assert text.count(sound) == 1
    return text.replace(sound, WRONG_STORE)


WRONG_STORE = """\
        // SAFETY: as in `load`. But two bytes are always 1 and 1.
        let value = if T::SIZE == 2 { T::from_bytes(T::each(|_| 1)) } else { value };
        unsafe { *to = value }
"""


def test_a_variant_of_the_user_s_own_is_reduced_and_reproduced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.rs").write_text(wrong_variant())
    name = "bytecode/add-u16-sums"
    # Without a Miri it is what compiled code does wrong.
    monkeypatch.setenv("HARNESS_MIRI_TOOLCHAIN", "no-such-toolchain")
    assert main.run(["reduce", name, "--variant", "./mine.rs"]) == 0
    last = capsys.readouterr().out.splitlines()[-1]
    assert last == (
        "harness repro add-u16-sums.reduced.toml --engine native --variant ./mine.rs --form vm"
    )
    assert main.run(last.split()[1:]) == 0
    project = tmp_path / "add-u16-sums.reduced"
    told = re.search(r"prints '(ran .+)' where it must print '(ran .+)'", capsys.readouterr().out)
    assert told is not None
    # Nothing of it lies elsewhere.
    (tmp_path / "mine.rs").unlink()
    assert say(command_in(project / "src" / "main.rs")).stdout.strip() == told[1]


def test_what_is_found_in_a_variant_of_the_user_s_own_is_reduced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.rs").write_text(wrong_variant())
    fuzz = ["fuzz", "--variant", "./mine.rs", "--engine", "native", "--count", "100"]
    assert main.run([*fuzz, "--level", "0", "--level", "2"]) == 1
    findings = [
        json.loads(path.read_text()) for path in tmp_path.glob("harness-fuzz/findings/*/*.json")
    ]
    # What it does at both levels is found once.
    assert findings
    assert all(each["modes"] == ["native-O0", "native-O2"] for each in findings)
    assert all(each["run"]["--level"] == "0" for each in findings)
    ran = next((tmp_path / "harness-fuzz" / "findings").glob("*-ran-*/case.toml"))
    capsys.readouterr()
    assert main.run(["reduce", str(ran)]) == 0
    assert "to 1\n" in capsys.readouterr().out
    assert main.run(["repro", str(ran)]) == 0
    assert re.search(r"prints 'ran .+' where it must print 'ran .+'", capsys.readouterr().out)


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
