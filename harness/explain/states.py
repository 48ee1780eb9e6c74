"""Borrow states side by side: what became of each item or node from before a step to after it.

The screen and the page both show what is worked out here.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, assert_never

from harness.explain.words import spans_words
from harness.model.borrows import StackView, TreeView

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.explain.finding import Finding
    from harness.explain.trace import Block, RangeState, Step
    from harness.model.borrows import Item, TreeNode, View
    from harness.model.provenance import Tag


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownRange:
    """Bytes of one block that share their states on both sides of a step.

    spans: start and end of each stretch of them. state: of the first stretch.
    finding: the fault, where it is about these bytes.
    """

    block: Block
    live: bool
    spans: tuple[tuple[int, int], ...]
    state: RangeState
    finding: Finding | None

    @property
    def title(self) -> str:
        name = self.block.name if self.live else f"{self.block.name} (dead)"
        return f"{name}, {spans_words(self.spans)}"


def shown_ranges(
    step: Step, finding: Finding | None, *, everything: bool
) -> tuple[ShownRange, ...]:
    """The ranges that a step changed, and the one that its fault is about.

    everything: the others too, of every block.
    """
    found: list[ShownRange] = []
    for block in step.blocks:
        alike: dict[tuple[bool, object, object], list[RangeState]] = {}
        for state in block.ranges:
            at_fault = finding is not None and finding.concerns(step, block.block.number, state)
            if everything or state.changed or at_fault:
                key = (at_fault, _contents(state.before), _contents(state.after))
                alike.setdefault(key, []).append(state)
        for (at_fault, *_), states in alike.items():
            found.append(
                ShownRange(
                    block=block.block,
                    live=block.live,
                    spans=tuple((state.start, state.end) for state in states),
                    state=states[0],
                    finding=finding if at_fault else None,
                )
            )
    return tuple(found)


def _contents(view: View | None) -> object:
    """What the view says of its bytes, without saying which bytes they are."""
    match view:
        case None:
            return None
        case StackView():
            return view.items, view.unknown_below
        case TreeView():
            return view.nodes
        case _:
            assert_never(view)


class Change(Enum):
    """What a step did to an item or a node; the value marks it in plain text."""

    NONE = " "
    NEW = "+"
    CHANGED = "~"
    GONE = "-"


class Part(Enum):
    """What an item or a node has to do with the fault; the value marks it in plain text."""

    NONE = " "
    OFFENDING = "!"
    CONFLICTING = "x"


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownItem:
    """An item of a stack. words: its permission, and whether it is protected."""

    tag: Tag
    permission: str
    words: str
    protected: bool
    change: Change
    part: Part


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownNode:
    """A node of a tree; flags: what there is to say of it beside its permission."""

    tag: Tag
    parent: Tag | None
    permission: str
    flags: tuple[str, ...]
    protected: bool
    accessed: bool
    change: Change
    part: Part

    @property
    def words(self) -> str:
        return ", ".join((self.permission, *self.flags))


def part_of(tag: Tag, finding: Finding | None) -> Part:
    """finding: None where the bytes have nothing to do with it."""
    if finding is None:
        return Part.NONE
    if tag == finding.conflicting:
        return Part.CONFLICTING
    return Part.OFFENDING if tag == finding.offending else Part.NONE


def shown_stack(
    view: StackView, other: StackView | None, *, is_after: bool, finding: Finding | None
) -> tuple[ShownItem, ...]:
    """The items of `view`, bottom first, held against `other`, the same bytes' other state.

    other: None where there is none. is_after: whether `view` is the later of the two.
    """
    theirs = {} if other is None else {item.tag: item for item in other.items}
    return tuple(
        ShownItem(
            tag=item.tag,
            permission=item.permission,
            words=f"{item.permission}, protected" if item.protected else item.permission,
            protected=item.protected,
            change=_item_change(item, theirs, is_after=is_after),
            part=part_of(item.tag, finding),
        )
        for item in view.items
    )


def _item_change(item: Item, theirs: Mapping[Tag, Item], *, is_after: bool) -> Change:
    if item.tag not in theirs:
        return Change.NEW if is_after else Change.GONE
    return Change.CHANGED if is_after and theirs[item.tag] != item else Change.NONE


def shown_tree(
    view: TreeView, other: TreeView | None, *, is_after: bool, finding: Finding | None
) -> tuple[ShownNode, ...]:
    """As `shown_stack`; parents before their children."""
    theirs = {} if other is None else {node.item.tag: node for node in other.nodes}
    return tuple(
        ShownNode(
            tag=node.item.tag,
            parent=node.parent,
            permission=node.item.permission,
            flags=_flags(node, is_first=node is view.nodes[0]),
            protected=node.item.protected,
            accessed=node.accessed,
            change=_node_change(node, theirs, is_after=is_after),
            part=part_of(node.item.tag, finding),
        )
        for node in view.nodes
    )


def _flags(node: TreeNode, *, is_first: bool) -> tuple[str, ...]:
    """is_first: whether it is the allocation's root; any other root comes from a cast pointer."""
    return (
        *(("parent unknown",) if node.parent is None and not is_first else ()),
        *(("protected",) if node.item.protected else ()),
        *(("exposed",) if node.exposed else ()),
        *(() if node.accessed else ("not accessed yet",)),
    )


def _node_change(node: TreeNode, theirs: Mapping[Tag, TreeNode], *, is_after: bool) -> Change:
    if node.item.tag not in theirs:
        return Change.NEW if is_after else Change.GONE
    return Change.CHANGED if is_after and theirs[node.item.tag] != node else Change.NONE
