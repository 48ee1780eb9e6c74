"""What every report tells of: the results of a run, and what else came of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from harness.cases.case import Case
from harness.errors import InputError
from harness.result import Result
from harness.toolchain.missing import Missing


@dataclass(frozen=True, slots=True, kw_only=True)
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
