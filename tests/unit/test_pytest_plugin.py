"""The pytest plugin: case files as tests, in a pytest of its own."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from harness.cli.main import run as run_harness

GOOD = """\
description = "A constant."
source = "a test"
program = "const.u8 7 -> [0]"
[memory]
size = 2
[expect]
memory = { 0 = "07" }
"""

SETTINGS = """\
[tool.pytest.ini_options]
addopts = ["-p", "harness.pytest_plugin", "-p", "no:cacheprovider"]
harness_cases = ["cases"]
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "cases" / "deep").mkdir(parents=True)
    (tmp_path / "pyproject.toml").write_text(SETTINGS)
    (tmp_path / "other.toml").write_text("this is no case")
    (tmp_path / "cases" / "good.toml").write_text(GOOD)
    # Of the same name as another one.
    (tmp_path / "cases" / "deep" / "good.toml").write_text(GOOD)
    return tmp_path


def run_pytest(project: Path, *arguments: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-rA", *arguments],
        cwd=project, capture_output=True, text=True, timeout=300,
        env={name: value for name, value in os.environ.items() if not name.startswith("PYTEST")},
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


def test_each_case_is_a_test(project: Path) -> None:
    code, said = run_pytest(project)
    assert code == 0, said
    assert "2 passed" in said
    assert "cases/deep/good.toml" in said
    assert "other.toml" not in said


def test_a_bad_file_is_one_failing_test_with_its_place(project: Path) -> None:
    (project / "cases" / "bad.toml").write_text(GOOD.replace("const.u8", "konst.u8"))
    code, said = run_pytest(project)
    assert code == 1, said
    assert "1 failed, 2 passed" in said
    assert "bad.toml:3:12: there is no instruction 'konst.u8'" in said
    assert "did you mean const.u8?" in said
    assert "Traceback" not in said
    assert "pytest_plugin.py" not in said


def test_a_case_that_does_not_hold_fails_and_says_why(project: Path) -> None:
    (project / "cases" / "wrong.toml").write_text(GOOD.replace('0 = "07"', '0 = "08"'))
    code, said = run_pytest(project, "-k", "wrong")
    assert code == 1, said
    assert "1 failed, 2 deselected" in said
    assert "memory 0800" in said
    assert "memory 0700" in said
    repeat = next(line for line in said.splitlines() if line.startswith("  repeat: "))
    words = shlex.split(repeat.removeprefix("  repeat: "))
    assert words[:2] == ["harness", "run"]
    assert run_harness(words[1:]) == 1, "the command shows it again"
    assert "pytest_plugin.py" not in said


def test_a_file_that_is_given_by_name_is_collected(project: Path) -> None:
    (project / "lone.toml").write_text(GOOD)
    code, said = run_pytest(project, "lone.toml")
    assert code == 0, said
    assert "1 passed" in said


def test_workers_of_xdist_run_them_too(project: Path) -> None:
    code, said = run_pytest(project, "-n", "2")
    assert code == 0, said
    assert "2 passed" in said


def test_what_cannot_be_checked_is_skipped_with_its_reason(project: Path) -> None:
    (project / "pyproject.toml").write_text(f'{SETTINGS}harness_engines = ["native"]\n')
    undefined = (
        'kind = "pointer"\ndescription = "Two."\nsource = "a test"\nrule = "x"\n'
        "program = '''\nlocal x = [0; 1]\ns = &x\np = &raw const *s\nm = &mut x\n"
        "write m[0]: u8 = 1\nread s[0]: u8\n'''\n[expect]\nall = \"ran 1\"\n"
        'stacked = "ub aliasing @5"\ntree = "ub aliasing @5"\n'
    )
    (project / "cases" / "undefined.toml").write_text(undefined)
    code, said = run_pytest(project, "-k", "undefined", "-p", "no:xdist")
    assert code == 0, said
    assert "1 skipped" in said
    assert "native" in said.partition("SKIPPED")[2]


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ('harness_engines = ["engine"]', "harness_engines: there is no 'engine'"),
        ('harness_modes = ["mode"]', "there is no mode 'mode'"),
        ('harness_variants = ["variant"]', "harness_variants: there is no 'variant'"),
    ],
)
def test_settings_that_mean_nothing_are_refused(project: Path, setting: str, words: str) -> None:
    (project / "pyproject.toml").write_text(f"{SETTINGS}{setting}\n")
    code, said = run_pytest(project)
    assert code == pytest.ExitCode.USAGE_ERROR
    assert words in said
    assert "pytest_plugin.py" not in said
