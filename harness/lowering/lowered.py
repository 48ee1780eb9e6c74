"""A lowered program, and what of the bytecode each of its statements stands for."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, assert_never

from harness.outcome import (
    Leaked,
    Location,
    Outcome,
    Panicked,
    Ran,
    TimedOut,
    ToolFailed,
    Trapped,
    UndefinedBehaviour,
    Unsupported,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.pointer.program import Path, PointerProgram


class Phase(StrEnum):
    """When a VM does what a statement stands for."""

    SET_UP = "set-up"
    COMPILE = "compile"
    RUN = "run"
    END = "end"


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """What of the bytecode a statement stands for.

    instruction: its index; None for what is done once, for all of them.
    operand: its name in the opcode; None for what is done for the whole instruction.
    """

    phase: Phase
    instruction: int | None = None
    operand: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Lowered:
    """A pointer program with the origin of every statement, bodies of calls included."""

    program: PointerProgram
    origins: Mapping[Path, Origin]

    def origin(self, path: Path) -> Origin | None:
        """What the statement at `path`, or else the call around it, stands for."""
        while path:
            if path in self.origins:
                return self.origins[path]
            path = path[:-1]
        return None

    def locate(self, outcome: Outcome) -> Outcome:
        """`outcome` with the place in the bytecode for each place in the pointer program."""
        match outcome:
            case UndefinedBehaviour():
                return replace(
                    outcome,
                    location=self._place(outcome.location),
                    created=outcome.created and self._place(outcome.created),
                    invalidated=outcome.invalidated and self._place(outcome.invalidated),
                )
            case Trapped() | Unsupported() | Panicked() | Leaked() | ToolFailed():
                return replace(outcome, location=self._place(outcome.location))
            case Ran() | TimedOut():
                return outcome
            case _:
                assert_never(outcome)

    def _place(self, location: Location) -> Location:
        origin = None if location.path is None else self.origin(location.path)
        if origin is None:
            return location
        return replace(location, instruction=origin.instruction, operand=origin.operand)
