"""Benches: what is measured; how fast it is nobody asserts."""

from __future__ import annotations

import pytest

from harness.bench.miri import LONGEST, Timing, pointer_jobs, spread, vm_jobs
from harness.bytecode.program import Program
from harness.cases.load import load
from harness.cli.options import read_limit
from harness.engines.engine import Job
from harness.errors import InputError
from harness.lowering.variants import VARIANTS
from harness.mode import MODES
from harness.pointer.program import PointerProgram
from harness.resources import corpus_dir


def test_the_vm_form_is_measured_on_short_programs_in_every_variant_and_mode() -> None:
    jobs = vm_jobs(load((corpus_dir() / "bytecode",), variants=VARIANTS).cases)
    assert {job.variant for job in jobs} == set(VARIANTS)
    assert {job.mode for job in jobs} == set(MODES)
    lengths = [len(job.program.instructions) for job in jobs if isinstance(job.program, Program)]
    assert len(lengths) == len(jobs)
    assert max(lengths) <= LONGEST


def test_pointer_cases_are_measured_in_every_mode() -> None:
    cases = load((corpus_dir() / "pointer" / "sound",), variants=VARIANTS).cases
    assert len(pointer_jobs(cases)) == len(cases) * len(MODES)


def test_a_few_jobs_lie_at_even_distances() -> None:
    jobs = [Job(case=str(n), program=PointerProgram(statements=())) for n in range(10)]
    assert [job.case for job in spread(jobs, 4)] == ["0", "2", "5", "7"]
    assert spread(jobs, 99) == jobs


def test_what_is_compiled_once_does_not_count_for_the_rate() -> None:
    timing = Timing(way="any", runs=30, start_up=1.0, compiling=99.0, interpreting=2.0)
    assert timing.rate == 10.0


def test_limits_let_something_run() -> None:
    assert read_limit("--timeout", 0.5) == 0.5
    for useless in (0, -1, float("nan"), float("inf")):
        with pytest.raises(InputError, match="--timeout"):
            read_limit("--timeout", useless)
