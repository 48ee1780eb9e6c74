"""Messages: what rustc and Miri say on stderr, in either of their formats, as data.

Stderr holds more than messages: seed lines, panics, what the program itself prints, even
text that looks like a message. A message of the JSON format is a line with `$message_type`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import msgspec

from harness.outcome import Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """A `help` or `note` under a message, with a place of its own or without."""

    level: str
    text: str
    span: Span | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One diagnostic.

    level: `error`, `warning`, `note`, `failure-note`, `error: internal compiler error`, …
    text: the headline without its level and code. code: such as `E0308`.
    span: the primary one; None where the message has no place.
    """

    level: str
    text: str
    code: str | None = None
    span: Span | None = None
    notes: tuple[Note, ...] = ()

    @property
    def is_error(self) -> bool:
        """Whether it is an error of its own, and not the count of those that came before."""
        return self.level.startswith(("error", "fatal error")) and not self.text.startswith(
            "aborting due to "
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """A function on the stack, and the place in it that was reached."""

    function: str
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Transcript:
    """What a process wrote on stderr, in order: messages, and the lines between them."""

    entries: tuple[Message | str, ...]

    @property
    def messages(self) -> tuple[Message, ...]:
        return tuple(entry for entry in self.entries if isinstance(entry, Message))

    @property
    def text(self) -> str:
        """Everything that is no message, one line per entry."""
        return "\n".join(entry for entry in self.entries if isinstance(entry, str))


def backtrace(message: Message) -> tuple[Frame, ...]:
    """The stack that the message shows, innermost first; empty for one function alone."""
    for note in message.notes:
        if note.text.startswith("stack backtrace:"):
            return tuple(_read_frames(note.text))
    return ()


def read_json(stderr: bytes) -> Transcript:
    """Read what `--error-format=json` made rustc or Miri write."""
    entries: list[Message | str] = []
    for line in stderr.decode(errors="replace").splitlines():
        # A program that prints without a line's end leaves its text before the message.
        before, brace, after = line.partition(_JSON_START)
        message = message_from_json(f"{brace}{after}".encode()) if brace else None
        if message is None:
            entries.append(line)
            continue
        if before:
            entries.append(before)
        entries.append(message)
    return Transcript(entries=tuple(entries))


_JSON_START = '{"$message_type":"diagnostic"'


class _JsonSpan(msgspec.Struct):
    file_name: str
    line_start: int
    column_start: int
    is_primary: bool


class _JsonNote(msgspec.Struct):
    message: str
    level: str
    spans: list[_JsonSpan]


class _JsonCode(msgspec.Struct):
    code: str


class _JsonMessage(msgspec.Struct):
    message: str
    level: str
    code: _JsonCode | None
    spans: list[_JsonSpan]
    children: list[_JsonNote]


_decoder = msgspec.json.Decoder(_JsonMessage)


def message_from_json(data: bytes) -> Message | None:
    """The message that rustc wrote as one JSON object; None if it is anything else."""
    try:
        read = _decoder.decode(data)
    except msgspec.DecodeError:
        return None
    return Message(
        level=read.level,
        text=read.message,
        code=read.code.code if read.code else None,
        span=_primary_span(read.spans),
        notes=tuple(
            Note(level=note.level, text=note.message, span=_primary_span(note.spans))
            for note in read.children
        ),
    )


def _primary_span(spans: list[_JsonSpan]) -> Span | None:
    for span in spans:
        if span.is_primary:
            return Span(file=span.file_name, line=span.line_start, column=span.column_start)
    return None


# A place is followed by where it ends, as in `    at main.rs:4:14: 4:24`.
_FRAME = re.compile(r"^\d+: (.+)\n    at (.+?):(\d+):(\d+)(?:: \d+:\d+)?$", re.MULTILINE)


def _read_frames(text: str) -> Iterator[Frame]:
    for function, file, line, column in _FRAME.findall(text):
        yield Frame(function=function, span=Span(file=file, line=int(line), column=int(column)))
