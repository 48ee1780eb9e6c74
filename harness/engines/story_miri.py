"""Stories under Miri: the program with each story in its block's place, promises enforced."""

from __future__ import annotations

from dataclasses import replace

from harness.diagnostics.failure import Failure
from harness.diagnostics.message import Transcript
from harness.engines.miri_command import MAIN_FILE
from harness.engines.story_native import read_compile_errors
from harness.outcome import (
    NOWHERE,
    FaultKind,
    Outcome,
    Panicked,
    Ran,
    ToolFailed,
    UndefinedBehaviour,
    Unsupported,
)
from harness.story.block import Story
from harness.story.listing import Listing

SEEDS = 16
"""Under how many a story is told whose threads could meet in one order or another."""

STORY_FLAGS = (
    "-Zmiri-ignore-leaks",
    # A promise is broken where an order is missing; a reused address would make one.
    "-Zmiri-address-reuse-cross-thread-rate=0",
)


def story_flags(story: Story, seed: int | None) -> tuple[str, ...]:
    """Miri's flags for a story, beside those of its mode.

    seed: of a litmus test, which group of Miri's seeds; None is the first.
    """
    if story.litmus:
        first = (seed or 0) * SEEDS
        return (*STORY_FLAGS, f"-Zmiri-many-seeds={first}..{first + SEEDS}")
    return STORY_FLAGS if seed is None else (*STORY_FLAGS, f"-Zmiri-seed={seed}")


_PROMISES = {
    "Plain": None,
    "Pure": FaultKind.PURE,
    "Readonly": FaultKind.READONLY,
    "Nomem": FaultKind.NOMEM,
}


def read_story_run(
    output: str,
    transcript: Transcript,
    failure: Failure | None,
    listing: Listing,
    file: str = MAIN_FILE,
    *,
    in_seeds: bool,
) -> Outcome:
    """What a story's run under Miri comes to.

    file: what the listing is, as Miri's places name it.
    in_seeds: it was told several times, of which one may have failed after others held.
    """
    lines = output.splitlines()
    words = [line.partition(" ") for line in lines]
    advice = ", ".join(rest for word, _, rest in words if word == "advise")
    if any(line == "holds" for line in lines) and not (in_seeds and failure):
        # What comes after that is only about what could be promised besides.
        return Ran(advice=advice or None)
    for word, _, rest in words:
        if word == "broken":
            kind, _, text = rest.partition(" ")
            return UndefinedBehaviour(rule=2, kind=FaultKind(kind), message=text)
    phase = next((rest for word, _, rest in reversed(words) if word == "phase"), None)
    if failure is None:
        return ToolFailed(message=f"not an answer: {output[-200:]!r}")
    if phase is None:
        errors = tuple(each for each in transcript.messages if each.is_error)
        return read_compile_errors(errors, listing, file) or failure.outcome
    return read_fault(failure, listing, file, phase)


def read_fault(failure: Failure, listing: Listing, file: str, phase: str) -> Outcome:
    """What it means that Miri stopped in a phase: the promise in whose spite it is, if any."""
    outcome = failure.outcome
    places = (listing.place(frame.span, file) for frame in failure.frames)
    location = next((place for place in places if place is not None), NOWHERE)
    if isinstance(outcome, Unsupported | Panicked):
        return replace(outcome, location=location)
    if not isinstance(outcome, UndefinedBehaviour):
        return outcome
    promise = _PROMISES[phase]
    return UndefinedBehaviour(
        rule=2,
        kind=promise or outcome.kind,
        message=f"in spite of {promise}: {outcome.message}" if promise else outcome.message,
        location=location,
    )
