"""The sides that programs are held against, batch after batch, with the engines of a campaign."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Generic

from harness.bytecode.program import Program
from harness.campaign.oracle import Oracle
from harness.cases.case import BytecodeCase
from harness.cases.pointer_case import PointerCase
from harness.evidence.no_archive import NoArchive
from harness.outcome import Trapped
from harness.reduce.search import Judged
from harness.reduce.symptom import Symptom, symptom_of
from harness.reference import vm as reference_vm
from harness.result import EngineName, Form, Result, Verdict

if TYPE_CHECKING:
    from harness.campaign.campaign import Campaign
    from harness.campaign.selection import Selection
    from harness.cases.case import ProgramCase
    from harness.engines.engine import Engine, Job, Observation
    from harness.pointer.program import PointerProgram
    from harness.toolchain.missing import Missing

    AnyProgram = Program | PointerProgram

NO_FILE = Path("no-file")


@dataclass(frozen=True, slots=True)
class Unconfirmed:
    """An engine whose findings are taken as they come, for candidates that are many."""

    engine: Engine

    @property
    def name(self) -> EngineName:
        return self.engine.name

    def missing(self) -> Missing | None:
        return self.engine.missing()

    def refuses(self, job: Job) -> str | None:
        return self.engine.refuses(job)

    def run(self, jobs: Sequence[Job]) -> Iterator[Observation]:
        return self.engine.run(jobs)

    def confirm(self, seen: Observation) -> Observation:
        return seen


@dataclass(frozen=True, slots=True, kw_only=True)
class Sides:
    """campaign: whose engines, tools and selection are used; its cases are not.

    oracle: makes what knows of programs; another model is another oracle.
    level: at which compiled code is optimised; None for that of a plain release.
    """

    campaign: Campaign
    oracle: Callable[[], Oracle] = Oracle
    level: int | None = None

    def look(
        self,
        programs: Sequence[AnyProgram],
        selection: Selection | None = None,
        *,
        confirm: bool = False,
    ) -> list[list[tuple[Result, Symptom | None]]]:
        """Every result of each program, with the symptom, if it is one.

        selection: what to run, other than the campaign's own. confirm: whether every mismatch
        is done again plainly.
        """
        cases = [as_case(program, f"candidate-{n}") for n, program in enumerate(programs)]
        numbers = {case.id: number for number, case in enumerate(cases)}
        oracle = self.oracle()
        chosen = selection or self.campaign.selection
        campaign = replace(
            self.campaign,
            cases=cases,
            selection=chosen,
            variants=self.campaign.variants if chosen.variants is None else chosen.variants,
            engines=[e if confirm else Unconfirmed(e) for e in self.campaign.engines],
            own=[
                replace(lane, engines=[e if confirm else Unconfirmed(e) for e in lane.engines])
                for lane in self.campaign.own
            ],
            oracle=oracle,
            archive=NoArchive(),
        )
        found: list[list[tuple[Result, Symptom | None]]] = [[] for _ in programs]
        for result in campaign.results():
            number, run = numbers[result.run.case], result.run
            prediction = (
                oracle.prediction(cases[number], run.variant, run.mode) if run.mode else None
            )
            of_native = self.level if run.engine is EngineName.NATIVE else None
            found[number].append((result, symptom_of(result, prediction, of_native)))
        return found


def as_case(program: AnyProgram, id: str) -> ProgramCase:
    """A case without any expectation of its own: predictions and the reference decide."""
    if isinstance(program, Program):
        return BytecodeCase(
            id=id,
            path=NO_FILE,
            description="",
            source="",
            program=program,
            expected=reference_vm.run(program),
        )
    return PointerCase(id=id, path=NO_FILE, description="", source="", rule="", program=program)


class SymptomJudge(Generic[Judged]):
    """Judges candidates by one symptom: those that show it fail alike."""

    def __init__(self, sides: Sides, symptom: Symptom) -> None:
        selection = sides.campaign.selection
        own = [
            replace(lane, names=(symptom.variant,))
            for lane in sides.campaign.own
            if symptom.variant in lane.names
        ]
        in_table = () if symptom.variant is None or own else (symptom.variant,)
        self._sides = replace(sides, campaign=replace(sides.campaign, own=own))
        self._symptom = symptom
        self._selection = replace(
            selection,
            cases=None,
            engines=(symptom.engine,),
            modes=selection.modes if symptom.mode is None else (symptom.mode,),
            variants=None if symptom.variant is None else in_table,
            forms=tuple(Form) if symptom.form is None else (symptom.form,),
        )

    def witness(self, program: AnyProgram) -> Result | None:
        """The run of the program that shows the symptom, confirmed; None if none does."""
        (results,) = self._sides.look([program], self._selection, confirm=True)
        return next((result for result, found in results if found == self._symptom), None)

    def rules_out(self, program: AnyProgram) -> bool:
        """Whether the abstract machine predicts something else already."""
        wanted, oracle = self._symptom, self._sides.oracle()
        case = as_case(program, "candidate")
        if _fails_to_compile(case) and wanted.seen.name != Trapped.name:
            return True
        if wanted.mode is None:
            return wanted.verdict is Verdict.MISMATCH and not oracle.is_defined(
                case, wanted.variant
            )
        prediction = oracle.prediction(case, wanted.variant, wanted.mode)
        if prediction is None:
            # Of a user's own variant nobody knows anything before it runs.
            return False
        return not wanted.is_of(prediction)

    def fail_alike(self, programs: Sequence[AnyProgram]) -> list[bool]:
        if self._symptom.engine is EngineName.MODEL:
            # What the machine predicts is all there is to see, and it was not ruled out.
            return [True] * len(programs)
        seen = self._sides.look(programs, self._selection)
        return [any(symptom == self._symptom for _, symptom in results) for results in seen]


def _fails_to_compile(case: ProgramCase) -> bool:
    """Whether bytecode is refused before any instruction runs, as with a memory too small."""
    return (
        isinstance(case, BytecodeCase)
        and isinstance(case.expected, Trapped)
        and case.expected.in_compiling
    )
