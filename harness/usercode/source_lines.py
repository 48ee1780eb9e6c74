"""Lines of the source that ran: as a log quotes them, else as the file has them now."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import msgspec

from harness.errors import printable
from harness.outcome import Span

LARGEST_FILE = 4 << 20
"""Bytes of a source file that is looked into at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceLines:
    """quoted: lines by file and number, as the tool printed them when it ran.

    roots: folders in which the files of a log are looked for where it quotes no line.
    """

    quoted: Mapping[tuple[str, int], str] = field(default_factory=dict)
    roots: tuple[Path, ...] = ()

    def line(self, span: Span) -> str:
        """The line that `span` is in, without its indent; empty where it is not at hand."""
        found = self.quoted.get((span.file, span.line))
        if found is None:
            found = next(filter(None, (_line_of(root, span) for root in self.roots)), "")
        return printable(found.strip())


def lines_in_log(text: str) -> SourceLines:
    """The lines that the diagnostics in a log quote."""
    found: dict[tuple[str, int], str] = {}
    for line in text.split("\n"):
        _, brace, after = line.partition(_JSON)
        if brace:
            found |= dict(_quoted_in_json(f"{brace}{after}".encode()))
    return SourceLines(quoted=dict(_quoted_in_text(text)) | found)


def _line_of(root: Path, span: Span) -> str:
    path = root / span.file
    # A log may name any file; only Rust is source.
    if path.suffix != ".rs":
        return ""
    lines = _read(path)
    return lines[span.line - 1] if 0 < span.line <= len(lines) else ""


@cache
def _read(path: Path) -> tuple[str, ...]:
    try:
        if not path.is_file() or path.stat().st_size > LARGEST_FILE:
            return ()
        return tuple(path.read_text(encoding="utf-8", errors="replace").splitlines())
    except (OSError, ValueError):
        return ()


_JSON = '{"$message_type":"diagnostic"'


class _Text(msgspec.Struct):
    text: str


class _Span(msgspec.Struct):
    file_name: str
    line_start: int
    text: list[_Text]


class _Child(msgspec.Struct):
    spans: list[_Span]


class _Message(msgspec.Struct):
    spans: list[_Span]
    children: list[_Child]


_decoder = msgspec.json.Decoder(_Message)


def _quoted_in_json(data: bytes) -> Iterator[tuple[tuple[str, int], str]]:
    try:
        message = _decoder.decode(data)
    except msgspec.DecodeError:
        return
    spans = [*message.spans, *(span for child in message.children for span in child.spans)]
    for span in spans:
        for number, each in enumerate(span.text, start=span.line_start):
            yield (span.file_name, number), each.text


_ARROW = re.compile(r"^ *(?:-->|:::) (.+?):\d+:\d+$")
# A span of several lines has a bar before each of them.
_QUOTE = re.compile(r"^ *(\d+) \| ?(?:[/|] )?(.*)$")


def _quoted_in_text(text: str) -> Iterator[tuple[tuple[str, int], str]]:
    file = ""
    for line in text.split("\n"):
        if arrow := _ARROW.match(line):
            file = arrow[1]
        elif not line:
            file = ""
        elif file and (quote := _QUOTE.match(line)):
            yield (file, int(quote[1])), quote[2]
