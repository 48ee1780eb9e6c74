"""Tree Borrows: each pointer is a node in a tree; an access changes every node's permission.

An access is a *child* access to the node that it is made through and to that node's ancestors,
which all must allow it, and a *foreign* access to every other node, which may take rights away
from it. `permissions.py` has the rules for one node, `tree.py` what spares visits,
`tree_foreign.py` foreign accesses, and `tree_wildcards.py` those through pointers of unknown
provenance.

Source: Villani, Hostert, Dreyer, Jung, "Tree Borrows" (PLDI 2025); MiniRust's
`spec/mem/tree_borrows/`; for the order in which nodes are visited, Miri's
`src/borrow_tracker/tree_borrows/` (`mod.rs`, `tree.rs`, `tree_visitor.rs`), of April 2026.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.model.borrows import Access, Broken, Item, Protector, Referrer, TreeNode, TreeView
from harness.model.permissions import (
    ACCESSED,
    CELL,
    CHILD,
    DISABLED,
    FROZEN,
    LEVEL,
    PERMISSION,
    RESERVED,
    RESERVED_INTERIOR_MUTABLE,
    UNIQUE,
    Level,
    Permission,
    State,
    release_access,
)
from harness.model.provenance import WILDCARD_TAG
from harness.model.tree import Node, Tree, common_ancestor
from harness.model.tree_faults import Cause, Operation, forbidden, protects_memory
from harness.model.tree_foreign import access_foreign
from harness.model.tree_wildcards import access_unknown, least_exposed

if TYPE_CHECKING:
    from harness.model.borrows import Retag, View
    from harness.model.memory import Allocation
    from harness.model.provenance import Tag
    from harness.model.tree import Location
    from harness.pointer.program import Path


def initial_permission(
    retag: Retag, *, frozen: bool, outside: bool, implicit_writes: bool
) -> Permission:
    """The permission that a new node begins with.

    frozen: whether the bytes lie outside of every `UnsafeCell`. outside: whether they lie
    outside of the referent; the pointer may come to be used for them all the same.
    implicit_writes: a mutable argument counts as written through on entry.

    Source: MiniRust, `reborrow_settings.md`; Miri, `mod.rs`, `NewPermission`; implicit writes:
    Miri of May 2026, there.
    """
    if retag.referrer is Referrer.SHARED:
        return FROZEN if frozen else CELL
    if retag.function_entry and implicit_writes and retag.may_write and not outside:
        return UNIQUE
    if retag.function_entry or frozen:
        return RESERVED
    return RESERVED_INTERIOR_MUTABLE


class TreeBorrows:
    """The model of one run. Implements `borrows.Borrows`.

    Raw pointers have the tag of what they are made from.
    """

    retags_raw_pointers = False

    def __init__(self, *, implicit_writes: bool = False) -> None:
        self.at: Path = ()
        self._implicit_writes = implicit_writes
        self._next_tag: Tag = 1
        self._trees: dict[int, Tree] = {}
        self._protected: dict[Tag, Protector] = {}
        self._calls: list[list[tuple[Allocation, Tag]]] = []

    def new_allocation(self, allocation: Allocation) -> Tag:
        """The root is unique, as if all bytes had been written through it.

        Source: MiniRust, `memory.md`; Miri, `tree.rs`, `Tree::new`.
        """
        outside = State(DISABLED, False).code
        node = Node(self._new_tag(), None, outside, self.at)
        inside = State(UNIQUE, True).code
        self._trees[allocation.number] = Tree(allocation.size, node, inside)
        return node.tag

    def access(
        self, allocation: Allocation, tag: Tag, offset: int, size: int, access: Access
    ) -> Broken | None:
        return self._access(allocation, tag, offset, size, access, Cause.ACCESS)

    def retag(
        self, allocation: Allocation, tag: Tag, offset: int, size: int, retag: Retag
    ) -> Tag | Broken:
        """Make a child of the node `tag`, after an access to the bytes that it is made for.

        The access is a read, or a write where the new node begins as unique; there is none
        where it begins as a cell.

        Source: MiniRust, `memory.md` (reborrow); Miri, `mod.rs`, `tb_reborrow`.
        """
        new = self._new_tag()
        if retag.function_entry:
            strong = retag.referrer is not Referrer.BOX
            self._protected[new] = Protector.STRONG if strong else Protector.WEAK
            self._calls[-1].append((allocation, new))
        parts = []
        for start, end, frozen in retag.interior.parts(size):
            permission = initial_permission(
                retag, frozen=frozen, outside=False, implicit_writes=self._implicit_writes
            )
            at, length = offset + start, end - start
            access = release_access(permission)
            if access is not None:
                broken = self._access(allocation, tag, at, length, access, Cause.REBORROW)
                if broken is not None:
                    return broken
            parts.append((at, length, State(permission, access is not None)))
        self._add(self._trees[allocation.number], tag, new, parts, retag)
        return new

    def _add(
        self, tree: Tree, tag: Tag, new: Tag, parts: list[tuple[int, int, State]], retag: Retag
    ) -> None:
        """Put the new node into the tree, with a state for each part and for all other bytes."""
        frozen = all(part[2] for part in retag.interior.parts(3))
        outside = initial_permission(
            retag, frozen=frozen, outside=True, implicit_writes=self._implicit_writes
        )
        default = State(outside, False)
        parent = None if tag == WILDCARD_TAG else tree.nodes[tag]
        node = Node(new, parent, default.code, self.at)
        touched = []
        for offset, size, state in parts:
            for index in tree.locations.cut(offset, size):
                location = tree.locations.states[index]
                location.states[new] = state.code
                touched.append(location)
        tree.add(node, retag.function_entry, touched)

    def enter_call(self) -> None:
        self._calls.append([])

    def leave_call(self) -> Broken | None:
        """End the call's protectors, each with a last access through its node.

        Source: the paper's section on protector end semantics; MiniRust, `memory.md`; Miri,
        `borrow_tracker/mod.rs`, `on_stack_pop`.
        """
        ended = self._calls.pop()
        for allocation, tag in ended:
            if allocation.live:
                broken = self._release(allocation, tag)
                if broken is not None:
                    return broken
        for _, tag in ended:
            del self._protected[tag]
        return None

    def _release(self, allocation: Allocation, tag: Tag) -> Broken | None:
        """A read, or a write where the node was written through; its children do not see it.

        Source: Miri, `tree.rs`, `perform_protector_end_access`.
        """
        tree = self._trees[allocation.number]
        node = tree.nodes[tag]
        for start, _, location in tree.locations:
            code = location.code(node)
            access = release_access(PERMISSION[code])
            if access is not None and ACCESSED[code]:
                operation = Operation(allocation, tree, node, access, Cause.RELEASE, start)
                broken = self._access_location(location, operation)
                if broken is not None:
                    return broken
        if node.exposed:
            for location in tree.locations.states:
                code = location.code(node)
                location.change_exposure(node, LEVEL[True][code], LEVEL[False][code])
        return None

    def expose(self, allocation: Allocation, tag: Tag) -> None:
        """From now on a wildcard access may be one through the node `tag`.

        Source: Miri, `wildcard.rs`, `expose_tag`.
        """
        tree = self._trees[allocation.number]
        node = tree.nodes[tag]
        if node.exposed:
            return
        node.exposed = True
        protected = tag in self._protected
        for location in tree.locations.states:
            location.change_exposure(node, Level.NONE, LEVEL[protected][location.code(node)])

    def forget(self, allocation: Allocation, tag: Tag) -> None:
        tree = self._trees[allocation.number]
        node = tree.nodes[tag]
        if not (node.exposed or node.parent is None):
            tree.remove(node)

    def deallocate(self, allocation: Allocation, tag: Tag) -> Broken | None:
        """A write to all bytes, and no node may protect one strongly.

        Cells do not mind, nor do nodes that the byte was never accessed through.

        Source: MiniRust, `memory.md` (deallocate); Miri, `tree.rs`, `dealloc`.
        """
        broken = self._access(allocation, tag, 0, allocation.size, Access.WRITE, Cause.DEALLOCATION)
        if broken is not None or Protector.STRONG not in self._protected.values():
            return broken
        tree = self._trees[allocation.number]
        source = None if tag == WILDCARD_TAG else tree.nodes[tag]
        for start, _, location in tree.locations:
            for protected, protector in self._protected.items():
                node = tree.nodes.get(protected)
                if node is None or protector is not Protector.STRONG:
                    continue
                code = location.code(node)
                if ACCESSED[code] and PERMISSION[code] is not CELL:
                    operation = Operation(
                        allocation, tree, source, Access.WRITE, Cause.DEALLOCATION, start
                    )
                    return protects_memory(operation, location, node, code)
        return None

    def views(self, allocation: Allocation) -> tuple[View, ...]:
        tree = self._trees[allocation.number]
        return tuple(
            TreeView(
                start=start,
                end=end,
                nodes=tuple(
                    self._view(location, node) for root in tree.roots for node in root.subtree()
                ),
            )
            for start, end, location in tree.locations
        )

    def _view(self, location: Location, node: Node) -> TreeNode:
        code = location.code(node)
        return TreeNode(
            item=Item(
                tag=node.tag,
                permission=str(PERMISSION[code]),
                protected=node.tag in self._protected,
                created_at=node.created_at,
            ),
            parent=None if node.parent is None else node.parent.tag,
            accessed=ACCESSED[code],
            exposed=node.exposed,
        )

    def _new_tag(self) -> Tag:
        tag = self._next_tag
        self._next_tag += 1
        return tag

    # Accesses

    def _access(
        self,
        allocation: Allocation,
        tag: Tag,
        offset: int,
        size: int,
        access: Access,
        cause: Cause,
    ) -> Broken | None:
        tree = self._trees[allocation.number]
        source = None if tag == WILDCARD_TAG else tree.nodes[tag]
        locations = tree.locations
        for index in locations.cut(offset, size):
            operation = Operation(allocation, tree, source, access, cause, locations.starts[index])
            broken = self._access_location(locations.states[index], operation)
            if broken is not None:
                return broken
        return None

    def _access_location(self, location: Location, operation: Operation) -> Broken | None:
        """An access to some bytes of one state, in every tree.

        A protector's last access passes over the node's own children; so it does over trees
        that may hang below one of them.

        Source: Miri, `tree.rs`, `LocationTree::perform_access`.
        """
        operation.tree.inform(location)
        roots = operation.tree.roots
        source = operation.source
        own = None
        if source is not None:
            broken = self._access_through(location, operation, source)
            if broken is not None or len(roots) == 1:
                return broken
            own = source.root()
        else:
            location.settled = [None, None]
        last_root = None
        if operation.cause is Cause.RELEASE:
            assert source is not None
            last_root = least_exposed(source)
        for root in roots:
            if last_root is not None and root.tag > last_root:
                break
            if root is not own:
                broken = access_unknown(location, operation, root, own, self._protected, self.at)
                if broken is not None:
                    return broken
        return None

    def _access_through(
        self, location: Location, operation: Operation, source: Node
    ) -> Broken | None:
        """An access through a known node: first up to the root, then everywhere else.

        Source: MiniRust, `tree.md` (access); the order: Miri, `tree_visitor.rs`.
        """
        access = operation.access
        alone = len(operation.tree.roots) == 1
        settled = location.settled[access] if alone else None
        stop = None if settled is None else common_ancestor(source, settled)
        table = CHILD[access]
        states = location.states
        protected = self._protected
        node: Node | None = source
        while node is not stop and node is not None:
            code = states.get(node.tag, node.default)
            guarded = node.tag in protected
            after = table[guarded][code]
            if after != code:
                if after < 0:
                    return forbidden(operation, location, node, code)
                location.set(node, code, after, guarded, self.at)
            node = node.parent
        if operation.cause is not Cause.RELEASE:
            broken = self._access_children(location, operation, source, None)
            if broken is not None:
                return broken
        child = source
        while child is not stop and child.parent is not None:
            broken = self._access_children(location, operation, child.parent, child)
            if broken is not None:
                return broken
            child = child.parent
        if alone:
            location.settle(source, access)
        return None

    def _access_children(
        self, location: Location, operation: Operation, parent: Node, but: Node | None
    ) -> Broken | None:
        """A foreign access to all children of `parent` but one, the newest first."""
        awake = location.awake[operation.access].get(parent.tag)
        if not awake:
            return None
        for tag in sorted(awake, reverse=True):
            child = awake[tag]
            if child is not but:
                broken = access_foreign(location, operation, child, self._protected, self.at)
                if broken is not None:
                    return broken
        return None
