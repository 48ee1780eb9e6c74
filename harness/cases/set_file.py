"""Sets of pointer programs as cases: each line of a `.jsonl` file is one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from harness.cases.case import FILE_LIMIT
from harness.cases.files import describe_limit
from harness.cases.pointer_case import PointerCase
from harness.errors import InputError, Place, printable
from harness.pointer.jsonl import read_set

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

SET_SUFFIX = ".jsonl"


def is_set(path: Path) -> bool:
    """Whether a path that a user gives names a set."""
    return path.name.endswith(SET_SUFFIX)


def read_set_file(path: Path, limit: int = FILE_LIMIT) -> Iterator[PointerCase | InputError]:
    """The cases of the set, and an InputError for each line that has none.

    A case's id is the file's name without its suffix, a slash, and the id in the line.
    limit: bytes that a line may have; behind a longer one nothing is read.
    """
    name = printable(str(path))
    prefix = printable(path.name.removesuffix(SET_SUFFIX))
    try:
        with path.open("rb") as lines:
            for entry in read_set(name, _bounded(name, lines, limit)):
                if isinstance(entry, InputError):
                    yield entry
                else:
                    yield PointerCase(
                        id=f"{prefix}/{printable(entry.id)}",
                        path=path,
                        description="",
                        source=str(entry.place or name),
                        rule="",
                        program=entry.program,
                        expectations=entry.expected,
                        place=entry.place,
                    )
    except InputError as error:
        yield error
    except OSError as error:
        remedy = "name a set of pointer programs that can be read"
        yield InputError(Place(file=name), f"cannot be read: {error.strerror}", remedy)


def _bounded(name: str, lines: BinaryIO, limit: int) -> Iterator[bytes]:
    """The lines, none of which is held in memory beyond its limit. Raises: InputError."""
    number = 0
    while line := lines.readline(limit + 1):
        number += 1
        if len(line) > limit:
            place = Place(file=name, line=number, column=1)
            message = "the line is longer than one of a set may be; what follows is not read"
            raise InputError(place, message, describe_limit(limit))
        yield line
