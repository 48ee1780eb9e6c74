"""An engine in the place of one whose variant cannot be had on this machine."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from harness.engines.engine import Job, Observation
from harness.result import EngineName
from harness.toolchain.missing import Missing


@dataclass(frozen=True, slots=True, kw_only=True)
class AbsentEngine:
    """Runs nothing. why: what is missing."""

    name: EngineName
    why: Missing

    def missing(self) -> Missing:
        """What has to be there before anything can run."""
        return self.why

    def refuses(self, job: Job) -> str:
        """Why this engine cannot do the job."""
        return self.why.message

    def run(self, jobs: Sequence[Job]) -> Iterator[Observation]:
        """See `harness.engines.engine.Engine`. Raises: MissingTool."""
        raise self.why.error()

    def confirm(self, seen: Observation) -> Observation:
        """See `harness.engines.engine.Engine`."""
        return seen
