"""Places: from the lines of generated Rust back to the statements that they stand for."""

from __future__ import annotations

from dataclasses import replace
from typing import assert_never

from harness.diagnostics.failure import Failure
from harness.outcome import (
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
)
from harness.pointer.rust import RustSource


def place_in_program(failure: Failure, source: RustSource, file: str) -> Outcome:
    """The failure's outcome with the statements behind its places.

    file: the source's own, as the tool names it. What fails in the standard library or the
    prelude belongs to the innermost caller among the program's lines.
    """
    match outcome := failure.outcome:
        case UndefinedBehaviour():
            return replace(
                outcome,
                location=_innermost(failure, outcome.location, source, file),
                created=_placed(outcome.created, source, file),
                invalidated=_placed(outcome.invalidated, source, file),
            )
        case Unsupported() | Panicked() | Leaked() | ToolFailed():
            return replace(outcome, location=_innermost(failure, outcome.location, source, file))
        case Ran() | Trapped() | TimedOut():
            return outcome
        case _:
            assert_never(outcome)


def _innermost(failure: Failure, location: Location, source: RustSource, file: str) -> Location:
    for frame in failure.frames:
        if frame.span.file == file and frame.span.line in source.lines:
            return replace(location, path=source.lines[frame.span.line][1])
    return location


def _placed(location: Location | None, source: RustSource, file: str) -> Location | None:
    if location is None or location.span is None or location.span.file != file:
        return location
    origin = source.lines.get(location.span.line)
    return replace(location, path=origin[1]) if origin else location
