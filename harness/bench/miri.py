"""The ways to run under Miri, side by side: by cargo, by its driver, and in batches."""

from __future__ import annotations

import random
import resource
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from harness.bytecode.program import Program
from harness.campaign.plan import variants_of
from harness.cases.case import BytecodeCase, Case
from harness.cases.pointer_case import PointerCase
from harness.engines.engine import Engine, Job, Observation
from harness.engines.miri import MiriEngine
from harness.engines.miri_batch import MiriBatchEngine, batches_of_each_mode
from harness.engines.miri_command import Way
from harness.errors import HarnessFault
from harness.lowering.variants import VARIANTS
from harness.mode import MODES
from harness.model.machine import examine
from harness.outcome import ToolFailed
from harness.pointer.generator import generate
from harness.pointer.program import PointerProgram
from harness.resources import rust_vm_dir
from harness.result import Form, Verdict
from harness.toolchain.command import Command
from harness.toolchain.process import Completed, Launcher, Limits, Listener
from harness.verdict import Prediction, judge

Thing = TypeVar("Thing")

LONGEST = 10
"""Instructions of the bytecode programs that are measured at most."""

BATCHES = 7
"""Full batches that are measured at most; no multiple of the modes, so that each is of others."""

STATEMENTS = 8
"""About how many a random pointer program has."""

BY_CARGO = "cargo miri run"
BY_DRIVER = "driver, one by one"
IN_BATCHES = "batches"


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """One way to do some runs. All times are seconds of wall-clock time.

    start_up: of a process that has next to nothing to do, times the number of processes,
    shared among the workers. compiling: None where it is done with interpreting.
    """

    way: str
    runs: int
    start_up: float
    compiling: float | None
    interpreting: float

    @property
    def rate(self) -> float:
        """Runs a second once everything is compiled."""
        return self.runs / (self.start_up + self.interpreting)


@dataclass(frozen=True, slots=True, kw_only=True)
class Growth:
    """So many random pointer programs, each run in one mode and held against the model.

    peak, peak_of_child: bytes resident at most so far, in this process and in one of Miri's.
    """

    cases: int
    seconds: float
    peak: int
    peak_of_child: int
    disagreeing: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """What is measured with. cache: a folder with nothing in it. workers: of the batches."""

    toolchain: str
    cache: Path
    workers: int

    def timings(
        self, jobs: Sequence[Job], foresee: Callable[[Job], Job], *, single: int
    ) -> Iterator[Timing]:
        """Each way over the same jobs; one by one, only over so many of them.

        In batches go some of those that `harness run` would make, as they are.
        foresee: puts into a job what is predicted of it, which is not measured.
        """
        batches = list(batches_of_each_mode(jobs))
        jobs = [foresee(job) for batch in spread(batches, BATCHES) for job in batch]
        few = spread(jobs, single)
        for way, name in ((Way.CARGO, BY_CARGO), (Way.DRIVER, BY_DRIVER)):
            engine = self._engine(_Watch(), way, 1)
            # The first run builds what all of them share, and nobody changes it afterwards.
            seen = list(engine.run([_empty(jobs[0]) for _ in range(4)] + few))
            seconds = [each.seconds or 0.0 for each in seen]
            start_up = min(seconds[1:4])
            yield Timing(
                way=name,
                runs=len(few),
                start_up=start_up * len(few),
                compiling=None,
                interpreting=max(0.0, sum(seconds[4:]) - start_up * len(few)),
            )
        watch = _Watch()
        batch = self._batches(watch)
        _seconds(batch, [_empty(jobs[0])])
        start_up = min(_seconds(batch, [_empty(jobs[0])]) for _ in range(3))
        from_nothing = _seconds(batch, jobs)
        watch.started = 0
        compiled = _seconds(batch, jobs)
        started = min(compiled, start_up * watch.started / self.workers)
        yield Timing(
            way=IN_BATCHES,
            runs=len(jobs),
            start_up=started,
            compiling=max(0.0, from_nothing - compiled),
            interpreting=compiled - started,
        )

    def growth(self, sizes: Sequence[int]) -> Iterator[Growth]:
        """The time and the memory that each number of random programs takes, smallest first."""
        engine = self._batches(_Watch())
        _seconds(engine, [Job(case="", program=_EMPTY, mode=MODES[0])])
        for size in sizes:
            source = random.Random(size)
            jobs = [
                Job(
                    case=str(number),
                    program=generate(source, STATEMENTS),
                    mode=MODES[number % len(MODES)],
                )
                for number in range(size)
            ]
            started = time.perf_counter()
            disagreeing = sum(not _agrees(seen) for seen in engine.run(jobs))
            yield Growth(
                cases=size,
                seconds=time.perf_counter() - started,
                peak=_peak(resource.RUSAGE_SELF),
                peak_of_child=_peak(resource.RUSAGE_CHILDREN),
                disagreeing=disagreeing,
            )

    def _engine(self, launcher: Launcher, way: Way, workers: int) -> MiriEngine:
        return MiriEngine(
            launcher,
            toolchain=self.toolchain,
            vm_folder=rust_vm_dir(),
            cache=self.cache,
            workers=workers,
            way=way,
        )

    def _batches(self, launcher: Launcher) -> MiriBatchEngine:
        plain = self._engine(launcher, Way.DRIVER, self.workers)
        return MiriBatchEngine(launcher, plain, workers=self.workers)


def pointer_jobs(cases: Iterable[Case]) -> list[Job]:
    """The pointer cases, each in every mode."""
    return [
        Job(case=case.id, program=case.program, mode=mode)
        for case in cases
        if isinstance(case, PointerCase)
        for mode in MODES
    ]


def vm_jobs(cases: Iterable[Case]) -> list[Job]:
    """The short bytecode cases in the Rust VM, each in every mode and as `harness run` has it."""
    return [
        Job(case=case.id, program=case.program, variant=variant, form=Form.VM, mode=mode)
        for case in cases
        if isinstance(case, BytecodeCase) and len(case.program.instructions) <= LONGEST
        for variant in variants_of(case, tuple(VARIANTS))
        for mode in MODES
    ]


def spread(things: Sequence[Thing], count: int) -> list[Thing]:
    """So many of the things, at even distances."""
    count = min(count, len(things))
    return [things[number * len(things) // count] for number in range(count)]


_EMPTY = PointerProgram(statements=())


def _empty(job: Job) -> Job:
    """A job of the same kind with nothing to do."""
    program = Program(instructions=(), memory=b"") if isinstance(job.program, Program) else _EMPTY
    return replace(job, program=program)


class _Watch(Launcher):
    """A launcher that counts what it starts."""

    def __init__(self) -> None:
        super().__init__()
        self.started = 0

    def fork(self) -> Launcher:
        return self

    def run(
        self,
        command: Command,
        *,
        stdin: bytes = b"",
        limits: Limits | None = None,
        listener: Listener | None = None,
    ) -> Completed:
        self.started += 1
        return super().run(command, stdin=stdin, limits=limits, listener=listener)


def _seconds(engine: Engine, jobs: Sequence[Job]) -> float:
    started = time.perf_counter()
    for seen in engine.run(jobs):
        if isinstance(seen.outcome, ToolFailed):
            raise HarnessFault(f"{seen.job.case}: {seen.outcome.message}")
    return time.perf_counter() - started


def _agrees(seen: Observation) -> bool:
    program, mode = seen.job.program, seen.job.mode
    assert isinstance(program, PointerProgram)
    assert mode is not None
    found = examine(program, mode)
    prediction = Prediction(outcome=found.outcome, hangs_on_addresses=found.hangs_on_addresses)
    judgement = judge(outcome=seen.outcome, expected=None, prediction=prediction, reference=None)
    return judgement.verdict is not Verdict.MISMATCH


def _peak(who: int) -> int:
    """Resident bytes at most so far; Linux counts KiB, macOS bytes."""
    peak = resource.getrusage(who).ru_maxrss
    return peak if sys.platform == "darwin" else peak << 10
