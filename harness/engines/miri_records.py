"""Records: what the interpreters of a batch say on standard output of how their items ended.

A record is six u64, little-endian: the item's number; eight letters that say of what kind it
is; a value; and the lengths of three byte strings that follow: the memory, the kind of a trap,
and the operand that trapped. `miri_mains/stream.rs` writes them.
"""

from __future__ import annotations

import struct
from collections import defaultdict
from dataclasses import dataclass

from harness.engines.result_line import not_expressed
from harness.outcome import (
    Location,
    Ran,
    ToolFailed,
    TrapKind,
    Trapped,
    Unsupported,
    UnsupportedKind,
)

MEMORY = b"memory  "
RAN = b"ran     "
TRAPPED = b"trapped "

_HEAD = struct.Struct("<Q8s4Q")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How an item ended that came to a defined end.

    value: the steps, the checksum, or the instruction that trapped.
    trap, operand: names; None if it did not trap.
    """

    value: int
    memory: bytes
    trap: str | None = None
    operand: str | None = None

    def of_bytecode(self) -> Ran | Trapped | Unsupported | ToolFailed:
        """The outcome of a bytecode program."""
        if self.trap is None:
            return Ran(steps=self.value, memory=self.memory)
        if self.trap == UnsupportedKind.NOT_EXPRESSED:
            return not_expressed(self._location)
        return self._trapped()

    def of_pointer_program(self, *, has_memory: bool) -> Ran | Trapped | ToolFailed:
        """The outcome of a pointer program; has_memory: whether it has a result."""
        if self.trap is None:
            return Ran(checksum=self.value, memory=self.memory if has_memory else None)
        return self._trapped()

    def _trapped(self) -> Trapped | ToolFailed:
        if self.trap not in frozenset(TrapKind):
            return ToolFailed(message=f"no kind of trap is called {self.trap!r}")
        return Trapped(
            kind=TrapKind(self.trap),
            location=self._location,
            memory=self.memory,
        )

    @property
    def _location(self) -> Location:
        return Location(instruction=self.value, operand=self.operand)


class RecordReader:
    """Reads the records of one process, as they come.

    What cannot be a record ends the reading; one that is cut short waits for its rest.
    """

    def __init__(self) -> None:
        self._at = 0
        self._ended: dict[int, list[Ended]] = defaultdict(list)
        self._memories: dict[int, bytes] = defaultdict(bytes)

    def read(self, stdout: bytes | bytearray) -> None:
        """Go on with what is new. stdout: all that was written so far."""
        while self._at + _HEAD.size <= len(stdout):
            item, kind, value, *lengths = _HEAD.unpack_from(stdout, self._at)
            at = self._at + _HEAD.size
            if kind not in (MEMORY, RAN, TRAPPED) or at + sum(lengths) > len(stdout):
                return
            parts = []
            for length in lengths:
                parts.append(bytes(stdout[at : at + length]))
                at += length
            self._at = at
            memory, trap, operand = parts
            self._memories[item] += memory
            if kind != MEMORY:
                has_trapped = kind == TRAPPED
                ended = Ended(
                    value=value,
                    memory=self._memories[item],
                    trap=trap.decode(errors="replace") if has_trapped else None,
                    operand=operand.decode(errors="replace") if has_trapped else None,
                )
                self._ended[item].append(ended)

    def find(self, item: int) -> Ended | None:
        """How the item ended; None if nothing says so, or more than one record does."""
        ends = self._ended.get(item, ())
        return ends[0] if len(ends) == 1 else None
