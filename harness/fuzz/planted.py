"""Planted faults: found by random programs, shrunk, and seen again, with the figures.

A fault in a copy of the abstract machine disagrees with the machine as it is; a fault in a copy
of the Rust VM disagrees, compiled, with the reference VM.
"""

from __future__ import annotations

import random
import time
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from harness.campaign.assemble import assemble
from harness.campaign.oracle import Predict, predict_by
from harness.campaign.selection import Selection
from harness.engines.native import NativeEngine
from harness.engines.vm_crate import vm_files
from harness.errors import HarnessFault
from harness.fuzz.random_bytecode import generate_bytecode
from harness.mode import MODES, Mode
from harness.model.machine import examine
from harness.mutation.catalogue import mutants
from harness.mutation.check import altered
from harness.pointer.generator import generate
from harness.reduce.languages import POINTER
from harness.reduce.reduction import reduce
from harness.reduce.search import Search
from harness.reduce.sides import Sides
from harness.reduce.symptom import Symptom, sight
from harness.reference import vm as reference_vm
from harness.repro.choice import tool_for
from harness.repro.reproducer import NotReproduced, Wanted, reproduce_in_vm
from harness.repro.vm_project import project_files, result_line, write_main
from harness.result import EngineName, Form, Verdict
from harness.toolchain.workspace import stage

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from harness.bytecode.program import Program
    from harness.fuzz.settings import Settings
    from harness.mutation.altered_model import Model
    from harness.pointer.program import PointerProgram
    from harness.toolchain.process import Launcher

PROJECT = "planted"
"""The folder of a reproducer, in words."""

MOST_PROGRAMS = 4000
"""After so many programs a fault counts as not found."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Caught:
    """What became of a planted fault.

    programs, seconds: until it was found. tries, batches: until it was shrunk. size: of what it
    was shrunk to. confirmed: whether its reproducer shows it; None where nothing could run it.
    """

    name: str
    programs: int
    seconds: float
    tries: int = 0
    batches: int = 0
    size: int | None = None
    confirmed: bool | None = None


def table() -> dict[str, Any]:
    """The planted faults."""
    return tomllib.loads(files("harness.fuzz").joinpath("planted.toml").read_text("utf-8"))


# In the abstract machine


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFault:
    """A program for which the altered machine and the real one say different things."""

    program: PointerProgram
    mode: Mode
    altered: Model


@dataclass(frozen=True, slots=True)
class _TwoModels:
    """Judges by what both machines say: the same sights, and the same rules."""

    fault: ModelFault
    wanted: tuple[object, ...]

    def rules_out(self, program: PointerProgram) -> bool:
        return says(self.fault, program) != self.wanted

    def fail_alike(self, programs: Sequence[PointerProgram]) -> list[bool]:
        return [True] * len(programs)


def says(fault: ModelFault, program: PointerProgram) -> tuple[object, ...]:
    """What the altered machine and the real one say of a program."""
    found = (each(program, fault.mode) for each in (fault.altered.examine, examine))
    return tuple((sight(judgement.outcome), judgement.rule) for judgement in found)


def hunt_model_faults(
    names: Sequence[str],
    settings: Settings,
    confirm: Callable[[PointerProgram, Mode, Model], bool | None],
    most: int = MOST_PROGRAMS,
) -> Iterator[Caught]:
    """Find each fault, shrink it, and confirm what came of it.

    confirm: whether a reproducer of the program shows what the altered machine gets wrong.
    """
    by_name = {mutant.name: mutant for mutant in mutants()}
    for name in names:
        if name not in by_name:
            raise HarnessFault(f"planted.toml: there is no mutant {name!r}")
        model = altered(by_name[name])
        began = time.monotonic()
        fault, programs = _first_model_fault(model, settings, most)
        seconds = time.monotonic() - began
        if fault is None:
            yield Caught(name=name, programs=programs, seconds=seconds)
            continue
        judge = _TwoModels(fault, says(fault, fault.program))
        search = Search(POINTER, judge, lambda program, step: None)
        reduced = search.reduce(fault.program)
        yield Caught(
            name=name,
            programs=programs,
            seconds=seconds,
            tries=search.tally.tries,
            batches=search.tally.batches,
            size=POINTER.size(reduced),
            confirmed=confirm(reduced, fault.mode, model),
        )


def _first_model_fault(
    model: Model, settings: Settings, most: int
) -> tuple[ModelFault | None, int]:
    for number in range(most):
        program = generate(random.Random(f"planted {number}"), settings.length)
        for mode in MODES:
            fault = ModelFault(program=program, mode=mode, altered=model)
            mine, real = says(fault, program)
            if mine[0] != real[0]:  # type: ignore[index]
                return fault, number + 1
    return None, most


def altered_prediction(model: Model) -> Predict:
    return predict_by(model.examine, model.missed_by_wildcard)


# In the Rust VM


@dataclass(frozen=True, slots=True, kw_only=True)
class VmFault:
    """name, and a piece of a file of the Rust VM with what stands there instead."""

    name: str
    file: str
    old: str
    new: str
    variant: str

    def plant(self, folder: Path, cache: Path) -> Path:
        """A copy of the Rust VM with the fault. Raises: HarnessFault, if it does not fit."""
        sources = dict(vm_files(folder))
        text = sources[self.file].decode()
        if text.count(self.old) != 1:
            raise HarnessFault(f"{self.file} has {text.count(self.old)} times: {self.old!r}")
        sources[self.file] = text.replace(self.old, self.new).encode()
        return stage(sources, cache / "sources")


def hunt_vm_faults(
    faults: Sequence[VmFault],
    settings: Settings,
    launcher: Launcher,
    *,
    vm_folder: Path,
    cache: Path,
    most: int = MOST_PROGRAMS,
) -> Iterator[Caught]:
    """Compile each wrong VM, find what is wrong with it, and shrink that.

    Confirmed is what a project with the wrong VM shows, and the same with the right one does not.
    """
    selection = Selection(
        engines=(EngineName.NATIVE,), forms=(Form.VM,), toolchain="none", live=True, jobs=1
    )
    base = assemble((), selection).campaign

    def sides(folder: Path) -> Sides:
        engine = NativeEngine(launcher, vm_folder=folder, cache=cache, level=0)
        return Sides(campaign=replace(base, engines=(engine,)))

    for fault in faults:
        folder = fault.plant(vm_folder, cache)
        wrong = sides(folder)
        only = replace(selection, variants=(fault.variant,))
        wrong = replace(wrong, campaign=replace(wrong.campaign, selection=only))
        began = time.monotonic()
        found, symptom, programs = _first_vm_fault(wrong, only, settings, most)
        seconds = time.monotonic() - began
        if found is None or symptom is None:
            yield Caught(name=fault.name, programs=programs, seconds=seconds)
            continue
        reduced = reduce(found, wrong, symptom)
        shown = _Shown(fault.name, reduced.program, fault.variant, symptom)
        yield Caught(
            name=fault.name,
            programs=programs,
            seconds=seconds,
            tries=reduced.tally.tries,
            batches=reduced.tally.batches,
            size=reduced.after,
            confirmed=shown.by(folder) and not shown.by(vm_folder),
        )


def _first_vm_fault(
    sides: Sides, selection: Selection, settings: Settings, most: int
) -> tuple[Program | None, Symptom | None, int]:
    for first in range(0, most, settings.round):
        programs = [
            generate_bytecode(random.Random(f"planted {first + number}"), settings)
            for number in range(settings.round)
        ]
        seen = sides.look(programs, selection)
        for number, (program, results) in enumerate(zip(programs, seen, strict=True)):
            for result, symptom in results:
                if symptom is not None and result.verdict is Verdict.MISMATCH:
                    return program, symptom, first + number + 1
    return None, None, most


@dataclass(frozen=True, slots=True)
class _Shown:
    """What a reproducer has to show: a cargo project of the program, compiled."""

    name: str
    program: Any
    variant: str
    symptom: Symptom

    def by(self, vm_folder: Path) -> bool:
        """Whether the project with that VM shows it. Raises: MissingTool."""
        reference = reference_vm.run(self.program)
        wanted = Wanted(
            case=self.name,
            mode=None,
            expected=reference,
            rule=None,
            seen=self.symptom.seen,
            disagrees=True,
            printed=result_line(reference),
        )
        tool, unchecked = tool_for(None, "", level=0)
        assert not unchecked, "there is a compiler, since it compiled the VM"
        try:
            reproduce_in_vm(
                write_main(self.program, self.variant, None, None),
                wanted,
                tool,
                files=lambda text: project_files(text, None, vm_folder=vm_folder),
                command=tool.project_command(PROJECT),
            )
        except NotReproduced:
            return False
        return True
