"""One job under Miri: started, read, and its fault put in its place in the program."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from harness.bytecode.program import Program
from harness.diagnostics.failure import Failure, read_failure
from harness.diagnostics.message import Transcript, read_json
from harness.engines.confirmation import contradiction_of_marks
from harness.engines.engine import Job, Observation
from harness.engines.marks import at_mark, last_mark
from harness.engines.miri_command import MAIN_FILE, Miri
from harness.engines.places import place_in_program
from harness.engines.result_line import read_pointer_result, read_vm_result
from harness.engines.story_miri import STORY_FLAGS, read_story_run, story_flags
from harness.engines.story_parting import parting_flags, partings, read_parting
from harness.engines.vm_crate import arguments, batch_line, fits_an_argument
from harness.outcome import (
    Outcome,
    Ran,
    TimedOut,
    ToolFailed,
    UndefinedBehaviour,
    Unsupported,
)
from harness.pointer.program import PointerProgram
from harness.pointer.rust import write
from harness.story.block import Story
from harness.story.listing import Listing
from harness.story.miri_rust import modules, write_told
from harness.story.native_rust import runtime_files
from harness.story.rules import breach_by_name
from harness.toolchain.cargo import package_files
from harness.toolchain.command import Command
from harness.toolchain.miri import mode_flags
from harness.toolchain.process import Completed, Ending, Launcher, Limits
from harness.toolchain.workspace import stage

PACKAGE = "harness-case"


@dataclass(frozen=True, slots=True, kw_only=True)
class VmCrate:
    """The Rust VM as Miri runs it.

    folder: its package. externs: its library compiled for Miri; none where cargo does that.
    """

    folder: Path
    externs: Mapping[str, Path]


@dataclass(frozen=True, slots=True, kw_only=True)
class Runner:
    """What runs under Miri have in common. limits: of each."""

    launcher: Launcher
    miri: Miri
    limits: Limits

    def run_in_vm(self, crate: VmCrate, job: Job, program: Program) -> Observation:
        """Run bytecode in the Rust VM.

        A run that fails is repeated with a mark before each step, which say where it was.
        """
        seen = self._start_vm(crate, job, program, marked=False)
        outcome = _vm_outcome(seen)
        observation = Observation(
            job=job,
            outcome=outcome,
            command=seen.done.command.shell(),
            seconds=seen.done.seconds,
            seed=job.seed,
        )
        if not isinstance(outcome, UndefinedBehaviour | Unsupported):
            return observation
        if not fits_an_argument(program):
            return observation
        marked = self._start_vm(crate, job, program, marked=True)
        again = _vm_outcome(marked)
        if fault := contradiction_of_marks(outcome, again):
            return replace(observation, fault=fault)
        return replace(observation, outcome=at_mark(outcome, last_mark(marked.transcript)))

    def run_pointer_program(self, job: Job, program: PointerProgram) -> Observation:
        """Run a pointer program, written out as Rust; memory that it leaks is no fault of it."""
        source = write([program])
        folder = stage(package_files(PACKAGE, {"main": source.text}), self.miri.sources)
        flags = (*run_flags(job), "-Zmiri-ignore-leaks")
        seen = self._start(self.miri.run_command(folder, flags, ("0",)))
        if seen.failure is None:
            has_memory = program.result is not None
            outcome = _ended(seen, lambda line: read_pointer_result(line, has_memory=has_memory))
        else:
            outcome = place_in_program(seen.failure, source, MAIN_FILE)
        return _observation(job, outcome, seen.done)

    def run_story(self, job: Job, story: Story) -> Observation:
        """Run a story in its blocks' place."""
        if (broken := breach_by_name(story)) is not None:
            return Observation(job=job, outcome=broken)
        listing = write_told(story)
        files = {
            **package_files(PACKAGE, {"main": listing.text()}),
            **runtime_files(*modules(story)),
        }
        folder = stage(files, self.miri.sources)
        steps = partings(story)
        if any(block.returns for block in story.blocks):
            observation = self._tell(job, story, folder, listing)
        else:
            observation = self._part(job, folder, listing, steps.pop(0))
        for step in steps:
            if not isinstance(observation.outcome, Ran):
                break
            observation = self._part(job, folder, listing, step)
        return observation

    def _tell(self, job: Job, story: Story, folder: Path, listing: Listing) -> Observation:
        """Run a story's program and its blocks that return."""
        assert job.mode is not None, "Miri judges in a mode"
        flags = (*mode_flags(job.mode), *story_flags(story, job.seed))
        seen = self._start(self.miri.run_command(folder, flags, ()))
        done = seen.done
        if done.ending is Ending.EXITED:
            outcome = read_story_run(
                done.output, seen.transcript, seen.failure, listing, in_seeds=story.litmus
            )
        else:
            outcome = TimedOut(message=done.describe_ending())
        return _observation(job, outcome, done)

    def _part(self, job: Job, folder: Path, listing: Listing, step: tuple[str, str]) -> Observation:
        """Run one phase of a block that does not return. step: the two."""
        assert job.mode is not None, "Miri judges in a mode"
        flags = (*mode_flags(job.mode), *STORY_FLAGS, *parting_flags(job.seed))
        seen = self._start(self.miri.run_command(folder, flags, step))
        done = seen.done
        if done.ending is Ending.EXITED:
            outcome = read_parting(done.output, seen.transcript, seen.failure, listing, step[1])
        else:
            outcome = TimedOut(message=done.describe_ending())
        return _observation(job, outcome, done)

    def _start_vm(self, crate: VmCrate, job: Job, program: Program, *, marked: bool) -> _Seen:
        variant = job.variant or ""
        if fits_an_argument(program):
            words = arguments(variant, program, marked=marked)
            command = self.miri.run_command(
                crate.folder, run_flags(job), words, externs=crate.externs
            )
            return self._start(command)
        # Too long for a command line; and only without isolation is there a standard input.
        flags = (*run_flags(job), "-Zmiri-disable-isolation")
        command = self.miri.run_command(crate.folder, flags, ("--batch",), externs=crate.externs)
        return self._start(command, f"0 {batch_line(variant, program)}\n".encode())

    def _start(self, command: Command, stdin: bytes = b"") -> _Seen:
        done = self.launcher.run(command, stdin=stdin, limits=self.limits)
        transcript = read_json(done.stderr)
        exited = done.ending is Ending.EXITED
        failure = read_failure(transcript, done.exit_code) if exited else None
        return _Seen(done=done, transcript=transcript, failure=failure)


def run_flags(job: Job) -> tuple[str, ...]:
    """Miri's flags for the job's mode and seed."""
    assert job.mode is not None, "Miri judges in a mode"
    seed = () if job.seed is None else (f"-Zmiri-seed={job.seed}",)
    return (*mode_flags(job.mode), *seed)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    """One run: how it ended, what it said, and the failure in that."""

    done: Completed
    transcript: Transcript
    failure: Failure | None


def _observation(job: Job, outcome: Outcome, done: Completed) -> Observation:
    return Observation(
        job=job,
        outcome=outcome,
        command=done.command.shell(),
        seconds=done.seconds,
        seed=job.seed,
    )


def _vm_outcome(seen: _Seen) -> Outcome:
    return seen.failure.outcome if seen.failure else _ended(seen, read_vm_result)


def _ended(seen: _Seen, read: Callable[[str], Outcome]) -> Outcome:
    """The outcome of a run without an error: its result line, or the limit that ended it."""
    done = seen.done
    match done.ending:
        case Ending.EXITED:
            lines = done.output.splitlines()
            return read(lines[-1] if lines else "")
        case Ending.TIME | Ending.SILENCE | Ending.MEMORY:
            return TimedOut(message=done.describe_ending())
        case Ending.OUTPUT:
            return ToolFailed(message=done.describe_ending())
