"""Two Miris held against each other: every run by both, and those in which they differ."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from harness.engines.confirmation import contradiction
from harness.engines.engine import Observation
from harness.evidence.archive import Archive
from harness.evidence.store import Store
from harness.outcome import TimedOut, ToolFailed
from harness.resources import rust_vm_dir
from harness.result import EngineName
from harness.toolchain.workspace import digest

if TYPE_CHECKING:
    from pathlib import Path

    from harness.cases.case import Case
    from harness.engines.engine import Engine, Job
    from harness.outcome import Outcome
    from harness.result import Tool
    from harness.toolchain.miri import MiriToolchain
    from harness.toolchain.missing import Missing

CONFIRMING_SEED = 0
"""Under it both say once more, each by itself, what they differ in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Crates:
    """The engines of one Miri as one: for the table's variants, and for those in other crates.

    own: by the variants' names.
    """

    table: Engine
    own: Mapping[str, Engine]

    @property
    def name(self) -> EngineName:
        return self.table.name

    def missing(self) -> Missing | None:
        return self.table.missing()

    def refuses(self, job: Job) -> str | None:
        return self._engine(job).refuses(job)

    def run(self, jobs: Sequence[Job]) -> Iterator[Observation]:
        by_engine: dict[int, list[Job]] = {}
        for job in jobs:
            by_engine.setdefault(id(self._engine(job)), []).append(job)
        for of_engine in by_engine.values():
            yield from self._engine(of_engine[0]).run(of_engine)

    def confirm(self, seen: Observation) -> Observation:
        return self._engine(seen.job).confirm(seen)

    def _engine(self, job: Job) -> Engine:
        return self.own.get(job.variant or "", self.table)


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One of the two. name: of its toolchain. archive: what this very Miri has shown before."""

    name: str
    engine: Engine
    archive: Archive
    tool: Tool

    def outcomes(self, jobs: Sequence[tuple[Case, Job]]) -> Iterator[tuple[Job, Outcome]]:
        """What each job comes to, in any order; what is on record is not run."""
        left = []
        for case, job in jobs:
            record = self.archive.recall(EngineName.MIRI, case.path, job, self.tool)
            if record is None:
                left.append(job)
            else:
                yield job, record.outcome
        for seen in self.engine.run(left):
            # What a batch and a plain run do not agree on is no outcome.
            outcome = ToolFailed(message=seen.fault) if seen.fault else seen.outcome
            self.archive.keep(EngineName.MIRI, seen.job, outcome, self.tool)
            yield seen.job, outcome

    def repeats(self, job: Job, outcome: Outcome) -> bool:
        """Whether a run of its own comes to the same."""
        seen = Observation(job=job, outcome=outcome, seed=CONFIRMING_SEED)
        return not self.engine.confirm(seen).fault


def side_of(
    engine: Engine,
    toolchain: MiriToolchain,
    cache: Path,
    *,
    own: Mapping[str, str],
    live: bool,
) -> Side:
    """The side of a Miri. cache: where its records are. own: the digests of variants in crates
    of their own.

    Miris that somebody builds may call themselves alike, so that the records are by the program
    itself and not by its version, and those beside the cases are of neither.
    """
    state = toolchain.driver.resolve().stat()
    key = digest(str(toolchain.driver.resolve()), str(state.st_mtime_ns), str(state.st_size))
    return Side(
        name=toolchain.name,
        engine=engine,
        archive=Archive(
            Store(cache / "evidence" / f"miri-{key}.log"),
            vm_folder=rust_vm_dir(),
            own=own,
            live=live,
            committed=False,
        ),
        tool=toolchain.tool,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A run that comes to something else. unstable: one of the two does not repeat it by itself."""

    case: Case
    job: Job
    before: Outcome
    after: Outcome
    unstable: bool = False


@dataclass(slots=True, kw_only=True)
class Comparison:
    """What two sides came to.

    changes: in the order of the jobs. compared: how many runs both have done. refused: how many
    one of them cannot do, by its reason. open: how many a limit or a failure of both ended.
    """

    before: Side
    after: Side
    changes: list[Change] = field(default_factory=list)
    compared: int = 0
    open: int = 0
    refused: Counter[str] = field(default_factory=Counter)

    def run(self, jobs: Sequence[tuple[Case, Job]]) -> Iterator[Job]:
        """Run all jobs by both, and yield each whenever one of them has done it.

        What changed is known at the end.
        """
        able = []
        for case, job in jobs:
            reason = self.before.engine.refuses(job) or self.after.engine.refuses(job)
            if reason is None:
                able.append((case, job))
            else:
                self.refused[reason] += 1
        found: list[dict[int, Outcome]] = [{}, {}]
        for outcomes, side in zip(found, (self.before, self.after), strict=True):
            for job, outcome in side.outcomes(able):
                outcomes[id(job)] = outcome
                yield job
        for case, job in able:
            old, new = (outcomes[id(job)] for outcomes in found)
            if isinstance(old, TimedOut | ToolFailed) and isinstance(new, TimedOut | ToolFailed):
                self.open += 1
                continue
            self.compared += 1
            if contradiction(old, new):
                stable = self.before.repeats(job, old) and self.after.repeats(job, new)
                self.changes.append(
                    Change(case=case, job=job, before=old, after=new, unstable=not stable)
                )
