"""A campaign of one case by an engine that only looks like Miri, for the tests of evidence."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from harness.campaign.campaign import Campaign
from harness.campaign.oracle import Oracle
from harness.campaign.selection import Selection
from harness.cases.load import load
from harness.engines.engine import Job, Observation
from harness.evidence.archive import Archive
from harness.evidence.store import Store
from harness.ledger import Ledger
from harness.mode import MODES, Mode
from harness.outcome import Outcome, Ran
from harness.resources import rust_vm_dir
from harness.result import EngineName, Tool
from harness.toolchain.missing import Missing
from harness.toolchain.process import Launcher

TOOL = Tool(version="miri 0.1.0 (one)", compiler="rustc 1.95.0-nightly", target="here")
MISSING = Missing(message="there is no Miri", remedy="install it")

CASE = """
kind = "pointer"
description = "A byte."
source = "this test"
rule = "memory"
program = '''
local x = [{value}]
read x[0]: u8
'''
"""


SEVEN = Ran(checksum=7)
"""What the case comes to."""


@dataclass(slots=True, kw_only=True)
class Fake:
    """An engine that gives every job the same outcome. done: the jobs that it ran.

    contradiction: what it says when it is asked to confirm; confirmed: what it was asked for.
    """

    outcome: Outcome = SEVEN
    absent: Missing | None = None
    fault: str = ""
    contradiction: str = ""
    by_seed: tuple[tuple[Outcome, tuple[int, ...]], ...] = ()
    done: list[Job] = field(default_factory=list)
    confirmed: list[Job] = field(default_factory=list)

    @property
    def name(self) -> EngineName:
        return EngineName.MIRI

    def missing(self) -> Missing | None:
        return self.absent

    def refuses(self, job: Job) -> str | None:
        return None

    def run(self, jobs: Sequence[Job]) -> Iterator[Observation]:
        for job in jobs:
            self.done.append(job)
            yield Observation(job=job, outcome=self.outcome, fault=self.fault, by_seed=self.by_seed)

    def confirm(self, seen: Observation) -> Observation:
        self.confirmed.append(seen.job)
        return replace(seen, fault=self.contradiction)


def campaign(
    engine: Fake,
    paths: Sequence[Path],
    store: Path,
    *,
    tool: Tool = TOOL,
    live: bool = False,
    modes: Sequence[Mode] = MODES,
    variants: tuple[str, ...] = (),
) -> Campaign:
    """A campaign of the cases of `paths`, with the store in a file."""
    loaded = load(paths)
    assert not loaded.errors, loaded.errors
    archive = Archive(Store(store), vm_folder=rust_vm_dir(), live=live)
    return Campaign(
        cases=loaded.cases,
        selection=Selection(
            modes=tuple(modes), engines=(EngineName.MIRI,), toolchain="", live=live, jobs=1
        ),
        variants=variants,
        engines=(engine,),
        oracle=Oracle(archive),
        archive=archive,
        tool=lambda _: tool,
        ledger=Ledger(entries=(), version=lambda _: tool.version),
        launcher=Launcher(),
    )
