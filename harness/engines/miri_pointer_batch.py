"""Pointer programs, many to one library, and the library interpreted in every mode."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.engines.engine import Job, Observation
from harness.engines.miri_command import CompileFailed, Miri
from harness.engines.miri_items import SINGLE_THREADED, Batch, Item, main_folder
from harness.engines.miri_libraries import compile_together
from harness.engines.miri_records import Ended
from harness.engines.miri_run import Runner, run_flags
from harness.engines.miri_segments import Attributed
from harness.engines.places import place_in_program
from harness.outcome import Outcome
from harness.pointer.program import PointerProgram
from harness.pointer.rust import RustSource, write_library
from harness.toolchain.process import Launcher
from harness.toolchain.workspace import stage

LIBRARY = "harness_cases"
"""As `miri_mains/pointer_main.rs` calls it."""

LIBRARY_FILE = "src/lib.rs"


@dataclass(frozen=True, slots=True, kw_only=True)
class Compiled:
    """Programs compiled together. library: where; source: with the programs behind its lines."""

    programs: tuple[PointerProgram, ...]
    source: RustSource
    library: Path


def compile_programs(
    launcher: Launcher, miri: Miri, programs: Sequence[PointerProgram]
) -> Iterator[Compiled]:
    """Compile all programs in as few libraries as can be: see `compile_together`."""

    def compile_some(programs: Sequence[PointerProgram]) -> Compiled | set[int]:
        source = write_library(programs)
        folder = stage({LIBRARY_FILE: source.text.encode()}, miri.sources)
        library = miri.compile_library(launcher, folder, LIBRARY)
        if isinstance(library, CompileFailed):
            return _culprits(library, source)
        return Compiled(programs=tuple(programs), source=source, library=library)

    return compile_together(programs, compile_some)


def run_programs(
    runner: Runner,
    compiled: Compiled,
    jobs: Mapping[int, Job],
    begun: dict[int, int],
    tell: Callable[[int, Observation], None],
) -> None:
    """Run jobs of one mode, by number, and tell what each came to, as soon as it is certain.

    A number that is not told of is to be run plainly. begun: receives the seed under which each
    began.
    """
    choices = {program: choice for choice, program in enumerate(compiled.programs)}
    items = {number: Item(choice=choices[_program(job)]) for number, job in jobs.items()}
    batch = Batch(
        launcher=runner.launcher,
        miri=runner.miri,
        folder=main_folder(runner.miri, "pointer_main.rs"),
        externs={LIBRARY: compiled.library},
        flags=(*run_flags(next(iter(jobs.values()))), "-Zmiri-ignore-leaks", *SINGLE_THREADED),
        limits=runner.limits,
        begun=begun,
    )
    repeat = batch.repeater()

    def hear(seen: Attributed) -> None:
        job, item = jobs[seen.item], items[seen.item]
        outcome = _outcome(compiled, job, seen, item)
        if outcome is not None:
            command = repeat(seen, item)
            tell(
                seen.item,
                Observation(job=job, outcome=outcome, command=command, seed=seen.seed),
            )

    batch.interpret(items, hear)


def _culprits(failed: CompileFailed, source: RustSource) -> set[int]:
    lines = [message.span.line for message in failed.errors if message.span]
    return {source.lines[line][0] for line in lines if line in source.lines}


def _program(job: Job) -> PointerProgram:
    assert isinstance(job.program, PointerProgram)
    return job.program


def _outcome(compiled: Compiled, job: Job, seen: Attributed, item: Item) -> Outcome | None:
    """None if the error is in the lines of another program."""
    if isinstance(seen.said, Ended):
        has_memory = _program(job).result is not None
        return seen.said.of_pointer_program(has_memory=has_memory)
    failure = seen.said.failure
    for frame in failure.frames:
        origin = compiled.source.lines.get(frame.span.line)
        if frame.span.file == LIBRARY_FILE and origin and origin[0] != item.choice:
            return None
    return place_in_program(failure, compiled.source, LIBRARY_FILE)
