"""Pointer programs, many to one library, and the library interpreted in every mode."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.diagnostics.failure import read_error
from harness.engines.engine import Job, Observation
from harness.engines.miri_command import CompileFailed, Miri
from harness.engines.miri_items import Batch, Item
from harness.engines.miri_records import Ended
from harness.engines.miri_run import Runner, run_flags
from harness.engines.miri_segments import Attributed
from harness.engines.miri_vm_batch import error_of
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
    """Compile all programs in as few libraries as can be.

    A program that does not compile is in none of them: it has to be run on its own, which
    tells what is wrong with it.
    """
    source = write_library(programs)
    folder = stage({LIBRARY_FILE: source.text.encode()}, miri.sources)
    library = miri.compile_library(launcher, folder, LIBRARY)
    if isinstance(library, Path):
        yield Compiled(programs=tuple(programs), source=source, library=library)
        return
    culprits = _culprits(library, source)
    if culprits:
        rest = [each for number, each in enumerate(programs) if number not in culprits]
        if rest:
            yield from compile_programs(launcher, miri, rest)
    elif len(programs) > 1:
        middle = len(programs) // 2
        yield from compile_programs(launcher, miri, programs[:middle])
        yield from compile_programs(launcher, miri, programs[middle:])


def run_programs(
    runner: Runner, compiled: Compiled, jobs: Mapping[int, Job]
) -> Iterator[tuple[int, Observation]]:
    """Run jobs of one mode, by the number of their program in the library.

    A number that does not come back is to be run plainly.
    """
    batch = Batch(
        launcher=runner.launcher,
        miri=runner.miri,
        main="pointer_main.rs",
        externs={LIBRARY: compiled.library},
        flags=(*run_flags(next(iter(jobs.values()))), "-Zmiri-ignore-leaks"),
        limits=runner.limits,
    )
    for seen in batch.interpret({number: Item(choice=number) for number in jobs}):
        observation = _observe(batch, compiled, jobs[seen.item], seen)
        if observation is not None:
            yield seen.item, observation


def _culprits(failed: CompileFailed, source: RustSource) -> set[int]:
    lines = [message.span.line for message in failed.errors if message.span]
    return {source.lines[line][0] for line in lines if line in source.lines}


def _observe(batch: Batch, compiled: Compiled, job: Job, seen: Attributed) -> Observation | None:
    """None if the error is in the lines of another program."""
    outcome: Outcome
    if isinstance(seen.said, Ended):
        has_memory = compiled.programs[seen.item].result is not None
        outcome = seen.said.of_pointer_program(has_memory=has_memory)
    else:
        failure = read_error(error_of(seen.said))
        for frame in failure.frames:
            origin = compiled.source.lines.get(frame.span.line)
            if frame.span.file == LIBRARY_FILE and origin and origin[0] != seen.item:
                return None
        outcome = place_in_program(failure, compiled.source, LIBRARY_FILE)
    command = batch.repeat(seen, Item(choice=seen.item))
    return Observation(job=job, outcome=outcome, command=command, seed=seen.seed)
