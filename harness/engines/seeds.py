"""Seeds: one observation made of the same run under several of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace

from harness.engines.confirmation import contradiction
from harness.engines.engine import Job, Observation
from harness.outcome import Outcome


def gather(observations: Iterable[Observation], count: int) -> Iterator[Observation]:
    """One observation for each job, as soon as it came back `count` times."""
    waiting: dict[int, list[Observation]] = {}
    for seen in observations:
        of_job = waiting.setdefault(id(seen.job), [])
        of_job.append(seen)
        if len(of_job) == count:
            yield _together(waiting.pop(id(seen.job)))


def run_seeded(
    run: Callable[[Sequence[Job]], Iterator[Observation]], jobs: Sequence[Job], count: int
) -> Iterator[Observation]:
    """Do each job under the seeds from 0 on, and yield one observation for it.

    run: does jobs under the seed that each names.
    """
    of_seeded: dict[int, Job] = {}
    seeded: list[Job] = []
    for job in jobs:
        for seed in range(count):
            seeded.append(replace(job, seed=seed))
            of_seeded[id(seeded[-1])] = job
    seen = (replace(each, job=of_seeded[id(each.job)]) for each in run(seeded))
    return gather(seen, count)


def _together(seen: Sequence[Observation]) -> Observation:
    faulty = next((each for each in seen if each.fault), None)
    if faulty is not None:
        return faulty
    alike: list[list[Observation]] = []
    for each in sorted(seen, key=lambda each: each.seed or 0):
        known = (group for group in alike if not contradiction(group[0].outcome, each.outcome))
        group = next(known, None)
        if group is None:
            alike.append([each])
        else:
            group.append(each)
    alike.sort(key=len, reverse=True)
    rows: list[tuple[Outcome, tuple[int, ...]]] = [
        (group[0].outcome, tuple(each.seed or 0 for each in group)) for group in alike
    ]
    return replace(alike[0][0], by_seed=tuple(rows))
