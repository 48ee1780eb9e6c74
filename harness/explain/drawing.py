"""Drawings of trees: where each node's box and each edge goes.

A tidy tree: parents stand centred above their children, subtrees as close beside each other as
their outlines let them. Depth takes room downwards only, so that a chain is a column.

Source: Reingold and Tilford, "Tidier Drawings of Trees" (1981), with boxes of unequal width.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

CHARACTER = 7.3
"""Width of a character of the page's monospaced font at 12 px, in px, rounded up."""

PADDING = 8.0
LINE = 15.0
GAP = 14.0
"""Room between neighbouring boxes."""

DROP = 22.0
"""Room between a box and the boxes of its children."""

MARGIN = 6.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A node to be drawn. key: unique. parent: a key, or None. lines: of text, at least one."""

    key: int
    parent: int | None
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """A drawn node: its upper left corner and its size, in px."""

    key: int
    x: float
    y: float
    width: float
    height: float

    @property
    def middle(self) -> float:
        return self.x + self.width / 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """From a parent's lower edge to a child's upper edge, in px."""

    x1: float
    y1: float
    x2: float
    y2: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """boxes: in the order of the nodes. width, height: of all, in px."""

    width: float
    height: float
    boxes: tuple[Box, ...]
    edges: tuple[Edge, ...]


Outline = list[tuple[float, float]]
"""The outermost left and right of a subtree at each depth, the deepest first, from the middle of
its root."""


def draw(nodes: Sequence[Node]) -> Drawing:
    """Lay out one tree or several side by side; parents come before their children."""
    children: dict[int | None, list[int]] = {}
    for node in nodes:
        children.setdefault(node.parent, []).append(node.key)
    widths = {node.key: _width(node) for node in nodes}
    outlines: dict[int, Outline] = {}
    shifts: dict[int, float] = {}
    for node in reversed(nodes):
        below = children.get(node.key, [])
        offsets, outline = _beside([outlines.pop(key) for key in below])
        middle = (offsets[0] + offsets[-1]) / 2 if offsets else 0.0
        for key, offset in zip(below, offsets, strict=True):
            shifts[key] = offset - middle
        if middle:
            outline = [(left - middle, right - middle) for left, right in outline]
        half = widths[node.key] / 2
        outline.append((-half, half))
        outlines[node.key] = outline
    roots = children.get(None, [])
    offsets, outline = _beside([outlines[key] for key in roots])
    left_edge = min((left for left, _ in outline), default=0.0)
    right_edge = max((right for _, right in outline), default=0.0)
    shifts |= {key: offset - left_edge + MARGIN for key, offset in zip(roots, offsets, strict=True)}
    boxes = _boxes(nodes, shifts, widths)
    return Drawing(
        width=right_edge - left_edge + 2 * MARGIN,
        height=max((box.y + box.height for box in boxes.values()), default=0.0) + MARGIN,
        boxes=tuple(boxes.values()),
        edges=tuple(
            _edge(boxes[node.parent], boxes[node.key]) for node in nodes if node.parent is not None
        ),
    )


def _width(node: Node) -> float:
    return max(map(len, node.lines)) * CHARACTER + 2 * PADDING


def _beside(outlines: Sequence[Outline]) -> tuple[list[float], Outline]:
    """Put subtrees beside each other from left to right: where each one's root is, and the
    outline of all, which may be that of the first, changed.
    """
    offsets: list[float] = []
    whole: Outline = []
    for outline in outlines:
        if not offsets:
            offsets.append(0.0)
            whole = outline
            continue
        # Level by level from the roots down, as far as both reach.
        shared = min(len(whole), len(outline))
        offset = max(whole[-depth][1] + GAP - outline[-depth][0] for depth in range(1, shared + 1))
        offsets.append(offset)
        for depth in range(1, shared + 1):
            whole[-depth] = (whole[-depth][0], outline[-depth][1] + offset)
        below = outline[: len(outline) - shared]
        whole = [(left + offset, right + offset) for left, right in below] + whole
    return offsets, whole


def _boxes(
    nodes: Sequence[Node], shifts: Mapping[int, float], widths: Mapping[int, float]
) -> dict[int, Box]:
    """Boxes of one depth stand in a row, as high as the highest of them."""
    depths: dict[int, int] = {}
    heights: list[float] = []
    for node in nodes:
        depth = 0 if node.parent is None else depths[node.parent] + 1
        depths[node.key] = depth
        height = LINE * len(node.lines) + PADDING
        if depth == len(heights):
            heights.append(height)
        heights[depth] = max(heights[depth], height)
    tops = list(accumulate((height + DROP for height in heights), initial=MARGIN))
    boxes: dict[int, Box] = {}
    for node in nodes:
        middle = shifts[node.key]
        if node.parent is not None:
            middle += boxes[node.parent].middle
        width, depth = widths[node.key], depths[node.key]
        boxes[node.key] = Box(
            key=node.key,
            x=middle - width / 2,
            y=tops[depth],
            width=width,
            height=heights[depth],
        )
    return boxes


def _edge(parent: Box, child: Box) -> Edge:
    return Edge(x1=parent.middle, y1=parent.y + parent.height, x2=child.middle, y2=child.y)
