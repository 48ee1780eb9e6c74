"""Evidence with real tools: killed at any moment, two at once, and nothing run twice."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from harness.cli.exit_code import ExitCode
from harness.lowering.variants import VARIANTS
from harness.mode import MODES
from harness.resources import corpus_dir

pytestmark = pytest.mark.slow

HARNESS = [sys.executable, "-c", "from harness.cli.main import main; main()"]

SEED = 20261121

NATIVE = ("--engine", "native", "--form", "vm", "--variant", "raw", "--variant", "cell")
"""The whole corpus of bytecode: one build, and a process for each variant."""

MIRI = ("--engine", "miri", "--mode", "tree-strict", "--mode", "stacked-permissive")

NO_TOOLCHAIN = ("--toolchain", "no-such-toolchain")

ENGINES = [pytest.param(NATIVE, id="native"), pytest.param(MIRI, id="miri", marks=pytest.mark.miri)]


@pytest.fixture(params=ENGINES)
def arguments(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, ...]:
    """What `harness run` is called with: cases without committed evidence, and how to run them."""
    folder = tmp_path / "cases"
    kind = "bytecode" if request.param is NATIVE else "pointer/both"
    shutil.copytree(corpus_dir() / kind, folder, ignore=shutil.ignore_patterns("evidence"))
    return (str(folder), *request.param)


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    """A cache of its own, which shares Miri's sysroot with everybody."""
    folder = tmp_path / "cache"
    folder.mkdir()
    base = os.environ.get("XDG_CACHE_HOME")
    (folder / "miri").symlink_to((Path(base) if base else Path.home() / ".cache") / "miri")
    return folder


def start(cache: Path, arguments: tuple[str, ...], command: str = "run") -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*HARNESS, command, *arguments],
        env={**os.environ, "XDG_CACHE_HOME": str(cache)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(process: subprocess.Popen[str], code: ExitCode = ExitCode.AGREE) -> str:
    out, errors = process.communicate(timeout=600)
    assert process.returncode == code, out + errors
    assert "Traceback" not in out + errors
    return out


SEEN = ("class", "kind", "memory", "checksum")
"""What of an outcome has to be the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """A run that came to its end. seen: what each of its runs came to. recorded: how many were."""

    out: str
    seen: dict[str, Any]
    recorded: int


def do(cache: Path, arguments: tuple[str, ...]) -> Done:
    report = cache / "report.json"
    out = finish(start(cache, (*arguments, "--json", str(report))))
    told = json.loads(report.read_text(encoding="utf-8"))["results"]
    # An engine may have refused the program.
    results = [each for each in told if each["outcome"] is not None]
    names = ("case", "engine", "variant", "form", "aliasing", "provenance")
    return Done(
        out=out,
        seen={
            "/".join(str(each[name]) for name in names): (
                each["verdict"],
                *(each["outcome"].get(name) for name in SEEN),
            )
            for each in results
        },
        recorded=sum(each["evidence"] == "recorded" for each in results),
    )


def records(cache: Path) -> Path:
    return cache / "harness" / "evidence" / "records.log"


def finished(cache: Path) -> set[bytes]:
    """The records that are on file to their last byte."""
    if not records(cache).exists():
        return set()
    return {line for line in records(cache).read_bytes().split(b"\n")[:-1] if line}


@pytest.mark.timeout(1800)
def test_killed_at_any_moment_nothing_is_lost_or_half_believed(
    cache: Path, arguments: tuple[str, ...]
) -> None:
    do(cache, arguments)
    records(cache).unlink()
    # What was built stays, so that the moments are those of running.
    began = time.monotonic()
    whole = do(cache, arguments)
    longest = time.monotonic() - began
    complete = len(finished(cache))
    moments = random.Random(SEED)
    counts = set()
    for _ in range(20):
        if len(finished(cache)) == complete:
            records(cache).unlink()
        before = finished(cache)
        process = start(cache, arguments)
        time.sleep(moments.uniform(0, longest))
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=60)
        assert before <= finished(cache)
        counts.add(len(finished(cache)))
    assert counts & set(range(1, complete)), "no kill came in the middle"
    done = [line.split(b" ")[1] for line in finished(cache)]
    resumed = do(cache, arguments)
    assert resumed.seen == whole.seen
    assert resumed.recorded >= sum(key.startswith(arguments[2].encode()) for key in done)
    assert do(cache, arguments).recorded == len(whole.seen)


@pytest.mark.timeout(900)
def test_two_at_once_do_not_harm_each_other(cache: Path, arguments: tuple[str, ...]) -> None:
    together = [start(cache, arguments) for _ in range(2)]
    said = [finish(process) for process in together]
    assert not any("evidence: " in out for out in said), said
    after = do(cache, arguments)
    assert after.recorded == len(after.seen)


@pytest.mark.timeout(900)
def test_a_damaged_store_costs_what_was_damaged(cache: Path, arguments: tuple[str, ...]) -> None:
    whole = do(cache, arguments)
    chance = random.Random(SEED)
    data = bytearray(records(cache).read_bytes())
    for _ in range(20):
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    del data[len(data) * 9 // 10 :]
    records(cache).write_bytes(data)
    mended = do(cache, arguments)
    assert mended.seen == whole.seen
    assert 0 < mended.recorded < len(whole.seen)
    assert mended.out.count("evidence: ") == 1
    again = do(cache, arguments)
    assert again.recorded == len(whole.seen)
    assert "evidence: " not in again.out


@pytest.mark.timeout(900)
def test_a_store_of_nonsense_is_no_store(cache: Path, arguments: tuple[str, ...]) -> None:
    whole = do(cache, arguments)
    records(cache).write_bytes(random.Random(SEED).randbytes(10_000))
    assert do(cache, arguments).seen == whole.seen
    records(cache).unlink()
    records(cache).mkdir()
    without = do(cache, arguments)
    assert without.seen == whole.seen
    assert not without.recorded
    assert "evidence: " in without.out


def test_where_miri_is_missing_committed_evidence_counts(cache: Path) -> None:
    folder = str(corpus_dir() / "pointer" / "tree-only")
    # Without an engine's name, what there is is what was asked for.
    done = do(cache, (folder, *NO_TOOLCHAIN))
    assert done.recorded
    last = done.out.splitlines()[-1]
    assert last.startswith("Recorded results: ")
    assert f"{done.recorded} of miri " in last
    assert "not checked: " not in done.out
    for insisting in (("--engine", "miri"), ("--evidence", "live")):
        arguments = (folder, *NO_TOOLCHAIN, *insisting)
        out = finish(start(cache, arguments), ExitCode.NOT_CHECKED)
        assert "not checked: " in out
        assert "rustup toolchain install" in out


def test_blessing_needs_a_miri(cache: Path) -> None:
    folder = str(corpus_dir() / "pointer" / "tree-only")
    finish(start(cache, (folder, *NO_TOOLCHAIN), "bless"), ExitCode.NOT_CHECKED)


@pytest.mark.miri
@pytest.mark.timeout(900)
def test_what_a_real_miri_showed_is_blessed_once(cache: Path, tmp_path: Path) -> None:
    folder = tmp_path / "cases"
    ignored = shutil.ignore_patterns("evidence")
    shutil.copytree(corpus_dir() / "pointer" / "tree-only", folder, ignore=ignored)
    thread = corpus_dir() / "bytecode" / "thread-program.toml"
    shutil.copy(thread, folder)
    finish(start(cache, (str(folder),), "bless"))
    first = {path.name: path.read_bytes() for path in folder.glob("evidence/*")}
    assert {f"{path.stem}.json" for path in folder.glob("*.toml")} == set(first)
    # From the store, and then from the files alone.
    for again in (cache, tmp_path / "fresh"):
        (again / "harness").mkdir(parents=True, exist_ok=True)
        if not (again / "miri").exists():
            (again / "miri").symlink_to((cache / "miri").resolve())
        assert "nothing changes" in finish(start(again, (str(folder),), "bless"))
        assert first == {path.name: path.read_bytes() for path in folder.glob("evidence/*")}
    out = finish(start(cache, (str(folder), *NO_TOOLCHAIN)))
    assert f"{len(MODES) * (len(first) - 1 + 2 * len(VARIANTS))} of miri " in out
