"""An account of one failure: what it is, which rule it breaks, where its pointer came from."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from harness.diagnostics.failure import Failure
from harness.diagnostics.message import Frame, Message, Note
from harness.explain.rules import Rule
from harness.outcome import (
    FaultKind,
    Outcome,
    Span,
    ToolFailed,
    UndefinedBehaviour,
    UnsupportedKind,
)
from harness.usercode.broken_rules import broken_rule, meaning, rule_named
from harness.usercode.log import LoggedFailure
from harness.usercode.repairs import Repair, repairs
from harness.usercode.source_lines import SourceLines

SHOWN_FRAMES = 5
"""Functions of the stack that are named at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """A place in the source with what happened there.

    line: the source; empty if it is not at hand. function: the one that the place is in, where
    it is told.
    """

    what: str
    span: Span
    line: str
    function: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """kind: None where the outcome has none, or the log stops before it can be told.

    rule_name, rule: the broken one; None where none is, or the words fit none that is known.
    meaning: what an outcome without a broken rule means. points: in the order of telling.
    states: what Miri says of the tags that has no place of its own.
    seeds: those under which it was seen, where they are known. whole: whether all was read.
    """

    outcome: Outcome
    message: str
    kind: FaultKind | UnsupportedKind | None
    rule_name: str | None
    rule: Rule | None
    meaning: str
    points: tuple[Point, ...]
    states: tuple[str, ...]
    repairs: tuple[Repair, ...]
    seeds: tuple[int, ...] = ()
    whole: bool = True


def account_of(logged: LoggedFailure, sources: SourceLines) -> Account:
    """The account of a failure that a log has."""
    outcome, message = logged.failure.outcome, logged.message
    notes = message.notes if message is not None else ()
    name = None
    if isinstance(outcome, UndefinedBehaviour) and logged.kind_is_known:
        name = broken_rule(outcome, [note.text for note in notes])
    return Account(
        outcome=outcome,
        message=_words_of_tool(outcome, message),
        kind=getattr(outcome, "kind", None) if logged.kind_is_known else None,
        rule_name=name,
        rule=None if name is None else rule_named(name),
        meaning=meaning(outcome),
        points=tuple(_points(logged.failure, message, sources)),
        states=tuple(_states(notes)),
        repairs=repairs(outcome) if logged.kind_is_known else (),
        seeds=logged.seeds,
        whole=logged.whole,
    )


def _words_of_tool(outcome: Outcome, message: Message | None) -> str:
    """The headline as it stands in the log; of the compiler's errors with their code."""
    if message is None or isinstance(outcome, ToolFailed):
        return getattr(outcome, "message", "")
    return message.text


def is_library(span: Span) -> bool:
    """Whether the place is in the standard library or a dependency, not in the user's code."""
    return _LIBRARY.search(span.file) is not None


_LIBRARY = re.compile(
    r"^RUST_SRC/|/rustlib/src/rust/|^/rustc/|/\.?cargo/registry/|/registry/src/|/git/checkouts/"
)

_ROLES: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), words)
    for pattern, words in (
        (r"is this argument$", "protected argument"),
        (r"protected tag <?\d+>?.* was created here", "protected argument"),
        (r"conflicting tag .* was created here", "tag in its way made"),
        (r"was created by a |was created here|have been created", "pointer made"),
        (r"was later invalidated", "pointer died"),
        (r"later transitioned to Disabled", "pointer died"),
        (r"later transitioned to Frozen", "pointer frozen"),
        (r"later transitioned to", "right lost"),
        (r"was allocated here", "memory allocated"),
        (r"was deallocated here", "memory freed"),
        (r"^and \(1\) occurred earlier here", "other access"),
        (r"got called indirectly due to this code", "called from"),
    )
)


def _points(failure: Failure, message: Message | None, sources: SourceLines) -> Iterator[Point]:
    outcome = failure.outcome
    location = getattr(outcome, "location", None)
    span = location.span if location is not None else None
    told = set()
    if span is not None:
        what = "memory allocated" if outcome.name == "leaked" else "happened"
        yield Point(what=what, span=span, line=sources.line(span))
        told.add(span)
    notes = message.notes if message is not None else ()
    frames = failure.frames if len(failure.frames) > 1 else tuple(_older_frames(notes))
    for frame in _worth_naming(frames):
        if frame.span not in told:
            told.add(frame.span)
            line = sources.line(frame.span)
            yield Point(what="called from", span=frame.span, line=line, function=frame.function)
    for note in notes:
        what = next((words for pattern, words in _ROLES if pattern.search(note.text)), "")
        if note.span is not None and what:
            yield Point(what=what, span=note.span, line=sources.line(note.span))


def _worth_naming(frames: Sequence[Frame]) -> Sequence[Frame]:
    """The user's own functions, innermost first; all of them where none is."""
    own = [frame for frame in frames if not is_library(frame.span)]
    return (own or frames)[:SHOWN_FRAMES]


_INSIDE = re.compile(
    r"^inside (?:`(?P<function>.+)`|closure)"
    r"(?: at (?P<file>.+?):(?P<line>\d+):(?P<column>\d+)(?:: \d+:\d+)?)?$"
)


def _older_frames(notes: Sequence[Note]) -> Iterator[Frame]:
    """The stack as Miri showed it until 2025, a note for each function."""
    for note in notes:
        found = _INSIDE.match(note.text)
        if found is None:
            continue
        span = note.span
        if span is None and found["file"]:
            line, column = int(found["line"]), int(found["column"])
            span = Span(file=found["file"], line=line, column=column)
        if span is not None:
            yield Frame(function=found["function"] or "a closure", span=span)


_STATE = re.compile(
    r"has state .* which forbids|is foreign to the|would cause the .* tag|must never be"
    r"|this transition corresponds to|is a child of the"
)


def _states(notes: Sequence[Note]) -> Iterator[str]:
    for note in notes:
        if note.span is None and _STATE.search(note.text):
            yield note.text
