"""The command line with a real cargo: the whole corpus natively, and Ctrl-C in the middle."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from xml.etree import ElementTree

import pytest

from harness.cli.exit_code import ExitCode
from harness.resources import corpus_dir

pytestmark = pytest.mark.slow

HARNESS = [sys.executable, "-c", "from harness.cli.main import main; main()"]


def environment(cache: Path) -> dict[str, str]:
    return {**os.environ, "XDG_CACHE_HOME": str(cache)}


def children_of(session: int) -> list[str]:
    """Command lines of the processes whose parent is `session`."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal():
            try:
                parent = int((folder / "stat").read_text().rsplit(")", 1)[1].split()[1])
                if parent == session:
                    found.append((folder / "cmdline").read_bytes().decode(errors="replace"))
            except OSError:
                continue
    return found


@pytest.mark.timeout(1800)
def test_the_whole_corpus_agrees_natively(tmp_path: Path) -> None:
    """Every case, variant and form; what is undefined counts for nothing."""
    out = tmp_path / "out.json"
    engines = ["reference", "model", "in-process", "native"]
    arguments = [word for engine in engines for word in ("--engine", engine)]
    done = subprocess.run(
        [*HARNESS, "run", *arguments, "--json", str(out)],
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == ExitCode.AGREE, done.stdout + done.stderr
    document = json.loads(out.read_text(encoding="utf-8"))
    assert document["summary"]["mismatch"] == 0
    native = [each for each in document["results"] if each["engine"] == "native"]
    assert {each["form"] for each in native if each["kind"] == "bytecode"} == {"vm", "unrolled"}
    # What a compiled story shows, and what is not checked of it, is for test_story_native.py.
    for result in (each for each in native if each["kind"] != "story"):
        assert result["verdict"] == "agree" or result["reason"].startswith(
            ("native-is-no-evidence", "known: ", "the result depends on addresses")
        ), result
    # The thread's original is not counted as agreeing where it is undefined.
    (reborrow,) = {
        each["verdict"]
        for each in native
        if (each["case"], each["variant"]) == ("bytecode/thread-program", "reborrow")
    }
    assert reborrow == "not_checked"


@pytest.mark.timeout(300)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_ends_its_children_and_keeps_what_it_has(
    tmp_path: Path, number: signal.Signals
) -> None:
    out, tests = tmp_path / "out.json", tmp_path / "out.xml"
    engines = ["--engine", "reference", "--engine", "native"]
    cases = sorted(map(str, (corpus_dir() / "bytecode").glob("add-*.toml")))
    started = subprocess.Popen(
        [*HARNESS, "run", *cases, *engines, "--json", str(out), "--junit", str(tests)],
        env=environment(tmp_path),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    waited = time.monotonic()
    # Before that, cargo is asked for its version.
    while not any("cargo" in each and "build" in each for each in children_of(started.pid)):
        assert started.poll() is None, "it ended before it built anything"
        assert time.monotonic() - waited < 120, "no cargo was started"
        time.sleep(0.02)
    started.send_signal(number)
    printed, errors = started.communicate(timeout=60)
    assert started.returncode == ExitCode.INTERRUPTED, errors
    assert "every child process was ended" in errors
    assert "on the reference VM" in printed
    document = json.loads(out.read_text(encoding="utf-8"))
    assert document["finished"] is False
    ran = [each for each in document["results"] if each["outcome"] is not None]
    assert {each["engine"] for each in ran} == {"reference"}
    # What compiled code cannot speak for is told before anything is built.
    others = [each for each in document["results"] if each["engine"] != "reference"]
    assert {each["verdict"] for each in others} <= {"not_checked"}
    (error,) = ElementTree.parse(tests).iter("error")
    assert error.attrib["type"] == "interrupted"
    time.sleep(0.5)
    running = subprocess.run(
        ["pgrep", "-f", str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert running.stdout == "", "a child outlived the run"
