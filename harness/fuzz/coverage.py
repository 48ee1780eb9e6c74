"""Coverage: how often each rule, statement and instruction was exercised, and what is rare."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from harness.bytecode.instruction_set import FORMS, form_of
from harness.bytecode.program import Program
from harness.explain.rules import RULES
from harness.pointer.jsonl import OPS
from harness.reduce.pointer_edits import statements_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from harness.pointer.program import PointerProgram

RULE, STATEMENT, INSTRUCTION = "rule ", "statement ", "instruction "
"""How the names of features begin."""


def features_of(program: Program | PointerProgram, rules: Iterable[str | None]) -> frozenset[str]:
    """What the program exercises. rules: those that it breaks in any mode."""
    broken = {RULE + rule for rule in rules if rule is not None}
    if isinstance(program, Program):
        mnemonics = (form_of(each).mnemonic for each in program.instructions)
        return frozenset(broken | {INSTRUCTION + name for name in mnemonics})
    found = (each for _, each in statements_of(program.statements))
    return frozenset(broken | {STATEMENT + str(each.__struct_config__.tag) for each in found})


@dataclass(slots=True, kw_only=True)
class Coverage:
    """counts: how many programs exercised each feature."""

    counts: Counter[str] = field(default_factory=Counter)

    def add(self, features: Iterable[str]) -> None:
        self.counts.update(features)

    def rarity(self, features: Iterable[str]) -> float:
        """The larger, the rarer what the program exercises; its broken rules weigh most."""
        return sum(
            (10.0 if feature.startswith(RULE) else 1.0) / (1 + self.counts[feature])
            for feature in features
        )

    def rules(self) -> Mapping[str, int]:
        """How often each rule was broken, all that there are, the rarest first."""
        found = {rule: self.counts[RULE + rule] for rule in RULES}
        return dict(sorted(found.items(), key=lambda each: (each[1], each[0])))

    def missing(self, *, pointer: bool, bytecode: bool) -> list[str]:
        """Statements and instructions that nothing exercised."""
        wanted = [STATEMENT + op for op in OPS] if pointer else []
        wanted += [INSTRUCTION + form.mnemonic for form in FORMS] if bytecode else []
        return [feature for feature in wanted if not self.counts[feature]]
