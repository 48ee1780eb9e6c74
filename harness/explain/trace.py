"""Traces: what one run of the abstract machine did, step by step, as data.

A step is one statement of the pointer program; a call has two, one where it is entered and one
where it is left, with the steps of its body between them.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.mode import Mode
    from harness.model.borrows import Access, Retag, View
    from harness.model.judgement import Judgement
    from harness.model.memory import Allocation, AllocationKind
    from harness.model.provenance import Tag
    from harness.pointer.program import Path, PointerProgram


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """An allocation. number: counts up from 0 in the order of their making. size: in bytes."""

    number: int
    name: str
    kind: AllocationKind
    size: int
    align: int


def block_of(allocation: Allocation) -> Block:
    """What of an allocation does not change."""
    return Block(
        number=allocation.number,
        name=allocation.name,
        kind=allocation.kind,
        size=allocation.size,
        align=allocation.align,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Allocated:
    """root: the tag that the allocation's own name has."""

    block: Block
    root: Tag


@dataclass(frozen=True, slots=True, kw_only=True)
class Accessed:
    """An access as the borrow model was told of it. offset, size: in bytes, in the block."""

    block: Block
    tag: Tag
    offset: int
    size: int
    access: Access


@dataclass(frozen=True, slots=True, kw_only=True)
class Retagged:
    """A pointer made from another. new: None where that broke a rule."""

    block: Block
    parent: Tag
    new: Tag | None
    offset: int
    size: int
    retag: Retag


@dataclass(frozen=True, slots=True, kw_only=True)
class Exposed:
    block: Block
    tag: Tag


@dataclass(frozen=True, slots=True, kw_only=True)
class Deallocated:
    """Memory given back through the pointer `tag`."""

    block: Block
    tag: Tag


@dataclass(frozen=True, slots=True, kw_only=True)
class Died:
    """The block is dead from here on: given back, or the local of a body that was left."""

    block: Block


@dataclass(frozen=True, slots=True, kw_only=True)
class Entered:
    """A function was called: references retagged for it are protected until it is left."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """The innermost function was left, and its protectors ended."""


Event = Allocated | Accessed | Retagged | Exposed | Deallocated | Died | Entered | Left


@dataclass(frozen=True, slots=True, kw_only=True)
class RangeState:
    """The bytes from `start` to `end` of a block, which share their borrow state.

    before: None where the block was made in this step. after: of the step that breaks a rule,
    the state in which the rule was broken.
    """

    start: int
    end: int
    before: View | None
    after: View
    changed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockState:
    """A block in a step. touched: whether the step did anything with it."""

    block: Block
    live: bool
    touched: bool
    ranges: tuple[RangeState, ...]


class Moment(Enum):
    """What part of a statement a step is; the value follows its text."""

    WHOLE = ""
    ENTERED = "is entered"
    LEFT = "is left"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """number: counts from 1. events: in order; the last one of the step at fault broke the rule,
    if `broke_event`.

    text: the statement as text. rust: its line of Rust.
    """

    number: int
    path: Path
    moment: Moment
    text: str
    rust: str | None
    events: tuple[Event, ...]
    blocks: tuple[BlockState, ...]
    broke_event: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TagNote:
    """What is known of a tag.

    names: the variables that have it, in the order of their binding. parent: None for an
    allocation's root. retag: how it was made from its parent.
    """

    tag: Tag
    names: tuple[str, ...]
    block: Block
    parent: Tag | None
    retag: Retag | None
    made_at: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """One run of `program` in `mode`.

    steps: the last ones of the run; `left_out` others came before them.
    texts: of every statement, by path.
    """

    program: PointerProgram
    mode: Mode
    judgement: Judgement
    steps: tuple[Step, ...]
    left_out: int
    tags: Mapping[Tag, TagNote]
    texts: Mapping[Path, str]
