"""Choosing the one case that a person names."""

from __future__ import annotations

import difflib
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

from harness.cases.files import CaseFile, find_case_files
from harness.cases.load import load
from harness.cases.story_case import StoryCase
from harness.errors import InputError, quoted
from harness.resources import corpus_dir

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.cases.case import Case, ProgramCase

_MANY = 10
"""Names that a message lists at most."""


def find_case(named: str, paths: Sequence[Path] = ()) -> Case:
    """The case that `named` means: a file, or a name, the last part of one, or a glob.

    paths: case files, folders and sets in which names are looked for; none for the corpus.

    Raises: InputError, if there is none, several, or a bad one.
    """
    path = Path(named)
    if not paths and named and _is_there(path):
        loaded = load([path])
        return _only(loaded.cases, loaded.errors, named)
    if paths:
        loaded = load(paths)
        fitting = [case for case in loaded.cases if _fits(case.id, named)]
        if not fitting and loaded.errors:
            raise loaded.errors[0]
        if not fitting:
            raise _unknown(named, [case.id for case in loaded.cases])
        return _only(fitting, (), named)
    files = [file for file in find_case_files([corpus_dir()]) if isinstance(file, CaseFile)]
    wanted = [file for file in files if _fits(file.id, named)]
    if not wanted:
        raise _unknown(named, [file.id for file in files])
    if len(wanted) > 1:
        raise _several(named, [file.id for file in wanted])
    loaded = load([wanted[0].path])
    return _only(loaded.cases, loaded.errors, named)


def find_program(named: str, paths: Sequence[Path] = ()) -> ProgramCase:
    """As `find_case`, of a case whose program the abstract machine can run. Raises: InputError."""
    case = find_case(named, paths)
    if isinstance(case, StoryCase):
        remedy = "name a pointer case or a bytecode case; `harness run` says what a story breaks"
        message = "a story is not shown step by step, nor reduced or reproduced"
        raise InputError(case.place, message, remedy)
    return case


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):
        return False


def _fits(name: str, named: str) -> bool:
    """Whether a case's name, or its last part, is what was named."""
    return fnmatchcase(name, named) or named in (name, _last_part(name))


def _last_part(name: str) -> str:
    return name.rsplit("/", 1)[-1]


def _only(cases: Sequence[Case], errors: Sequence[InputError], named: str) -> Case:
    if errors:
        raise errors[0]
    if len(cases) != 1:
        raise _several(named, [case.id for case in cases])
    return cases[0]


def _several(named: str, names: Sequence[str]) -> InputError:
    shown = ", ".join(names[:_MANY]) + (", …" if len(names) > _MANY else "")
    message = f"{quoted(named, 100)} means {len(names)} cases: {shown}"
    return InputError(None, message, "name one of them, with --in FILE where it is in a set")


def _unknown(named: str, names: Sequence[str]) -> InputError:
    last_parts = {_last_part(name): name for name in names}
    near = difflib.get_close_matches(named, [*names, *last_parts], n=1)
    remedy = "`harness list` names them all"
    if near:
        remedy = f"did you mean {last_parts.get(near[0], near[0])}?"
    return InputError(None, f"there is no case and no file {quoted(named, 100)}", remedy)
