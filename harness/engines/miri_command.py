"""How Miri is called: by its driver, which is quick, or by cargo, as people call it."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import count
from pathlib import Path

from harness.diagnostics.failure import read_failure
from harness.diagnostics.message import Message, read_json
from harness.outcome import ToolFailed
from harness.toolchain.command import Command
from harness.toolchain.environment import clean_environment
from harness.toolchain.miri import MiriToolchain, target_flags
from harness.toolchain.process import Completed, Ending, Launcher, Limits
from harness.toolchain.workspace import digest, make_once

MAIN_FILE = "src/main.rs"
"""The program's file as Miri's spans name it, whichever way it is called."""

COMPILE_LIMITS = Limits(seconds=300.0)

_EDITION = ("--edition", "2024")
_JSON = "--error-format=json"


class Way(StrEnum):
    """DRIVER: `miri`, one process a run. CARGO: `cargo miri run`."""

    DRIVER = "driver"
    CARGO = "cargo"


@dataclass(frozen=True, slots=True, kw_only=True)
class Miri:
    """A toolchain with Miri whose sysroot is there. target: None is the host."""

    toolchain: MiriToolchain
    sysroot: Path
    cache: Path
    way: Way = Way.DRIVER
    target: str | None = None
    _targets: _Targets = field(default_factory=lambda: _Targets())

    @property
    def sources(self) -> Path:
        """The folder that packages are staged in."""
        return self.cache / "sources"

    @property
    def driver(self) -> tuple[str, ...]:
        """The driver's command, with what it needs to find a standard library."""
        driver = str(self.toolchain.driver)
        return (driver, "--sysroot", str(self.sysroot), *target_flags(self.target))

    @property
    def identity(self) -> str:
        """The digest of what decides how a library is compiled, beside its sources."""
        driver = self.toolchain.driver
        return digest(
            self.toolchain.version, self.toolchain.compiler.version,
            str(driver), str(driver.stat().st_mtime_ns), str(self.sysroot), str(self.target),
        )  # fmt: skip

    def run_command(
        self,
        package: Path,
        flags: Sequence[str],
        arguments: Sequence[str],
        *,
        externs: Mapping[str, Path] | None = None,
    ) -> Command:
        """The command that interprets the package's only binary, in the way that was chosen.

        package: a folder with `Cargo.toml` and `src/main.rs`.
        externs: by their names, the libraries that the driver has to be told of; cargo finds
        the package's own by itself.
        """
        if self.way is Way.CARGO:
            return self._cargo_command(package, flags, arguments)
        return self.driver_command(package, flags, arguments, externs=externs or {})

    def driver_command(
        self,
        package: Path,
        flags: Sequence[str],
        arguments: Sequence[str],
        *,
        externs: Mapping[str, Path],
    ) -> Command:
        """The command that has the driver interpret `src/main.rs` of the package."""
        named = [word for name, path in externs.items() for word in ("--extern", f"{name}={path}")]
        # What they depend on lies beside them.
        folders = dict.fromkeys(path.parent for path in externs.values())
        named += [word for folder in folders for word in ("-L", f"dependency={folder}")]
        # Miri tells the places in these crates, as cargo-miri has it do for a workspace's own.
        local = dict.fromkeys(map(_crate_name, externs.values()))
        settings = {"MIRI_LOCAL_CRATES": ",".join(local)} if local else None
        return Command(
            argv=(
                *self.driver,
                *(*_EDITION, _JSON, *flags, *named, MAIN_FILE, "--", *arguments),
            ),
            cwd=package,
            environment=clean_environment(settings),
        )

    def _cargo_command(
        self, package: Path, flags: Sequence[str], arguments: Sequence[str]
    ) -> Command:
        # Of two packages of one name cargo takes the other's build for its own, though they
        # lie in different folders, if the sources are not newer; so each has a folder to itself.
        target = self.cache / "miri-targets" / f"{package.name}-{self._targets.mine()}"
        return Command(
            argv=(
                *("cargo", f"+{self.toolchain.name}", "miri", "run", "--quiet", "--offline"),
                *target_flags(self.target),
                *("--target-dir", str(target), "--", *arguments),
            ),
            cwd=package,
            environment=clean_environment(
                {
                    # cargo-miri splits at spaces, without quoting; no flag of ours has one.
                    "MIRIFLAGS": " ".join((*flags, _JSON)),
                    "MIRI_SYSROOT": str(self.sysroot),
                }
            ),
        )

    def compile_library(self, launcher: Launcher, package: Path, name: str) -> Path | CompileFailed:
        """The library of a package, with the MIR of every function, as Miri wants it.

        It is kept in the cache; the same sources are compiled once for a toolchain.
        """
        key = digest(str(package), name, self.identity)

        def compile_into(folder: Path) -> None:
            command = Command(
                argv=(
                    *self.driver,
                    *(*_EDITION, _JSON, "--crate-name", name, "--crate-type", "lib"),
                    *("--emit", "metadata,link", "--out-dir", str(folder), "src/lib.rs"),
                ),
                cwd=package,
                environment=clean_environment({"MIRI_BE_RUSTC": "target"}),
            )
            done = launcher.run(command, limits=COMPILE_LIMITS)
            if not done.succeeded:
                raise _NotCompiled(done)

        try:
            folder = make_once(self.cache / "miri-libraries" / key, compile_into)
        except _NotCompiled as stopped:
            return _compile_failed(name, stopped.done)
        return folder / f"lib{name}.rlib"


def _crate_name(library: Path) -> str:
    """The crate's own name, whatever it is called by: `mine` of `libmine-0123456789abcdef.rlib`."""
    return library.stem.removeprefix("lib").partition("-")[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class CompileFailed:
    """A library that Miri's compiler refuses. errors: in its order; empty where it crashed."""

    message: str
    errors: tuple[Message, ...]


class _NotCompiled(Exception):
    """Stops `make_once`, so that nothing half done is kept."""

    def __init__(self, done: Completed) -> None:
        self.done = done
        super().__init__(done.describe_ending())


def _compile_failed(name: str, done: Completed) -> CompileFailed:
    transcript = read_json(done.stderr)
    failure = read_failure(transcript, done.exit_code) if done.ending is Ending.EXITED else None
    outcome = failure.outcome if failure else None
    why = outcome.message if isinstance(outcome, ToolFailed) else done.describe_ending()
    return CompileFailed(
        message=f"{name} does not compile for Miri: {why}",
        errors=tuple(message for message in transcript.messages if message.is_error),
    )


class _Targets:
    """cargo's target folders, one a thread: cargo holds a lock on the one it works in."""

    def __init__(self) -> None:
        self._numbers = count()
        self._own = threading.local()

    def mine(self) -> str:
        """The name of this thread's folder."""
        if not hasattr(self._own, "name"):
            self._own.name = f"worker-{next(self._numbers)}"
        name: str = self._own.name
        return name
