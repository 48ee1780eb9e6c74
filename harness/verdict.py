"""Verdicts: the sides of a run held against each other.

What decides, in this order: what the case itself expects, what the abstract machine
predicts, and where neither says anything, that the program runs with the reference VM's
memory. A native result is evidence only where every permissive mode is defined: a compiler
may do anything with undefined behaviour, so that agreeing with it shows nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import assert_never

from harness.outcome import (
    FaultKind,
    Leaked,
    Location,
    Outcome,
    Panicked,
    Ran,
    TimedOut,
    ToolFailed,
    Trapped,
    UndefinedBehaviour,
    Unsupported,
    UnsupportedKind,
)
from harness.result import Verdict

CANNOT_EXPRESS = "cannot express"
"""Stands in the reason why a variant cannot run a program, behind the variant's name."""

NATIVE_IS_NO_EVIDENCE = "native-is-no-evidence"

HANGS_ON_ADDRESSES = "hangs on addresses"
"""How the reason begins where the prediction is one of several outcomes, and another was seen."""

NOT_FINISHED = "not finished"
"""How the reason begins where a limit ended an interpreted run: what it would have come to is open,
since an interpreter is hundreds of times slower than what it stands for."""

ONLY_THREADS_TELL = "only another thread could tell, and none did, which shows nothing"
"""Why a native run of a litmus test is no evidence."""

VALIDITY = "validity/"
"""How the rules about the value of a reference begin."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """What the abstract machine says of one program in one mode.

    outcome: with exposed provenance as Miri has it (a wildcard).
    rule, sentence: the rule that is broken, by its name and in a sentence; None if none is.
    exact: with exposed provenance chosen angelically, where that differs; else None.
    open_question: where `exact` rests on what the specification has not settled, the
    question's address; None where the standard library documents the rule.
    hangs_on_addresses: whether `outcome` is one of several, depending on where allocations lie.
    """

    outcome: Outcome
    rule: str | None = None
    sentence: str | None = None
    exact: Outcome | None = None
    open_question: str | None = None
    hangs_on_addresses: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """A verdict with the reason for it, empty for plain agreement."""

    verdict: Verdict
    reason: str = ""


def judge(
    *,
    outcome: Outcome,
    expected: Outcome | None,
    prediction: Prediction | None,
    reference: Outcome | None,
) -> Judgement:
    """Hold one outcome of an interpreter (Miri, the model, the reference) against the others."""
    undecided = _undecided(reference, outcome)
    if undecided is not None:
        return undecided
    predicted = prediction.outcome if prediction else None
    wanted = expected or predicted or reference
    if wanted is None:
        return Judgement(verdict=Verdict.NOT_CHECKED, reason="nothing says what to expect")
    if isinstance(outcome, TimedOut) and not isinstance(wanted, TimedOut):
        reason = f"{NOT_FINISHED}: {outcome.message}"
        return Judgement(verdict=Verdict.NOT_CHECKED, reason=reason)
    source = "expected" if expected else "predicted" if predicted else "reference"
    differing = differences(wanted=wanted, seen=outcome)
    if not differing and reference is not None and isinstance(outcome, Ran | Trapped):
        source = "reference"
        differing = differences(wanted=reference, seen=outcome)
    if differing and source == "predicted" and prediction and prediction.hangs_on_addresses:
        reason = f"{HANGS_ON_ADDRESSES}: {'; '.join(differing)}"
        return Judgement(verdict=Verdict.NOT_CHECKED, reason=reason)
    if differing:
        by_rule = prediction.rule if prediction and source == "predicted" else None
        source += f" by {by_rule}" if by_rule else ""
        reason = f"{source}: {'; '.join(differing)}"
        return Judgement(verdict=Verdict.MISMATCH, reason=reason)
    if prediction and prediction.exact:
        return _judge_exact(prediction, prediction.exact)
    return Judgement(verdict=Verdict.AGREE)


def judge_seeds(
    by_seed: Sequence[tuple[Outcome, Sequence[int]]], prediction: Prediction | None
) -> Judgement:
    """The verdict on a run that comes to several outcomes, depending on the seed.

    by_seed: each outcome, with the seeds under which it was seen.
    """
    seen = "; ".join(
        f"{_describe_fully(outcome)} under seed {describe_numbers(seeds)}"
        for outcome, seeds in by_seed
    )
    if prediction and prediction.hangs_on_addresses:
        return Judgement(verdict=Verdict.NOT_CHECKED, reason=f"{HANGS_ON_ADDRESSES}: {seen}")
    if any(isinstance(outcome, TimedOut) for outcome, _ in by_seed):
        return Judgement(verdict=Verdict.NOT_CHECKED, reason=f"{NOT_FINISHED}: {seen}")
    return Judgement(verdict=Verdict.MISMATCH, reason=f"differs by seed: {seen}")


def describe_numbers(numbers: Iterable[int]) -> str:
    """The numbers with their ranges drawn together, such as `0-3, 7`."""
    ranges: list[list[int]] = []
    for number in sorted(set(numbers)):
        if ranges and number == ranges[-1][1] + 1:
            ranges[-1][1] = number
        else:
            ranges.append([number, number])
    return ", ".join(f"{first}" if first == last else f"{first}-{last}" for first, last in ranges)


def judge_constant(
    *,
    outcome: Outcome,
    expected: Outcome | None,
    prediction: Prediction | None,
    reference: Outcome | None,
) -> Judgement:
    """Hold the outcome of constant evaluation against the others, where its rules are theirs.

    `docs/const.md` has the rules that are not.
    """
    judgement = judge(
        outcome=outcome, expected=expected, prediction=prediction, reference=reference
    )
    if judgement.verdict is not Verdict.MISMATCH:
        return judgement
    if isinstance(outcome, Unsupported):
        reason = f"constant evaluation cannot go on: {outcome.message}"
    elif isinstance(outcome, UndefinedBehaviour) and outcome.kind is FaultKind.ALIASING:
        reason = f"a rule of aliasing, in a mode without: {outcome.message}"
    elif prediction and (prediction.rule or "").startswith(VALIDITY):
        reason = f"constant evaluation takes any reference for valid: {prediction.sentence}"
    else:
        return judgement
    return Judgement(verdict=Verdict.NOT_CHECKED, reason=reason)


def judge_native(*, outcome: Outcome, is_defined: bool, reference: Outcome) -> Judgement:
    """Hold the outcome of compiled code against the reference.

    is_defined: whether the program comes to a defined end in every permissive mode, by what is
    expected or predicted; the outcome counts only then.
    """
    undecided = _undecided(reference, outcome)
    if undecided is not None:
        return undecided
    if not is_defined:
        return Judgement(verdict=Verdict.NOT_CHECKED, reason=NATIVE_IS_NO_EVIDENCE)
    differing = differences(wanted=reference, seen=outcome)
    if differing:
        return Judgement(verdict=Verdict.MISMATCH, reason=f"reference: {'; '.join(differing)}")
    return Judgement(verdict=Verdict.AGREE)


def _undecided(reference: Outcome | None, outcome: Outcome) -> Judgement | None:
    """Where there is nothing to hold: the result depends on addresses, or the variant cannot."""
    if isinstance(reference, Unsupported):
        return Judgement(verdict=Verdict.NOT_CHECKED, reason=reference.message)
    if isinstance(outcome, Unsupported) and outcome.kind is UnsupportedKind.NOT_EXPRESSED:
        return Judgement(verdict=Verdict.NOT_CHECKED, reason=outcome.message)
    return None


def judge_story(*, outcome: Outcome, expected: Outcome, shows_nothing: bool) -> Judgement:
    """Hold what was seen of a story against what its case says.

    shows_nothing: a run that finds nothing is no evidence, as another thread alone could tell.
    """
    if shows_nothing and isinstance(outcome, Ran):
        return Judgement(verdict=Verdict.NOT_CHECKED, reason=ONLY_THREADS_TELL)
    differing = differences(wanted=expected, seen=outcome)
    if not differing:
        return Judgement(verdict=Verdict.AGREE)
    if isinstance(outcome, Unsupported):
        return Judgement(verdict=Verdict.NOT_CHECKED, reason=outcome.message)
    said = getattr(outcome, "message", "")
    reason = f"expected: {'; '.join(differing)}" + (f" ({said})" if said else "")
    return Judgement(verdict=Verdict.MISMATCH, reason=reason)


def differences(*, wanted: Outcome, seen: Outcome) -> list[str]:
    """In what `seen` differs from `wanted`; what either side leaves open does not count."""
    if wanted == seen:
        return []
    if type(wanted) is not type(seen):
        return [f"wanted {describe(wanted)}, saw {describe(seen)}"]
    found = []
    for name, left, right in _compared(wanted, seen):
        if left is not None and right is not None and left != right:
            found.append(f"{name}: wanted {_show(left)}, saw {_show(right)}")
    return found


def describe(outcome: Outcome) -> str:
    """The outcome in a few words, for a table's cell or a reason."""
    match outcome:
        case Ran():
            return "ran"
        case UndefinedBehaviour(kind=kind, rule=rule) if rule is not None:
            return f"{outcome.name} rule {rule} {kind}"
        case Trapped(kind=kind) | UndefinedBehaviour(kind=kind) | Unsupported(kind=kind):
            return f"{outcome.name} {kind}{_describe_location(outcome.location)}"
        case Panicked() | Leaked() | TimedOut() | ToolFailed():
            return f"{outcome.name}: {outcome.message.splitlines()[0] if outcome.message else ''}"
        case _:
            assert_never(outcome)


def _describe_fully(outcome: Outcome) -> str:
    if isinstance(outcome, Ran) and outcome.memory is not None:
        return f"ran to {_show(outcome.memory)}"
    return describe(outcome)


def _judge_exact(prediction: Prediction, exact: Outcome) -> Judgement:
    said = f"exact exposed provenance: {describe(exact)}"
    if prediction.open_question:
        return Judgement(
            verdict=Verdict.SPEC_OPEN, reason=f"{said}; open in {prediction.open_question}"
        )
    return Judgement(verdict=Verdict.MIRI_MISSES, reason=said)


def _compared(wanted: Outcome, seen: Outcome) -> Iterable[tuple[str, object, object]]:
    for name in ("rule", "kind", "memory", "checksum", "steps"):
        yield name, getattr(wanted, name, None), getattr(seen, name, None)
    left: Location | None = getattr(wanted, "location", None)
    right: Location | None = getattr(seen, "location", None)
    if left and right:
        yield "instruction", left.instruction, right.instruction
        yield "operand", left.operand, right.operand
        yield "statement", left.path, right.path


def _describe_location(location: Location) -> str:
    if location.instruction is not None:
        return f" at instruction {location.instruction}" + (
            f" {location.operand}" if location.operand else ""
        )
    if location.path is not None:
        return f" at statement {'.'.join(map(str, location.path))}"
    return ""


def _show(value: object) -> str:
    if isinstance(value, bytes):
        return value.hex() or "no bytes"
    if isinstance(value, tuple):
        return ".".join(map(str, value))
    return str(value)
