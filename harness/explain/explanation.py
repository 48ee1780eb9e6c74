"""Explanations: a case, a variant and modes chosen for it, and the trace of each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.campaign.way import way_of
from harness.cases.case import BytecodeCase
from harness.cases.story_case import StoryCase
from harness.errors import InputError
from harness.explain.recording import MOST_STEPS, record
from harness.lowering.variants import VARIANTS, Lowered, Way, lower
from harness.mode import MODES, Mode
from harness.model.exposed import missed_by_wildcard
from harness.model.machine import judge
from harness.outcome import Outcome, UndefinedBehaviour

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.cases.case import Case
    from harness.explain.trace import Trace
    from harness.lowering.lowered import Origin
    from harness.model.exposed import ExactReading
    from harness.pointer.program import Path, PointerProgram


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """A case told in one mode or several.

    variant: None for a pointer case. choices: what was chosen where nothing was asked for.
    lowered: of a bytecode case. outcomes: in the modes that every Miri has, and
    in those that are told.
    exact: what exact exposed provenance says, for modes that are told, where it differs.
    """

    case: Case
    variant: str | None
    choices: tuple[str, ...]
    lowered: Lowered | None
    outcomes: Mapping[Mode, Outcome]
    traces: tuple[Trace, ...]
    exact: Mapping[Mode, ExactReading]

    def origin(self, path: Path) -> Origin | None:
        """What of the bytecode a statement stands for; None in a pointer case."""
        return None if self.lowered is None else self.lowered.origin(path)


def explain(
    case: Case,
    *,
    variant: str | None = None,
    modes: Sequence[Mode] = (),
    most_steps: int = MOST_STEPS,
) -> Explanation:
    """Run the case on the abstract machine and keep what it does, step by step.

    Without a variant: the first that is undefined behaviour in some mode. Without modes: the
    first in which it is, else the first of all.

    Raises: InputError, for a variant of a pointer case, and for a story.
    """
    choices: list[str] = []
    lowered = None
    if isinstance(case, BytecodeCase):
        way = way_of(case.program)
        if variant is None:
            variant, choice = _choose_variant(case, way, modes or MODES)
            choices.append(choice)
        lowered = lower(case.program, VARIANTS[variant], way)
        program = lowered.program
    else:
        if variant is not None:
            message = f"--variant: {case.id} is a pointer case, which has no variants"
            raise InputError(None, message, "leave out --variant")
        if isinstance(case, StoryCase):
            message = f"{case.id} is a story, which no model tells step by step"
            raise InputError(case.place, message, "run it: `harness run` says what it breaks")
        program = case.program
    outcomes = {mode: judge(program, mode) for mode in dict.fromkeys((*MODES, *modes))}
    if not modes:
        mode, choice = _choose_mode(outcomes)
        modes = (mode,)
        choices.append(choice)
    traces = tuple(record(program, mode, most_steps=most_steps) for mode in modes)
    exact = {
        trace.mode: missed_by_wildcard(program, trace.mode, trace.judgement) for trace in traces
    }
    return Explanation(
        case=case,
        variant=variant,
        choices=tuple(choices),
        lowered=lowered,
        outcomes=outcomes,
        traces=traces,
        exact={mode: reading for mode, reading in exact.items() if reading is not None},
    )


def _choose_variant(case: BytecodeCase, way: Way, modes: Sequence[Mode]) -> tuple[str, str]:
    """A variant worth an explanation, and why it is."""
    for name, variant in VARIANTS.items():
        if not variant.sound and _is_undefined(lower(case.program, variant, way).program, modes):
            return name, f"variant {name}: the first that is undefined behaviour"
    first = next(iter(VARIANTS))
    return first, f"variant {first}: the first, since none is undefined behaviour"


def _is_undefined(program: PointerProgram, modes: Sequence[Mode]) -> bool:
    return any(isinstance(judge(program, mode), UndefinedBehaviour) for mode in modes)


def _choose_mode(outcomes: Mapping[Mode, Outcome]) -> tuple[Mode, str]:
    for mode, outcome in outcomes.items():
        if isinstance(outcome, UndefinedBehaviour):
            return mode, f"mode {mode}: the first in which it is undefined behaviour"
    first = MODES[0]
    return first, f"mode {first}: the first, since it is undefined behaviour in none"
