"""A run that two Miris differ in, made smaller so that they still differ in the same way."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from harness.bytecode.program import Program
from harness.campaign.oracle import Oracle
from harness.cases.case import BytecodeCase
from harness.reduce.reduction import Reduced, language_of
from harness.reduce.search import Search
from harness.reduce.sides import as_case
from harness.reduce.symptom import Sight, sight
from harness.result import Form

if TYPE_CHECKING:
    from harness.campaign.compare import Change
    from harness.engines.engine import Engine, Job
    from harness.pointer.program import PointerProgram

    AnyProgram = Program | PointerProgram


def reduce_change(
    change: Change,
    before: Engine,
    after: Engine,
    accept: Callable[[AnyProgram, str], None] = lambda program, step: None,
) -> Reduced:
    """A smaller program of which the two say what they say of the case's: class and kind."""
    program: Any = change.case.program
    language = language_of(program)
    judge = _Judge(
        job=change.job,
        engines=(before, after),
        wanted=(sight(change.before), sight(change.after)),
    )
    search = Search(language, judge, accept)
    reduced = search.reduce(program)
    return Reduced(
        program=reduced,
        before=language.size(program),
        after=language.size(reduced),
        tally=search.tally,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Judge:
    """job: whose mode, variant and form the candidates are run in."""

    job: Job
    engines: tuple[Engine, Engine]
    wanted: tuple[Sight, Sight]

    def rules_out(self, program: AnyProgram) -> bool:
        return False

    def fail_alike(self, programs: Sequence[AnyProgram]) -> Sequence[bool]:
        jobs = [self._candidate(program, number) for number, program in enumerate(programs)]
        alike = [True] * len(jobs)
        for engine, wanted in zip(self.engines, self.wanted, strict=True):
            # Of what one does not say already, the other is not asked.
            left = [job for job, fine in zip(jobs, alike, strict=True) if fine]
            seen = {id(each.job): sight(each.outcome) for each in engine.run(left)}
            alike = [
                fine and seen[id(job)] == wanted for job, fine in zip(jobs, alike, strict=True)
            ]
        return alike

    def _candidate(self, program: AnyProgram, number: int) -> Job:
        name = f"candidate-{number}"
        case = as_case(program, name)
        if self.job.form is Form.UNROLLED:
            assert isinstance(case, BytecodeCase)
            assert self.job.variant is not None
            lowered = Oracle().lowered(case, self.job.variant).program
            return replace(self.job, case=name, program=lowered)
        return replace(self.job, case=name, program=program)
