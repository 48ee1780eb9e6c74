"""Fuzzing with compilers and a real Miri: no difference where there is none, and planted ones."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from harness.cli import main
from harness.fuzz.findings import STATE
from harness.fuzz.planted import VmFault, hunt_vm_faults, table
from harness.fuzz.settings import SETTINGS
from harness.resources import rust_vm_dir
from harness.toolchain.environment import cache_folder
from harness.toolchain.process import Launcher

pytestmark = pytest.mark.slow


def test_wrong_instructions_and_variants_are_found_and_shrunk() -> None:
    faults = [VmFault(**each) for each in table()["vm"] if each["name"] in ("rem is div",)]
    (caught,) = hunt_vm_faults(
        faults, SETTINGS, Launcher(), vm_folder=rust_vm_dir(), cache=cache_folder()
    )
    assert caught.size is not None
    assert caught.size <= 6
    assert caught.confirmed


@pytest.mark.miri
def test_every_program_of_two_statements_under_miri(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["fuzz", "--exhaustive", "2", "--engine", "miri", "--folder", str(tmp_path)]
    assert main.run(arguments) == 0
    out = capsys.readouterr().out
    assert "24 of 24 programs" in out
    assert "0 findings" in out


def test_a_campaign_survives_being_killed(tmp_path: Path) -> None:
    command = [
        *(sys.executable, "-c", "from harness.cli.main import main; main()", "fuzz"),
        *("--kind", "bytecode", "--engine", "in-process", "--folder", str(tmp_path)),
    ]
    process = subprocess.Popen([*command, "--time", "600"], stdout=subprocess.DEVNULL)
    end = time.monotonic() + 120
    while not (tmp_path / STATE).exists() and time.monotonic() < end:
        time.sleep(0.1)
    process.send_signal(signal.SIGKILL)
    process.wait()
    done = subprocess.run([*command, "--count", "1"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout.split()[0]) >= SETTINGS.round
