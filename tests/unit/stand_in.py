"""An engine that stands in for Miri: the abstract machine itself, unaltered."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from harness.campaign.assemble import assemble
from harness.campaign.oracle import Oracle
from harness.campaign.selection import Selection
from harness.engines.engine import Job, Observation
from harness.mode import MODES, Mode
from harness.model.machine import judge
from harness.pointer.program import PointerProgram
from harness.reduce.sides import Sides
from harness.result import EngineName
from harness.toolchain.missing import Missing


@dataclass
class StandIn:
    """dies_after: batches after which it is interrupted, as by Ctrl-C; None for never."""

    batches: int = 0
    dies_after: int | None = None

    @property
    def name(self) -> EngineName:
        return EngineName.MIRI

    def missing(self) -> Missing | None:
        return None

    def refuses(self, job: Job) -> str | None:
        return None

    def run(self, jobs: Sequence[Job]) -> Iterator[Observation]:
        self.batches += 1
        for number, job in enumerate(jobs):
            if self.dies_after is not None and self.batches > self.dies_after and number > 5:
                raise KeyboardInterrupt
            assert isinstance(job.program, PointerProgram)
            assert job.mode is not None
            yield Observation(job=job, outcome=judge(job.program, job.mode))

    def confirm(self, seen: Observation) -> Observation:
        return seen


def selection_of(modes: tuple[Mode, ...] = MODES) -> Selection:
    return Selection(modes=modes, engines=(EngineName.MIRI,), toolchain="none", live=True, jobs=1)


def sides_of(
    engine: StandIn,
    modes: tuple[Mode, ...] = MODES,
    oracle: Callable[[], Oracle] = Oracle,
) -> Sides:
    campaign = assemble((), selection_of(modes)).campaign
    alone = replace(campaign, engines=(engine,), tool=lambda _: None)
    return Sides(campaign=alone, oracle=oracle)
