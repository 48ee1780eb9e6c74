"""A run step by step: what each statement did to the borrow state of each allocation.

A call has a step for its entry (arguments made and protected), then its body's steps, then one
for its end.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from harness.model.machine import Machine, exposure_of
from harness.model.provenance import Concrete
from harness.pointer import program as p

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.mode import Mode
    from harness.model.borrows import View
    from harness.model.judgement import Judgement
    from harness.model.memory import Allocation
    from harness.model.provenance import Tag
    from harness.model.variables import Frame


class Phase(StrEnum):
    """Which part of a statement a step is: all of it, or a call's entry or end."""

    WHOLE = "whole"
    ENTER = "enter"
    LEAVE = "leave"


@dataclass(frozen=True, slots=True, kw_only=True)
class AllocationInfo:
    """number: counts the allocations of the run. name: the variable that it was made for."""

    number: int
    name: str
    size: int
    created_at: p.Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """An allocation's borrow state before and after a step, range by range.

    before: None if the step made the allocation. after: None if it ended it.
    """

    allocation: AllocationInfo
    before: tuple[View, ...] | None
    after: tuple[View, ...] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What one statement did. statement: None for the reading of the program's result.

    changes: of the allocations whose state differs; empty where nothing came of it.
    faulty: whether the run ended in it, at fault; the changes are those that came before.
    """

    path: p.Path
    statement: p.AnyStatement | None
    phase: Phase
    changes: tuple[Change, ...]
    faulty: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """names: the variables that held each tag of an allocation, in the order of their binding."""

    steps: tuple[Step, ...]
    judgement: Judgement
    names: Mapping[tuple[int, Tag], tuple[str, ...]]


def trace(program: p.PointerProgram, mode: Mode) -> Trace:
    """Run the program in `mode`, and keep every step. It must be well-formed."""
    machine = _TracedMachine(mode, exposure_of(mode))
    judgement = machine.run(program)
    return Trace(steps=tuple(machine.steps), judgement=judgement, names=machine.names)


class _TracedMachine(Machine):
    """A machine that looks at all allocations after each step."""

    steps: list[Step]

    def run(self, program: p.PointerProgram) -> Judgement:
        self.steps = []
        self.names: dict[tuple[int, Tag], tuple[str, ...]] = {}
        self._seen: dict[int, tuple[View, ...]] = {}
        self._running: list[tuple[p.Path, p.AnyStatement]] = []
        judgement = super().run(program)
        if judgement.rule is not None:
            statement = self._running[-1][1] if self._running else None
            self._note(self.memory.at, statement, Phase.WHOLE, faulty=True)
        return judgement

    def run_body(self, frame: Frame, body: Sequence[p.AnyStatement]) -> None:
        if self._running:
            for name in frame.places:
                self._name(frame, name)
            self._note(*self._running[-1], Phase.ENTER)
        super().run_body(frame, body)

    def execute(self, frame: Frame, statement: p.AnyStatement) -> None:
        path = self.memory.at
        self._running.append((path, statement))
        super().execute(frame, statement)
        self._running.pop()
        self._name(frame, getattr(statement, "to", None))
        if isinstance(statement, p.Call):
            for returned in statement.returns:
                self._name(frame, returned.to)
        phase = Phase.LEAVE if isinstance(statement, p.Call) else Phase.WHOLE
        self._note(path, statement, phase)

    def _name(self, frame: Frame, name: str | None) -> None:
        place = None if name is None else frame.places.get(name)
        if place is not None and name is not None:
            provenance = place.pointer.provenance
            if isinstance(provenance, Concrete):
                key = (provenance.allocation.number, provenance.tag)
                self.names[key] = (*self.names.get(key, ()), name)

    def _note(
        self,
        path: p.Path,
        statement: p.AnyStatement | None,
        phase: Phase,
        *,
        faulty: bool = False,
    ) -> None:
        changes = []
        for allocation in self.memory.memory.allocations:
            before = self._seen.get(allocation.number)
            after = self.memory.borrows.views(allocation) if allocation.live else None
            if before == after:
                continue
            changes.append(Change(allocation=_info(allocation), before=before, after=after))
            if after is None:
                del self._seen[allocation.number]
            else:
                self._seen[allocation.number] = after
        step = Step(
            path=path, statement=statement, phase=phase, changes=tuple(changes), faulty=faulty
        )
        self.steps.append(step)


def _info(allocation: Allocation) -> AllocationInfo:
    return AllocationInfo(
        number=allocation.number,
        name=allocation.name,
        size=allocation.size,
        created_at=allocation.created_at,
    )
