"""Explanations as a page: well-formed, self-contained, complete, and free of markup of cases."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from functools import cache
from html.parser import HTMLParser
from importlib.resources import files
from pathlib import Path

import pytest

from harness.cases.load import load
from harness.cases.pointer_case import PointerCase
from harness.explain import page as page_module
from harness.explain.explanation import Explanation, explain
from harness.explain.figures import permission_class
from harness.explain.page import write_page
from harness.explain.trace import Trace
from harness.mode import EVERY_MODE, parse_mode
from harness.model import permissions, stack
from harness.model.borrows import StackView, TreeView
from harness.pointer.text import parse

CORPUS = Path(__file__).parents[2] / "corpus"
VOID = {"meta", "path", "rect"}

CASES = (
    "pointer/both/protected-mut-foreign-write",
    "pointer/both/box-lent-then-written",
    "pointer/both/two-phase-write-ends-sibling",
    "pointer/provenance/wildcard-siblings-may-be-nested",
    "pointer/memory/local-of-ended-call",
    "pointer/sound/zero-size-references-may-dangle",
)


@dataclass
class Element:
    tag: str
    attributes: dict[str, str | None]
    children: list[Element] = field(default_factory=list)
    text: str = ""

    def all(self, tag: str, name: str = "") -> list[Element]:
        """The elements below, at any depth, of a tag and, if given, a class."""
        found = []
        for child in self.children:
            if child.tag == tag and (not name or name in child.classes):
                found.append(child)
            found += child.all(tag, name)
        return found

    @property
    def classes(self) -> list[str]:
        return (self.attributes.get("class") or "").split()

    @property
    def whole_text(self) -> str:
        return self.text + "".join(child.whole_text for child in self.children)


class Reader(HTMLParser):
    """Builds a tree, and fails where a tag is not closed or closed twice."""

    def __init__(self) -> None:
        super().__init__()
        self.root = Element("", {})
        self.open = [self.root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, dict(attrs))
        self.open[-1].children.append(element)
        if tag not in VOID:
            self.open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in VOID, f"{tag} may not close itself"
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        assert self.open[-1].tag == tag, f"</{tag}> closes {self.open[-1].tag}"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        self.open[-1].text += data


def read(text: str) -> Element:
    reader = Reader()
    reader.feed(text)
    reader.close()
    assert reader.open == [reader.root]
    return reader.root


@cache
def explained(case: str) -> Explanation:
    (loaded,) = load([CORPUS / f"{case}.toml"]).cases
    return explain(loaded, modes=EVERY_MODE)


@cache
def page_of(case: str) -> Element:
    return read(write_page(explained(case)))


def section(page: Element, trace: Trace) -> Element:
    return next(each for each in page.all("section") if each.attributes["id"] == str(trace.mode))


@pytest.mark.parametrize("case", CASES)
def test_it_needs_nothing_but_itself(case: str) -> None:
    text = write_page(explained(case))
    assert not re.search(r"https?:|//[a-z]|@import|url\(", text)
    page = read(text)
    assert not page.all("script")
    assert not page.all("link")
    for element in page.all("a"):
        assert (element.attributes["href"] or "").startswith("#")


@pytest.mark.parametrize("case", CASES)
def test_every_link_leads_somewhere_and_ids_are_unique(case: str) -> None:
    page = page_of(case)
    everything = [each for tag in ("main", "section", "article", "h2") for each in page.all(tag)]
    ids = [str(each.attributes["id"]) for each in everything if "id" in each.attributes]
    assert len(ids) == len(set(ids))
    for element in page.all("a"):
        assert (element.attributes["href"] or "").removeprefix("#") in ids


@pytest.mark.parametrize("case", CASES)
def test_every_step_is_there_with_its_text(case: str) -> None:
    page = page_of(case)
    for trace in explained(case).traces:
        articles = section(page, trace).all("article")
        assert len(articles) == len(trace.steps)
        for step, article in zip(trace.steps, articles, strict=True):
            heading = article.all("h3")[0]
            assert heading.all("a")[0].text == str(step.number)
            assert step.text.removesuffix("{").strip() in heading.all("code")[0].text
            assert len(article.all("ul")[0].all("li")) == len(step.events) if step.events else True


@pytest.mark.parametrize("case", CASES)
def test_a_drawing_has_one_box_for_each_tag_and_a_stack_one_item(case: str) -> None:
    page = page_of(case)
    drawn = 0
    for trace in explained(case).traces:
        articles = section(page, trace).all("article")
        for step, article in zip(trace.steps, articles, strict=True):
            wanted = []
            for block in step.blocks:
                for state in block.ranges:
                    if state.changed:
                        wanted += [tags(each) for each in (state.before, state.after) if each]
            figures = article.all("figure")
            shown = [
                [
                    int(node.attributes["data-tag"] or 0)
                    for node in (*figure.all("g"), *items(figure))
                ]
                for figure in figures
            ]
            for figure in figures:
                for svg in figure.all("svg"):
                    children = sum(1 for _ in svg.all("path"))
                    roots = len(svg.all("g")) - children
                    assert roots >= 1
            # Ranges that changed alike stand in one figure; the step at fault shows one more.
            assert {tuple(each) for each in wanted} <= {tuple(each) for each in shown}
            assert step.broke_event or len(shown) <= len(wanted)
            drawn += len(shown)
    assert drawn >= 3


def tags(view: object) -> list[int]:
    """The tags of a view, in the order in which the page has them: the top of a stack first."""
    if isinstance(view, StackView):
        return [item.tag for item in reversed(view.items)]
    assert isinstance(view, TreeView)
    return [node.item.tag for node in view.nodes]


def items(figure: Element) -> list[Element]:
    return [item for item in figure.all("li") if "data-tag" in item.attributes]


def test_the_fault_is_marked_where_it_is() -> None:
    case = "pointer/both/protected-mut-foreign-write"
    page = page_of(case)
    traces = {str(trace.mode): trace for trace in explained(case).traces}
    tree = section(page, traces["tree-strict"])
    (article,) = tree.all("article", "fault")
    assert article is tree.all("article")[-1]
    assert len(article.all("div", "at-fault")) == 1
    offending, conflicting = article.all("g", "offending"), article.all("g", "conflicting")
    assert len(offending) == len(conflicting) == 1
    assert "protected" in conflicting[0].classes
    assert [each.text for each in article.all("figcaption")] == ["found by the access"]
    (card,) = tree.all("div", "finding")
    assert "tree/foreign-write-spares-protected" in card.whole_text
    assert [each.text for each in card.all("dt")][:4] == ["broken rule", "the rule", "at", "in"]
    none = section(page, traces["none-strict"])
    assert not none.all("div", "finding")
    assert "no undefined behaviour found by the model" in none.whole_text


def test_before_and_after_stand_beside_each_other() -> None:
    case = "pointer/both/box-lent-then-written"
    trace = explained(case).traces[0]
    article = section(page_of(case), trace).all("article")[4]
    before, after = article.all("figure")
    assert before.all("figcaption")[0].text == "before"
    assert after.all("figcaption")[0].text == "after"
    gone = [int(item.attributes["data-tag"] or 0) for item in before.all("li", "gone")]
    assert gone == [7, 6]
    assert not after.all("li", "gone")


def test_what_the_wildcard_misses_is_told() -> None:
    page = page_of("pointer/provenance/wildcard-siblings-may-be-nested")
    notes = [each.text for each in page.all("p", "exact")]
    assert notes
    assert all(note.startswith("Miri's wildcard lets this pass.") for note in notes)


def test_nothing_of_a_case_becomes_markup() -> None:
    evil = "<script>alert(1)</script> & \"quoted\" 'text' \x1b[1m"
    case = PointerCase(
        id=f"pointer/{evil}",
        path=Path("evil.toml"),
        description=evil,
        source="a test",
        rule="none",
        program=parse("local x = [0; 1]\nm = &mut x\n").program,
    )
    text = write_page(explain(case))
    assert "<script" not in text
    assert "\x1b" not in text
    page = read(text)
    assert "<script>alert(1)</script>" in page.all("h1")[0].text


def test_every_permission_has_a_colour() -> None:
    style = files("harness.explain").joinpath("page.css").read_text(encoding="utf-8")
    names = [str(each) for each in (*stack.Permission, *permissions.Permission)]
    for name in names:
        class_ = permission_class(name)
        exact = f".{class_} " in style
        family = '[class*="p-reserved"]' in style and class_.startswith("p-reserved")
        assert exact or family, name


def test_light_and_dark_have_the_same_colours() -> None:
    style = files("harness.explain").joinpath("page.css").read_text(encoding="utf-8")
    light, dark = style.split("@media (prefers-color-scheme: dark)")[:2]
    defined = set(re.findall(r"(--[a-z-]+):", light))
    assert set(re.findall(r"(--[a-z-]+):", dark.split("}")[0])) == defined
    assert set(re.findall(r"var\((--[a-z-]+)\)", style)) <= defined


def test_a_page_that_would_be_too_large_leaves_out_the_first_drawings(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(page_module, "MOST_BOXES", 5 + 7 + 5)
    case = explained("pointer/both/box-lent-then-written")
    page = read(write_page(replace(case, traces=case.traces[:1])))
    articles = page.all("article")
    assert [bool(each.all("figure")) for each in articles] == [False] * 4 + [True] * 2
    assert "Not drawn" in articles[0].whole_text


def test_all_ranges_are_drawn_on_request() -> None:
    case = explained("pointer/both/box-lent-then-written")
    one = replace(case, traces=case.traces[:1])
    page = read(write_page(one, verbose=True))
    assert all(article.all("figure") for article in page.all("article"))


def test_a_drawing_is_described_for_those_who_do_not_see_it() -> None:
    page = page_of("pointer/both/protected-mut-foreign-write")
    for svg in page.all("svg"):
        assert svg.attributes["role"] == "img"
        assert re.fullmatch(
            r"tree of x, bytes? \S+.*, (before|after|found by the access)",
            svg.attributes["aria-label"] or "",
        )
        assert all(node.all("title") for node in svg.all("g"))
    assert [each.attributes["lang"] for each in page.all("html")] == ["en"]


def test_modes_are_told_in_the_order_asked_for() -> None:
    case = explained("pointer/both/box-lent-then-written").case
    modes = [parse_mode("tree-permissive"), parse_mode("stacked-strict")]
    page = read(write_page(explain(case, modes=modes)))
    ids = [each.attributes["id"] for each in page.all("section")]
    assert ids == ["tree-permissive", "stacked-strict"]
    linked = [each.text for each in page.all("table")[0].all("a")]
    assert linked == ["stacked-strict", "tree-permissive"]
