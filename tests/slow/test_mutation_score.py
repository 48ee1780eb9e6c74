"""The mutation check of all mutants: no rule of the abstract machine can be altered unseen.

The recorded programs measure it alone: random ones besides would take half as long again.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_every_mutant_is_caught_or_explained() -> None:
    run = subprocess.run(
        [sys.executable, "-m", "harness.mutation", "--random", "0"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
