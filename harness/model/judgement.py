"""What the machine says of one run, with all that it knows of a fault."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.model.borrows import Broken
    from harness.model.memory import Allocation
    from harness.outcome import Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """outcome: what the run does. rule: a stable name of the broken rule, None if it ran.

    sentence: the fault in one sentence, for a person. allocation: the one that it is about, if
    any. broken: the borrow model's facts, where the rule is one of its own.
    hangs_on_addresses: whether the run might have gone another way if allocations lay
    elsewhere, so that the outcome is one of several.
    """

    outcome: Outcome
    rule: str | None = None
    sentence: str | None = None
    allocation: Allocation | None = None
    broken: Broken | None = None
    hangs_on_addresses: bool = False
