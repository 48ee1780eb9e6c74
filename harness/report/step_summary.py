"""The summary of a step on GitHub: Markdown that is added to what the step has written.

Whatever comes from a case is written as character references: Markdown and HTML take those
for text, never for structure.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from harness.errors import InputError, printable
from harness.report.matrix import by_target
from harness.report.wording import cell_parts, failing, legend, recorded, repeat, summary, ways
from harness.result import Evidence, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from harness.report.matrix import Matrix
    from harness.report.report import Report

LIMIT = 1 << 20
"""Bytes that GitHub takes of a step; it shows nothing of a longer summary."""

SHOWN = 20
"""Rows of a table."""

LONGEST = 300
"""Characters of one cell; the memory of a case alone may be two million."""


def append_summary(report: Report, path: Path) -> None:
    """Add the summary to the file at `path`, or as much of it as GitHub takes.

    Raises: InputError.
    """
    try:
        with path.open("ab") as file:
            left = LIMIT - file.tell()
            for section in sections(report):
                data = f"{section}\n".encode()
                left -= len(data)
                if left < 0:
                    break
                file.write(data)
    except OSError as error:
        message = f"$GITHUB_STEP_SUMMARY: {printable(str(path))}: {error.strerror}"
        raise InputError(None, message, "name a file that can be written, or none") from error


def sections(report: Report) -> Iterator[str]:
    """The summary's parts, the most important first; a blank line belongs between them."""
    groups = failing(report.results)
    yield _heading(report, sum(map(len, groups)))
    if report.errors:
        unread = [(str(each.place or ""), each.message) for each in report.errors]
        yield _table(("cannot be read", "why"), unread)
    if groups:
        alike = [(g[0].run.case, ways(g), g[0].reason, repeat(g[0])) for g in groups]
        yield _table(("does not agree", "run", "why", "repeat"), alike)
    for target, matrix in by_target(report.tally).items():
        on = "" if target is None else f"on {_text(target)}\n\n"
        yield f"{on}{_matrix(matrix)}\n{_text(legend(matrix))}\n"
    unchecked: Counter[str] = Counter()
    for kind, count in report.tally.counts.items():
        if kind.verdict is Verdict.NOT_CHECKED:
            unchecked[kind.reason] += count
    if unchecked:
        reasons = [(reason, str(count)) for reason, count in unchecked.most_common()]
        yield _table(("not checked, because", "results"), reasons)
    for said in (*report.notes, recorded(report.tally)):
        if said:
            yield f"{_text(said)}\n"
    versions = [(tool, version) for tool, version in report.environment.items() if version]
    yield _table(("tool", "version"), versions)


def _heading(report: Report, failed: int) -> str:
    evidence: Counter[Evidence | None] = Counter()
    for kind, count in report.tally.counts.items():
        evidence[kind.evidence] += count
    kinds = ", ".join(f"{evidence[kind]} {kind}" for kind in Evidence if evidence[kind])
    title = f"results that do not agree: {failed}" if failed else "no result disagrees"
    title += "" if report.finished else ", but the run was interrupted"
    return f"### harness: {title}\n\n{_text(summary(report.tally))} {_text(kinds)}.\n"


def _matrix(matrix: Matrix) -> str:
    table = _row(("variant", *matrix.columns)) + _row(["---"] + ["--:"] * len(matrix.columns))
    for row in matrix.rows:
        cells = (matrix.cells.get((row, column)) for column in matrix.columns)
        counts = (" ".join(part for part, _ in cell_parts(cell)) if cell else "" for cell in cells)
        table += _row(map(_text, (row, *counts)))
    return table


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    table = _row(heads) + _row(["---"] * len(heads))
    table += "".join(_row(map(_text, row)) for row in rows[:SHOWN])
    more = len(rows) - SHOWN
    return f"{table}\n… and {more} more: the report files have them all\n" if more > 0 else table


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |\n"


def _text(text: str) -> str:
    """`text` as it stands in Markdown, in one line and not too long."""
    shown = printable(text if len(text) <= LONGEST else f"{text[:LONGEST]}…")
    return re.sub(r"[!-/:-@\[-`{-~]", lambda found: f"&#{ord(found[0])};", shown)
