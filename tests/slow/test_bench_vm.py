"""`harness bench vm`: everything is measured, and what is measured computes what it should."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.bench.vm import BASELINE
from harness.cli.main import run
from harness.resources import corpus_dir

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


def test_variants_are_measured_side_by_side(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    report, picture = tmp_path / "vm.json", tmp_path / "vm.svg"
    cases = [corpus_dir() / "bytecode" / f"{name}.toml" for name in ("fibonacci", "loop-sums-u8")]
    words = ["--variant", "raw", "--variant", "reborrow", "--rounds", "2"]
    files = ["--json", str(report), "--svg", str(picture)]
    assert run(["bench", "vm", *map(str, cases), *words, *files]) == 0
    value = json.loads(report.read_bytes())
    assert [each["variant"] for each in value["costs"]] == [BASELINE, "raw", "reborrow"]
    assert [each["sound"] for each in value["costs"]] == [True, True, False]
    # The other is over after 30 instructions.
    assert {each["case"] for each in value["measured"]} == {"bytecode/fibonacci"}
    for each in value["measured"]:
        assert len(each["nanoseconds"]) == 2
        assert all(0 < nanoseconds < 1e6 for nanoseconds in each["nanoseconds"])
    assert b"raw" in picture.read_bytes()
    assert "safe indexing is 1.0" in capsys.readouterr().out


def test_without_a_loop_there_is_nothing_to_measure(capsys: pytest.CaptureFixture[str]) -> None:
    case = corpus_dir() / "bytecode" / "thread-program.toml"
    assert run(["bench", "vm", str(case)]) == 2
    assert "enough instructions" in capsys.readouterr().err
