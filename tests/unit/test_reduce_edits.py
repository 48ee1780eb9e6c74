"""Edits of programs: whatever is left out, what is left is well-formed, and smaller."""

from __future__ import annotations

import random

import pytest

from harness.bytecode.assembly import format as assembly_of, parse
from harness.bytecode.program import Program
from harness.pointer import program as p
from harness.pointer.generator import generate
from harness.pointer.listing import format as text_of
from harness.pointer.rename import renamed_program
from harness.pointer.text import parse as parse_pointer
from harness.pointer.validate import faults
from harness.reduce import bytecode_edits, pointer_edits
from harness.reduce.edits import Bypass, Drop, DropInstruction, Edit, Inline, Memory, Replace
from harness.reduce.languages import BYTECODE, POINTER
from harness.reduce.repair import repaired


def read(text: str) -> p.PointerProgram:
    return parse_pointer(text, lambda *_: None).program  # type: ignore[arg-type]


@pytest.mark.parametrize("seed", range(60))
def test_any_set_of_edits_leaves_a_well_formed_program(seed: int) -> None:
    source = random.Random(seed)
    program = generate(source, 16)
    edits: list[Edit] = [e for each in POINTER.passes for e in each.propose(program)]
    for _ in range(10):
        chosen = source.sample(edits, source.randrange(1, len(edits)))
        edited = POINTER.apply(program, chosen)  # type: ignore[arg-type]
        assert faults(edited) == ()
        assert repaired(edited) == edited


def test_no_edit_changes_nothing() -> None:
    for seed in range(40):
        program = generate(random.Random(seed), 12)
        assert POINTER.apply(program, []) == program


def test_what_uses_a_dropped_variable_goes_with_it() -> None:
    program = read("local x = [0; 1]\nm = &mut x\nwrite m[0]: u8 = 1\nread x[0]: u8\n")
    assert text_of(POINTER.apply(program, [Drop(path=(1,))])) == (
        "local x = [0; 1]\nread x[0]: u8\n"
    )


def test_a_bypassed_pointer_gives_way_to_what_it_was_made_of() -> None:
    program = read("local x = [0; 1]\nm = &mut x\np = &raw mut *m\nwrite p[0]: u8 = 1\n")
    edits = [Bypass(path=(2,), to="p", of="m"), Bypass(path=(1,), to="m", of="x")]
    assert text_of(POINTER.apply(program, edits)) == "local x = [0; 1]\nwrite x[0]: u8 = 1\n"


def test_an_inlined_call_leaves_its_borrows_and_what_it_returns() -> None:
    program = read(
        "local x = [0; 1]\nr = call(a = &mut x) {\n    p = &raw mut *a\n    return p\n}\n"
        "write r[0]: u8 = 1\n"
    )
    assert text_of(POINTER.apply(program, [Inline(path=(1,))])) == (
        "local x = [0; 1]\na = &mut x\np = &raw mut *a\nwrite p[0]: u8 = 1\n"
    )


def test_of_two_replacements_of_a_field_the_bolder_holds() -> None:
    program = read("local x = [0; 8]\nwrite x[4]: u8 = 200\n")
    write = program.statements[1]
    assert isinstance(write, p.Write)
    edits = [
        Replace(path=(1,), statement=p.Write(ptr="x", at=4, width=1, value=0)),
        Replace(path=(1,), statement=p.Write(ptr="x", at=4, width=1, value=100)),
        Replace(path=(1,), statement=p.Write(ptr="x", at=0, width=1, value=200)),
    ]
    assert text_of(POINTER.apply(program, edits)) == "local x = [0; 8]\nwrite x[0]: u8 = 0\n"


def test_a_call_that_has_nothing_left_is_gone() -> None:
    program = read(
        "local x = [0; 1]\np = &raw mut x\nr = call() {\n    q = p.add(0) as [u8; 1]\n"
        "    return q\n}\n"
    )
    assert text_of(repaired(POINTER.apply(program, [Drop(path=(2, 0))]))) == (
        "local x = [0; 1]\np = &raw mut x\n"
    )


def test_renaming_touches_names_alone() -> None:
    program = read("local x = [1, 2]\nq = &raw mut x\nguard 1 == 1 else diverged 0 x\n")
    new = renamed_program(program, {"x": "y", "q": "x"})
    assert text_of(new) == ("local y = [1, 2]\nx = &raw mut y\nguard 1 == 1 else diverged 0 x\n")


LOOP = """\
const.u8 3 -> [0]
again:
const.u8 1 -> [1]
sub.u8 [0], [1] -> [0]
jump_if.u8 [0], again
halt
"""


def test_jumps_follow_the_instructions_that_they_name() -> None:
    program = Program(instructions=parse(LOOP), memory=bytes(4))
    edited = BYTECODE.apply(program, [DropInstruction(index=0), DropInstruction(index=1)])
    assert assembly_of(edited.instructions) == (
        f"{label(0)}:\nsub.u8 [0], [1] -> [0]\njump_if.u8 [0], {label(0)}\nhalt\n"
    )


def label(index: int) -> str:
    listed = assembly_of(parse("a:\njump a\n"))
    return listed.split(":")[0].replace("0", str(index))


@pytest.mark.parametrize("seed", range(20))
def test_any_set_of_bytecode_edits_is_a_program(seed: int) -> None:
    source = random.Random(seed)
    program = Program(instructions=parse(LOOP), memory=bytes(range(20)))
    edits: list[Edit] = [e for each in BYTECODE.passes for e in each.propose(program)]
    for _ in range(10):
        chosen = source.sample(edits, source.randrange(1, len(edits)))
        edited = BYTECODE.apply(program, chosen)  # type: ignore[arg-type]
        assert len(edited.instructions) <= len(program.instructions)
        assert len(edited.memory) <= len(program.memory)


def test_a_memory_never_grows() -> None:
    program = Program(instructions=(), memory=bytes(4))
    assert BYTECODE.apply(program, [Memory(memory=bytes(8))]) == program


def test_every_number_of_an_instruction_can_shrink() -> None:
    (instruction,) = parse("add.u32 [4], [8] -> [12]")
    program = Program(instructions=(instruction,), memory=bytes(16))
    proposed = bytecode_edits.smaller_instructions(program)
    texts = {
        assembly_of(bytecode_edits.apply(program, [each]).instructions).strip() for each in proposed
    }
    assert texts == {
        "add.u8 [4], [8] -> [12]",
        "add.u32 [0], [8] -> [12]",
        "add.u32 [2], [8] -> [12]",
        "add.u32 [4], [0] -> [12]",
        "add.u32 [4], [4] -> [12]",
        "add.u32 [4], [8] -> [0]",
        "add.u32 [4], [8] -> [6]",
    }


def test_every_statement_has_its_path() -> None:
    program = read("local x = [0; 1]\ncall(a = &mut x) {\n    write a[0]: u8 = 1\n}\n")
    paths = [path for path, _ in pointer_edits.statements_of(program.statements)]
    assert paths == [(0,), (1,), (1, 0)]
    assert pointer_edits.size(program) == 3
