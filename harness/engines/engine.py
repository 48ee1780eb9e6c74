"""The protocol of engines: jobs go in, what was seen comes out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from harness.bytecode.program import Program
from harness.mode import Mode
from harness.outcome import Outcome
from harness.pointer.program import PointerProgram
from harness.result import EngineName, Form
from harness.story.block import Story
from harness.target import Target
from harness.toolchain.missing import Missing


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One run to be done.

    case: the case's name, for reports; never part of a path or of source.
    program: the bytecode for form `vm`; what it was lowered to for form `unrolled`, or a
    pointer or story case's own.
    variant, form: None for those. mode: None unless the engine is an interpreter.
    seed: decides addresses and other choices of an interpreter; None is its default.
    target: what an interpreter runs it for; None is the host.
    fails: whether it is predicted to stop at an error, whose place an interpreter is asked for;
    it decides how quickly that is found, and nothing else.
    """

    case: str
    program: Program | PointerProgram | Story
    variant: str | None = None
    form: Form | None = None
    mode: Mode | None = None
    seed: int | None = None
    target: Target | None = None
    fails: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """What one run did.

    command: the shell line that repeats the run; empty where there is none.
    seconds: wall-clock time; None where many runs shared one process.
    seed: the one that it was seen under, where an interpreter has such; None is its default.
    by_seed: where several seeds were asked for, what was seen under which, a row for each
    outcome; the first row's is the observation's own. Empty for one seed.
    fault: how the harness contradicted itself about this run, in one sentence; such a run
    says nothing about the program.
    """

    job: Job
    outcome: Outcome
    command: str = ""
    seconds: float | None = None
    seed: int | None = None
    by_seed: tuple[tuple[Outcome, tuple[int, ...]], ...] = ()
    fault: str = ""


def only_here(job: Job) -> str | None:
    """Why an engine that runs programs on the host alone cannot do the job; None if it can."""
    return None if job.target is None else f"this engine runs on the host, not on {job.target}"


def no_story_on(target: Target) -> str:
    """Why no story is told for a target."""
    return f"a story is of blocks of the host's assembly, not of {target}'s"


class Engine(Protocol):
    """One way to run programs."""

    @property
    def name(self) -> EngineName: ...

    def missing(self) -> Missing | None:
        """What has to be installed before anything can run; None if nothing."""

    def refuses(self, job: Job) -> str | None:
        """Why this engine cannot do the job, though it can do others; None if it can."""

    def run(self, jobs: Sequence[Job]) -> Iterator[Observation]:
        """Do all jobs, none of which is refused, and yield each as soon as it is done.

        Jobs may come back in any order; every job comes back exactly once.

        Raises: KeyboardInterrupt or Cancelled, after every child process was ended.
        """

    def confirm(self, seen: Observation) -> Observation:
        """Do again, in the plainest way, what is about to be called a finding.

        Where that contradicts what was seen, the observation comes back with a fault. What was
        seen in the plainest way already comes back as it is.
        """
