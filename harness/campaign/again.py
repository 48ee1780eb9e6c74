"""What the next run of a campaign will find on record, if nothing changes until then."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.cases.case import Case
    from harness.result import Result


@dataclass(slots=True, kw_only=True)
class Group:
    """The results of one case by one engine, which may be settled together.

    scope: all that decides them; None where they are never settled. results: as the next run
    will find them. running: how many are still to come. holds: whether the next run finds all.
    is_settled: whether they are on record together.
    """

    case: Case
    scope: str | None
    results: list[Result] = field(default_factory=list)
    running: int = 0
    holds: bool = True
    is_settled: bool = False

    def add(self, result: Result, *, lasts: bool) -> None:
        """Add one result. lasts: whether the next run comes to the same."""
        self.results.append(result)
        self.holds = self.holds and lasts


@dataclass(slots=True)
class Again:
    """What the next run will find, if nothing changes until then."""

    _groups: list[Sequence[Result]] = field(default_factory=list)
    _open: list[Group] = field(default_factory=list)
    _holds: bool = True

    @property
    def holds(self) -> bool:
        """Whether the next run will find every result of this one, and has to do nothing."""
        return self._holds and all(group.is_settled for group in self._open)

    def results(self) -> Iterator[Result]:
        """Those results, engine by engine."""
        return chain.from_iterable(self._groups)

    def add(self, results: Sequence[Result], *, holds: bool = True) -> None:
        """Add results that it will find. holds: whether it is sure to."""
        self._groups.append(results)
        self._holds = self._holds and holds

    def expect(self, group: Group) -> None:
        """Add what a group will be found to hold, which is still to come."""
        self._groups.append(group.results)
        self._open.append(group)

    def give_up(self) -> None:
        """It will have something to do."""
        self._holds = False
