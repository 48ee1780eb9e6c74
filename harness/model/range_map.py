"""A map from byte offsets to states, in which bytes with the same history share one state."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterator


class Splittable(Protocol):
    """A state that can be copied when its range is cut in two."""

    def copy(self) -> Splittable: ...


State = TypeVar("State", bound=Splittable)


class RangeMap(Generic[State]):
    """Ranges from 0 to `size`, each with a state; an access cuts them where it must.

    starts: the ranges' first offsets, ascending, and `size` at the end. states: one per range.
    """

    __slots__ = ("starts", "states")

    def __init__(self, size: int, state: State) -> None:
        self.starts = [0, size]
        self.states = [state]
        if size == 0:
            self.starts = [0]
            self.states = []

    def cut(self, offset: int, size: int) -> range:
        """Indices of the ranges that make up exactly `size` bytes from `offset` on."""
        starts = self.starts
        if size == 0:
            return range(0)
        end = offset + size
        if len(self.states) == 1 and offset == 0 and end == starts[1]:
            return range(1)
        return range(self._cut_at(offset), self._cut_at(end))

    def _cut_at(self, offset: int) -> int:
        """Index of the range that starts at `offset`, after cutting one in two if need be."""
        starts = self.starts
        index = bisect_left(starts, offset)
        if starts[index] != offset:
            starts.insert(index, offset)
            # `copy` of a state gives its own kind, which its protocol cannot say.
            self.states.insert(index, self.states[index - 1].copy())  # type: ignore[arg-type]
        return index

    def at(self, offset: int) -> State:
        """The state of the byte at `offset`."""
        return self.states[bisect_right(self.starts, offset) - 1]

    def __iter__(self) -> Iterator[tuple[int, int, State]]:
        """Start, end and state of every range."""
        for index, state in enumerate(self.states):
            yield self.starts[index], self.starts[index + 1], state
