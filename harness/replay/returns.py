"""Returns: what says on standard output that a function came back, whatever else it writes there.

A record of `stream.rs` with a mark before it: eight bytes that one process alone is told of.
"""

from __future__ import annotations

import secrets

from harness.engines.miri_records import Ended
from harness.engines.miri_segments import Written

MARK_SIZE = 8
_NUMBER_SIZE = 8

RETURNED = Ended(value=0, memory=b"")


def draw_mark() -> bytes:
    """A mark that nothing else has."""
    return secrets.token_bytes(MARK_SIZE)


class ReturnReader:
    """Reads the numbers of the items that came back, in whatever else stands between them."""

    def __init__(self, mark: bytes) -> None:
        self._mark = mark
        self._at = 0
        self._returned: set[int] = set()

    def read(self, stdout: Written) -> None:
        """Go on with what is new. stdout: all that was written so far."""
        while True:
            found = stdout.find(self._mark, self._at)
            if found < 0:
                # The mark may have begun in the last bytes.
                self._at = max(self._at, len(stdout) - MARK_SIZE + 1)
                return
            end = found + MARK_SIZE + _NUMBER_SIZE
            if end > len(stdout):
                self._at = found
                return
            self._returned.add(int.from_bytes(stdout[found + MARK_SIZE : end], "little"))
            self._at = end

    def find(self, item: int) -> Ended | None:
        """That the item came back; None if nothing says so."""
        return RETURNED if item in self._returned else None
