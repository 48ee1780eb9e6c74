"""The Rust of pointer programs, compiled by a real cargo, run natively and under Miri."""

from __future__ import annotations

import json
import lzma
import os
import random
import subprocess
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from harness.campaign.plan import variants_of
from harness.campaign.way import way_of
from harness.cases.case import BytecodeCase
from harness.cases.load import load
from harness.engines.engine import Job
from harness.engines.miri import MiriEngine
from harness.engines.miri_batch import MiriBatchEngine
from harness.engines.result_line import read_pointer_result
from harness.lowering.lowered import Lowered
from harness.lowering.variants import VARIANTS, lower
from harness.mode import MODES, Mode, Provenance
from harness.outcome import Outcome, Ran, Trapped, UndefinedBehaviour, Unsupported
from harness.pointer import program as p
from harness.pointer.generator import generate
from harness.pointer.jsonl import Entry, read_set
from harness.pointer.rust import write, write_library
from harness.reference import vm as reference_vm
from harness.resources import rust_vm_dir
from harness.result import Form
from harness.toolchain.miri import TOOLCHAIN_VARIABLE
from harness.toolchain.process import Launcher

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
SETS = ROOT / "tests" / "data" / "miri-verdicts"

needs_miri = [
    pytest.mark.miri,
]


def entries(every: int) -> Iterator[Entry]:
    """Every so-many-th program of the recorded sets."""
    for name in ("short", "long", "extended"):
        lines = lzma.decompress((SETS / f"{name}.jsonl.xz").read_bytes()).splitlines()
        for entry in read_set(f"{name}.jsonl", lines[::every]):
            assert isinstance(entry, Entry)
            yield entry


def cargo(folder: Path, source: str, *command: str) -> None:
    """Make a package of one file in `folder` and have cargo do `command` with it."""
    (folder / "src").mkdir(parents=True, exist_ok=True)
    (folder / "src" / "main.rs").write_text(source)
    manifest = '[package]\nname = "cases"\nversion = "0.0.0"\nedition = "2024"\n[workspace]\n'
    (folder / "Cargo.toml").write_text(manifest)
    done = subprocess.run(
        ["cargo", *command, "--offline", "--quiet"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr[-4000:]


LARGEST_CRATE = 250
"""Programs to a crate: one of many takes a compiler as much memory."""


def run_natively(folder: Path, programs: Sequence[p.PointerProgram]) -> list[Outcome]:
    """What each program comes to in a release build."""
    starts = range(0, len(programs), LARGEST_CRATE)
    crates = (programs[start : start + LARGEST_CRATE] for start in starts)
    return [outcome for crate in crates for outcome in run_crate(folder, crate)]


def run_crate(folder: Path, programs: Sequence[p.PointerProgram]) -> list[Outcome]:
    """As `run_natively`, in one crate."""
    cargo(folder, write(programs).text, "build", "--release")
    done = subprocess.run(
        [folder / "target" / "release" / "cases"],
        input="".join(f"{number}\n" for number in range(len(programs))),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, (done.returncode, done.stderr[-4000:])
    lines = done.stdout.splitlines()
    assert lines[::2] == [f"begin {number}" for number in range(len(programs))]
    return [
        read_pointer_result(line, has_memory=program.result is not None)
        for line, program in zip(lines[1::2], programs, strict=True)
    ]


def ran_everywhere(entry: Entry) -> bool:
    """Whether Miri found nothing, so that compiled code must come to the same."""
    return all(
        isinstance(outcome, Ran)
        for mode, outcome in entry.expected.items()
        if mode.provenance is Provenance.PERMISSIVE
    )


def stores_a_pointer(statements: tuple[p.AnyStatement, ...]) -> bool:
    """Whether pointers get into memory, where a read of their bytes gives other values."""
    return any(
        isinstance(each, p.StorePtr) or (isinstance(each, p.Call) and stores_a_pointer(each.body))
        for each in statements
    )


def test_recorded_programs_compute_the_same_natively(tmp_path: Path) -> None:
    chosen = [
        entry
        for entry in entries(every=6)
        if ran_everywhere(entry) and not stores_a_pointer(entry.program.statements)
    ]
    assert len(chosen) > 300
    outcomes = run_natively(tmp_path, [entry.program for entry in chosen])
    compared = 0
    for entry, outcome in zip(chosen, outcomes, strict=True):
        checksums = {each.checksum for each in entry.expected.values() if isinstance(each, Ran)}
        if checksums != {None}:
            compared += 1
            assert isinstance(outcome, Ran)
            assert {outcome.checksum} == checksums, entry.id
    assert compared > 300


def test_whatever_is_well_formed_compiles(tmp_path: Path) -> None:
    programs = [generate(random.Random(seed), 3 + seed % 30) for seed in range(600)]
    cargo(tmp_path, write(programs).text, "check")


def lints(folder: Path, source: str) -> Counter[str]:
    """How often rustc reports each lint and each error of a library."""
    (folder / "lib.rs").write_text(source.replace("#![allow(warnings)]", ""))
    done = subprocess.run(
        [
            *("rustc", "--edition", "2024", "--crate-type", "lib", "--emit", "metadata"),
            *("--error-format", "json", "lib.rs"),
        ],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    messages = [json.loads(line) for line in done.stderr.splitlines()]
    return Counter(each["code"]["code"] for each in messages if each["code"])


def test_there_are_no_parentheses_for_which_rustc_copies_the_file(tmp_path: Path) -> None:
    """It does so for each pair that is not needed, whatever is allowed."""
    programs = [generate(random.Random(seed), 3 + seed % 30) for seed in range(600)]
    programs += [lowered.program for _, _, lowered in lowered_corpus(every=12)]
    found = lints(tmp_path, write_library(programs).text)
    assert found["unused_parens"] == 0
    # That there was something to see of: of a variable nobody writes to again.
    assert found["unused_mut"] > 100


def lowered_corpus(every: int = 1) -> list[tuple[BytecodeCase, str, Lowered]]:
    """Every so-many-th case of the corpus in every variant."""
    cases = load([ROOT / "corpus" / "bytecode"]).cases[::every]
    return [
        (case, variant, lower(case.program, VARIANTS[variant], way_of(case.program)))
        for case in cases
        if isinstance(case, BytecodeCase)
        for variant in variants_of(case, tuple(VARIANTS))
        if variant is not None
    ]


def same_end(reference: Outcome, outcome: Outcome) -> bool:
    """Whether a lowered program ended as the reference VM did."""
    match reference, outcome:
        case Ran(), Ran():
            return reference.memory == outcome.memory
        case Trapped(), Trapped():
            places = [
                (each.kind, each.location.instruction, each.location.operand, each.memory)
                for each in (reference, outcome)
            ]
            return places[0] == places[1]
    return False


def test_what_breaks_rules_of_aliasing_alone_is_lowered_to_the_same_bytes(tmp_path: Path) -> None:
    """Natively it mostly comes out right, which is no verdict; what is compared is the lowering.

    The sound variants are compared in `test_cli_native.py`.
    """
    lowered = [
        (case, variant, each, reference)
        for case, variant, each in lowered_corpus(every=2)
        if VARIANTS[variant].aliasing and not VARIANTS[variant].sound
        if isinstance(reference := reference_vm.run(case.program), Ran | Trapped)
        if reference.memory is not None
    ]
    assert len({variant for _, variant, *_ in lowered}) >= 2
    assert len(lowered) >= 400
    outcomes = run_natively(tmp_path, [each.program for _, _, each, _ in lowered])
    for (case, variant, _, reference), outcome in zip(lowered, outcomes, strict=True):
        assert same_end(reference, outcome), (case.id, variant, outcome)


# Under Miri


@pytest.fixture(scope="module")
def miri(tmp_path_factory: pytest.TempPathFactory) -> MiriBatchEngine:
    launcher = Launcher()
    plain = MiriEngine(
        launcher,
        toolchain=os.environ[TOOLCHAIN_VARIABLE],
        vm_folder=rust_vm_dir(),
        cache=tmp_path_factory.mktemp("cache"),
        workers=2,
    )
    return MiriBatchEngine(launcher, plain, workers=2)


def summary(outcome: Outcome, *, checksum: bool = True) -> tuple[object, ...]:
    """Class, kind and place, or the checksum."""
    match outcome:
        case Ran():
            return ("ran", outcome.checksum if checksum else None)
        case UndefinedBehaviour() | Unsupported():
            return (outcome.name, outcome.kind, outcome.location.path)
    return (outcome,)


@pytest.mark.usefixtures("miri")
class TestUnderMiri:
    pytestmark = needs_miri

    def test_recorded_verdicts_are_those_of_this_miri(self, miri: MiriBatchEngine) -> None:
        chosen = {entry.id: entry for entry in entries(every=18)}
        jobs = [
            Job(case=entry.id, program=entry.program, mode=mode)
            for entry in chosen.values()
            for mode in MODES
        ]
        assert len(jobs) > 1800
        differing = []
        for seen in miri.run(jobs):
            assert seen.job.mode is not None
            assert isinstance(seen.job.program, p.PointerProgram)
            wanted = chosen[seen.job.case].expected[seen.job.mode]
            known = isinstance(wanted, Ran) and wanted.checksum is not None
            known = known and not stores_a_pointer(seen.job.program.statements)
            if summary(wanted, checksum=known) != summary(seen.outcome, checksum=known):
                differing.append((seen.job.case, str(seen.job.mode), wanted, seen.outcome))
        assert differing == []

    def test_both_forms_of_the_corpus_have_one_verdict(self, miri: MiriBatchEngine) -> None:
        jobs: list[Job] = []
        lowered: dict[tuple[str, str], Lowered] = {}
        for case, variant, low in lowered_corpus(every=5):
            lowered[case.id, variant] = low
            for mode in MODES:
                for form in Form:
                    program = case.program if form is Form.VM else low.program
                    jobs.append(
                        Job(case=case.id, program=program, variant=variant, form=form, mode=mode)
                    )
        seen: dict[tuple[str, str, Mode], dict[Form, Outcome]] = {}
        for each in miri.run(jobs):
            job = each.job
            assert job.variant is not None
            assert job.mode is not None
            assert job.form is not None
            outcome = each.outcome
            if job.form is Form.UNROLLED:
                outcome = lowered[job.case, job.variant].locate(outcome)
            seen.setdefault((job.case, job.variant, job.mode), {})[job.form] = outcome
        assert len(seen) == len(jobs) // 2
        classes: Counter[str] = Counter()
        for key, forms in seen.items():
            vm, unrolled = (in_bytecode(forms[form]) for form in (Form.VM, Form.UNROLLED))
            assert vm == unrolled, (key, forms)
            classes[str(vm[0])] += 1
        assert set(classes) == {"ran", "trapped", "ub", "unsupported"}


def in_bytecode(outcome: Outcome) -> tuple[object, ...]:
    """What both forms must agree on."""
    match outcome:
        case Ran():
            return (outcome.name, outcome.memory)
        case Trapped() | UndefinedBehaviour() | Unsupported():
            location = outcome.location
            return (outcome.name, outcome.kind, location.instruction, location.operand)
    return (outcome,)
