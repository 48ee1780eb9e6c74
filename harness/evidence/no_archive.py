"""No archive: for programs that nobody will ask for again, such as a reducer's candidates."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.evidence.archive import Archive

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from harness.cases.case import Case
    from harness.engines.engine import Job
    from harness.evidence.record import Record
    from harness.mode import Mode
    from harness.outcome import Outcome
    from harness.pointer.program import PointerProgram
    from harness.result import EngineName, Result, Tool
    from harness.target import ByteOrder
    from harness.verdict import Prediction


class NoArchive(Archive):
    """Recalls nothing and keeps nothing."""

    def __init__(self) -> None:
        """Nothing is opened."""

    def recall(self, engine: EngineName, case: Path, job: Job, tool: Tool | None) -> Record | None:
        return None

    def keep(
        self, engine: EngineName, job: Job, outcome: Outcome, tool: Tool, *, counts: bool = True
    ) -> None:
        return None

    def settled(self, scope: str) -> None:
        return None

    def settle(self, scope: str, results: Sequence[Result]) -> None:
        return None

    def settled_run(self, scope: str) -> None:
        return None

    def settle_run(self, scope: str, run: bytes) -> None:
        return None

    def expects(self, scope: str) -> bool:
        return False

    def evidence_of(self, case: Path) -> str:
        return ""

    @property
    def doubts(self) -> int:
        return 0

    def of_case(self, case: Case) -> str:
        return ""

    def is_defined(self, case: Case, variant: str | None, find: Callable[[], bool]) -> bool:
        return find()

    def prediction(
        self,
        program: PointerProgram,
        mode: Mode,
        byte_order: ByteOrder,
        find: Callable[[], Prediction],
    ) -> Prediction:
        return find()

    def notes(self) -> list[str]:
        return []
