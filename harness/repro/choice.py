"""What a reproducer is made of: the program of a case, what it must show, and what runs it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from harness.bytecode.program import Program
from harness.cases.case import BytecodeCase
from harness.engines.miri import MiriEngine
from harness.errors import InputError
from harness.lowering.variants import VARIANTS
from harness.mode import MODES
from harness.model.exposed import missed_by_wildcard
from harness.outcome import Location, Ran
from harness.reduce.reduction import choose_symptom, reduce
from harness.reduce.sides import SymptomJudge, as_case
from harness.reduce.symptom import MISSES, predicted_for
from harness.repro.check import Compiled, UnderMiri
from harness.repro.reproducer import NotReproduced, Wanted
from harness.repro.vm_project import result_line
from harness.resources import rust_vm_dir
from harness.result import EngineName, Form, Verdict
from harness.toolchain.environment import cache_folder
from harness.toolchain.missing import Missing
from harness.toolchain.process import Launcher
from harness.toolchain.rust import find_rust

if TYPE_CHECKING:
    from harness.campaign.selection import Selection
    from harness.cases.case import ProgramCase
    from harness.mode import Mode
    from harness.pointer.program import PointerProgram
    from harness.reduce.sides import Sides
    from harness.reduce.symptom import Symptom
    from harness.repro.check import Tool

LEVEL = 3
"""How far compiled code is optimised, where nobody says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Straight:
    """A pointer program: straight-line Rust, in one file."""

    program: PointerProgram
    wanted: Wanted


@dataclass(frozen=True, slots=True, kw_only=True)
class InVm:
    """Bytecode in a variant of the Rust VM, a crate of its own. place: where its fault is."""

    program: Program
    variant: str
    wanted: Wanted
    place: Location | None


def choose(
    case: ProgramCase, sides: Sides, selection: Selection, *, whole: bool
) -> Straight | InVm:
    """What is written out, as small as the fault allows, and what it must show.

    selection: what of the case is looked at. whole: whether the program is left as it is.

    Raises: InputError, if nothing is wrong with it; NotReproduced, if that does not last.
    """
    try:
        symptom = choose_symptom(case.program, sides, selection)
    except InputError as error:
        raise InputError(case.place, error.message, error.remedy) from None
    name, program = case.id, case.program
    if isinstance(case, BytecodeCase):
        assert symptom.variant is not None, "bytecode runs in a variant"
        name = f"{case.id}, variant {symptom.variant}"
        if _runs_in_vm(symptom, selection):
            return _in_vm(f"{name} of the Rust VM", case.program, sides, symptom, whole=whole)
        program = sides.oracle().lowered(case, symptom.variant).program
        symptom = replace(symptom, variant=None, form=None)
    if not whole:
        program = reduce(program, sides, _cheaper(symptom)).program
    assert not isinstance(program, Program)
    return Straight(program=program, wanted=_wanted(name, program, symptom, sides))


def _runs_in_vm(symptom: Symptom, selection: Selection) -> bool:
    """Whether it takes the VM to show it, and not only what the program is lowered to."""
    known = VARIANTS.get(symptom.variant or "")
    only_there = known is None or not known.unrolled or selection.forms == (Form.VM,)
    return only_there or symptom.form is Form.VM


def _cheaper(symptom: Symptom) -> Symptom:
    """What candidates are judged by: where the sides agree, the model alone finds the smaller
    program, and Miri runs what is written.
    """
    if symptom.verdict is not Verdict.MISMATCH and symptom.mode is not None:
        return replace(symptom, engine=EngineName.MODEL, form=None)
    return symptom


def _in_vm(name: str, program: Program, sides: Sides, symptom: Symptom, *, whole: bool) -> InVm:
    if not whole:
        judged = _cheaper(symptom)
        smaller = reduce(program, sides, judged).program
        assert isinstance(smaller, Program)
        program = smaller
    shown = SymptomJudge(sides, symptom).witness(program)
    if shown is None:
        raise NotReproduced(f"{name}: it was there once, and not again: {symptom}")
    assert symptom.variant is not None
    case, oracle = as_case(program, name), sides.oracle()
    predicted = (
        None if symptom.mode is None else oracle.prediction(case, symptom.variant, symptom.mode)
    )
    expected = predicted_for(symptom.verdict, predicted) if predicted else oracle.reference(case)
    owed = oracle.owed(case, symptom.variant)
    assert expected is not None, "bytecode has a reference"
    wanted = Wanted(
        case=name,
        mode=symptom.mode,
        expected=expected,
        rule=symptom.rule,
        seen=symptom.seen,
        disagrees=symptom.disagrees,
        open_question=predicted.open_question if predicted else None,
        printed=None if owed is None else result_line(owed),
    )
    place = getattr(shown.outcome, "location", None)
    return InVm(program=program, variant=symptom.variant, wanted=wanted, place=place)


def _wanted(name: str, program: PointerProgram, symptom: Symptom, sides: Sides) -> Wanted:
    # Compiled code counts only where all permissive modes come to the same defined end.
    mode = symptom.mode or MODES[1]
    prediction = sides.oracle().predicted(as_case(program, name), None, mode)
    expected, printed = predicted_for(symptom.verdict, prediction), None
    assert expected is not None, "what the symptom rests on is there"
    # By which rule the exact reading is undefined, it says itself.
    exact = missed_by_wildcard(program, mode) if symptom.verdict in MISSES else None
    if isinstance(expected, Ran) and expected.checksum is not None:
        memory = "" if expected.memory is None else f" [{expected.memory.hex(',')}]"
        printed = f"{expected.checksum}{memory.replace(',', ', ')}"
    return Wanted(
        case=name,
        mode=symptom.mode,
        expected=expected,
        rule=exact.judgement.rule if exact else prediction.rule,
        seen=symptom.seen,
        disagrees=symptom.disagrees,
        printed=printed,
        open_question=exact.open_question if exact else None,
    )


def tool_for(
    mode: Mode | None, toolchain: str, *, level: int | None = None, leaks: bool = False
) -> tuple[Tool, str]:
    """What the file is run by, and why it cannot be; empty if it can.

    mode: None for compiled code. toolchain: with Miri, by rustup's name. level: at which
    compiled code is optimised. leaks: whether memory that is never given back counts.

    Raises: MissingTool, for compiled code without a compiler.
    """
    launcher = Launcher()
    if mode is None:
        rust = find_rust(launcher)
        if isinstance(rust, Missing):
            raise rust.error()
        level = LEVEL if level is None else level
        return Compiled(compiler=rust.compiler, level=level, launcher=launcher), ""
    engine = MiriEngine(
        launcher, toolchain=toolchain, vm_folder=rust_vm_dir(), cache=cache_folder()
    )
    missing = engine.missing()
    lacks = None if missing else engine.toolchain.lacks(mode)
    miri = None if missing or lacks else engine.miri()
    tool = UnderMiri(toolchain=toolchain, mode=mode, miri=miri, launcher=launcher, leaks=leaks)
    return tool, missing.message if missing else lacks or ""
