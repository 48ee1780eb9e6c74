"""What is known of a broken rule of Stacked Borrows, in our words and in Miri's.

Source: Miri, `src/borrow_tracker/stacked_borrows/diagnostics.rs`, of April 2026.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from harness.model.borrows import Broken
from harness.model.provenance import WILDCARD_TAG
from harness.outcome import FaultKind

if TYPE_CHECKING:
    from harness.model.borrows import Access, Protector
    from harness.model.memory import Allocation
    from harness.model.provenance import Tag
    from harness.model.stack import Permission, Stack, Stacks


class Operation(NamedTuple):
    """What is being done to the bytes from `start` to `end`, which share a stack.

    tag: through which pointer. retag: the permission asked for, in a retag.
    """

    stacks: Stacks
    allocation: Allocation
    tag: Tag
    start: int
    end: int
    retag: Permission | None
    deallocates: bool


def not_granted(operation: Operation, stack: Stack, access: Access) -> Broken:
    """No item grants the access."""
    tag, offset, stacks = operation.tag, operation.start, operation.stacks
    lost_at = stacks.invalidated_at(tag, offset)
    who = "_"
    if tag == WILDCARD_TAG:
        who = "<wildcard>"
        cause = "no exposed tags have suitable permission in the borrow stack for this location"
        because = "no exposed pointer has an item there that grants it"
    elif tag in stack.home:
        cause = "that tag only grants SharedReadOnly permission for this location"
        because = "its item there is `SharedReadOnly`, which grants reads alone"
    else:
        cause = "that tag does not exist in the borrow stack for this location"
        because = "its item is no longer in the stack there"
        if lost_at is None:
            because = "it never had an item in the stack there"
    at = f"ALLOC[{offset:#x}]"
    if operation.deallocates:
        rule, what = "deallocation", "a deallocation"
        action = f"attempting deallocation using {who} at ALLOC"
    elif operation.retag is not None:
        rule, what = "retag", f"a retag for `{operation.retag}`"
        action = f"trying to retag from {who} for {operation.retag} permission at {at}"
    else:
        rule, what = "write" if access else "read", f"a {access}"
        action = f"attempting a {access} using {who} at {at}"
    return Broken(
        rule=f"stacked/{rule}-needs-granting-item",
        kind=FaultKind.ALIASING,
        sentence=f"{what} through {_owner(tag)} at byte {offset} is not granted: {because}",
        message=f"Undefined Behavior: {action}, but {cause}",
        allocation=operation.allocation,
        tag=None if tag == WILDCARD_TAG else tag,
        conflicting=None,
        offset=offset,
        created_at=stacks.created_at.get(tag),
        invalidated_at=lost_at,
    )


def protected_item(
    operation: Operation, item: Tag, permission: Permission, protector: Protector
) -> Broken:
    """The operation would take away the rights of a protected item."""
    tag = operation.tag
    shown = f"[{permission} for _]"
    if operation.deallocates:
        rule, what = "deallocation", "the deallocation"
        message = f"deallocating while item {shown} is {protector}"
    else:
        rule, what = "access", f"an access through {_owner(tag)}"
        who = "<wildcard>" if tag == WILDCARD_TAG else "_"
        message = (
            f"not granting access to tag {who} because that would remove {shown} "
            f"which is {protector}"
        )
    return Broken(
        rule=f"stacked/{rule}-keeps-protected-items",
        kind=FaultKind.PROTECTOR,
        sentence=(
            f"{what} would take away the `{permission}` item of tag {item} at byte "
            f"{operation.start}, which is {protector}: the call that has it as an argument has "
            "not returned"
        ),
        message=f"Undefined Behavior: {message}",
        allocation=operation.allocation,
        tag=None if tag == WILDCARD_TAG else tag,
        conflicting=item,
        offset=operation.start,
        created_at=operation.stacks.created_at.get(item),
        invalidated_at=None,
    )


def _owner(tag: Tag) -> str:
    return "a pointer of unknown provenance" if tag == WILDCARD_TAG else f"tag {tag}"
