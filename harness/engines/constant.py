"""Engine `const`: pointer programs as constants, which the stable compiler evaluates.

It is the interpreter that Miri is built on, without borrow models and exposed provenance: mode
`none-strict` and no other. Nothing is linked or run: each constant ends with an error, and that
of one which comes to its end says its value.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import replace
from pathlib import Path

from harness.diagnostics.failure import read_error
from harness.diagnostics.message import Message, read_json
from harness.engines.confirmation import contradiction
from harness.engines.constant_errors import NOT_EVALUATED, PANICKED, read_evaluation
from harness.engines.engine import Job, Observation, only_here
from harness.engines.places import place_in_program
from harness.engines.result_line import read_pointer_result
from harness.mode import NONE_STRICT
from harness.outcome import Outcome, TimedOut, ToolFailed
from harness.pointer.program import PointerProgram
from harness.pointer.rust_const import Constants, refusal, write_constants
from harness.result import EngineName
from harness.toolchain.command import Command
from harness.toolchain.environment import clean_environment
from harness.toolchain.missing import Missing
from harness.toolchain.process import Completed, Ending, Launcher, Limits
from harness.toolchain.rust import Compiler, find_evaluator
from harness.toolchain.workspace import discard_old, stage

FILE = "constants.rs"

CHUNK = 200
"""Programs to a crate: many more, and rustc takes longer for each of them."""

LIMITS = Limits(seconds=120.0)
"""For a crate, which takes seconds."""


class ConstEngine:
    """Has rustc evaluate constants, several crates of them at once.

    cache: the folder that sources are kept in. workers: compilers at once.
    """

    def __init__(
        self, launcher: Launcher, *, cache: Path, workers: int = 1, limits: Limits = LIMITS
    ) -> None:
        self._launcher = launcher
        self._cache = cache
        self._workers = workers
        self._limits = limits
        self._compiler: Compiler | Missing | None = None

    @property
    def name(self) -> EngineName:
        return EngineName.CONST

    def missing(self) -> Missing | None:
        """What has to be installed before anything can run; None if nothing."""
        compiler = self.compiler()
        return compiler if isinstance(compiler, Missing) else None

    def compiler(self) -> Compiler | Missing:
        """The compiler that evaluates, or what has to be installed."""
        if self._compiler is None:
            self._compiler = find_evaluator(self._launcher)
        return self._compiler

    def refuses(self, job: Job) -> str | None:
        """Why the job cannot be done as a constant; None if it can."""
        if job.mode != NONE_STRICT:
            return "constant evaluation has no borrow model and no exposed provenance"
        if not isinstance(job.program, PointerProgram):
            return "the Rust VM is no `const fn`"
        return only_here(job) or refusal(job.program)

    def run(self, jobs: Sequence[Job]) -> Iterator[Observation]:
        """Do all jobs; see `harness.engines.engine.Engine`. Raises: MissingTool."""
        compiler = self.compiler()
        if isinstance(compiler, Missing):
            raise compiler.error()
        discard_old(self._cache)
        launcher = self._launcher.fork()
        pool = ThreadPoolExecutor(self._workers)
        try:
            chunks = (jobs[first : first + CHUNK] for first in range(0, len(jobs), CHUNK))
            futures = [pool.submit(self._evaluate, launcher, chunk) for chunk in chunks]
            for future in as_completed(futures):
                yield from future.result()
        except BaseException:
            launcher.cancel()
            raise
        finally:
            pool.shutdown(cancel_futures=True)

    def confirm(self, seen: Observation) -> Observation:
        """See `harness.engines.engine.Engine`: evaluates the constant in a crate of its own."""
        (alone,) = self._evaluate(self._launcher, [seen.job])
        return replace(seen, fault=contradiction(seen.outcome, alone.outcome))

    def _evaluate(self, launcher: Launcher, jobs: Sequence[Job]) -> list[Observation]:
        """Evaluate all jobs in one crate, or in several where that tells nothing of some."""
        constants = write_constants([_program(job) for job in jobs])
        command = Command(
            argv=(
                *("rustc", "--edition", "2024", "--crate-type", "lib", "--emit", "metadata"),
                # How long an evaluation may take is said by the limits.
                *("--error-format=json", "--allow", "long_running_const_eval", FILE),
            ),
            cwd=stage({FILE: constants.source.text.encode()}, self._cache / "sources"),
            environment=clean_environment(),
        )
        done = launcher.run(command, limits=self._limits)
        seen = read_outcomes(done, constants, jobs)
        found = [
            Observation(job=jobs[index], outcome=outcome, command=command.shell())
            for index, outcome in seen.items()
        ]
        rest = [job for index, job in enumerate(jobs) if index not in seen]
        if not rest:
            return found
        if found:
            return found + self._evaluate(launcher, rest)
        if len(rest) > 1:
            middle = len(rest) // 2
            return [
                *self._evaluate(launcher, rest[:middle]),
                *self._evaluate(launcher, rest[middle:]),
            ]
        return [Observation(job=rest[0], outcome=_failure(done), command=command.shell())]


def read_outcomes(done: Completed, constants: Constants, jobs: Sequence[Job]) -> dict[int, Outcome]:
    """What the compiler says of each program, by its index; some may be missing.

    Where a program does not compile at all, nothing counts that was said of others.
    """
    outcomes: dict[int, Outcome] = {}
    broken: dict[int, Outcome] = {}
    if done.ending is not Ending.EXITED:
        return {}
    for message in read_json(done.stderr).messages:
        if not message.is_error:
            continue
        line = message.span.line if message.span else 0
        if line in constants.answers:
            index = constants.answers[line]
        elif line in constants.source.lines:
            index = constants.source.lines[line][0]
        else:
            continue
        if message.code != NOT_EVALUATED:
            broken[index] = read_error(message).outcome
        elif line in constants.answers:
            outcomes[index] = _answer(message, _program(jobs[index]))
        else:
            failure = read_evaluation(message)
            outcomes[index] = place_in_program(failure, constants.source, FILE)
    return broken or outcomes


def _answer(message: Message, program: PointerProgram) -> Outcome:
    """What a program that has ended says of itself."""
    said = message.text.removeprefix(PANICKED)
    return read_pointer_result(said, has_memory=program.result is not None)


def _failure(done: Completed) -> Outcome:
    """Why there is no word of a program in a crate of its own."""
    if done.ending is Ending.TIME:
        return TimedOut(message=done.describe_ending())
    return ToolFailed(message=f"rustc: {done.describe_ending()}: {done.errors.strip()[-2000:]}")


def _program(job: Job) -> PointerProgram:
    assert isinstance(job.program, PointerProgram)
    return job.program
