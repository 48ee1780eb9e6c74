"""Loading of cases: every good file a case, every bad one an error with its place."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from harness.cases.bytecode_file import read_bytecode_case
from harness.cases.case import FILE_LIMIT
from harness.cases.files import CaseFile, find_case_files, read_case_file
from harness.cases.pointer_case import read_pointer_case
from harness.cases.set_file import is_set, read_set_file
from harness.cases.story_case import read_story_case
from harness.cases.toml_document import Document, parse_document
from harness.errors import InputError, Place, printable, quoted
from harness.result import CaseKind

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator

    from harness.cases.case import Case

READERS: dict[CaseKind, Callable[[Document, CaseFile, Collection[str] | None], Case]] = {
    CaseKind.BYTECODE: read_bytecode_case,
    CaseKind.POINTER: read_pointer_case,
    CaseKind.STORY: read_story_case,
}
"""How a case of each kind is read. A file without a kind is a bytecode case."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """cases: in the order of the paths, folders in the order of their names."""

    cases: tuple[Case, ...]
    errors: tuple[InputError, ...]


def load(
    paths: Iterable[Path | str],
    *,
    variants: Collection[str] | None = None,
    limit: int = FILE_LIMIT,
) -> Loaded:
    """The cases of the files and folders that `paths` name, and what is wrong with the others.

    variants: the names that `[expect.miri]` of a case may have; None for any.
    limit: bytes that a file, the memory in it, or a line of a set may have.
    """
    cases: dict[str, Case] = {}
    errors: list[InputError] = []
    for case in _read(map(Path, paths), variants, limit):
        if isinstance(case, InputError):
            errors.append(case)
        elif case.id in cases:
            message = f"the id {quoted(case.id)} is that of {cases[case.id].path} already"
            remedy = "rename one of the two files, or run them one after the other"
            errors.append(InputError(Place(file=printable(str(case.path))), message, remedy))
        else:
            cases[case.id] = case
    return Loaded(cases=tuple(cases.values()), errors=tuple(errors))


def _read(
    paths: Iterable[Path], variants: Collection[str] | None, limit: int
) -> Iterator[Case | InputError]:
    """Sets come after the files that have one case each."""
    given = list(paths)
    for found in find_case_files((path for path in given if not is_set(path)), limit):
        try:
            if isinstance(found, InputError):
                yield found
            else:
                yield read_case(found, read_case_file(found), variants=variants)
        except InputError as error:
            yield error
    for path in dict.fromkeys(path for path in given if is_set(path)):
        yield from read_set_file(path, limit)


def read_case(file: CaseFile, data: bytes, *, variants: Collection[str] | None = None) -> Case:
    """The case that `data`, the content of `file`, describes.

    Raises: InputError.
    """
    document = parse_document(data, file.name)
    kind = document.values.get("kind", CaseKind.BYTECODE)
    if not isinstance(kind, str):
        message = "the kind of a case is a string"
        raise document.error(("kind",), message, f'write kind = "{CaseKind.BYTECODE}"')
    document.check_one_of(("kind",), kind, [str(each) for each in READERS], "kind of case")
    return READERS[CaseKind(kind)](document, file, variants)
