"""What the abstract machine makes of a story: rules 1 and 2, as far as it can be retold."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import TYPE_CHECKING

from harness.outcome import (
    NOWHERE,
    FaultKind,
    Location,
    Outcome,
    Ran,
    Span,
    UndefinedBehaviour,
    Unsupported,
    UnsupportedKind,
)
from harness.retelling.stage import Trial, trials
from harness.retelling.story import Breach
from harness.retelling.values import CannotSay
from harness.story.block import PROGRAM
from harness.story.rules import breach_by_name

if TYPE_CHECKING:
    from harness.pointer.program import PointerProgram
    from harness.story.block import Story

Examine = Callable[["PointerProgram"], Outcome]
"""What a pointer program comes to in one mode."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Retelling:
    """A story in the pointer language. decided: what it comes to, if that is known before."""

    trials: tuple[Trial, ...] = ()
    decided: Outcome | None = None


def retell(story: Story) -> Retelling:
    """The story's trials; or the rule that it breaks before any, or what cannot be said of it."""
    by_name = breach_by_name(story)
    if by_name is not None:
        return Retelling(decided=by_name)
    try:
        return Retelling(trials=trials(story))
    except Breach as breach:
        return Retelling(decided=breach.outcome)
    except CannotSay as said:
        return Retelling(decided=_unsaid(said))


def _unsaid(said: CannotSay) -> Unsupported:
    kind = UnsupportedKind.NOT_EXPRESSED
    message = f"the pointer language cannot say {said.what}"
    if said.span is None:
        return Unsupported(kind=kind, message=message)
    text = PROGRAM if said.span.file == PROGRAM else f"story of {said.span.file}"
    where = f"line {said.span.line} of the {text}"
    return Unsupported(kind=kind, message=f"{message} ({where})", location=Location(span=said.span))


def judge(retelling: Retelling, examine: Examine) -> Outcome:
    """What the story comes to in the mode in which `examine` asks the abstract machine."""
    if retelling.decided is not None:
        return retelling.decided
    for trial in retelling.trials:
        if trial.unsaid is not None:
            return _unsaid(trial.unsaid)
        found = None if trial.advice else _attempt(trial, examine)
        if found is not None:
            return found
    return Ran(advice=_advice(retelling.trials, examine) or None)


def _attempt(trial: Trial, examine: Examine) -> Outcome | None:
    """What comes of a trial, unless nothing bad does."""
    outcome = examine(trial.program)
    if isinstance(outcome, Ran):
        return trial.breach
    location = _location(outcome, trial.spans)
    if not isinstance(outcome, UndefinedBehaviour):
        return replace(outcome, location=location) if isinstance(outcome, Unsupported) else outcome
    promise = trial.promise
    return UndefinedBehaviour(
        rule=2,
        kind=promise or outcome.kind,
        message=f"in spite of {promise}: {outcome.message}" if promise else outcome.message,
        location=location,
    )


def _location(outcome: Outcome, spans: Sequence[Span | None]) -> Location:
    path = getattr(outcome, "location", NOWHERE).path
    if not path or path[0] >= len(spans):
        return NOWHERE
    return Location(span=spans[path[0]])


def _advice(tried: Sequence[Trial], examine: Examine) -> str:
    """What could be promised besides, as far as Miri's run comes."""
    found: list[str] = []
    given_up = ""
    for advice, group in groupby(tried, key=lambda trial: trial.advice):
        of_advice = list(group)
        if not advice or of_advice[0].block == given_up:
            continue
        failed = next((each for each in of_advice if _attempt(each, examine)), None)
        if failed is None:
            found.append(advice)
        elif failed.promise is FaultKind.PURE and isinstance(examine(failed.program), Ran):
            # Each promise rests on those before it, but those of the next block do not.
            given_up = failed.block
        else:
            # There Miri stops.
            break
    return ", ".join(found)
