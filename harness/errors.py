"""The three ways in which something is wrong outside the program under test.

A program's own fault is never an exception: it is a value in `harness.outcome`. What is
raised here is a person's mistake (`InputError`), something that this machine lacks
(`MissingTool`), or a mistake in this package (`HarnessFault`).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A place in a text file.

    line, column: counted from 1, columns in Unicode code points; 0 where not known.
    """

    file: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        if not self.line:
            return self.file
        return f"{self.file}:{self.line}:{self.column or 1}"


class HarnessError(Exception):
    """Anything that ends in a message for the user instead of a traceback."""


class InputError(HarnessError):
    """A file or an option is wrong (exit code 2).

    `message` says what is wrong, `remedy` what would be right.
    """

    def __init__(self, place: Place | None, message: str, remedy: str = "") -> None:
        self.place = place
        self.message = message
        self.remedy = remedy
        super().__init__(str(self))

    def __str__(self) -> str:
        where = f"{self.place}: " if self.place else ""
        remedy = f"\n  {self.remedy}" if self.remedy else ""
        return f"{where}{self.message}{remedy}"


class MissingTool(HarnessError):
    """A tool that was asked for by name is not here or too old (exit code 3)."""

    def __init__(self, message: str, remedy: str) -> None:
        self.message = message
        self.remedy = remedy
        super().__init__(f"{message}\n  {remedy}")


class HarnessFault(HarnessError):
    """This package contradicts itself (exit code 4); never counted as a finding."""


class TomlError(ValueError):
    """A text is not TOML; `harness._native.parse_toml` raises it, which knows of no file.

    line, column: counted from 1, columns in Unicode code points.
    """

    def __init__(self, message: str, line: int, column: int) -> None:
        self.message = message
        self.line = line
        self.column = column
        super().__init__(f"{line}:{column}: {message}")


class RustError(ValueError):
    """A text is not Rust; `harness._native.rust_names` raises it, which knows of no file.

    line, column: in the text, counted from 1, columns in Unicode code points.
    """

    def __init__(self, message: str, line: int, column: int) -> None:
        self.message = message
        self.line = line
        self.column = column
        super().__init__(f"{line}:{column}: {message}")


def printable(text: str) -> str:
    """`text` as it may stand in a message or a report: no control characters, no surrogates."""
    return "".join(
        each if each.isprintable() else each.encode("unicode_escape").decode("ascii")
        for each in text
    )


def quoted(text: str, limit: int = 40) -> str:
    """`text` in quotation marks, printable, and cut after `limit` characters."""
    shown = text if len(text) <= limit else text[:limit] + "…"
    return f"'{printable(shown)}'"
