"""Checks: a reproducer's file run by the tool that it is for, before anybody gets it."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from harness.diagnostics.failure import read_failure
from harness.diagnostics.human import read_human
from harness.diagnostics.message import Transcript, read_json
from harness.engines.miri_command import MAIN_FILE, Miri
from harness.outcome import Location, Outcome, Ran, TimedOut, ToolFailed
from harness.toolchain.command import Command
from harness.toolchain.environment import clean_environment
from harness.toolchain.miri import mode_flags
from harness.toolchain.process import Completed, Ending, Launcher, Limits
from harness.toolchain.rust import Compiler
from harness.toolchain.workspace import stage

if TYPE_CHECKING:
    from harness.mode import Mode

SEED = 0
"""Of every reproducer's run under Miri."""

LIMITS = Limits(seconds=60.0)

PROJECT_LIMITS = Limits(seconds=300.0)
"""With what cargo compiles first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What became of a file. line: where in it. printed: its output, without the line's end.

    place: the file and the line of a project in which it stopped; empty where nobody says.
    """

    outcome: Outcome
    line: int | None
    printed: str = ""
    place: str = ""


class Tool(Protocol):
    """What a reproducer is run by."""

    def run(self, text: str) -> Seen:
        """Run the file with this text."""

    def run_project(self, files: Mapping[str, bytes]) -> Seen:
        """Run the only binary of the cargo project with these files."""

    def command(self, file: str) -> str:
        """The shell line that does the same with a file of that name."""

    def project_command(self, folder: str) -> str:
        """The shell line that does the same with a cargo project."""

    def versions(self) -> tuple[str, ...]:
        """What it is, a line each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnderMiri:
    """A real Miri in one mode. miri: None where there is none, so that only words come of it.

    leaks: whether memory that is never given back counts; a pointer program's own does not.
    """

    toolchain: str
    mode: Mode
    miri: Miri | None
    launcher: Launcher
    leaks: bool = False

    def run(self, text: str) -> Seen:
        assert self.miri is not None, "somebody asked whether there is one"
        folder = stage({MAIN_FILE: text.encode()}, self.miri.sources)
        command = self.miri.driver_command(folder, self._flags(), (), externs={})
        return _seen(self.launcher.run(command, limits=LIMITS), read_json)

    def run_project(self, files: Mapping[str, bytes]) -> Seen:
        assert self.miri is not None, "somebody asked whether there is one"
        settings = {
            "MIRIFLAGS": " ".join((*self._flags(), "--error-format=json")),
            "MIRI_SYSROOT": str(self.miri.sysroot),
        }
        words = (f"+{self.toolchain}", "miri", "run", "--quiet", "--offline")
        return _run_cargo(self.launcher, files, words, settings, read_json)

    def command(self, file: str) -> str:
        name = self.toolchain
        driver = f'"$(rustc +{name} --print sysroot)/bin/miri"'
        sysroot = f'"$(cargo +{name} miri setup --print-sysroot)"'
        return f"{driver} --sysroot {sysroot} --edition 2024 {' '.join(self._flags())} {file}"

    def project_command(self, folder: str) -> str:
        flags = " ".join(self._flags())
        return f'cd {folder} && MIRIFLAGS="{flags}" cargo +{self.toolchain} miri run'

    def versions(self) -> tuple[str, ...]:
        if self.miri is None:
            return (f"toolchain {self.toolchain}",)
        found, compiler = self.miri.toolchain, self.miri.toolchain.compiler
        return (found.version, compiler.version, f"target {compiler.host}")

    def _flags(self) -> Sequence[str]:
        leaks = () if self.leaks else ("-Zmiri-ignore-leaks",)
        return (*mode_flags(self.mode), f"-Zmiri-seed={SEED}", *leaks)


@dataclass(frozen=True, slots=True, kw_only=True)
class Compiled:
    """The code that rustc makes at an optimisation level."""

    compiler: Compiler
    level: int
    launcher: Launcher

    def run(self, text: str) -> Seen:
        with tempfile.TemporaryDirectory(prefix="harness-repro-") as name:
            folder = Path(name)
            (folder / "main.rs").write_text(text, encoding="utf-8")
            environment = clean_environment()
            argv = ("rustc", *self._flags(), "main.rs", "-o", "main")
            built = self.launcher.run(
                Command(argv=argv, cwd=folder, environment=environment), limits=LIMITS
            )
            if not built.succeeded:
                return Seen(outcome=ToolFailed(message=built.errors.strip()), line=None)
            done = self.launcher.run(
                Command(argv=(str(folder / "main"),), environment=environment), limits=LIMITS
            )
        return replace(_seen(done, read_human), line=None)

    def run_project(self, files: Mapping[str, bytes]) -> Seen:
        words = ("run", "--release", "--quiet", "--offline")
        settings = {"CARGO_PROFILE_RELEASE_OPT_LEVEL": str(self.level)}
        return replace(_run_cargo(self.launcher, files, words, settings, read_human), line=None)

    def command(self, file: str) -> str:
        return f"rustc {' '.join(self._flags())} {file} -o main && ./main"

    def project_command(self, folder: str) -> str:
        return f"cd {folder} && CARGO_PROFILE_RELEASE_OPT_LEVEL={self.level} cargo run --release"

    def versions(self) -> tuple[str, ...]:
        return (self.compiler.version, f"target {self.compiler.host}")

    def _flags(self) -> Sequence[str]:
        return ("--edition=2024", f"-Copt-level={self.level}")


def _run_cargo(
    launcher: Launcher,
    files: Mapping[str, bytes],
    words: Sequence[str],
    settings: Mapping[str, str],
    read: Callable[[bytes], Transcript],
) -> Seen:
    """What cargo with these words says of a project with these files."""
    with tempfile.TemporaryDirectory(prefix="harness-repro-") as name:
        folder = Path(name).resolve()
        for path, data in files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(data)
        command = Command(
            argv=("cargo", *words), cwd=folder, environment=clean_environment(settings)
        )
        seen = _seen(launcher.run(command, limits=PROJECT_LIMITS), read)
        return replace(seen, place=seen.place.removeprefix(f"{folder}/"))


def _seen(done: Completed, read: Callable[[bytes], Transcript]) -> Seen:
    if done.ending is not Ending.EXITED:
        return Seen(outcome=TimedOut(message=done.describe_ending()), line=None)
    failure = read_failure(read(done.stderr), done.exit_code)
    if failure is None:
        return Seen(outcome=Ran(), line=None, printed=done.output.rstrip("\n"))
    here = (frame.span.line for frame in failure.frames if frame.span.file == MAIN_FILE)
    first = next(iter(failure.frames), None)
    return Seen(
        outcome=failure.outcome,
        line=next(here, _line(failure.outcome)),
        place=f"{first.span.file}:{first.span.line}" if first else "",
    )


def _line(outcome: Outcome) -> int | None:
    place: Location | None = getattr(outcome, "location", None)
    return place.span.line if place and place.span else None
