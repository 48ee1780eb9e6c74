"""Recording: a run of the abstract machine, watched from between the machine and its borrow model.

The machine runs as ever. Its borrow model is put behind a `_Watch`, which passes every call on
and notes it, and which takes the model's views where a step ends.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
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
    Moment,
    Retagged,
    Step,
    TagNote,
    Trace,
    block_of,
)
from harness.mode import Aliasing
from harness.model.borrows import Broken
from harness.model.machine import Machine, exposure_of
from harness.model.provenance import Concrete
from harness.pointer import program as p
from harness.pointer.listing import statement_lines
from harness.pointer.rust import write

if TYPE_CHECKING:
    from harness.mode import Mode
    from harness.model.borrows import Access, Borrows, Retag, View
    from harness.model.judgement import Judgement
    from harness.model.memory import Allocation
    from harness.model.provenance import Tag
    from harness.model.variables import Frame
    from harness.pointer.program import Path

MOST_STEPS = 400
"""Steps that are kept by default, counted from the last: a longer story nobody reads."""


def record(program: p.PointerProgram, mode: Mode, *, most_steps: int = MOST_STEPS) -> Trace:
    """Run the well-formed `program` in `mode` and keep its last `most_steps` steps.

    The program is run twice: the first run finds the step and the call of the model that break a
    rule, so that the second can keep the state that they found.
    """
    scout = _Recorder(program, mode, first_step=None, broke_event=None)
    scout.run()
    broke = scout.watch.broke_event
    first = max(0, len(scout.watch.steps) - most_steps)
    recorder = _Recorder(program, mode, first_step=first, broke_event=broke)
    judgement = recorder.run()
    texts = dict(statement_lines(program))
    rust = _rust_lines(program)
    moments = list(_moments(program, [step.path for step in recorder.watch.steps]))
    steps = tuple(
        Step(
            number=number + 1,
            path=step.path,
            moment=moments[number],
            text=texts.get(step.path, ""),
            rust=rust.get(step.path),
            events=tuple(step.events),
            blocks=step.blocks,
            broke_event=broke is not None and number + 1 == len(recorder.watch.steps),
        )
        for number, step in enumerate(recorder.watch.steps)
        if number >= first and (step.events or step.path in texts)
    )
    return Trace(
        program=program,
        mode=mode,
        judgement=judgement,
        steps=steps,
        left_out=first,
        tags={} if mode.aliasing is Aliasing.NONE else recorder.notes(),
        texts=texts,
    )


def _rust_lines(program: p.PointerProgram) -> dict[Path, str]:
    """Each statement's line of Rust. A call's function is written before the line that calls."""
    source = write([program])
    text = source.text.splitlines()
    return {path: text[line - 1].strip() for line, (_, path) in sorted(source.lines.items())}


def _moments(program: p.PointerProgram, paths: Sequence[Path]) -> Iterator[Moment]:
    seen: set[Path] = set()
    for path in paths:
        if not isinstance(_statement(program, path), p.Call):
            yield Moment.WHOLE
        else:
            yield Moment.LEFT if path in seen else Moment.ENTERED
        seen.add(path)


def _statement(program: p.PointerProgram, path: Path) -> p.AnyStatement | None:
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


class _Recorder:
    """One watched run."""

    def __init__(
        self,
        program: p.PointerProgram,
        mode: Mode,
        *,
        first_step: int | None,
        broke_event: int | None,
    ) -> None:
        self._program = program
        self._machine = _NamingMachine(mode)
        memory = self._machine.memory
        self.watch = _Watch(memory.borrows, program, first_step=first_step, broke_event=broke_event)
        memory.borrows = self.watch

    def run(self) -> Judgement:
        judgement = self._machine.run(self._program)
        self.watch.end_step()
        return judgement

    def notes(self) -> Mapping[Tag, TagNote]:
        """All tags that were made, with the variables that had them."""
        names = self._machine.names
        return {
            tag: replace(note, names=tuple(names.get(tag, ())))
            for tag, note in self.watch.tags.items()
        }


class _NamingMachine(Machine):
    """A machine that keeps, for each tag, the names of the variables that have it."""

    def __init__(self, mode: Mode) -> None:
        super().__init__(mode, exposure_of(mode))
        self.names: dict[Tag, dict[str, None]] = {}

    def _run_body(self, frame: Frame, body: Sequence[p.AnyStatement]) -> None:
        """Callers' variables were bound before those of the body."""
        self._name(frame)
        try:
            super()._run_body(frame, body)
        finally:
            self._name(frame)

    def _name(self, frame: Frame) -> None:
        if frame.caller is not None:
            self._name(frame.caller)
        for name, place in frame.places.items():
            provenance = place.pointer.provenance
            if isinstance(provenance, Concrete):
                self.names.setdefault(provenance.tag, {}).setdefault(name)


@dataclass(slots=True)
class _OpenStep:
    """A step as it is recorded. found: the views of the blocks just before a rule was broken."""

    path: Path
    events: list[Event] = field(default_factory=list)
    touched: set[int] = field(default_factory=set)
    found: dict[int, tuple[View, ...]] = field(default_factory=dict)
    blocks: tuple[BlockState, ...] = ()


class _Watch:
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
        self.steps: list[_OpenStep] = []
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
    def at(self) -> Path:
        return self._at

    @at.setter
    def at(self, path: Path) -> None:
        """The machine goes on to another statement, or back to a call that it leaves."""
        goes_on = self.steps and path == self._at
        if goes_on and not isinstance(_statement(self._program, path), p.Call):
            return
        self.end_step()
        self._at = path
        self.inner.at = path
        self.steps.append(_OpenStep(path))

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
        if self._first_step is None or len(self.steps) <= self._first_step - 1:
            return
        before_first = len(self.steps) == self._first_step
        step.blocks = tuple(
            self._block_state(allocation, step, everything=before_first)
            for allocation in self._allocations
        )

    def _block_state(
        self, allocation: Allocation, step: _OpenStep, *, everything: bool
    ) -> BlockState:
        number = allocation.number
        before = self._views.get(number)
        known = self._idle.get(number)
        if known is not None and number not in step.touched and not everything:
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
