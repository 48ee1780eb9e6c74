"""The fuzzer, for a few seconds a target: it finds nothing, and says so when there is something."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(600),
    pytest.mark.skipif(find_spec("atheris") is None, reason="pip install -e '.[fuzz]'"),
]

ROOT = Path(__file__).parents[2]

BROKEN = """
import sys
from pathlib import Path
from tests.fuzz import __main__ as fuzzer, targets

def broken(data):
    targets.demand(b"const" not in data, "it has a word")

targets.TARGETS["assembly"] = broken
fuzzer.fuzz("assembly", 60, Path(sys.argv[1]))
"""


def test_nothing_is_found_in_a_short_time(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.fuzz", "--seconds", "3", "--found", str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    said = [line for line in done.stdout.splitlines() if line.endswith("nothing found")]
    assert len(said) == 5
    assert "Is the code instrumented for coverage?" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_what_breaks_a_target_is_kept(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", BROKEN, str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert "it has a word" in done.stdout + done.stderr
    (found,) = tmp_path.iterdir()
    assert b"const" in found.read_bytes()
