"""What the runs of a user's own pair come to: by rule, and no more than they show.

A case of the corpus says what must come of it; of a pair all three rules are asked. Outside of its
crate a story may lack names and types that it has there: that is never a finding.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from msgspec.structs import replace

from harness.mode import Provenance
from harness.outcome import (
    FaultKind,
    Outcome,
    Ran,
    TimedOut,
    ToolFailed,
    UndefinedBehaviour,
)
from harness.result import EngineName, Result, Verdict
from harness.story.rules import is_promise
from harness.verdict import NATIVE_IS_NO_EVIDENCE

if TYPE_CHECKING:
    from harness.cases.own_story import OwnStory
    from harness.errors import Place
    from harness.mode import Mode

RULES = (1, 2, 3)

_QUOTED = re.compile(r"`([^`]+)`")


class State(StrEnum):
    """What is known of a rule."""

    KEPT = "kept"
    BROKEN = "broken"
    NOT_CHECKED = "not_checked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What several runs say alike: a breach, or why nothing is known.

    kind: None where nothing is known. modes: those of the runs; empty for a native one.
    """

    kind: FaultKind | None
    message: str
    place: Place | None
    modes: tuple[Mode, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleState:
    """One rule. modes: those in which nothing was found."""

    rule: int
    state: State
    findings: tuple[Finding, ...]
    modes: tuple[Mode, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnVerdict:
    """All that is known of a pair. advice: what its block could promise besides."""

    story: OwnStory
    rules: tuple[RuleState, ...]
    advice: tuple[str, ...]
    results: tuple[Result, ...]

    @property
    def state(self) -> State:
        states = [each.state for each in self.rules]
        for state in (State.BROKEN, State.NOT_CHECKED):
            if state in states:
                return state
        return State.KEPT


def judge_pair(story: OwnStory, results: Iterable[Result]) -> OwnVerdict:
    """What the runs of a pair come to."""
    sober = [_sobered(story, result) for result in results]
    if any(_allows_anything(result) for result in sober):
        sober = [_no_evidence(result) for result in sober]
    advice: dict[str, None] = {}
    for result in sober:
        said = getattr(result.outcome, "advice", None) or ""
        advice |= dict.fromkeys(
            each.removeprefix(f"{story.read.block.name}: ") for each in said.split(", ") if each
        )
    return OwnVerdict(
        story=story,
        rules=tuple(_state(rule, sober) for rule in RULES),
        advice=tuple(advice),
        results=tuple(sober),
    )


def _sobered(story: OwnStory, result: Result) -> Result:
    """The result, without what only the lack of the crate around the story shows."""
    outcome = result.outcome
    match outcome:
        case UndefinedBehaviour(kind=FaultKind.REACHES_OUT) if not _is_of_locals(story, outcome):
            reason = f"outside of its crate: {outcome.message}"
        case ToolFailed():
            reason = f"it does not compile by itself: {outcome.message}"
        case TimedOut():
            reason = f"not finished: {outcome.message}"
        case _:
            return result
    return replace(result, verdict=Verdict.NOT_CHECKED, reason=reason)


def _is_of_locals(story: OwnStory, outcome: UndefinedBehaviour) -> bool:
    """Whether what is reached is a variable, or was refused by name."""
    quoted = _QUOTED.findall(outcome.message)
    return not quoted or bool(story.read.locals & set(quoted))


def _allows_anything(result: Result) -> bool:
    """Whether the story is undefined where addresses are taken at their word."""
    outcome, mode = result.outcome, result.run.mode
    if _rule_of(result) != 2 or mode is None or not isinstance(outcome, UndefinedBehaviour):
        return False
    return not is_promise(outcome.kind) and mode.provenance is Provenance.PERMISSIVE


def _no_evidence(result: Result) -> Result:
    if result.run.engine is not EngineName.NATIVE or _rule_of(result) in (1, 2):
        return result
    return replace(result, verdict=Verdict.NOT_CHECKED, reason=NATIVE_IS_NO_EVIDENCE)


def _rule_of(result: Result) -> int | None:
    """The rule that a result says to be broken."""
    outcome: Outcome | None = result.outcome
    if result.verdict is not Verdict.MISMATCH or not isinstance(outcome, UndefinedBehaviour):
        return None
    return outcome.rule


def _state(rule: int, results: Sequence[Result]) -> RuleState:
    broken = [result for result in results if _rule_of(result) == rule]
    if broken:
        return RuleState(rule=rule, state=State.BROKEN, findings=_findings(broken))
    # What breaks the first rule is not compiled, and so says nothing of the others.
    shown = [result for result in results if _shows(rule, result)]
    modes = tuple(result.run.mode for result in shown if result.run.mode is not None)
    asked = {1: None, 2: EngineName.MIRI, 3: EngineName.NATIVE}[rule]
    of_rule = [result for result in results if asked in (None, result.run.engine)]
    open_ = [result for result in of_rule if result.verdict is Verdict.NOT_CHECKED]
    complete = bool(shown) and (rule == 1 or not open_)
    findings = () if complete else _findings(open_)
    if not shown and any(_rule_of(result) == 1 for result in results):
        said = "what breaks the first rule is not run"
        findings = (Finding(kind=None, message=said, place=None, modes=()),)
    return RuleState(
        rule=rule,
        state=State.KEPT if complete else State.NOT_CHECKED,
        findings=findings,
        modes=modes if rule == 2 else (),
    )


def _shows(rule: int, result: Result) -> bool:
    """Whether the run could have shown that the rule is broken, and did not."""
    compiled = isinstance(result.outcome, Ran) or _rule_of(result) in (2, 3)
    engine = result.run.engine
    match rule:
        case 1:
            return compiled
        case 2:
            return engine is EngineName.MIRI and isinstance(result.outcome, Ran)
        case _:
            ran = isinstance(result.outcome, Ran) and result.verdict is Verdict.AGREE
            return engine is EngineName.NATIVE and ran


def _findings(results: Sequence[Result]) -> tuple[Finding, ...]:
    """What the results say, each once: a breach by its kind and its place."""
    found: dict[tuple[FaultKind | None, str, Place | None], tuple[str, list[Mode]]] = {}
    for result in results:
        outcome = result.outcome
        is_breach = _rule_of(result) is not None
        kind = outcome.kind if is_breach and isinstance(outcome, UndefinedBehaviour) else None
        said = getattr(outcome, "message", "") if is_breach else result.reason
        place = result.place if outcome is not None else None
        # Miri numbers its allocations otherwise in each mode.
        key = (kind, "" if is_breach else said, place)
        _, modes = found.setdefault(key, (said, []))
        if result.run.mode is not None:
            modes.append(result.run.mode)
    return tuple(
        Finding(kind=kind, message=said, place=place, modes=tuple(sorted(modes, key=str)))
        for (kind, _, place), (said, modes) in found.items()
    )
