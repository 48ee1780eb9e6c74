"""Pairs of assembly and story in a user's own Rust, as story cases without expectations.

Reference: `docs/stories.md`, "In your own crate". The files are only read.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from harness.cases.story_case import StoryCase
from harness.cases.text import decode_text
from harness.errors import InputError, Place, RustError, printable
from harness.story.pair import Read, Unread, read_pair
from harness.story.pair_operands import Given

if TYPE_CHECKING:
    from harness._native import RustStories

SUFFIX = ".rs"

LARGEST_FILE = 8 << 20
"""In bytes. Written source is far smaller."""

ELSEWHERE = "it is for other machines than this one"

ALONE = "no story stands beside it"
"""The reason of `harness._native.rust_stories` for assembly without a story."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnStory:
    """A pair that is understood: the case, and what of it only its source tells."""

    case: StoryCase
    read: Read


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """A block of assembly that is not checked.

    elsewhere: it is for other machines than this one, so that it was never asked for.
    """

    place: Place
    function: str
    reason: str
    elsewhere: bool


@dataclass(slots=True, kw_only=True)
class OwnStories:
    """What a path holds, in the order of the files and of the places in them.

    operands: what `Given` can speak of, as `function.variable`.
    """

    stories: list[OwnStory] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)
    errors: list[InputError] = field(default_factory=list)
    operands: set[str] = field(default_factory=set)


def find_own_stories(path: Path, given: Given | None = None) -> OwnStories:
    """The pairs in a Rust file, or in all of a folder's.

    Hidden folders, and those that cargo builds in, are not looked at.
    Raises: InputError, if there is nothing to read.
    """
    found = OwnStories()
    files: list[_File] = []
    for file in _files(path):
        try:
            files += _read_file(file)
        except InputError as error:
            found.errors.append(error)
    elsewhere = {other for file in files for other in file.elsewhere()}
    for each in files:
        below = each.path.relative_to(path) if path.is_dir() else Path(each.path.name)
        if any(above in elsewhere for above in (each.path, *each.path.parents)):
            _leave_out(each, found)
        else:
            _add(each, printable(below.as_posix()), given or Given(), found)
    counted = Counter(each.case.id for each in found.stories)
    found.stories = [
        each if counted[each.case.id] == 1 else _told_apart(each) for each in found.stories
    ]
    return found


def _files(path: Path) -> Iterator[Path]:
    place = Place(file=printable(str(path)))
    if path.is_dir():
        files = sorted(_below(path))
        if not files:
            raise InputError(place, "has no Rust in it", f"name a {SUFFIX} file or a crate")
        yield from files
    elif not path.exists():
        raise InputError(place, "is not there", f"name a {SUFFIX} file or a crate's folder")
    elif path.suffix != SUFFIX:
        raise InputError(place, "is no Rust file", f"name a {SUFFIX} file or a crate's folder")
    else:
        yield path


def _below(folder: Path) -> Iterator[Path]:
    for root, folders, files in os.walk(folder):
        is_crate = "Cargo.toml" in files
        folders[:] = [
            each
            for each in folders
            if not each.startswith(".") and not (is_crate and each == "target")
        ]
        yield from (Path(root, name) for name in files if name.endswith(SUFFIX))


@dataclass(frozen=True, slots=True, kw_only=True)
class _File:
    """A file that was read. name: as messages have it."""

    path: Path
    name: str
    rust: RustStories

    def elsewhere(self) -> Iterator[Path]:
        """The files, and the folders, of its modules that are for other machines."""
        folder = self.path.parent
        if self.path.name not in ("lib.rs", "main.rs", "mod.rs"):
            folder /= self.path.stem
        for module in self.rust.elsewhere:
            yield folder / module
            yield folder / f"{module}{SUFFIX}"

    def place(self, line: int, column: int) -> Place:
        return Place(file=self.name, line=line, column=column)


def _read_file(file: Path) -> list[_File]:
    """The file, if there may be anything of interest in it. Raises: InputError."""
    from harness._native import rust_stories

    name = printable(str(file))
    try:
        with file.open("rb") as stream:
            data = stream.read(LARGEST_FILE + 1)
    except OSError as error:
        message = f"cannot be read: {error.strerror}"
        raise InputError(Place(file=name), message, "name what you may read") from None
    if len(data) > LARGEST_FILE:
        message = f"has more than {LARGEST_FILE >> 20} MiB"
        raise InputError(Place(file=name), message, "name the files with assembly in them")
    text = decode_text(data, name)
    if "asm" not in text and "target_" not in text:
        # Most files of a crate: there is nothing to parse them for.
        return []
    try:
        return [_File(path=file, name=name, rust=rust_stories(text))]
    except RustError as error:
        place = Place(file=name, line=error.line, column=error.column)
        raise InputError(place, f"not Rust: {error.message}", "mend the file") from None


def _leave_out(file: _File, found: OwnStories) -> None:
    """Add what a file for other machines holds."""
    places = [(each.function, each.line, each.column) for each in file.rust.unread]
    places += [(each.function, each.block.line, each.block.column) for each in file.rust.pairs]
    for function, line, column in places:
        found.left_out.append(
            LeftOut(
                place=file.place(line, column), function=function, reason=ELSEWHERE, elsewhere=True
            )
        )


def _add(file: _File, below: str, given: Given, found: OwnStories) -> None:
    """Add what the file holds. below: its path, as cases are named after it."""
    rust = file.rust
    left_out = [
        LeftOut(
            place=file.place(each.line, each.column),
            function=each.function,
            reason=ELSEWHERE if each.elsewhere else each.reason,
            elsewhere=each.elsewhere,
        )
        for each in rust.unread
    ]
    for pair in rust.pairs:
        found.operands |= {f"{pair.function}.{variable.name}" for variable in pair.variables}
        read = read_pair(pair, imports=rust.imports, items=rust.items, given=given)
        match read:
            case Unread():
                place = file.place(read.line, read.column)
                left_out.append(
                    LeftOut(
                        place=place, function=read.function, reason=read.reason, elsewhere=False
                    )
                )
            case Read():
                place = file.place(pair.block.line, pair.block.column)
                case = _case(file.path, below, pair.function, read, place)
                found.stories.append(OwnStory(case=case, read=read))
    found.left_out += sorted(left_out, key=lambda each: (each.place.line, each.place.column))


def _case(file: Path, below: str, function: str, read: Read, place: Place) -> StoryCase:
    def located(at: tuple[int, int] | None) -> Place | None:
        return None if at is None else Place(file=place.file, line=at[0], column=at[1])

    return StoryCase(
        id=f"{below}::{function or 'asm'}",
        path=file,
        description="",
        source=place.file,
        program=read.story,
        broken=None,
        place=place,
        lines={read.block.name: tuple(map(located, read.lines))},
    )


def _told_apart(story: OwnStory) -> OwnStory:
    place = story.case.place
    assert place is not None
    return replace(story, case=replace(story.case, id=f"{story.case.id}:{place.line}"))
