"""Case files on disk: which there are below the paths that a user gives, and their ids."""

from __future__ import annotations

import difflib
import os
import stat
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from harness.cases.case import FILE_LIMIT
from harness.errors import InputError, Place, printable, quoted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

SUFFIX = ".toml"

CORPUS = "corpus"
"""A folder of this name is the root that ids are relative to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseFile:
    """id: the path below the corpus, or else below the given folder, without the suffix.

    limit: bytes that the file may have, and as many the memory in it.
    """

    path: Path
    id: str
    limit: int = FILE_LIMIT

    @property
    def name(self) -> str:
        """The path as it stands in messages."""
        return printable(str(self.path))


def find_case_files(
    paths: Iterable[Path | str], limit: int = FILE_LIMIT
) -> Iterator[CaseFile | InputError]:
    """The case files that `paths` name or hold, each once, folders in the order of their names.

    Hidden files and folders, and files with another suffix, are not looked at in a folder.
    What cannot be had is an InputError in the place of the file. limit: of each.
    """
    seen: set[Path] = set()
    named: dict[str, CaseFile] = {}
    for given in map(Path, paths):
        for found in _below(given):
            if isinstance(found, CaseFile):
                found = replace(found, limit=limit)
                real = Path(os.path.realpath(found.path))
                if real in seen:
                    continue
                seen.add(real)
                if found.id in named:
                    yield _same_id(found, named[found.id])
                    continue
                named[found.id] = found
            yield found


def read_case_file(file: CaseFile) -> bytes:
    """The file's content.

    Raises: InputError, if it cannot be read or is larger than its limit.
    """
    try:
        if not stat.S_ISREG(file.path.stat().st_mode):
            message = "not a regular file"
            raise InputError(Place(file=file.name), message, "a case is a file of TOML text")
        with file.path.open("rb") as stream:
            data = stream.read(file.limit + 1)
    except OSError as error:
        raise _unreadable(file.path, error) from None
    if len(data) > file.limit:
        message = "the file is larger than a case may be"
        remedy = describe_limit(file.limit)
        raise InputError(Place(file=file.name), message, remedy)
    return data


def describe_limit(limit: int) -> str:
    """What may be had, and what has it changed. limit: in bytes."""
    return f"the limit is {limit} bytes ({limit / (1 << 20):g} MiB); --input-limit sets it"


def _below(given: Path) -> Iterator[CaseFile | InputError]:
    """The case files that `given` names or holds."""
    try:
        mode = given.stat().st_mode
    except (OSError, ValueError) as error:
        yield _unreadable(given, error)
        return
    if not stat.S_ISDIR(mode):
        if _is_case_name(given.name):
            yield CaseFile(path=given, id=_id(given, given.parent))
        else:
            message = "not a case file"
            yield InputError(_place(given), message, f"a case file's name ends in {SUFFIX}")
        return
    empty = True
    for found in _walk(given):
        empty = False
        yield CaseFile(path=found, id=_id(found, given)) if isinstance(found, Path) else found
    if empty:
        message = "no case in this folder or below it"
        yield InputError(_place(given), message, f"a case is a file whose name ends in {SUFFIX}")


def _walk(folder: Path) -> Iterator[Path | InputError]:
    """The case files below `folder`, which may hold symbolic links to anything."""
    visited: set[tuple[int, int]] = set()
    ahead = [folder]
    while ahead:
        path = ahead.pop()
        try:
            status = path.stat()
            if not stat.S_ISDIR(status.st_mode):
                yield path
                continue
            identity = (status.st_dev, status.st_ino)
            if identity in visited:
                if Path(os.path.realpath(path.parent)).is_relative_to(os.path.realpath(path)):
                    message = "a symbolic link back to a folder that it is in"
                    yield InputError(_place(path), message, "remove the link")
                continue
            visited.add(identity)
            inside = sorted(path.iterdir(), key=lambda each: each.name, reverse=True)
            ahead += [each for each in inside if _is_looked_at(each)]
        except OSError as error:
            yield _unreadable(path, error)


def _is_looked_at(path: Path) -> bool:
    return not path.name.startswith(".") and (_is_case_name(path.name) or path.is_dir())


def _is_case_name(name: str) -> bool:
    return name.endswith(SUFFIX) and name != SUFFIX


def _id(path: Path, given: Path) -> str:
    """`path` below the innermost folder called `corpus`, or else below `given`."""
    parts = Path(os.path.abspath(path)).parts  # noqa: PTH100 (resolve() would follow links)
    below = parts[-len(path.relative_to(given).parts) :]
    for index in reversed(range(len(parts) - 1)):
        if parts[index] == CORPUS:
            below = parts[index + 1 :]
            break
    return printable("/".join(below).removesuffix(SUFFIX))


def _same_id(file: CaseFile, other: CaseFile) -> InputError:
    message = f"the id {quoted(file.id, 100)} is that of {other.name} already"
    remedy = "rename one of the two files, or run them one after the other"
    return InputError(Place(file=file.name), message, remedy)


def _unreadable(path: Path, error: OSError | ValueError) -> InputError:
    if isinstance(error, FileNotFoundError):
        if path.is_symlink():
            return InputError(_place(path), "a symbolic link to nothing", "mend or remove the link")
        return InputError(_place(path), "there is no such file or folder", _nearest_path(path))
    reason = error.strerror if isinstance(error, OSError) else str(error)
    remedy = "name a file or folder that can be read"
    return InputError(_place(path), f"cannot be read: {reason}", remedy)


def _nearest_path(path: Path) -> str:
    """A file beside `path` whose name is nearly the same, if there is one."""
    try:
        names = sorted(each.name for each in path.parent.iterdir())
    except OSError:
        names = []
    near = difflib.get_close_matches(path.name, names[:10_000], n=1)
    if near:
        return f"did you mean {printable(str(path.parent / near[0]))}?"
    return "name a case file or a folder with case files in it"


def _place(path: Path) -> Place:
    return Place(file=printable(str(path)))
