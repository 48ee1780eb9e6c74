"""The human format of rustc's and Miri's messages: what a person sees and pastes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from harness.diagnostics.message import Message, Note, Transcript
from harness.outcome import Span

_HEAD = re.compile(
    r"^(error: internal compiler error|error|warning|fatal error)(?:\[([A-Z]\d+)\])?: (.*)$"
)
_LONE_NOTE = re.compile(r"^(note|help): (.*)$")
_PLACE = re.compile(r"^ *(?:-->|:::) (.+?):(\d+):(\d+)$")
_ATTACHED_NOTE = re.compile(r"^ *= (note|help): (.*)$")


def read_human(stderr: bytes) -> Transcript:
    """Read the default format of rustc and Miri.

    A program that prints text of this shape cannot be told from the tool: where there is a
    choice, `harness.diagnostics.message.read_json` is the surer way.
    """
    entries: list[Message | str] = []
    block: _Block | None = None
    for line in stderr.decode(errors="replace").splitlines():
        if block is not None and block.take(line):
            continue
        if block is not None:
            entries.append(block.message())
            block = None
        if head := _HEAD.match(line):
            level, code, text = head.groups()
            block = _Block(level=level, code=code, text=text)
        elif note := _LONE_NOTE.match(line):
            block = _Block(level=note[1], code=None, text=note[2])
        else:
            entries.append(line)
    if block is not None:
        entries.append(block.message())
    return Transcript(entries=tuple(entries))


@dataclass(slots=True)
class _Block:
    """The lines of one message, from its headline to the empty line after it."""

    level: str
    code: str | None
    text: str
    span: Span | None = None
    notes: list[_OpenNote] = field(default_factory=list)

    def take(self, line: str) -> bool:
        """Add a line; whether it belongs here."""
        if not line or _HEAD.match(line):
            return False
        if place := _PLACE.match(line):
            span = Span(file=place[1], line=int(place[2]), column=int(place[3]))
            if self.notes and self.notes[-1].attached is False:
                self.notes[-1].span = self.notes[-1].span or span
            else:
                self.span = self.span or span
        elif note := _LONE_NOTE.match(line):
            self.notes.append(_OpenNote(level=note[1], lines=[note[2]], attached=False))
        elif note := _ATTACHED_NOTE.match(line):
            self.notes.append(_OpenNote(level=note[1], lines=[note[2]], attached=True))
        elif line.startswith(" " * 6) and "|" not in line and self.notes:
            self.notes[-1].lines.append(line)
        return True

    def message(self) -> Message:
        return Message(
            level=self.level,
            text=self.text,
            code=self.code,
            span=self.span,
            notes=tuple(note.close() for note in self.notes),
        )


@dataclass(slots=True)
class _OpenNote:
    level: str
    lines: list[str]
    attached: bool
    span: Span | None = None

    def close(self) -> Note:
        return Note(level=self.level, text="\n".join(self._dedented()), span=self.span)

    def _dedented(self) -> Iterator[str]:
        """The lines without the indent that the format gives to all but the first."""
        first, *rest = self.lines
        yield first
        indent = min((len(line) - len(line.lstrip()) for line in rest), default=0)
        for line in rest:
            yield line[indent:]
