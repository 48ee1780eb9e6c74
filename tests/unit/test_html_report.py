"""The page of a run: self-contained, with every failure drawn, and deaf to what a text says."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from html.parser import HTMLParser
from pathlib import Path

from msgspec import structs

from harness.campaign.assemble import assemble
from harness.campaign.selection import Selection
from harness.cases.load import load
from harness.errors import InputError, Place
from harness.report.html_report import MOST_DRAWN, encode
from harness.report.report import Report
from harness.result import EngineName, Verdict
from harness.toolchain.missing import Missing

THREAD = Path(__file__).parents[2] / "corpus" / "bytecode" / "thread-program.toml"

WRONG = """\
kind = "pointer"
description = "Both borrow models forbid it, and the case says otherwise."
source = "a test <script>alert(1)</script>"
rule = "x"
program = '''
local memory = [0; 8]
first = memory.as_mut_ptr()
second = memory.as_mut_ptr()
write second[0]: u8 = 1
write first[0]: u8 = 2
read second[0]: u8
'''
[expect]
all = "ran 2"
"""

VOID = {"meta", "br", "input", "path", "rect"}


class Page(HTMLParser):
    """The page as its elements, which have to be nested as they should."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: Counter[str] = Counter()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.buttons: list[dict[str, str | None]] = []
        self.texts: dict[str, list[str]] = {}
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert not self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        for name, value in attrs:
            self.attributes.append((tag, name, value or ""))
            if name == "id":
                self.ids.append(value or "")
            if name == "href":
                self.links.append(value or "")
        if tag == "button":
            self.buttons.append(dict(attrs))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self._open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self._open:
            self.texts.setdefault(self._open[-1], []).append(data)


@cache
def report(folder: Path) -> Report:
    """A run of a case that holds, and of one that does not."""
    wrong = folder / "wrong.toml"
    wrong.write_text(WRONG)
    cases = load((wrong, THREAD)).cases
    selection = Selection(
        engines=(EngineName.MODEL, EngineName.REFERENCE, EngineName.IN_PROCESS),
        variants=("raw", "reborrow"), toolchain="none", jobs=1,
    )  # fmt: skip
    results = list(assemble(cases, selection).campaign.results())
    assert any(result.verdict is Verdict.MISMATCH for result in results)
    return Report(
        results=results, errors=(), missing=(), environment={"miri": None, "python": "3"},
        finished=True, cases=cases,
    )  # fmt: skip


def text_of(whole: Report) -> str:
    return encode(whole).decode()


def data_of(text: str) -> tuple[Sequence[str], Sequence[Sequence[int]]]:
    [found] = re.findall(r'<script type="application/json" id="data">(.*?)</script>', text)
    data = json.loads(found)
    return data["words"], data["rows"]


def test_it_needs_nothing_but_itself(tmp_path: Path) -> None:
    text = text_of(report(tmp_path))
    page = Page(text)
    assert "default-src 'none'" in text
    assert not {"link", "img", "iframe", "object", "base"} & set(page.tags)
    assert not [each for each in page.attributes if each[1] in ("src", "style", "onclick")]
    assert all(link.startswith("#") for link in page.links)
    assert "url(" not in text
    assert "@import" not in text


def test_every_link_leads_somewhere_and_ids_are_unique(tmp_path: Path) -> None:
    page = Page(text_of(report(tmp_path)))
    assert len(page.ids) == len(set(page.ids))
    assert {link.removeprefix("#") for link in page.links} <= set(page.ids)


def test_all_results_are_in_the_data(tmp_path: Path) -> None:
    whole = report(tmp_path)
    words, rows = data_of(text_of(whole))
    assert len(rows) == len(whole.results)
    for row, result in zip(rows, whole.results, strict=True):
        assert words[row[0]] == result.run.case
        assert words[row[3]] == result.run.engine
        assert words[row[6]] == result.verdict
        assert bool(row[9]) == (result.verdict is Verdict.MISMATCH)


def test_a_cell_of_the_matrix_is_a_button_with_a_name(tmp_path: Path) -> None:
    page = Page(text_of(report(tmp_path)))
    cells = [button for button in page.buttons if "data-row" in button]
    assert {button["data-row"] for button in cells} == {"raw", "reborrow", "pointer cases"}
    assert "reborrow, tree-strict: 1UB" in {button["aria-label"] for button in cells}
    assert all(button["type"] == "button" for button in cells)


def test_a_mismatch_is_told_with_its_source_and_drawn_in_both_models(tmp_path: Path) -> None:
    text = text_of(report(tmp_path))
    page = Page(text)
    assert page.tags["svg"] > 0, "trees"
    assert 'class="stack"' in text
    assert "stacked/write-needs-granting-item" in text
    assert "tree/write-needs-permission" in text
    [source] = [each for each in page.texts["pre"] if "rule =" in each]
    assert source.strip() == WRONG.strip()
    assert any("harness run" in each for each in page.texts["code"])
    assert 'id="f1-stacked-strict-5"' in text


def test_nothing_of_a_case_becomes_markup(tmp_path: Path) -> None:
    whole = report(tmp_path)
    bad = "</script><script>alert(1)</script><!--<b>&amp;"
    results = [
        structs.replace(each, reason=bad, run=structs.replace(each.run, case=bad))
        if each.verdict is Verdict.MISMATCH
        else each
        for each in whole.results
    ]
    error = InputError(Place(file=bad), bad, bad)
    text = text_of(
        replace(
            whole, results=results, errors=(error,), notes=(bad,), environment={bad: bad},
            missing=(Missing(message=bad, remedy=bad),),
        )
    )  # fmt: skip
    page = Page(text)
    assert page.tags["script"] == 2
    assert page.tags["b"] == Page(text_of(replace(whole, results=results))).tags["b"]
    assert "alert(1)</script>" not in text.replace("&lt;/script&gt;", "")
    words, _ = data_of(text)
    assert bad in words


def test_what_agrees_says_so_and_draws_nothing(tmp_path: Path) -> None:
    whole = report(tmp_path)
    fine = [each for each in whole.results if each.verdict is not Verdict.MISMATCH]
    text = text_of(replace(whole, results=fine))
    assert "Nothing: every result that was checked agrees." in text
    assert Page(text).tags["details"] == 0


def test_an_interrupted_run_and_an_empty_one_are_pages_too(tmp_path: Path) -> None:
    whole = report(tmp_path)
    assert "The run was interrupted" in text_of(replace(whole, finished=False))
    Page(text_of(replace(whole, results=(), cases=())))


def test_only_so_many_failures_are_drawn(tmp_path: Path) -> None:
    whole = report(tmp_path)
    wrong = next(each for each in whole.results if each.verdict is Verdict.MISMATCH)
    many = [structs.replace(wrong, reason=f"reason {number}") for number in range(MOST_DRAWN + 3)]
    page = Page(text_of(replace(whole, results=many)))
    notes = [each for each in page.texts["p"] if "`harness explain` draws this one" in each]
    assert len(notes) == 3


def test_a_failure_whose_program_is_not_at_hand_says_so(tmp_path: Path) -> None:
    text = text_of(replace(report(tmp_path), cases=()))
    assert "Its program is not at hand." in text
