"""Generated crates: pointer programs compiled together, and a process for each variant.

What is undefined in one variant may spoil what comes after it in the same process. The binary may
be the same, and holds as many programs as are compiled soonest; one cargo builds all of them. A
program that does not compile is taken out by the line of rustc's error, or by halving where the
line is nobody's, so that it costs the others nothing.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.engines.batch import run_batch
from harness.engines.engine import Job, Observation
from harness.engines.result_line import read_pointer_result
from harness.outcome import Outcome, ToolFailed
from harness.pointer.program import PointerProgram
from harness.pointer.rust import RustSource, write
from harness.toolchain.cargo import AT_ONCE, BuildFailed, build, package_files
from harness.toolchain.command import Command
from harness.toolchain.environment import clean_environment
from harness.toolchain.process import Launcher, Limits
from harness.toolchain.rust import Compiler

PACKAGE = "harness-cases"

LARGEST = 400
"""Programs to a binary, where no variant has more: each binary costs its own start and linking,
and one of many programs takes a compiler as much memory."""


def run_crates(
    launcher: Launcher,
    jobs: Sequence[Job],
    compiler: Compiler,
    cache: Path,
    limits: Limits,
    *,
    profile: Mapping[str, str] | None = None,
    workers: int = 1,
) -> Iterator[Observation]:
    """Build and run all jobs, whose programs are pointer programs.

    limits: of a process with many cases; `silence` is the time that one may take.
    profile: as `harness.toolchain.cargo.build` has it. workers: compilers that have to do.
    """
    groups = _group(jobs, min(LARGEST, -(-len(jobs) // workers)))
    while groups:
        sources = [write([_program(job) for job in group]) for group in groups]
        binaries = {_name(number): source.text for number, source in enumerate(sources)}
        files = package_files(PACKAGE, binaries)
        built = build(launcher, files, compiler, cache, profile={**AT_ONCE, **(profile or {})})
        if not isinstance(built, BuildFailed):
            for number, group in enumerate(groups):
                executable = built.executables[_name(number)]
                yield from _run_group(launcher, executable, group, limits)
            return
        remaining: list[list[Job]] = []
        for number, (group, source) in enumerate(zip(groups, sources, strict=True)):
            split = _without_culprits(built, _name(number), group, source)
            remaining += split.groups
            yield from split.failed
        groups = remaining


def _group(jobs: Sequence[Job], size: int) -> list[list[Job]]:
    """The jobs for each binary: all of a variant, and of further ones up to that size."""
    groups: list[list[Job]] = []
    for numbers in _by_variant(jobs):
        if not groups or len(groups[-1]) + len(numbers) > size:
            groups.append([])
        groups[-1] += [jobs[number] for number in numbers]
    return groups


def _by_variant(jobs: Sequence[Job]) -> list[list[int]]:
    """The numbers of the jobs of each variant, and of those without one."""
    found: dict[str | None, list[int]] = {}
    for number, job in enumerate(jobs):
        found.setdefault(job.variant, []).append(number)
    return list(found.values())


def _name(number: int) -> str:
    return f"cases_{number}"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Split:
    """What is left of a group after a build that failed, and what is given up."""

    groups: list[list[Job]]
    failed: list[Observation]


def _without_culprits(
    built: BuildFailed, name: str, group: list[Job], source: RustSource
) -> _Split:
    if built.errors and name not in built.errors:
        return _Split(groups=[group], failed=[])
    messages = built.errors.get(name, ())
    lines = [message.span.line for message in messages if message.span]
    culprits = {source.lines[line][0] for line in lines if line in source.lines}
    if culprits:
        kept = [job for number, job in enumerate(group) if number not in culprits]
        failed = [_failed(group[number], built) for number in sorted(culprits)]
        return _Split(groups=[kept] if kept else [], failed=failed)
    if lines and len(group) > 1:
        half = len(group) // 2
        return _Split(groups=[group[:half], group[half:]], failed=[])
    # An error without a place, such as a missing linker, is none of the programs'.
    return _Split(groups=[], failed=[_failed(job, built) for job in group])


def _failed(job: Job, built: BuildFailed) -> Observation:
    return Observation(job=job, outcome=ToolFailed(message=built.message), command=built.command)


def _run_group(
    launcher: Launcher, executable: Path, group: Sequence[Job], limits: Limits
) -> Iterator[Observation]:
    command = Command(argv=(str(executable),), environment=clean_environment())
    for numbers in _by_variant(group):
        for answer in run_batch(launcher, command, dict.fromkeys(numbers, ""), limits):
            job = group[answer.number]
            said = answer.said
            outcome: Outcome = (
                read_pointer_result(said, has_memory=_program(job).result is not None)
                if isinstance(said, str)
                else said
            )
            repeat = shlex.join((str(executable), str(answer.number)))
            yield Observation(job=job, outcome=outcome, command=repeat)


def _program(job: Job) -> PointerProgram:
    assert isinstance(job.program, PointerProgram)
    return job.program
