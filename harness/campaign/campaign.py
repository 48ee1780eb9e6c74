"""The campaign: every run that was asked for, done by its engine and judged as it comes in."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import product
from typing import TYPE_CHECKING

from harness.campaign.again import Again, Group
from harness.campaign.foretelling import WORTH, foretell
from harness.campaign.judging import Judging
from harness.campaign.plan import count, plan, plan_model
from harness.cases.case import BytecodeCase
from harness.cases.story_case import StoryCase
from harness.engines.engine import Observation
from harness.evidence.archive import RECORDED
from harness.evidence.settled import is_settled
from harness.outcome import UndefinedBehaviour, Unsupported
from harness.result import EngineName, Form, Result, Verdict
from harness.verdict import NATIVE_IS_NO_EVIDENCE

if TYPE_CHECKING:
    from harness.bytecode.program import Program
    from harness.campaign.oracle import Oracle
    from harness.campaign.selection import Selection
    from harness.cases.case import Case
    from harness.engines.engine import Engine, Job
    from harness.evidence.archive import Archive
    from harness.ledger import Ledger
    from harness.mode import Mode
    from harness.result import Tool
    from harness.target import Target
    from harness.toolchain.missing import Missing
    from harness.toolchain.process import Launcher


def _refuses_nothing(variant: str, program: Program, target: Target | None) -> None:
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnLane:
    """Variants of another crate than the VM's, and the engines that run them in it.

    refuses: why a variant cannot run a program on a target; None if it can.
    """

    names: tuple[str, ...]
    engines: Sequence[Engine]
    refuses: Callable[[str, Program, Target | None], str | None] = _refuses_nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class Campaign:
    """What a campaign works on: cases, what to run of them, and with what.

    engines: those that run programs, in the order in which they are to run.
    variants: the names of the variants that bytecode runs in. own: those of the user's own.
    archive: what was seen before. tool: what an engine that is not missing runs with.
    ledger: what is known to go wrong. launcher: starts the processes that predict.
    """

    cases: Sequence[Case]
    selection: Selection
    variants: tuple[str, ...]
    engines: Sequence[Engine]
    oracle: Oracle
    archive: Archive
    tool: Callable[[EngineName], Tool | None]
    ledger: Ledger
    launcher: Launcher
    own: Sequence[OwnLane] = ()

    @property
    def _judging(self) -> Judging:
        return Judging(oracle=self.oracle, ledger=self.ledger)

    def size(self) -> int:
        """The number of results that `results` yields."""
        planned = sum(
            count(engine.name, self.cases, self.variants, self.selection, self.oracle)
            for engine in self._wanted(self.engines)
        )
        planned += sum(
            count(engine.name, self._bytecode(), lane.names, self._of_form_vm(), self.oracle)
            for lane in self.own
            for engine in self._wanted(lane.engines)
        )
        predicted = 0
        if self.selection.wants_engine(EngineName.MODEL):
            predicted = sum(1 for case in self.cases for _ in self._plan_model(case))
        return planned + sum(1 for _ in self._plan_reference()) + predicted

    def results(self, again: Again | None = None) -> Iterator[Result]:
        """Do everything, and yield each result as soon as it is there.

        again: is told what the next run will find.
        """
        again = again or Again()
        with ThreadPoolExecutor() as pool:
            # Tools take their time to say that they are there.
            for engines in (self.engines, *(lane.engines for lane in self.own)):
                for engine in self._wanted(engines):
                    pool.submit(engine.missing)
            for planned_run in self._plan_reference():
                result = self._judging.reference(*planned_run)
                again.add((result,), holds=result.verdict is not Verdict.MISMATCH)
                yield result
            yield from self._predictions(again)
        for engine in self._wanted(self.engines):
            planned = ((case, self._jobs(engine.name, case)) for case in self.cases)
            yield from self._run(engine, planned, again, settles=not self.selection.live)
        for lane in self.own:
            again.give_up()
            for engine in self._wanted(lane.engines):
                able: list[tuple[Case, list[Job]]] = []
                for case in self._bytecode():
                    able.append((case, []))
                    for job in self._own_jobs(engine, lane, case):
                        reason = lane.refuses(job.variant or "", case.program, job.target)
                        if reason is None:
                            able[-1][1].append(job)
                        else:
                            yield self._judging.unchecked(engine.name, case, job, reason)
                yield from self._run(engine, able, again, settles=False)

    def _wanted(self, engines: Sequence[Engine]) -> Iterator[Engine]:
        return (e for e in engines if self.selection.wants_engine(e.name))

    def _plan_reference(self) -> Iterator[tuple[BytecodeCase, Target | None]]:
        if self.selection.wants_engine(EngineName.REFERENCE):
            yield from product(self._bytecode(), self.selection.targets)

    def _plan_model(self, case: Case) -> Iterator[tuple[str | None, Mode, Target | None]]:
        return plan_model(case, self.variants, self.selection, self.oracle)

    def jobs(self, engine: EngineName) -> Iterator[tuple[Case, Job]]:
        """Every job that the engine is asked for."""
        return ((case, job) for case in self.cases for job in self._jobs(engine, case))

    def own_jobs(self, name: EngineName) -> Iterator[tuple[Case, Job]]:
        """Every job that the engines of that name can do in the crates of `own`."""
        for lane in self.own:
            for engine in lane.engines:
                if engine.name is not name:
                    continue
                for case in self._bytecode():
                    for job in self._own_jobs(engine, lane, case):
                        if lane.refuses(job.variant or "", case.program, job.target) is None:
                            yield case, job

    def _jobs(self, engine: EngineName, case: Case) -> Iterator[Job]:
        planned = plan(engine, (case,), self.variants, self.selection, self.oracle)
        return (job for _, job in planned)

    def _scope(self, engine: EngineName, case: Case, tool: Tool | None) -> str:
        """All that decides the results of a case by an engine, where nothing has to run."""
        selection = self.selection
        beside = self.archive.evidence_of(case.path) if engine is EngineName.MIRI else ""
        return repr(
            (
                *(engine, self.archive.of_case(case), beside, tool),
                *(self.variants, selection.modes, selection.forms, selection.quick),
                selection.targets,
            )
        )

    def _predictions(self, again: Again) -> Iterator[Result]:
        """What the model predicts, case by case; and all else that is foretold goes on record."""
        if self.selection.engines == (EngineName.REFERENCE,):
            return
        wanted = self.selection.wants_engine(EngineName.MODEL)
        scopes = {case.id: self._scope(EngineName.MODEL, case, None) for case in self.cases}
        foretold = self._foretell(scopes)
        ready: set[str] = set()
        for case in self.cases:
            while case.id not in ready and (told := next(foretold, None)) is not None:
                ready.add(told)
            if wanted:
                yield from self._predictions_of(case, scopes[case.id], again)

    def _foretell(self, scopes: Mapping[str, str]) -> Iterator[str]:
        """Have several processes predict, and yield each case's name once that is on record.

        scopes: by case, all that decides what is predicted of it.
        """
        selection = self.selection
        if selection.jobs == 1:
            return
        pending = [
            case
            for case in self.cases
            if not isinstance(case, StoryCase) and self.archive.expects(scopes[case.id])
        ]
        if len(pending) < WORTH:
            return
        for found in foretell(self.launcher, pending, self.variants, selection):
            self.archive.foretold(scopes[found.case.id], found.records, found.results)
            yield found.case.id

    def _predictions_of(self, case: Case, scope: str, again: Again) -> Sequence[Result]:
        results = self.archive.settled(scope)
        holds = results is not None
        if results is None:
            plan = self._plan_model(case)
            results = [self._judging.prediction(case, *planned) for planned in plan]
            holds = all(map(is_settled, results))
            if holds:
                self.archive.settle(scope, results)
        again.add(results, holds=holds)
        return results

    def _own_jobs(self, engine: Engine, lane: OwnLane, case: BytecodeCase) -> Iterator[Job]:
        planned = plan(engine.name, (case,), lane.names, self._of_form_vm(), self.oracle)
        return (job for _, job in planned)

    def _bytecode(self) -> list[BytecodeCase]:
        return [case for case in self.cases if isinstance(case, BytecodeCase)]

    def _of_form_vm(self) -> Selection:
        """The selection for variants that only the Rust VM knows."""
        return replace(self.selection, forms=(Form.VM,))

    def _run(
        self,
        engine: Engine,
        planned: Iterable[tuple[Case, Iterable[Job]]],
        again: Again,
        *,
        settles: bool,
    ) -> Iterator[Result]:
        """Do jobs of an engine, given case by case.

        again: is told what the next run will find.
        settles: remember the results of a case as one record, and take such records.
        """
        missing = engine.missing()
        tool = None if missing else self.tool(engine.name)
        groups: dict[str, Group] = {}
        jobs: list[Job] = []
        for case, of_case in planned:
            scope = self._scope(engine.name, case, tool) if settles else None
            settled = None if scope is None else self.archive.settled(scope)
            if settled is not None:
                again.add(settled)
                yield from settled
                continue
            group = Group(case=case, scope=scope, holds=settles)
            again.expect(group)
            doubts = self.archive.doubts
            for job in of_case:
                recalled = self._recall(engine, group, job, tool, missing)
                if recalled is None:
                    is_miri = engine.name is EngineName.MIRI
                    jobs.append(self.oracle.foreseen(case, job) if is_miri else job)
                else:
                    yield recalled
            recorded = engine.name in RECORDED
            group.holds = group.holds and recorded and self.archive.doubts == doubts
            if group.running:
                groups[case.id] = group
            else:
                self._settle(group)
        if jobs:
            for seen in engine.run(jobs):
                yield self._take(engine, groups[seen.job.case], seen, tool)

    def _recall(
        self,
        engine: Engine,
        group: Group,
        job: Job,
        tool: Tool | None,
        missing: Missing | None,
    ) -> Result | None:
        """The result of a job without running it; None if it has to be run."""
        case = group.case
        refusal = self.oracle.on(job.target).refusal(case, job.variant)
        if refusal is not None:
            # Whatever was seen of it before, there is nothing to hold it against.
            result = self._judging.unchecked(engine.name, case, job, refusal)
            group.add(result, lasts=True)
            return result
        on_target = tool.on(job.target) if tool else None
        record = self.archive.recall(engine.name, case.path, job, on_target)
        recorded = None
        if record is not None:
            seen = Observation(job=job, outcome=record.outcome)
            recorded = self._judging.observation(engine.name, case, seen, record.recording)
            if recorded.verdict is not Verdict.MISMATCH:
                # Without the tool, the newest record counts, and there may be a newer one soon.
                group.add(recorded, lasts=record.committed or tool is not None)
                return recorded
        refused = None if missing else engine.refuses(job)
        if recorded is not None and (missing or refused):
            # A finding must be seen anew wherever it can be.
            group.add(recorded, lasts=False)
            return recorded
        # What would not be asked of the engine is no matter of its being here.
        reason = refused or self._why_spared(engine, case, job)
        lasts = reason is not None
        if reason is None and missing:
            reason = missing.message
        if reason is None:
            group.running += 1
            return None
        result = self._judging.unchecked(engine.name, case, job, reason)
        group.add(result, lasts=lasts)
        return result

    def _why_spared(self, engine: Engine, case: Case, job: Job) -> str | None:
        """Why the engine is not asked for a job that it could do; None if it is."""
        if isinstance(case, StoryCase):
            natively = job.mode is None
            return NATIVE_IS_NO_EVIDENCE if natively and not case.is_defined else None
        oracle = self.oracle.on(job.target)
        meaning = oracle.reference(case)
        if isinstance(meaning, Unsupported):
            # It depends on addresses: whatever a run came to, nothing could be said of it.
            return meaning.message
        if job.mode is None and isinstance(meaning, UndefinedBehaviour):
            # Whatever the variant: what it does could spoil the runs of others in its process.
            return NATIVE_IS_NO_EVIDENCE
        if engine.name is EngineName.IN_PROCESS and not oracle.is_defined(case, job.variant):
            # Undefined behaviour could take this very process down.
            return NATIVE_IS_NO_EVIDENCE
        return None

    def _take(self, engine: Engine, group: Group, seen: Observation, tool: Tool | None) -> Result:
        """The result of what an engine has just seen, which is confirmed and kept."""
        case = group.case
        result = self._judging.observation(engine.name, case, seen)
        if result.verdict is Verdict.MISMATCH:
            confirmed = engine.confirm(seen)
            if confirmed.fault:
                seen = confirmed
                result = self._judging.observation(engine.name, case, seen)
        record = None
        if tool is not None and not seen.fault and len(seen.by_seed) <= 1:
            counts = bool(seen.job.mode) or result.verdict is not Verdict.NOT_CHECKED
            record = self.archive.keep(
                engine.name, seen.job, seen.outcome, tool.on(seen.job.target), counts=counts
            )
        group.running -= 1
        if record is None:
            group.holds = False
        elif group.holds:
            # As the next run will find it.
            again = Observation(job=seen.job, outcome=record.outcome)
            group.add(
                self._judging.observation(engine.name, case, again, record.recording), lasts=True
            )
        if not group.running:
            self._settle(group)
        return result

    def _settle(self, group: Group) -> None:
        if group.scope is not None and group.holds and all(map(is_settled, group.results)):
            group.is_settled = True
            self.archive.settle(group.scope, group.results)
