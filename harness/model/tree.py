"""The tree of an allocation: its nodes, and their states at each range of bytes.

Two devices keep an access from visiting the whole tree. Both only leave out visits that would
change nothing:

- *awake* children of a node are those that a foreign access might change; all others are known
  to skip it, see `permissions.skips`. A node wakes when an access through it, or a new
  descendant, makes it sensitive again.
- *settled*: after an access through a node, the same access through any node of its path to
  the root changes nothing at that node, nor outside of its subtree. The next access has to
  climb only to the first common ancestor.

So the cost of an access is the number of nodes whose state may change, and each of them has
been made so by an access or a retag before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.model.borrows import Access
from harness.model.permissions import (
    LEVEL,
    PERMISSION,
    SKIPS,
    STATES,
    WEAKENED,
    Idempotent,
    Level,
)
from harness.model.range_map import RangeMap

if TYPE_CHECKING:
    from harness.model.provenance import Tag
    from harness.pointer.program import Path


class Node:
    """A pointer in the tree.

    default: the code of its state where it has none of its own yet. depth: of the root 0.
    parent: None for a root, of which there are several if pointers were made from one of
    unknown provenance: each is the child of some exposed node, nobody knows which.
    """

    __slots__ = ("children", "created_at", "default", "depth", "exposed", "parent", "tag")

    def __init__(self, tag: Tag, parent: Node | None, default: int, created_at: Path) -> None:
        self.tag = tag
        self.parent = parent
        self.default = default
        self.created_at = created_at
        self.depth: int = 0 if parent is None else parent.depth + 1
        self.exposed = False
        self.children: list[Node] = []

    def root(self) -> Node:
        node = self
        while node.parent is not None:
            node = node.parent
        return node

    def subtree(self) -> list[Node]:
        """The node and all its descendants, parents before their children."""
        found: list[Node] = []
        pending = [self]
        while pending:
            node = pending.pop()
            found.append(node)
            pending.extend(reversed(node.children))
        return found


def common_ancestor(left: Node, right: Node) -> Node | None:
    """The deepest node that both descend from or are."""
    while left is not right:
        if left.depth >= right.depth:
            if left.parent is None:
                return None
            left = left.parent
        else:
            assert right.parent is not None
            right = right.parent
    return left


class Location:
    """The tree's state at some bytes.

    states: the code of each node's state, where it is not the node's default. changed_at: by
    tag, the statement that last changed the permission. awake, settled: by access, see above.
    exposed: by access, for each node how many exposed nodes of its subtree allow it.
    """

    __slots__ = ("awake", "changed_at", "exposed", "settled", "states")

    def __init__(self) -> None:
        self.states: dict[Tag, int] = {}
        self.changed_at: dict[Tag, Path] = {}
        self.awake: tuple[dict[Tag, dict[Tag, Node]], dict[Tag, dict[Tag, Node]]] = ({}, {})
        self.settled: list[Node | None] = [None, None]
        self.exposed: tuple[dict[Tag, int], dict[Tag, int]] = ({}, {})

    def copy(self) -> Location:
        other = Location()
        other.states = dict(self.states)
        other.changed_at = dict(self.changed_at)
        for mine, theirs in zip(self.awake, other.awake, strict=True):
            theirs.update((tag, dict(children)) for tag, children in mine.items())
        other.settled = list(self.settled)
        for counts, copied in zip(self.exposed, other.exposed, strict=True):
            copied.update(counts)
        return other

    def code(self, node: Node) -> int:
        return self.states.get(node.tag, node.default)

    def wake(self, node: Node) -> None:
        """Let foreign accesses visit the node again."""
        parent = node.parent
        if parent is None:
            return
        code = self.states.get(node.tag, node.default)
        for access in (0, 1):
            if not SKIPS[access][code]:
                self.awake[access].setdefault(parent.tag, {})[node.tag] = node

    def set(self, node: Node, before: int, after: int, protected: bool, at: Path) -> None:
        """Change the node's state from one code to another."""
        self.states[node.tag] = after
        if PERMISSION[after] is not PERMISSION[before]:
            self.changed_at[node.tag] = at
            if node.exposed:
                self.change_exposure(node, LEVEL[protected][before], LEVEL[protected][after])
        if STATES[after].idempotent < STATES[before].idempotent:
            self.wake(node)

    def settle(self, node: Node, access: Access) -> None:
        """An access through `node` was made, whose tree is the allocation's only one."""
        self.settled[Access.READ] = node
        written = self.settled[Access.WRITE]
        if access is Access.WRITE:
            self.settled[Access.WRITE] = node
        elif written is not None and written is not node:
            self.settled[Access.WRITE] = common_ancestor(node, written)

    def unsettle(self, parent: Node) -> None:
        """A child of `parent` is new: what was settled below says nothing about it."""
        for access, node in enumerate(self.settled):
            if node is not None and node is not parent:
                self.settled[access] = common_ancestor(node, parent)

    def change_exposure(self, node: Node, before: Level, after: Level) -> None:
        """An exposed node of the level `before` has the level `after` from now on.

        Source: Miri, `wildcard.rs`, `update_exposure`.
        """
        for access, needed in ((0, Level.READ), (1, Level.WRITE)):
            change = (after >= needed) - (before >= needed)
            if change:
                counts = self.exposed[access]
                at: Node | None = node
                while at is not None:
                    counts[at.tag] = counts.get(at.tag, 0) + change
                    at = at.parent


class Tree:
    """All nodes of an allocation. roots: the main one first, then in the order of their tags."""

    __slots__ = ("locations", "nodes", "roots")

    def __init__(self, size: int, root: Node, code: int) -> None:
        location = Location()
        location.states[root.tag] = code
        self.roots = [root]
        self.nodes: dict[Tag, Node] = {root.tag: root}
        self.locations = RangeMap(size, location)

    def add(self, node: Node, weakest: Idempotent) -> None:
        """Put a new node in, whose states are set already.

        weakest: the weakest idempotent access of its states; no ancestor's may be stronger.

        Source: Miri, `tree.rs`, `new_child`.
        """
        self.nodes[node.tag] = node
        parent = node.parent
        if parent is None:
            self.roots.append(node)
            for location in self.locations.states:
                location.settled = [None, None]
            return
        parent.children.append(node)
        for location in self.locations.states:
            location.wake(node)
            location.unsettle(parent)
        self._weaken(parent, weakest)

    def _weaken(self, node: Node | None, to: Idempotent) -> None:
        """Let no ancestor's idempotent access be stronger than `to`.

        Source: Miri, `tree.rs`, `update_idempotent_foreign_access_after_retag`.
        """
        if to is Idempotent.WRITE:
            return
        weakened = WEAKENED[to]
        while node is not None:
            changed = False
            default = weakened[node.default]
            if default != node.default:
                node.default = default
                changed = True
            for location in self.locations.states:
                code = location.states.get(node.tag)
                if code is None:
                    if changed:
                        location.wake(node)
                elif weakened[code] != code:
                    location.states[node.tag] = weakened[code]
                    location.wake(node)
                    changed = True
            if not changed:
                return
            node = node.parent
