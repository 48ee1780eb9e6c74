"""The tree of an allocation: its nodes, and their states at each range of bytes.

Two devices keep an access from visiting the whole tree. Both only leave out visits that would
change nothing:

- *awake* children of a node are those that a foreign access would change, or that have awake
  children themselves. A node wakes, and its ancestors with it, when its state becomes one that
  minds (`permissions.minds`); once nothing below it does any more, an access lets it sleep.
- *settled*: after an access through a node, the same access through any node of its path to
  the root changes nothing at that node, nor outside of its subtree. The next access has to
  climb only to the first common ancestor.

So the cost of an access is the number of nodes whose state may change, and each of them has
been made so by an access or a retag before.
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

from harness.model.borrows import Access
from harness.model.permissions import LEVEL, MINDS, PERMISSION, Level
from harness.model.range_map import RangeMap

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harness.model.provenance import Tag
    from harness.pointer.program import Path


ACCESSES = tuple(Access)
"""An enumeration takes long to go through."""


class Node:
    """A pointer in the tree.

    default: the code of its state where it has none of its own yet. depth: of the root 0.
    newcomer: its place among the tree's, see `Tree`; infinite if it never was one.
    parent: None for a root, of which there are several if pointers were made from one of
    unknown provenance: each is the child of some exposed node, nobody knows which.
    """

    __slots__ = (
        "children",
        "created_at",
        "default",
        "depth",
        "exposed",
        "newcomer",
        "parent",
        "tag",
    )

    def __init__(self, tag: Tag, parent: Node | None, default: int, created_at: Path) -> None:
        self.tag = tag
        self.parent = parent
        self.default = default
        self.created_at = created_at
        self.depth: int = 0 if parent is None else parent.depth + 1
        self.newcomer: float = inf
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
    informed: how many of the tree's newcomers have been let in.
    """

    __slots__ = ("awake", "changed_at", "exposed", "informed", "settled", "states")

    def __init__(self) -> None:
        self.states: dict[Tag, int] = {}
        self.changed_at: dict[Tag, Path] = {}
        self.awake: tuple[dict[Tag, dict[Tag, Node]], dict[Tag, dict[Tag, Node]]] = ({}, {})
        self.settled: list[Node | None] = [None, None]
        self.informed = 0
        self.exposed: tuple[dict[Tag, int], dict[Tag, int]] = ({}, {})

    def copy(self) -> Location:
        other = Location()
        other.states = dict(self.states)
        other.changed_at = dict(self.changed_at)
        for mine, theirs in zip(self.awake, other.awake, strict=True):
            theirs.update((tag, dict(children)) for tag, children in mine.items())
        other.settled = list(self.settled)
        other.informed = self.informed
        for counts, copied in zip(self.exposed, other.exposed, strict=True):
            copied.update(counts)
        return other

    def code(self, node: Node) -> int:
        return self.states.get(node.tag, node.default)

    def wake(self, node: Node, protected: bool) -> None:
        """Let the foreign accesses visit the node that its state minds."""
        code = self.states.get(node.tag, node.default)
        for access in ACCESSES:
            if MINDS[access][protected][code]:
                self._reach(node, access)

    def let_sleep(self, node: Node, access: Access) -> None:
        """Neither the node nor what is below it minds the access any more."""
        if node.parent is not None:
            self.awake[access].get(node.parent.tag, {}).pop(node.tag, None)

    def _reach(self, node: Node, access: Access) -> None:
        awake = self.awake[access]
        parent = node.parent
        while parent is not None:
            children = awake.setdefault(parent.tag, {})
            if node.tag in children:
                # So its ancestors are awake as well, or lost.
                return
            children[node.tag] = node
            node, parent = parent, parent.parent

    def set(self, node: Node, before: int, after: int, protected: bool, at: Path) -> None:
        """Change the node's state from one code to another."""
        self.states[node.tag] = after
        if PERMISSION[after] is not PERMISSION[before]:
            self.changed_at[node.tag] = at
            if node.exposed:
                self.change_exposure(node, LEVEL[protected][before], LEVEL[protected][after])
        self.wake(node, protected)

    def admit(self, node: Node, protected: bool) -> None:
        """A node is new. What was settled says nothing of accesses that it minds."""
        parent = node.parent
        assert parent is not None
        code = self.states.get(node.tag, node.default)
        for access in ACCESSES:
            if MINDS[access][protected][code]:
                self._reach(node, access)
                settled = self.settled[access]
                if settled is not None and settled is not parent:
                    self.settled[access] = common_ancestor(settled, parent)

    def leave(self, node: Node, parent: Node) -> None:
        """Forget a node, whose parent is as good as it was where anything was settled."""
        self.states.pop(node.tag, None)
        self.changed_at.pop(node.tag, None)
        for access in ACCESSES:
            self.let_sleep(node, access)
            if self.settled[access] is node:
                self.settled[access] = parent

    def settle(self, node: Node, access: Access) -> None:
        """An access through `node` was made, whose tree is the allocation's only one."""
        self.settled[Access.READ] = node
        written = self.settled[Access.WRITE]
        if access is Access.WRITE:
            self.settled[Access.WRITE] = node
        elif written is not None and written is not node:
            self.settled[Access.WRITE] = common_ancestor(node, written)

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
    """All nodes of an allocation. roots: the main one first, then in the order of their tags.

    A node that some foreign access is something to is a *newcomer* to each location until the
    next access there, which is the first to ask for it.
    """

    __slots__ = ("_newcomers", "locations", "nodes", "roots")

    def __init__(self, size: int, root: Node, code: int) -> None:
        location = Location()
        location.states[root.tag] = code
        self.roots = [root]
        self.nodes: dict[Tag, Node] = {root.tag: root}
        self.locations = RangeMap(size, location)
        self._newcomers: list[tuple[Node, bool]] = []

    def add(self, node: Node, protected: bool, touched: Iterable[Location]) -> None:
        """Put a new node in. touched: where it has a state of its own already."""
        self.nodes[node.tag] = node
        parent = node.parent
        if parent is None:
            self.roots.append(node)
            for location in self.locations.states:
                location.settled = [None, None]
            return
        parent.children.append(node)
        codes = {node.default, *(location.code(node) for location in touched)}
        if any(MINDS[access][protected][code] for code in codes for access in ACCESSES):
            node.newcomer = len(self._newcomers)
            self._newcomers.append((node, protected))

    def inform(self, location: Location) -> None:
        """Let in, before an access to a location, who came since the last one there."""
        newcomers = self._newcomers
        for number in range(location.informed, len(newcomers)):
            node, protected = newcomers[number]
            if node.tag in self.nodes:
                location.admit(node, protected)
        location.informed = len(newcomers)

    def remove(self, node: Node) -> None:
        """Take a node out that has no children, and that nobody has a pointer of any more."""
        parent = node.parent
        assert parent is not None
        assert not node.children
        if parent.children[-1] is node:
            parent.children.pop()
        else:
            parent.children.remove(node)
        del self.nodes[node.tag]
        for location in self.locations.states:
            if node.tag in location.states or node.newcomer < location.informed:
                location.leave(node, parent)
        others = len(self._newcomers) - 1
        if node.newcomer == others:
            self._newcomers.pop()
            for location in self.locations.states:
                location.informed = min(location.informed, others)
