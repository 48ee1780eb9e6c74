"""Findings: the broken rule of a run, and the story of the tags that it is about."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, assert_never

from harness.errors import HarnessFault
from harness.explain.rules import RULES, Rule
from harness.explain.trace import Allocated, Block, Died, Retagged, block_of
from harness.explain.words import making_words
from harness.model.borrows import StackView, TreeView
from harness.outcome import FaultKind, UndefinedBehaviour

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.explain.trace import RangeState, Step, Trace
    from harness.model.borrows import Broken, View
    from harness.model.memory import Allocation
    from harness.model.provenance import Tag
    from harness.pointer.program import Path


_TURNS = {"Disabled": "died", "Frozen": "frozen", "Reserved (conflicted)": "conflicted"}
"""What became of a tag with such a permission."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """Where a tag's rights last changed. what: `died`, `frozen`, …

    step: its number; None where it is left out of the trace.
    """

    what: str
    at: Path
    step: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TagStory:
    """role: what the tag has to do with the fault. made: how. turn: None if it had none.

    made_in: the number of the step; None where it is left out of the trace.
    """

    tag: Tag
    role: str
    made: str
    made_at: Path
    made_in: int | None
    turn: Turn | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryStory:
    """Where memory came to life, and where it died if it did; steps as in `Turn`."""

    block: Block
    made_at: Path
    made_in: int | None
    died_at: Path | None
    died_in: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """The broken rule of a run.

    name, rule: which it is. sentence: how it was broken here. message: Miri's words.
    memory: the allocation that it is about, if any. offset: the byte in it, where the rule is a
    borrow model's. offending, conflicting: whose access it was, and who was in its way.
    """

    name: str
    rule: Rule
    sentence: str
    message: str
    at: Path
    memory: MemoryStory | None
    offset: int | None
    offending: Tag | None
    conflicting: Tag | None
    stories: tuple[TagStory, ...]

    def concerns(self, step: Step, block: int, state: RangeState) -> bool:
        """Whether the fault is about these bytes in this step, the one that broke the rule."""
        return (
            step.broke_event
            and self.memory is not None
            and self.memory.block.number == block
            and self.offset is not None
            and state.start <= self.offset < state.end
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
    broken, allocation = judgement.broken, judgement.allocation
    return Finding(
        name=name,
        rule=RULES[name],
        sentence=_capitalised(judgement.sentence or RULES[name].sentence),
        message=outcome.message,
        at=path,
        memory=None if allocation is None else _memory(trace, allocation),
        offset=None if broken is None else broken.offset,
        offending=None if broken is None else broken.tag,
        conflicting=None if broken is None else broken.conflicting,
        stories=() if broken is None else tuple(_stories(trace, broken)),
    )


def _memory(trace: Trace, allocation: Allocation) -> MemoryStory:
    made_in = died_in = None
    for step in trace.steps:
        for event in step.events:
            match event:
                case Allocated(block=block) if block.number == allocation.number:
                    made_in = step.number
                case Died(block=block) if block.number == allocation.number:
                    died_in = step.number
                case _:
                    pass
    return MemoryStory(
        block=block_of(allocation),
        made_at=allocation.created_at,
        made_in=made_in,
        died_at=allocation.freed_at,
        died_in=died_in,
    )


def _stories(trace: Trace, broken: Broken) -> Iterator[TagStory]:
    subject = broken.tag if broken.conflicting is None else broken.conflicting
    in_the_way = "it does not allow the access either"
    if broken.kind is FaultKind.PROTECTOR:
        in_the_way = "it is protected, and in the way"
    for tag, role in (
        (broken.tag, "the access is made through it"),
        (broken.conflicting, in_the_way),
    ):
        note = None if tag is None else trace.tags.get(tag)
        if tag is None or note is None:
            continue
        yield TagStory(
            tag=tag,
            role=role,
            made=making_words(trace, note),
            made_at=note.made_at,
            made_in=_step_of_making(trace, tag),
            turn=_turn(trace, broken, tag) if tag == subject else None,
        )


def _turn(trace: Trace, broken: Broken, tag: Tag) -> Turn | None:
    """What the fault's statement found the tag to have become, and where it became that."""
    at, block, offset = broken.invalidated_at, broken.allocation.number, broken.offset
    if at is None:
        return None
    found = trace.steps[-1].blocks[block].ranges if trace.steps else ()
    rights = next(
        (_rights(state.after, tag) for state in found if state.start <= offset < state.end), None
    )
    what = "died" if rights is None else _TURNS.get(rights, f"became {rights}")
    return Turn(what=what, at=at, step=_step_of_turn(trace, tag, at, block, offset))


def _step_of_making(trace: Trace, tag: Tag) -> int | None:
    for step in trace.steps:
        for event in step.events:
            match event:
                case Allocated(root=made) | Retagged(new=made) if made == tag:
                    return step.number
                case _:
                    pass
    return None


def _step_of_turn(trace: Trace, tag: Tag, at: Path, block: int, offset: int) -> int | None:
    """The last step of the statement `at` that changed what the tag may do with the byte.

    A change that the same step took back again shows in none; then it is its last one.
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
