"""Segments: the standard error of many interpreters in one process, cut into one for each.

Miri writes `Trying seed: N` before each interpreter. With `-Zthreads=1` what stands between
two such lines belongs to the first. An item is attributed only if its segment names it, and
nobody else, and either its error is there, or a record of its own says how it ended.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from harness.diagnostics.message import Message, Transcript
from harness.engines.miri_records import Ended

BEGIN = "harness-begin "
"""What stands before an item's number in the line that says that it begins."""

_UNCAUGHT = "unwinding past the topmost frame"
"""Part of the error of a panic that leaves `miri_start`: without the runtime nobody catches it."""

_SEED = re.compile(r"Trying seed: (\d+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Attributed:
    """What one interpreter did of an item.

    said: how it ended, or the transcript up to and including its first error.
    """

    item: int
    seed: int
    said: Ended | Transcript


@dataclass(frozen=True, slots=True, kw_only=True)
class Segments:
    """What could be attributed, and the item that the last interpreter began, if any.

    count: of interpreters that started. begun: the seed under which each item last began.
    """

    count: int
    attributed: tuple[Attributed, ...]
    last_begun: int | None
    begun: Mapping[int, int]


@dataclass(slots=True, kw_only=True)
class _Segment:
    seed: int
    begun: list[int] = field(default_factory=list)
    entries: list[Message | str] = field(default_factory=list)


def cut(transcript: Transcript, records: Mapping[int, Ended], *, is_whole: bool) -> Segments:
    """Cut a transcript of `-Zmiri-many-seeds`; what is not certain is left out.

    records: of the items that ended, by number.
    is_whole: False if the process was ended, so that its last words may be cut short.
    """
    segments = list(_segments(transcript))
    times = Counter(item for segment in segments for item in segment.begun)
    attributed = []
    for segment in segments if is_whole else segments[:-1]:
        if len(segment.begun) != 1 or times[segment.begun[0]] != 1:
            continue
        item = segment.begun[0]
        said = _said(segment, records.get(item))
        if said is not None:
            attributed.append(Attributed(item=item, seed=segment.seed, said=said))
    last_begun = segments[-1].begun[-1] if segments and segments[-1].begun else None
    return Segments(
        count=len(segments),
        attributed=tuple(attributed),
        last_begun=last_begun,
        begun={item: segment.seed for segment in segments for item in segment.begun},
    )


def _said(segment: _Segment, ended: Ended | None) -> Ended | Transcript | None:
    errors = [
        number
        for number, entry in enumerate(segment.entries)
        if isinstance(entry, Message) and entry.is_error
    ]
    if errors:
        first = segment.entries[errors[0]]
        if isinstance(first, Message) and _UNCAUGHT in first.text:
            return None
        return Transcript(entries=tuple(segment.entries[: errors[0] + 1]))
    return ended


def _segments(transcript: Transcript) -> Iterator[_Segment]:
    current: _Segment | None = None
    for entry in transcript.entries:
        if isinstance(entry, str) and (seed := _SEED.fullmatch(entry)):
            if current is not None:
                yield current
            current = _Segment(seed=int(seed[1]))
        elif current is None:
            # Before the first interpreter the compiler speaks.
            continue
        elif isinstance(entry, str) and entry.startswith(BEGIN):
            number = entry.removeprefix(BEGIN)
            if number.isdecimal():
                current.begun.append(int(number))
        else:
            current.entries.append(entry)
    if current is not None:
        yield current
