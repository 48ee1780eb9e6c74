"""`ci/cargo-test`: the corpus and a crate's own cases, called from `cargo test`."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).parents[2] / "ci" / "cargo-test"

pytestmark = pytest.mark.slow


def cargo_test(folder: Path, *arguments: str, harness: str | None = None) -> tuple[int, str]:
    program = harness or str(Path(sys.executable).with_name("harness"))
    done = subprocess.run(
        ["cargo", "test", "--offline", "--test", "harness", "--", *arguments],
        cwd=folder, capture_output=True, text=True, timeout=900,
        env={**os.environ, "HARNESS": program, "CARGO_TARGET_DIR": str(folder / "target")},
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


@pytest.fixture
def crate(tmp_path: Path) -> Path:
    return Path(shutil.copytree(EXAMPLE, tmp_path / "crate"))


def test_both_tests_pass(crate: Path) -> None:
    code, said = cargo_test(crate)
    assert code == 0, said
    assert "2 passed" in said


def test_a_case_that_does_not_hold_fails_the_test(crate: Path) -> None:
    case = crate / "cases" / "sum.toml"
    case.write_text(case.read_text().replace('6 = "2c 00"', '6 = "2d 00"'))
    code, said = cargo_test(crate, "the_cases_of_this_crate_hold")
    assert code != 0
    assert "something does not agree" in said
    case.write_text(case.read_text().replace("add.u16", "ad.u16"))
    code, said = cargo_test(crate, "the_cases_of_this_crate_hold")
    assert code != 0
    assert "a case cannot be read" in said
    assert "there is no instruction 'ad.u16'" in said


def test_a_harness_that_is_not_there_is_said(crate: Path) -> None:
    code, said = cargo_test(crate, "the_corpus_holds", harness="no-such-harness")
    assert code != 0
    assert "is the harness installed?" in said
