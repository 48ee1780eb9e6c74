"""Programs of the plain generator: what the abstract machine predicts is what Miri says.

`HARNESS_RANDOM_PROGRAMS=10000` checks so many instead of a few, and `HARNESS_RANDOM_SEED`
others; a program is the same for the same number.
"""

from __future__ import annotations

import os
import random
from collections import Counter
from pathlib import Path

import pytest

import harness
from harness.cases.pointer_case import PointerCase
from harness.pointer.generator import generate
from harness.pointer.listing import format as as_text
from harness.result import Result, Verdict
from harness.verdict import HANGS_ON_ADDRESSES

pytestmark = [
    pytest.mark.slow,
    pytest.mark.miri,
]

COUNT = int(os.environ.get("HARNESS_RANDOM_PROGRAMS", "300"))
FIRST = int(os.environ.get("HARNESS_RANDOM_SEED", "0"))
LENGTH = 12
"""Statements of a program, about."""


def test_miri_says_what_the_machine_predicts() -> None:
    cases = [_case(seed) for seed in range(FIRST, FIRST + COUNT)]
    results = list(harness.check(cases, engines=["miri"]))
    assert len(results) == 6 * COUNT
    seen = Counter(result.outcome.name for result in results if result.outcome)
    print(f"\n{COUNT} programs in 6 modes: {dict(seen)}")
    print(dict(Counter(str(result.verdict) for result in results)))
    # Neither side of a run may always be the same, or agreement would show little.
    assert seen["ran"] > COUNT
    assert seen["ub"] > COUNT
    by_id = {case.id: case for case in cases}
    differing = [_told(result, by_id[result.run.case]) for result in results if _differs(result)]
    assert not differing, "\n\n".join(differing[:10])


def _case(seed: int) -> PointerCase:
    return PointerCase(
        id=f"random-{seed}",
        path=Path(__file__),
        description="",
        source="",
        rule="",
        program=generate(random.Random(seed), LENGTH),
        expectations={},
    )


def _differs(result: Result) -> bool:
    if result.verdict is Verdict.NOT_CHECKED:
        return not result.reason.startswith(HANGS_ON_ADDRESSES)
    return result.verdict is Verdict.MISMATCH


def _told(result: Result, case: PointerCase) -> str:
    mode = result.run.mode
    return f"{case.id} {mode}: {result.verdict}: {result.reason}\n{as_text(case.program)}"
