"""Errors of constant evaluation: what rustc says of a constant that it could not evaluate.

The evaluator is Miri's own, so that its words for undefined behaviour are Miri's, without the
prefix; what it cannot do has words of its own.
"""

from __future__ import annotations

import re

from harness.diagnostics.failure import Failure
from harness.diagnostics.kinds import fault_kind
from harness.diagnostics.message import Frame, Message
from harness.outcome import (
    FaultKind,
    Location,
    Outcome,
    Panicked,
    TimedOut,
    UndefinedBehaviour,
    Unsupported,
    UnsupportedKind,
)

NOT_EVALUATED = "E0080"
"""The code of every such error."""

PANICKED = "evaluation panicked: "

# What the compiler inserts a check for has a text of its own, without that prefix.
_PANICS = (PANICKED, "index out of bounds: ", "attempt to ")
_LIMITS = re.compile(r"(unable to|constant accesses mutable|calling non-const|.* not supported)")
_EXHAUSTED = re.compile(r"(memory exhausted|tried to allocate more|reached the configured maximum)")
_READ_ONLY = "writing through a pointer that was derived from a shared"
"""The one rule of aliasing that evaluation has, which Miri leaves to its borrow models."""

_INSIDE = re.compile(r"inside `(.+)`", re.DOTALL)


def read_evaluation(message: Message) -> Failure:
    """What the error says of the constant, and the calls that led there."""
    frames = [
        Frame(function=inside[1], span=note.span)
        for note in reversed(message.notes)
        if note.span and (inside := _INSIDE.match(note.text))
    ]
    if message.span:
        frames.append(Frame(function="", span=message.span))
    location = Location(span=frames[0].span) if frames else Location()
    return Failure(outcome=_classify(message.text, location), frames=tuple(frames))


def _classify(text: str, location: Location) -> Outcome:
    if text.startswith(_PANICS):
        return Panicked(message=text, location=location)
    if _LIMITS.match(text):
        return Unsupported(kind=UnsupportedKind.OTHER, message=text, location=location)
    if _EXHAUSTED.match(text):
        return TimedOut(message=text, by_limit=False)
    kind = FaultKind.ALIASING if text.startswith(_READ_ONLY) else fault_kind(text)
    return UndefinedBehaviour(kind=kind, message=text, location=location)
