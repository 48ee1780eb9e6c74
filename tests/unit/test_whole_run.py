"""A run in which nothing changed: told as it was, while all that decides it is the same."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness.cases import load as loading
from harness.cases.case import FILE_LIMIT, Case
from harness.cases.files import CaseFile
from harness.cases.sources import look_at
from harness.cli.exit_code import ExitCode
from harness.cli.main import run
from harness.evidence import digests
from harness.resources import corpus_dir

ENGINES = ("reference", "model", "in-process", "miri")
"""Without cargo; Miri's outcomes lie beside the cases."""

OPTIONS = (
    *("--toolchain", "no-such-toolchain"),
    *(word for engine in ENGINES for word in ("--engine", engine)),
)

AS_TOLD = ExitCode.NOT_CHECKED
"""As Miri is asked for by name, and is not there."""

HARNESS = (sys.executable, "-c", "from harness.cli.main import main; main()")

Run = Callable[..., str]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Cases of each kind, with their evidence."""
    kept = tmp_path / "corpus"
    names = ("bytecode/thread-program", "pointer/tree-only/two-phase-reserved", "story/popcount")
    sources = [corpus_dir() / f"{name}.toml" for name in names]
    sources[1:2] = sorted((corpus_dir() / "pointer" / "tree-only").glob("*.toml"))[:3]
    for source in sources:
        into = kept / source.parent.relative_to(corpus_dir())
        (into / "evidence").mkdir(parents=True, exist_ok=True)
        shutil.copy(source, into)
        beside = source.parent / "evidence" / f"{source.stem}.json"
        shutil.copy(beside, into / "evidence")
    return kept


@pytest.fixture
def tell(
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Run:
    """Runs the cases with a cache that all these calls share; what the screen has."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))

    def tell(*words: str, code: ExitCode = AS_TOLD) -> str:
        assert run(["run", str(folder), *OPTIONS, *words]) == code
        return capsys.readouterr().out

    return tell


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the cases that are read from now on."""
    names: list[str] = []
    whole = loading.read_case

    def read_case(file: CaseFile, data: bytes, **more: Any) -> Case:
        names.append(file.id)
        return whole(file, data, **more)

    monkeypatch.setattr(loading, "read_case", read_case)
    return names


def records(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "harness" / "evidence" / "records.log"


def forget_whole_runs(tmp_path: Path) -> int:
    """Take the whole runs off the record; how many there were."""
    lines = records(tmp_path).read_bytes().split(b"\n")
    kept = [line for line in lines if b" run-" not in line]
    records(tmp_path).write_bytes(b"\n".join(kept))
    return len(lines) - len(kept)


def test_a_second_run_reads_no_case_and_tells_the_same(
    tell: Run, reads: list[str], tmp_path: Path
) -> None:
    tell()
    assert reads
    reads.clear()
    told = tell()
    assert not reads
    assert "5 cases (1 on the reference VM)" in told
    assert forget_whole_runs(tmp_path) == 1
    assert tell() == told, "as it is when every result is looked at"
    assert reads


def test_another_process_tells_the_same(tell: Run, folder: Path, tmp_path: Path) -> None:
    tell()
    told = tell()
    for seed in ("1", "2"):
        done = subprocess.run(
            [*HARNESS, "run", str(folder), *OPTIONS],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, done.stdout) == (AS_TOLD, told)
    assert forget_whole_runs(tmp_path) == 1


def change_a_case(folder: Path) -> None:
    path = folder / "bytecode" / "thread-program.toml"
    path.write_text(f"{path.read_text(encoding='utf-8')}\n", encoding="utf-8")


def add_a_case(folder: Path) -> None:
    shutil.copy(corpus_dir() / "bytecode" / "add-u8-wraps.toml", folder / "bytecode")


def remove_a_case(folder: Path) -> None:
    (folder / "story" / "popcount.toml").unlink()


def rename_a_case(folder: Path) -> None:
    path = folder / "story" / "popcount.toml"
    path.rename(path.with_stem("zounds"))


def change_the_evidence(folder: Path) -> None:
    path = folder / "bytecode" / "evidence" / "thread-program.json"
    path.write_bytes(path.read_bytes() + b"\n")


@pytest.mark.parametrize(
    "change", [change_a_case, add_a_case, remove_a_case, rename_a_case, change_the_evidence]
)
def test_what_changed_is_looked_at(
    tell: Run, reads: list[str], folder: Path, change: Callable[[Path], None]
) -> None:
    tell()
    reads.clear()
    change(folder)
    tell()
    assert reads


@pytest.mark.parametrize(
    "words",
    [
        ("--quick",),
        ("--mode", "tree-strict"),
        ("--case", "pointer/*"),
        ("--shard", "1/2"),
        ("--variant", "raw"),
        ("--form", "vm"),
        ("--input-limit", "2"),
        ("--timeout", "61"),
        ("-v",),
        ("--evidence", "live"),
    ],
    ids=" ".join,
)
def test_another_question_is_another_run(
    tell: Run, reads: list[str], words: tuple[str, ...]
) -> None:
    tell()
    reads.clear()
    tell(*words)
    assert reads


def test_another_package_looks_for_itself(
    tell: Run, reads: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    tell()
    reads.clear()
    monkeypatch.setattr(digests, "package", lambda: "another")
    tell()
    assert reads


def test_a_report_of_a_whole_run_holds_every_result(
    tell: Run, reads: list[str], tmp_path: Path
) -> None:
    first, second = tmp_path / "first.json", tmp_path / "second.json"
    tell("--json", str(first))
    told = tell()
    reads.clear()
    # What files there are makes it no other run.
    assert tell("--json", str(second)) == told
    assert reads
    one, other = (json.loads(path.read_text(encoding="utf-8")) for path in (first, second))
    assert len(one["results"]) == len(other["results"]) > 100
    assert one["summary"] == other["summary"]


def test_an_altered_record_of_a_run_is_dropped(tell: Run, reads: list[str], tmp_path: Path) -> None:
    tell()
    told = tell()
    data = bytearray(records(tmp_path).read_bytes())
    at = data.index(b" run-") + 60
    data[at] ^= 1
    records(tmp_path).write_bytes(data)
    reads.clear()
    said = tell()
    assert reads
    assert "1 records in it are dropped" in said
    reads.clear()
    assert tell() == told
    assert not reads


def test_a_run_with_a_finding_or_an_unreadable_case_is_never_whole(
    tell: Run, reads: list[str], folder: Path, tmp_path: Path
) -> None:
    path = folder / "bytecode" / "thread-program.toml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("u16 40", "u16 41"), encoding="utf-8")
    tell(code=ExitCode.MISMATCH)
    path.write_text("description = 7", encoding="utf-8")
    tell(code=ExitCode.BAD_INPUT)
    assert not forget_whole_runs(tmp_path)


def test_what_is_looked_at_is_what_is_loaded(folder: Path, tmp_path: Path) -> None:
    found = look_at([folder])
    assert found is not None
    assert found.paths == tuple(case.path for case in loading.load([folder]).cases)
    assert found == look_at([folder])
    assert look_at([folder], FILE_LIMIT - 1) != found
    assert look_at([folder, tmp_path / "missing"]) is None
    programs = tmp_path / "programs.jsonl"
    programs.write_bytes(b"{}\n")
    with_set = look_at([folder, programs])
    assert with_set is not None
    assert with_set.paths[-1] == programs
    programs.write_bytes(b"{} \n")
    assert look_at([folder, programs]) != with_set
    programs.unlink()
    os.mkfifo(programs)
    assert look_at([programs]) is None
