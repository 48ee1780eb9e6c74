"""Foreign accesses, in Tree Borrows: to a whole subtree that an access is not made through."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.model.permissions import FOREIGN, IS_LOST, MINDS
from harness.model.tree_faults import disabled

if TYPE_CHECKING:
    from collections.abc import Collection

    from harness.model.borrows import Broken
    from harness.model.provenance import Tag
    from harness.model.tree import Location, Node
    from harness.model.tree_faults import Operation
    from harness.pointer.program import Path


def access_foreign(
    location: Location, operation: Operation, top: Node, protected: Collection[Tag], at: Path
) -> Broken | None:
    """A foreign access to what is awake of a subtree, children before their parents.

    at: the statement being executed.

    Source: MiniRust, `tree.md` (access); the order: Miri, `tree_visitor.rs`.
    """
    access = operation.access
    awake = location.awake[access]
    pending = [(top, False)]
    while pending:
        node, children_done = pending.pop()
        code = location.code(node)
        if not children_done:
            if IS_LOST[access][code]:
                location.let_sleep(node, access)
                continue
            pending.append((node, True))
            children = awake.get(node.tag)
            if children:
                pending.extend((children[tag], False) for tag in sorted(children))
            continue
        guarded = node.tag in protected
        after = FOREIGN[access][guarded][code]
        if after != code:
            if after < 0:
                return disabled(operation, location, node, code)
            location.set(node, code, after, guarded, at)
        if not (MINDS[access][guarded][after] or awake.get(node.tag)):
            location.let_sleep(node, access)
    return None
