"""Bytecode programs in the Rust VM, many to one process of Miri."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache

from harness.bytecode.program import Program
from harness.bytecode.wire import encode
from harness.engines.confirmation import contradiction_of_marks
from harness.engines.engine import Job, Observation
from harness.engines.marks import at_mark, last_mark
from harness.engines.miri_items import SINGLE_THREADED, Batch, Item, main_folder
from harness.engines.miri_run import Runner, VmCrate, run_flags
from harness.engines.miri_segments import Attributed, Stopped
from harness.engines.vm_crate import arguments
from harness.lowering.variants import VARIANTS
from harness.outcome import Outcome, UndefinedBehaviour, Unsupported


def run_bytecode(
    runner: Runner,
    crate: VmCrate,
    jobs: Mapping[int, Job],
    begun: dict[int, int],
    tell: Callable[[int, Observation], None],
) -> None:
    """Run jobs of one mode, by number, and tell what each came to, as soon as it is certain.

    A number that is not told of is to be run plainly. begun: receives the seed under which each
    began. Those that are predicted to fail have marks, to find where they were; those that fail
    otherwise are interpreted once more, with marks.
    """
    first = next(iter(jobs.values()))
    is_own = first.variant not in VARIANTS
    batch = Batch(
        launcher=runner.launcher,
        miri=runner.miri,
        folder=main_folder(runner.miri, "vm_main.rs"),
        externs=crate.externs,
        # A user's own variant may start a thread, and ask for variables of the environment.
        flags=(*run_flags(first), *(() if is_own else SINGLE_THREADED)),
        limits=runner.limits,
        inherits=is_own,
        begun=begun,
    )
    repeat = _repeater(runner, crate, first)
    failed: dict[int, Observation] = {}

    def hear(seen: Attributed) -> None:
        job = jobs[seen.item]
        command = repeat(job, seen.seed)
        outcome = _outcome(seen)
        observation = Observation(job=job, outcome=outcome, command=command, seed=seen.seed)
        if isinstance(seen.said, Stopped) and isinstance(outcome, UndefinedBehaviour | Unsupported):
            if job.fails:
                located = at_mark(outcome, last_mark(seen.said.transcript))
                tell(seen.item, replace(observation, outcome=located))
            else:
                failed[seen.item] = observation
        else:
            tell(seen.item, observation)

    batch.interpret({number: _item(job, marked=job.fails) for number, job in jobs.items()}, hear)
    batch.interpret(
        {number: _item(jobs[number], marked=True) for number in failed},
        lambda seen: tell(seen.item, _locate(failed[seen.item], seen)),
    )


def _item(job: Job, *, marked: bool) -> Item:
    """As `vm_main.rs` reads it."""
    assert isinstance(job.program, Program)
    variant = job.variant or ""
    return Item(
        choice=2 * variant_id(variant) + marked,
        data=encode(job.program),
        # Of a user's own table only the first place can be guessed.
        place=_PLACES.get(variant, 0),
        count=len(job.program.instructions),
    )


_PLACES = {name: place for place, name in enumerate(VARIANTS)}


@cache
def variant_id(name: str) -> int:
    """A variant's name as a number of 63 bits, as `rust/vm/src/variants/mod.rs` has it."""
    number = 0xCBF2_9CE4_8422_2325
    for byte in name.encode():
        number = (number ^ byte) * 0x100_0000_01B3 % (1 << 64)
    return number >> 1


def _repeater(runner: Runner, crate: VmCrate, job: Job) -> Callable[[Job, int], str]:
    """Makes the shell line that repeats a job of the same mode under a seed."""
    flags = (*run_flags(job), "-Zmiri-seed=@seed")
    words = ("@variant", "@program")
    line = runner.miri.driver_command(crate.folder, flags, words, externs=crate.externs).shell()

    def repeat(job: Job, seed: int) -> str:
        assert isinstance(job.program, Program)
        own = line.replace("@seed", str(seed), 1)
        for word, argument in zip(words, arguments(job.variant or "", job.program), strict=True):
            own = own.replace(word, shlex.quote(argument))
        return own

    return repeat


def _outcome(seen: Attributed) -> Outcome:
    said = seen.said
    return said.failure.outcome if isinstance(said, Stopped) else said.of_bytecode()


def _locate(observation: Observation, seen: Attributed) -> Observation:
    """The observation with the place that the same run with marks shows."""
    outcome = observation.outcome
    assert isinstance(outcome, UndefinedBehaviour | Unsupported)
    again = _outcome(seen)
    if fault := contradiction_of_marks(outcome, again):
        return replace(observation, fault=fault)
    assert isinstance(seen.said, Stopped)
    return replace(observation, outcome=at_mark(outcome, last_mark(seen.said.transcript)))
