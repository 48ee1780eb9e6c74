"""The matrix of variants and columns behind the screen report: counts, without any layout."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from harness.lowering.variants import VARIANTS
from harness.mode import EVERY_MODE
from harness.result import CaseKind, EngineName, Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.report.tally import Kind, Tally


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

    def add(self, kind: Kind, count: int) -> None:
        """Count so many more runs of a kind."""
        match kind.verdict:
            case Verdict.MISMATCH:
                self.disagreeing += count
            case Verdict.NOT_CHECKED if kind.mode and kind.outcome is not None:
                self.unconfirmed[kind.outcome] += count
            case Verdict.NOT_CHECKED:
                self.unchecked += count
            case Verdict.AGREE:
                if kind.outcome is not None:
                    self.classes[kind.outcome] += count
            case Verdict.MIRI_MISSES | Verdict.SPEC_OPEN:
                self.open_ += count


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


def by_target(counted: Tally) -> dict[str | None, Matrix]:
    """A matrix for each target that programs were to run for; None is the host."""
    found: dict[str | None, dict[Kind, int]] = {}
    for kind, count in counted.counts.items():
        found.setdefault(kind.target, {})[kind] = count
    matrices = {target: _build(of_target) for target, of_target in found.items()}
    return {target: matrix for target, matrix in matrices.items() if matrix.rows}


def _build(counts: Mapping[Kind, int]) -> Matrix:
    """The matrix of one target.

    A mode's column shows Miri's runs where Miri ran at all, otherwise the predictions.
    """
    miri_ran = any(k.engine is EngineName.MIRI and k.outcome is not None for k in counts)
    judge_of_modes = EngineName.MIRI if miri_ran else EngineName.MODEL
    rows: dict[str, None] = {}
    cells: dict[tuple[str, str], Cell] = {}
    for kind, count in counts.items():
        if kind.engine is EngineName.REFERENCE:
            continue
        row = kind.variant or _row_of(kind.case_kind)
        # The one mode that `const` has says nothing that its name does not.
        mode = None if kind.engine is EngineName.CONST else kind.mode
        seen_elsewhere = mode is not None and kind.engine is not judge_of_modes
        if seen_elsewhere and kind.verdict is not Verdict.MISMATCH:
            continue
        column = str(kind.engine) if mode is None else str(mode)
        rows.setdefault(row)
        cells.setdefault((row, column), Cell()).add(kind, count)
    present = {column for _, column in cells}
    order = [str(engine) for engine in EngineName] + [str(mode) for mode in EVERY_MODE]
    columns = tuple(column for column in order if column in present)
    modes = {str(mode) for mode in EVERY_MODE}
    return Matrix(
        rows=tuple(sorted(rows, key=_place_of)),
        columns=columns,
        seen_by={column: judge_of_modes for column in columns if column in modes},
        cells=cells,
    )


def _place_of(row: str) -> int:
    """Where a row stands: variants as in their table, then those of the user's own and cases."""
    return _PLACES.get(row, len(VARIANTS))


def _row_of(kind: CaseKind) -> str:
    """The row of cases that run in no variant."""
    return f"{kind} cases"


_PLACES = {
    **{name: place for place, name in enumerate(VARIANTS)},
    **{_row_of(kind): len(VARIANTS) + 1 + place for place, kind in enumerate(CaseKind)},
}
