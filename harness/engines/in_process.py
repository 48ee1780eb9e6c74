"""Engine `in-process`: the Rust VM inside this very process, through the extension.

A variant that is undefined behaviour runs here as it would anywhere: with no promise. Which
jobs may run here is the caller's to decide.
"""

from __future__ import annotations

import hashlib
import platform
import time
from collections.abc import Iterator, Sequence
from functools import cache
from importlib.metadata import version
from pathlib import Path

from harness.bytecode.program import Program
from harness.bytecode.wire import encode
from harness.engines.engine import Job, Observation, only_here
from harness.outcome import Location, Ran, ToolFailed, TrapKind, Trapped
from harness.result import EngineName, Tool
from harness.toolchain.missing import Missing


class InProcessEngine:
    """Calls the Rust VM as a function."""

    @property
    def name(self) -> EngineName:
        return EngineName.IN_PROCESS

    def missing(self) -> Missing | None:
        """None: the extension is part of the package."""
        return None

    def refuses(self, job: Job) -> str | None:
        """Why this engine cannot do the job; None if it can."""
        if not isinstance(job.program, Program):
            return "only bytecode in the form vm runs in process"
        return "an in-process run has no borrow model" if job.mode else only_here(job)

    def run(self, jobs: Sequence[Job]) -> Iterator[Observation]:
        """Do all jobs; see `harness.engines.engine.Engine`."""
        for job in jobs:
            assert isinstance(job.program, Program)
            started = time.perf_counter()
            outcome = _run(job.variant or "", job.program)
            yield Observation(job=job, outcome=outcome, seconds=time.perf_counter() - started)

    def confirm(self, seen: Observation) -> Observation:
        """See `harness.engines.engine.Engine`; no run of this engine is plainer."""
        return seen


@cache
def extension() -> Tool:
    """The extension that is linked into this process: it runs what was compiled into it."""
    from harness import _native

    assert _native.__file__ is not None, "an extension is a file"
    with Path(_native.__file__).open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return Tool(
        version=f"harness {version('harness')}",
        compiler=f"extension {digest[:10]}",
        target=platform.machine(),
    )


def _run(variant: str, program: Program) -> Ran | Trapped | ToolFailed:
    from harness import _native

    try:
        done = _native.run(variant, encode(program))
    except ValueError as error:
        return ToolFailed(message=str(error))
    if isinstance(done, _native.Ran):
        return Ran(memory=done.memory, steps=done.steps)
    return Trapped(
        kind=TrapKind(done.kind),
        location=Location(instruction=done.instruction, operand=done.operand),
        memory=done.memory,
    )
