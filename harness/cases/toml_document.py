"""TOML files read so that every complaint about a value says where the value stands."""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING, Any, TypeVar, get_args, get_type_hints

import msgspec

from harness.cases.text import decode_text
from harness.errors import InputError, Place, TomlError, quoted

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from harness._native import TomlPlace
    from harness.bytecode.tokens import Locate

Path = tuple[str | int, ...]
"""Where a value stands in its document: the keys and indices from the outside in."""

Table = TypeVar("Table", bound=msgspec.Struct)


class Document:
    """A TOML file that has been read: its values, and the place of each.

    file: the file's name as it stands in messages.
    """

    def __init__(
        self, file: str, values: dict[str, object], places: Mapping[Path, TomlPlace]
    ) -> None:
        self.file = file
        self.values = values
        self._places = places

    def place(self, path: Path) -> Place:
        """Where the value at `path` begins."""
        line, column = self._places[path].value
        return Place(file=self.file, line=line, column=column)

    def key_place(self, path: Path) -> Place:
        """Where the key of the value at `path` begins."""
        line, column = self._places[path].key or self._places[path].value
        return Place(file=self.file, line=line, column=column)

    def error(self, path: Path, message: str, remedy: str) -> InputError:
        """A complaint about the value at `path`."""
        return InputError(self.place(path), message, remedy)

    def key_error(self, path: Path, message: str, remedy: str) -> InputError:
        """A complaint about the key of the value at `path`, or about its being there."""
        return InputError(self.key_place(path), message, remedy)

    def locate_in(self, path: Path) -> Locate:
        """Places of the characters of the string at `path`, by their offset in its value."""
        start = self.place(path)
        raw = self._places[path].raw or ""

        def locate(offset: int) -> Place:
            before = raw[: _offset_in_source(raw, offset)]
            lines = before.count("\n")
            column = len(before) - (before.rfind("\n") + 1) + 1
            if not lines:
                column += start.column - 1
            return Place(file=self.file, line=start.line + lines, column=column)

        return locate

    def table(self, path: Path, schema: type[Table]) -> Table:
        """The table at `path` as a `schema`, whose fields' types alone are checked.

        A field's `msgspec.Meta(description=…)` says how the field is rightly written.

        Raises: InputError.
        """
        value: Any = self.values
        for step in path:
            value = value[step]
        if not isinstance(value, dict):
            name = ".".join(map(str, path))
            message = f"{name} is {_kind_of(value)}, but has to be a table"
            raise self.error(path, message, f"write [{name}] in a line of its own")
        fields = schema.__struct_encode_fields__
        for key in value:
            if key not in fields:
                title = f"[{'.'.join(map(str, path))}]" if path else "a case"
                message = f"{title} has no key {quoted(key)}"
                raise self.key_error((*path, key), message, nearest(key, fields))
        try:
            return msgspec.convert(value, schema)
        except msgspec.ValidationError as error:
            raise self._ill_typed(path, value, schema, str(error)) from None

    def check_one_of(self, path: Path, name: str, names: Collection[str], what: str) -> None:
        """Complain if `name`, the string at `path`, is none of `names`."""
        if name not in names:
            raise self.error(path, f"there is no {what} {quoted(name)}", nearest(name, names))

    def prose(self, path: Path, text: str) -> str:
        """`text`, the string at `path`, in one line.

        Raises: InputError, if it is empty or not plain text.
        """
        words = text.split()
        if not words:
            raise self.error(path, f"{path[-1]} is empty", "say it in a sentence")
        for offset, character in enumerate(text):
            if not character.isprintable() and not character.isspace():
                message = f"the character {quoted(character)} in a text for people"
                raise InputError(self.locate_in(path)(offset), message, "leave it out")
        return " ".join(words)

    def _ill_typed(
        self, path: Path, value: dict[str, object], schema: type[Table], complaint: str
    ) -> InputError:
        """What msgspec complains of, in words of this format and with the place."""
        missing = re.match(r"Object missing required field `([\w-]+)`", complaint)
        if missing:
            name = missing[1]
            return self.error(path, f"{name!r} is missing", _how_to_write(schema, name))
        wrong = re.fullmatch(r"Expected `(.+)`, got `.+` - at `\$\.([\w-]+).*`", complaint)
        if not wrong:
            return self.error(path, complaint, "docs/cases.md has the format")
        name = wrong[2]
        wanted = " or ".join(_KINDS.get(each, each) for each in wrong[1].split(" | "))
        message = f"{name} is {_kind_of(value[name])}, but has to be {wanted}"
        return self.error((*path, name), message, _how_to_write(schema, name))


def parse_document(data: bytes, file: str) -> Document:
    """Read `data`, the content of `file`, as a TOML document.

    Raises: InputError, if it is not UTF-8 or not TOML.
    """
    from harness._native import parse_toml

    text = decode_text(data, file)
    try:
        values, places = parse_toml(text)
    except TomlError as error:
        place = Place(file=file, line=error.line, column=error.column)
        raise InputError(place, f"not TOML: {error.message}", _toml_remedy(error.message)) from None
    return Document(file, values, places)


def nearest(name: str, names: Collection[str]) -> str:
    """Which of `names` was meant, or all of them."""
    near = difflib.get_close_matches(name[:40], names, n=1)
    return f"did you mean {near[0]}?" if near else f"there are: {', '.join(names)}"


_TOML_REMEDIES = {
    "duplicate key": "a key stands once in its table: remove one of the two, or join them",
    "key with no value": "write key = value",
    "string values must be quoted": 'write text in quotation marks: "text"',
    "invalid multi-line literal string": "a text that begins with ''' ends with '''",
    "invalid multi-line basic string": 'a text that begins with """ ends with """',
    "recurs": "no value in a case is nested as deeply",
    "nested": "no value in a case is nested as deeply",
}


def _toml_remedy(message: str) -> str:
    for part, remedy in _TOML_REMEDIES.items():
        if part in message:
            return remedy
    return "a case file is TOML (https://toml.io); docs/cases.md has an example"


_KINDS = {
    "str": "a string",
    "int": "an integer",
    "float": "a float",
    "bool": "true or false",
    "object": "a table",
    "dict": "a table",
    "list": "an array",
    "array": "an array",
    "datetime": "a date with a time",
    "date": "a date",
    "time": "a time of day",
}


def _kind_of(value: object) -> str:
    return _KINDS.get(type(value).__name__, type(value).__name__)


def _how_to_write(schema: type[msgspec.Struct], name: str) -> str:
    field = next(each for each in msgspec.structs.fields(schema) if each.encode_name == name)
    hint = get_type_hints(schema, include_extras=True)[field.name]
    metas = [each for each in get_args(hint) if isinstance(each, msgspec.Meta)]
    return f"write {metas[0].description}" if metas else "docs/cases.md has the format"


def _offset_in_source(raw: str, offset: int) -> int:
    """The offset in `raw`, a TOML string with its quotation marks, of a character of its value."""
    if raw.startswith("'"):
        # Without escapes every character stands for itself.
        return min(next(_characters(raw)) + offset, len(raw))
    for index, at in enumerate(_characters(raw)):
        if index == offset:
            return at
    return len(raw)


_ESCAPE_LENGTHS = {"x": 4, "u": 6, "U": 10}


def _characters(raw: str) -> Iterator[int]:
    """The offset in `raw` of each character of the value, then that of the closing quotes."""
    quotes = 3 if raw[:3] in ("'''", '"""') else 1
    at, end = quotes, len(raw) - quotes
    if quotes == 3:
        # A line end right after the opening quotes is not part of the value; it matches always.
        at += len(re.match(r"\r?\n|", raw[at:end])[0])  # type: ignore[index]
    escapes = raw[0] == '"'
    while at < end:
        if escapes and raw[at] == "\\":
            if folded := re.compile(r"\\[ \t]*\r?\n[ \t\r\n]*").match(raw, at, end):
                at = folded.end()
                continue
            yield at
            at += _ESCAPE_LENGTHS.get(raw[at + 1], 2)
        else:
            yield at
            at += 1
    yield end
