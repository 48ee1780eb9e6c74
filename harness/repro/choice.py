"""What a reproducer is made of: the program of a case, what it must show, and what runs it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from harness.bytecode.program import Program
from harness.cases.case import BytecodeCase
from harness.engines.miri import MiriEngine
from harness.errors import InputError
from harness.lowering.variants import VARIANTS
from harness.mode import MODES
from harness.outcome import Ran
from harness.reduce.reduction import choose_symptom, reduce
from harness.reduce.sides import as_case
from harness.repro.check import Compiled, UnderMiri
from harness.repro.reproducer import Wanted
from harness.resources import rust_vm_dir
from harness.result import EngineName, Verdict
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
"""How far compiled code is optimised."""


def choose(
    case: ProgramCase, sides: Sides, selection: Selection, *, whole: bool
) -> tuple[PointerProgram, Wanted]:
    """The program that is written out, as small as the fault allows, and what it must show.

    selection: what of the case is looked at. whole: whether the program is left as it is.

    Raises: InputError, if nothing is wrong with it.
    """
    try:
        symptom = choose_symptom(case.program, sides, selection)
    except InputError as error:
        raise InputError(case.place, error.message, error.remedy) from None
    name, program = case.id, case.program
    if isinstance(case, BytecodeCase):
        assert symptom.variant is not None, "bytecode runs in a variant"
        if symptom.variant in VARIANTS and not VARIANTS[symptom.variant].unrolled:
            message = f"{symptom.variant} cannot be written as straight-line Rust"
            raise InputError(case.place, message, "name another variant by --variant")
        name = f"{case.id}, variant {symptom.variant}"
        program = sides.oracle().lowered(case, symptom.variant).program
        symptom = replace(symptom, variant=None, form=None)
    if not whole:
        judged = symptom
        if symptom.verdict is not Verdict.MISMATCH and symptom.mode is not None:
            # Where the sides agree the model alone finds the smaller program; Miri runs the file.
            judged = replace(symptom, engine=EngineName.MODEL)
        program = reduce(program, sides, judged).program
    assert not isinstance(program, Program)
    return program, _wanted(name, program, symptom, sides)


def _wanted(name: str, program: PointerProgram, symptom: Symptom, sides: Sides) -> Wanted:
    # Compiled code counts only where all permissive modes come to the same defined end.
    mode = symptom.mode or MODES[1]
    prediction = sides.oracle().predicted(as_case(program, name), None, mode)
    expected, printed = prediction.outcome, None
    if isinstance(expected, Ran) and expected.checksum is not None:
        memory = "" if expected.memory is None else f" [{expected.memory.hex(',')}]"
        printed = f"{expected.checksum}{memory.replace(',', ', ')}"
    return Wanted(
        case=name,
        mode=symptom.mode,
        expected=expected,
        rule=prediction.rule,
        seen=symptom.seen,
        disagrees=symptom.verdict is Verdict.MISMATCH,
        printed=printed,
    )


def tool_for(mode: Mode | None, toolchain: str) -> tuple[Tool, str]:
    """What the file is run by, and why it cannot be; empty if it can.

    mode: None for compiled code. toolchain: with Miri, by rustup's name.

    Raises: MissingTool, for compiled code without a compiler.
    """
    launcher = Launcher()
    if mode is None:
        rust = find_rust(launcher)
        if isinstance(rust, Missing):
            raise rust.error()
        return Compiled(compiler=rust.compiler, level=LEVEL, launcher=launcher), ""
    engine = MiriEngine(
        launcher, toolchain=toolchain, vm_folder=rust_vm_dir(), cache=cache_folder()
    )
    missing = engine.missing()
    lacks = None if missing else engine.toolchain.lacks(mode)
    miri = None if missing or lacks else engine.miri()
    tool = UnderMiri(toolchain=toolchain, mode=mode, miri=miri, launcher=launcher)
    return tool, missing.message if missing else lacks or ""
