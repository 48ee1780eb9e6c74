"""Inputs: the files that a function is replayed on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from harness.errors import InputError, Place, printable

LARGEST = 64 << 20
"""Bytes of an input at most; an interpreter would never come to the end of more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """A file and what was in it. path: as the user gave it, or below a folder that he gave."""

    path: Path
    data: bytes

    @property
    def name(self) -> str:
        return printable(str(self.path))


def read_inputs(paths: Iterable[Path]) -> list[Input]:
    """Every file, and all files below every folder, in order. Raises: InputError."""
    found = {path: _read(path) for given in paths for path in _files(given)}
    if not found:
        raise InputError(None, "there are no inputs", "name files, or folders with files in them")
    return [Input(path=path, data=data) for path, data in found.items()]


def _files(given: Path) -> Iterator[Path]:
    if given.is_dir():
        yield from sorted(path for path in given.rglob("*") if path.is_file())
    else:
        yield given


def _read(path: Path) -> bytes:
    place = Place(file=printable(str(path)))
    try:
        if path.is_file() and path.stat().st_size > LARGEST:
            raise InputError(place, f"larger than {LARGEST} bytes", "name smaller inputs")
        return path.read_bytes()
    except OSError as error:
        message = f"cannot be read: {error.strerror}"
        raise InputError(place, message, "name files, or folders with files in them") from None
