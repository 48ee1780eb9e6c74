"""What every report tells of: the results of a run, and what else came of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from harness.cases.case import Case
from harness.errors import InputError
from harness.report.tally import Tally, tally
from harness.result import Result
from harness.toolchain.missing import Missing


# Without slots, which leave no place for what is counted once.
@dataclass(frozen=True, kw_only=True)
class Report:
    """One call of `harness run`.

    errors: cases that could not be read. missing: what would have to be installed for the rest.
    notes: what has to be said of the evidence, a line for each.
    environment: versions of all that had a part in the results; None for what is missing.
    cases: those that ran, for what shows their programs.
    finished: whether the run came to its end; an interrupted one reports what it has.
    """

    results: Sequence[Result]
    errors: Sequence[InputError]
    missing: Sequence[Missing]
    environment: Mapping[str, str | None]
    finished: bool
    notes: Sequence[str] = ()
    cases: Sequence[Case] = ()

    @cached_property
    def tally(self) -> Tally:
        """The results, counted."""
        return tally(self.results)
