"""Segments: what many interpreters in one process say, cut into one piece for each as it comes.

Miri writes `Trying seed: N` before each interpreter. With `-Zthreads=1` what stands between two
such lines of standard error belongs to the first, and is complete when the second is there. An
item is attributed only if its segment names it, nobody else, and is the first to do so, and
either its error is there, or a record of its own says how it ended.

A panic is an error like any other: `miri_start` catches none, so that Miri stops where it would
leave it, and what the panic said of itself stands before that in the same segment.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol

from harness.diagnostics.failure import Failure, read_error, read_panic
from harness.diagnostics.message import Message, Transcript, read_json
from harness.engines.miri_records import Ended, RecordReader

BEGIN = "harness-begin "
"""What stands before an item's number in the line that says that it begins."""

_UNCAUGHT = "unwinding past the topmost frame"
"""Part of the error of a panic that leaves `miri_start`: without the runtime nobody catches it."""

Written = bytes | bytearray

_SEED = re.compile(r"Trying seed: (\d+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stopped:
    """How an item did not come to its end: its first error, and all that was said before it."""

    failure: Failure
    transcript: Transcript


@dataclass(frozen=True, slots=True, kw_only=True)
class Attributed:
    """What one interpreter did of an item."""

    item: int
    seed: int
    said: Ended | Stopped


class Records(Protocol):
    """What reads on standard output how items ended; by default a `RecordReader`."""

    def read(self, stdout: Written) -> None:
        """Go on with what is new. stdout: all that was written so far."""

    def find(self, item: int) -> Ended | None:
        """How the item ended; None if nothing certain says so."""


@dataclass(slots=True, kw_only=True)
class _Segment:
    seed: int
    begun: list[int] = field(default_factory=list)
    entries: list[Message | str] = field(default_factory=list)


class SegmentReader:
    """Reads what one process writes; what is not certain never comes out.

    count: of interpreters that started. last_begun: the item that the last of them began, if
    any. begun: the seed under which each item last began.
    """

    def __init__(self, records: Records | None = None) -> None:
        self.count = 0
        self.last_begun: int | None = None
        self.begun: dict[int, int] = {}
        self._records = records or RecordReader()
        self._read = 0
        self._current: _Segment | None = None
        # Complete and without an error. Their records may be a moment late: that is another pipe.
        self._waiting: dict[int, _Segment] = {}

    def hear(self, stdout: Written, stderr: Written) -> Iterator[Attributed]:
        """What has become certain. stdout, stderr: all that was written so far."""
        self._records.read(stdout)
        end = stderr.rfind(b"\n", self._read) + 1
        if end:
            entries = read_json(bytes(stderr[self._read : end])).entries
            self._read = end
            for entry in entries:
                yield from self._take(entry)
        yield from self._late()

    def end(self, stdout: Written, stderr: Written, *, is_whole: bool) -> Iterator[Attributed]:
        """What is certain now that nothing follows.

        is_whole: False if the process was ended, so that its last words may be cut short.
        """
        rest = b"" if stderr.endswith(b"\n") else b"\n"
        yield from self.hear(stdout, stderr + rest)
        if is_whole:
            yield from self._complete()
        yield from self._late()

    def _take(self, entry: Message | str) -> Iterator[Attributed]:
        if isinstance(entry, str) and (seed := _SEED.fullmatch(entry)):
            yield from self._complete()
            self._current = _Segment(seed=int(seed[1]))
            self.count += 1
            self.last_begun = None
        elif self._current is None:
            # Before the first interpreter the compiler speaks.
            return
        elif isinstance(entry, str) and entry.startswith(BEGIN):
            number = entry.removeprefix(BEGIN)
            if number.isdecimal():
                self._begin(self._current, int(number))
        else:
            self._current.entries.append(entry)

    def _begin(self, segment: _Segment, item: int) -> None:
        segment.begun.append(item)
        if item in self.begun:
            # Somebody has said so before, and nobody knows which of the two is right.
            self._waiting.pop(item, None)
            segment.begun.append(item)
        self.begun[item] = segment.seed
        self.last_begun = item

    def _complete(self) -> Iterator[Attributed]:
        segment, self._current = self._current, None
        if segment is None or len(segment.begun) != 1:
            return
        [item] = segment.begun
        for number, entry in enumerate(segment.entries):
            if isinstance(entry, Message) and entry.is_error:
                said = stopped(Transcript(entries=tuple(segment.entries[: number + 1])), entry)
                if said is not None:
                    yield Attributed(item=item, seed=segment.seed, said=said)
                return
        self._waiting[item] = segment

    def _late(self) -> Iterator[Attributed]:
        for item in list(self._waiting):
            ended = self._records.find(item)
            if ended is not None:
                segment = self._waiting.pop(item)
                yield Attributed(item=item, seed=segment.seed, said=ended)


def stopped(transcript: Transcript, error: Message) -> Stopped | None:
    """How an error ends an item; None for a panic that has said nothing of itself."""
    failure = read_panic(transcript.text) if _UNCAUGHT in error.text else read_error(error)
    return None if failure is None else Stopped(failure=failure, transcript=transcript)
