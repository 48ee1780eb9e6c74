"""Drawings of trees: boxes that do not overlap, children below their parents."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given, strategies as st

from harness.explain.drawing import Drawing, Node, draw


def tree(parents: list[int | None], words: str = "tag") -> list[Node]:
    return [
        Node(key=key, parent=parent, lines=(f"{key} {words}", "Reserved"))
        for key, parent in enumerate(parents)
    ]


@st.composite
def trees(draw_from: st.DrawFn) -> list[Node]:
    """One tree or several, parents before their children, boxes of any width and height."""
    choices = st.tuples(st.integers(-1, 29), st.integers(1, 30), st.integers(1, 3))
    return [
        Node(
            key=key,
            parent=None if parent < 0 or not key else parent % key,
            lines=("a" * width,) * lines,
        )
        for key, (parent, width, lines) in enumerate(draw_from(st.lists(choices, min_size=1)))
    ]


@given(trees())
def test_boxes_do_not_overlap_and_fit_in(nodes: list[Node]) -> None:
    drawing = draw(nodes)
    assert [box.key for box in drawing.boxes] == [node.key for node in nodes]
    rows: dict[float, list[tuple[float, float]]] = {}
    for box in drawing.boxes:
        assert 0 <= box.x <= box.x + box.width <= drawing.width + 1e-6
        assert 0 <= box.y <= box.y + box.height <= drawing.height + 1e-6
        rows.setdefault(box.y, []).append((box.x, box.x + box.width))
    for row in rows.values():
        for (_, right), (left, _) in pairwise(sorted(row)):
            assert right < left


@given(trees())
def test_parents_stand_above_the_middle_of_their_children(nodes: list[Node]) -> None:
    drawing = draw(nodes)
    boxes = {box.key: box for box in drawing.boxes}
    for node in nodes:
        below = [boxes[each.key] for each in nodes if each.parent == node.key]
        if not below:
            continue
        assert abs((below[0].middle + below[-1].middle) / 2 - boxes[node.key].middle) < 1e-6
        assert all(box.y >= boxes[node.key].y + boxes[node.key].height for box in below)
        assert [box.middle for box in below] == sorted(box.middle for box in below)


@given(trees())
def test_there_is_one_edge_from_each_parent_to_each_child(nodes: list[Node]) -> None:
    drawing = draw(nodes)
    boxes = {box.key: box for box in drawing.boxes}
    expected = {
        (boxes[node.parent].middle, boxes[node.key].middle, boxes[node.key].y)
        for node in nodes
        if node.parent is not None
    }
    assert {(edge.x1, edge.x2, edge.y2) for edge in drawing.edges} == expected
    assert len(drawing.edges) == sum(node.parent is not None for node in nodes)


def test_a_chain_is_a_column_however_long_it_is() -> None:
    drawing = draw(tree([None, *range(3000)]))
    assert len({round(box.middle, 6) for box in drawing.boxes}) == 1
    assert drawing.width < 200


def test_siblings_stand_beside_each_other_in_one_row() -> None:
    drawing = draw(tree([None, 0, 0, 0]))
    assert len({box.y for box in drawing.boxes[1:]}) == 1


def test_nothing_is_an_empty_drawing() -> None:
    drawing: Drawing = draw([])
    assert drawing.boxes == ()
    assert drawing.edges == ()
