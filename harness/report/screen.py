"""The report for people: one screen, and a row of its own only for what does not agree."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from harness.outcome import TimedOut
from harness.report.matrix import Cell, Matrix, by_target
from harness.report.report import Report
from harness.report.wording import Mark, cell_parts, legend, recorded, repeat, summary, way
from harness.result import Result, Verdict
from harness.verdict import CANNOT_EXPRESS, NATIVE_IS_NO_EVIDENCE, describe

STYLES = {
    Mark.FINE: "green",
    Mark.FOUND: "yellow",
    Mark.WRONG: "bold red",
    Mark.OPEN: "magenta",
    Mark.UNKNOWN: "dim",
}

SHOWN_ROWS = 40
"""Rows shown one by one without `-v`; the JSON report has them all."""


def print_report(console: Console, report: Report, *, verbose: bool) -> None:
    """Print the matrix, the rows that deserve one, and what could not be read or run."""
    matrices = by_target(report.results)
    for target, matrix in matrices.items():
        if target is not None:
            console.print(f"on {target}", style="bold")
        _print_matrix(console, matrix)
    if matrices:
        console.print(legend(list(matrices.values())[-1]), style="dim")
    rows = [result for result in report.results if verbose or _deserves_a_row(result)]
    shown = rows if verbose else rows[:SHOWN_ROWS]
    for result in shown:
        console.print(_row(result), soft_wrap=True)
    if len(rows) > len(shown):
        console.print(
            f"… and {len(rows) - len(shown)} more like these: --json FILE or -v has all",
            style="dim",
        )
    if report.results or not report.errors:
        _print_summary(console, report.results)
    for error in report.errors:
        text = Text("error: ", style="bold red").append(str(error), style="default")
        console.print(text, soft_wrap=True)
    for missing in report.missing:
        text = Text("not checked: ", style="yellow").append(missing.message, style="default")
        console.print(text.append(f"\n  {missing.remedy}", style="default"), soft_wrap=True)
    for note in report.notes:
        text = Text("evidence: ", style="yellow").append(note, style="default")
        console.print(text, soft_wrap=True)
    if said := recorded(report.results):
        # As the engines come in results, Miri's stand last.
        console.print(said, style="dim", soft_wrap=True)


def _deserves_a_row(result: Result) -> bool:
    notable = (Verdict.MISMATCH, Verdict.MIRI_MISSES, Verdict.SPEC_OPEN)
    return result.verdict in notable or isinstance(result.outcome, TimedOut)


def _print_matrix(console: Console, matrix: Matrix) -> None:
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 1, 0, 0))
    table.add_column("variant", no_wrap=True)
    for column in matrix.columns:
        table.add_column(_header(column), justify="right", no_wrap=True)
    for row in matrix.rows:
        table.add_row(row, *(_cell(matrix.cells.get((row, column))) for column in matrix.columns))
    console.print(table)


def _header(column: str) -> str:
    """The column's name in two lines, so narrow that all of them fit in 80 columns."""
    return column.replace("permissive", "permis.")[::-1].replace("-", "\n", 1)[::-1]


def _cell(cell: Cell | None) -> Text:
    parts = [Text(part, STYLES[mark]) for part, mark in cell_parts(cell)] if cell else []
    return Text("\n").join(parts)


def _row(result: Result) -> Text:
    seen = describe(result.outcome) if result.outcome is not None else "nothing ran"
    if advice := getattr(result.outcome, "advice", None):
        seen += f"; could promise {advice}"
    style = {Verdict.AGREE: "green", Verdict.MISMATCH: "bold red"}.get(result.verdict, "dim")
    text = Text(f"{result.verdict} ", style=style)
    text.append(result.run.case, style="bold")
    text.append(f" [{way(result.run)}] ")
    text.append(result.reason or seen)
    if result.recording is not None:
        text.append(f" (recorded {result.recording.seen}, {result.recording.tool})", style="dim")
    if result.verdict is Verdict.MISMATCH:
        text.append(f"\n    repeat: {result.command or repeat(result)}", style="dim")
    return text


def _print_summary(console: Console, results: Sequence[Result]) -> None:
    console.print(summary(results), style="bold")
    no_evidence = sum(result.reason == NATIVE_IS_NO_EVIDENCE for result in results)
    if no_evidence:
        console.print(
            f"{no_evidence} of the unchecked are compiled runs of programs that are undefined "
            "behaviour: no evidence either way.",
            style="dim",
        )
    refused = [
        result.reason
        for result in results
        if result.reason and result.reason.startswith(f"{result.run.variant} {CANNOT_EXPRESS}")
    ]
    if refused:
        console.print(
            f"{len(refused)} of the unchecked are of a variant that cannot run the program, such "
            f"as: {refused[0]}.",
            style="dim",
            soft_wrap=True,
            highlight=False,
        )
