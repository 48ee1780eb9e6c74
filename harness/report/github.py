"""What GitHub shows of a step: annotations, by workflow commands, and the step's summary.

A step shows 10 errors and 10 warnings, so that what fails stands together, a case at a time.
Reference: “Workflow commands for GitHub Actions” in GitHub's documentation.
"""

from __future__ import annotations

import os
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import Place, printable
from harness.report.step_summary import append_summary
from harness.report.wording import failing, repeat, ways

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.report.report import Report
    from harness.result import Result

MOST = 10
"""Annotations of one level that a step shows."""

SHOWN_REASONS = 3
"""Reasons for which one case fails that are shown."""

LONGEST_LINE = 500
"""Characters of one line; the memory of a case alone may be two million."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Annotation:
    """A message at a place. level: `error` or `warning`."""

    level: str
    title: str
    lines: Sequence[str]
    place: Place | None = None

    def command(self, workspace: Path) -> str:
        """The workflow command. workspace: the folder that GitHub takes paths from."""
        properties = {"title": _line(self.title)}
        if self.place is not None and (file := _below(workspace, self.place.file)) is not None:
            properties |= {"file": file, "line": str(max(self.place.line, 1))}
        shown = ",".join(f"{name}={_escape_property(said)}" for name, said in properties.items())
        message = "\n".join(map(_line, self.lines))
        return f"::{self.level} {shown}::{_escape(message)}"


def tell_github(report: Report) -> None:
    """Print the annotations, and add to the step's summary where the environment names one.

    Raises: InputError, if the summary cannot be written.
    """
    workspace = Path(os.environ.get("GITHUB_WORKSPACE", ""))
    for annotation in annotate(report):
        print(annotation.command(workspace))
    if path := os.environ.get("GITHUB_STEP_SUMMARY"):
        append_summary(report, Path(path))


def annotate(report: Report) -> Iterator[Annotation]:
    """What people have to know of a run, as few annotations as say it."""
    errors = [*_unreadable(report), *_disagreeing(report.results)]
    warnings = list(_warnings(report))
    for found in (errors, warnings):
        if len(found) > MOST:
            left = len(found) - MOST + 1
            said = ["the step's summary and the report files have more"]
            title = f"{left} more like these"
            found[MOST - 1 :] = [Annotation(level=found[0].level, title=title, lines=said)]
        yield from found


def _unreadable(report: Report) -> Iterator[Annotation]:
    for error in report.errors:
        yield Annotation(
            level="error",
            title="harness: a case that cannot be read",
            lines=[error.message, *error.remedy.splitlines()],
            place=error.place,
        )


def _disagreeing(results: Sequence[Result]) -> Iterator[Annotation]:
    """An annotation for each case that has mismatches or faults."""
    by_case: defaultdict[str, list[list[Result]]] = defaultdict(list)
    for alike in failing(results):
        by_case[alike[0].run.case].append(alike)
    for case, groups in by_case.items():
        lines = [f"{ways(alike)}: {alike[0].reason}" for alike in groups[:SHOWN_REASONS]]
        if len(groups) > SHOWN_REASONS:
            lines.append(f"… and {len(groups) - SHOWN_REASONS} more reasons")
        first = groups[0][0]
        yield Annotation(
            level="error",
            title=f"harness: {case} does not agree",
            lines=[*lines, f"repeat: {repeat(first)}"],
            place=first.place,
        )


def _warnings(report: Report) -> Iterator[Annotation]:
    if not report.finished:
        said = ["what it had is reported, the rest is missing"]
        yield Annotation(level="warning", title="harness: interrupted", lines=said)
    for missing in report.missing:
        yield Annotation(
            level="warning", title="harness: not checked", lines=[missing.message, missing.remedy]
        )
    for note in report.notes:
        yield Annotation(level="warning", title="harness: evidence", lines=[note])


def _below(workspace: Path, file: str) -> str | None:
    """`file`, as a path below the workspace; None if it lies elsewhere."""
    path = os.path.relpath(file, workspace)
    return None if path.startswith(os.pardir) else path.replace(os.sep, "/")


def _line(text: str) -> str:
    return printable(text if len(text) <= LONGEST_LINE else f"{text[:LONGEST_LINE]}…")


def _escape(text: str) -> str:
    """`text` as a command's message."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _escape_property(text: str) -> str:
    """`text` as the value of a command's property."""
    return _escape(text).replace(":", "%3A").replace(",", "%2C")
