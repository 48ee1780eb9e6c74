"""Sets of pointer programs with expected outcomes, one program a line of a `.jsonl` file.

A line is an object with these fields:

- `id`: the program's name;
- `program`: its statements;
- `result`: the variable that holds its final memory, or absent;
- `expected`: by mode, such as `stacked-strict`, an object with `class` (`ran`, `ub` or
  `unsupported`); of a run `checksum`, null if it depends on addresses; of the others `kind`,
  `at` (the path of the failing statement) and `message`. Modes may be missing.

A line at fault is an InputError with its place, and the others are read all the same.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, assert_never

import msgspec

from harness.errors import InputError, Place
from harness.mode import EVERY_MODE, Mode
from harness.outcome import (
    FaultKind,
    Leaked,
    Location,
    Outcome,
    Panicked,
    Ran,
    TimedOut,
    ToolFailed,
    Trapped,
    UndefinedBehaviour,
    Unsupported,
    UnsupportedKind,
)
from harness.pointer.json_place import find_value, first_malformed, parse_path
from harness.pointer.program import AnyStatement, PointerProgram
from harness.pointer.validate import faults

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from harness.pointer.json_place import Step
    from harness.pointer.program import Path

_NO_OUTCOME = "expected outcomes are ran, ub and unsupported"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One program of a set. expected: by mode, what must come of it. place: of its line."""

    id: str
    program: PointerProgram
    expected: Mapping[Mode, Outcome]
    place: Place | None = None


class _Form(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What stands in a line."""


class _Expected(_Form, frozen=True, kw_only=True, tag_field="class", omit_defaults=True):
    """An expected outcome."""


class _Ran(_Expected, frozen=True, kw_only=True, tag="ran"):
    checksum: int | None
    memory: str | None = None


class _Undefined(_Expected, frozen=True, kw_only=True, tag="ub"):
    kind: FaultKind
    message: str = ""
    at: tuple[int, ...] | None = None


class _Unsupported(_Expected, frozen=True, kw_only=True, tag="unsupported"):
    kind: UnsupportedKind
    message: str = ""
    at: tuple[int, ...] | None = None


class _Line(_Form, frozen=True, kw_only=True, omit_defaults=True):
    id: str
    program: tuple[AnyStatement, ...]
    result: str | None = None
    expected: dict[str, _Ran | _Undefined | _Unsupported]


_DECODER = msgspec.json.Decoder(_Line, strict=True)
_ENCODER = msgspec.json.Encoder()

OPS: tuple[str, ...] = tuple(
    str(statement.__struct_config__.tag) for statement in AnyStatement.__args__
)
"""The names of all statements, as `op` has them."""

_MODES = ", ".join(map(str, EVERY_MODE))


def read_set(file: str, lines: Iterable[bytes]) -> Iterator[Entry | InputError]:
    """The programs of a set, line by line, and an InputError for each line that has none.

    file: its name, for places. Empty lines are passed over.
    """
    seen: dict[str, int] = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            entry = _read_line(file, number, line)
            if entry.id in seen:
                place = Place(file=file, line=number, column=1)
                message = f"the id {entry.id!r} stands in line {seen[entry.id]} already"
                raise InputError(place, message, "give each program an id of its own")
        except InputError as error:
            yield error
            continue
        seen[entry.id] = number
        yield entry


def write_line(entry: Entry) -> str:
    """The line of a set that `read_set` reads as `entry`, without a line feed.

    Raises: InputError, if an expected outcome is one that a set cannot hold.
    """
    form = _Line(
        id=entry.id,
        program=entry.program.statements,
        result=entry.program.result,
        expected={str(mode): _form(outcome) for mode, outcome in entry.expected.items()},
    )
    return _ENCODER.encode(form).decode()


# One line


def _read_line(file: str, number: int, line: bytes) -> Entry:
    """Raises: InputError."""
    text = _text(file, number, line)

    def error(steps: tuple[Step, ...], message: str, remedy: str) -> InputError:
        column = find_value(text, steps) + 1
        return InputError(Place(file=file, line=number, column=column), message, remedy)

    try:
        form = _DECODER.decode(text)
    except msgspec.ValidationError as invalid:
        if (at := first_malformed(text)) is not None:
            raise _no_json(Place(file=file, line=number, column=at + 1)) from None
        message, steps = _explained(str(invalid))
        raise error(steps, message, _remedy(steps)) from None
    except (msgspec.DecodeError, RecursionError) as malformed:
        column = _malformed_at(text, str(malformed))
        raise _no_json(Place(file=file, line=number, column=column)) from None
    expected = {}
    for name, outcome in form.expected.items():
        mode = next((mode for mode in EVERY_MODE if str(mode) == name), None)
        if mode is None:
            message = f"there is no mode {name!r}"
            raise error(("expected", name), message, f"the modes are {_MODES}")
        expected[mode] = _outcome(outcome)
    program = PointerProgram(statements=form.program, result=form.result)
    for fault in faults(program):
        raise error(_steps_to(fault.path, program), fault.message, fault.remedy)
    place = Place(file=file, line=number, column=1)
    return Entry(id=form.id, program=program, expected=expected, place=place)


def _no_json(place: Place) -> InputError:
    message = "the line is no JSON, or is nested too deeply"
    return InputError(place, message, "write one JSON object a line")


def _text(file: str, number: int, line: bytes) -> str:
    try:
        return line.decode().rstrip("\r\n")
    except UnicodeDecodeError as wrong:
        column = len(line[: wrong.start].decode(errors="replace")) + 1
        place = Place(file=file, line=number, column=column)
        raise InputError(place, "the line is not UTF-8", "encode it as UTF-8") from None


def _explained(message: str) -> tuple[str, tuple[Step, ...]]:
    """What is wrong, in our words, and the path to it; to a field that is too many."""
    what, _, where = message.partition(" - at `")
    steps = parse_path(where.rstrip("`"))
    unknown = re.fullmatch(r"Object contains unknown field `(.*)`", what)
    if unknown:
        return f"there is no field {unknown[1]!r} here", (*steps, unknown[1])
    wrong = re.fullmatch(r"Invalid (?:enum )?value (.*)", what)
    if wrong and steps:
        return f"there is no {_WHAT.get(steps[-1], 'value')} {wrong[1]}", steps
    return what[0].lower() + what[1:], steps


_WHAT: dict[Step, str] = {"op": "statement", "expected": "outcome or kind"}


def _remedy(steps: tuple[Step, ...]) -> str:
    if steps and steps[-1] == "op":
        return f"the statements are {', '.join(OPS)}"
    if steps and steps[0] == "expected":
        return f"{_NO_OUTCOME}; the kinds are {', '.join((*FaultKind, *UnsupportedKind))}"
    return "docs/pointer-language.md has the fields of every statement"


def _malformed_at(text: str, message: str) -> int:
    """The column that msgspec names by a byte, or the end of the line."""
    byte = re.search(r"\(byte (\d+)\)", message)
    if byte is None:
        return len(text) + 1
    # Of trailing characters it names the byte after the first.
    index = int(byte[1]) - ("trailing characters" in message)
    return len(text.encode()[:index].decode(errors="replace")) + 1


def _steps_to(path: Path, program: PointerProgram) -> tuple[Step, ...]:
    """The way to a statement in a line."""
    if len(path) == 1 and path[0] == len(program.statements):
        return ("result",)
    steps: list[Step] = ["program", path[0]]
    for index in path[1:]:
        steps += ["body", index]
    return tuple(steps)


def _outcome(form: _Ran | _Undefined | _Unsupported) -> Outcome:
    match form:
        case _Ran():
            memory = None if form.memory is None else bytes.fromhex(form.memory)
            return Ran(checksum=form.checksum, memory=memory)
        case _Undefined():
            location = Location(path=form.at)
            return UndefinedBehaviour(kind=form.kind, message=form.message, location=location)
        case _Unsupported():
            location = Location(path=form.at)
            return Unsupported(kind=form.kind, message=form.message, location=location)
        case _:
            assert_never(form)


def _form(outcome: Outcome) -> _Ran | _Undefined | _Unsupported:
    match outcome:
        case Ran():
            memory = None if outcome.memory is None else outcome.memory.hex()
            return _Ran(checksum=outcome.checksum, memory=memory)
        case UndefinedBehaviour():
            at = outcome.location.path
            return _Undefined(kind=outcome.kind, message=outcome.message, at=at)
        case Unsupported():
            at = outcome.location.path
            return _Unsupported(kind=outcome.kind, message=outcome.message, at=at)
        case Trapped() | Panicked() | Leaked() | TimedOut() | ToolFailed():
            raise InputError(None, f"a set holds no outcome {outcome.name}", _NO_OUTCOME)
        case _:
            assert_never(outcome)
