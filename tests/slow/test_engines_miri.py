"""Engine `miri` with a real Miri: verdicts, places, limits, and both ways of calling it."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import msgspec
import pytest

from harness import _native
from harness.bytecode.operands import Width
from harness.bytecode.program import Binary, BinaryOperator, Instruction, Program, WriteConst
from harness.engines import vm_crate
from harness.engines.engine import Job, Observation
from harness.engines.miri import MiriEngine
from harness.engines.miri_command import MAIN_FILE, Way
from harness.mode import EVERY_MODE, MODES, Aliasing, Mode, Provenance, parse_mode
from harness.outcome import (
    FaultKind,
    Outcome,
    Ran,
    TimedOut,
    ToolFailed,
    UndefinedBehaviour,
    Unsupported,
    UnsupportedKind,
)
from harness.pointer import program as p
from harness.reference import vm as reference
from harness.resources import rust_vm_dir
from harness.result import Form
from harness.toolchain.command import Command
from harness.toolchain.environment import clean_environment
from harness.toolchain.miri import TOOLCHAIN_VARIABLE, mode_flags
from harness.toolchain.process import MEBIBYTE, Launcher, Limits
from harness.verdict import differences

ADD = BinaryOperator.ADD

pytestmark = [
    pytest.mark.slow,
    pytest.mark.miri,
]

U8, U16 = Width.U8, Width.U16
STACKED_STRICT = parse_mode("stacked-strict")
STACKED_PERMISSIVE = parse_mode("stacked-permissive")
TREE_STRICT = parse_mode("tree-strict")
NONE_STRICT = parse_mode("none-strict")

DEFINED_VARIANTS = ("cell", "cell-slice", "index", "raw", "slice-ptr", "wrapped")


def bytecode(*instructions: Instruction, memory: bytes = bytes(range(16))) -> Program:
    return Program(instructions=instructions, memory=memory)


THREAD = bytecode(
    WriteConst(width=U16, addr=2, value=2),
    WriteConst(width=U16, addr=4, value=40),
    Binary(operator=ADD, width=U16, addr_op1=2, addr_op2=4, addr_res=6),
    Binary(operator=ADD, width=U16, addr_op1=6, addr_op2=8, addr_res=0),
)
TRAPPING = bytecode(WriteConst(width=U8, addr=0, value=1), WriteConst(width=U16, addr=15, value=1))


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


def engine(cache: Path, **options: Any) -> MiriEngine:
    return MiriEngine(
        Launcher(),
        toolchain=os.environ[TOOLCHAIN_VARIABLE],
        vm_folder=rust_vm_dir(),
        cache=cache,
        **{"workers": 2, **options},
    )


@pytest.fixture(scope="module")
def miri(cache: Path) -> MiriEngine:
    made = engine(cache)
    assert made.missing() is None
    return made


def run(miri: MiriEngine, *jobs: Job) -> list[Observation]:
    """The observations in the order of the jobs."""
    assert all(miri.refuses(job) is None for job in jobs)
    seen = {(each.job.case, each.job.variant, each.job.mode): each for each in miri.run(jobs)}
    assert len(seen) == len(jobs)
    observations = [seen[job.case, job.variant, job.mode] for job in jobs]
    assert [each.fault for each in observations] == [""] * len(jobs)
    return observations


def in_vm(program: Program, variant: str, mode: Mode, case: str = "case") -> Job:
    return Job(case=case, program=program, variant=variant, form=Form.VM, mode=mode)


# The Rust VM


def test_defined_variants_are_without_undefined_behaviour(miri: MiriEngine) -> None:
    jobs = [in_vm(THREAD, variant, mode) for variant in DEFINED_VARIANTS for mode in MODES]
    assert {each.outcome.name for each in run(miri, *jobs)} == {"ran"}
    assert [each.outcome for each in run(miri, *jobs[:6])] == [reference.run(THREAD)] * 6


def test_a_trap_is_found_before_any_memory_is_touched(miri: MiriEngine) -> None:
    jobs = [in_vm(TRAPPING, variant, STACKED_STRICT) for variant in _native.variants()]
    for each in run(miri, *jobs):
        assert not differences(wanted=reference.run(TRAPPING), seen=each.outcome)


def test_reborrow_fails_at_the_first_use_of_an_older_pointer(miri: MiriEngine) -> None:
    [seen] = run(miri, in_vm(THREAD, "reborrow", STACKED_STRICT))
    outcome = seen.outcome
    assert isinstance(outcome, UndefinedBehaviour)
    assert outcome.kind is FaultKind.ALIASING
    assert (outcome.location.instruction, outcome.location.operand) == (0, "addr")
    for place in (outcome.location, outcome.created, outcome.invalidated):
        assert place is not None
        assert place.span is not None
        assert "reborrow.rs" in place.span.file


def test_reborrow_without_a_borrow_model_computes_the_right_thing(miri: MiriEngine) -> None:
    [seen] = run(miri, in_vm(THREAD, "reborrow", NONE_STRICT))
    assert seen.outcome == reference.run(THREAD)


def test_exposed_is_unsupported_where_an_integer_becomes_a_pointer(miri: MiriEngine) -> None:
    jobs = [in_vm(THREAD, "exposed", mode) for mode in MODES]
    for each in run(miri, *jobs):
        mode = each.job.mode
        assert mode is not None
        if mode.provenance is Provenance.PERMISSIVE:
            assert each.outcome == reference.run(THREAD)
        else:
            assert isinstance(each.outcome, Unsupported)
            assert each.outcome.kind is UnsupportedKind.INT_TO_PTR
            assert each.outcome.location.instruction == 0
            assert each.outcome.location.operand == "addr"


def test_operands_are_told_apart(miri: MiriEngine) -> None:
    program = bytecode(Binary(operator=ADD, width=U8, addr_op1=0, addr_op2=1, addr_res=2))
    [seen] = run(miri, in_vm(program, "reborrow", STACKED_STRICT))
    outcome = seen.outcome
    assert isinstance(outcome, UndefinedBehaviour)
    assert (outcome.location.instruction, outcome.location.operand) == (0, "addr_op1")


def test_a_program_too_long_for_a_command_line(
    miri: MiriEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vm_crate, "_LONGEST_ARGUMENT", 10)
    [seen] = run(miri, in_vm(THREAD, "raw", STACKED_STRICT))
    assert "--batch" in seen.command
    assert seen.outcome == reference.run(THREAD)


def test_the_command_of_an_observation_repeats_it(miri: MiriEngine) -> None:
    [seen] = run(miri, in_vm(THREAD, "reborrow", STACKED_STRICT))
    done = Launcher().run(Command(argv=("sh", "-c", seen.command)))
    assert done.exit_code == 1
    assert "Undefined Behavior: " in done.errors


def test_a_crate_that_does_not_compile_fails_its_jobs(cache: Path, tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    for path in ("Cargo.toml", "Cargo.lock", "src/main.rs"):
        (tmp_path / path).write_bytes((rust_vm_dir() / path).read_bytes())
    (tmp_path / "src/lib.rs").write_text("pub fn broken() -> u8 { true }")
    broken = MiriEngine(
        Launcher(), toolchain=os.environ[TOOLCHAIN_VARIABLE], vm_folder=tmp_path, cache=cache
    )
    pointer_job = Job(case="other", program=SOUND, mode=STACKED_STRICT)
    failed, other = run(broken, in_vm(THREAD, "raw", STACKED_STRICT), pointer_job)
    assert isinstance(failed.outcome, ToolFailed)
    assert "mismatched types" in failed.outcome.message
    assert other.outcome == Ran(checksum=7)


# Pointer programs

SOUND = p.PointerProgram(
    statements=(
        p.Local(to="x", size=1, init=7),
        p.RawMut(to="q", of="x"),
        p.Read(ptr="q", at=0, width=1),
    )
)

SAMPLE = [
    json.loads(line)
    for line in (Path(__file__).parent.parent / "data" / "miri-verdicts-sample.jsonl")
    .read_text()
    .splitlines()
]


def as_recorded(outcome: Outcome) -> dict[str, object]:
    """The outcome in the form of the recorded ones, without the message."""
    match outcome:
        case Ran(checksum=checksum):
            return {"class": "ran", "checksum": checksum}
        case (
            UndefinedBehaviour(kind=kind, location=location)
            | Unsupported(kind=kind, location=location)
        ):
            path = list(location.path) if location.path else None
            return {"class": outcome.name, "kind": str(kind), "at": path}
        case _:
            return {"class": outcome.name, "message": getattr(outcome, "message", "")}


@pytest.mark.parametrize("mode", MODES, ids=str)
def test_verdicts_kinds_and_places_are_as_recorded(miri: MiriEngine, mode: Mode) -> None:
    jobs = [
        Job(
            case=each["id"],
            program=msgspec.convert({"statements": each["program"]}, p.PointerProgram),
            mode=mode,
        )
        for each in SAMPLE
    ]
    wrong = {}
    for recorded, seen in zip(SAMPLE, run(miri, *jobs), strict=True):
        wanted = dict(recorded["expected"][str(mode)])
        wanted.pop("message", None)
        found = as_recorded(seen.outcome)
        if wanted["class"] == "ran" and wanted["checksum"] is None:
            found["checksum"] = None
        if wanted != found:
            wrong[recorded["id"]] = (wanted, found)
    assert wrong == {}


def test_where_a_tag_was_made_and_where_it_died(miri: MiriEngine) -> None:
    program = p.PointerProgram(
        statements=(
            p.Local(to="x", size=1, init=7),
            p.RefMut(to="a", of="x"),
            p.RefMut(to="b", of="x"),
            p.Write(ptr="a", at=0, width=1, value=1),
        )
    )
    [seen] = run(miri, Job(case="a", program=program, mode=STACKED_STRICT))
    outcome = seen.outcome
    assert isinstance(outcome, UndefinedBehaviour)
    assert outcome.created is not None
    assert outcome.invalidated is not None
    assert (outcome.created.path, outcome.invalidated.path) == ((1,), (2,))
    assert outcome.location.path == (3,)
    assert outcome.location.span is not None
    assert outcome.location.span.file == MAIN_FILE


def test_the_final_memory_of_a_lowered_program(miri: MiriEngine) -> None:
    program = p.PointerProgram(
        statements=(
            p.Local(to="x", size=3, init="010203"),
            p.RawMut(to="q", of="x"),
            p.Write(ptr="q", at=1, width=1, value=255),
        ),
        result="q",
    )
    job = Job(case="a", program=program, variant="raw", form=Form.UNROLLED, mode=STACKED_STRICT)
    [seen] = run(miri, job)
    assert seen.outcome == Ran(checksum=0, memory=b"\x01\xff\x03")


def test_memory_that_is_leaked_is_no_fault(miri: MiriEngine) -> None:
    program = p.PointerProgram(statements=(p.Heap(to="h", size=4),))
    [seen] = run(miri, Job(case="a", program=program, mode=STACKED_STRICT))
    assert seen.outcome == Ran(checksum=0)


def test_a_program_that_does_not_compile(miri: MiriEngine) -> None:
    program = p.PointerProgram(statements=(p.Local(to="x", size=1 << 62, init=None),))
    [seen] = run(miri, Job(case="a", program=program, mode=STACKED_STRICT))
    assert isinstance(seen.outcome, ToolFailed)
    assert "too big" in seen.outcome.message


def test_implicit_writes_where_this_miri_knows_them(miri: MiriEngine) -> None:
    for mode in EVERY_MODE:
        job = Job(case="a", program=SOUND, mode=mode)
        if mode.aliasing is Aliasing.TREE_WRITES and not miri.toolchain.has_implicit_writes:
            assert "implicit-writes" in (miri.refuses(job) or "")
        else:
            assert miri.refuses(job) is None
            assert run(miri, job)[0].outcome == Ran(checksum=7)


def test_the_verdict_does_not_depend_on_the_collector_of_tags(
    miri: MiriEngine, tmp_path: Path
) -> None:
    # With its default of one collection in 10,000 blocks, Miri finds nothing wrong here.
    (tmp_path / "main.rs").write_text(
        "fn main() {\n"
        "    let mut array = [0u8; 1];\n"
        "    let slice = &mut array[..];\n"
        "    let pointer = slice.as_mut_ptr();\n"
        "    for _ in 0..20000 {}\n"
        "    slice.fill(2);\n"
        "    unsafe { pointer.write(1) };\n"
        "}\n"
    )
    found = miri.miri()
    command = Command(
        argv=(
            *(str(found.toolchain.driver), "--sysroot", str(found.sysroot)),
            *("--edition", "2024", *mode_flags(STACKED_STRICT), "main.rs"),
        ),
        cwd=tmp_path,
        environment=clean_environment(),
    )
    done = Launcher().run(command, limits=Limits(seconds=120))
    assert "Undefined Behavior: attempting a write access" in done.errors


# Ways and limits


def test_cargo_and_the_driver_agree(miri: MiriEngine, cache: Path) -> None:
    by_cargo = engine(cache, way=Way.CARGO)
    jobs = [
        *(in_vm(THREAD, variant, STACKED_STRICT) for variant in ("raw", "reborrow", "exposed")),
        Job(case="sound", program=SOUND, mode=TREE_STRICT),
        *(
            Job(
                case=each["id"],
                program=msgspec.convert({"statements": each["program"]}, p.PointerProgram),
                mode=STACKED_PERMISSIVE,
            )
            for each in SAMPLE[:6]
        ),
    ]
    for one, other in zip(run(miri, *jobs), run(by_cargo, *jobs), strict=True):
        assert one.job == other.job
        assert type(one.outcome) is type(other.outcome)
        if isinstance(one.outcome, UndefinedBehaviour | Unsupported):
            assert isinstance(other.outcome, UndefinedBehaviour | Unsupported)
            assert one.outcome.kind == other.outcome.kind
            assert one.outcome.location == other.outcome.location
        else:
            assert one.outcome == other.outcome
        assert "cargo" in other.command
        assert "cargo" not in one.command.partition("miri")[0]


def test_a_run_that_takes_too_long_is_timed_out(cache: Path) -> None:
    hasty = engine(cache, limits=Limits(seconds=0.001))
    [seen] = run(hasty, Job(case="a", program=SOUND, mode=STACKED_STRICT))
    assert isinstance(seen.outcome, TimedOut)


def test_a_run_that_takes_too_much_memory_is_timed_out(cache: Path) -> None:
    narrow = engine(cache, limits=Limits(seconds=60, memory=MEBIBYTE))
    size = 30_000_000
    program = p.PointerProgram(
        statements=(
            p.Local(to="x", size=size, init=0),
            p.RawMut(to="q", of="x"),
            p.Local(to="y", size=size, init=0),
            p.RawMut(to="r", of="y"),
            p.Copy(from_="q", to_ptr="r", size=size, overlapping=False),
        )
    )
    [seen] = run(narrow, Job(case="a", program=program, mode=STACKED_STRICT))
    assert isinstance(seen.outcome, TimedOut)
    assert "of memory in use" in seen.outcome.message


def test_a_toolchain_that_there_is_not(cache: Path) -> None:
    absent = MiriEngine(
        Launcher(), toolchain="no-such-toolchain", vm_folder=rust_vm_dir(), cache=cache
    )
    missing = absent.missing()
    assert missing is not None
    assert "no-such-toolchain" in missing.message
    assert missing.remedy.startswith("rustup toolchain install nightly")


def test_seeds_decide_addresses(miri: MiriEngine) -> None:
    program = p.PointerProgram(
        statements=(
            p.Local(to="x", size=1, init=7),
            p.RawMut(to="q", of="x"),
            p.Addr(to="i", of="q"),
            p.Local(to="y", size=8, init=0),
            p.RawMut(to="r", of="y"),
            p.Write(ptr="r", at=0, width=8, value="i"),
            p.Read(ptr="r", at=0, width=8),
        )
    )
    checksums = set()
    for seed in (0, 0, 1, 2):
        [seen] = run(miri, Job(case="a", program=program, mode=STACKED_STRICT, seed=seed))
        assert isinstance(seen.outcome, Ran)
        checksums.add(seen.outcome.checksum)
    assert len(checksums) == 3
