"""Pointer cases: programs in the pointer language, and the reading of their files.

Reference: `docs/pointer-language.md`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, ClassVar

from msgspec import Meta, Struct

from harness.cases.mode_keys import MODE_KEYS
from harness.cases.toml_document import nearest
from harness.errors import quoted
from harness.mode import EVERY_MODE, Mode
from harness.outcome import (
    FAULTS_OF_RUST,
    FaultKind,
    Location,
    Outcome,
    Panicked,
    Ran,
    TrapKind,
    Trapped,
    UndefinedBehaviour,
    Unsupported,
    UnsupportedKind,
)
from harness.pointer import text
from harness.pointer.listing import statement_lines
from harness.result import CaseKind

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

    from harness.cases.files import CaseFile
    from harness.cases.toml_document import Document
    from harness.errors import InputError, Place
    from harness.pointer import program as p

_WRITE = 'write "ran", "ran 31" (its checksum), "ub aliasing @3" or "unsupported int-to-ptr @2"'


@dataclass(frozen=True, slots=True, kw_only=True)
class PointerCase:
    """A pointer program, and what must come of it.

    id: names the case in reports and on the command line, such as `pointer/both/double-free`.
    rule: which rule of the borrow models or of memory it is about.
    place: where its program stands; None where no file has it.
    places: where each statement stands, where that is known.
    expectations: what each mode must show, where the case says so; the prediction decides in
        all others.
    """

    kind: ClassVar[CaseKind] = CaseKind.POINTER
    id: str
    path: Path
    description: str
    source: str
    rule: str
    program: p.PointerProgram
    place: Place | None = None
    places: Mapping[p.Path, Place] = field(default_factory=dict)
    expectations: Mapping[Mode, Outcome] = field(default_factory=dict)

    def place_of(self, location: Location) -> Place | None:
        """Where in its file an outcome arose: the statement, or the program if that is unknown."""
        return self.places.get(location.path, self.place) if location.path else self.place

    def expected_in(self, mode: Mode) -> Outcome | None:
        """What the case itself says of `mode`; None if nothing."""
        return self.expectations.get(mode)


class PointerFile(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A whole file."""

    kind: str
    description: Annotated[str, Meta(description='description = "What the case shows."')]
    source: Annotated[str, Meta(description='source = "where the case comes from"')]
    rule: Annotated[str, Meta(description='rule = "the rule that it is about"')]
    program: Annotated[str, Meta(description="program = '''…''', a statement a line")]
    expect: Annotated[
        dict[str, object] | None,
        Meta(description='[expect] with all = "ran" or stacked = "ub aliasing @3" below it'),
    ] = None


def read_pointer_case(
    document: Document, file: CaseFile, variants: Collection[str] | None
) -> PointerCase:
    """The pointer case that `document`, read from `file`, describes; it knows no variants.

    Raises: InputError.
    """
    whole = document.table((), PointerFile)
    parsed = text.parse(whole.program, document.locate_in(("program",)))
    expectations: dict[Mode, Outcome] = {}
    if whole.expect is not None:
        reader = _ExpectationReader(document=document, program=parsed.program)
        expectations = reader.read(whole.expect)
    return PointerCase(
        id=file.id,
        path=file.path,
        description=document.prose(("description",), whole.description),
        source=document.prose(("source",), whole.source),
        rule=document.prose(("rule",), whole.rule),
        program=parsed.program,
        place=document.place(("program",)),
        places=parsed.places,
        expectations=expectations,
    )


@dataclass(slots=True, kw_only=True)
class _ExpectationReader:
    document: Document
    program: p.PointerProgram
    lines: dict[p.Path, str] = field(init=False)

    def __post_init__(self) -> None:
        self.lines = dict(statement_lines(self.program))

    def read(self, table: dict[str, object]) -> dict[Mode, Outcome]:
        """What `[expect]` says of each mode. Raises: InputError."""
        known = {key for group in MODE_KEYS for key in group}
        for key in table:
            if key not in known:
                message = f"there is no mode {quoted(key)}"
                raise self.document.key_error(("expect", key), message, nearest(key, known))
        found: dict[Mode, Outcome] = {}
        for group in MODE_KEYS:
            found |= self._group(group, table)
        exact = {mode for mode in EVERY_MODE if str(mode) in table}
        self._check_contradictions(table, exact)
        return found

    def _group(
        self, group: Mapping[str, tuple[Mode, ...]], table: dict[str, object]
    ) -> dict[Mode, Outcome]:
        found: dict[Mode, Outcome] = {}
        for key, modes in group.items():
            if key in table:
                found |= dict.fromkeys(modes, self._outcome(key, table[key]))
        return found

    def _check_contradictions(self, table: dict[str, object], exact: set[Mode]) -> None:
        """A mode that two keys of one group speak of must be told the same by both."""
        said: dict[Mode, tuple[str, Outcome]] = {}
        for key, modes in MODE_KEYS[1].items():
            if key not in table:
                continue
            outcome = self._outcome(key, table[key])
            for mode in modes:
                other, before = said.setdefault(mode, (key, outcome))
                if before != outcome and mode not in exact:
                    message = f"{other} and {key} contradict each other in {mode}"
                    raise self.document.key_error(
                        ("expect", key), message, f'write {mode} = "…" as well'
                    )

    def _outcome(self, key: str, value: object) -> Outcome:
        if not isinstance(value, str):
            raise self._error(key, "an outcome is a string", _WRITE)
        head, at, place = value.partition("@")
        match head.split(), bool(at):
            case ["ran"], False:
                return Ran()
            case ["ran", checksum], False if re.fullmatch("[0-9]+", checksum):
                return Ran(checksum=int(checksum))
            case ["trapped", kind, instruction, operand], False if instruction.isdecimal():
                self._check_kind(key, kind, [str(each) for each in TrapKind])
                location = Location(instruction=int(instruction), operand=operand)
                return Trapped(kind=TrapKind(kind), location=location)
            case ["panicked"], _:
                return Panicked(message="", location=self._location(key, at, place))
            case ["ub", kind], _:
                self._check_kind(key, kind, [str(each) for each in FAULTS_OF_RUST])
                location = self._location(key, at, place)
                return UndefinedBehaviour(kind=FaultKind(kind), message="", location=location)
            case ["unsupported", kind], _:
                self._check_kind(key, kind, [str(each) for each in UnsupportedKind])
                location = self._location(key, at, place)
                return Unsupported(kind=UnsupportedKind(kind), message="", location=location)
        raise self._error(key, f"no outcome: {quoted(value)}", _WRITE)

    def _check_kind(self, key: str, kind: str, kinds: list[str]) -> None:
        if kind not in kinds:
            raise self._error(key, f"there is no kind {quoted(kind)}", nearest(kind, kinds))

    def _location(self, key: str, at: str, place: str) -> Location:
        """The statement that `@…` names: its path, or its text if no other has the same."""
        place = place.strip()
        if not at:
            remedy = "write @3 for the statement with that index, @3.1 in the body of a call"
            raise self._error(key, "an outcome without its statement", remedy)
        if re.fullmatch(r"[0-9]+(\.[0-9]+)*", place):
            path = tuple(map(int, place.split(".")))
            if path not in self.lines:
                last = max(path[0] for path in self.lines)
                message = f"there is no statement {place}"
                raise self._error(key, message, f"statements count from 0; the last is {last}")
            return Location(path=path)
        found = [path for path, line in self.lines.items() if line == place]
        if len(found) == 1:
            return Location(path=found[0])
        if not found:
            message = f"no statement reads {quoted(place)}"
            raise self._error(key, message, nearest(place, set(self.lines.values())))
        paths = ", ".join("@" + ".".join(map(str, path)) for path in found)
        raise self._error(key, f"several statements read {quoted(place)}", f"write one of {paths}")

    def _error(self, key: str, message: str, remedy: str) -> InputError:
        return self.document.error(("expect", key), message, remedy)
