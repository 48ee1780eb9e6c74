"""Every small program through all sides, in rounds, from where the folder's campaign is."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from harness.fuzz.campaign import judge_round
from harness.fuzz.exhaustive import every_program

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.fuzz.campaign import Fuzzer
    from harness.fuzz.findings import State

ROUND = 1000
"""Programs that are judged together: enough that starting Miri costs little beside them."""


def run_exhaustively(
    fuzzer: Fuzzer, most: int, wants_more: Callable[[State], bool]
) -> tuple[State, int]:
    """Judge every program of up to `most` statements; the state, and how many there are.

    Raises: InputError, if the folder holds another campaign.
    """
    state = fuzzer.folder.read(f"exhaustive {most}, by {fuzzer.identity.partition(' by ')[2]}")
    fuzzer.folder.begin()
    total = sum(1 for _ in every_program(most))
    left = islice(every_program(most), state.tallies["programs"], None)
    while wants_more(state) and (programs := list(islice(left, ROUND))):
        first = state.tallies["programs"]
        names = [f"exhaustive {most}, program {first + number}" for number in range(len(programs))]
        state.tallies += judge_round(fuzzer, programs, names, state.rounds)
        state.tallies["programs"] += len(programs)
        state.rounds += 1
        fuzzer.folder.write(state)
    return state, total
