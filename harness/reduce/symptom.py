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
    there is none. rule: that the machine names. level: the optimisation level of a native run.
    The place is no part of it: it moves as the program shrinks.
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


def symptom_of(result: Result, rule: str | None, level: int | None = None) -> Symptom | None:
    """The symptom of a run; None if it came to a good end, as it should, or did not run.

    rule: that the abstract machine names for it.
    """
    outcome = result.outcome
    if outcome is None or result.fault:
        return None
    if result.verdict is not Verdict.MISMATCH and isinstance(outcome, Ran):
        return None
    return Symptom(
        engine=result.run.engine,
        verdict=result.verdict,
        seen=sight(outcome),
        predicted=None if result.predicted is None else sight(result.predicted),
        rule=rule,
        mode=result.run.mode,
        variant=result.run.variant,
        form=result.run.form,
        level=level,
    )
