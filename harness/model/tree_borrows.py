"""Tree Borrows: each pointer is a node in a tree; an access changes every node's permission.

An access is a *child* access to the node that it is made through and to that node's ancestors,
which all must allow it, and a *foreign* access to every other node, which may take rights away
from it. `permissions.py` has the rules for one node, `tree.py` what spares visits.

Pointers of unknown provenance (wildcards) are approximated as Miri does it: the access is taken
to be made through any exposed node that allows it. Where it would be a child access for some of
these and a foreign one for others, a node is left as it is.

Source: Villani, Hostert, Dreyer, Jung, "Tree Borrows" (PLDI 2025); MiniRust's
`spec/mem/tree_borrows/`; for wildcards and for the order in which nodes are visited, Miri's
`src/borrow_tracker/tree_borrows/` (`mod.rs`, `tree.rs`, `wildcard.rs`), of April 2026.
"""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, NamedTuple

from harness.model.borrows import Access, Broken, Item, Protector, Referrer, TreeNode, TreeView
from harness.model.permissions import (
    ACCESSED,
    CELL,
    CHILD,
    DISABLED,
    FORBIDDEN,
    FOREIGN,
    FROZEN,
    LEVEL,
    PERMISSION,
    RESERVED,
    RESERVED_INTERIOR_MUTABLE,
    SKIPS,
    UNIQUE,
    Idempotent,
    Level,
    Permission,
    State,
    idempotent,
    release_access,
)
from harness.model.provenance import WILDCARD_TAG
from harness.model.tree import Node, Tree, common_ancestor
from harness.outcome import FaultKind

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


class Cause(IntEnum):
    """Why an access is made."""

    ACCESS = 0
    REBORROW = 1
    DEALLOCATION = 2
    RELEASE = 3


class _Operation(NamedTuple):
    """What is being done to some bytes, from `offset` on. source: None for a wildcard."""

    allocation: Allocation
    tree: Tree
    source: Node | None
    access: Access
    cause: Cause
    offset: int


class Whereabouts(IntEnum):
    """What a wildcard access may be to a node.

    Source: Miri, `wildcard.rs`, `WildcardAccessRelatedness`.
    """

    CHILD = 0
    FOREIGN = 1
    EITHER = 2
    NOWHERE = 3


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
        outside = State(DISABLED, False, Idempotent.NONE).code
        node = Node(self._new_tag(), None, outside, self.at)
        inside = State(UNIQUE, True, Idempotent.NONE).code
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
        tree = self._trees[allocation.number]
        new = self._new_tag()
        protected = retag.function_entry
        if protected:
            strong = retag.referrer is not Referrer.BOX
            self._protected[new] = Protector.STRONG if strong else Protector.WEAK
            self._calls[-1].append((allocation, new))
        parts = []
        for start, end, frozen in retag.interior.parts(size):
            permission = initial_permission(
                retag, frozen=frozen, outside=False, implicit_writes=self._implicit_writes
            )
            access = release_access(permission)
            if access is not None:
                broken = self._access(
                    allocation, tag, offset + start, end - start, access, Cause.REBORROW
                )
                if broken is not None:
                    return broken
            weakest = idempotent(permission, protected)
            parts.append((start, end, State(permission, access is not None, weakest)))
        self._add(tree, allocation, tag, new, offset, parts, retag)
        return new

    def _add(
        self,
        tree: Tree,
        allocation: Allocation,
        tag: Tag,
        new: Tag,
        offset: int,
        parts: list[tuple[int, int, State]],
        retag: Retag,
    ) -> None:
        frozen = all(part[2] for part in retag.interior.parts(3))
        outside = initial_permission(
            retag, frozen=frozen, outside=True, implicit_writes=self._implicit_writes
        )
        default = State(outside, False, idempotent(outside, retag.function_entry))
        parent = None if tag == WILDCARD_TAG else tree.nodes[tag]
        node = Node(new, parent, default.code, self.at)
        weakest = default.idempotent
        for start, end, state in parts:
            weakest = min(weakest, state.idempotent)
            for index in tree.locations.cut(offset + start, end - start):
                tree.locations.states[index].states[new] = state.code
        tree.add(node, weakest)

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
                operation = _Operation(allocation, tree, node, access, Cause.RELEASE, start)
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
                    operation = _Operation(
                        allocation, tree, source, Access.WRITE, Cause.DEALLOCATION, start
                    )
                    return self._protects_from_deallocation(operation, node, PERMISSION[code])
        return None

    def views(self, allocation: Allocation) -> tuple[View, ...]:
        tree = self._trees[allocation.number]
        return tuple(
            TreeView(
                start=start,
                end=end,
                nodes=tuple(
                    self._view(location, node) for root in tree.roots for node in _preorder(root)
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
            operation = _Operation(allocation, tree, source, access, cause, locations.starts[index])
            broken = self._access_location(locations.states[index], operation)
            if broken is not None:
                return broken
        return None

    def _access_location(self, location: Location, operation: _Operation) -> Broken | None:
        """An access to some bytes of one state, in every tree.

        A protector's last access passes over the node's own children; so it does over trees
        that may hang below one of them.

        Source: Miri, `tree.rs`, `LocationTree::perform_access`.
        """
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
            last_root = _least_exposed(source)
        for root in roots:
            if last_root is not None and root.tag > last_root:
                break
            if root is not own:
                broken = self._access_unknown(location, operation, root, own)
                if broken is not None:
                    return broken
        return None

    def _access_through(
        self, location: Location, operation: _Operation, source: Node
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
                    return self._forbidden(location, operation, node, code)
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
        self, location: Location, operation: _Operation, parent: Node, but: Node | None
    ) -> Broken | None:
        """A foreign access to all children of `parent` but one, the newest first."""
        awake = location.awake[operation.access].get(parent.tag)
        if not awake:
            return None
        for tag in sorted(awake, reverse=True):
            child = awake[tag]
            if child is not but:
                broken = self._access_foreign(location, operation, child)
                if broken is not None:
                    return broken
        return None

    def _access_foreign(
        self, location: Location, operation: _Operation, top: Node
    ) -> Broken | None:
        """A foreign access to a subtree, children before their parents.

        Source: MiniRust, `tree.md` (access); the order: Miri, `tree_visitor.rs`.
        """
        access = operation.access
        skips = SKIPS[access]
        table = FOREIGN[access]
        awake = location.awake[access]
        pending = [(top, False)]
        while pending:
            node, children_done = pending.pop()
            code = location.code(node)
            if children_done:
                guarded = node.tag in self._protected
                after = table[guarded][code]
                if after != code:
                    if after < 0:
                        return self._disabled(location, operation, node, code)
                    location.set(node, code, after, guarded, self.at)
            elif skips[code]:
                assert node.parent is not None
                awake[node.parent.tag].pop(node.tag, None)
            else:
                pending.append((node, True))
                children = awake.get(node.tag)
                if children:
                    pending.extend((children[tag], False) for tag in sorted(children))
        return None

    # Accesses through an unknown node

    def _access_unknown(
        self, location: Location, operation: _Operation, root: Node, own: Node | None
    ) -> Broken | None:
        """An access to a whole tree, through any of its exposed nodes or through none of them.

        own: the root of the tree that the access was made through, if it is known; a tree with
        a greater tag may hang below it, one with a lesser may not.

        Source: Miri, `tree.rs`, `perform_wildcard_access`.
        """
        access = operation.access
        main = root is operation.tree.roots[0]
        last = None if own is None else own.tag
        possible = False
        pending = [(root, False)]
        while pending:
            node, children_done = pending.pop()
            where = _whereabouts(location, access, root, node, main=main, last=last)
            code = location.code(node)
            if not children_done:
                if where is not Whereabouts.FOREIGN or not SKIPS[access][code]:
                    pending.append((node, True))
                    pending.extend((child, False) for child in node.children)
                continue
            if where is Whereabouts.NOWHERE:
                return self._nowhere(operation)
            guarded = node.tag in self._protected
            if (
                node.exposed
                and LEVEL[guarded][code] > access
                and (last is None or node.tag <= last)
            ):
                possible = True
            if where is Whereabouts.EITHER:
                continue
            child = where is Whereabouts.CHILD
            after = (CHILD if child else FOREIGN)[access][guarded][code]
            if after < 0:
                broken = self._forbidden if after == FORBIDDEN else self._disabled
                return broken(location, operation, node, code)
            if after != code:
                location.set(node, code, after, guarded, self.at)
        if main and not possible:
            return self._nowhere(operation)
        return None

    # Facts about a broken rule

    def _forbidden(
        self, location: Location, operation: _Operation, node: Node, code: int
    ) -> Broken:
        permission = PERMISSION[code]
        source = operation.source
        tags = _words(operation)
        itself = "which" if node is source else f"whose ancestor, tag {node.tag},"
        conflicted = permission is Permission.RESERVED_CONFLICTED
        rule = {
            Cause.REBORROW: "tree/reborrow-needs-permission",
            Cause.DEALLOCATION: "tree/deallocation-needs-permission",
        }.get(operation.cause, f"tree/{'write' if operation.access else 'read'}-needs-permission")
        if conflicted:
            rule = "tree/conflicted-is-not-written-while-protected"
        return Broken(
            rule=rule,
            kind=FaultKind.ALIASING,
            sentence=f"{tags}, {itself} is `{permission}` at byte {operation.offset}"
            + (
                ": others read the byte while the call that has it as an argument was running"
                if conflicted
                else f", which forbids a {operation.access}"
            ),
            message=_message(operation),
            allocation=operation.allocation,
            tag=None if source is None else source.tag,
            conflicting=None if node is source else node.tag,
            offset=operation.offset,
            created_at=node.created_at,
            invalidated_at=location.changed_at.get(node.tag),
        )

    def _disabled(self, location: Location, operation: _Operation, node: Node, code: int) -> Broken:
        source = operation.source
        return Broken(
            rule=f"tree/foreign-{'write' if operation.access else 'read'}-spares-protected",
            kind=FaultKind.PROTECTOR,
            sentence=f"{_words(operation)}, would disable tag {node.tag}, which is "
            f"`{PERMISSION[code]}` at byte {operation.offset} and protected: the call that has "
            "it as an argument has not returned",
            message=_message(operation),
            allocation=operation.allocation,
            tag=None if source is None else source.tag,
            conflicting=node.tag,
            offset=operation.offset,
            created_at=node.created_at,
            invalidated_at=location.changed_at.get(node.tag),
        )

    def _protects_from_deallocation(
        self, operation: _Operation, node: Node, permission: Permission
    ) -> Broken:
        source = operation.source
        return Broken(
            rule="tree/deallocation-spares-strongly-protected",
            kind=FaultKind.PROTECTOR,
            sentence=f"tag {node.tag} is `{permission}` at byte {operation.offset} and strongly "
            "protected: the call that has it as an argument has not returned",
            message=_message(operation),
            allocation=operation.allocation,
            tag=None if source is None else source.tag,
            conflicting=node.tag,
            offset=operation.offset,
            created_at=node.created_at,
            invalidated_at=None,
        )

    def _nowhere(self, operation: _Operation) -> Broken:
        source = operation.source
        return Broken(
            rule="tree/wildcard-needs-exposed-permission",
            kind=FaultKind.ALIASING,
            sentence=f"no exposed pointer allows a {operation.access} at byte {operation.offset}",
            message=_message(operation, wildcard=True),
            allocation=operation.allocation,
            tag=None if source is None else source.tag,
            conflicting=None,
            offset=operation.offset,
            created_at=None,
            invalidated_at=None,
        )


def _preorder(root: Node) -> list[Node]:
    found, pending = [], [root]
    while pending:
        node = pending.pop()
        found.append(node)
        pending.extend(reversed(node.children))
    return found


def _least_exposed(top: Node) -> Tag | None:
    """The smallest exposed tag of a subtree.

    Source: Miri, `tree.rs`, `get_min_exposed_child`.
    """
    return min((node.tag for node in _preorder(top) if node.exposed), default=None)


def _whereabouts(
    location: Location, access: Access, root: Node, node: Node, *, main: bool, last: Tag | None
) -> Whereabouts:
    """What a wildcard access is to a node, as far as the exposed nodes tell.

    main: whether this is the main tree; into another, an access may come from outside.
    last: no node with a greater tag can have been the one.

    Source: Miri, `wildcard.rs`, `access_relatedness`.
    """
    counts = location.exposed[access]
    everywhere = counts.get(root.tag, 0) + (not main)
    here = counts.get(node.tag, 0)
    if everywhere == 0:
        return Whereabouts.NOWHERE
    only_foreign = last is not None and last < node.tag
    if everywhere == here:
        return Whereabouts.NOWHERE if only_foreign else Whereabouts.CHILD
    if here == 0 or only_foreign:
        return Whereabouts.FOREIGN
    return Whereabouts.EITHER


def _words(operation: _Operation) -> str:
    """The access and whose it is."""
    source = operation.source
    who = "a pointer of unknown provenance" if source is None else f"tag {source.tag}"
    match operation.cause:
        case Cause.ACCESS:
            return f"a {operation.access} through {who}"
        case Cause.REBORROW:
            return f"a reborrow, which is a {operation.access}, through {who}"
        case Cause.DEALLOCATION:
            return f"a deallocation, which is a write access, through {who}"
        case Cause.RELEASE:
            return f"the end of a protector, a {operation.access} through {who}"


def _message(operation: _Operation, *, wildcard: bool = False) -> str:
    """Miri's title of the fault. Source: Miri, `tree_borrows/diagnostics.rs`."""
    cause = {Cause.REBORROW: "reborrow", Cause.DEALLOCATION: "deallocation"}.get(
        operation.cause, str(operation.access)
    )
    source = operation.source
    if wildcard or source is None:
        who = "<wildcard>"
    elif source is operation.tree.roots[0]:
        who = "_ (root of the allocation)"
    else:
        who = "_"
    return f"Undefined Behavior: {cause} through {who} at ALLOC[{operation.offset:#x}] is forbidden"
