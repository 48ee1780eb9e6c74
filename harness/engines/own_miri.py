"""A crate with variants of the user's own, compiled for Miri by cargo, for the driver to use."""

from __future__ import annotations

from pathlib import Path

import msgspec

from harness.diagnostics.message import message_from_json
from harness.engines.miri_command import Miri
from harness.engines.miri_dependencies import compile_dependencies
from harness.engines.miri_run import VmCrate
from harness.engines.own_crate import OwnCrate
from harness.engines.vm_crate import LIBRARY, TABLE
from harness.outcome import ToolFailed
from harness.toolchain.process import Completed, Launcher
from harness.toolchain.workspace import stage


def compile_own(launcher: Launcher, miri: Miri, own: OwnCrate) -> VmCrate | ToolFailed:
    """The crate as Miri runs it; its libraries are kept in the cache."""
    folder = stage(own.files, miri.sources)

    def choose(library: str, manifest: Path) -> str | None:
        if library == LIBRARY:
            return LIBRARY
        return TABLE if manifest == own.manifest else None

    words = ("--message-format", "json", "--", "--list")
    externs = compile_dependencies(launcher, miri, folder, choose, words=words)
    if isinstance(externs, Completed):
        return ToolFailed(message=_why(own, externs))
    return VmCrate(folder=folder, externs=externs)


def _why(own: OwnCrate, done: Completed) -> str:
    said = [message for each in _messages(done.stdout) if (message := message_from_json(each))]
    first = next((message.text for message in said if message.is_error), None)
    reason = first or done.errors.strip()[-2000:] or done.describe_ending()
    return f"{own.path} does not compile for Miri: {reason}"


class _Line(msgspec.Struct):
    """A line of cargo's JSON with a message of rustc's."""

    message: msgspec.Raw


_decoder = msgspec.json.Decoder(_Line)


def _messages(stdout: bytes) -> list[bytes]:
    found = []
    for line in stdout.splitlines():
        try:
            found.append(bytes(_decoder.decode(line).message))
        except msgspec.DecodeError:
            continue
    return found
