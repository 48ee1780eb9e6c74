"""What the machine asks of a borrow model, and what a model answers.

The machine checks bounds and liveness, keeps bytes, and tells the model of every access; the
model keeps who may access what. Both Stacked and Tree Borrows stand behind `Borrows`, and so
does `NoBorrows`. A broken rule is a value, `Broken`, which says all that the model knows.

Source: the shape of MiniRust's `spec/mem/interface.md`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, IntEnum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from harness.model.memory import Allocation
    from harness.model.provenance import Tag
    from harness.outcome import FaultKind
    from harness.pointer.program import Path


class Access(IntEnum):
    READ = 0
    WRITE = 1

    def __str__(self) -> str:
        return "write access" if self else "read access"


class Interior(Enum):
    """Which bytes of a referent lie in an `UnsafeCell`.

    NONE: a frozen type. ALL: a `Cell` as a whole. MIDDLE: the second of three bytes, as in the
    struct `Mix`.
    """

    NONE = "none"
    ALL = "all"
    MIDDLE = "middle"

    def parts(self, size: int) -> tuple[tuple[int, int, bool], ...]:
        """Ranges of a referent of `size` bytes: start, end, frozen or not; in order."""
        if size == 0:
            return ()
        match self:
            case Interior.NONE:
                return ((0, size, True),)
            case Interior.ALL:
                return ((0, size, False),)
            case Interior.MIDDLE:
                return ((0, 1, True), (1, 2, False), (2, size, True))


class Referrer(Enum):
    """The kind of pointer that a retag makes."""

    MUT = "&mut"
    SHARED = "&"
    RAW_MUT = "*mut"
    RAW_CONST = "*const"
    BOX = "Box"


@dataclass(frozen=True, slots=True, kw_only=True)
class Retag:
    """How a pointer is made from another.

    function_entry: it is an argument, protected until the call returns. two_phase: a `&mut`
    that is only written through later, as method calls make it. may_write: whether a function
    may write to this argument unasked, which counts only in the mode `tree-writes`.
    """

    referrer: Referrer
    interior: Interior = Interior.NONE
    function_entry: bool = False
    two_phase: bool = False
    may_write: bool = True


class Protector(IntEnum):
    """A reference argument is protected strongly; a box weakly: it may be freed meanwhile.

    Source: unsafe code guidelines, `wip/stacked-borrows.md`, "Tracking function calls"; Miri,
    `borrow_tracker/mod.rs`, `ProtectorKind`.
    """

    WEAK = 0
    STRONG = 1

    def __str__(self) -> str:
        return "strongly protected" if self else "weakly protected"


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """A broken rule of a borrow model.

    rule: a stable name, such as `stacked/write-needs-granting-item`.
    sentence: what happened, for a person. message: what Miri says of it, numbers scrubbed.
    tag: whose rights were asked for, and conflicting: whose rights were in the way, if another's.
    offset: bytes from the allocation's start. created_at, invalidated_at: the statements that
    made the tag that the fault is about, and that took its rights away.
    """

    rule: str
    kind: FaultKind
    sentence: str
    message: str
    allocation: Allocation
    tag: Tag | None
    conflicting: Tag | None
    offset: int
    created_at: Path | None
    invalidated_at: Path | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One pointer's rights in a view. permission: as the model's paper writes it."""

    tag: Tag
    permission: str
    protected: bool
    created_at: Path | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StackView:
    """The stack of the bytes from `start` to `end`, bottom first.

    unknown_below: the bottom is forgotten after an access with unknown provenance; what lay
    there had tags below this one.
    """

    start: int
    end: int
    items: tuple[Item, ...]
    unknown_below: Tag | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TreeNode:
    """A node of the tree. accessed: whether the bytes were accessed through it yet."""

    item: Item
    parent: Tag | None
    accessed: bool
    exposed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TreeView:
    """The tree of the bytes from `start` to `end`, parents before their children."""

    start: int
    end: int
    nodes: tuple[TreeNode, ...]


View = StackView | TreeView


class Borrows(Protocol):
    """A borrow model.

    at: the statement being executed; the machine sets it. retags_raw_pointers: whether a raw
    pointer made from a reference has a tag of its own.

    A tag may be `WILDCARD_TAG` where an access is made through an exposed pointer. Offsets
    and sizes are in bytes, within the allocation.
    """

    at: Path
    retags_raw_pointers: bool

    def new_allocation(self, allocation: Allocation) -> Tag:
        """The root's tag."""

    def access(
        self, allocation: Allocation, tag: Tag, offset: int, size: int, access: Access
    ) -> Broken | None: ...

    def retag(
        self, allocation: Allocation, tag: Tag, offset: int, size: int, retag: Retag
    ) -> Tag | Broken:
        """The new pointer's tag, made from the pointer `tag`."""

    def enter_call(self) -> None:
        """Function-entry retags from here on are protected until `leave_call`."""

    def leave_call(self) -> Broken | None:
        """End the protectors of the innermost call."""

    def expose(self, allocation: Allocation, tag: Tag) -> None: ...

    def forget(self, allocation: Allocation, tag: Tag) -> None:
        """Nobody has a pointer with the tag any more, nor one that was made from it."""

    def deallocate(self, allocation: Allocation, tag: Tag) -> Broken | None:
        """Check that the pointer `tag` may free the whole allocation."""

    def views(self, allocation: Allocation) -> tuple[View, ...]:
        """The state of each range of bytes, for people."""
