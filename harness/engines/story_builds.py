"""Stories built together: many to one program, and one that does not compile costs no other.

What was built is kept for each story, so that a change to one builds one.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.diagnostics.failure import read_error
from harness.diagnostics.message import Message
from harness.engines.story_linking import read_link_error
from harness.outcome import ToolFailed
from harness.story.block import Story
from harness.story.listing import Listing
from harness.story.native_rust import MODULES, runtime_files, write_main, write_native
from harness.toolchain.cargo import AT_ONCE, BuildFailed, Built, build, package_files
from harness.toolchain.process import Launcher
from harness.toolchain.rust import Compiler
from harness.toolchain.workspace import digest, make_once

PACKAGE = "harness-story"
BINARY = "story"


@dataclass(frozen=True, slots=True, kw_only=True)
class Module:
    """A story as it is written out natively. name: what it goes by in a program of several."""

    story: Story
    name: str
    listing: Listing

    @property
    def file(self) -> str:
        """As rustc's places name it."""
        return f"src/{self.name}.rs"


def write_module(story: Story) -> Module:
    """The story's module, whose name is the same wherever it is built."""
    name = f"story_{digest(write_native(story, '').text())}"
    return Module(story=story, name=name, listing=write_native(story, name))


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """A story that was not built. errors: rustc's about it or about nobody else."""

    errors: tuple[Message, ...]
    message: str
    command: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """What came of building modules together.

    executables, refused: by the modules' names. left: what has to be built again, in groups.
    """

    executables: dict[str, Path]
    refused: dict[str, Refused]
    left: list[list[Module]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Builds:
    """Where stories are built, and with what."""

    launcher: Launcher
    compiler: Compiler
    cache: Path

    def find(self, module: Module) -> Path | None:
        """The program that holds the story, if it was built before."""
        kept = self._folder(module)
        try:
            os.utime(kept)
        except FileNotFoundError:
            return None
        return kept / BINARY

    def build(self, modules: Sequence[Module]) -> Attempt:
        """Build the modules as one program; of those that rustc refuses, say why."""
        files = {
            **package_files(PACKAGE, {BINARY: write_main([each.name for each in modules])}),
            **{each.file: each.listing.text().encode() for each in modules},
            **runtime_files(*MODULES),
        }
        built = build(self.launcher, files, self.compiler, self.cache, profile=AT_ONCE)
        if isinstance(built, Built):
            program = built.executables[BINARY]
            kept = {each.name: self._keep(each, program) for each in modules}
            return Attempt(executables=kept, refused={}, left=[])
        return blame(built, modules)

    def _keep(self, module: Module, program: Path) -> Path:
        folder = make_once(self._folder(module), lambda new: os.link(program, new / BINARY))
        return folder / BINARY

    def _folder(self, module: Module) -> Path:
        runtime = runtime_files(*MODULES)
        parts = (part for name in sorted(runtime) for part in (name, runtime[name]))
        key = digest(self.compiler.version, self.compiler.host, module.name, *parts)
        return self.cache / "stories" / key


def blame(built: BuildFailed, modules: Sequence[Module]) -> Attempt:
    """A build that failed: who is to blame, and what is left to be built without them."""
    errors = built.errors.get(BINARY, ())
    blamed: dict[str, list[Message]] = {}
    for error in errors:
        for each in modules:
            if error.span is not None and error.span.file == each.file:
                blamed.setdefault(each.name, []).append(error)
    if not blamed:
        missing = [each for each in modules if read_link_error(errors, each.story)]
        blamed = {each.name: list(errors) for each in missing}
    if len(modules) == 1:
        blamed = {modules[0].name: list(errors)}
    refused = {
        name: Refused(errors=tuple(found), message=_first(found, built), command=built.command)
        for name, found in blamed.items()
    }
    rest = [each for each in modules if each.name not in refused]
    if refused:
        return Attempt(executables={}, refused=refused, left=[rest] if rest else [])
    # Nobody's line, such as what a linker does not find: in halves it becomes somebody's.
    half = len(rest) // 2
    return Attempt(executables={}, refused={}, left=[rest[:half], rest[half:]])


def _first(errors: Sequence[Message], built: BuildFailed) -> str:
    """What the first of the errors says; what the build says where there is none."""
    said = read_error(errors[0]).outcome if errors else None
    return said.message if isinstance(said, ToolFailed) else built.message
