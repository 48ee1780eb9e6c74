"""Pointer programs as constants: what can be said so, and how its lines are attributed."""

from __future__ import annotations

import pytest

from harness.cases.case import BytecodeCase
from harness.cases.load import load
from harness.engines.constant import ConstEngine
from harness.engines.engine import Job
from harness.lowering.variants import VARIANTS, lower
from harness.mode import EVERY_MODE, NONE_STRICT
from harness.pointer import program as p
from harness.pointer.rust_const import (
    NO_ADDRESSES,
    NO_HEAP,
    NO_STATICS,
    NO_TRAITS,
    refusal,
    write_constants,
)
from harness.resources import corpus_dir
from harness.result import Form
from harness.toolchain.process import Launcher

LOCAL = p.Local(to="x", size=4, init=0)
POINTER = p.RawMut(to="q", of="x")
READ = p.Read(ptr="x", at=0, width=1)


def program(*statements: p.AnyStatement, result: str | None = None) -> p.PointerProgram:
    return p.PointerProgram(statements=statements, result=result)


@pytest.mark.parametrize(
    ("statement", "reason"),
    [
        (p.Heap(to="h", size=4), NO_HEAP),
        (p.Box(to="h", size=4, init=0), NO_HEAP),
        (p.Free(ptr="q", size=4), NO_HEAP),
        (p.DropBox(ptr="q"), NO_HEAP),
        (p.Static(to="h", size=4, init=0), NO_STATICS),
        (p.Expose(to="i", of="q"), NO_ADDRESSES),
        (p.Addr(to="i", of="q"), NO_ADDRESSES),
        (p.TransmuteAddr(to="i", of="q"), NO_ADDRESSES),
        (p.FromExposed(to="r", int_="i", offset=0, size=4), NO_ADDRESSES),
        (p.WithAddr(to="r", of="q", int_="i", offset=0, size=4), NO_ADDRESSES),
        (p.TwoPhase(of="x", from_="x", at=0), NO_TRAITS),
        (p.Call(args=(p.Argument(to="b", as_="boxed", of="q", size=4),), body=()), NO_HEAP),
    ],
)
def test_what_no_constant_can_say_is_refused(statement: p.AnyStatement, reason: str) -> None:
    assert refusal(program(LOCAL, POINTER, statement)) == reason
    assert refusal(program(LOCAL, POINTER, p.Call(args=(), body=(statement,)))) == reason
    assert refusal(program(LOCAL, POINTER, READ)) is None


def test_the_engine_refuses_what_is_not_its_own() -> None:
    engine = ConstEngine(Launcher(), cache=corpus_dir())
    (case,) = load((corpus_dir() / "bytecode" / "thread-program.toml",)).cases
    assert isinstance(case, BytecodeCase)
    lowered = lower(case.program, VARIANTS["raw"]).program
    for mode in EVERY_MODE:
        job = Job(case=case.id, program=lowered, variant="raw", form=Form.UNROLLED, mode=mode)
        assert (engine.refuses(job) is None) == (mode == NONE_STRICT)
    vm = Job(case=case.id, program=case.program, variant="raw", form=Form.VM, mode=NONE_STRICT)
    assert engine.refuses(vm) == "the Rust VM is no `const fn`"
    exposed = lower(case.program, VARIANTS["exposed"]).program
    refused = Job(case=case.id, program=exposed, form=Form.UNROLLED, mode=NONE_STRICT)
    assert engine.refuses(refused) == NO_ADDRESSES


def test_lines_and_answers_lead_back_to_the_program() -> None:
    constants = write_constants([program(LOCAL, READ), program(LOCAL, POINTER, result="x")])
    lines = constants.source.text.splitlines()
    assert list(constants.answers.values()) == [0, 1]
    for line in constants.answers:
        assert lines[line - 1].strip() == "answer(done, &memory)"
    behind = {origin: lines[line - 1].strip() for line, origin in constants.source.lines.items()}
    assert behind[0, (1,)] == "sum = sum.wrapping_mul(31).wrapping_add((x1[0]) as u64);"
    assert behind[1, (1,)] == "let mut p2 = &raw mut x1;"
    assert behind[0, (2,)] == "let done = case_0(&mut memory);"
    # Room for the largest result, in hexadecimal.
    assert "const LONGEST: usize = 136;" in lines
    assert "    let mut memory = [0; 4];" in lines


def test_a_cell_is_written_by_what_a_constant_may_call() -> None:
    cell = program(
        LOCAL,
        p.RefCell(to="c", of="x"),
        p.Write(ptr="c", at=0, width=1, value=1),
    )
    written = write_constants([cell]).source.text
    assert ".replace(1u8);" in written
    assert ".set(" not in written


def test_all_functions_are_const() -> None:
    call = p.Call(args=(p.Argument(to="m", as_="mut", of="x", size=4),), body=())
    written = write_constants([program(LOCAL, call)]).source.text
    assert "\nconst fn case_0_1(mut m" in written
    assert "\nconst fn case_0(memory: &mut [u8]) -> Result<u64, Trap> {" in written
