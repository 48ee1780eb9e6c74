"""What soundness costs: the time that an instruction takes in each variant, natively.

All variants take turns in one run, each in a process of its own, since one that is not sound may
spoil what comes after it. A program is measured whole and with a step limit of one; the
difference is its instructions, without making ready and compiling.
"""

from __future__ import annotations

import random
import statistics
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from harness.bytecode.wire import encode
from harness.cases.case import BytecodeCase, Case
from harness.engines.vm_crate import VM_PACKAGE
from harness.errors import HarnessFault
from harness.evidence.digests import rust_vm
from harness.lowering.variants import VARIANTS, Variant
from harness.outcome import Ran
from harness.reference import vm as reference_vm
from harness.toolchain.cargo import BuildFailed, build
from harness.toolchain.cargo_metadata import toml_string
from harness.toolchain.command import Command
from harness.toolchain.environment import clean_environment
from harness.toolchain.process import Launcher, Limits
from harness.toolchain.rust import Compiler

BASELINE = "index"
"""Safe indexing, which is 1.0."""

LEAST_STEPS = 50
"""Instructions that a program executes at least: of shorter ones, hardly more than compiling."""

_BINARY = "vm-speed"
_MAIN = Path(__file__).parent / "vm_speed" / "main.rs"

_MANIFEST = """\
[package]
name = "{binary}"
version = "0.0.0"
edition = "2024"
publish = false

[dependencies]
{vm} = {{ path = {folder} }}

[workspace]
"""

_LIMITS = Limits(seconds=600.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """A variant in a program. nanoseconds: of an instruction, in each round."""

    variant: str
    case: str
    steps: int
    nanoseconds: tuple[float, ...]

    @property
    def best(self) -> float:
        """That of the least disturbed round."""
        return min(self.nanoseconds)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What a variant costs over all programs, beside safe indexing.

    nanoseconds: of an instruction, the geometric mean. ratio: the geometric mean of those of the
    programs, which lie between `least` and `most`. wrong: programs in which it does not compute
    what the reference does; they are in none of the numbers.
    """

    variant: Variant
    nanoseconds: float
    ratio: float
    least: float
    most: float
    programs: int
    wrong: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class VmBench:
    """vm_folder: the crate of the Rust VM. rounds: how often each variant has its turn."""

    launcher: Launcher
    compiler: Compiler
    vm_folder: Path
    cache: Path
    rounds: int

    def measure(
        self, cases: Sequence[BytecodeCase], variants: Sequence[str]
    ) -> tuple[list[Measured], list[tuple[str, str]]]:
        """Each variant in each program that it can run, and where one computes wrongly."""
        executable = self._build()
        ends = {case.id: _end(case) for case in cases}
        samples: dict[tuple[str, str], list[float]] = {}
        wrong: dict[tuple[str, str], None] = {}
        order = list(variants)
        turns = random.Random(0)
        for _ in range(self.rounds):
            # Whatever disturbs the machine for a while disturbs others the next time.
            turns.shuffle(order)
            for variant in order:
                for case, nanoseconds in self._turn(executable, variant, cases, ends):
                    key = variant, case.id
                    if nanoseconds is None:
                        wrong[key] = None
                    elif nanoseconds > 0:
                        # Else a disturbance was longer than all instructions.
                        samples.setdefault(key, []).append(nanoseconds)
        measured = [
            Measured(
                variant=variant, case=case, steps=ends[case].steps or 0, nanoseconds=tuple(found)
            )
            for (variant, case), found in samples.items()
            if (variant, case) not in wrong
        ]
        return measured, list(wrong)

    def _turn(
        self,
        executable: Path,
        variant: str,
        cases: Sequence[BytecodeCase],
        ends: Mapping[str, Ran],
    ) -> Iterator[tuple[BytecodeCase, float | None]]:
        """The nanoseconds of an instruction in every program; None where it computes wrongly."""
        row = VARIANTS[variant]
        fitting = [case for case in cases if row.tells(case.program)]
        lines = [
            f"{variant} {encode(program).hex()}\n"
            for case in fitting
            for program in (case.program, replace(case.program, step_limit=1))
        ]
        command = Command(argv=(str(executable),), environment=clean_environment())
        done = self.launcher.run(command, stdin="".join(lines).encode(), limits=_LIMITS)
        said = done.output.splitlines()
        if len(said) < len(lines) and row.sound:
            raise HarnessFault(f"{variant}: {done.describe_ending()}: {done.errors[-500:]}")
        for number, case in enumerate(fitting):
            pair = said[2 * number : 2 * number + 2]
            yield case, _of_instruction(ends[case.id], *pair) if len(pair) == 2 else None

    def _build(self) -> Path:
        folder = str(self.vm_folder.resolve())
        manifest = _MANIFEST.format(binary=_BINARY, vm=VM_PACKAGE, folder=toml_string(folder))
        files = {
            "Cargo.toml": manifest.encode(),
            "src/main.rs": _MAIN.read_bytes(),
            "sources": rust_vm(self.vm_folder).encode(),
        }
        built = build(self.launcher, files, self.compiler, self.cache)
        if isinstance(built, BuildFailed):
            raise HarnessFault(f"{built.message}\n  {built.command}")
        return built.executables[_BINARY]


def _of_instruction(expected: Ran, whole: str, ready: str) -> float | None:
    nanoseconds, steps, memory = (*whole.split(" "), "")[:3]
    assert expected.memory is not None
    if (int(steps), memory) != (expected.steps, expected.memory.hex()):
        return None
    more = float(nanoseconds) - float(ready.split(" ")[0])
    return more / (int(steps) - 1)


def _end(case: BytecodeCase) -> Ran:
    outcome = reference_vm.run(case.program)
    assert isinstance(outcome, Ran), "only what comes to its end is measured"
    return outcome


def _is_long(case: BytecodeCase) -> bool:
    outcome = reference_vm.run(case.program)
    return isinstance(outcome, Ran) and (outcome.steps or 0) >= LEAST_STEPS


def worth_measuring(cases: Iterable[Case]) -> list[BytecodeCase]:
    """The bytecode cases that come to their end after many instructions."""
    return [case for case in cases if isinstance(case, BytecodeCase) and _is_long(case)]


def costs(
    measured: Iterable[Measured], wrong: Iterable[tuple[str, str]], variants: Sequence[str]
) -> list[Cost]:
    """Every variant beside safe indexing, over the programs that both were measured in.

    variants: in the order wanted; those that share no program with it are left out.
    """
    best = {(each.variant, each.case): each.best for each in measured}
    wrong = list(wrong)
    found = []
    for variant in variants:
        shared = {
            case: nanoseconds / best[BASELINE, case]
            for (name, case), nanoseconds in best.items()
            if name == variant and (BASELINE, case) in best
        }
        if not shared:
            continue
        found.append(
            Cost(
                variant=VARIANTS[variant],
                nanoseconds=statistics.geometric_mean(best[variant, case] for case in shared),
                ratio=statistics.geometric_mean(shared.values()),
                least=min(shared.values()),
                most=max(shared.values()),
                programs=len(shared),
                wrong=tuple(case for name, case in wrong if name == variant),
            )
        )
    return found


def noise(measured: Iterable[Measured]) -> float:
    """How far a round of the baseline is from its best, in the middle: 0.05 is 5 percent."""
    return statistics.median(
        each / row.best - 1
        for row in measured
        if row.variant == BASELINE
        for each in row.nanoseconds
    )
