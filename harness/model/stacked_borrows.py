"""Stacked Borrows: each byte has a stack of items; whoever uses an older one pops the newer.

An item is a tag with a permission. An access needs an item of its tag that grants it, and
then removes what above it is incompatible: a write pops, a read disables each `Unique`. Where a
tag has no item left, using it is undefined behaviour.

Source: Jung, Dang, Kang, Dreyer, "Stacked Borrows: An Aliasing Model for Rust" (POPL 2020), and
the reference that is kept up to date, the unsafe code guidelines' `wip/stacked-borrows.md`,
cited by its headings; what it does not have is cited from Miri's
`src/borrow_tracker/stacked_borrows/` (`mod.rs`, `stack.rs`, `diagnostics.rs`), of April 2026.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, assert_never

from harness.model.borrows import Access, Broken, Item, Protector, Referrer, StackView, View
from harness.model.memory import AllocationKind
from harness.model.provenance import WILDCARD_TAG
from harness.model.stack import (
    DISABLED,
    SHARED_READ_ONLY,
    SHARED_READ_WRITE,
    UNIQUE,
    Block,
    Permission as Permission,
    Stack,
    Stacks,
)
from harness.model.stacked_faults import Operation, not_granted, protected_item

if TYPE_CHECKING:
    from harness.model.borrows import Retag
    from harness.model.memory import Allocation
    from harness.model.provenance import Tag
    from harness.pointer.program import Path


class Grant(NamedTuple):
    """What a retag puts on the stack. access: that it counts as; None for a mere insertion."""

    permission: Permission
    access: Access | None
    protector: Protector | None


def grant_of(retag: Retag, frozen: bool) -> Grant:
    """The permission that a retag asks for, on its referent's frozen or other bytes.

    Two-phase borrows are treated as raw pointers.

    Source: Stacked Borrows, "Reborrowing"; Miri, `mod.rs`, `NewPermission`.
    """
    strong = Protector.STRONG if retag.function_entry else None
    match retag.referrer:
        case Referrer.MUT if retag.two_phase:
            return Grant(SHARED_READ_WRITE, None, None)
        case Referrer.MUT:
            return Grant(UNIQUE, Access.WRITE, strong)
        case Referrer.BOX:
            weak = Protector.WEAK if retag.function_entry else None
            return Grant(UNIQUE, Access.WRITE, weak)
        case Referrer.RAW_MUT:
            return Grant(SHARED_READ_WRITE, None, None)
        case Referrer.SHARED | Referrer.RAW_CONST:
            if frozen:
                return Grant(SHARED_READ_ONLY, Access.READ, strong)
            return Grant(SHARED_READ_WRITE, None, None)
        case _:
            assert_never(retag.referrer)


class _Unknown(NamedTuple):
    """The granting item lies in the stack's unknown bottom."""


_UNKNOWN = _Unknown()


class StackedBorrows:
    """The model of one run. Implements `borrows.Borrows`."""

    retags_raw_pointers = True

    def __init__(self) -> None:
        self.at: Path = ()
        self._next_tag: Tag = 1
        self._stacks: dict[int, Stacks] = {}
        self._protected: dict[Tag, Protector] = {}
        self._calls: list[list[Tag]] = []

    def new_allocation(self, allocation: Allocation) -> Tag:
        """A local's root is `Unique`; what else there is has `SharedReadWrite` at the bottom.

        Source: Stacked Borrows, "Allocating memory".
        """
        tag = self._new_tag()
        stack = Stack()
        local = allocation.kind is AllocationKind.LOCAL
        stack.push(tag, UNIQUE if local else SHARED_READ_WRITE, False)
        self._stacks[allocation.number] = Stacks(allocation.size, tag, stack, self.at)
        return tag

    def access(
        self, allocation: Allocation, tag: Tag, offset: int, size: int, access: Access
    ) -> Broken | None:
        stacks = self._stacks[allocation.number]
        starts = stacks.stacks.starts
        states = stacks.stacks.states
        for index in stacks.stacks.cut(offset, size):
            operation = Operation(
                stacks, allocation, tag, starts[index], starts[index + 1], None, False
            )
            broken = self._access(states[index], operation, access)
            if broken is not None:
                return broken
        return None

    def retag(
        self, allocation: Allocation, tag: Tag, offset: int, size: int, retag: Retag
    ) -> Tag | Broken:
        """Make a pointer from another.

        A retag of no bytes makes a tag that no stack has.

        Source: Stacked Borrows, "Reborrowing" and "Retagging".
        """
        new = self._new_tag()
        stacks = self._stacks[allocation.number]
        stacks.created_at[new] = self.at
        if size == 0:
            return new
        if retag.function_entry:
            # The tag counts as protected even where only its bytes outside of cells are.
            protector = grant_of(retag, frozen=True).protector
            assert protector is not None
            self._protected[new] = protector
            self._calls[-1].append(new)
        starts = stacks.stacks.starts
        states = stacks.stacks.states
        for start, end, frozen in retag.interior.parts(size):
            grant = grant_of(retag, frozen)
            for index in stacks.stacks.cut(offset + start, end - start):
                operation = Operation(
                    stacks,
                    allocation,
                    tag,
                    starts[index],
                    starts[index + 1],
                    grant.permission,
                    False,
                )
                broken = self._grant(states[index], operation, new, grant)
                if broken is not None:
                    return broken
        return new

    def enter_call(self) -> None:
        self._calls.append([])

    def leave_call(self) -> Broken | None:
        """End the call's protectors, which is no access here.

        Source: Stacked Borrows, "Tracking function calls".
        """
        for tag in self._calls.pop():
            del self._protected[tag]
        return None

    def expose(self, allocation: Allocation, tag: Tag) -> None:
        self._stacks[allocation.number].exposed.add(tag)

    def forget(self, allocation: Allocation, tag: Tag) -> None:
        """Its items stay where they are: those below them pop them."""

    def deallocate(self, allocation: Allocation, tag: Tag) -> Broken | None:
        """A write access to all bytes, and no item left may be strongly protected.

        Source: Stacked Borrows, "Deallocating memory"; Miri, `mod.rs`, `dealloc`.
        """
        stacks = self._stacks[allocation.number]
        for start, end, stack in stacks.stacks:
            operation = Operation(stacks, allocation, tag, start, end, None, True)
            broken = self._access(stack, operation, Access.WRITE)
            if broken is not None:
                return broken
            if not self._protected:
                continue
            for block in reversed(stack.blocks):
                for item in reversed(block.items):
                    protector = self._protected.get(item) if block.items[item] else None
                    if protector is Protector.STRONG:
                        return protected_item(operation, item, block.permission, protector)
        return None

    def views(self, allocation: Allocation) -> tuple[View, ...]:
        stacks = self._stacks[allocation.number]
        return tuple(
            StackView(
                start=start,
                end=end,
                items=tuple(
                    Item(
                        tag=tag,
                        permission=str(block.permission),
                        protected=protected and tag in self._protected,
                        created_at=stacks.created_at.get(tag),
                    )
                    for block in stack.blocks
                    for tag, protected in block.items.items()
                ),
                unknown_below=stack.unknown_below,
            )
            for start, end, stack in stacks.stacks
        )

    def _new_tag(self) -> Tag:
        tag = self._next_tag
        self._next_tag += 1
        return tag

    # The rules

    def _access(self, stack: Stack, operation: Operation, access: Access) -> Broken | None:
        """Find the granting item, and take away what above it is incompatible.

        A write pops everything above the granting item and its compatible neighbours; a read
        disables every `Unique` above the granting item, and leaves the others.

        Source: Stacked Borrows, "Accessing memory".
        """
        tag = operation.tag
        granting = self._find_granting(stack, operation, access)
        if granting is None:
            return not_granted(operation, stack, access)
        height = granting.height if isinstance(granting, Block) else -1
        if access is Access.WRITE:
            broken = self._pop_above(stack, operation, height)
        else:
            broken = self._disable_uniques_above(stack, operation, height)
        if broken is None and (height < 0 or tag == WILDCARD_TAG):
            self._become_unknown(stack)
        return broken

    def _grant(self, stack: Stack, operation: Operation, new: Tag, grant: Grant) -> Broken | None:
        """Put the new item on the stack.

        A retag that counts as an access puts it on top. A `SharedReadWrite` is no access: it is
        inserted just above its parent and what is compatible with that.

        Source: Stacked Borrows, "Reborrowing"; where the parent is not known for certain: Miri,
        `mod.rs`, `grant`.
        """
        if grant.access is not None:
            broken = self._access(stack, operation, grant.access)
            if broken is None:
                stack.push(new, grant.permission, grant.protector is not None)
            return broken
        granting = self._find_granting(stack, operation, Access.WRITE)
        if granting is None:
            return not_granted(operation, stack, Access.WRITE)
        if isinstance(granting, Block) and operation.tag != WILDCARD_TAG:
            stack.insert_shared_read_write(new, granting)
        else:
            stack.forget(self._next_tag)
        return None

    def _find_granting(
        self, stack: Stack, operation: Operation, access: Access
    ) -> Block | _Unknown | None:
        """The block of the item that grants the access: the topmost one of its tag.

        For unknown provenance, the topmost that any exposed tag has: lower ones would take more
        away, so nothing is taken away that must stay.

        Source: Stacked Borrows, "Accessing memory"; unknown provenance: Miri, `stack.rs`,
        `find_granting`.
        """
        tag = operation.tag
        if tag != WILDCARD_TAG:
            block = stack.home.get(tag)
            if block is not None and (
                access is Access.READ or block.permission is not SHARED_READ_ONLY
            ):
                return block
            if stack.unknown_below is not None and tag < stack.unknown_below:
                return _UNKNOWN
            return None
        exposed = operation.stacks.exposed
        for block in reversed(stack.blocks):
            if block.permission.grants(access) and not exposed.isdisjoint(block.items):
                return block
        return None if stack.unknown_below is None else _UNKNOWN

    def _pop_above(self, stack: Stack, operation: Operation, height: int) -> Broken | None:
        blocks = stack.blocks
        while len(blocks) > height + 1:
            block = blocks.pop()
            if block.permission is DISABLED:
                continue
            if block.permission is UNIQUE:
                stack.uniques.pop()
            for item in reversed(block.items):
                broken = self._lose(operation, item, block)
                if broken is not None:
                    return broken
                del stack.home[item]
        return None

    def _disable_uniques_above(
        self, stack: Stack, operation: Operation, height: int
    ) -> Broken | None:
        uniques = stack.uniques
        kept = len(uniques)
        while kept and uniques[kept - 1].height > height:
            kept -= 1
        for block in uniques[kept:]:
            (item,) = block.items
            broken = self._lose(operation, item, block)
            if broken is not None:
                return broken
            block.permission = DISABLED
            del stack.home[item]
        del uniques[kept:]
        return None

    def _lose(self, operation: Operation, item: Tag, block: Block) -> Broken | None:
        """An item is about to lose its rights: undefined behaviour if it is protected.

        Source: Stacked Borrows, "Accessing memory"; Miri, `mod.rs`, `item_invalidated`.
        """
        if block.items[item]:
            protector = self._protected.get(item)
            if protector is not None:
                return protected_item(operation, item, block.permission, protector)
        operation.stacks.lost.setdefault(item, []).append((operation.start, operation.end, self.at))
        return None

    def _become_unknown(self, stack: Stack) -> None:
        """After an access that may have been anyone's: forget the stack, but bound its tags.

        Source: Miri, `mod.rs`, `access` (its last step).
        """
        bound = 1 if stack.unknown_below is None else stack.unknown_below
        if stack.home:
            bound = max(bound, max(stack.home) + 1)
        stack.forget(bound)
