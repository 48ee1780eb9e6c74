"""The stacks of an allocation, each kept as a list of blocks.

Neighbouring `SharedReadWrite` items form a *block*: using one of them is as good as using
another, so that their order has no meaning; neither has that of the `SharedReadOnly` items on
top. With the block of each tag kept beside the list, finding, pushing and popping take constant
time for each item.

Source: unsafe code guidelines, `wip/stacked-borrows.md`, "Extra state" and "Preliminaries for
items"; what it does not have is cited from Miri's `src/borrow_tracker/stacked_borrows/`, of
April 2026.
"""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING

from harness.model.borrows import Access
from harness.model.range_map import RangeMap

if TYPE_CHECKING:
    from harness.model.provenance import Tag
    from harness.pointer.program import Path


class Permission(IntEnum):
    """What an item grants. Source: Stacked Borrows, "Extra state"."""

    UNIQUE = 0
    SHARED_READ_WRITE = 1
    SHARED_READ_ONLY = 2
    DISABLED = 3

    def grants(self, access: Access) -> bool:
        """Every item but a disabled one grants reads; `SharedReadOnly` grants nothing else.

        Source: Stacked Borrows, "Preliminaries for items".
        """
        if access is Access.READ:
            return self is not Permission.DISABLED
        return self in (Permission.UNIQUE, Permission.SHARED_READ_WRITE)

    def __str__(self) -> str:
        return _PERMISSION_NAMES[self]


_PERMISSION_NAMES = ("Unique", "SharedReadWrite", "SharedReadOnly", "Disabled")

UNIQUE = Permission.UNIQUE
SHARED_READ_WRITE = Permission.SHARED_READ_WRITE
SHARED_READ_ONLY = Permission.SHARED_READ_ONLY
DISABLED = Permission.DISABLED


class Block:
    """Neighbouring items of one permission.

    items: by tag, oldest first, whether the item was pushed with a protector. height: the
    block's index in its stack.
    """

    __slots__ = ("height", "items", "permission")

    def __init__(self, permission: Permission, height: int, items: dict[Tag, bool]) -> None:
        self.permission = permission
        self.height = height
        self.items = items


class Stack:
    """The stack of some bytes.

    blocks: bottom first. home: the block of each tag that is not disabled. uniques: the `Unique`
    blocks, bottom first. unknown_below: if not None, below the known items lie unknown ones
    whose tags are less than this: an access with unknown provenance happened.

    Source: Stacked Borrows, "Extra state"; the unknown bottom: Miri, `stack.rs`,
    `unknown_bottom`.
    """

    __slots__ = ("blocks", "home", "uniques", "unknown_below")

    def __init__(self) -> None:
        self.blocks: list[Block] = []
        self.home: dict[Tag, Block] = {}
        self.uniques: list[Block] = []
        self.unknown_below: Tag | None = None

    def copy(self) -> Stack:
        other = Stack()
        other.unknown_below = self.unknown_below
        for block in self.blocks:
            twin = Block(block.permission, block.height, dict(block.items))
            other.blocks.append(twin)
            if twin.permission is UNIQUE:
                other.uniques.append(twin)
            if twin.permission is not DISABLED:
                for tag in twin.items:
                    other.home[tag] = twin
        return other

    def push(self, tag: Tag, permission: Permission, protected: bool) -> None:
        """Put an item on top."""
        blocks = self.blocks
        if permission is SHARED_READ_ONLY and blocks and blocks[-1].permission is SHARED_READ_ONLY:
            block = blocks[-1]
            block.items[tag] = protected
        else:
            block = Block(permission, len(blocks), {tag: protected})
            blocks.append(block)
            if permission is UNIQUE:
                self.uniques.append(block)
        self.home[tag] = block

    def insert_shared_read_write(self, tag: Tag, above: Block) -> None:
        """Put a `SharedReadWrite` item above `above` and all that is compatible with it."""
        blocks = self.blocks
        if above.permission is SHARED_READ_WRITE:
            block = above
        else:
            height = above.height + 1
            if height < len(blocks) and blocks[height].permission is SHARED_READ_WRITE:
                block = blocks[height]
            else:
                block = Block(SHARED_READ_WRITE, height, {})
                blocks.insert(height, block)
                for later in blocks[height + 1 :]:
                    later.height += 1
        block.items[tag] = False
        self.home[tag] = block

    def forget(self, unknown_below: Tag) -> None:
        """Forget all items: any tag below `unknown_below` may be anywhere in the stack now."""
        self.blocks = []
        self.home = {}
        self.uniques = []
        self.unknown_below = unknown_below


class Stacks:
    """An allocation's stacks, with what is known of its tags.

    created_at: by tag. lost: by tag, where and when it lost an item: start and end of the
    bytes, and the statement.
    """

    __slots__ = ("created_at", "exposed", "lost", "root", "stacks")

    def __init__(self, size: int, root: Tag, stack: Stack, at: Path) -> None:
        self.root = root
        self.stacks = RangeMap(size, stack)
        self.created_at: dict[Tag, Path] = {root: at}
        self.lost: dict[Tag, list[tuple[int, int, Path]]] = {}
        self.exposed: set[Tag] = set()

    def invalidated_at(self, tag: Tag, offset: int) -> Path | None:
        """The last statement that took an item of `tag` away at `offset`."""
        for start, end, at in reversed(self.lost.get(tag, ())):
            if start <= offset < end:
                return at
        return None
