"""A crate with variants of the user's own, compiled for Miri by cargo, for the driver to use."""

from __future__ import annotations

import tempfile
from pathlib import Path

import msgspec

from harness.diagnostics.message import message_from_json
from harness.engines.miri_command import COMPILE_LIMITS, Miri
from harness.engines.miri_run import VmCrate
from harness.engines.own_crate import OwnCrate
from harness.engines.vm_crate import LIBRARY, TABLE
from harness.outcome import ToolFailed
from harness.toolchain.command import Command
from harness.toolchain.environment import clean_environment
from harness.toolchain.miri import target_flags
from harness.toolchain.process import Completed, Launcher
from harness.toolchain.workspace import digest, make_once, stage

_EXTERNS = "externs.json"
"""The file that says which of the libraries beside it are the VM's and the user's."""


def compile_own(launcher: Launcher, miri: Miri, own: OwnCrate) -> VmCrate | ToolFailed:
    """The crate as Miri runs it; its libraries are kept in the cache.

    cargo knows what a crate depends on, and how all of that is compiled with its MIR. It is asked
    once; from then on the driver is called, which is quicker.
    """
    folder = stage(own.files, miri.sources)
    key = digest(str(folder), miri.identity)

    def compile_into(kept: Path) -> None:
        with tempfile.TemporaryDirectory(prefix=".target-", dir=kept.parent) as target:
            # To run it is the one way to have cargo-miri build it.
            command = Command(
                argv=(
                    *("cargo", f"+{miri.toolchain.name}", "miri", "run", "--quiet", "--offline"),
                    *target_flags(miri.target),
                    *("--message-format", "json", "--target-dir", target, "--", "--list"),
                ),
                cwd=folder,
                environment=clean_environment({"MIRI_SYSROOT": str(miri.sysroot)}),
            )
            done = launcher.run(command, limits=COMPILE_LIMITS)
            if not done.succeeded:
                raise _NotCompiled(done)
            externs = {}
            for artifact in _artifacts(done.stdout):
                for path in map(Path, artifact.filenames):
                    if path.suffix not in (".rlib", ".so", ".dylib", ".dll"):
                        continue
                    path.rename(kept / path.name)
                    if path.suffix != ".rlib":
                        continue
                    if artifact.target.name == LIBRARY:
                        externs[LIBRARY] = path.name
                    elif Path(artifact.manifest_path) == own.manifest:
                        externs[TABLE] = path.name
        (kept / _EXTERNS).write_bytes(msgspec.json.encode(externs))

    try:
        kept = make_once(miri.cache / "miri-libraries" / key, compile_into)
    except _NotCompiled as stopped:
        return ToolFailed(message=_why(own, stopped.done))
    externs = msgspec.json.decode((kept / _EXTERNS).read_bytes(), type=dict[str, str])
    return VmCrate(folder=folder, externs={name: kept / file for name, file in externs.items()})


class _NotCompiled(Exception):
    """Stops `make_once`, so that nothing half done is kept."""

    def __init__(self, done: Completed) -> None:
        self.done = done
        super().__init__(done.describe_ending())


def _why(own: OwnCrate, done: Completed) -> str:
    errors = [line.message for line in _lines(done.stdout)]
    said = [message for each in errors if (message := message_from_json(bytes(each)))]
    first = next((message.text for message in said if message.is_error), None)
    reason = first or done.errors.strip()[-2000:] or done.describe_ending()
    return f"{own.path} does not compile for Miri: {reason}"


class _Target(msgspec.Struct):
    name: str


class _Line(msgspec.Struct):
    """One line of cargo's JSON: an artifact, or a message of rustc's."""

    reason: str
    target: _Target
    manifest_path: str = ""
    filenames: list[str] = []
    message: msgspec.Raw = msgspec.Raw(b"null")


_decoder = msgspec.json.Decoder(_Line)


def _lines(stdout: bytes) -> list[_Line]:
    found = []
    for line in stdout.splitlines():
        try:
            found.append(_decoder.decode(line))
        except msgspec.DecodeError:
            continue
    return found


def _artifacts(stdout: bytes) -> list[_Line]:
    return [line for line in _lines(stdout) if line.reason == "compiler-artifact"]
