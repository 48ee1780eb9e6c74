"""The whole mutation check: no rule of the abstract machine can be altered unseen."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_every_mutant_is_caught_or_explained() -> None:
    run = subprocess.run(
        [sys.executable, "-m", "harness.mutation"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
