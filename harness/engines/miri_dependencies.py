"""What a package depends on, compiled for Miri by cargo, for the driver to use.

cargo knows what a crate depends on, and how all of that is compiled with its MIR. It is asked
once; from then on the driver is called, which is quicker.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import msgspec

from harness.engines.miri_command import COMPILE_LIMITS, Miri
from harness.toolchain.command import Command
from harness.toolchain.environment import clean_environment
from harness.toolchain.miri import target_flags
from harness.toolchain.process import Completed, Launcher, Limits
from harness.toolchain.workspace import digest, make_once

_EXTERNS = "externs.json"
"""The file that says which of the libraries beside it were chosen."""

Choose = Callable[[str, Path], str | None]
"""The name that a library is used by: of its own name and its manifest; None if by none."""


def compile_dependencies(
    launcher: Launcher,
    miri: Miri,
    folder: Path,
    choose: Choose,
    *,
    words: Sequence[str],
    settings: Mapping[str, str] | None = None,
    limits: Limits = COMPILE_LIMITS,
) -> dict[str, Path] | Completed:
    """The chosen libraries that the package's binary is on top of; how it ended if that fails.

    They are kept in the cache. folder: the package, named after its content. words: of
    `cargo miri run`, with which its binary does next to nothing: to run it is the one way to
    have cargo-miri build it. settings: of the environment.
    """
    key = digest(str(folder), miri.identity, repr(settings))

    def compile_into(kept: Path) -> None:
        with tempfile.TemporaryDirectory(prefix=".target-", dir=kept.parent) as target:
            command = Command(
                argv=(
                    *("cargo", f"+{miri.toolchain.name}", "miri", "run", "--quiet", "--offline"),
                    *target_flags(miri.target),
                    *("--target-dir", target, *words),
                ),
                cwd=folder,
                environment=clean_environment(
                    {**(settings or {}), "MIRI_SYSROOT": str(miri.sysroot)}
                ),
            )
            done = launcher.run(command, limits=limits)
            if not done.succeeded:
                raise _NotCompiled(done)
            externs = {}
            for artifact in _artifacts(done.stdout):
                for path in map(Path, artifact.filenames):
                    if path.suffix not in (".rlib", ".so", ".dylib", ".dll"):
                        continue
                    path.rename(kept / path.name)
                    name = choose(artifact.target.name, Path(artifact.manifest_path))
                    if path.suffix == ".rlib" and name is not None:
                        externs[name] = path.name
        (kept / _EXTERNS).write_bytes(msgspec.json.encode(externs))

    try:
        kept = make_once(miri.cache / "miri-libraries" / key, compile_into)
    except _NotCompiled as stopped:
        return stopped.done
    externs = msgspec.json.decode((kept / _EXTERNS).read_bytes(), type=dict[str, str])
    return {name: kept / file for name, file in externs.items()}


class _NotCompiled(Exception):
    """Stops `make_once`, so that nothing half done is kept."""

    def __init__(self, done: Completed) -> None:
        self.done = done
        super().__init__(done.describe_ending())


class _Target(msgspec.Struct):
    name: str


class _Artifact(msgspec.Struct, tag_field="reason", tag="compiler-artifact"):
    """A line of cargo's JSON about something that it has made."""

    target: _Target
    manifest_path: str
    filenames: list[str]


_decoder = msgspec.json.Decoder(_Artifact)


def _artifacts(stdout: bytes) -> Iterator[_Artifact]:
    for line in stdout.splitlines():
        try:
            yield _decoder.decode(line)
        except msgspec.DecodeError:
            continue
