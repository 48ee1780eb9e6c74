"""A fuzzing campaign: rounds of programs through all sides, each difference kept.

A round ends with the campaign's state on disk. What a kill interrupts is done again from there,
with the very same programs.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from harness.bytecode.program import Program
from harness.campaign.own_variants import paths_of
from harness.fuzz.coverage import Coverage
from harness.fuzz.findings import FINDINGS, MISSED, Folder, State
from harness.fuzz.generation import Generation, Kind
from harness.lowering.variants import VARIANTS
from harness.mode import MODES
from harness.reduce.symptom import MISSES
from harness.result import EngineName, Form, Result

if TYPE_CHECKING:
    from harness.campaign.selection import Selection
    from harness.engines.own_crate import OwnCrate
    from harness.fuzz.settings import Settings
    from harness.pointer.program import PointerProgram
    from harness.reduce.sides import Sides
    from harness.reduce.symptom import Symptom


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """Sides that are asked together, and for what."""

    sides: Sides
    selection: Selection


@dataclass(slots=True, kw_only=True)
class Fuzzer:
    """told: called with each new finding, and with the reason.

    crates: with variants of the user's own that bytecode runs in. faults: how often the harness
    contradicted itself.
    """

    seed: int
    settings: Settings
    kinds: Sequence[Kind]
    judged_by: Sequence[Side]
    folder: Folder
    told: Callable[[Symptom, str], None]
    crates: Sequence[OwnCrate] = ()
    faults: int = 0

    @property
    def identity(self) -> str:
        """What makes a campaign another one: its programs would be others."""
        kinds = "+".join(self.kinds)
        engines = "+".join(
            dict.fromkeys(str(e) for each in self.judged_by for e in each.selection.engines or ())
        )
        named = f"{self._modes}{self._variants}"
        return f"seed {self.seed}, {kinds}, by {engines}{named}, {self.settings}"

    @property
    def _variants(self) -> str:
        """The variants that were named, the user's own as they are now."""
        named = list(self.judged_by[0].selection.variants or ())
        named += [f"{name} {crate.digest}" for crate in self.crates for name in crate.names]
        return f" in the variants {'+'.join(named)}" if named else ""

    @property
    def _modes(self) -> str:
        """The modes, where they are not those that are there without being named."""
        modes = tuple(dict.fromkeys(m for side in self.judged_by for m in side.selection.modes))
        return "" if modes == MODES else f" in {'+'.join(map(str, modes))}"

    def run(self, wants_more: Callable[[State], bool]) -> State:
        """Rounds as long as more are wanted; goes on from what the folder has.

        Raises: InputError, if the folder holds another campaign.
        """
        state = self.folder.read(self.identity)
        self.folder.begin()
        generation = Generation(
            seed=self.seed, settings=self.settings, coverage=Coverage(counts=state.counts)
        )
        while wants_more(state):
            kind = self.kinds[state.rounds % len(self.kinds)]
            first = state.next.get(kind, 0)
            made = [
                generation.make(kind, index) for index in range(first, first + self.settings.round)
            ]
            names = [f"seed {self.seed}, {kind} program {each.index}" for each in made]
            programs = [each.program for each in made]
            state.tallies += judge_round(self, programs, names, state.rounds)
            state.tallies["programs"] += len(made)
            state.tallies["undefined programs"] += sum(each.undefined for each in made)
            state.next[kind] = first + len(made)
            state.rounds += 1
            self.folder.write(state)
        return state


def judge_round(
    fuzzer: Fuzzer,
    programs: Sequence[Program | PointerProgram],
    names: Sequence[str],
    number: int,
) -> Counter[str]:
    """Hold programs against all sides; every disagreement goes into the folder.

    names: of the programs. number: of the round, which chooses variants.
    """
    counts: Counter[str] = Counter()
    bytecode = any(isinstance(each, Program) for each in programs)
    paths = {name: str(path.resolve()) for name, path in paths_of(fuzzer.crates).items()}
    first: dict[tuple[str, Symptom], Symptom] = {}
    for side in fuzzer.judged_by:
        selection = side.selection
        if bytecode:
            # Each case in each variant once, the modes and forms in turn.
            chosen = selection.variants
            if chosen is None:
                chosen = variants_of_round(fuzzer.seed, number, fuzzer.settings.variants)
            selection = replace(selection, variants=chosen, quick=True, forms=tuple(Form))
        seen = side.sides.look(programs, selection, confirm=True)
        for program, name, results in zip(programs, names, seen, strict=True):
            for result, symptom in results:
                count(counts, result)
                if result.fault:
                    fuzzer.faults += 1
                if symptom is None or not symptom.disagrees:
                    continue
                missed = symptom.verdict in MISSES
                # What a program does at every level is one finding: of the first that shows it.
                shown = first.setdefault((name, replace(symptom, level=None)), symptom)
                if (
                    fuzzer.folder.keep(
                        program,
                        shown,
                        name,
                        reason=result.reason,
                        run=shown.options(paths),
                        where=symptom.where,
                        under=MISSED if missed else FINDINGS,
                    )
                    and not missed
                ):
                    fuzzer.told(shown, result.reason)
    return counts


def count(counts: Counter[str], result: Result) -> None:
    """Add a run to what came of all of them."""
    counts["results"] += 1
    counts[f"verdict {result.verdict}"] += 1
    if result.fault:
        counts["faults"] += 1
    if result.outcome is not None and result.run.engine is not EngineName.MODEL:
        counts["comparisons"] += 1
        counts[f"{result.run.engine} {result.outcome.name}"] += 1


def variants_of_round(seed: int, number: int, count: int) -> tuple[str, ...]:
    """The variants that a round's bytecode runs in: each comes up in turn."""
    names = list(VARIANTS)
    random.Random(f"{seed} variants").shuffle(names)
    return tuple(names[(number * count + each) % len(names)] for each in range(count))
