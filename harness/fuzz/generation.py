"""Generation: the programs of a campaign, each decided by the seed and by what came before."""

from __future__ import annotations

import random
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from harness.bytecode.program import Program
from harness.fuzz.coverage import Coverage, features_of
from harness.fuzz.random_bytecode import generate_bytecode
from harness.mode import MODES
from harness.model.machine import examine
from harness.pointer.generator import generate

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.fuzz.settings import Settings
    from harness.pointer.program import PointerProgram


class Kind(StrEnum):
    """Which programs a round has."""

    POINTER = "pointer"
    BYTECODE = "bytecode"


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """One program of a campaign. index: its number. undefined: in some mode, by prediction."""

    index: int
    program: Program | PointerProgram
    undefined: bool


@dataclass(slots=True, kw_only=True)
class Generation:
    """seed: of the campaign. coverage: of all programs so far, which steers the next ones."""

    seed: int
    settings: Settings
    coverage: Coverage

    def make(self, kind: Kind, index: int) -> Made:
        """The program with that number."""
        source = random.Random(f"{self.seed} {kind} {index}")
        if kind is Kind.BYTECODE:
            program = generate_bytecode(source, self.settings)
            self.coverage.add(features_of(program, ()))
            return Made(index=index, program=program, undefined=False)
        wanted = source.random() < self.settings.undefined
        best = max(
            (self._candidate(source) for _ in range(self.settings.candidates)),
            key=lambda each: (each[1] == wanted, self.coverage.rarity(each[2])),
        )
        self.coverage.add(best[2])
        return Made(index=index, program=best[0], undefined=best[1])

    def _candidate(self, source: random.Random) -> tuple[PointerProgram, bool, frozenset[str]]:
        settings = self.settings
        program = generate(source, settings.length, settings.statements)
        rules = {examine(program, mode).rule for mode in MODES}
        return program, rules != {None}, features_of(program, rules)


def first_programs(seed: int, settings: Settings, count: int) -> Iterator[Made]:
    """The first pointer programs of a campaign that has no others."""
    generation = Generation(seed=seed, settings=settings, coverage=Coverage())
    for index in range(count):
        yield generation.make(Kind.POINTER, index)
