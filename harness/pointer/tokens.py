"""Tokens of a pointer program's text."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.bytecode.tokens import parse_integer
from harness.errors import InputError, quoted

if TYPE_CHECKING:
    from harness.bytecode.tokens import Locate
    from harness.pointer.program import ArithmeticOperator, Comparison

_TOKEN = re.compile(
    r"""(?P<blank>[ \t\r]+|//.*)
      | (?P<number>[0-9][0-9A-Za-z_]*)
      | (?P<word>[A-Za-z_][0-9A-Za-z_]*)
      | (?P<symbol>\.\.|::|<<|>>|<=|>=|==|!=|[()\[\]{},:;=.&*+\-|^<>])""",
    re.VERBOSE,
)

WIDTHS = {"u8": 1, "u16": 2, "u32": 4, "u64": 8, "u128": 16}
"""Bytes of the integer types."""

COMPARISONS: dict[str, Comparison] = {
    "==": "eq",
    "!=": "ne",
    "<": "lt",
    "<=": "le",
    ">": "gt",
    ">=": "ge",
}
OPERATORS: dict[str, ArithmeticOperator] = {
    "+": "add",
    "-": "sub",
    "*": "mul",
    "&": "and",
    "|": "or",
    "^": "xor",
    "<<": "shl",
    ">>": "shr",
    "==": "eq",
    "!=": "ne",
    "<": "lt",
    "<=": "le",
    "div": "div",
    "rem": "rem",
    "sdiv": "sdiv",
    "srem": "srem",
    "sar": "sar",
    "slt": "slt",
    "sle": "sle",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """kind: `number`, `word`, `symbol` or `end`. offset: of the first character in the text."""

    kind: str
    text: str
    offset: int


@dataclass(slots=True, kw_only=True)
class Line:
    """The tokens of one line, taken one after the other. end: offset behind its last token."""

    tokens: tuple[Token, ...]
    end: int
    locate: Locate
    next: int = 0

    @property
    def start(self) -> int:
        return self.tokens[0].offset

    def peek(self, ahead: int = 0) -> Token:
        at = self.next + ahead
        if at < len(self.tokens):
            return self.tokens[at]
        return Token(kind="end", text="", offset=self.end)

    def at(self, *texts: str) -> bool:
        """Whether the next tokens are `texts`."""
        next_ = self.tokens[self.next : self.next + len(texts)]
        return [token.text for token in next_] == [*texts]

    def take(self) -> Token:
        token = self.peek()
        self.next += 1
        return token

    def accept(self, *texts: str) -> bool:
        """Take the next tokens if they are `texts`."""
        if not self.at(*texts):
            return False
        self.next += len(texts)
        return True

    def expect(self, *texts: str, usage: str) -> None:
        """Take the next tokens, which must be `texts`. Raises: InputError."""
        for text in texts:
            if not self.accept(text):
                raise self.unexpected(f"{quoted(text)} is wanted", usage)

    def name(self, usage: str) -> str:
        """Take a variable's name. Raises: InputError."""
        if self.peek().kind != "word":
            raise self.unexpected("a variable is wanted", usage)
        return self.take().text

    def number(self, usage: str) -> int:
        """Take a number without a sign. Raises: InputError."""
        if self.peek().kind != "number":
            raise self.unexpected("a number is wanted", usage)
        token = self.take()
        try:
            return parse_integer(token.text)
        except InputError as error:
            raise self.error(token, error.message, error.remedy) from None

    def operand(self, usage: str) -> int | str:
        """Take a number or an integer variable. Raises: InputError."""
        return self.take().text if self.peek().kind == "word" else self.number(usage)

    def integer_type(self, usage: str) -> int:
        """Take `u16` or the like; its bytes. Raises: InputError."""
        width = WIDTHS.get(self.peek().text)
        if width is None:
            raise self.unexpected(f"one of {', '.join(WIDTHS)} is wanted", usage)
        self.take()
        return width

    def cast(self, usage: str) -> int:
        """Take `as [u8; 4]`; its size. Raises: InputError."""
        self.expect("as", "[", "u8", ";", usage=usage)
        size = self.number(usage)
        self.expect("]", usage=usage)
        return size

    def align(self, usage: str) -> int:
        """Take `align 4`, if it stands here; 1 if not. Raises: InputError."""
        return self.number(usage) if self.accept("align") else 1

    def done(self, usage: str) -> None:
        """Check that the line ends here. Raises: InputError."""
        if self.peek().kind != "end":
            raise self.unexpected("the line should end", usage)

    def unexpected(self, wanted: str, usage: str) -> InputError:
        """A complaint about the next token, where something else is wanted."""
        token = self.peek()
        seen = quoted(token.text) if token.text else "the line's end"
        return self.error(token, f"{wanted}, but here is {seen}", usage)

    def error(self, token: Token, message: str, remedy: str) -> InputError:
        return InputError(self.locate(token.offset), message, remedy)


def lines(text: str, locate: Locate) -> list[Line]:
    """The lines of `text` that have tokens.

    Raises: InputError, at a character that begins no token.
    """
    found: list[Line] = []
    offset = 0
    for line in text.split("\n"):
        tokens = _tokens(line, offset, locate)
        if tokens:
            end = tokens[-1].offset + len(tokens[-1].text)
            found.append(Line(tokens=tuple(tokens), end=end, locate=locate))
        offset += len(line) + 1
    return found


def _tokens(line: str, offset: int, locate: Locate) -> list[Token]:
    tokens: list[Token] = []
    at = 0
    while at < len(line):
        match = _TOKEN.match(line, at)
        if match is None:
            remedy = "a comment begins with //" if line[at] == "#" else "docs/pointer-language.md"
            message = f"unexpected character {quoted(line[at])}"
            raise InputError(locate(offset + at), message, remedy)
        kind = match.lastgroup or "blank"
        if kind != "blank":
            tokens.append(Token(kind=kind, text=match.group(), offset=offset + at))
        at = match.end()
    return tokens
