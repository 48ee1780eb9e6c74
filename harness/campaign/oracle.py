"""The oracle: what is known of a case before anything runs, each piece found at most once."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from harness.campaign.way import way_along
from harness.cases.case import BytecodeCase
from harness.cases.story_case import StoryCase
from harness.lowering.variants import VARIANTS, Lowered, lower
from harness.mode import MODES, Provenance
from harness.model.exposed import missed_by_wildcard
from harness.model.machine import examine
from harness.outcome import Ran, Trapped
from harness.reference import vm as reference_vm
from harness.verdict import Prediction

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from harness.cases.case import Case
    from harness.evidence.archive import Archive
    from harness.mode import Mode
    from harness.outcome import Outcome
    from harness.pointer.program import PointerProgram
    from harness.reference.vm import Trace

PERMISSIVE_MODES = tuple(mode for mode in MODES if mode.provenance is Provenance.PERMISSIVE)

Value = TypeVar("Value")


class Oracle:
    """Answers about cases, which it tells apart by their ids.

    variant: None for a pointer case, a name for a bytecode case.
    archive: remembers predictions from one process to the next.
    """

    def __init__(self, archive: Archive | None = None) -> None:
        self._known: dict[Hashable, object] = {}
        self._archive = archive

    def reference(self, case: Case) -> Outcome | None:
        """What the reference VM says; None for a pointer case, which it cannot run."""
        if not isinstance(case, BytecodeCase):
            return None
        return self._trace(case).outcome

    def lowered(self, case: BytecodeCase, variant: str) -> Lowered:
        """The pointer program that the case comes to in a variant."""

        def find() -> Lowered:
            return lower(case.program, VARIANTS[variant], way_along(self._trace(case)))

        return self._once((case.id, variant), find)

    def prediction(self, case: Case, variant: str | None, mode: Mode) -> Prediction:
        """What the model says of the case; places are in the bytecode where there is one."""
        return self._once((case.id, variant, mode), lambda: self._predict(case, variant, mode))

    def expected(self, case: Case, variant: str | None, mode: Mode) -> Outcome | None:
        """What the case itself says, or what its variant promises of every case."""
        if not isinstance(case, BytecodeCase):
            assert variant is None, "only bytecode has variants"
            return case.expected_in(mode)
        assert variant is not None, "bytecode runs in a variant"
        stated = case.expected_in(variant, mode)
        return stated or VARIANTS[variant].promises(case.program, case.expected, mode)

    def permissive(self, case: Case, variant: str | None) -> list[Outcome]:
        """What is expected or else predicted in each permissive mode.

        Where the model reads exposed provenance exactly and differs from Miri's wildcard, that
        decides: a compiler owes the program nothing then.
        """
        found: list[Outcome] = []
        for mode in PERMISSIVE_MODES:
            prediction = self.prediction(case, variant, mode)
            stated = self.expected(case, variant, mode)
            found.append(prediction.exact or stated or prediction.outcome)
        return found

    def is_defined(self, case: Case, variant: str | None) -> bool:
        """Whether every permissive mode comes to a defined end, so that compiled code must too."""
        return all(isinstance(each, Ran | Trapped) for each in self.permissive(case, variant))

    def locate(self, case: Case, variant: str | None, outcome: Outcome) -> Outcome:
        """The outcome of a lowered program with the places in the bytecode that it came from."""
        if variant is None or not isinstance(case, BytecodeCase):
            return outcome
        return self.lowered(case, variant).locate(outcome)

    def _trace(self, case: BytecodeCase) -> Trace:
        return self._once((case.id,), lambda: reference_vm.trace(case.program))

    def _predict(self, case: Case, variant: str | None, mode: Mode) -> Prediction:
        assert not isinstance(case, StoryCase), "no model tells what a story does"
        if not isinstance(case, BytecodeCase):
            return self._examine(case.program, mode)
        assert variant is not None, "bytecode runs in a variant"
        lowered = self.lowered(case, variant)
        prediction = self._examine(lowered.program, mode)
        exact = prediction.exact
        return replace(
            prediction,
            outcome=lowered.locate(prediction.outcome),
            exact=None if exact is None else lowered.locate(exact),
        )

    def _examine(self, program: PointerProgram, mode: Mode) -> Prediction:
        if self._archive is None:
            return _predict(program, mode)
        return self._archive.prediction(program, mode, lambda: _predict(program, mode))

    def _once(self, key: Hashable, find: Callable[[], Value]) -> Value:
        if key not in self._known:
            self._known[key] = find()
        # Each key stands for one kind of value, which its call site names.
        return self._known[key]  # type: ignore[return-value]


def _predict(program: PointerProgram, mode: Mode) -> Prediction:
    judgement = examine(program, mode)
    missed = missed_by_wildcard(program, mode, judgement)
    return Prediction(
        outcome=judgement.outcome,
        rule=judgement.rule,
        sentence=judgement.sentence,
        exact=missed.judgement.outcome if missed else None,
        open_question=missed.open_question if missed else None,
        hangs_on_addresses=judgement.hangs_on_addresses,
    )
