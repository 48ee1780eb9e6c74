"""The page of a run in a real browser: with a mismatch in it, filtered and walked by keyboard."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.cli.main import run as run_harness
from tests.slow.browser import PROGRAM, Browser
from tests.unit.test_html_report import THREAD, WRONG

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(PROGRAM is None, reason="there is no chromium on PATH"),
]

ENGINES = ("--engine", "model", "--engine", "reference", "--engine", "in-process")


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("page")
    (folder / "wrong.toml").write_text(WRONG)
    path = folder / "report.html"
    paths = (str(folder / "wrong.toml"), str(THREAD))
    assert run_harness(["run", *paths, *ENGINES, "--html", str(path)]) == 1
    return path


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with Browser(tmp_path_factory.mktemp("profile")) as browser:
        yield browser


@pytest.fixture
def browser(shared: Browser, page: Path) -> Browser:
    shared.complaints.clear()
    shared.requests.clear()
    shared.open(page)
    return shared


def shown(browser: Browser) -> int:
    number = browser.evaluate("document.querySelectorAll('#results tbody tr').length")
    assert isinstance(number, int)
    return number


def test_it_opens_without_a_complaint_and_asks_for_nothing(browser: Browser, page: Path) -> None:
    assert browser.complaints == []
    assert [url for url in browser.requests if url != page.as_uri()] == []
    assert "4 mismatch" in browser.evaluate("document.querySelector('.sentence').textContent")


def test_the_mismatch_is_drawn_to_be_seen(browser: Browser) -> None:
    for what in ("ol.stack", "svg .node", ".finding .sentence", "pre.source"):
        found = f"document.querySelector('#f1 {what}')"
        assert browser.evaluate(f"{found} !== null"), what
    box = browser.evaluate(
        "document.querySelector('#f1 svg .node rect').getBoundingClientRect().width"
    )
    assert box > 20


def test_what_fails_is_listed_first_and_the_rest_on_request(browser: Browser) -> None:
    assert shown(browser) == 4
    browser.evaluate("document.getElementById('f-all').focus()")
    browser.press("Enter")
    everything = browser.evaluate("JSON.parse(document.getElementById('data').textContent).rows")
    assert shown(browser) == min(len(everything), 200) > 4


def test_a_cell_of_the_matrix_chooses_its_results_by_keyboard(browser: Browser) -> None:
    button = "document.querySelector('[data-row=reborrow][data-column=tree-strict]')"
    browser.evaluate(f"{button}.focus()")
    browser.press("Enter")
    assert browser.evaluate("document.getElementById('f-variant').value") == "reborrow"
    assert browser.evaluate("document.getElementById('f-mode').value") == "tree-strict"
    assert browser.evaluate(f"{button}.getAttribute('aria-pressed')") == "true"
    assert shown(browser) == 1
    # The focus is in the filters, where one goes on by typing.
    assert browser.evaluate("document.activeElement.id") == "f-case"
    browser.type("no such case")
    assert shown(browser) == 0
    assert "0 of " in browser.evaluate("document.getElementById('count').textContent")


def test_everything_can_be_reached_by_tab(browser: Browser) -> None:
    wanted = set(
        browser.evaluate(
            "[...document.querySelectorAll('.matrix button, summary, #filters *')]"
            ".filter((each) => each.tabIndex >= 0 && each.checkVisibility())"
            ".map((each) => each.id || each.textContent.trim().slice(0, 30))"
        )
    )
    reached = set()
    first = ""
    for number in range(400):
        browser.press("Tab")
        name = browser.evaluate(
            "document.activeElement.id || document.activeElement.textContent.trim().slice(0, 30)"
        )
        if not number:
            first = name
        reached.add(name)
        if wanted <= reached:
            break
    assert first == "To what does not agree"
    assert wanted <= reached, wanted - reached


def test_a_link_opens_what_its_step_lies_in(browser: Browser) -> None:
    browser.evaluate(
        "document.querySelectorAll('details').forEach((each) => { each.open = false; })"
    )
    browser.evaluate("location.hash = '#f1-tree-strict-5'")
    for _ in range(100):
        if browser.evaluate("document.getElementById('f1-tree-strict-5').checkVisibility()"):
            break
    else:
        pytest.fail("the step is still hidden")


def test_light_and_dark(browser: Browser, tmp_path: Path) -> None:
    colours = {}
    for scheme in ("light", "dark"):
        browser.prefer(scheme)
        colours[scheme] = browser.evaluate("getComputedStyle(document.body).backgroundColor")
        browser.screenshot(tmp_path / f"{scheme}.png")
        assert (tmp_path / f"{scheme}.png").stat().st_size > 20_000
    assert colours == {"light": "rgb(255, 255, 255)", "dark": "rgb(20, 23, 26)"}
