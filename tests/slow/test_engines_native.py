"""Engine `native` with a real cargo: what it builds, what it runs, and what goes wrong."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from pathlib import Path

import pytest

from harness.bytecode.operands import Width
from harness.bytecode.program import Binary, BinaryOperator, Instruction, Program, WriteConst
from harness.engines import native_crate
from harness.engines.engine import Job, Observation
from harness.engines.in_process import InProcessEngine
from harness.engines.miri_items import MAINS
from harness.engines.native import NativeEngine
from harness.errors import MissingTool
from harness.lowering.variants import VARIANTS
from harness.mode import MODES
from harness.outcome import Ran, ToolFailed
from harness.pointer import program as p
from harness.reference import vm as reference
from harness.resources import rust_vm_dir
from harness.result import Form
from harness.toolchain.command import Command
from harness.toolchain.process import Launcher
from harness.verdict import differences

ADD = BinaryOperator.ADD

pytestmark = pytest.mark.slow

U8, U16 = Width.U8, Width.U16

DEFINED_VARIANTS = sorted(name for name, variant in VARIANTS.items() if variant.sound)


def bytecode(*instructions: Instruction, memory: bytes = bytes(range(16))) -> Program:
    return Program(instructions=instructions, memory=memory)


PROGRAMS = {
    "thread": bytecode(
        WriteConst(width=U16, addr=2, value=2),
        WriteConst(width=U16, addr=4, value=40),
        Binary(operator=ADD, width=U16, addr_op1=2, addr_op2=4, addr_res=6),
        Binary(operator=ADD, width=U16, addr_op1=6, addr_op2=8, addr_res=0),
    ),
    "wraps": bytecode(
        WriteConst(width=U8, addr=0, value=200),
        Binary(operator=ADD, width=U8, addr_op1=0, addr_op2=0, addr_res=15),
    ),
    "empty": bytecode(memory=b""),
    "out of bounds": bytecode(WriteConst(width=U16, addr=15, value=1)),
    "misaligned": bytecode(
        WriteConst(width=U8, addr=0, value=1),
        Binary(operator=ADD, width=U16, addr_op1=0, addr_op2=3, addr_res=0),
    ),
    "large memory": bytecode(WriteConst(width=U8, addr=99_999, value=7), memory=bytes(100_000)),
}


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


class Native:
    """The engine, and the commands that it started."""

    def __init__(self, cache: Path) -> None:
        self.echoed: list[str] = []
        self.launcher = Launcher(echo=self.echoed.append)
        self.engine = NativeEngine(self.launcher, vm_folder=rust_vm_dir(), cache=cache)

    def run(self, *jobs: Job) -> dict[str, Observation]:
        seen = list(self.engine.run(jobs))
        assert sorted(each.job.case for each in seen) == sorted(job.case for job in jobs)
        return {each.job.case: each for each in seen}

    @property
    def builds(self) -> int:
        return sum("cargo build" in line for line in self.echoed)


@pytest.fixture
def native(cache: Path) -> Native:
    return Native(cache)


def jobs_in_vm() -> Iterator[tuple[Job, Program]]:
    for name, program in PROGRAMS.items():
        for variant in DEFINED_VARIANTS:
            case = f"{name}/{variant}"
            yield Job(case=case, program=program, variant=variant, form=Form.VM), program


def test_every_defined_variant_agrees_with_the_reference(native: Native) -> None:
    jobs = dict(jobs_in_vm_by_case())
    seen = native.run(*(job for job, _ in jobs.values()))
    for case, (_, program) in jobs.items():
        assert not differences(wanted=reference.run(program), seen=seen[case].outcome)
    assert native.builds <= 1


def jobs_in_vm_by_case() -> Iterator[tuple[str, tuple[Job, Program]]]:
    for job, program in jobs_in_vm():
        yield job.case, (job, program)


def test_in_process_agrees_with_the_reference() -> None:
    engine = InProcessEngine()
    for job, program in jobs_in_vm():
        assert engine.refuses(job) is None
        [seen] = engine.run([job])
        assert not differences(wanted=reference.run(program), seen=seen.outcome)


def test_a_second_run_builds_nothing(cache: Path) -> None:
    job = Job(case="a", program=PROGRAMS["thread"], variant="raw", form=Form.VM)
    Native(cache).run(job)
    again = Native(cache)
    assert again.run(job)["a"].outcome == reference.run(PROGRAMS["thread"])
    assert again.builds == 0


def test_the_command_of_an_observation_repeats_it(native: Native) -> None:
    job = Job(case="a", program=PROGRAMS["thread"], variant="raw", form=Form.VM)
    command = native.run(job)["a"].command
    done = Launcher().run(Command(argv=("sh", "-c", command)))
    assert done.output == "ran 4 3209020028002a0008090a0b0c0d0e0f\n"


def test_a_variant_that_there_is_not_is_named(native: Native) -> None:
    seen = native.run(Job(case="a", program=PROGRAMS["empty"], variant="none", form=Form.VM))
    outcome = seen["a"].outcome
    assert isinstance(outcome, ToolFailed)
    assert 'there is no variant "none"' in outcome.message


def test_modes_are_refused(native: Native) -> None:
    job = Job(case="a", program=PROGRAMS["empty"], variant="raw", form=Form.VM, mode=MODES[0])
    assert native.engine.refuses(job)


# Generated crates


def pointer(*statements: p.AnyStatement, result: str | None = None) -> p.PointerProgram:
    return p.PointerProgram(statements=statements, result=result)


def reads(value: int) -> p.PointerProgram:
    return pointer(
        p.Local(to="x", size=2, init=value),
        p.RawMut(to="q", of="x"),
        p.Read(ptr="q", at=0, width=1),
        p.Read(ptr="q", at=1, width=1),
    )


# More than any address space has: rustc says so at this line.
TOO_LARGE = pointer(p.Local(to="x", size=1 << 62, init=None))

# A write to address 1, which no process has: the process dies.
DIES = pointer(
    p.Int(to="i", value=1),
    p.Transmute(to="q", int_="i", offset=0, size=1),
    p.Write(ptr="q", at=0, width=1, value=0),
)


def test_pointer_programs_are_built_together_and_checked_apart(native: Native) -> None:
    jobs = [Job(case=str(value), program=reads(value)) for value in range(50)]
    seen = native.run(*jobs)
    for value in range(50):
        assert seen[str(value)].outcome == Ran(checksum=value * 31 + value)
    assert native.builds == 1


def test_each_variant_has_a_process_and_cargo_is_called_once(native: Native) -> None:
    jobs = [
        Job(case=f"{variant}", program=reads(number), variant=variant, form=Form.UNROLLED)
        for number, variant in enumerate(("raw", "cell", "index"), start=100)
    ]
    seen = native.run(*jobs)
    assert [seen[job.case].outcome for job in jobs] == [
        Ran(checksum=number * 32) for number in (100, 101, 102)
    ]
    assert native.builds == 1
    (binary,) = {seen[job.case].command.split()[0] for job in jobs}
    assert sum(binary in line for line in native.echoed) == 3


@pytest.mark.parametrize(
    ("size", "binaries"), [(1, [4, 2, 1]), (5, [4, 3]), (6, [6, 1]), (100, [7])]
)
def test_a_binary_holds_whole_variants(size: int, binaries: list[int]) -> None:
    names = ("raw", "cell", "raw", "index", "raw", "cell", "raw")
    jobs = [
        Job(case=str(number), program=reads(number), variant=name, form=Form.UNROLLED)
        for number, name in enumerate(names)
    ]
    groups = native_crate._group(jobs, size)
    assert [len(group) for group in groups] == binaries
    assert sorted(job.case for group in groups for job in group) == [job.case for job in jobs]
    for one, other in combinations(groups, 2):
        assert not {job.variant for job in one} & {job.variant for job in other}


def test_the_result_is_the_final_memory(native: Native) -> None:
    program = pointer(
        p.Local(to="x", size=3, init="010203"),
        p.RawMut(to="q", of="x"),
        p.Write(ptr="q", at=1, width=1, value=255),
        result="q",
    )
    seen = native.run(Job(case="a", program=program, variant="raw", form=Form.UNROLLED))
    assert seen["a"].outcome == Ran(checksum=0, memory=b"\x01\xff\x03")


def test_a_program_that_does_not_compile_costs_the_others_nothing(native: Native) -> None:
    jobs = [
        Job(case="before", program=reads(1), variant="raw", form=Form.UNROLLED),
        Job(case="bad", program=TOO_LARGE, variant="raw", form=Form.UNROLLED),
        Job(case="after", program=reads(2), variant="raw", form=Form.UNROLLED),
        Job(case="elsewhere", program=reads(3), variant="cell", form=Form.UNROLLED),
    ]
    seen = native.run(*jobs)
    bad = seen["bad"].outcome
    assert isinstance(bad, ToolFailed)
    assert "too big" in bad.message
    assert "cargo build" in seen["bad"].command
    for case, value in (("before", 1), ("after", 2), ("elsewhere", 3)):
        assert seen[case].outcome == Ran(checksum=value * 32)
    assert native.builds == 2


def test_a_program_that_dies_costs_the_others_nothing(native: Native) -> None:
    jobs = [
        Job(case="before", program=reads(1)),
        Job(case="dies", program=DIES),
        Job(case="after", program=reads(2)),
    ]
    seen = native.run(*jobs)
    dead = seen["dies"].outcome
    assert isinstance(dead, ToolFailed)
    assert "SIGSEGV" in dead.message
    assert seen["before"].outcome == Ran(checksum=32)
    assert seen["after"].outcome == Ran(checksum=64)


def test_an_error_that_is_nobody_s_line_is_found_by_halving(
    native: Native, monkeypatch: pytest.MonkeyPatch
) -> None:
    from harness.pointer.rust import RustSource, write

    def write_without_lines(programs: list[p.PointerProgram]) -> RustSource:
        return RustSource(text=write(programs).text, lines={})

    monkeypatch.setattr(native_crate, "write", write_without_lines)
    jobs = [Job(case=str(value), program=reads(value)) for value in range(3)]
    seen = native.run(*jobs, Job(case="bad", program=TOO_LARGE))
    assert isinstance(seen["bad"].outcome, ToolFailed)
    for value in range(3):
        assert seen[str(value)].outcome == Ran(checksum=value * 32)


def test_what_miri_interprets_fits_the_vm(tmp_path: Path) -> None:
    """Miri's batches fall back to plain runs where their program does not compile."""
    vm = f"{tmp_path}/libharness_vm.rmeta"
    # The table of variants is the VM's own, or that of a user's crate.
    externs = ("--extern", f"harness_vm={vm}", "--extern", f"variants={vm}")
    for argv in (
        ("--crate-type", "lib", "--crate-name", "harness_vm", str(rust_vm_dir() / "src/lib.rs")),
        (*externs, str(MAINS / "vm_main.rs")),
    ):
        rustc = ("rustc", "--edition", "2024", "--emit", "metadata", "--out-dir", str(tmp_path))
        done = Launcher().run(Command(argv=(*rustc, *argv)))
        assert done.succeeded, done.errors


def test_without_cargo_nothing_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    engine = Native(tmp_path).engine
    missing = engine.missing()
    assert missing is not None
    assert missing.message == "rustc is not installed, or not on PATH"
    with pytest.raises(MissingTool):
        list(engine.run([Job(case="a", program=reads(1))]))


def test_a_linker_that_is_missing_is_nobody_s_fault(
    native: Native, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "cargo-home"
    home.mkdir()
    (home / "config.toml").write_text('[build]\nrustflags = ["-Clinker=no-such-linker"]\n')
    cargo_bin = Path.home() / ".cargo" / "bin"
    monkeypatch.setenv("CARGO_HOME", str(home))
    monkeypatch.setenv("RUSTUP_HOME", str(Path.home() / ".rustup"))
    monkeypatch.setenv("PATH", f"{cargo_bin}:/usr/bin:/bin")
    seen = native.run(*(Job(case=str(value), program=reads(value + 200)) for value in range(4)))
    for each in seen.values():
        assert isinstance(each.outcome, ToolFailed)
        assert "linker `no-such-linker` not found" in each.outcome.message
    assert native.builds == 1
