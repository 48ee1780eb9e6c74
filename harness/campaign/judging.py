"""Judging: the result of what was seen, of what is predicted, and of what did not run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from msgspec.structs import replace

from harness.cases.story_case import StoryCase
from harness.engines.engine import Job, no_story_on
from harness.outcome import NOWHERE, Ran, Trapped, Unsupported, UnsupportedKind
from harness.result import EngineName, Evidence, Result, Run, Verdict
from harness.verdict import (
    Judgement,
    Prediction,
    judge,
    judge_constant,
    judge_native,
    judge_seeds,
    judge_story,
)

if TYPE_CHECKING:
    from harness.campaign.oracle import Oracle
    from harness.cases.case import BytecodeCase, Case
    from harness.engines.engine import Observation
    from harness.errors import Place
    from harness.ledger import Ledger
    from harness.mode import Mode
    from harness.outcome import Outcome
    from harness.result import Form, Recording
    from harness.target import Target

ONLY_PREDICTED = "only-predicted"
"""The reason of a prediction that nothing else was held against."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judging:
    """oracle: what is known of the cases. ledger: what is known to go wrong."""

    oracle: Oracle
    ledger: Ledger

    def reference(self, case: BytecodeCase, target: Target | None) -> Result:
        oracle = self.oracle.on(target)
        outcome, expected = oracle.reference(case), oracle.stated(case)
        assert outcome is not None, "the reference VM runs every bytecode case"
        if expected is None:
            judgement = Judgement(verdict=Verdict.NOT_CHECKED, reason=ONLY_PREDICTED)
        else:
            judgement = judge(outcome=outcome, expected=expected, prediction=None, reference=None)
        return Result(
            run=_run_of(case, EngineName.REFERENCE, target=target),
            expected=expected,
            predicted=None,
            outcome=outcome,
            evidence=Evidence.LIVE,
            verdict=judgement.verdict,
            reason=judgement.reason,
            place=_place(case, outcome, expected),
        )

    def prediction(
        self, case: Case, variant: str | None, mode: Mode, target: Target | None
    ) -> Result:
        if isinstance(case, StoryCase):
            return self._retelling(case, mode, target)
        oracle = self.oracle.on(target)
        prediction = oracle.prediction(case, variant, mode)
        if prediction is None:
            reason = target.lacks_pointers() if target else None
            assert reason is not None, "the model is asked for the table's variants alone"
            job = Job(case=case.id, program=case.program, variant=variant, mode=mode, target=target)
            return self.unchecked(EngineName.MODEL, case, job, reason)
        outcome = prediction.outcome
        expected = oracle.expected(case, variant, mode)
        reference = oracle.owed(case, variant)
        comparable = isinstance(outcome, Ran | Trapped) and reference is not None
        if expected is None and not comparable:
            judgement = Judgement(verdict=Verdict.NOT_CHECKED, reason=ONLY_PREDICTED)
        else:
            judgement = judge(
                outcome=outcome,
                expected=expected,
                prediction=prediction if prediction.exact else None,
                reference=reference,
            )
        return Result(
            run=_run_of(case, EngineName.MODEL, variant=variant, mode=mode, target=target),
            expected=expected,
            predicted=outcome,
            outcome=outcome,
            evidence=Evidence.PREDICTED,
            verdict=judgement.verdict,
            reason=judgement.reason,
            place=_place(case, outcome, expected),
        )

    def _retelling(self, case: StoryCase, mode: Mode, target: Target | None) -> Result:
        """What the model says of a story in its block's place, held against what the case says."""
        job = Job(case=case.id, program=case.program, mode=mode, target=target)
        if target is not None:
            return self.unchecked(EngineName.MODEL, case, job, no_story_on(target))
        outcome = self.oracle.retold(case, mode)
        if isinstance(outcome, Unsupported) and outcome.kind is UnsupportedKind.NOT_EXPRESSED:
            unsaid = self.unchecked(EngineName.MODEL, case, job, outcome.message)
            return replace(unsaid, place=_place(case, outcome))
        expected = case.expected_in(mode)
        judgement = judge_story(outcome=outcome, expected=expected, shows_nothing=False)
        return Result(
            run=name_job(case, EngineName.MODEL, job),
            expected=expected,
            predicted=outcome,
            outcome=outcome,
            evidence=Evidence.PREDICTED,
            verdict=judgement.verdict,
            reason=judgement.reason,
            place=_place(case, outcome),
        )

    def unchecked(self, engine: EngineName, case: Case, job: Job, reason: str) -> Result:
        """The result of a job that did not run."""
        mode, oracle = job.mode, self.oracle.on(job.target)
        prediction = oracle.prediction(case, job.variant, mode) if mode else None
        return Result(
            run=name_job(case, engine, job),
            expected=oracle.expected(case, job.variant, mode) if mode else None,
            predicted=prediction.outcome if prediction else None,
            outcome=None,
            evidence=None,
            verdict=Verdict.NOT_CHECKED,
            reason=reason,
            place=case.place,
        )

    def observation(
        self,
        engine: EngineName,
        case: Case,
        seen: Observation,
        recording: Recording | None = None,
    ) -> Result:
        """The result of what an engine has seen, now or when it was recorded."""
        job = seen.job
        expected: Outcome | None
        if isinstance(case, StoryCase):
            expected = _expected_of_story(case, job.mode)
            judgement = _judge_story(case, seen)
            outcome, predicted = seen.outcome, None
        else:
            outcome = self.oracle.on(job.target).locate(case, job.variant, seen.outcome)
            judgement, expected, predicted = self._judge(engine, case, seen, outcome)
        result = Result(
            run=name_job(case, engine, seen.job),
            expected=expected,
            predicted=predicted,
            outcome=outcome,
            evidence=Evidence.RECORDED if recording else Evidence.LIVE,
            verdict=judgement.verdict,
            reason=judgement.reason,
            seconds=seen.seconds,
            seeds=_seeds(seen),
            command=seen.command,
            place=_place(case, outcome, expected, predicted),
            fault=bool(seen.fault),
            recording=recording,
        )
        return self.ledger.apply(result)

    def _judge(
        self, engine: EngineName, case: Case, seen: Observation, outcome: Outcome
    ) -> tuple[Judgement, Outcome | None, Outcome | None]:
        """The judgement of a program's run, with what was expected and what predicted of it."""
        if seen.fault:
            return Judgement(verdict=Verdict.NOT_CHECKED, reason=seen.fault), None, None
        variant, mode, oracle = seen.job.variant, seen.job.mode, self.oracle.on(seen.job.target)
        reference = oracle.owed(case, variant)
        if mode is None:
            judgement = judge_native(
                outcome=outcome,
                is_defined=oracle.is_defined(case, variant),
                reference=reference or next(oracle.permissive(case, variant)),
            )
            return judgement, None, None
        expected = oracle.expected(case, variant, mode)
        prediction = oracle.prediction(case, variant, mode)
        if len(seen.by_seed) > 1:
            located = [(oracle.locate(case, variant, each), n) for each, n in seen.by_seed]
            judgement = judge_seeds(located, prediction)
        else:
            judged = judge_constant if engine is EngineName.CONST else judge
            judgement = judged(
                outcome=outcome, expected=expected, prediction=prediction, reference=reference
            )
        return judgement, expected, prediction.outcome if prediction else None


def _judge_story(case: StoryCase, seen: Observation) -> Judgement:
    if seen.fault:
        return Judgement(verdict=Verdict.NOT_CHECKED, reason=seen.fault)
    expected = _expected_of_story(case, seen.job.mode)
    judgement = judge_story(
        outcome=seen.outcome,
        expected=expected,
        shows_nothing=seen.job.mode is None and case.program.litmus,
    )
    if len(seen.by_seed) > 1 and judgement.verdict is Verdict.AGREE:
        return judge_seeds(seen.by_seed, Prediction(outcome=expected))
    return judgement


def _expected_of_story(case: StoryCase, mode: Mode | None) -> Outcome:
    return case.expected_natively if mode is None else case.expected_in(mode)


def name_job(case: Case, engine: EngineName, job: Job) -> Run:
    """The run that an engine does of a case for a job."""
    return _run_of(
        case, engine, variant=job.variant, form=job.form, mode=job.mode, target=job.target
    )


def _run_of(
    case: Case,
    engine: EngineName,
    *,
    variant: str | None = None,
    form: Form | None = None,
    mode: Mode | None = None,
    target: Target | None,
) -> Run:
    return Run(
        case=case.id,
        kind=case.kind,
        engine=engine,
        variant=variant,
        form=form,
        mode=mode,
        target=None if target is None else target.triple,
    )


def _seeds(seen: Observation) -> tuple[int, ...]:
    if seen.by_seed:
        return tuple(sorted(seed for _, seeds in seen.by_seed for seed in seeds))
    return () if seen.seed is None else (seen.seed,)


def _place(case: Case, *outcomes: Outcome | None) -> Place | None:
    """Where in its file the first of the outcomes that knows its place arose."""
    locations = (getattr(outcome, "location", NOWHERE) for outcome in outcomes)
    return case.place_of(next((each for each in locations if each != NOWHERE), NOWHERE))
