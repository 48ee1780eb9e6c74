"""Confirmation: the same run done in two ways, which must not contradict each other.

A contradiction is a fault of the harness and says nothing about the program.
"""

from __future__ import annotations

from typing import assert_never

from harness.outcome import (
    Leaked,
    Outcome,
    Panicked,
    Ran,
    TimedOut,
    ToolFailed,
    Trapped,
    UndefinedBehaviour,
    Unsupported,
)


def contradiction(batch: Outcome, plain: Outcome) -> str:
    """How a plain run differs from the batch's word for it, in one sentence; empty if not.

    Checksums may depend on addresses, which the same seed does not fix in another process, and so
    may the memory of a program that has one; both are held against the prediction, which knows.
    """
    if _verdict(batch) == _verdict(plain):
        return ""
    return f"in a batch it was {batch!r}, and in a process of its own {plain!r}"


def _verdict(outcome: Outcome) -> object:
    match outcome:
        case Ran(memory=memory, checksum=None, steps=steps):
            return outcome.name, memory, steps
        case Ran(memory=memory, steps=steps):
            return outcome.name, None if memory is None else len(memory), steps
        case UndefinedBehaviour() | Unsupported() | Trapped():
            place = outcome.location
            return outcome.name, outcome.kind, place.path, place.instruction, place.operand
        case Panicked() | Leaked() | TimedOut() | ToolFailed():
            return outcome.name
        case _:
            assert_never(outcome)


def contradiction_of_marks(plain: Outcome, marked: Outcome) -> str:
    """How a run with a mark before each step differs from one without; empty if not.

    The places are what the marks are for, so that they do not count.
    """
    if (plain.name, getattr(plain, "kind", None)) == (marked.name, getattr(marked, "kind", None)):
        return ""
    return f"with a mark before each step it was {marked!r}, and without {plain!r}"
