"""Verdicts: what decides, what counts as a difference, and what a native run is worth."""

from __future__ import annotations

from harness.outcome import (
    FaultKind,
    Location,
    Outcome,
    Ran,
    TimedOut,
    TrapKind,
    Trapped,
    UndefinedBehaviour,
    Unsupported,
    UnsupportedKind,
)
from harness.result import Verdict
from harness.verdict import (
    NATIVE_IS_NO_EVIDENCE,
    Prediction,
    differences,
    judge,
    judge_constant,
    judge_native,
    judge_seeds,
)

RAN = Ran(memory=b"\x01\x02", steps=1)
ALIASING = UndefinedBehaviour(
    kind=FaultKind.ALIASING, message="m", location=Location(instruction=3, operand="addr_op1")
)


def test_the_case_decides_before_the_prediction() -> None:
    judgement = judge(
        outcome=RAN, expected=RAN, prediction=Prediction(outcome=ALIASING), reference=RAN
    )
    assert judgement.verdict is Verdict.AGREE


def test_without_an_expectation_the_prediction_decides() -> None:
    judgement = judge(
        outcome=RAN, expected=None, prediction=Prediction(outcome=ALIASING), reference=RAN
    )
    assert judgement.verdict is Verdict.MISMATCH
    assert judgement.reason == ("predicted: wanted ub aliasing at instruction 3 addr_op1, saw ran")


def test_without_either_the_reference_decides() -> None:
    judgement = judge(outcome=ALIASING, expected=None, prediction=None, reference=RAN)
    assert judgement.verdict is Verdict.MISMATCH


def test_a_run_that_was_predicted_must_still_have_the_reference_memory() -> None:
    prediction = Prediction(outcome=Ran())
    seen = Ran(memory=b"\x01\x03")
    judgement = judge(outcome=seen, expected=None, prediction=prediction, reference=RAN)
    assert judgement.verdict is Verdict.MISMATCH
    assert judgement.reason == "reference: memory: wanted 0102, saw 0103"


LATE = TimedOut(message="still running after 60 s")


def test_a_run_that_was_not_finished_says_nothing() -> None:
    for expected, predicted in ((RAN, RAN), (None, RAN), (None, ALIASING), (ALIASING, ALIASING)):
        judgement = judge(
            outcome=LATE,
            expected=expected,
            prediction=Prediction(outcome=predicted),
            reference=RAN,
        )
        assert judgement.verdict is Verdict.NOT_CHECKED
        assert judgement.reason == "not finished: still running after 60 s"
    expecting = judge(outcome=LATE, expected=LATE, prediction=None, reference=None)
    assert expecting.verdict is Verdict.AGREE
    some = judge_seeds([(RAN, (0, 1)), (LATE, (2,))], Prediction(outcome=RAN))
    assert some.verdict is Verdict.NOT_CHECKED
    assert some.reason.startswith("not finished: ran to 0102 under seed 0-1; timed-out")


def test_compiled_code_that_never_ends_is_a_mismatch() -> None:
    judgement = judge_native(outcome=LATE, is_defined=True, reference=RAN)
    assert judgement.verdict is Verdict.MISMATCH


def test_nothing_to_compare_with_is_not_checked() -> None:
    judgement = judge(outcome=RAN, expected=None, prediction=None, reference=None)
    assert judgement.verdict is Verdict.NOT_CHECKED


def test_a_place_counts_where_both_sides_name_one() -> None:
    elsewhere = UndefinedBehaviour(
        kind=FaultKind.ALIASING, message="n", location=Location(instruction=4, operand="addr_op1")
    )
    nowhere = UndefinedBehaviour(kind=FaultKind.ALIASING, message="n")
    assert differences(wanted=ALIASING, seen=elsewhere) == ["instruction: wanted 3, saw 4"]
    assert differences(wanted=ALIASING, seen=nowhere) == []


def test_kinds_count() -> None:
    protector = UndefinedBehaviour(kind=FaultKind.PROTECTOR, message="", location=Location())
    assert differences(wanted=ALIASING, seen=protector) == ["kind: wanted aliasing, saw protector"]


def test_exact_provenance_that_differs_is_no_mismatch() -> None:
    documented = Prediction(outcome=RAN, exact=ALIASING)
    open_ = Prediction(outcome=RAN, exact=ALIASING, open_question="https://example.org/392")
    seen = judge(outcome=RAN, expected=None, prediction=documented, reference=None)
    assert seen.verdict is Verdict.MIRI_MISSES
    seen = judge(outcome=RAN, expected=None, prediction=open_, reference=None)
    assert seen.verdict is Verdict.SPEC_OPEN
    assert "https://example.org/392" in seen.reason


def test_a_native_run_of_an_undefined_program_is_no_evidence() -> None:
    judgement = judge_native(outcome=RAN, is_defined=False, reference=RAN)
    assert judgement.verdict is Verdict.NOT_CHECKED
    assert judgement.reason == NATIVE_IS_NO_EVIDENCE


def test_a_native_run_of_a_defined_program_is_compared() -> None:
    trapped = Trapped(kind=TrapKind.MISALIGNED, location=Location(instruction=0, operand="addr"))
    assert judge_native(outcome=RAN, is_defined=True, reference=RAN).verdict is Verdict.AGREE
    seen = judge_native(outcome=trapped, is_defined=True, reference=RAN)
    assert seen.verdict is Verdict.MISMATCH


def test_another_of_several_outcomes_is_no_mismatch() -> None:
    """Where allocations lie may decide which way a program goes; the model takes one of them."""
    hanging = Prediction(outcome=ALIASING, hangs_on_addresses=True)
    judgement = judge(outcome=RAN, expected=None, prediction=hanging, reference=None)
    assert judgement.verdict is Verdict.NOT_CHECKED
    assert judgement.reason.startswith("hangs on addresses: wanted ub aliasing")
    stated = judge(outcome=RAN, expected=ALIASING, prediction=hanging, reference=None)
    assert stated.verdict is Verdict.MISMATCH
    same = judge(outcome=ALIASING, expected=None, prediction=hanging, reference=None)
    assert same.verdict is Verdict.AGREE


def of_constant(outcome: Outcome, prediction: Prediction) -> tuple[Verdict, str]:
    judgement = judge_constant(
        outcome=outcome, expected=None, prediction=prediction, reference=None
    )
    return judgement.verdict, judgement.reason


def test_where_constant_evaluation_has_other_rules_it_decides_nothing() -> None:
    ran = Prediction(outcome=RAN)
    invalid = UndefinedBehaviour(kind=FaultKind.MISALIGNED, message="m")
    validity = Prediction(outcome=invalid, rule="validity/aligned", sentence="s")
    limit = Unsupported(kind=UnsupportedKind.OTHER, message="unable to turn pointer into integer")
    assert of_constant(ALIASING, ran)[0] is Verdict.NOT_CHECKED
    assert of_constant(limit, ran) == (
        Verdict.NOT_CHECKED,
        "constant evaluation cannot go on: unable to turn pointer into integer",
    )
    assert of_constant(RAN, validity) == (
        Verdict.NOT_CHECKED,
        "constant evaluation takes any reference for valid: s",
    )


def test_constant_evaluation_decides_everything_else() -> None:
    outside = UndefinedBehaviour(kind=FaultKind.OUT_OF_BOUNDS, message="m")
    access = Prediction(outcome=outside, rule="memory/access-within-bounds", sentence="s")
    assert of_constant(outside, access) == (Verdict.AGREE, "")
    assert of_constant(RAN, access)[0] is Verdict.MISMATCH
    assert of_constant(outside, Prediction(outcome=RAN))[0] is Verdict.MISMATCH
    assert of_constant(Ran(memory=b""), Prediction(outcome=RAN))[0] is Verdict.MISMATCH
