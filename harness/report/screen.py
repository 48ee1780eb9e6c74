"""The report for people: one screen, and a row of its own only for what does not agree."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from harness.errors import InputError
from harness.report.matrix import Cell, Matrix, by_target
from harness.report.report import Report
from harness.report.tally import Tally
from harness.report.wording import Mark, cell_parts, legend, recorded, repeat, summary, way
from harness.result import Result, Verdict
from harness.toolchain.missing import Missing
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
    print_counted(
        console,
        report.tally,
        shown=report.results if verbose else None,
        errors=report.errors,
        missing=report.missing,
        notes=report.notes,
    )


def print_counted(
    console: Console,
    counted: Tally,
    *,
    shown: Sequence[Result] | None = None,
    errors: Sequence[InputError] = (),
    missing: Sequence[Missing] = (),
    notes: Sequence[str] = (),
) -> None:
    """Print a report of which the results are counted already.

    shown: the results with a row of their own; None for the first of those that deserve one.
    """
    matrices = by_target(counted)
    for target, matrix in matrices.items():
        if target is not None:
            console.print(f"on {target}", style="bold")
        _print_matrix(console, matrix)
    if matrices:
        console.print(legend(list(matrices.values())[-1]), style="dim")
    rows = counted.notable[:SHOWN_ROWS] if shown is None else shown
    for result in rows:
        console.print(_row(result), soft_wrap=True)
    if shown is None and len(counted.notable) > len(rows):
        console.print(
            f"… and {len(counted.notable) - len(rows)} more like these: --json FILE or -v has all",
            style="dim",
        )
    if counted.counts or not errors:
        _print_summary(console, counted)
    for error in errors:
        text = Text("error: ", style="bold red").append(str(error), style="default")
        console.print(text, soft_wrap=True)
    for each in missing:
        text = Text("not checked: ", style="yellow").append(each.message, style="default")
        console.print(text.append(f"\n  {each.remedy}", style="default"), soft_wrap=True)
    for note in notes:
        text = Text("evidence: ", style="yellow").append(note, style="default")
        console.print(text, soft_wrap=True)
    if said := recorded(counted):
        # As the engines come in results, Miri's stand last.
        console.print(said, style="dim", soft_wrap=True)


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


def _print_summary(console: Console, counted: Tally) -> None:
    console.print(summary(counted), style="bold")
    no_evidence = sum(
        count for kind, count in counted.counts.items() if kind.reason == NATIVE_IS_NO_EVIDENCE
    )
    if no_evidence:
        console.print(
            f"{no_evidence} of the unchecked are compiled runs of programs that are undefined "
            "behaviour: no evidence either way.",
            style="dim",
        )
    refused = [
        (kind.reason, count)
        for kind, count in counted.counts.items()
        if kind.reason.startswith(f"{kind.variant} {CANNOT_EXPRESS}")
    ]
    if refused:
        console.print(
            f"{sum(count for _, count in refused)} of the unchecked are of a variant that cannot "
            f"run the program, such as: {refused[0][0]}.",
            style="dim",
            soft_wrap=True,
            highlight=False,
        )
