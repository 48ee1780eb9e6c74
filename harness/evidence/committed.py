"""Committed evidence: beside the cases of a folder, what a real Miri said of each.

The evidence of `CASE.toml` is `evidence/CASE.json` in the same folder: every outcome once, and
which of them each run came to. `harness bless` writes it, the same bytes for the same outcomes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from harness.errors import printable
from harness.evidence.record import decode_outcome, encode_outcome
from harness.mode import EVERY_MODE
from harness.outcome import Outcome
from harness.result import Form, Recording, Tool
from harness.toolchain.workspace import digest

FOLDER = "evidence"

FORMAT = 2

_CHECKSUM = b'\n"checksum": "'


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What is on record of one program in the modes.

    program: the digest of what ran. outcomes: by the mode's name.
    """

    program: str
    outcomes: Mapping[str, Outcome]


@dataclass(frozen=True, slots=True, kw_only=True)
class Committed:
    """The evidence of one case. rows: by variant and form, None for a pointer case."""

    recording: Recording
    rows: Mapping[tuple[str | None, Form | None], Row]


class Unusable(Exception):
    """A file that is not as it was written. Its text says what is wrong."""


def path_of(case: Path) -> Path:
    """Where the evidence of the case file lies."""
    return case.parent / FOLDER / f"{case.stem}.json"


def read(path: Path) -> Committed | None:
    """The evidence in the file; None if there is none. Raises: Unusable."""
    data = find(path)
    return None if data is None else decode(path, data)


def find(path: Path) -> bytes | None:
    """The file's content; None if there is none. Raises: Unusable."""
    try:
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise Unusable(f"{printable(str(path))} cannot be read: {error.strerror}") from None


def decode(path: Path, data: bytes) -> Committed:
    """The evidence that is the content of the file. Raises: Unusable."""
    body, mark, checksum = data.rpartition(_CHECKSUM)
    if not mark or checksum != _ending(body):
        raise Unusable(f"{printable(str(path))} is not as it was written")
    try:
        return _decode(data)
    except (msgspec.DecodeError, LookupError):
        raise Unusable(f"{printable(str(path))} is of another version of harness") from None


def encode(committed: Committed) -> bytes:
    """The content of the file."""
    outcomes: dict[bytes, int] = {}
    seen_in = {mode for row in committed.rows.values() for mode in row.outcomes}
    modes = [mode for mode in map(str, EVERY_MODE) if mode in seen_in]
    runs = []
    for (variant, form), row in sorted(committed.rows.items(), key=_names):
        numbers: list[int | None] = []
        for mode in modes:
            outcome = row.outcomes.get(mode)
            if outcome is None:
                numbers.append(None)
            else:
                text = msgspec.json.encode(encode_outcome(outcome))
                numbers.append(outcomes.setdefault(text, len(outcomes)))
        named = {"variant": variant, "form": form} if variant else {}
        # Most come to the same in every mode.
        came_to = numbers[0] if len(set(numbers)) == 1 else numbers
        runs.append(msgspec.json.encode({**named, "program": row.program, "outcomes": came_to}))
    recording = committed.recording
    head: dict[str, Any] = {
        "format": FORMAT,
        "miri": recording.tool.version,
        "compiler": recording.tool.compiler,
        "target": recording.tool.target,
        "seen": recording.seen,
        "modes": modes,
    }
    lines = [f'"{name}": '.encode() + msgspec.json.encode(value) for name, value in head.items()]
    lines += [b'"outcomes": [\n' + b",\n".join(outcomes) + b"\n]"]
    lines += [b'"runs": [\n' + b",\n".join(runs) + b"\n]"]
    body = b"{\n" + b",\n".join(lines) + b","
    return body + _CHECKSUM + _ending(body)


class _Run(msgspec.Struct, frozen=True, kw_only=True):
    """outcomes: by their numbers, one for each mode; a single number is that of them all."""

    variant: str | None = None
    form: Form | None = None
    program: str
    outcomes: list[int | None] | int


class _File(msgspec.Struct, frozen=True, kw_only=True):
    format: int
    miri: str
    compiler: str
    target: str
    seen: str
    modes: list[str]
    outcomes: list[msgspec.Raw]
    runs: list[_Run]


_decoder = msgspec.json.Decoder(_File)


def _decode(data: bytes) -> Committed:
    """Raises: msgspec.DecodeError, LookupError."""
    file = _decoder.decode(data)
    if file.format != FORMAT:
        raise LookupError(file.format)
    outcomes = [decode_outcome(bytes(text)) for text in file.outcomes]
    rows = {
        (run.variant, run.form): Row(
            program=run.program,
            outcomes={
                mode: outcomes[number]
                for mode, number in zip(file.modes, _in_each(run, file), strict=False)
                if number is not None
            },
        )
        for run in file.runs
    }
    tool = Tool(version=file.miri, compiler=file.compiler, target=file.target)
    return Committed(recording=Recording(tool=tool, seen=file.seen), rows=rows)


def _in_each(run: _Run, file: _File) -> list[int | None]:
    if isinstance(run.outcomes, int):
        return [run.outcomes] * len(file.modes)
    return run.outcomes


def _ending(body: bytes) -> bytes:
    """What stands behind the mark: the body's checksum, and the file's end."""
    return digest(body).encode() + b'"\n}\n'


def _names(item: tuple[tuple[str | None, Form | None], Row]) -> tuple[str, str]:
    (variant, form), _ = item
    return variant or "", form or ""
