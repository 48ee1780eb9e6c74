"""cargo: packages of generated programs, built natively, with a message for each that fails."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec

from harness.diagnostics.failure import read_error
from harness.diagnostics.message import Message, message_from_json
from harness.outcome import ToolFailed
from harness.toolchain.command import Command
from harness.toolchain.environment import clean_environment
from harness.toolchain.process import Launcher, Limits
from harness.toolchain.rust import Compiler
from harness.toolchain.workspace import digest, make_once, stage

BUILD_LIMITS = Limits(seconds=900.0)

MANIFEST = """\
[package]
name = "{package}"
version = "0.0.0"
edition = "2024"
publish = false
autobins = false

[workspace]
{binaries}"""

AT_ONCE = {"codegen-units": "1"}
"""A profile for packages of many small programs: to compile them in parts, and those together once
more, takes longer than to compile them at once."""

_BINARY = """
[[bin]]
name = "{name}"
path = "src/{name}.rs"
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """A package that was built whole.

    executables: by the binary's name.
    seconds: how long it took; 0 where it was kept from before.
    """

    executables: Mapping[str, Path]
    seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildFailed:
    """A package of which at least one binary could not be built.

    errors: rustc's, by the binary's name; empty where cargo itself failed.
    message: the first of them, or what cargo said. command: the shell line that repeats it.
    rendered: what a person would have seen of all errors.
    """

    errors: Mapping[str, tuple[Message, ...]]
    message: str
    command: str
    rendered: str = ""


def package_files(package: str, binaries: Mapping[str, str]) -> dict[str, bytes]:
    """The files of a package with no dependencies. binaries: their sources by their names."""
    listed = "".join(_BINARY.format(name=name) for name in binaries)
    files = {"Cargo.toml": MANIFEST.format(package=package, binaries=listed).encode()}
    for name, source in binaries.items():
        files[f"src/{name}.rs"] = source.encode()
    return files


def build(
    launcher: Launcher,
    files: Mapping[str, bytes],
    compiler: Compiler,
    cache: Path,
    *,
    profile: Mapping[str, str] | None = None,
) -> Built | BuildFailed:
    """Build every binary of the package with these files, or find them in `cache`.

    compiler: the one that cargo will call, as another makes other binaries.
    profile: what a release is to be, by cargo's names, where it is not what the package says.
    """
    sources = stage(files, cache / "sources")
    settings = {
        f"CARGO_PROFILE_RELEASE_{name.replace('-', '_').upper()}": value
        for name, value in (profile or {}).items()
    }
    words = (word for name in sorted(settings) for word in (name, settings[name]))
    kept = cache / "builds" / f"{sources.name}-{digest(compiler.version, compiler.host, *words)}"
    if kept.is_dir():
        os.utime(kept)
        return Built(executables=_executables_in(kept))
    kept.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".target-", dir=kept.parent) as target:
        command = Command(
            argv=(
                *("cargo", "build", "--release", "--offline", "--quiet", "--keep-going", "--bins"),
                *("--message-format", "json", "--target-dir", target),
            ),
            cwd=sources,
            environment=clean_environment(settings),
        )
        done = launcher.run(command, limits=BUILD_LIMITS)
        executables, errors = _read_messages(done.stdout)
        if not done.succeeded:
            found = [message for messages in errors.values() for message in messages]
            said = read_error(found[0]).outcome if found else None
            return BuildFailed(
                errors=errors,
                message=said.message
                if isinstance(said, ToolFailed)
                else f"cargo build: {done.describe_ending()}: {done.errors.strip()[-2000:]}",
                command=command.shell(),
                rendered="".join(_rendered_errors(done.stdout)) or done.errors,
            )

        def move_in(folder: Path) -> None:
            for name, path in executables.items():
                path.rename(folder / name)

        make_once(kept, move_in)
        return Built(executables=_executables_in(kept), seconds=done.seconds)


def _executables_in(folder: Path) -> dict[str, Path]:
    return {path.name: path for path in folder.iterdir()}


def _read_messages(stdout: bytes) -> tuple[dict[str, Path], dict[str, tuple[Message, ...]]]:
    """cargo's JSON lines: the executables and rustc's errors, both by the binary's name."""
    executables: dict[str, Path] = {}
    errors: dict[str, tuple[Message, ...]] = {}
    for line in stdout.splitlines():
        try:
            read = _decoder.decode(line)
        except msgspec.DecodeError:
            continue
        if read.executable:
            executables[read.target.name] = Path(read.executable)
        message = message_from_json(bytes(read.message))
        if message and message.is_error:
            errors[read.target.name] = (*errors.get(read.target.name, ()), message)
    return executables, errors


def _rendered_errors(stdout: bytes) -> Iterator[str]:
    """Each of rustc's errors as it stands on a screen."""
    for line in stdout.splitlines():
        try:
            message = _rendered_decoder.decode(line).message
        except msgspec.DecodeError:
            continue
        if message.level.startswith("error"):
            yield message.rendered


class _Target(msgspec.Struct):
    name: str


class _Line(msgspec.Struct):
    """One line of cargo's JSON: an artifact, or a message of rustc's."""

    reason: str
    target: _Target
    executable: str | None = None
    message: msgspec.Raw = msgspec.Raw(b"null")


_decoder = msgspec.json.Decoder(_Line)


class _Rendered(msgspec.Struct):
    level: str
    rendered: str


class _RenderedLine(msgspec.Struct):
    message: _Rendered


_rendered_decoder = msgspec.json.Decoder(_RenderedLine)
