"""Tokens of the assembly text, the integers in it, and places in it."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from harness.errors import InputError, Place, quoted

Locate = Callable[[int], Place]
"""From an offset in a text, in code points, to the place in the file that holds the text."""


class TokenKind(StrEnum):
    WORD = "word"
    NUMBER = "number"
    ARROW = "arrow"
    COMMA = "comma"
    OPEN = "open"
    CLOSE = "close"
    COLON = "colon"


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """offset: of the first character, from the beginning of the text."""

    kind: TokenKind
    text: str
    offset: int

    @property
    def end(self) -> int:
        return self.offset + len(self.text)


_TOKEN = re.compile(
    r"""(?P<blank>[ \t]+|\#.*)
      | (?P<arrow>->)
      | (?P<comma>,)
      | (?P<open>\[)
      | (?P<close>\])
      | (?P<colon>:)
      | (?P<number>-?[0-9][0-9A-Za-z_.]*)
      | (?P<word>[A-Za-z_][0-9A-Za-z_.]*)""",
    re.VERBOSE,
)

_COMMENT = "a comment begins with #"
_BRACKETS = "a memory operand is an address in square brackets: [2]"
_ARROW = "the destination stands last, after ->"
_REMEDIES = {
    ";": _COMMENT,
    "/": _COMMENT,
    "(": _BRACKETS,
    ")": _BRACKETS,
    "{": _BRACKETS,
    "}": _BRACKETS,
    "=": _ARROW,
    ">": _ARROW,
    "→": "an arrow is written ->",
    "+": "a number has no sign; operands are separated by commas",
    "-": "an arrow is written ->; numbers are unsigned",
}


def tokens(line: str, offset: int, locate: Locate) -> Iterator[Token]:
    """The tokens of one line, which begins at `offset` in the text.

    Raises: InputError, at a character that begins no token.
    """
    at = 0
    while at < len(line):
        match = _TOKEN.match(line, at)
        if match is None:
            raise InputError(
                locate(offset + at),
                f"unexpected character {_character(line[at])}",
                _REMEDIES.get(
                    line[at], "an instruction is written like this: add.u16 [2], [4] -> [6]"
                ),
            )
        kind = match.lastgroup
        if kind is not None and kind != "blank":
            yield Token(kind=TokenKind(kind), text=match.group(), offset=offset + at)
        at = match.end()


def parse_integer(text: str) -> int:
    """The number that `text` writes: decimal, `0x…` or `0b…`, digits grouped with `_`.

    Raises: InputError without a place.
    """
    sign, digits = (-1, text[1:]) if text.startswith("-") else (1, text)
    for pattern, base in _INTEGERS:
        if pattern.fullmatch(digits):
            if len(digits) > _LONGEST_INTEGER:
                raise InputError(
                    None,
                    f"the number {quoted(text, 16)} has {len(digits)} characters",
                    f"no number here needs more than {_LONGEST_INTEGER}",
                )
            return sign * int(digits, base)
    if re.fullmatch("0[0-9_]+", digits):
        plain = digits.lstrip("0_") or "0"
        remedy = f"write {_cut(plain)}: a decimal number has no leading zero, and octal is not read"
    elif digits[:2] in ("0X", "0B"):
        remedy = f"write {_cut(digits[:2].lower() + digits[2:])}: the prefix is in lower case"
    else:
        remedy = "a number is decimal (42), hexadecimal (0x2a) or binary (0b10_1010)"
    raise InputError(None, f"{quoted(text)} is not a number", remedy)


_INTEGERS = (
    (re.compile("(0|[1-9](_?[0-9])*)"), 10),
    (re.compile("0x[0-9a-fA-F](_?[0-9a-fA-F])*"), 16),
    (re.compile("0b[01](_?[01])*"), 2),
)
_LONGEST_INTEGER = 100


def locate_in(text: str, file: str) -> Locate:
    """Places in `text`, where the text is the whole of `file`."""
    starts = [0, *(match.end() for match in re.finditer("\n", text))]

    def locate(offset: int) -> Place:
        line = bisect_right(starts, offset)
        return Place(file=file, line=line, column=offset - starts[line - 1] + 1)

    return locate


def _cut(text: str) -> str:
    return text if len(text) <= 40 else text[:40] + "…"


def _character(character: str) -> str:
    if character.isascii() and character.isprintable():
        return quoted(character)
    name = unicodedata.name(character, "a control character")
    return f"{quoted(character)} (U+{ord(character):04X}, {name})"
