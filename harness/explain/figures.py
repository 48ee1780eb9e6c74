"""Figures of the page: a stack as a column, a tree as a drawing, ready to be written out."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, assert_never

from harness.explain.drawing import LINE, Node, draw
from harness.explain.states import (
    Change,
    Part,
    ShownItem,
    ShownNode,
    ShownRange,
    shown_stack,
    shown_tree,
)
from harness.explain.words import making_words, path_words, short_tag, spans_words
from harness.model.borrows import StackView, TreeView

if TYPE_CHECKING:
    from harness.explain.drawing import Box
    from harness.explain.trace import Trace
    from harness.model.borrows import View
    from harness.model.provenance import Tag

_LONGEST_NAME = 28
_BASELINE = 14.0
"""From a box's upper edge to its first line's baseline, in px."""

_CHANGE_WORDS = {
    Change.NONE: "",
    Change.NEW: "new",
    Change.CHANGED: "changed",
    Change.GONE: "taken away",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    y: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeFigure:
    """A box with its text; numbers are in px. title: what a pointer over it shows."""

    tag: Tag
    classes: str
    title: str
    x: str
    y: str
    width: str
    height: str
    middle: str
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TreeFigure:
    """edges: SVG path data."""

    is_tree: ClassVar[bool] = True
    caption: str
    label: str
    width: str
    height: str
    nodes: tuple[NodeFigure, ...]
    edges: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemFigure:
    tag: Tag
    classes: str
    title: str
    name: str
    words: str
    mark: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StackFigure:
    """items: the top of the stack first. bottom: what is said of an unknown bottom."""

    is_tree: ClassVar[bool] = False
    caption: str
    label: str
    items: tuple[ItemFigure, ...]
    bottom: str


Figure = TreeFigure | StackFigure


def permission_class(permission: str) -> str:
    """The class that gives a permission its colour in `page.css`."""
    return "p-" + re.sub(r"[^a-z]+", "-", permission.lower()).strip("-")


def figures(trace: Trace, shown: ShownRange) -> tuple[Figure, ...]:
    """The state of a range before and after a step; once where nothing changed.

    What a failing access found takes the place of what is after it.
    """
    state, finding = shown.state, shown.finding
    found = "found by the access" if finding is not None else None
    if not state.changed:
        return (_figure(trace, shown, state.after, state.after, found or "unchanged"),)
    after = _figure(trace, shown, state.after, state.before, found or "after")
    if state.before is None:
        return (after,)
    return (_figure(trace, shown, state.before, state.after, "before"), after)


def _figure(
    trace: Trace, shown: ShownRange, view: View, other: View | None, caption: str
) -> Figure:
    """other: the same bytes' other state, or the same state again where nothing changed."""
    where = f"{shown.block.name}, {spans_words(shown.spans)}"
    is_after = view is shown.state.after
    match view:
        case StackView():
            assert other is None or isinstance(other, StackView)
            items = shown_stack(view, other, is_after=is_after, finding=shown.finding)
            below = view.unknown_below
            return StackFigure(
                caption=caption,
                label=f"stack of {where}, {caption}; the top first",
                items=tuple(_item(trace, item) for item in reversed(items)),
                bottom="" if below is None else f"unknown items, of tags below {below}",
            )
        case TreeView():
            assert other is None or isinstance(other, TreeView)
            nodes = shown_tree(view, other, is_after=is_after, finding=shown.finding)
            return _tree(trace, nodes, caption, f"tree of {where}, {caption}")
        case _:
            assert_never(view)


def _item(trace: Trace, item: ShownItem) -> ItemFigure:
    classes = [permission_class(item.permission), *_classes(item.change, item.part)]
    if item.protected:
        classes.append("protected")
    return ItemFigure(
        tag=item.tag,
        classes=" ".join(classes),
        title=_title(trace, item.tag),
        name=_name(trace, item.tag),
        words=item.words,
        mark=_CHANGE_WORDS[item.change],
    )


def _tree(trace: Trace, nodes: tuple[ShownNode, ...], caption: str, label: str) -> TreeFigure:
    drawing = draw(
        [
            Node(
                key=node.tag,
                parent=node.parent,
                lines=(
                    _name(trace, node.tag),
                    node.permission,
                    *([", ".join(node.flags)] if node.flags else []),
                ),
            )
            for node in nodes
        ]
    )
    return TreeFigure(
        caption=caption,
        label=label,
        width=_px(drawing.width),
        height=_px(drawing.height),
        nodes=tuple(
            _node(trace, node, box) for node, box in zip(nodes, drawing.boxes, strict=True)
        ),
        edges=tuple(
            f"M{_px(edge.x1)} {_px(edge.y1)}C{_px(edge.x1)} {_px((edge.y1 + edge.y2) / 2)} "
            f"{_px(edge.x2)} {_px((edge.y1 + edge.y2) / 2)} {_px(edge.x2)} {_px(edge.y2)}"
            for edge in drawing.edges
        ),
    )


def _node(trace: Trace, node: ShownNode, box: Box) -> NodeFigure:
    classes = [permission_class(node.permission), *_classes(node.change, node.part)]
    if node.protected:
        classes.append("protected")
    if not node.accessed:
        classes.append("lazy")
    texts = [_name(trace, node.tag), node.permission]
    if node.flags:
        texts.append(", ".join(node.flags))
    return NodeFigure(
        tag=node.tag,
        classes=" ".join(classes),
        title=_title(trace, node.tag),
        x=_px(box.x),
        y=_px(box.y),
        width=_px(box.width),
        height=_px(box.height),
        middle=_px(box.middle),
        lines=tuple(
            Line(y=_px(box.y + _BASELINE + 1 + index * LINE), text=text)
            for index, text in enumerate(texts)
        ),
    )


def _classes(change: Change, part: Part) -> list[str]:
    found = []
    if change is not Change.NONE:
        found.append(change.name.lower())
    if part is not Part.NONE:
        found.append(part.name.lower())
    return found


def _name(trace: Trace, tag: Tag) -> str:
    name = short_tag(trace, tag)
    return name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 1]}…"


def _title(trace: Trace, tag: Tag) -> str:
    """Where the tag comes from, and all variables that have it."""
    note = trace.tags.get(tag)
    if note is None:
        return f"tag {tag}"
    names = f" ({', '.join(note.names)})" if note.names else ""
    made = making_words(trace, note)
    return f"tag {tag}{names}, made {made}, at statement {path_words(note.made_at)}"


def _px(number: float) -> str:
    return f"{number:.1f}".removesuffix(".0")
