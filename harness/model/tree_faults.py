"""What is known of a broken rule of Tree Borrows, in our words and in Miri's.

Source: Miri, `src/borrow_tracker/tree_borrows/diagnostics.rs`, of April 2026.
"""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, NamedTuple, assert_never

from harness.model.borrows import Broken
from harness.model.permissions import PERMISSION, Permission
from harness.outcome import FaultKind

if TYPE_CHECKING:
    from harness.model.borrows import Access
    from harness.model.memory import Allocation
    from harness.model.tree import Location, Node, Tree
    from harness.pointer.program import Path


class Cause(IntEnum):
    """Why an access is made."""

    ACCESS = 0
    REBORROW = 1
    DEALLOCATION = 2
    RELEASE = 3


class Operation(NamedTuple):
    """What is being done to some bytes, from `offset` on. source: None for a wildcard."""

    allocation: Allocation
    tree: Tree
    source: Node | None
    access: Access
    cause: Cause
    offset: int


def forbidden(operation: Operation, location: Location, node: Node, code: int) -> Broken:
    """A node that the access is a child access to does not allow it."""
    permission = PERMISSION[code]
    whose = "its node" if node is operation.source else f"its ancestor, tag {node.tag},"
    if permission is Permission.RESERVED_CONFLICTED:
        rule = "tree/conflicted-is-not-written-while-protected"
        because = ": others read the byte while the call that has it as an argument was running"
    else:
        because = f", which forbids a {operation.access}"
        match operation.cause:
            case Cause.REBORROW:
                rule = "tree/reborrow-needs-permission"
            case Cause.DEALLOCATION:
                rule = "tree/deallocation-needs-permission"
            case Cause.ACCESS | Cause.RELEASE:
                rule = f"tree/{'write' if operation.access else 'read'}-needs-permission"
            case _:
                assert_never(operation.cause)
    return _broken(
        operation,
        rule,
        FaultKind.ALIASING,
        f"{_words(operation)} is not allowed: {whose} is `{permission}` at byte "
        f"{operation.offset}{because}",
        node,
        location.changed_at.get(node.tag),
    )


def disabled(operation: Operation, location: Location, node: Node, code: int) -> Broken:
    """A foreign access would disable a protected node."""
    return _broken(
        operation,
        f"tree/foreign-{'write' if operation.access else 'read'}-spares-protected",
        FaultKind.PROTECTOR,
        f"{_words(operation)} would disable tag {node.tag}, which is `{PERMISSION[code]}` at byte "
        f"{operation.offset} and protected: the call that has it as an argument has not returned",
        node,
        location.changed_at.get(node.tag),
    )


def protects_memory(operation: Operation, location: Location, node: Node, code: int) -> Broken:
    """A deallocation meets a strongly protected node."""
    return _broken(
        operation,
        "tree/deallocation-spares-strongly-protected",
        FaultKind.PROTECTOR,
        f"{_words(operation)} meets tag {node.tag}, which is `{PERMISSION[code]}` at byte "
        f"{operation.offset} and strongly protected: the call that has it as an argument has not "
        "returned",
        node,
        location.changed_at.get(node.tag),
    )


def nowhere(operation: Operation) -> Broken:
    """No exposed node of the tree allows a wildcard access."""
    return Broken(
        rule="tree/wildcard-needs-exposed-permission",
        kind=FaultKind.ALIASING,
        sentence=f"{_words(operation)} is not allowed: no exposed pointer allows it at byte "
        f"{operation.offset}",
        message=_message(operation, wildcard=True),
        allocation=operation.allocation,
        tag=None if operation.source is None else operation.source.tag,
        conflicting=None,
        offset=operation.offset,
        created_at=None,
        invalidated_at=None,
    )


def _broken(
    operation: Operation,
    rule: str,
    kind: FaultKind,
    sentence: str,
    node: Node,
    invalidated_at: Path | None,
) -> Broken:
    source = operation.source
    return Broken(
        rule=rule,
        kind=kind,
        sentence=sentence,
        message=_message(operation),
        allocation=operation.allocation,
        tag=None if source is None else source.tag,
        conflicting=None if node is source else node.tag,
        offset=operation.offset,
        created_at=node.created_at,
        invalidated_at=invalidated_at,
    )


def _words(operation: Operation) -> str:
    """The access and whose it is."""
    source = operation.source
    who = "a pointer of unknown provenance" if source is None else f"tag {source.tag}"
    match operation.cause:
        case Cause.ACCESS:
            return f"a {operation.access} through {who}"
        case Cause.REBORROW:
            return f"a reborrow of {who}, which counts as a {operation.access},"
        case Cause.DEALLOCATION:
            return f"a deallocation through {who}, which counts as a write access,"
        case Cause.RELEASE:
            return f"the end of the protector of {who}, which counts as a {operation.access},"
        case _:
            assert_never(operation.cause)


def _message(operation: Operation, *, wildcard: bool = False) -> str:
    """Miri's title of the fault."""
    match operation.cause:
        case Cause.ACCESS | Cause.RELEASE:
            cause = str(operation.access)
        case Cause.REBORROW:
            cause = "reborrow"
        case Cause.DEALLOCATION:
            cause = "deallocation"
        case _:
            assert_never(operation.cause)
    if wildcard or operation.source is None:
        who = "<wildcard>"
    elif operation.source is operation.tree.roots[0]:
        who = "_ (root of the allocation)"
    else:
        who = "_"
    at = f"ALLOC[{operation.offset:#x}]"
    return f"Undefined Behavior: {cause} through {who} at {at} is forbidden"
