"""Engine `native`: compiled by a real cargo, run as a process of its own.

Form `vm` is one build of the Rust VM; a process for each variant then takes all its cases.
Undefined behaviour may spoil what comes after it in the same process, hence none is shared
by two variants. Form `unrolled` and pointer cases are in `harness.engines.native_crate`,
stories in `harness.engines.story_native`.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from pathlib import Path

from harness.bytecode.program import Program
from harness.engines.batch import run_batch
from harness.engines.engine import Job, Observation, only_here
from harness.engines.native_crate import run_crates
from harness.engines.own_crate import OwnCrate
from harness.engines.result_line import read_vm_result
from harness.engines.seeds import run_seeded
from harness.engines.story_native import StoryRunner, draws_states, refusal
from harness.engines.task_pool import Task, run_tasks
from harness.engines.vm_crate import BINARY, arguments, batch_line, vm_files
from harness.outcome import Outcome, ToolFailed
from harness.pointer.program import PointerProgram
from harness.result import EngineName
from harness.story.block import Story
from harness.toolchain.cargo import BuildFailed, build
from harness.toolchain.command import Command
from harness.toolchain.environment import clean_environment
from harness.toolchain.missing import Missing
from harness.toolchain.process import Launcher, Limits
from harness.toolchain.rust import RustToolchain, find_rust
from harness.toolchain.workspace import discard_old

CASE_LIMITS = Limits(seconds=None, silence=10.0)
"""For a process with many cases: how long any one of them may take."""


_VM_PROFILE = {"lto": "off"}
"""For the Rust VM, which is compiled in parts: to look through all of them for what else could be
inlined takes longer than all else. Each of them is optimised as in any release."""


class NativeEngine:
    """Compiles with cargo and runs natively.

    vm_folder: the crate of the Rust VM. own: a user's, whose variants are to run instead.
    cache: the folder that builds are kept in. level: of optimisation, 0 to 3; None for a plain
    release. workers: builds and stories at once. seeds: for how many draws of states each story
    runs.
    """

    def __init__(
        self,
        launcher: Launcher,
        *,
        vm_folder: Path,
        cache: Path,
        own: OwnCrate | None = None,
        level: int | None = None,
        workers: int = 1,
        seeds: int = 1,
    ) -> None:
        self._launcher = launcher
        self._vm_folder = vm_folder
        self._own = own
        self._cache = cache
        self._profile = {} if level is None else {"opt-level": str(level)}
        self._workers = workers
        self._seeds = seeds
        self._rust: RustToolchain | Missing | None = None

    @property
    def name(self) -> EngineName:
        return EngineName.NATIVE

    def missing(self) -> Missing | None:
        """What has to be installed before anything can run; None if nothing."""
        rust = self.rust()
        return rust if isinstance(rust, Missing) else None

    def refuses(self, job: Job) -> str | None:
        """Why this engine cannot do the job; None if it can."""
        if job.mode:
            return "a native run has no borrow model"
        if (elsewhere := only_here(job)) is not None:
            return elsewhere
        rust = self.rust()
        if isinstance(job.program, Story) and isinstance(rust, RustToolchain):
            return refusal(job.program, rust.compiler.host)
        return None

    def run(self, jobs: Sequence[Job]) -> Iterator[Observation]:
        """Do all jobs; see `harness.engines.engine.Engine`. Raises: MissingTool."""
        rust = self.rust()
        if isinstance(rust, Missing):
            raise rust.error()
        discard_old(self._cache)
        stories = [job for job in jobs if isinstance(job.program, Story)]
        draws = [job for job in stories if self._seeds > 1 and draws_states(job.program)]
        if draws:
            yield from run_seeded(lambda jobs: self._run_stories(jobs, rust), draws, self._seeds)
            stories = [job for job in stories if not draws_states(job.program)]
        launcher = self._launcher.fork()
        known, tasks = self._runner(launcher, rust).plan(stories, self._workers)
        in_vm = [job for job in jobs if isinstance(job.program, Program)]
        generated = [job for job in jobs if isinstance(job.program, PointerProgram)]
        # Each of the builds takes long, and none of them fills several processors.
        if generated:
            tasks.insert(0, _task(self._run_crates(launcher, generated, rust)))
        if in_vm:
            tasks.insert(0, _task(self._run_in_vm(launcher, in_vm, rust)))
        yield from run_tasks(launcher, tasks, self._workers)
        yield from known

    def confirm(self, seen: Observation) -> Observation:
        """See `harness.engines.engine.Engine`; no run of this engine is plainer."""
        return seen

    def rust(self) -> RustToolchain | Missing:
        """The toolchain that compiles, or what of it has to be installed."""
        if self._rust is None:
            self._rust = find_rust(self._launcher)
        return self._rust

    def _run_in_vm(
        self, launcher: Launcher, jobs: Sequence[Job], rust: RustToolchain
    ) -> Iterator[Observation]:
        files = self._own.files if self._own else vm_files(self._vm_folder)
        profile = self._profile if self._own else {**_VM_PROFILE, **self._profile}
        built = build(launcher, files, rust.compiler, self._cache, profile=profile)
        if isinstance(built, BuildFailed):
            for job in jobs:
                yield Observation(
                    job=job, outcome=ToolFailed(message=built.message), command=built.command
                )
            return
        executable = built.executables[BINARY]
        for variant, group in groupby(sorted(jobs, key=_variant), key=_variant):
            yield from self._run_variant(launcher, executable, variant, list(group))

    def _run_crates(
        self, launcher: Launcher, jobs: Sequence[Job], rust: RustToolchain
    ) -> Iterator[Observation]:
        return run_crates(
            launcher,
            jobs,
            rust.compiler,
            self._cache,
            CASE_LIMITS,
            profile=self._profile,
            workers=self._workers,
        )

    def _run_stories(self, jobs: Sequence[Job], rust: RustToolchain) -> Iterator[Observation]:
        return self._runner(self._launcher.fork(), rust).run_all(jobs, self._workers)

    def _runner(self, launcher: Launcher, rust: RustToolchain) -> StoryRunner:
        return StoryRunner(launcher=launcher, compiler=rust.compiler, cache=self._cache)

    def _run_variant(
        self, launcher: Launcher, executable: Path, variant: str, jobs: Sequence[Job]
    ) -> Iterator[Observation]:
        command = Command(argv=(str(executable), "--batch"), environment=clean_environment())
        lines = {number: batch_line(variant, _program(job)) for number, job in enumerate(jobs)}
        for answer in run_batch(launcher, command, lines, CASE_LIMITS):
            job = jobs[answer.number]
            said = answer.said
            outcome: Outcome = read_vm_result(said) if isinstance(said, str) else said
            words = (str(executable), *arguments(variant, _program(job)))
            yield Observation(job=job, outcome=outcome, command=shlex.join(words))


def _task(observations: Iterator[Observation]) -> Task[Observation]:
    """The work that makes the observations, with nothing to follow."""

    def task(tell: Callable[[Observation], None]) -> Sequence[Task[Observation]]:
        for seen in observations:
            tell(seen)
        return ()

    return task


def _variant(job: Job) -> str:
    return job.variant or ""


def _program(job: Job) -> Program:
    assert isinstance(job.program, Program)
    return job.program
