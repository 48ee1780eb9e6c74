"""Accesses through a pointer of unknown provenance, in Tree Borrows.

Such an access is taken to be made through any exposed node that allows it. To a node below which
all of these lie it is a child access, to one below which none does a foreign one; a node below
which some do is left as it is.

A pointer made from one of unknown provenance is the root of a tree of its own: it hangs below
some exposed node, nobody knows which.

Source: Miri, `src/borrow_tracker/tree_borrows/wildcard.rs` and `tree.rs`, of April 2026.
"""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING

from harness.model.permissions import CHILD, LEVEL
from harness.model.tree_faults import forbidden, nowhere
from harness.model.tree_foreign import access_foreign

if TYPE_CHECKING:
    from collections.abc import Collection

    from harness.model.borrows import Access, Broken
    from harness.model.provenance import Tag
    from harness.model.tree import Location, Node
    from harness.model.tree_faults import Operation
    from harness.pointer.program import Path


class Whereabouts(IntEnum):
    """What a wildcard access may be to a node.

    Source: Miri, `wildcard.rs`, `WildcardAccessRelatedness`.
    """

    CHILD = 0
    FOREIGN = 1
    EITHER = 2
    NOWHERE = 3


def access_unknown(
    location: Location,
    operation: Operation,
    root: Node,
    own: Node | None,
    protected: Collection[Tag],
    at: Path,
) -> Broken | None:
    """An access to a whole tree, through any of its exposed nodes or through none of them.

    Children come before their parents: what they lose counts for these already.

    own: the root of the tree that the access was made through, if it is known; a tree with a
    greater tag may hang below it, one with a lesser may not. at: the statement being executed.

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
        if where is Whereabouts.FOREIGN:
            # So it is to all that is below, where no node is one that it may be made through.
            broken = access_foreign(location, operation, node, protected, at)
            if broken is not None:
                return broken
            continue
        if not children_done:
            pending.append((node, True))
            pending.extend((child, False) for child in node.children)
            continue
        if where is Whereabouts.NOWHERE:
            return nowhere(operation)
        code = location.code(node)
        guarded = node.tag in protected
        allowed = node.exposed and LEVEL[guarded][code] > access
        possible = possible or (allowed and (last is None or node.tag <= last))
        if where is Whereabouts.EITHER:
            continue
        after = CHILD[access][guarded][code]
        if after < 0:
            return forbidden(operation, location, node, code)
        if after != code:
            location.set(node, code, after, guarded, at)
    if main and not possible:
        return nowhere(operation)
    return None


def least_exposed(top: Node) -> Tag | None:
    """The smallest exposed tag of a subtree.

    Source: Miri, `tree.rs`, `get_min_exposed_child`.
    """
    return min((node.tag for node in top.subtree() if node.exposed), default=None)


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
