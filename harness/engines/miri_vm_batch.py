"""Bytecode programs in the Rust VM, many to one process of Miri."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import cache

from harness.bytecode.program import Program
from harness.bytecode.wire import encode
from harness.diagnostics.failure import read_error
from harness.diagnostics.message import Message, Transcript
from harness.engines.confirmation import contradiction_of_marks
from harness.engines.engine import Job, Observation
from harness.engines.marks import at_mark, last_mark
from harness.engines.miri_items import Batch, Item
from harness.engines.miri_records import Ended
from harness.engines.miri_run import Runner, VmCrate, run_flags
from harness.engines.miri_segments import Attributed
from harness.engines.vm_crate import arguments
from harness.outcome import Outcome, UndefinedBehaviour, Unsupported


def run_bytecode(
    runner: Runner, crate: VmCrate, jobs: Mapping[int, Job], begun: dict[int, int]
) -> Iterator[tuple[int, Observation]]:
    """Run jobs of one mode, by number. A number that does not come back is to be run plainly.

    begun: receives the seed under which each began.

    Those that fail are interpreted once more, with marks, to find where they were.
    """
    batch = Batch(
        launcher=runner.launcher,
        miri=runner.miri,
        main="vm_main.rs",
        externs=crate.externs,
        flags=run_flags(next(iter(jobs.values()))),
        limits=runner.limits,
        begun=begun,
    )
    repeat = _repeater(runner, crate, next(iter(jobs.values())))
    failed: dict[int, Observation] = {}
    items = {number: _item(job, marked=False) for number, job in jobs.items()}
    for seen in batch.interpret(items):
        job = jobs[seen.item]
        observation = Observation(
            job=job, outcome=_outcome(seen), command=repeat(job, seen.seed), seed=seen.seed
        )
        if isinstance(observation.outcome, UndefinedBehaviour | Unsupported):
            failed[seen.item] = observation
        else:
            yield seen.item, observation
    again = {number: _item(jobs[number], marked=True) for number in failed}
    for seen in batch.interpret(again):
        yield seen.item, _locate(failed[seen.item], seen)


def _item(job: Job, *, marked: bool) -> Item:
    """As `vm_main.rs` reads it."""
    assert isinstance(job.program, Program)
    return Item(choice=2 * variant_id(job.variant or "") + marked, data=encode(job.program))


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
    if isinstance(seen.said, Ended):
        return seen.said.of_bytecode()
    return read_error(error_of(seen.said)).outcome


def _locate(observation: Observation, seen: Attributed) -> Observation:
    """The observation with the place that the same run with marks shows."""
    outcome = observation.outcome
    assert isinstance(outcome, UndefinedBehaviour | Unsupported)
    again = _outcome(seen)
    if fault := contradiction_of_marks(outcome, again):
        return replace(observation, fault=fault)
    assert isinstance(seen.said, Transcript)
    return replace(observation, outcome=at_mark(outcome, last_mark(seen.said)))


def error_of(transcript: Transcript) -> Message:
    """The error that a transcript of `harness.engines.miri_segments` ends with."""
    last = transcript.entries[-1]
    assert isinstance(last, Message)
    return last
