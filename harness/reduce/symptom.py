"""Symptoms: how a program fails, which a smaller one has to share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from harness.outcome import Outcome, Ran
from harness.result import EngineName, Form, Result, Verdict

if TYPE_CHECKING:
    from harness.mode import Mode
    from harness.verdict import Prediction

MISSES = (Verdict.MIRI_MISSES, Verdict.SPEC_OPEN)
"""Of runs that come to their end and are undefined once exposed provenance is read exactly."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """What one side saw. name: the outcome's class. kind: its kind, where it has one."""

    name: str
    kind: str | None = None

    def __str__(self) -> str:
        return self.name if self.kind is None else f"{self.name} {self.kind}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Symptom:
    """The failing of one run: which sides, what each of them saw, and which rule is broken.

    seen: by the engine. predicted: by the abstract machine, in the mode of the run; None where
    there is none. Of what Miri's wildcard misses it is the exact reading. rule: that the machine
    names. level: the optimisation level of a native run. The place is no part of it: it moves as
    the program shrinks.
    """

    engine: EngineName
    verdict: Verdict
    seen: Sight
    predicted: Sight | None
    rule: str | None
    mode: Mode | None = None
    variant: str | None = None
    form: Form | None = None
    level: int | None = None

    def __str__(self) -> str:
        where = [str(self.mode or ""), self.variant or "", self.form or ""]
        level = "" if self.level is None else f"-O{self.level}"
        what = f"{self.engine}{level} saw {self.seen}"
        if self.predicted is not None and self.predicted != self.seen:
            what += f", predicted {self.predicted}"
        elif self.verdict is Verdict.MISMATCH and (self.predicted or self.seen.name == Ran.name):
            what += " with another result"
        rule = f" by {self.rule}" if self.rule else ""
        place = ", ".join(each for each in where if each)
        return f"{what}{rule}" + (f" ({place})" if place else "")

    @property
    def disagrees(self) -> bool:
        """Whether what was seen is not what is right."""
        return self.verdict is Verdict.MISMATCH or self.verdict in MISSES

    def is_of(self, prediction: Prediction) -> bool:
        """Whether the abstract machine says of a program what it says of this one."""
        said = predicted_for(self.verdict, prediction)
        if self.verdict in MISSES:
            # Which of the two it is hangs on whether the specification has settled it.
            open_one = self.verdict is Verdict.SPEC_OPEN
            if (prediction.open_question is not None) is not open_one:
                return False
        return said is not None and (sight(said), prediction.rule) == (self.predicted, self.rule)

    @property
    def where(self) -> str:
        """The mode, or the engine that knows none, with its level of optimisation."""
        level = "" if self.level is None else f"-O{self.level}"
        return str(self.mode) if self.mode else f"{self.engine}{level}"

    def options(self, crates: Mapping[str, str] = MappingProxyType({})) -> dict[str, str]:
        """What asks `harness reduce` and `harness repro` for this run alone, by option.

        crates: by a variant of the user's own the path that names it.
        """
        variant = self.variant and crates.get(self.variant, self.variant)
        named = {
            "--engine": self.engine,
            "--level": self.level,
            "--mode": self.mode,
            "--variant": variant,
            "--form": self.form,
        }
        return {option: str(value) for option, value in named.items() if value is not None}


def sight(outcome: Outcome) -> Sight:
    kind = getattr(outcome, "kind", None)
    return Sight(name=outcome.name, kind=None if kind is None else str(kind))


def predicted_for(verdict: Verdict, prediction: Prediction) -> Outcome | None:
    """The prediction that a verdict rests on."""
    return prediction.exact if verdict in MISSES else prediction.outcome


def symptom_of(
    result: Result, prediction: Prediction | None, level: int | None = None
) -> Symptom | None:
    """The symptom of a run; None if it came to a good end, as it should, or did not run.

    prediction: what the abstract machine says of it.
    """
    outcome, predicted, verdict = result.outcome, result.predicted, result.verdict
    if outcome is None or result.fault:
        return None
    if prediction and prediction.exact and result.run.engine is EngineName.MODEL:
        # To the machine alone nothing is held; it reads exposed provenance in both ways.
        verdict = Verdict.SPEC_OPEN if prediction.open_question else Verdict.MIRI_MISSES
    if verdict in MISSES and prediction:
        predicted = prediction.exact
    elif verdict is not Verdict.MISMATCH and isinstance(outcome, Ran):
        return None
    return Symptom(
        engine=result.run.engine,
        verdict=verdict,
        seen=sight(outcome),
        predicted=None if predicted is None else sight(predicted),
        rule=prediction.rule if prediction else None,
        mode=result.run.mode,
        variant=result.run.variant,
        form=result.run.form,
        level=level,
    )
