"""No borrow model: every pointer into a live allocation may access all of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.model.borrows import Access, Broken, Retag, View
    from harness.model.memory import Allocation
    from harness.model.provenance import Tag
    from harness.pointer.program import Path

_ONLY_TAG: Tag = 0


class NoBorrows:
    """The mode `none`: borrows are not checked at all."""

    retags_raw_pointers = False

    def __init__(self) -> None:
        self.at: Path = ()

    def new_allocation(self, allocation: Allocation) -> Tag:
        return _ONLY_TAG

    def access(
        self, allocation: Allocation, tag: Tag, offset: int, size: int, access: Access
    ) -> Broken | None:
        return None

    def retag(
        self, allocation: Allocation, tag: Tag, offset: int, size: int, retag: Retag
    ) -> Tag | Broken:
        return tag

    def enter_call(self) -> None:
        pass

    def leave_call(self) -> Broken | None:
        return None

    def expose(self, allocation: Allocation, tag: Tag) -> None:
        pass

    def forget(self, allocation: Allocation, tag: Tag) -> None:
        pass

    def deallocate(self, allocation: Allocation, tag: Tag) -> Broken | None:
        return None

    def views(self, allocation: Allocation) -> tuple[View, ...]:
        return ()
