"""Lowering: each variant's pointer program, what its statements stand for, what is promised."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import cast

import pytest
from hypothesis import given, strategies as st

from harness.bytecode.operands import Width
from harness.bytecode.program import Binary, BinaryOperator, Instruction, Program, WriteConst
from harness.campaign.way import way_of
from harness.cases.case import BytecodeCase
from harness.cases.load import load
from harness.lowering.lowered import Origin, Phase
from harness.lowering.variants import VARIANTS, lower
from harness.mode import EVERY_MODE, MODES, Aliasing, Provenance, parse_mode
from harness.model.machine import judge
from harness.outcome import (
    FaultKind,
    Location,
    Outcome,
    Ran,
    TrapKind,
    Trapped,
    UndefinedBehaviour,
    Unsupported,
)
from harness.pointer import program as p
from harness.pointer.listing import statement_lines
from harness.pointer.text import format, parse
from harness.pointer.validate import faults
from harness.reference import vm as reference_vm
from harness.result import Form

ADD = BinaryOperator.ADD

CORPUS = Path(__file__).parents[2] / "corpus" / "bytecode"
CASES = {case.id: case for case in load([CORPUS]).cases}

PROGRAM = Program(
    instructions=(
        WriteConst(width=Width.U8, addr=3, value=7),
        Binary(operator=ADD, width=Width.U16, addr_op1=2, addr_op2=4, addr_res=6),
    ),
    memory=bytes(range(16)),
)


def program(*instructions: Instruction, size: int = 16) -> Program:
    return Program(instructions=instructions, memory=bytes(size))


def bodies(statements: tuple[p.AnyStatement, ...]) -> Iterator[p.AnyStatement]:
    for statement in statements:
        yield statement
        if isinstance(statement, p.Call):
            yield from bodies(statement.body)


def run_phase(variant: str, lowered_program: Program) -> list[str]:
    """The lines of the run phase, all bodies in their order."""
    lowered = lower(lowered_program, VARIANTS[variant], way_of(lowered_program))
    return [
        line
        for path, line in statement_lines(lowered.program)
        if lowered.origins[path].phase is Phase.RUN
    ]


def test_the_corpus_is_there() -> None:
    assert len(CASES) >= 40
    assert all(isinstance(case, BytecodeCase) for case in CASES.values())


PAIRS = [
    (case, variant)
    for case, read in CASES.items()
    for variant in VARIANTS
    if VARIANTS[variant].refuses(cast("BytecodeCase", read).program) is None
]
"""Each case with each variant that can run it."""


@pytest.mark.parametrize(("case", "variant"), PAIRS)
def test_every_lowered_program_is_well_formed(case: str, variant: str) -> None:
    source = cast("BytecodeCase", CASES[case]).program
    lowered = lower(source, VARIANTS[variant], way_of(source))
    assert faults(lowered.program) == ()
    if len(source.memory) <= 64:
        assert parse(format(lowered.program)).program == lowered.program
    assert {path for path, _ in statement_lines(lowered.program)} == set(lowered.origins)


@pytest.mark.parametrize("variant", VARIANTS)
def test_each_operand_is_compiled_then_run_and_the_phases_do_not_mix(variant: str) -> None:
    lowered = lower(PROGRAM, VARIANTS[variant])
    order = list(Phase)
    phases = [origin.phase for path, origin in sorted(lowered.origins.items())]
    until_run = phases[: phases.index(Phase.RUN)]
    assert Phase.COMPILE in until_run
    assert Phase.COMPILE not in phases[len(until_run) :]
    assert phases[-1] is order[-1]
    wanted = {
        Origin(phase=phase, instruction=index, operand=operand.name)
        for phase in (Phase.COMPILE, Phase.RUN)
        for index, instruction in enumerate(PROGRAM.instructions)
        for operand in instruction.operands()
    }
    assert wanted <= set(lowered.origins.values())


@pytest.mark.parametrize("variant", VARIANTS)
def test_checks_come_first_bounds_before_alignment(variant: str) -> None:
    lowered = lower(PROGRAM, VARIANTS[variant])
    guards = [each for each in bodies(lowered.program.statements) if isinstance(each, p.Guard)]
    assert [(each.instruction, each.operand, each.trap) for each in guards] == [
        (0, "addr", "out-of-bounds"),
        (1, "addr_op1", "out-of-bounds"),
        (1, "addr_op1", "misaligned"),
        (1, "addr_op2", "out-of-bounds"),
        (1, "addr_op2", "misaligned"),
        (1, "addr_res", "out-of-bounds"),
        (1, "addr_res", "misaligned"),
    ]


def test_an_operand_wider_than_the_memory_can_never_be_in_bounds() -> None:
    lowered = lower(program(WriteConst(width=Width.U16, addr=0, value=1), size=1), VARIANTS["raw"])
    assert "guard 2 <= 1 else out-of-bounds 0 addr" in format(lowered.program).splitlines()


@pytest.mark.parametrize("variant", VARIANTS)
def test_values_are_computed_by_the_lowered_program(variant: str) -> None:
    """Two programs that differ in their memory differ in nothing but its initial bytes."""
    one, other = (
        lower(Program(instructions=PROGRAM.instructions, memory=memory), VARIANTS[variant])
        for memory in (bytes(range(16)), bytes(range(16, 32)))
    )
    differing = [
        (first, second)
        for first, second in zip(one.program.statements, other.program.statements, strict=True)
        if first != second
    ]
    assert all(isinstance(first, p.Local) for first, _ in differing)


ADDITION = Binary(operator=ADD, width=Width.U16, addr_op1=0, addr_op2=2, addr_res=4)
RUN_PHASES = {
    "raw": [
        "value_op1_0 = read p_op1_0[0]: aligned u16",
        "value_op2_0 = read p_op2_0[0]: aligned u16",
        "add_res_0 = value_op1_0 + value_op2_0: u16",
        "write p_res_0[0]: aligned u16 = add_res_0",
    ],
    "deref-mut": [
        "m_res_0 = &mut *p_res_0 align 2",
        "m_op1_0 = &mut *p_op1_0 align 2",
        "m_op2_0 = &mut *p_op2_0 align 2",
        "value_op1_0 = read m_op1_0[0]: aligned u16",
        "value_op2_0 = read m_op2_0[0]: aligned u16",
        "add_res_0 = value_op1_0 + value_op2_0: u16",
        "write m_res_0[0]: aligned u16 = add_res_0",
    ],
    "cell": [
        "byte0_op1_0 = read c0_op1_0[0]: u8",
        "byte1_op1_0 = read c1_op1_0[0]: u8",
        "high1_op1_0 = byte1_op1_0 << 8: u16",
        "value1_op1_0 = byte0_op1_0 | high1_op1_0: u16",
        "byte0_op2_0 = read c0_op2_0[0]: u8",
        "byte1_op2_0 = read c1_op2_0[0]: u8",
        "high1_op2_0 = byte1_op2_0 << 8: u16",
        "value1_op2_0 = byte0_op2_0 | high1_op2_0: u16",
        "add_res_0 = value1_op1_0 + value1_op2_0: u16",
        "write c0_res_0[0]: u8 = add_res_0",
        "part1_res_0 = add_res_0 >> 8: u16",
        "write c1_res_0[0]: u8 = part1_res_0",
    ],
    "exposed": [
        "p_op1_0 = with_exposed_provenance_mut(at_op1_0) as [u8; 2]",
        "value_op1_0 = read p_op1_0[0]: aligned u16",
        "p_op2_0 = with_exposed_provenance_mut(at_op2_0) as [u8; 2]",
        "value_op2_0 = read p_op2_0[0]: aligned u16",
        "add_res_0 = value_op1_0 + value_op2_0: u16",
        "p_res_0 = with_exposed_provenance_mut(at_res_0) as [u8; 2]",
        "write p_res_0[0]: aligned u16 = add_res_0",
    ],
}
RUN_PHASES |= dict.fromkeys(("reborrow", "owner", "slice-ptr", "wrapped"), RUN_PHASES["raw"])
RUN_PHASES["cell-slice"] = [
    line.replace("p_", "c_") if " p_" in line else line for line in RUN_PHASES["raw"]
]


@pytest.mark.parametrize("variant", RUN_PHASES)
def test_what_an_addition_does_in_the_run_phase(variant: str) -> None:
    assert run_phase(variant, program(ADDITION)) == RUN_PHASES[variant]


def test_index_goes_through_the_borrow_byte_by_byte() -> None:
    accesses = [line for line in run_phase("index", program(ADDITION)) if "view[" in line]
    assert accesses == [
        "byte0_op1_0 = read view[addr_op1_0]: u8",
        "byte1_op1_0 = read view[load1_op1_0]: u8",
        "byte0_op2_0 = read view[addr_op2_0]: u8",
        "byte1_op2_0 = read view[load1_op2_0]: u8",
        "write view[addr_res_0]: u8 = add_res_0",
        "write view[store1_res_0]: u8 = part1_res_0",
    ]


def test_reborrow_borrows_the_memory_for_each_instruction_and_each_operand() -> None:
    lowered = lower(PROGRAM, VARIANTS["reborrow"])
    calls = [each for each in lowered.program.statements if isinstance(each, p.Call)]
    assert [[each.as_ for each in call.args] for call in calls] == [["mut"], ["mut"]]
    borrows = [[each.of for each in call.body if isinstance(each, p.AsMutPtr)] for call in calls]
    assert borrows == [["memory_0"], ["memory_1"] * 3]


@pytest.mark.parametrize("variant", ["raw", "owner", "deref-mut", "wrapped", "slice-ptr"])
def test_others_have_one_base(variant: str) -> None:
    lowered = lower(PROGRAM, VARIANTS[variant])
    bases = {each.of for each in bodies(lowered.program.statements) if isinstance(each, p.Sub)}
    assert bases == {"base"}
    made = [each for each in lowered.program.statements if getattr(each, "to", "") == "base"]
    kind = p.RawMut if variant == "slice-ptr" else p.AsMutPtr
    assert [type(each) for each in made] == [kind]


def test_owner_copies_between_the_phases() -> None:
    lowered = lower(PROGRAM, VARIANTS["owner"])
    copies = [
        path
        for path, line in statement_lines(lowered.program)
        if line.startswith("copy_nonoverlapping")
    ]
    assert len(copies) == 1
    compiled = [path for path, each in lowered.origins.items() if each.phase is Phase.COMPILE]
    run = [path for path, each in lowered.origins.items() if each.phase is Phase.RUN]
    assert max(compiled) < copies[0] < min(run)


def test_exposed_adds_base_and_address_in_either_order() -> None:
    lines = format(lower(PROGRAM, VARIANTS["exposed"]).program).splitlines()
    assert "at_op1_1 = base_address + addr_op1_1: u64" in lines
    assert "at_op2_1 = addr_op2_1 + base_address: u64" in lines
    assert "at_res_1 = base_address + addr_res_1: u64" in lines


def test_vm_ptr_reads_the_base_anew_for_each_access() -> None:
    lines = format(lower(PROGRAM, VARIANTS["vm-ptr"]).program).splitlines()
    accesses = [line for line in lines if "context_ptr" in line or "exposed" in line]
    assert accesses == [
        "context_ptr = &raw mut context",
        "write context_ptr[0]: aligned u64 = base_address",
        "write context_ptr[8]: aligned u64 = 16",
        *(
            line
            for name, size in (("0", 1), ("op1_1", 2), ("op2_1", 2), ("res_1", 2))
            for line in (
                f"base_{name} = read context_ptr[0]: aligned u64",
                f"p_{name} = with_exposed_provenance_mut(at_{name}) as [u8; {size}]",
            )
        ),
    ]


def test_atomics_are_made_of_the_pointer_and_unsafe_cells_of_the_borrow() -> None:
    for variant, of in (("atomic", "memory_ptr"), ("unsafe-cell", "owner")):
        made = [
            each
            for each in lower(PROGRAM, VARIANTS[variant]).program.statements
            if isinstance(each, p.RefCell) and each.to == "cells"
        ]
        assert [(each.of, each.unsafe_cell) for each in made] == [(of, True)]


def test_what_is_atomic_has_no_straight_lines() -> None:
    assert {name for name, variant in VARIANTS.items() if not variant.unrolled} == {"atomic"}
    assert VARIANTS["atomic"].forms == (Form.VM,)
    assert VARIANTS["raw"].forms == tuple(Form)


def ub(path: tuple[int, ...]) -> UndefinedBehaviour:
    return UndefinedBehaviour(
        kind=FaultKind.ALIASING,
        message="",
        location=Location(path=path),
        created=Location(path=(1,)),
    )


def test_an_outcome_gets_its_place_in_the_bytecode() -> None:
    lowered = lower(PROGRAM, VARIANTS["reborrow"])
    path = next(
        path
        for path, origin in lowered.origins.items()
        if origin == Origin(phase=Phase.RUN, instruction=1, operand="addr_res")
    )
    located = lowered.locate(ub(path))
    assert isinstance(located, UndefinedBehaviour)
    assert located.location == Location(path=path, instruction=1, operand="addr_res")
    assert located.created == Location(path=(1,))
    assert located.invalidated is None
    trapped = Trapped(kind=TrapKind.MISALIGNED, location=Location(path=path), memory=b"")
    assert cast("Trapped", lowered.locate(trapped)).location.instruction == 1
    assert lowered.locate(Ran(memory=b"")) == Ran(memory=b"")


def test_a_path_within_a_statement_is_placed_at_it() -> None:
    lowered = lower(PROGRAM, VARIANTS["raw"])
    path = max(path for path, each in lowered.origins.items() if each.phase is Phase.RUN)
    assert lowered.origin((*path, 5)) == lowered.origins[path]
    assert lowered.origin((999,)) is None


def aligned_down(width: int, addr: int) -> int:
    return addr - addr % width


@st.composite
def bytecode(draw: st.DrawFn) -> Program:
    """A program whose operands mostly lie in its small memory."""
    memory = draw(st.binary(max_size=12))
    addresses = st.integers(0, len(memory)) | st.integers(0, (1 << 64) - 1)
    instructions: list[Instruction] = []
    for _ in range(draw(st.integers(0, 5))):
        width = draw(st.sampled_from(Width))
        near = addresses.map(partial(aligned_down, int(width)))
        address = near if draw(st.integers(0, 7)) else addresses
        if draw(st.booleans()):
            value = draw(st.integers(0, width.limit - 1))
            instructions.append(WriteConst(width=width, addr=draw(address), value=value))
        else:
            op1, op2, res = draw(address), draw(address), draw(address)
            instructions.append(
                Binary(
                    operator=ADD,
                    width=width,
                    addr_op1=op1,
                    addr_op2=op2,
                    addr_res=res,
                )
            )
    return Program(instructions=tuple(instructions), memory=memory)


@given(bytecode())
def test_the_machine_comes_to_what_the_reference_does(source: Program) -> None:
    """Without a borrow model every variant computes the same, trap or not."""
    reference = reference_vm.run(source)
    for variant in VARIANTS.values():
        if not (variant.sound or variant.aliasing):
            continue
        lowered = lower(source, variant)
        assert faults(lowered.program) == ()
        outcome = lowered.locate(judge(lowered.program, parse_mode("none-permissive")))
        assert ends_as(outcome) == ends_as(reference), variant.name


@pytest.mark.parametrize(("case", "variant"), PAIRS)
def test_the_machine_keeps_each_promise(case: str, variant: str) -> None:
    source = cast("BytecodeCase", CASES[case])
    lowered = lower(source.program, VARIANTS[variant], way_of(source.program))
    for mode in MODES:
        promised = VARIANTS[variant].promises(source.program, source.expected, mode)
        if promised is not None:
            outcome = lowered.locate(judge(lowered.program, mode))
            assert ends_as(outcome) == ends_as(promised), mode


def ends_as(outcome: Outcome) -> tuple[object, ...]:
    """What an outcome says of a bytecode program, however it came about."""
    match outcome:
        case Ran():
            return (outcome.name, outcome.memory)
        case Trapped() | UndefinedBehaviour() | Unsupported():
            location = outcome.location
            return (outcome.name, outcome.kind, location.instruction, location.operand)
    return (outcome,)


RAN = Ran(memory=bytes(16))
TRAPPED = Trapped(kind=TrapKind.MISALIGNED, location=Location(instruction=0, operand="addr"))
UNSOUND = {
    *("reborrow", "owner", "deref-mut", "cached-base", "kept-borrow", "lent-borrow"),
    *("unexposed", "transmuted", "non-null-as-integer", "shared-base"),
}


def promises(variant: str, mode: str, source: Program = PROGRAM) -> Outcome | None:
    return VARIANTS[variant].promises(source, RAN, parse_mode(mode))


def test_the_table_says_which_designs_are_sound() -> None:
    assert {name for name, variant in VARIANTS.items() if not variant.sound} == UNSOUND
    assert {name for name, variant in VARIANTS.items() if not variant.strict} == {
        "exposed",
        "vm-ptr",
        "unexposed",
    }
    assert all(variant.description and variant.promise for variant in VARIANTS.values())


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_trap_and_an_empty_program_are_promised_by_all(variant: str) -> None:
    for mode in EVERY_MODE:
        assert VARIANTS[variant].promises(PROGRAM, TRAPPED, mode) == TRAPPED
        assert VARIANTS[variant].promises(program(), RAN, mode) == RAN


@pytest.mark.parametrize("variant", [name for name in VARIANTS if name not in UNSOUND])
def test_a_sound_design_promises_to_run(variant: str) -> None:
    for mode in MODES:
        if VARIANTS[variant].strict or mode.provenance is Provenance.PERMISSIVE:
            assert promises(variant, str(mode)) == RAN


@pytest.mark.parametrize("variant", sorted(UNSOUND))
def test_an_unsound_design_promises_nothing_but_without_a_borrow_model(variant: str) -> None:
    for mode in MODES:
        if VARIANTS[variant].strict or mode.provenance is Provenance.PERMISSIVE:
            defined = mode.aliasing is Aliasing.NONE and VARIANTS[variant].aliasing
            wanted = RAN if defined else None
            assert promises(variant, str(mode)) == wanted


def test_exposed_is_unsupported_under_strict_provenance_at_the_first_access() -> None:
    found = promises("exposed", "tree-strict")
    assert isinstance(found, Unsupported)
    assert found.location == Location(instruction=0, operand="addr")
    found = promises("exposed", "stacked-strict", program(ADDITION))
    assert isinstance(found, Unsupported)
    assert found.location == Location(instruction=0, operand="addr_op1")
