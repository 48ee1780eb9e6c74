"""What GitHub is told: commands that say what was meant, within its limits, and a safe summary."""

from __future__ import annotations

import re
from pathlib import Path
from tempfile import NamedTemporaryFile
from xml.etree import ElementTree

import pytest
from hypothesis import given, strategies as st
from markdown_it import MarkdownIt
from msgspec.structs import replace

from harness.cli.exit_code import ExitCode
from harness.cli.main import run
from harness.errors import InputError, Place
from harness.mode import MODES
from harness.outcome import Ran
from harness.report.github import MOST, SHOWN_REASONS, annotate
from harness.report.report import Report
from harness.report.step_summary import LIMIT, LONGEST, SHOWN, append_summary
from harness.result import CaseKind, EngineName, Evidence, Form, Result, Run, Verdict
from harness.toolchain.missing import Missing

THREAD = Path(__file__).parents[2] / "corpus" / "bytecode" / "thread-program.toml"

RUN = Run(
    case="bytecode/case",
    kind=CaseKind.BYTECODE,
    engine=EngineName.MIRI,
    variant="raw",
    form=Form.VM,
    mode=MODES[0],
)
MISMATCH = Result(
    run=RUN,
    expected=Ran(),
    predicted=None,
    outcome=Ran(),
    evidence=Evidence.LIVE,
    verdict=Verdict.MISMATCH,
    reason="memory: wanted 01, saw 02",
    place=Place(file="/repository/corpus/case.toml", line=3, column=11),
)
WORKSPACE = Path("/repository")

TAGS = {"page", "h3", "p", "table", "thead", "tbody", "tr", "th", "td"}
"""What a summary is made of."""


def report(
    *results: Result,
    errors: tuple[InputError, ...] = (),
    missing: tuple[Missing, ...] = (),
    finished: bool = True,
) -> Report:
    return Report(
        results=results,
        errors=errors,
        missing=missing,
        environment={"miri": "miri 0.1 (nightly)", "rustc": None},
        finished=finished,
    )


def commands(whole: Report) -> list[str]:
    return [each.command(WORKSPACE) for each in annotate(whole)]


def read(command: str) -> tuple[str, dict[str, str], str]:
    """Level, properties and message, as GitHub's runner reads them."""
    assert "\n" not in command
    assert "\r" not in command
    found = re.fullmatch("::(error|warning) (.*?)::(.*)", command)
    assert found, command
    properties = dict(each.split("=", 1) for each in found[2].split(","))

    def plain(text: str) -> str:
        for code, character in (("3A", ":"), ("2C", ","), ("0D", "\r"), ("0A", "\n"), ("25", "%")):
            text = text.replace(f"%{code}", character)
        return text

    return found[1], {key: plain(value) for key, value in properties.items()}, plain(found[3])


def test_a_mismatch_is_an_error_at_its_place() -> None:
    (command,) = commands(report(MISMATCH))
    assert command == (
        "::error title=harness%3A bytecode/case does not agree,file=corpus/case.toml,line=3::"
        "miri raw vm stacked-strict: memory: wanted 01, saw 02%0A"
        "repeat: harness run /repository/corpus/case.toml --case bytecode/case --engine miri "
        "--variant raw --form vm --mode stacked-strict"
    )


def test_what_agrees_is_not_spoken_of() -> None:
    assert commands(report(replace(MISMATCH, verdict=Verdict.AGREE))) == []


def test_a_fault_is_an_error() -> None:
    (command,) = commands(report(replace(MISMATCH, verdict=Verdict.NOT_CHECKED, fault=True)))
    assert read(command)[0] == "error"


def test_the_runs_of_one_case_stand_together() -> None:
    runs = [replace(MISMATCH, run=replace(RUN, mode=mode)) for mode in MODES]
    (command,) = commands(report(*runs))
    assert read(command)[2].split("\n")[0] == (
        "miri raw vm stacked-strict; miri raw vm stacked-permissive; miri raw vm tree-strict; "
        "… and 3 more: memory: wanted 01, saw 02"
    )


def test_a_case_that_fails_for_many_reasons_says_the_first() -> None:
    runs = [replace(MISMATCH, reason=f"reason {number}") for number in range(SHOWN_REASONS + 2)]
    (command,) = commands(report(*runs))
    assert [line.rsplit(": ", 1)[-1] for line in read(command)[2].split("\n")[:-1]] == [
        *(f"reason {number}" for number in range(SHOWN_REASONS)),
        "… and 2 more reasons",
    ]


@pytest.mark.parametrize("count", [MOST - 1, MOST, MOST + 1, 500])
def test_no_more_errors_than_github_shows(count: int) -> None:
    runs = [replace(MISMATCH, run=replace(RUN, case=str(number))) for number in range(count)]
    found = commands(report(*runs))
    assert len(found) == min(count, MOST)
    if count > MOST:
        assert read(found[-1])[1]["title"] == f"{count - MOST + 1} more like these"


def test_warnings_have_a_limit_of_their_own() -> None:
    runs = [replace(MISMATCH, run=replace(RUN, case=str(number))) for number in range(MOST)]
    missing = Missing(message="there is no Miri", remedy="rustup component add miri")
    found = commands(report(*runs, missing=(missing,), finished=False))
    assert [read(each)[0] for each in found] == ["error"] * MOST + ["warning"] * 2


def test_a_place_outside_the_repository_is_not_linked() -> None:
    (command,) = commands(report(replace(MISMATCH, place=Place(file="/else/where.toml", line=1))))
    assert set(read(command)[1]) == {"title"}


def test_an_unreadable_case_is_an_error_at_its_place() -> None:
    error = InputError(Place(file="/repository/a,b:c.toml", line=2, column=5), "bad", "good")
    (command,) = commands(report(errors=(error,)))
    assert ",file=a%2Cb%3Ac.toml,line=2::bad%0Agood" in command


@given(text=st.text())
def test_any_text_at_all_stays_what_it_is(text: str) -> None:
    nasty = f"{text}::error file=x,line=1::%0A\r\n::stop-commands::x"
    case = replace(
        MISMATCH,
        run=replace(RUN, case=nasty, variant=nasty),
        reason=nasty,
        place=Place(file=f"/repository/{nasty}", line=1),
    )
    level, properties, message = read(commands(report(case))[0])
    assert level == "error"
    assert set(properties) == {"title", "file", "line"}
    assert "::error file=x,line=1::%0A" in properties["title"]
    assert len(message.split("\n")) == 2


def rendered(whole: Report) -> ElementTree.Element:
    """The page that the summary stands for."""
    with NamedTemporaryFile() as file:
        append_summary(whole, Path(file.name))
        text = Path(file.name).read_text(encoding="utf-8")
    markdown = MarkdownIt("commonmark").enable("table")
    return ElementTree.fromstring(f"<page>{markdown.render(text)}</page>")


def rows(page: ElementTree.Element, head: str) -> list[list[str]]:
    """The rows of the table whose first column is called so."""
    (table,) = (each for each in page.iter("table") if each.find(".//th").text == head)  # type: ignore[union-attr]  # every table has a head
    return [["".join(cell.itertext()) for cell in row.iter("td")] for row in table.iter("tr")][1:]


def test_the_summary_counts_and_shows_what_disagrees() -> None:
    unchecked = replace(MISMATCH, verdict=Verdict.NOT_CHECKED, reason="no Miri", evidence=None)
    recorded = replace(MISMATCH, verdict=Verdict.AGREE, reason="", evidence=Evidence.RECORDED)
    page = rendered(report(MISMATCH, unchecked, recorded))
    text = "".join(page.itertext())
    assert "harness: results that do not agree: 1" in text
    assert "1 agree, 1 mismatch, 1 not checked. 1 live, 1 recorded." in text
    assert rows(page, "tool") == [["miri", "miri 0.1 (nightly)"]]
    ((case, way, why, repeat),) = rows(page, "does not agree")
    assert (case, way) == ("bytecode/case", "miri raw vm stacked-strict")
    assert why == MISMATCH.reason
    assert repeat.startswith("harness run /repository/corpus/case.toml --case bytecode/case")
    assert rows(page, "variant") == [["raw", "1 1ran? 1✗"]]
    assert rows(page, "not checked, because") == [["no Miri", "1"]]


def test_a_long_list_is_cut() -> None:
    page = rendered(report(*(replace(MISMATCH, reason=str(each)) for each in range(SHOWN + 5))))
    assert len(rows(page, "does not agree")) == SHOWN
    assert "… and 5 more" in "".join(page.itertext())


@given(text=st.text(max_size=LONGEST // 20))
def test_any_text_at_all_is_one_cell_with_that_text(text: str) -> None:
    nasty = f"{text}|<b>`*_[x](y)\\\n\n&amp;"
    error = InputError(Place(file=nasty), nasty)
    case = replace(MISMATCH, run=replace(RUN, case=nasty, variant=nasty), reason=nasty)
    page = rendered(report(case, errors=(error,)))
    assert {each.tag for each in page.iter()} <= TAGS
    ((shown, _, why, _),) = rows(page, "does not agree")
    assert shown == why
    assert "|<b>`*_[x](y)\\\\n\\n&amp;" in why
    assert len(rows(page, "cannot be read")[0]) == 2
    assert len(rows(page, "variant")) == 1


@pytest.mark.parametrize("already", [0, LIMIT - 1000, LIMIT])
def test_the_summary_is_added_as_far_as_github_takes_it(tmp_path: Path, already: int) -> None:
    path = tmp_path / "summary"
    path.write_bytes(b"x" * already)
    append_summary(report(*[MISMATCH] * 100), path)
    written = path.read_bytes()
    assert written.startswith(b"x" * already)
    assert (len(written) > already) == (already < LIMIT)
    assert len(written) <= LIMIT


def test_on_github_the_command_line_annotates_and_summarises(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    case = tmp_path / "wrong.toml"
    case.write_text(THREAD.read_text(encoding="utf-8").replace('6 = "2a', '6 = "2b'))
    summary = tmp_path / "summary"
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_WORKSPACE", str(tmp_path))
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    arguments = ["run", str(case), "--engine", "reference"]
    assert run(arguments) == ExitCode.MISMATCH
    assert "\n::error title=harness%3A wrong does not agree,file=wrong.toml,line=3::" in (
        capsys.readouterr().out
    )
    assert summary.read_text(encoding="utf-8").startswith(
        "### harness: results that do not agree: 1\n"
    )
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path))
    assert run(arguments) == ExitCode.BAD_INPUT
    assert "$GITHUB_STEP_SUMMARY" in capsys.readouterr().err
    assert run([*arguments, "--no-github"]) == ExitCode.MISMATCH
    assert "::error" not in capsys.readouterr().out
