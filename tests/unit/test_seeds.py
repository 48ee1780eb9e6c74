"""Seeds: what was seen of a job under each of them, put together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from harness.engines.engine import Job, Observation
from harness.engines.seeds import gather, run_seeded
from harness.outcome import Outcome, Ran, TimedOut
from harness.pointer.program import PointerProgram
from harness.verdict import describe_numbers


def job() -> Job:
    return Job(case="one", program=PointerProgram(statements=()))


def test_a_job_comes_back_once_as_soon_as_it_is_complete() -> None:
    one, other = job(), job()
    seen = [
        Observation(job=one, outcome=Ran(memory=b"a"), seed=4),
        Observation(job=other, outcome=Ran(memory=b"b"), seed=5),
        Observation(job=other, outcome=Ran(memory=b"b"), seed=6),
        Observation(job=one, outcome=Ran(memory=b"a"), seed=3),
    ]
    first, second = gather(seen, 2)
    assert (first.job, first.by_seed) == (other, ((Ran(memory=b"b"), (5, 6)),))
    assert (second.job, second.by_seed) == (one, ((Ran(memory=b"a"), (3, 4)),))


def test_outcomes_that_differ_stand_in_rows_the_most_frequent_first() -> None:
    one = job()
    outcomes: list[Outcome] = [
        TimedOut(message="slow"),
        Ran(memory=b"a"),
        Ran(memory=b"a"),
        Ran(memory=b"b"),
    ]
    seen = [Observation(job=one, outcome=each, seed=n) for n, each in enumerate(outcomes)]
    [together] = gather(seen, 4)
    assert together.outcome == Ran(memory=b"a")
    assert together.by_seed == (
        (Ran(memory=b"a"), (1, 2)),
        (TimedOut(message="slow"), (0,)),
        (Ran(memory=b"b"), (3,)),
    )


def test_each_job_is_done_under_every_seed_and_comes_back_itself() -> None:
    jobs = [job(), job()]
    done: list[Job] = []

    def run(seeded: Sequence[Job]) -> Iterator[Observation]:
        done.extend(seeded)
        for each in reversed(seeded):
            yield Observation(job=each, outcome=Ran(checksum=0), seed=each.seed)

    seen = list(run_seeded(run, jobs, 3))
    assert [each.seed for each in done] == [0, 1, 2, 0, 1, 2]
    assert {id(each.job) for each in seen} == {id(each) for each in jobs}
    assert all(each.by_seed == ((Ran(checksum=0), (0, 1, 2)),) for each in seen)


def test_a_checksum_may_be_of_addresses() -> None:
    one = job()
    seen = [Observation(job=one, outcome=Ran(checksum=n), seed=n) for n in range(3)]
    [together] = gather(seen, 3)
    assert together.by_seed == ((Ran(checksum=0), (0, 1, 2)),)


def test_a_fault_under_one_seed_is_the_job_s() -> None:
    one = job()
    seen = [
        Observation(job=one, outcome=Ran(memory=b"a"), seed=0),
        Observation(job=one, outcome=Ran(memory=b"a"), seed=1, fault="two words"),
    ]
    assert [each.fault for each in gather(seen, 2)] == ["two words"]


def test_numbers_are_drawn_together() -> None:
    assert describe_numbers([7, 0, 2, 1, 3]) == "0-3, 7"
    assert describe_numbers([]) == ""
