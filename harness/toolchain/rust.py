"""rustc and cargo: which are here, and whether they are new enough."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from harness.toolchain.command import Command
from harness.toolchain.environment import clean_environment
from harness.toolchain.missing import Missing
from harness.toolchain.process import Completed, Ending, Launcher, Limits

MINIMUM_RUST = (1, 85, 0)
"""The first release with the 2024 edition, which `rust/vm` and all generated crates have."""

MINIMUM_EVALUATOR = (1, 88, 0)
"""The first release with a `Cell` in constants: `Cell::replace` and `Cell::from_mut`."""

ANSWER_LIMITS = Limits(seconds=30.0)
"""For questions such as `--version`, which take milliseconds: what takes longer hangs."""

INSTALL_RUST = "curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh"


@dataclass(frozen=True, slots=True, kw_only=True)
class Compiler:
    """What one rustc says of itself.

    version: its first line, such as `rustc 1.95.0 (59807616e 2026-04-14)`.
    release: the numbers in it. host: the target that it compiles for by default.
    commit: the hash of its source, or `unknown`.
    """

    version: str
    release: tuple[int, int, int]
    host: str
    commit: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RustToolchain:
    """A rustc with its cargo. cargo_version: cargo's line about itself."""

    compiler: Compiler
    cargo_version: str


def find_rust(launcher: Launcher) -> RustToolchain | Missing:
    """The rustc and cargo that native crates are built with."""
    compiler = _find_compiler(launcher, MINIMUM_RUST)
    if isinstance(compiler, Missing):
        return compiler
    cargo = ask(launcher, ("cargo", "--version"), install=INSTALL_RUST)
    if isinstance(cargo, Missing):
        return cargo
    return RustToolchain(compiler=compiler, cargo_version=cargo.output.strip())


def find_evaluator(launcher: Launcher) -> Compiler | Missing:
    """The rustc that evaluates constants; no cargo has to be there."""
    return _find_compiler(launcher, MINIMUM_EVALUATOR)


def _find_compiler(launcher: Launcher, oldest: tuple[int, int, int]) -> Compiler | Missing:
    compiler = ask_compiler(launcher, ("rustc",), install=INSTALL_RUST)
    if isinstance(compiler, Missing) or compiler.release >= oldest:
        return compiler
    wanted = ".".join(str(number) for number in oldest)
    return Missing(
        message=f"{compiler.version} is too old; {wanted} is the oldest that works",
        remedy="rustup update stable",
    )


def ask_compiler(launcher: Launcher, rustc: tuple[str, ...], *, install: str) -> Compiler | Missing:
    """What the rustc that is called so says of itself. install: mends its absence."""
    answer = ask(launcher, (*rustc, "-vV"), install=install)
    if isinstance(answer, Missing):
        return answer
    lines = answer.output.splitlines()
    fields = dict(line.split(": ", 1) for line in lines if ": " in line)
    release = re.match(r"(\d+)\.(\d+)\.(\d+)", fields.get("release", ""))
    if release is None or "host" not in fields:
        return Missing(
            message=f"`{' '.join(answer.command.argv)}` answers what no rustc answers",
            remedy=install,
        )
    major, minor, patch = (int(number) for number in release.groups())
    return Compiler(
        version=lines[0],
        release=(major, minor, patch),
        host=fields["host"],
        commit=fields.get("commit-hash", "unknown"),
    )


def ask(
    launcher: Launcher,
    argv: tuple[str, ...],
    *,
    install: str,
    limits: Limits | None = None,
    settings: Mapping[str, str] | None = None,
) -> Completed | Missing:
    """Ask a tool something that it answers at once.

    install: the command that mends it where there is no such tool or it refuses.
    settings: of the environment.
    """
    # From the root folder, so that no `rust-toolchain.toml` picks another toolchain.
    command = Command(argv=argv, cwd=Path("/"), environment=clean_environment(settings))
    try:
        done = launcher.run(command, limits=limits or ANSWER_LIMITS)
    except FileNotFoundError:
        return Missing(message=f"{argv[0]} is not installed, or not on PATH", remedy=install)
    if done.ending is not Ending.EXITED:
        return Missing(
            message=f"`{' '.join(argv)}` does not answer: {done.describe_ending()}",
            remedy=command.shell(),
        )
    if done.exit_code != 0:
        return Missing(
            message=f"`{' '.join(argv)}` refuses: {_telling_line(done.errors)}",
            remedy=_offered_remedy(done.errors) or install,
        )
    return done


def _telling_line(text: str) -> str:
    """The line that says what is wrong: the first error, or whatever comes first."""
    lines = [line for line in text.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith(("error", "fatal error"))]
    line = next(iter(errors or lines), "without a word")
    return re.sub(r"^(fatal )?error: ", "", line).rstrip(".")


def _offered_remedy(text: str) -> str | None:
    """The command that rustup itself names, as in ``help: run `rustup default stable` …``."""
    offered = re.search(r"^help: run [`'](rustup [^`']+)[`']", text, re.MULTILINE)
    return offered[1] if offered else None
