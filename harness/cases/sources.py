"""What cases are read from: which files there are, and whether they are as they were."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from harness.cases.case import FILE_LIMIT
from harness.cases.files import find_case_files, read_case_file
from harness.cases.set_file import is_set
from harness.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """paths: the files, in the order in which they are read. digest: of names and contents."""

    paths: tuple[Path, ...]
    digest: str


def look_at(paths: Iterable[Path | str], limit: int = FILE_LIMIT) -> Sources | None:
    """What `harness.cases.load.load` would read; None if it could not read all of it twice."""
    given = list(map(Path, paths))
    total = hashlib.sha256(str(limit).encode())
    read: list[Path] = []
    try:
        for found in find_case_files((path for path in given if not is_set(path)), limit):
            if isinstance(found, InputError):
                return None
            read.append(found.path)
            _add(total, found.name, found.id, read_case_file(found))
        for path in filter(is_set, given):
            if not path.is_file():
                # What comes through a pipe is there once.
                return None
            read.append(path)
            with path.open("rb") as file:
                _add(total, str(path), hashlib.file_digest(file, "sha256").digest())
    except (OSError, InputError):
        return None
    return Sources(paths=tuple(read), digest=total.hexdigest())


def _add(total: hashlib._Hash, *parts: str | bytes) -> None:
    for part in parts:
        data = part.encode("utf-8", "surrogatepass") if isinstance(part, str) else part
        total.update(b"%d:" % len(data))
        total.update(data)
