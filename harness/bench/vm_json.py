"""What soundness costs, for programs."""

from __future__ import annotations

import json
from collections.abc import Sequence

from harness.bench.vm import BASELINE, Cost, Measured
from harness.toolchain.rust import Compiler


def encode(
    measured: Sequence[Measured], costs: Sequence[Cost], compiler: Compiler, noise: float
) -> bytes:
    """Every measurement, and what it comes to. Times are nanoseconds of an instruction."""
    value = {
        "schema": 1,
        "compiler": compiler.version,
        "target": compiler.host,
        "baseline": BASELINE,
        "noise": noise,
        "costs": [
            {
                "variant": cost.variant.name,
                "sound": cost.variant.sound,
                "nanoseconds": cost.nanoseconds,
                "ratio": cost.ratio,
                "least": cost.least,
                "most": cost.most,
                "programs": cost.programs,
                "wrong": list(cost.wrong),
            }
            for cost in costs
        ],
        "measured": [
            {
                "variant": each.variant,
                "case": each.case,
                "steps": each.steps,
                "nanoseconds": list(each.nanoseconds),
            }
            for each in measured
        ],
    }
    return (json.dumps(value, indent=1) + "\n").encode()
