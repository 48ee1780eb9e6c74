"""Engine `miri` in batches: the same answers as one run at a time, and bad items found."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec
import pytest

from harness import _native
from harness.bytecode.operands import Width
from harness.bytecode.program import Binary, BinaryOperator, Program, WriteConst
from harness.engines import miri_items, miri_pointer_batch, miri_run
from harness.engines.engine import Job, Observation
from harness.engines.miri import MiriEngine
from harness.engines.miri_batch import MiriBatchEngine
from harness.mode import MODES, Mode, parse_mode
from harness.outcome import (
    Outcome,
    Panicked,
    Ran,
    TimedOut,
    ToolFailed,
    UndefinedBehaviour,
    Unsupported,
)
from harness.pointer import program as p
from harness.pointer.rust import RustSource
from harness.pointer.text import parse
from harness.reference import vm as reference
from harness.resources import rust_vm_dir
from harness.result import Form
from harness.toolchain.command import Command
from harness.toolchain.miri import TOOLCHAIN_VARIABLE
from harness.toolchain.process import MEBIBYTE, Launcher, Limits

ADD = BinaryOperator.ADD

pytestmark = [
    pytest.mark.slow,
    pytest.mark.miri,
]

U8, U16 = Width.U8, Width.U16
STACKED_STRICT = parse_mode("stacked-strict")
DATA = Path(__file__).parent.parent / "data"

THREAD = Program(
    instructions=(
        WriteConst(width=U16, addr=2, value=2),
        WriteConst(width=U16, addr=4, value=40),
        Binary(operator=ADD, width=U16, addr_op1=2, addr_op2=4, addr_res=6),
        Binary(operator=ADD, width=U16, addr_op1=6, addr_op2=8, addr_res=0),
    ),
    memory=bytes(range(16)),
)
ALIASED = Program(
    instructions=(Binary(operator=ADD, width=U8, addr_op1=1, addr_op2=1, addr_res=1),),
    memory=bytes([1, 2]),
)
TRAPPING = Program(instructions=(WriteConst(width=U16, addr=15, value=1),), memory=bytes(16))
# More than Miri reads ahead of standard input, 8 KiB.
LONG = Program(instructions=(WriteConst(width=U8, addr=8_999, value=7),), memory=bytes(9_000))
TOO_LARGE = p.PointerProgram(statements=(p.Local(to="x", size=1 << 62, init=None),))
BUILDS = "--crate-type lib"


def reads(value: int) -> p.PointerProgram:
    return p.PointerProgram(
        statements=(
            p.Local(to="x", size=1, init=value),
            p.RawMut(to="q", of="x"),
            p.Read(ptr="q", at=0, width=1),
        )
    )


class Engines:
    """Both engines, the commands that the batches start, and which jobs were run plainly."""

    def __init__(self, cache: Path, **options: Any) -> None:
        self.echoed: list[str] = []
        self.launcher = Launcher(echo=self.echoed.append)
        self.plain = MiriEngine(
            self.launcher,
            toolchain=os.environ[TOOLCHAIN_VARIABLE],
            vm_folder=rust_vm_dir(),
            cache=cache,
            workers=2,
            **options,
        )
        self.batch = MiriBatchEngine(self.launcher, self.plain, workers=2)

    def run(self, *jobs: Job) -> list[Observation]:
        """What the batches saw, in the order of the jobs."""
        return in_order(jobs, self.batch.run(jobs))

    def compare(self, *jobs: Job) -> None:
        """Hold batches and plain runs against each other."""
        for one, other in zip(self.run(*jobs), in_order(jobs, self.plain.run(jobs)), strict=True):
            assert (one.fault, other.fault) == ("", "")
            assert comparable(one.outcome) == comparable(other.outcome), one.job.case

    def count(self, text: str) -> int:
        return sum(text in line for line in self.echoed)


def scrub(text: str) -> str:
    return re.sub(r"alloc\d+|<\d+>|0x[0-9a-f]+", "_", text)


def in_order(jobs: tuple[Job, ...], seen: Iterator[Observation]) -> list[Observation]:
    by_job = {id(each.job): each for each in seen}
    assert len(by_job) == len(jobs)
    return [by_job[id(job)] for job in jobs]


def comparable(outcome: Outcome) -> object:
    """What has to be the same: not the message, which names tags and addresses."""
    if isinstance(outcome, UndefinedBehaviour):
        places = (outcome.created, outcome.invalidated)
        paths = [place and (place.path, place.instruction) for place in places]
        location = outcome.location
        return outcome.kind, location.path, location.instruction, location.operand, paths
    if isinstance(outcome, Unsupported):
        location = outcome.location
        return outcome.kind, location.path, location.instruction, location.operand
    return outcome


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def engines(cache: Path) -> Engines:
    made = Engines(cache)
    assert made.batch.missing() is None
    return made


def vm_jobs(*programs: Program, modes: tuple[Mode, ...] = MODES) -> list[Job]:
    return [
        Job(case=str(number), program=program, variant=variant, form=Form.VM, mode=mode)
        for number, program in enumerate(programs)
        for variant in _native.variants()
        for mode in modes
    ]


def sample_jobs() -> list[Job]:
    lines = (DATA / "miri-verdicts-sample.jsonl").read_text().splitlines()
    return [
        Job(
            case=each["id"],
            program=msgspec.convert({"statements": each["program"]}, p.PointerProgram),
            mode=mode,
        )
        for each in map(json.loads, lines)
        for mode in MODES
    ]


def test_bytecode_in_batches_is_as_in_plain_runs(engines: Engines) -> None:
    engines.compare(
        *vm_jobs(THREAD, modes=(STACKED_STRICT, parse_mode("tree-permissive"))),
        *vm_jobs(ALIASED, TRAPPING, modes=(STACKED_STRICT,)),
    )


def test_a_panic_in_a_batch_is_as_in_a_plain_run(engines: Engines) -> None:
    panicking = [
        parse("""
            local x = [1, 2]
            i = 5
            read x[i]: u8
        """),
        parse("""
            local x = [1, 2]
            m = &mut x
            i = 1 + 1: u8
            write m[i]: u8 = 3
        """),
    ]
    jobs = [
        Job(case=str(n), program=each.program, mode=mode)
        for n, each in enumerate(panicking)
        for mode in (STACKED_STRICT, parse_mode("none-permissive"))
    ]
    plain = in_order(tuple(jobs), engines.plain.run(jobs))
    for one, other in zip(engines.run(*jobs), plain, strict=True):
        assert isinstance(one.outcome, Panicked)
        assert isinstance(other.outcome, Panicked)
        assert one.outcome.message == other.outcome.message
        assert one.outcome.location.path == other.outcome.location.path is not None
        # What ran alone has a time of its own.
        assert one.seconds is None


def test_outcomes_come_before_their_batch_ends(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    planted = Planted(cache, monkeypatch, "loop {}")
    jobs = [
        Job(case=str(n), program=each, mode=STACKED_STRICT)
        for n, each in enumerate(planted.programs)
    ]
    seen = planted.engines.batch.run(jobs)
    first, second = islice(seen, 2)
    # The third never ends: a process was started, and none has come to its end.
    assert planted.engines.count("-Zmiri-many-seeds=") == 1
    assert [each.outcome for each in (first, second)] == [Ran(checksum=60), Ran(checksum=61)]


def test_pointer_programs_in_batches_are_as_in_plain_runs(engines: Engines) -> None:
    engines.compare(*sample_jobs()[::7])


def test_one_compile_and_one_process_a_mode(engines: Engines) -> None:
    jobs = sample_jobs()
    seen = engines.run(*jobs)
    assert engines.count(BUILDS) == 1
    assert engines.count("-Zmiri-many-seeds=0..76") == len(MODES)
    # What was done in a batch shares its process, and has no time of its own.
    assert [each.job.case for each in seen if each.seconds is not None] == []


def test_marks_cost_one_more_process_a_mode(engines: Engines) -> None:
    seen = engines.run(*vm_jobs(THREAD, modes=(STACKED_STRICT,)))
    failed = [each for each in seen if isinstance(each.outcome, UndefinedBehaviour | Unsupported)]
    assert failed
    assert all(
        each.outcome.location.instruction is not None
        for each in failed
        if isinstance(each.outcome, UndefinedBehaviour | Unsupported)
    )
    assert engines.count("-Zmiri-many-seeds=") == 2


def test_a_long_program_is_no_different(engines: Engines) -> None:
    programs = (THREAD, LONG, THREAD)
    jobs = [
        Job(case=str(n), program=each, variant="raw", form=Form.VM, mode=STACKED_STRICT)
        for n, each in enumerate(programs)
    ]
    assert [each.outcome for each in engines.run(*jobs)] == [
        reference.run(each) for each in programs
    ]
    assert engines.count("-- raw") == 0


def test_the_command_of_an_observation_repeats_it(engines: Engines) -> None:
    jobs = [job for job in sample_jobs() if job.mode == STACKED_STRICT]
    repeated = 0
    for each in engines.run(*jobs):
        if isinstance(each.outcome, UndefinedBehaviour) and repeated < 5:
            done = Launcher().run(Command(argv=("sh", "-c", each.command)))
            # Tags and allocations count on from one interpreter to the next in a process.
            assert scrub(each.outcome.message) in scrub(done.errors)
            repeated += 1
    assert repeated == 5


def test_a_program_that_does_not_compile_costs_the_others_nothing(engines: Engines) -> None:
    programs = [reads(1), TOO_LARGE, reads(2)]
    jobs = [Job(case=str(n), program=each, mode=STACKED_STRICT) for n, each in enumerate(programs)]
    before, bad, after = (each.outcome for each in engines.run(*jobs))
    assert (before, after) == (Ran(checksum=1), Ran(checksum=2))
    assert isinstance(bad, ToolFailed)
    assert "too big" in bad.message
    assert engines.count(BUILDS) <= 3


def test_an_error_that_is_nobody_s_line_is_found_by_halving(
    engines: Engines, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(miri_pointer_batch, "_culprits", lambda *_: set())
    programs = [reads(3), reads(4), TOO_LARGE, reads(5)]
    jobs = [Job(case=str(n), program=each, mode=STACKED_STRICT) for n, each in enumerate(programs)]
    outcomes = [each.outcome for each in engines.run(*jobs)]
    assert [outcomes[n] for n in (0, 1, 3)] == [Ran(checksum=n) for n in (3, 4, 5)]
    assert isinstance(outcomes[2], ToolFailed)


def test_a_memory_hog_is_found_and_the_rest_finish(cache: Path) -> None:
    engines = Engines(cache, limits=Limits(seconds=60, memory=700 * MEBIBYTE))
    size = 400 << 20
    hog = p.PointerProgram(
        statements=(
            p.Local(to="x", size=size, init=1),
            p.Local(to="y", size=size, init=1),
            p.RawMut(to="q", of="x"),
            p.RawMut(to="r", of="y"),
            p.Copy(from_="q", to_ptr="r", size=size, overlapping=False),
        )
    )
    programs = [reads(6), reads(7), hog, reads(8), reads(9)]
    jobs = [Job(case=str(n), program=each, mode=STACKED_STRICT) for n, each in enumerate(programs)]
    outcomes = [each.outcome for each in engines.run(*jobs)]
    assert [outcomes[n] for n in (0, 1, 3, 4)] == [Ran(checksum=n) for n in (6, 7, 8, 9)]
    assert isinstance(outcomes[2], TimedOut)
    assert "of memory in use" in outcomes[2].message


def test_the_same_program_under_two_names_and_with_a_seed_of_its_own(engines: Engines) -> None:
    jobs = [
        Job(case="one", program=reads(10), mode=STACKED_STRICT),
        Job(case="two", program=reads(10), mode=STACKED_STRICT),
        Job(case="three", program=reads(10), mode=STACKED_STRICT, seed=7),
    ]
    seen = engines.run(*jobs)
    assert [each.outcome for each in seen] == [Ran(checksum=10)] * 3
    assert "-Zmiri-seed=7" in seen[2].command


def test_a_sample_is_confirmed_by_plain_runs_under_the_same_seed(cache: Path) -> None:
    engines = Engines(cache)
    confirming = MiriBatchEngine(engines.launcher, engines.plain, workers=2, confirm_every=10)
    jobs = tuple(sample_jobs()[::2])
    seen = in_order(jobs, confirming.run(jobs))
    assert {each.fault for each in seen} == {""}
    confirmed = engines.count("-Zmiri-seed=")
    assert len(jobs) / 20 < confirmed < len(jobs) / 5


def test_no_jobs_start_nothing(engines: Engines) -> None:
    engines.echoed.clear()
    assert engines.run() == []
    assert engines.echoed == []


# Seeds

ODD = parse(
    """
    local x = [0]
    p = &raw mut x
    a = p.addr()
    b = a << 63: u64
    c = b >> 63: u64
    read p[c]: u8
    """
).program
"""Within bounds where the address of `x` is even."""


def test_every_job_runs_under_seeds_of_its_own_and_says_which_differ(cache: Path) -> None:
    engines = Engines(cache)
    seeded = MiriBatchEngine(engines.launcher, engines.plain, workers=2, seeds=8)
    jobs = (
        *vm_jobs(THREAD, modes=(STACKED_STRICT,)),
        Job(case="one", program=reads(3), mode=STACKED_STRICT),
        Job(case="odd", program=ODD, mode=STACKED_STRICT),
        Job(case="too-large", program=TOO_LARGE, mode=STACKED_STRICT),
    )
    seen = in_order(jobs, seeded.run(jobs))
    for each in seen:
        assert each.fault == ""
        assert len({seed for _, seeds in each.by_seed for seed in seeds}) == 8
    *alike, odd, too_large = seen
    assert all(len(each.by_seed) == 1 for each in alike)
    assert {outcome.name for outcome, _ in odd.by_seed} == {"ran", "panicked"}
    assert seeded.confirm(odd).fault == ""
    assert isinstance(too_large.outcome, ToolFailed)


def test_a_finding_is_confirmed_by_a_plain_run_under_its_seed(engines: Engines) -> None:
    [seen] = engines.run(Job(case="one", program=reads(3), mode=STACKED_STRICT))
    assert engines.batch.confirm(seen) == seen
    assert engines.count(f"-Zmiri-seed={seen.seed}") == 1
    denied = engines.batch.confirm(replace(seen, outcome=TimedOut(message="never")))
    assert denied.fault.startswith("in a batch it was TimedOut")


# Bad items: written in Rust where the pointer language cannot say them


class Planted:
    """Programs of which one is replaced in the library by a body of Rust."""

    def __init__(self, cache: Path, monkeypatch: pytest.MonkeyPatch, body: str) -> None:
        limits = Limits(seconds=5.0, memory=1000 * MEBIBYTE, output=MEBIBYTE)
        self.engines = Engines(cache, limits=limits)
        self.programs = [reads(60), reads(61), reads(77), reads(62), reads(63)]
        place = "[77u8; 1]"

        def planting(write: Callable[..., RustSource]) -> Callable[..., RustSource]:
            def written(programs: Sequence[p.PointerProgram]) -> RustSource:
                source = write(programs)
                lines = source.text.splitlines()
                return replace(
                    source,
                    text="\n".join(f"{body} {line}" if place in line else line for line in lines),
                )

            return written

        for module, name in ((miri_pointer_batch, "write_library"), (miri_run, "write")):
            monkeypatch.setattr(module, name, planting(getattr(module, name)))

    def outcome(self) -> Outcome:
        """What becomes of the bad one; the others are seen to be as they should."""
        jobs = [
            Job(case=str(n), program=each, mode=STACKED_STRICT)
            for n, each in enumerate(self.programs)
        ]
        outcomes = [each.outcome for each in self.engines.run(*jobs)]
        good = [outcomes[n] for n in (0, 1, 3, 4)]
        assert good == [Ran(checksum=n) for n in (60, 61, 62, 63)]
        # The bad one alone was run plainly, or nothing.
        assert self.engines.count("-- 0") <= 1
        return outcomes[2]


def test_an_endless_loop_is_timed_out(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    outcome = Planted(cache, monkeypatch, "loop {}").outcome()
    assert outcome == TimedOut(message="still running after 5 s")


def test_an_endless_recursion_is_timed_out(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    body = "fn again(depth: [u64; 2000]) -> u64 { again(depth) + depth[0] } again([1; 2000]);"
    assert isinstance(Planted(cache, monkeypatch, body).outcome(), TimedOut)


def test_a_panic_is_that_of_its_program(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    planted = Planted(cache, monkeypatch, 'panic!("planted");')
    outcome = planted.outcome()
    assert isinstance(outcome, Panicked)
    assert outcome.message == "planted"
    # It needs no run of its own.
    assert planted.engines.count("-- 0") == 0


def test_a_compile_error_is_that_of_its_program(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcome = Planted(cache, monkeypatch, 'let planted: u8 = "text";').outcome()
    assert isinstance(outcome, ToolFailed)
    assert "mismatched types" in outcome.message


def test_a_flood_of_output_is_ended(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    body = (
        'unsafe extern "C" { fn write(to: i32, from: *const u8, size: usize) -> isize; } '
        "let flood = [b'x'; 65536]; loop { write(2, flood.as_ptr(), 65536); }"
    )
    outcome = Planted(cache, monkeypatch, body).outcome()
    assert isinstance(outcome, ToolFailed)
    assert outcome.message == "more than 1 MiB of output"


def test_output_that_drips_is_timed_out(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(miri_items, "RUNS_TO_A_PROCESS", 2)
    body = (
        'unsafe extern "C" { fn write(to: i32, from: *const u8, size: usize) -> isize; } '
        'loop { write(2, b"x".as_ptr(), 1); let mut i = 0; while i < 10000 { i += 1; } }'
    )
    assert isinstance(Planted(cache, monkeypatch, body).outcome(), TimedOut)


def test_an_exit_is_that_of_its_program(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    outcome = Planted(cache, monkeypatch, "std::process::exit(9);").outcome()
    assert isinstance(outcome, ToolFailed)
