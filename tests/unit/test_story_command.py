"""`harness story` as far as it goes without cargo: what it refuses, and its schema."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.cli.exit_code import ExitCode
from harness.cli.main import run
from harness.report.story_report import json_schema

ROOT = Path(__file__).parents[2]
SOUND = str(ROOT / "tests" / "data" / "own_stories" / "sound.rs")

REFUSED = (
    ([SOUND, "--engine", "model"], "--engine: no story is checked by model"),
    ([SOUND, "--memory", "fill.start"], "--memory: 'fill.start' says no size"),
    ([SOUND, "--memory", "fill.start=0"], "--memory: 'fill.start=0' says no size"),
    ([SOUND, "--memory", "fill.start=8/3"], "--memory: 'fill.start=8/3' says no size"),
    ([SOUND, "--memory", "fill.end=8"], "no block has an operand 'fill.end'"),
    ([SOUND, "--values", "fill.len=9..=8"], "--values: 'fill.len=9..=8' is no range of numbers"),
    ([SOUND, "--values", "file.len=8"], "no block has an operand 'file.len'"),
    ([SOUND, "--function", "none*"], "no such function has `asm!`"),
    ([str(ROOT / "docs" / "stories.md")], "is no Rust file"),
    (["no-such-folder"], "no-such-folder: is not there"),
    ([str(ROOT / "rust" / "vm" / "src" / "lib.rs")], "there is no `asm!` in it"),
)


@pytest.mark.parametrize(("arguments", "said"), REFUSED)
def test_what_cannot_be_checked_is_refused(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["story", *arguments]) == ExitCode.BAD_INPUT
    assert said in capsys.readouterr().err


def test_the_committed_schema_is_the_reports() -> None:
    committed = json.loads((ROOT / "docs" / "story.schema.json").read_text(encoding="utf-8"))
    assert committed == json_schema(), "run `python -m harness.report.story_report`"


def test_a_file_that_is_not_rust_is_told_on_the_screen(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "code.rs"
    path.write_text("fn asm() {}\n7\n", encoding="utf-8")
    assert run(["story", str(path)]) == ExitCode.BAD_INPUT
    captured = capsys.readouterr()
    assert f"error: {path}:2:1: not Rust: " in captured.out
