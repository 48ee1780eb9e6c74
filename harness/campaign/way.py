"""The way that a bytecode program takes, from the reference VM, for what it is lowered to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.lowering.way import Block, Way
from harness.outcome import TrapKind, Trapped
from harness.reference.vm import trace

if TYPE_CHECKING:
    from harness.bytecode.program import Program
    from harness.reference.vm import Trace


def way_of(program: Program) -> Way:
    """The instructions that the reference VM runs, and where the step limit stops it."""
    return way_along(trace(program))


def way_along(seen: Trace) -> Way:
    """The way of a run that the reference VM has made already."""
    outcome = seen.outcome
    stops_before = None
    if isinstance(outcome, Trapped) and outcome.kind is TrapKind.STEP_LIMIT:
        stops_before = outcome.location.instruction
    blocks = {
        position: Block(size=block.size, backwards=block.backwards)
        for position, block in seen.blocks.items()
    }
    return Way(
        path=seen.path,
        stops_before=stops_before,
        blocks=blocks,
        sizes=seen.sizes,
        numbers=seen.numbers,
    )
