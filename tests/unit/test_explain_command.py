"""`harness explain` on the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.cli.main import run
from harness.lowering.variants import VARIANTS

CORPUS = Path(__file__).parents[2] / "corpus"
CASE = "pointer/both/box-lent-then-written"


def test_a_case_by_its_name(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["explain", CASE]) == 0
    out = capsys.readouterr().out
    assert out.startswith(f"{CASE}\n")
    assert "\x1b" not in out
    assert "broken rule      stacked/write-needs-granting-item" in out


def test_a_case_by_its_file_and_by_a_glob(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["explain", CASE]) == 0
    by_name = capsys.readouterr().out
    assert run(["explain", str(CORPUS / f"{CASE}.toml")]) == 0
    assert capsys.readouterr().out == by_name
    for named in ("*/box-lent-then-*", "box-lent-then-written"):
        assert run(["explain", named]) == 0
        assert capsys.readouterr().out == by_name


def test_a_program_out_of_a_set(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    programs = tmp_path / "some.jsonl"
    line = (
        '{"id": "NAME", "program": [{"op": "local", "to": "x", "size": 1, "init": 0}, '
        '{"op": "ref_mut", "to": "m", "of": "x"}], "expected": {}}\n'
    )
    programs.write_text(line.replace("NAME", "first") + line.replace("NAME", "second"))
    assert run(["explain", "*second", "--in", str(programs), "--mode", "tree-strict"]) == 0
    assert "m = &mut x" in capsys.readouterr().out
    assert run(["explain", str(programs)]) == 2
    assert "means 2 cases" in capsys.readouterr().err


def test_it_says_what_it_chose(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["explain", "bytecode/thread-program"]) == 0
    out = capsys.readouterr().out
    assert "chosen: variant reborrow: the first that is undefined behaviour\n" in out
    assert "chosen: mode stacked-strict: the first in which it is undefined behaviour\n" in out


def test_where_nothing_is_undefined_it_takes_the_first(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(["explain", "bytecode/trap-in-empty-memory"]) == 0
    out = capsys.readouterr().out
    assert f"chosen: variant {next(iter(VARIANTS))}: the first, since none is undefined" in out
    assert "chosen: mode stacked-strict: the first, since it is undefined behaviour in none" in out


def test_the_variant_is_chosen_for_the_modes_that_are_asked_for(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Without a borrow model only pointers without provenance are wrong in this program."""
    assert run(["explain", "bytecode/thread-program", "--mode", "none-strict"]) == 0
    out = capsys.readouterr().out
    assert "chosen: variant transmuted: the first that is undefined behaviour\n" in out


def test_the_page_is_written_and_the_summary_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "page.html"
    options = ["--html", str(page), "--mode", "all"]
    assert run(["explain", CASE, *options]) == 0
    out = capsys.readouterr().out
    assert out.endswith(f"wrote {page}\n")
    assert "broken rule" in out
    assert "before" not in out
    text = page.read_text(encoding="utf-8")
    assert text.startswith("<!doctype html>")
    assert text.count("<section ") == 6


def test_the_last_steps_only(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["explain", CASE, "--last", "2"]) == 0
    out = capsys.readouterr().out
    assert "The first 4 steps are left out; `harness explain --last 0` shows all." in out
    assert "s = &*x" not in out
    assert run(["explain", CASE, "--last", "0"]) == 0
    assert "s = &*x" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["pointer/both/box-lent-then-writen"], f"did you mean {CASE}?"),
        (["box-lent-then-writen"], f"did you mean {CASE}?"),
        (["zzzz"], "`harness list` names them all"),
        (["pointer/both/*"], "cases: pointer/both/"),
        ([str(CORPUS / "pointer" / "tree-only")], "cases: pointer/tree-only/"),
        ([CASE, "--variant", "raw"], "is a pointer case, which has no variants"),
        (["bytecode/thread-program", "--variant", "rew"], "there is no variant 'rew'"),
        ([CASE, "--mode", "tree"], "there is no mode 'tree'"),
        ([CASE, "--last", "-1"], "--last: -1 steps cannot be shown"),
        ([CASE, "--in", "no-such-folder"], "there is no such file or folder"),
        ([CASE, "--html", "no-such-folder/page.html"], "--html: no-such-folder/page.html"),
        ([""], "there is no case"),
        (["a\0b"], "there is no case"),
    ],
)
def test_bad_input_is_told_without_a_traceback(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["explain", *arguments]) == 2
    captured = capsys.readouterr()
    assert said in captured.err
    assert "Traceback" not in captured.err


def test_a_bad_file_is_told_with_its_place(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = tmp_path / "bad.toml"
    bad.write_text('kind = "pointer"\ndescription = 3\n')
    assert run(["explain", str(bad)]) == 2
    assert f"{bad}:2:" in capsys.readouterr().err
