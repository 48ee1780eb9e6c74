"""Facts: what a finding comes to, one line each, the same on a screen and on a page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.explain.words import (
    block_words,
    bytes_words,
    name_of,
    origin_words,
    outcome_words,
    path_words,
    tag_words,
)
from harness.outcome import UndefinedBehaviour

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.explain.explanation import Explanation
    from harness.explain.finding import Finding, TagStory
    from harness.explain.trace import Trace
    from harness.pointer.program import Path

_MOST_NAMES = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """step: the number of the step that it leads to, if any."""

    name: str
    words: str
    step: int | None = None


def facts(explanation: Explanation, trace: Trace, finding: Finding) -> Iterator[Fact]:
    """All that there is to say of a broken rule beside the sentence that says how it was broken."""

    def place(name: str, path: Path, step: int | None) -> Fact:
        return Fact(name=name, words=place_words(explanation, trace, path), step=step)

    yield Fact(name="broken rule", words=finding.name)
    yield Fact(name="the rule", words=finding.rule.sentence)
    yield place("at", finding.at, trace.steps[-1].number if trace.steps else None)
    memory = finding.memory
    if memory is not None:
        byte = "" if finding.offset is None else f"; {bytes_words(finding.offset)}"
        yield Fact(name="in", words=f"{block_words(memory.block)}{byte}")
        if finding.offset is None:
            yield place("  made at", memory.made_at, memory.made_in)
        if memory.died_at is not None:
            yield place("  died at", memory.died_at, memory.died_in)
    for story in finding.stories:
        yield Fact(name=tag_words(trace, story.tag), words=_story_words(trace, story))
        yield place("  made at", story.made_at, story.made_in)
        if story.turn is not None:
            yield place(f"  {story.turn.what} at", story.turn.at, story.turn.step)
    yield Fact(name="source", words=finding.rule.source)
    yield Fact(name="Miri's words", words=finding.message)


def place_words(explanation: Explanation, trace: Trace, path: Path) -> str:
    """A statement by its path, text and origin."""
    text = trace.texts.get(path, "the body ends").removesuffix("{").rstrip()
    origin = origin_words(explanation.origin(path))
    return f"statement {path_words(path)}: {text}" + (f" ({origin})" if origin else "")


def exact_words(explanation: Explanation, trace: Trace) -> str:
    """What exact exposed provenance says of the run, where that is something else."""
    reading = explanation.exact.get(trace.mode)
    if reading is None or not isinstance(reading.judgement.outcome, UndefinedBehaviour):
        return ""
    outcome = reading.judgement.outcome
    path = outcome.location.path or ()
    if reading.open_question is None:
        standing = "the standard library documents the rule, and Miri's wildcard misses it"
    else:
        question = reading.open_question.removeprefix("https://github.com/")
        standing = f"whether it is, is an open question: {question}"
    return (
        f"Miri's wildcard lets this pass. With one provenance chosen for each cast, it is "
        f"{outcome_words(outcome)} at {place_words(explanation, trace, path)}: "
        f"{reading.judgement.sentence}; {standing}."
    )


def _story_words(trace: Trace, story: TagStory) -> str:
    others = [name for name in trace.tags[story.tag].names if name != name_of(trace, story.tag)]
    also = ""
    if others:
        more = ", …" if len(others) > _MOST_NAMES else ""
        have = "has" if len(others) == 1 else "have"
        also = f"; {', '.join(others[:_MOST_NAMES])}{more} {have} it too"
    return f"{story.role}; made {story.made}{also}"
