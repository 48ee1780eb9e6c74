"""The watch: stands between the machine and its borrow model, and notes what passes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from harness.explain.ranges import compare
from harness.explain.trace import (
    Accessed,
    Allocated,
    Block,
    BlockState,
    Deallocated,
    Died,
    Entered,
    Event,
    Exposed,
    Left,
    Retagged,
    TagNote,
    block_of,
)
from harness.model.borrows import Broken
from harness.pointer import program as p

if TYPE_CHECKING:
    from harness.model.borrows import Access, Borrows, Retag, View
    from harness.model.memory import Allocation
    from harness.model.provenance import Tag
    from harness.pointer.program import Path


def statement_at(program: p.PointerProgram, path: Path) -> p.AnyStatement | None:
    """The statement at `path`; None for what follows the last one of a body."""
    body = program.statements
    found: p.AnyStatement | None = None
    for index in path:
        if found is not None:
            assert isinstance(found, p.Call), "only calls have bodies"
            body = found.body
        if index >= len(body):
            return None
        found = body[index]
    return found


@dataclass(slots=True)
class OpenStep:
    """A step as it is recorded. found: the views of the blocks just before a rule was broken."""

    path: Path
    events: list[Event] = field(default_factory=list)
    touched: set[int] = field(default_factory=set)
    found: dict[int, tuple[View, ...]] = field(default_factory=dict)
    blocks: tuple[BlockState, ...] = ()


class Watch:
    """Stands before a borrow model as one itself; implements `borrows.Borrows`.

    first_step: the index of the first step whose states are kept; None for no states at all.
    broke_event: the number of the call that breaks a rule, known from an earlier run.
    """

    def __init__(
        self,
        inner: Borrows,
        program: p.PointerProgram,
        *,
        first_step: int | None,
        broke_event: int | None,
    ) -> None:
        self.inner = inner
        self.retags_raw_pointers = inner.retags_raw_pointers
        self.steps: list[OpenStep] = []
        self.tags: dict[Tag, TagNote] = {}
        self.broke_event: int | None = None
        self._program = program
        self._first_step = first_step
        self._known_broke_event = broke_event
        self._events = 0
        self._at: Path = ()
        self._allocations: list[Allocation] = []
        self._blocks: list[Block] = []
        self._dead: set[int] = set()
        self._views: dict[int, tuple[View, ...]] = {}
        self._idle: dict[int, BlockState] = {}

    # Steps

    @property
    def count(self) -> int:
        """How many steps there are, without the end of a program that has no result."""
        end = (len(self._program.statements),)
        is_empty = self._program.result is None and self.steps[-1:] and self.steps[-1].path == end
        return len(self.steps) - bool(is_empty)

    @property
    def at(self) -> Path:
        return self._at

    @at.setter
    def at(self, path: Path) -> None:
        """The machine goes on to another statement, or back to a call that it leaves."""
        goes_on = self.steps and path == self._at
        if goes_on and not isinstance(statement_at(self._program, path), p.Call):
            return
        self.end_step()
        self._at = path
        self.inner.at = path
        self.steps.append(OpenStep(path))

    def end_step(self) -> None:
        """Note who died, and what the step left behind."""
        if not self.steps:
            return
        step = self.steps[-1]
        for allocation in self._allocations:
            if allocation.freed_at is not None and allocation.number not in self._dead:
                self._dead.add(allocation.number)
                step.events.append(Died(block=self._blocks[allocation.number]))
                step.touched.add(allocation.number)
        # The step before the first that is kept is looked at too: its end is that one's beginning.
        if self._first_step is None or len(self.steps) < self._first_step:
            return
        step.blocks = tuple(self._block_state(allocation, step) for allocation in self._allocations)

    def _block_state(self, allocation: Allocation, step: OpenStep) -> BlockState:
        number = allocation.number
        before = self._views.get(number)
        known = self._idle.get(number)
        if known is not None and number not in step.touched:
            return known
        after = step.found.get(number)
        if after is None:
            after = self.inner.views(allocation)
        self._views[number] = after
        live = number not in self._dead
        self._idle[number] = BlockState(
            block=self._blocks[number],
            live=live,
            touched=False,
            ranges=compare(after, after),
        )
        return BlockState(
            block=self._blocks[number],
            live=live,
            touched=True,
            ranges=compare(before, after),
        )

    def _note(self, event: Event, *allocations: Allocation) -> None:
        """An event is about to happen to `allocations`."""
        step = self.steps[-1]
        step.events.append(event)
        step.touched.update(allocation.number for allocation in allocations)
        if self._events == self._known_broke_event:
            for each in self._allocations:
                if each.number in step.touched:
                    step.found[each.number] = self.inner.views(each)
        self._events += 1

    def _check(self, answer: Broken | Tag | None) -> None:
        if isinstance(answer, Broken):
            self.broke_event = self._events - 1

    def _block(self, allocation: Allocation) -> Block:
        return self._blocks[allocation.number]

    # The borrow model's interface

    def new_allocation(self, allocation: Allocation) -> Tag:
        root = self.inner.new_allocation(allocation)
        block = block_of(allocation)
        self._allocations.append(allocation)
        self._blocks.append(block)
        self._note(Allocated(block=block, root=root), allocation)
        self._know(root, block, None, None)
        return root

    def access(
        self, allocation: Allocation, tag: Tag, offset: int, size: int, access: Access
    ) -> Broken | None:
        block = self._block(allocation)
        self._note(
            Accessed(block=block, tag=tag, offset=offset, size=size, access=access), allocation
        )
        broken = self.inner.access(allocation, tag, offset, size, access)
        self._check(broken)
        return broken

    def retag(
        self, allocation: Allocation, tag: Tag, offset: int, size: int, retag: Retag
    ) -> Tag | Broken:
        block = self._block(allocation)
        event = Retagged(block=block, parent=tag, new=None, offset=offset, size=size, retag=retag)
        self._note(event, allocation)
        new = self.inner.retag(allocation, tag, offset, size, retag)
        self._check(new)
        if not isinstance(new, Broken):
            self.steps[-1].events[-1] = Retagged(
                block=block, parent=tag, new=new, offset=offset, size=size, retag=retag
            )
            self._know(new, block, tag, retag)
        return new

    def enter_call(self) -> None:
        self._note(Entered())
        self.inner.enter_call()

    def leave_call(self) -> Broken | None:
        """Any block may have had protected tags."""
        self._note(Left(), *self._allocations)
        broken = self.inner.leave_call()
        self._check(broken)
        return broken

    def expose(self, allocation: Allocation, tag: Tag) -> None:
        self._note(Exposed(block=self._block(allocation), tag=tag), allocation)
        self.inner.expose(allocation, tag)

    def forget(self, allocation: Allocation, tag: Tag) -> None:
        """Nothing: what is gone is to be seen all the same, as in Miri."""

    def deallocate(self, allocation: Allocation, tag: Tag) -> Broken | None:
        self._note(Deallocated(block=self._block(allocation), tag=tag), allocation)
        broken = self.inner.deallocate(allocation, tag)
        self._check(broken)
        return broken

    def views(self, allocation: Allocation) -> tuple[View, ...]:
        return self.inner.views(allocation)

    def _know(self, tag: Tag, block: Block, parent: Tag | None, retag: Retag | None) -> None:
        self.tags.setdefault(
            tag,
            TagNote(tag=tag, names=(), block=block, parent=parent, retag=retag, made_at=self._at),
        )
