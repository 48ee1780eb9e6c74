"""The report as one page for a browser that needs nothing else: no network, no other file.

The matrix, what fails and the drawings are there without any script; the script filters the list
of all results, which the page has as data.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import msgspec
from jinja2 import PackageLoader
from markupsafe import Markup

from harness.cases.case import FILE_LIMIT
from harness.errors import HarnessFault, InputError, printable
from harness.explain.explanation import explain
from harness.explain.page import MOST_BOXES, build_sections, environment, style
from harness.report.matrix import Matrix, by_target
from harness.report.wording import (
    cell_parts,
    details,
    failing,
    legend,
    recorded,
    summary,
    ways,
)
from harness.verdict import describe

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.cases.case import Case
    from harness.explain.cards import Section
    from harness.mode import Aliasing, Mode
    from harness.report.report import Report
    from harness.result import Result

MOST_DRAWN = 30
"""Failures whose stacks or trees are drawn; more would hide the others."""

LONGEST_TEXT = 20_000
"""Characters of one text; the memory of a case alone may be two million."""

DRAWN_STEPS = 60
"""Steps of a drawn run, counted from the last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CellPart:
    """A number in a cell of the matrix; classes say what it means."""

    words: str
    classes: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MatrixCell:
    """label: the cell for those who do not see the table."""

    column: str
    parts: tuple[CellPart, ...]
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MatrixRow:
    name: str
    cells: tuple[MatrixCell, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MatrixTable:
    """A matrix as a table. target: None is the host."""

    target: str | None
    legend: str
    columns: tuple[str, ...]
    rows: tuple[MatrixRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Results of one case that fail for one reason. source: the case's file as it is now.

    sections: the run step by step on the abstract machine, where it has a mode.
    note: why nothing is drawn.
    """

    id: str
    case: str
    ways: str
    reason: str
    facts: tuple[tuple[str, str], ...]
    source: str
    sections: tuple[Section, ...]
    note: str


def encode(report: Report) -> bytes:
    """The report as an HTML page in UTF-8."""
    groups = failing(report.results)
    cases = {case.id: case for case in report.cases}
    failures = tuple(
        _failure(f"f{number}", group, cases.get(group[0].run.case), draw=number <= MOST_DRAWN)
        for number, group in enumerate(groups, 1)
    )
    own = files("harness.report")
    template = environment(PackageLoader("harness.report", ".")).get_template("report.html.jinja")
    text = template.render(
        style=Markup(style() + own.joinpath("report.css").read_text(encoding="utf-8")),
        script=Markup(own.joinpath("report.js").read_text(encoding="utf-8")),
        data=Markup(_data(report.results, groups)),
        summary=summary(report.tally),
        finished=report.finished,
        recorded=recorded(report.tally),
        tables=tuple(_table(*each) for each in by_target(report.tally).items()),
        failures=failures,
        errors=tuple(map(str, report.errors)),
        missing=tuple((each.message, each.remedy) for each in report.missing),
        notes=tuple(report.notes),
        environment=report.environment,
    )
    return text.encode("utf-8", "backslashreplace")


def _table(target: str | None, matrix: Matrix) -> MatrixTable:
    columns = matrix.columns
    return MatrixTable(
        target=target,
        legend=legend(matrix),
        columns=columns,
        rows=tuple(
            MatrixRow(
                name=row,
                cells=tuple(_cell(row, each, matrix.cells.get((row, each))) for each in columns),
            )
            for row in matrix.rows
        ),
    )


def _cell(row: str, column: str, cell: Any) -> MatrixCell:
    parts = tuple(
        CellPart(words=words, classes=f"m-{mark.name.lower()}")
        for words, mark in (cell_parts(cell) if cell is not None else ())
    )
    said = ", ".join(part.words for part in parts) or "nothing"
    return MatrixCell(column=column, parts=parts, label=f"{row}, {column}: {said}")


def _failure(id_: str, group: list[Result], case: Case | None, *, draw: bool) -> Failure:
    told = [each for each in group if each.run.mode is not None] or group
    result = told[0]
    sections: tuple[Section, ...] = ()
    note = ""
    if case is None:
        note = "Its program is not at hand."
    elif not draw:
        note = f"Only the first {MOST_DRAWN} failures are drawn; `harness explain` draws this one."
    elif result.run.mode is None:
        note = f"The engine {result.run.engine} knows no mode, so that there is none to draw it in."
    elif result.run.target is not None:
        note = f"Runs are drawn as the host has them, and this one is on {result.run.target}."
    else:
        sections, note = _drawn(id_, told, case)
    return Failure(
        id=id_,
        case=result.run.case,
        ways=ways(group),
        reason=printable(result.reason),
        facts=tuple((word, said[:LONGEST_TEXT]) for word, said in details(result)),
        source=_source(case),
        sections=sections,
        note=note,
    )


def _drawn(id_: str, told: list[Result], case: Case) -> tuple[tuple[Section, ...], str]:
    """The failing run in one mode of each borrow model that it fails in."""
    variant = told[0].run.variant
    modes: dict[Aliasing, Mode] = {}
    for each in told:
        if each.run.mode is not None and each.run.variant == variant:
            modes.setdefault(each.run.mode.aliasing, each.run.mode)
    try:
        explanation = explain(
            case, variant=variant, modes=tuple(modes.values()), most_steps=DRAWN_STEPS
        )
    except (InputError, HarnessFault, KeyError) as error:
        # A variant that the model has no lowering of; the rest of the report is as good.
        return (), f"It cannot be drawn: {printable(str(error))}"
    budget = MOST_BOXES // MOST_DRAWN
    return build_sections(explanation, verbose=False, budget=budget, prefix=f"{id_}-"), ""


def _source(case: Case | None) -> str:
    """The case's file; nothing for one of a set, whose file has thousands of others."""
    path = getattr(case, "path", None)
    if path is None or path.suffix != ".toml":
        return ""
    try:
        if path.stat().st_size > FILE_LIMIT:
            return ""
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    return "\n".join(printable(line) for line in text[:LONGEST_TEXT].splitlines())


def _data(results: Sequence[Result], groups: list[list[Result]]) -> str:
    """All results as JSON: words once each, a result as numbers of them."""
    words: dict[str, int] = {}
    at = {id(each): number for number, group in enumerate(groups, 1) for each in group}

    def number(text: object) -> int:
        return words.setdefault(printable("" if text is None else str(text))[:300], len(words))

    rows = [
        [
            *map(number, (result.run.case, result.run.variant, result.run.form)),
            *map(number, (result.run.engine, result.run.mode, result.run.target, result.verdict)),
            number(describe(result.outcome) if result.outcome is not None else ""),
            number(result.reason),
            at.get(id(result), 0),
        ]
        for result in results
    ]
    text = msgspec.json.encode({"words": list(words), "rows": rows}).decode()
    # Within a script element only this could end it, or begin another.
    return text.replace("<", "\\u003c")
