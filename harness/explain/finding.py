"""Findings: the broken rule of a run, and the story of the tags that it is about."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, assert_never

from harness.errors import HarnessFault
from harness.explain.rules import RULES, Rule
from harness.explain.trace import Allocated, Retagged
from harness.explain.words import making_words
from harness.model.borrows import StackView, TreeView
from harness.outcome import UndefinedBehaviour

if TYPE_CHECKING:
    from harness.explain.trace import RangeState, Step, Trace
    from harness.model.borrows import View
    from harness.model.provenance import Tag
    from harness.pointer.program import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class TagStory:
    """role: what the tag has to do with the fault. made: how. died_at: None if it did not.

    made_in, died_in: the numbers of the steps; None where they are left out of the trace.
    """

    tag: Tag
    role: str
    made: str
    made_at: Path
    made_in: int | None
    died_at: Path | None
    died_in: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """The broken rule of a run.

    name, rule: which it is. sentence: how it was broken here. message: Miri's words.
    block, offset: the allocation's number and the byte in it, where the rule is a borrow
    model's. offending, conflicting: whose access it was, and who was in its way.
    """

    name: str
    rule: Rule
    sentence: str
    message: str
    at: Path
    block: int | None
    offset: int
    offending: Tag | None
    conflicting: Tag | None
    stories: tuple[TagStory, ...]

    def concerns(self, step: Step, block: int, state: RangeState) -> bool:
        """Whether the fault is about these bytes in this step, the one that broke the rule."""
        return (
            step.broke_event
            and block == self.block
            and state.start <= self.offset < max(state.end, state.start + 1)
        )


def find(trace: Trace) -> Finding | None:
    """The finding of a run that is undefined behaviour; None for every other.

    Raises: HarnessFault, for a rule that has no entry in the table.
    """
    judgement = trace.judgement
    outcome = judgement.outcome
    if not isinstance(outcome, UndefinedBehaviour):
        return None
    name, path = judgement.rule, outcome.location.path
    if name not in RULES or path is None:
        raise HarnessFault(f"the rule {name!r} is not in the table of rules")
    broken = judgement.broken
    stories: list[TagStory] = []
    if broken is not None:
        subject = broken.tag if broken.conflicting is None else broken.conflicting
        for tag, role in (
            (broken.tag, "the access is made through it"),
            (broken.conflicting, "its rights are in the way"),
        ):
            note = None if tag is None else trace.tags.get(tag)
            if tag is None or note is None:
                continue
            died_at = broken.invalidated_at if tag == subject else None
            died_in = None
            if died_at is not None:
                died_in = _step_of_death(
                    trace, tag, died_at, broken.allocation.number, broken.offset
                )
            stories.append(
                TagStory(
                    tag=tag,
                    role=role,
                    made=making_words(trace, note),
                    made_at=note.made_at,
                    made_in=_step_of_making(trace, tag),
                    died_at=died_at,
                    died_in=died_in,
                )
            )
    return Finding(
        name=name,
        rule=RULES[name],
        sentence=_capitalised(judgement.sentence or RULES[name].sentence),
        message=outcome.message,
        at=path,
        block=None if broken is None else broken.allocation.number,
        offset=0 if broken is None else broken.offset,
        offending=None if broken is None else broken.tag,
        conflicting=None if broken is None else broken.conflicting,
        stories=tuple(stories),
    )


def _step_of_making(trace: Trace, tag: Tag) -> int | None:
    for step in trace.steps:
        for event in step.events:
            match event:
                case Allocated(root=made) | Retagged(new=made) if made == tag:
                    return step.number
                case _:
                    pass
    return None


def _step_of_death(trace: Trace, tag: Tag, at: Path, block: int, offset: int) -> int | None:
    """The last step of the statement `at` that changed what the tag may do with the byte.

    A rights' loss that the same step made good again shows in none; then it is its last step.
    """
    steps = [step for step in trace.steps if step.path == at]
    for step in reversed(steps):
        for state in step.blocks[block].ranges if block < len(step.blocks) else ():
            if state.start <= offset < state.end and _rights(state.before, tag) != _rights(
                state.after, tag
            ):
                return step.number
    return steps[-1].number if steps else None


def _rights(view: View | None, tag: Tag) -> str | None:
    """The tag's permission in the view."""
    match view:
        case None:
            return None
        case StackView(items=items):
            found = items
        case TreeView(nodes=nodes):
            found = tuple(node.item for node in nodes)
        case _:
            assert_never(view)
    return next((item.permission for item in found if item.tag == tag), None)


def _capitalised(sentence: str) -> str:
    return f"{sentence[0].upper()}{sentence[1:]}."
