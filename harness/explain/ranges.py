"""Byte ranges before and after a step, cut so that each has one state on either side."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, assert_never

from harness.explain.trace import RangeState
from harness.model.borrows import StackView, TreeView

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.model.borrows import View


def compare(before: Sequence[View] | None, after: Sequence[View]) -> tuple[RangeState, ...]:
    """The ranges of a block, neighbours of the same states as one.

    before: None for a new block. Both are in order, without gaps, from 0 to the block's size.
    """
    found: list[RangeState] = []
    for start, end, old, new in _cut(before, after):
        last = found[-1] if found else None
        if (
            last is not None
            and same_state(last.after, new)
            and (last.before is old or (last.before and old and same_state(last.before, old)))
        ):
            found.pop()
            start = last.start
        found.append(
            RangeState(
                start=start,
                end=end,
                before=None if old is None else replace(old, start=start, end=end),
                after=replace(new, start=start, end=end),
                changed=old is None or not same_state(old, new),
            )
        )
    return tuple(found)


def same_state(left: View, right: View) -> bool:
    """Whether the two say the same of their bytes."""
    match left:
        case StackView():
            return (
                isinstance(right, StackView)
                and left.unknown_below == right.unknown_below
                and left.items == right.items
            )
        case TreeView():
            return isinstance(right, TreeView) and left.nodes == right.nodes
        case _:
            assert_never(left)


def _cut(
    before: Sequence[View] | None, after: Sequence[View]
) -> Iterator[tuple[int, int, View | None, View]]:
    if before is None:
        for view in after:
            yield view.start, view.end, None, view
        return
    old = iter(before)
    left = next(old, None)
    for right in after:
        start = right.start
        while start < right.end:
            assert left is not None, "the two cover the same bytes"
            end = min(left.end, right.end)
            yield start, end, left, right
            if left.end == end:
                left = next(old, None)
            start = end
