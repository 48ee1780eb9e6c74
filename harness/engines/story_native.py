"""Stories natively: built together, then each a process that runs its blocks on drawn states."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from harness.diagnostics.message import Message
from harness.engines.engine import Job, Observation
from harness.engines.story_builds import Builds, Module, Refused, write_module
from harness.engines.story_linking import read_link_error
from harness.engines.task_pool import Task, run_tasks
from harness.outcome import (
    NOWHERE,
    FaultKind,
    Outcome,
    Ran,
    Span,
    TimedOut,
    ToolFailed,
    UndefinedBehaviour,
    Unsupported,
    UnsupportedKind,
)
from harness.story.block import Story
from harness.story.listing import Listing
from harness.story.rules import breach_by_name, breach_of_compiling
from harness.toolchain.command import Command
from harness.toolchain.environment import clean_environment
from harness.toolchain.process import Completed, Ending, Launcher, Limits
from harness.toolchain.rust import Compiler

LIMITS = Limits(seconds=60.0)
"""For a process; one that hangs in a block says so itself before."""

LARGEST_BUILD = 64
"""Stories to a program: one that is refused has the others compiled once more."""

_Tell = Callable[[Observation], None]

_Task = Task[Observation]


@dataclass(frozen=True, slots=True, kw_only=True)
class StoryRunner:
    """What native runs of stories have in common."""

    launcher: Launcher
    compiler: Compiler
    cache: Path

    def run(self, job: Job) -> Observation:
        """Build the story's program and run it."""
        (seen,) = self.run_all([job], workers=1)
        return seen

    def run_all(self, jobs: Sequence[Job], workers: int) -> Iterator[Observation]:
        """Build the stories together, and run each in a process of its own."""
        known, tasks = self.plan(jobs, workers)
        yield from known
        yield from run_tasks(self.launcher, tasks, workers)

    def plan(
        self, jobs: Sequence[Job], workers: int
    ) -> tuple[list[Observation], list[Task[Observation]]]:
        """What is known of the jobs already, and the work that shows the rest."""
        known: list[Observation] = []
        by_module: dict[str, _Group] = {}
        modules: dict[Story, Module] = {}
        for job in jobs:
            story = job.program
            assert isinstance(story, Story)
            broken = breach_by_name(story)
            if broken is not None and broken.rule == 1:
                known.append(Observation(job=job, outcome=broken))
                continue
            if story not in modules:
                modules[story] = write_module(story)
            module = modules[story]
            by_module.setdefault(module.name, _Group(module=module)).jobs.append(job)
        tasks: list[_Task] = []
        new: list[_Group] = []
        for group in by_module.values():
            program = self._builds.find(group.module)
            if program is None:
                new.append(group)
            else:
                tasks += [self._running(job, group.module, program) for job in group.jobs]
        size = min(LARGEST_BUILD, -(-len(new) // workers) or 1)
        building = [self._building(new[at : at + size]) for at in range(0, len(new), size)]
        return known, [*building, *tasks]

    @property
    def _builds(self) -> Builds:
        return Builds(launcher=self.launcher, compiler=self.compiler, cache=self.cache)

    def _building(self, groups: Sequence[_Group]) -> _Task:
        def task(tell: _Tell) -> Sequence[_Task]:
            of_name = {group.module.name: group for group in groups}
            attempt = self._builds.build([group.module for group in groups])
            for name, refused in attempt.refused.items():
                group = of_name[name]
                outcome = _read_refusal(refused, group.module)
                for job in group.jobs:
                    tell(Observation(job=job, outcome=outcome, command=refused.command))
            following = [
                self._building([of_name[each.name] for each in left]) for left in attempt.left
            ]
            for name, program in attempt.executables.items():
                module = of_name[name].module
                following += [self._running(job, module, program) for job in of_name[name].jobs]
            return following

        return task

    def _running(self, job: Job, module: Module, program: Path) -> _Task:
        def task(tell: _Tell) -> Sequence[_Task]:
            seed = () if job.seed is None else (str(job.seed),)
            argv = (str(program), module.name, *seed)
            command = Command(argv=argv, environment=clean_environment())
            done = self.launcher.run(command, limits=LIMITS)
            tell(
                Observation(
                    job=job,
                    outcome=_read_run(done),
                    command=command.shell(),
                    seconds=done.seconds,
                    seed=job.seed,
                )
            )
            return ()

        return task


@dataclass(frozen=True, slots=True, kw_only=True)
class _Group:
    """All jobs of one story."""

    module: Module
    jobs: list[Job] = field(default_factory=list)


def _read_refusal(refused: Refused, module: Module) -> Outcome:
    said = read_compile_errors(refused.errors, module.listing, module.file)
    missing = read_link_error(refused.errors, module.story)
    return said or missing or ToolFailed(message=refused.message)


def _read_run(done: Completed) -> Outcome:
    lines = done.output.split("\n")
    if done.ending is not Ending.EXITED:
        return TimedOut(message=done.describe_ending())
    if len(lines) < 2:
        return ToolFailed(message=f"{done.describe_ending()}: {done.errors.strip()}")
    return read_answer(lines[-2])


def refusal(story: Story, host: str) -> str | None:
    """Why the blocks cannot run on a machine of this kind; None if they can."""
    if story.unrunnable:
        return f"the blocks do not run natively: {story.unrunnable}"
    if not host.startswith(f"{story.arch}-"):
        return f"the assembly is for {story.arch}, and this is {host}: rules 1 and 2 only"
    if story.arch != "x86_64" or "linux" not in host:
        return f"drawn states are made for x86-64 on Linux, and this is {host}"
    return None


def draws_states(program: object) -> bool:
    """Whether it is a story whose blocks run on drawn states, so that a seed decides something."""
    if not isinstance(program, Story) or program.litmus:
        return False
    return any(block.is_drawable for block in program.blocks)


def read_answer(line: str) -> Outcome:
    """What the process says last."""
    word, _, rest = line.partition(" ")
    kind, _, message = rest.partition(" ")
    if word == "holds":
        return Ran(advice=rest or None)
    if word == "unsupported":
        return Unsupported(kind=UnsupportedKind.INLINE_ASSEMBLY, message=rest)
    if word == "broken" and kind in list(FaultKind):
        return UndefinedBehaviour(rule=3, kind=FaultKind(kind), message=message)
    return ToolFailed(message=f"not an answer: {line[:200]!r}")


def read_compile_errors(
    messages: tuple[Message, ...], listing: Listing, file: str
) -> Outcome | None:
    """What rustc has against the case's own text; None if it is not about that."""
    for message in messages:
        place = listing.place(message.span, file)
        if place is None:
            continue
        line = message.span.line if message.span else 0
        claimed = listing.claims.get((line, message.code or ""))
        breach = claimed or breach_of_compiling(message.code)
        span = place.span
        if breach is not None and span is not None and _is_story(span):
            rule, kind = breach
            said = f"{span.file}: {message.text}"
            return UndefinedBehaviour(rule=rule, kind=kind, message=said, location=place)
        code = f"[{message.code}]" if message.code else ""
        return ToolFailed(message=f"error{code}: {message.text}", location=place)
    return None


def _is_story(span: Span) -> bool:
    return " " not in span.file and span != NOWHERE.span
