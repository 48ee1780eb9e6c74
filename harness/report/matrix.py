"""The matrix of variants and columns behind the screen report: counts, without any layout."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from harness.mode import EVERY_MODE
from harness.result import EngineName, Result, Verdict


@dataclass(slots=True, kw_only=True)
class Cell:
    """All runs of one variant in one column.

    classes: number of agreeing runs by outcome class.
    unconfirmed: number of outcomes that nothing was held against, by class.
    disagreeing, open_: mismatches, and runs with verdict `miri-misses` or `spec-open`.
    unchecked: runs that show nothing, or were not done.
    """

    classes: Counter[str] = field(default_factory=Counter)
    unconfirmed: Counter[str] = field(default_factory=Counter)
    disagreeing: int = 0
    open_: int = 0
    unchecked: int = 0

    def add(self, result: Result) -> None:
        """Count one more run."""
        match result.verdict:
            case Verdict.MISMATCH:
                self.disagreeing += 1
            case Verdict.NOT_CHECKED if result.run.mode and result.outcome is not None:
                self.unconfirmed[result.outcome.name] += 1
            case Verdict.NOT_CHECKED:
                self.unchecked += 1
            case Verdict.AGREE:
                if result.outcome is not None:
                    self.classes[result.outcome.name] += 1
            case Verdict.MIRI_MISSES | Verdict.SPEC_OPEN:
                self.open_ += 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Matrix:
    """Rows are variants; pointer cases, which run in none, are a row of their own.

    columns: engines that know no mode first, then modes. The reference VM has no column:
    it runs a bytecode case once, whatever the variant.
    seen_by: per mode column, the engine whose outcomes stand in it: Miri where it ran.
    """

    rows: tuple[str, ...]
    columns: tuple[str, ...]
    seen_by: dict[str, EngineName]
    cells: dict[tuple[str, str], Cell]


def by_target(results: Iterable[Result]) -> dict[str | None, Matrix]:
    """A matrix for each target that programs were to run for; None is the host."""
    found: dict[str | None, list[Result]] = {}
    for result in results:
        found.setdefault(result.run.target, []).append(result)
    matrices = {target: build(of_target) for target, of_target in found.items()}
    return {target: matrix for target, matrix in matrices.items() if matrix.rows}


def build(results: Iterable[Result]) -> Matrix:
    """Count results on one target into a matrix.

    A mode's column shows Miri's runs where Miri ran at all, otherwise the predictions.
    """
    kept = list(results)
    miri_ran = any(r.run.engine is EngineName.MIRI and r.outcome is not None for r in kept)
    judge_of_modes = EngineName.MIRI if miri_ran else EngineName.MODEL
    rows: dict[str, None] = {}
    cells: dict[tuple[str, str], Cell] = {}
    for result in kept:
        if result.run.engine is EngineName.REFERENCE:
            continue
        row = result.run.variant or f"{result.run.kind} cases"
        mode = result.run.mode
        if result.run.engine is EngineName.CONST:
            # The one mode that it has says nothing that its name does not.
            mode = None
        seen_elsewhere = mode is not None and result.run.engine is not judge_of_modes
        if seen_elsewhere and result.verdict is not Verdict.MISMATCH:
            continue
        column = str(result.run.engine) if mode is None else str(mode)
        rows.setdefault(row)
        cell = cells.get((row, column))
        if cell is None:
            cell = cells[row, column] = Cell()
        cell.add(result)
    present = {column for _, column in cells}
    order = [str(engine) for engine in EngineName] + [str(mode) for mode in EVERY_MODE]
    columns = tuple(column for column in order if column in present)
    modes = {str(mode) for mode in EVERY_MODE}
    return Matrix(
        rows=tuple(rows),
        columns=columns,
        seen_by={column: judge_of_modes for column in columns if column in modes},
        cells=cells,
    )
