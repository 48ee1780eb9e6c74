"""Sets of pointer programs as cases: each line of a `.jsonl` file is one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from harness.cases.pointer_case import PointerCase
from harness.errors import InputError, Place, printable
from harness.pointer.jsonl import read_set

if TYPE_CHECKING:
    from collections.abc import Iterator

SET_SUFFIX = ".jsonl"


def is_set(path: Path) -> bool:
    """Whether a path that a user gives names a set."""
    return path.name.endswith(SET_SUFFIX)


def read_set_file(path: Path) -> Iterator[PointerCase | InputError]:
    """The cases of the set, and an InputError for each line that has none.

    A case's id is the file's name without its suffix, a slash, and the id in the line.
    """
    name = printable(str(path))
    prefix = printable(path.name.removesuffix(SET_SUFFIX))
    try:
        with path.open("rb") as lines:
            for entry in read_set(name, lines):
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
    except OSError as error:
        remedy = "name a set of pointer programs that can be read"
        yield InputError(Place(file=name), f"cannot be read: {error.strerror}", remedy)
