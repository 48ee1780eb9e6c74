"""Stories natively: each case a process, in which its blocks run on drawn states."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from harness.diagnostics.message import Message
from harness.engines.engine import Job, Observation
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
from harness.story.native_rust import MODULES, runtime_files, write_native
from harness.story.rules import breach_by_name, breach_of_compiling
from harness.toolchain.cargo import BuildFailed, build, package_files
from harness.toolchain.command import Command
from harness.toolchain.environment import clean_environment
from harness.toolchain.process import Ending, Launcher, Limits
from harness.toolchain.rust import Compiler

PACKAGE = "harness-story"
BINARY = "story"
FILE = f"src/{BINARY}.rs"

LIMITS = Limits(seconds=60.0)
"""For a process; one that hangs in a block says so itself before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoryRunner:
    """What native runs of stories have in common."""

    launcher: Launcher
    compiler: Compiler
    cache: Path

    def run(self, job: Job) -> Observation:
        """Build the case's program and run it."""
        story = job.program
        assert isinstance(story, Story)
        broken = breach_by_name(story)
        if broken is not None and broken.rule == 1:
            return Observation(job=job, outcome=broken)
        listing = write_native(story)
        files = {**package_files(PACKAGE, {BINARY: listing.text()}), **runtime_files(*MODULES)}
        built = build(self.launcher, files, self.compiler, self.cache)
        if isinstance(built, BuildFailed):
            errors = built.errors.get(BINARY, ())
            outcome = read_compile_errors(errors, listing, FILE) or read_link_error(errors, story)
            return Observation(
                job=job,
                outcome=outcome or ToolFailed(message=built.message),
                command=built.command,
            )
        seed = () if job.seed is None else (str(job.seed),)
        argv = (str(built.executables[BINARY]), *seed)
        command = Command(argv=argv, environment=clean_environment())
        done = self.launcher.run(command, limits=LIMITS)
        lines = done.output.split("\n")
        if done.ending is not Ending.EXITED:
            outcome = TimedOut(message=done.describe_ending())
        elif len(lines) < 2:
            outcome = ToolFailed(message=f"{done.describe_ending()}: {done.errors.strip()}")
        else:
            outcome = read_answer(lines[-2])
        return Observation(
            job=job,
            outcome=outcome,
            command=command.shell(),
            seconds=done.seconds,
            seed=job.seed,
        )


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


_LINKING = "linking with "
_MISSING = re.compile(
    r"(?:unable to find library -l|cannot find -l|undefined symbol: |undefined reference to [`'])"
    r"([\w-]+)"
)


def read_link_error(messages: tuple[Message, ...], story: Story) -> Outcome | None:
    """What the linker does not find of the story's foreign functions; None if it is not that."""
    sought = {each for block in story.blocks for each in (block.function, block.library)}
    for message in messages:
        if not message.text.startswith(_LINKING):
            continue
        for note in message.notes:
            for found in _MISSING.finditer(note.text):
                if found[1] in sought:
                    said = f"the linker says: {found[0]}"
                    return Unsupported(kind=UnsupportedKind.FOREIGN_FUNCTION, message=said)
    return None


def _is_story(span: Span) -> bool:
    return " " not in span.file and span != NOWHERE.span
