"""Engine `miri`, many jobs to a process: each in an interpreter of its own, compiled once.

Pointer programs are a library that is compiled once for all modes, bytecode is data. The
driver starts an interpreter for every item (`-Zmiri-many-seeds`), each under another seed.
What cannot be attributed for certain is run again in smaller batches, and at last plainly.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain, islice
from typing import TypeVar

from harness.bytecode.program import Program
from harness.engines.confirmation import contradiction
from harness.engines.engine import Job, Observation
from harness.engines.miri import MiriEngine, by_target, run_plainly
from harness.engines.miri_pointer_batch import Compiled, compile_programs, run_programs
from harness.engines.miri_run import Runner, VmCrate
from harness.engines.miri_story_batch import Told, compile_stories, run_stories, tells_in_batch
from harness.engines.miri_vm_batch import run_bytecode
from harness.engines.seeds import gather, run_seeded
from harness.engines.task_pool import Task, run_tasks
from harness.mode import Mode
from harness.outcome import ToolFailed
from harness.pointer.program import PointerProgram
from harness.result import EngineName
from harness.story.block import Story
from harness.target import Target
from harness.toolchain.miri import MiriToolchain
from harness.toolchain.missing import Missing
from harness.toolchain.process import Launcher

Piece = TypeVar("Piece")

LARGEST_BATCH = 500
"""Items to a process: enough that its start is small beside them, and few enough that one bad item
makes few others wait, and that every worker has some."""

PLAIN_SEEDS = 1 << 30
"""From here on count the seeds of runs that no batch began, where a job has several."""


_Tell = Callable[[Observation], None]

_Task = Task[Observation]


class MiriBatchEngine:
    """Runs jobs under Miri in batches.

    plain: does what cannot be done in a batch. workers: processes at once.
    confirm_every: one of so many is also run plainly, under the same seed; None for none.
    Where the two differ, the observation has a fault. seeds: under how many each job is run.
    """

    def __init__(
        self,
        launcher: Launcher,
        plain: MiriEngine,
        *,
        workers: int = 1,
        largest_batch: int = LARGEST_BATCH,
        confirm_every: int | None = None,
        seeds: int = 1,
    ) -> None:
        self._launcher = launcher
        self._plain = plain
        self._workers = workers
        self._largest = largest_batch
        self._confirm_every = confirm_every
        self._seeds = seeds

    @property
    def name(self) -> EngineName:
        return EngineName.MIRI

    @property
    def toolchain(self) -> MiriToolchain:
        """The Miri that runs. Raises: MissingTool."""
        return self._plain.toolchain

    def missing(self) -> Missing | None:
        """What has to be installed before anything can run; None if nothing."""
        return self._plain.missing()

    def refuses(self, job: Job) -> str | None:
        """Why this Miri cannot do the job; None if it can. Raises: MissingTool."""
        return self._plain.refuses(job)

    def run(self, jobs: Sequence[Job]) -> Iterator[Observation]:
        """Do all jobs; see `harness.engines.engine.Engine`. Raises: MissingTool."""
        stories = [job for job in jobs if _is_told_alone(job)]
        if stories:
            others = [job for job in jobs if not _is_told_alone(job)]
            told = (
                self._plain.run(stories)
                if self._seeds == 1
                else run_seeded(self._plain.run, stories, self._seeds)
            )
            return chain(told, self.run(others) if others else ())
        # All runs of a job come into one batch, which gives each another seed.
        repeated = [job for job in jobs for _ in range(self._seeds)]
        runs = (self._run(target, of_target) for target, of_target in by_target(repeated))
        seen = chain.from_iterable(runs)
        return seen if self._seeds == 1 else gather(seen, self._seeds)

    def confirm(self, seen: Observation) -> Observation:
        """Do again by itself, under the same seed, what a batch saw; once for each outcome."""
        if seen.seconds is not None:
            return seen
        target = seen.job.target
        runner, crate = self._plain.runner(self._launcher, target), self._crate(target, [seen.job])
        rows = seen.by_seed or ((seen.outcome, (seen.seed,)),)
        for outcome, seeds in rows:
            again = run_plainly(runner, crate, replace(seen.job, seed=seeds[0]))
            if not again.fault and any(not contradiction(o, again.outcome) for o, _ in rows):
                # Where it came to several, a seed does not say to which in another process.
                continue
            return replace(seen, fault=again.fault or contradiction(outcome, again.outcome))
        return seen

    def _run(self, target: Target | None, jobs: Sequence[Job]) -> Iterator[Observation]:
        launcher = self._launcher.fork()
        work = _Work(
            runner=self._plain.runner(launcher, target),
            crate=self._crate(target, jobs),
            confirm_every=self._confirm_every,
            seeds=self._seeds,
        )
        largest = max(1, self._largest // self._seeds) * self._seeds
        yield from run_tasks(launcher, list(work.plan(jobs, largest)), self._workers)

    def _crate(self, target: Target | None, jobs: Sequence[Job]) -> VmCrate | ToolFailed | None:
        in_vm = any(isinstance(job.program, Program) for job in jobs)
        return self._plain.vm_crate(target) if in_vm else None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Work:
    """One call's work, cut into tasks that a pool does."""

    runner: Runner
    crate: VmCrate | ToolFailed | None
    confirm_every: int | None
    seeds: int

    def plan(self, jobs: Sequence[Job], largest: int) -> Iterator[_Task]:
        """The tasks to begin with: libraries to compile first, as others follow from them."""
        # A batch decides the seeds itself.
        seeded = [job for job in jobs if job.seed is not None]
        free = [job for job in jobs if job.seed is None]
        by_program: dict[PointerProgram, list[Job]] = {}
        for job in free:
            if isinstance(job.program, PointerProgram):
                by_program.setdefault(job.program, []).append(job)
        for chunk in _chunks(list(by_program.values()), max(1, largest // self.seeds)):
            yield self._compiling(chunk)
        by_story: dict[Story, list[Job]] = {}
        for job in free:
            if isinstance(job.program, Story):
                by_story.setdefault(job.program, []).append(job)
        for of_stories in _chunks(list(by_story.values()), max(1, largest // self.seeds)):
            yield self._compiling_stories(of_stories)
        in_vm = [job for job in free if isinstance(job.program, Program)]
        for part in batches_of_each_mode(in_vm, largest):
            yield self._bytecode(part)
        for job in seeded:
            yield self._plainly(job)

    def _plainly(self, job: Job, seed: int | None = None) -> _Task:
        def task(tell: _Tell) -> Sequence[_Task]:
            seeded = job if seed is None else replace(job, seed=seed)
            seen = run_plainly(self.runner, self.crate, seeded)
            tell(replace(seen, job=job))
            return ()

        return task

    def _bytecode(self, jobs: Sequence[Job]) -> _Task:
        def task(tell: _Tell) -> Sequence[_Task]:
            crate = self.crate
            if not isinstance(crate, VmCrate):
                return [self._plainly(job) for job in jobs]
            batch = _Batch(jobs=dict(enumerate(jobs)), every=self.confirm_every, tell=tell)
            run_bytecode(self.runner, crate, batch.jobs, batch.begun, batch.take)
            return self._remaining(batch)

        return task

    def _compiling(self, groups: Sequence[Sequence[Job]]) -> _Task:
        """groups: the jobs of each program."""

        def task(tell: _Tell) -> Sequence[_Task]:
            by_program = {_pointer_program(group[0]): group for group in groups}
            tasks: list[_Task] = []
            for compiled in compile_programs(
                self.runner.launcher, self.runner.miri, list(by_program)
            ):
                compiled_groups = [by_program.pop(program) for program in compiled.programs]
                tasks += [self._programs(compiled, j) for j in _of_each_mode(compiled_groups)]
            for group in by_program.values():
                tasks += [self._plainly(job) for job in group]
            return tasks

        return task

    def _compiling_stories(self, groups: Sequence[Sequence[Job]]) -> _Task:
        """groups: the jobs of each story."""

        def task(tell: _Tell) -> Sequence[_Task]:
            by_story = {_story(group[0]): group for group in groups}
            tasks: list[_Task] = []
            for told in compile_stories(self.runner.launcher, self.runner.miri, list(by_story)):
                told_groups = [by_story.pop(story) for story in told.stories]
                tasks += [self._stories(told, jobs) for jobs in _of_each_mode(told_groups)]
            for group in by_story.values():
                tasks += [self._plainly(job) for job in group]
            return tasks

        return task

    def _stories(self, told: Told, jobs: Sequence[Job]) -> _Task:
        def task(tell: _Tell) -> Sequence[_Task]:
            batch = _Batch(jobs=dict(enumerate(jobs)), every=self.confirm_every, tell=tell)
            run_stories(self.runner, told, batch.jobs, batch.begun, batch.take)
            return self._remaining(batch)

        return task

    def _programs(self, compiled: Compiled, jobs: Sequence[Job]) -> _Task:
        def task(tell: _Tell) -> Sequence[_Task]:
            batch = _Batch(jobs=dict(enumerate(jobs)), every=self.confirm_every, tell=tell)
            run_programs(self.runner, compiled, batch.jobs, batch.begun, batch.take)
            return self._remaining(batch)

        return task

    def _remaining(self, batch: _Batch) -> Sequence[_Task]:
        """A confirmation of what is doubted, and a plain run of each job that was not seen.

        The seed under which a job began is kept only where there are several.
        """
        confirming = [self._confirming(seen) for seen in batch.doubted]
        left = [
            self._plainly(
                job, None if self.seeds == 1 else batch.begun.get(number, PLAIN_SEEDS + number)
            )
            for number, job in batch.jobs.items()
            if number not in batch.seen
        ]
        return [*confirming, *left]

    def _confirming(self, seen: Observation) -> _Task:
        def task(tell: _Tell) -> Sequence[_Task]:
            again = run_plainly(self.runner, self.crate, replace(seen.job, seed=seen.seed))
            fault = contradiction(seen.outcome, again.outcome)
            tell(replace(seen, fault=seen.fault or again.fault or fault))
            return ()

        return task


@dataclass(frozen=True, slots=True, kw_only=True)
class _Batch:
    """Jobs that go through one process, by number, and what has become of them so far.

    every: one of so many is doubted: not told before a plain run has said the same.
    begun: the seeds under which they began.
    """

    jobs: dict[int, Job]
    every: int | None
    tell: _Tell
    begun: dict[int, int] = field(default_factory=dict)
    seen: set[int] = field(default_factory=set)
    doubted: list[Observation] = field(default_factory=list)

    def take(self, number: int, observation: Observation) -> None:
        """Receive what a job has come to."""
        self.seen.add(number)
        if self.every and number % self.every == 0:
            self.doubted.append(observation)
        else:
            self.tell(observation)


def batches_of_each_mode(jobs: Iterable[Job], largest: int = LARGEST_BATCH) -> Iterator[list[Job]]:
    """Jobs as they come into processes: those of a mode, by their variants.

    What a process interprets of a variant for the first time takes it many times as long, so
    that it had better not meet all of them.
    """
    for of_mode in _of_each_mode([jobs]):
        of_mode.sort(key=lambda job: job.variant or "")
        yield from _chunks(of_mode, largest)


def _is_told_alone(job: Job) -> bool:
    return isinstance(job.program, Story) and not tells_in_batch(job.program)


def _of_each_mode(groups: Iterable[Iterable[Job]]) -> Iterator[list[Job]]:
    """The jobs of all groups, those of each mode together."""
    by_mode: dict[Mode | None, list[Job]] = {}
    for group in groups:
        for job in group:
            by_mode.setdefault(job.mode, []).append(job)
    yield from by_mode.values()


def _story(job: Job) -> Story:
    assert isinstance(job.program, Story)
    return job.program


def _pointer_program(job: Job) -> PointerProgram:
    assert isinstance(job.program, PointerProgram)
    return job.program


def _chunks(items: Sequence[Piece], largest: int) -> Iterator[list[Piece]]:
    iterator = iter(items)
    while chunk := list(islice(iterator, largest)):
        yield chunk
