"""Records: outcomes in the shape in which they last, and their text.

What belongs to one process and not to the program is left out: places in a source that many
programs share, and the numbers of tags and allocations.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import PurePosixPath
from typing import Any, get_args

import msgspec

from harness.outcome import NOWHERE, Location, Outcome, TimedOut, ToolFailed
from harness.result import Recording, Tool

_CLASSES: dict[str, type[Outcome]] = {each.name: each for each in get_args(Outcome)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """An outcome that was seen, and what it rests on. committed: beside the case."""

    outcome: Outcome
    recording: Recording
    committed: bool = False


def record_now(outcome: Outcome, tool: Tool) -> Record:
    """The record of what `tool` has just shown."""
    today = datetime.now(UTC).date().isoformat()
    return Record(outcome=outcome, recording=Recording(tool=tool, seen=today))


def lasts(outcome: Outcome) -> bool:
    """Whether the outcome is a property of the program: a limit or a tool's failure is not."""
    return not isinstance(outcome, TimedOut | ToolFailed)


def lasting(outcome: Outcome, *, shared_source: bool) -> Outcome:
    """The outcome without what the next run of the same program would have otherwise.

    shared_source: the Rust that ran is one file for many programs.
    """
    changes: dict[str, Any] = {}
    for field in fields(outcome):
        value = getattr(outcome, field.name)
        if isinstance(value, Location):
            place = _lasting_place(value, shared_source=shared_source)
            # Of where a tag was made or died, nowhere is as good as nothing.
            changes[field.name] = place if place != NOWHERE or field.name == "location" else None
        elif field.name == "message":
            changes[field.name] = _without_numbers(value)
    return replace(outcome, **changes)


def _lasting_place(place: Location, *, shared_source: bool) -> Location:
    if place.span is None:
        return place
    # A path from the root is one of this machine.
    is_absolute = PurePosixPath(place.span.file).is_absolute()
    return replace(place, span=None) if shared_source or is_absolute else place


def encode_outcome(outcome: Outcome) -> dict[str, Any]:
    """The outcome as JSON has it: `class`, and the fields that it has; bytes in hexadecimal."""
    built = msgspec.to_builtins(outcome, builtin_types=(bytes,))
    return {"class": outcome.name, **_pruned(built)}


def decode_outcome(text: bytes) -> Outcome:
    """The outcome that `encode_outcome` made JSON of. Raises: msgspec.DecodeError."""
    return _decode_outcome(text)


def encode_record(record: Record) -> bytes:
    """The record as one line of JSON."""
    recording = record.recording
    tool = recording.tool
    return msgspec.json.encode(
        (tool.version, tool.compiler, tool.target, recording.seen, encode_outcome(record.outcome))
    )


def decode_record(text: bytes) -> Record:
    """The record that `encode_record` made a line of. Raises: msgspec.DecodeError."""
    read = _record_decoder.decode(text)
    return Record(
        outcome=_decode_outcome(bytes(read.outcome)),
        recording=_recording(read.version, read.compiler, read.target, read.seen),
    )


class _Record(msgspec.Struct, frozen=True, array_like=True):
    version: str
    compiler: str
    target: str
    seen: str
    outcome: msgspec.Raw


_record_decoder = msgspec.json.Decoder(_Record)


@lru_cache(maxsize=1000)
def _recording(version: str, compiler: str, target: str, seen: str) -> Recording:
    return Recording(tool=Tool(version=version, compiler=compiler, target=target), seen=seen)


@lru_cache(maxsize=10_000)
def _decode_outcome(text: bytes) -> Outcome:
    values = msgspec.json.decode(text, type=dict[str, Any])
    class_ = _CLASSES.get(values.pop("class", ""))
    if class_ is None:
        raise msgspec.ValidationError("an outcome of no known class")
    if isinstance(memory := values.get("memory"), str):
        try:
            values["memory"] = bytes.fromhex(memory)
        except ValueError as error:
            raise msgspec.ValidationError(str(error)) from None
    outcome: Outcome = msgspec.convert(values, type=class_)
    return outcome


def _pruned(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values that say something; bytes in hexadecimal."""
    pruned: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, bytes):
            pruned[name] = value.hex()
        elif isinstance(value, dict):
            if inner := _pruned(value):
                pruned[name] = inner
        elif value is not None:
            pruned[name] = value
    return pruned


def _without_numbers(message: str) -> str:
    """As Miri's own tests write its messages."""
    message = re.sub(r"\b0x[0-9a-f]+\[(?=alloc|noalloc)", "ADDRESS[", message)
    message = re.sub(r"\balloc\d+", "ALLOC", message)
    return re.sub(r"<\d+>", "<TAG>", message)
