"""Confirmation: what two runs of the same thing may differ in, and what not."""

from __future__ import annotations

import pytest

from harness.engines.confirmation import contradiction, contradiction_of_marks
from harness.outcome import (
    FaultKind,
    Location,
    Outcome,
    Ran,
    Span,
    TimedOut,
    ToolFailed,
    TrapKind,
    Trapped,
    UndefinedBehaviour,
    Unsupported,
    UnsupportedKind,
)


def ub(kind: FaultKind = FaultKind.ALIASING, message: str = "", **place: object) -> Outcome:
    return UndefinedBehaviour(kind=kind, message=message, location=Location(**place))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (Ran(memory=b"1", checksum=1), Ran(memory=b"1", checksum=2)),
        (ub(message="at alloc1"), ub(message="at alloc2")),
        (
            ub(path=(1,), span=Span(file="lib.rs", line=1, column=1)),
            ub(path=(1,), span=Span(file="main.rs", line=7, column=1)),
        ),
        (TimedOut(message="1 s"), TimedOut(message="2 s")),
    ],
)
def test_addresses_and_sources_may_differ(one: Outcome, other: Outcome) -> None:
    assert contradiction(one, other) == ""
    assert contradiction(other, one) == ""


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (Ran(memory=b"1"), Ran(memory=b"2")),
        (Ran(steps=1), Ran(steps=2)),
        (Ran(), ub()),
        (ub(), ub(FaultKind.PROTECTOR)),
        (ub(path=(1,)), ub(path=(1, 0))),
        (ub(instruction=1), ub(instruction=2)),
        (ub(instruction=1, operand="addr"), ub(instruction=1)),
        (ub(), Unsupported(kind=UnsupportedKind.OTHER, message="")),
        (Trapped(kind=TrapKind.MISALIGNED), Trapped(kind=TrapKind.OUT_OF_BOUNDS)),
        (TimedOut(message=""), ToolFailed(message="")),
    ],
)
def test_a_contradiction_is_told(one: Outcome, other: Outcome) -> None:
    told = contradiction(one, other)
    assert told == f"in a batch it was {one!r}, and in a process of its own {other!r}"


def test_marks_may_change_the_place_alone() -> None:
    assert contradiction_of_marks(ub(), ub(instruction=1)) == ""
    assert "with a mark" in contradiction_of_marks(ub(), ub(FaultKind.PROTECTOR))
    assert "with a mark" in contradiction_of_marks(ub(), Ran())


def test_the_memory_of_a_pointer_program_may_hold_addresses() -> None:
    one = Ran(memory=bytes([0x40, 0x1B]), checksum=27)
    assert not contradiction(one, Ran(memory=bytes([0x2C, 0x49]), checksum=73))
    assert contradiction(one, Ran(memory=b"", checksum=27))
    assert contradiction(Ran(memory=b"a", steps=1), Ran(memory=b"b", steps=1))
