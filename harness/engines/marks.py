"""Marks: the lines of a marked run of the Rust VM that say which step comes next.

The VM's loop is one place in the source for all instructions, so that a diagnostic's span
cannot tell them apart. The last mark before the diagnostic can.
"""

from __future__ import annotations

import re
from dataclasses import replace

from harness.diagnostics.message import Message, Transcript
from harness.outcome import Location, UndefinedBehaviour, Unsupported

_INSTRUCTION = re.compile(r" *(?:compile|run) (\d+)")
_OPERAND = re.compile(r" +(\w+)")


def last_mark(transcript: Transcript) -> Location | None:
    """The instruction, and perhaps the operand, that was next when the first error came.

    None without an error, or without a mark before it.
    """
    found: Location | None = None
    for entry in transcript.entries:
        if isinstance(entry, Message):
            if entry.is_error:
                return found
        elif mark := _INSTRUCTION.fullmatch(entry):
            found = Location(instruction=int(mark[1]))
        elif found and (mark := _OPERAND.fullmatch(entry)):
            found = replace(found, operand=mark[1])
    return None


def at_mark(
    outcome: UndefinedBehaviour | Unsupported, mark: Location | None
) -> UndefinedBehaviour | Unsupported:
    """The outcome with the instruction and the operand of a mark."""
    if mark is None:
        return outcome
    location = replace(outcome.location, instruction=mark.instruction, operand=mark.operand)
    return replace(outcome, location=location)
