"""Failures: from the messages of a process to what they say about the program.

The exit code does not tell undefined behaviour from a leak, a compile error or an unknown
flag, which all end with 1; the messages do.
"""

from __future__ import annotations

import re
import signal
from dataclasses import dataclass

from harness.diagnostics.kinds import UNDEFINED, UNSUPPORTED, fault_kind, unsupported_kind
from harness.diagnostics.message import Frame, Message, Note, Transcript, backtrace
from harness.outcome import (
    NOWHERE,
    Leaked,
    Location,
    Outcome,
    Panicked,
    Span,
    TimedOut,
    ToolFailed,
    UndefinedBehaviour,
    Unsupported,
)

PANIC_EXIT_CODE = 101
"""The status of a process whose main thread panicked; cargo's too, when a build fails."""

LONGEST_EXCERPT = 2000
"""Characters of unread output that a message quotes at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why a run did not come to its end.

    frames: the functions that were active, innermost first, with the library's own; the
    first place is where the tool saw the fault. Empty where no place is known.
    """

    outcome: Outcome
    frames: tuple[Frame, ...] = ()


def read_failure(transcript: Transcript, exit_code: int) -> Failure | None:
    """What went wrong in a process that ended by itself; None if nothing did.

    exit_code: minus the signal's number for a process that a signal ended.
    """
    errors = [message for message in transcript.messages if message.is_error]
    if errors:
        return read_error(errors[0])
    if exit_code == 0:
        return None
    if exit_code in (PANIC_EXIT_CODE, -signal.SIGABRT):
        panic = read_panic(transcript.text)
        if panic is not None:
            return panic
    ending = f"ended by {_name_signal(-exit_code)}" if exit_code < 0 else f"exit code {exit_code}"
    said = transcript.text.strip()
    excerpt = f": {said[-LONGEST_EXCERPT:]}" if said else " without a word"
    return Failure(outcome=ToolFailed(message=ending + excerpt))


def read_error(message: Message) -> Failure:
    """What one message of level error says about the program."""
    frames = backtrace(message)
    if not frames and message.span:
        frames = (Frame(function="", span=message.span),)
    location = Location(span=message.span) if message.span else NOWHERE
    return Failure(outcome=_classify(message, location), frames=frames)


def read_panic(text: str) -> Failure | None:
    """The first panic that the text reports; later ones follow from it."""
    found = _PANIC.search(text)
    if found is None:
        return None
    span = Span(file=found["file"], line=int(found["line"]), column=int(found["column"]))
    message = found["message"].strip()
    if found["thread"] == "rustc":
        return Failure(outcome=ToolFailed(message=f"the compiler panicked at {span}: {message}"))
    return Failure(
        outcome=Panicked(message=message, location=Location(span=span)),
        frames=(Frame(function="", span=span),),
    )


_PANIC = re.compile(
    r"^thread '(?P<thread>[^']*)' (?:\(\d+\) )?panicked at "
    r"(?P<file>.+?):(?P<line>\d+):(?P<column>\d+):\n"
    r"(?P<message>(?:(?!note: |stack backtrace:|thread ').*(?:\n|\Z))*)",
    re.MULTILINE,
)


def _classify(message: Message, location: Location) -> Outcome:
    text = message.text
    # What rustc itself finds has a code, or none of Miri's prefixes.
    if message.level != "error" or message.code:
        return ToolFailed(message=_compiler_error(message), location=location)
    if text.startswith(UNDEFINED):
        return UndefinedBehaviour(
            kind=fault_kind(text, (note.text for note in message.notes)),
            message=text,
            location=location,
            created=_place_of(message.notes, _CREATED),
            invalidated=_place_of(message.notes, _INVALIDATED, last=True),
        )
    if text.startswith(UNSUPPORTED):
        return Unsupported(kind=unsupported_kind(text), message=text, location=location)
    if text.startswith("abnormal termination: "):
        return Panicked(message=text, location=location)
    if text.startswith("memory leaked: "):
        return Leaked(message=text, location=location)
    # Neither of these would ever have come to an end.
    if text.startswith("resource exhaustion: ") or text.endswith(" deadlocked"):
        return TimedOut(message=text, by_limit=False)
    return ToolFailed(message=_compiler_error(message), location=location)


def _compiler_error(message: Message) -> str:
    code = f"[{message.code}]" if message.code else ""
    return f"{message.level}{code}: {message.text}"


_CREATED = re.compile(r"was created by a |was created here|was allocated here|have been created")
_INVALIDATED = re.compile(r"was later invalidated|later transitioned to|was deallocated here")


def _place_of(
    notes: tuple[Note, ...], pattern: re.Pattern[str], *, last: bool = False
) -> Location | None:
    """Where the first (or last) note that matches points to."""
    found = [note.span for note in notes if note.span and pattern.search(note.text)]
    return Location(span=found[-1 if last else 0]) if found else None


def _name_signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
