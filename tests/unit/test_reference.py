"""The reference VM against a second, independent reading of the instructions' definition."""

from __future__ import annotations

import ctypes
import math
from collections.abc import Callable
from fractions import Fraction

import pytest
from hypothesis import given, strategies as st

from harness.bytecode.operands import Width
from harness.bytecode.program import (
    Binary,
    BinaryOperator,
    Instruction,
    Program,
    Unary,
    UnaryOperator,
    WriteConst,
)
from harness.outcome import Location, Ran, TrapKind, Trapped
from harness.reference.vm import run

ADD = BinaryOperator.ADD


def const(width: Width, value: int, addr: int) -> WriteConst:
    return WriteConst(width=width, addr=addr, value=value)


def add(width: Width, op1: int, op2: int, res: int) -> Binary:
    return Binary(operator=ADD, width=width, addr_op1=op1, addr_op2=op2, addr_res=res)


def ran(memory: bytes, *instructions: Instruction) -> bytes:
    """The final memory of a program that has to run to its end."""
    outcome = run(Program(instructions=instructions, memory=memory))
    assert isinstance(outcome, Ran)
    assert outcome.steps == len(instructions)
    assert outcome.memory is not None
    return outcome.memory


def trapped(memory: bytes, *instructions: Instruction) -> tuple[TrapKind, Location]:
    """Why and where a program that has to trap does so."""
    outcome = run(Program(instructions=instructions, memory=memory))
    assert isinstance(outcome, Trapped)
    assert (outcome.memory, outcome.steps) == (memory, 0)
    return outcome.kind, outcome.location


def test_constants_are_little_endian() -> None:
    assert ran(bytes(4), const(Width.U16, 0x1234, 2)) == bytes.fromhex("0000 3412")
    assert ran(bytes(4), const(Width.U8, 0x12, 3)) == bytes.fromhex("0000 0012")


def test_sums_wrap() -> None:
    assert ran(b"\xff\x02\x00", add(Width.U8, 0, 1, 2)) == b"\xff\x02\x01"
    assert ran(b"\xff\xff\x02\x00\0\0", add(Width.U16, 0, 2, 4)) == b"\xff\xff\x02\x00\x01\x00"


def test_operands_are_read_before_the_result_is_written() -> None:
    assert ran(b"\x03\x04", add(Width.U8, 0, 1, 0)) == b"\x07\x04"
    assert ran(b"\x03\x04", add(Width.U8, 0, 1, 1)) == b"\x03\x07"
    assert ran(b"\x03", add(Width.U8, 0, 0, 0)) == b"\x06"


def test_the_program_itself_keeps_its_memory() -> None:
    program = Program(instructions=(const(Width.U8, 1, 0),), memory=b"\x00")
    run(program)
    assert program.memory == b"\x00"
    assert run(program) == run(program)


@pytest.mark.parametrize(
    ("instruction", "kind", "operand"),
    [
        (const(Width.U8, 0, 4), TrapKind.OUT_OF_BOUNDS, "addr"),
        (const(Width.U16, 0, 4), TrapKind.OUT_OF_BOUNDS, "addr"),
        (const(Width.U16, 0, 3), TrapKind.OUT_OF_BOUNDS, "addr"),
        (const(Width.U16, 0, 1), TrapKind.MISALIGNED, "addr"),
        (const(Width.U16, 0, 2**64 - 2), TrapKind.OUT_OF_BOUNDS, "addr"),
        (const(Width.U16, 0, 2**64 - 1), TrapKind.OUT_OF_BOUNDS, "addr"),
        (const(Width.U8, 0, 2**64 - 1), TrapKind.OUT_OF_BOUNDS, "addr"),
        (add(Width.U8, 4, 0, 0), TrapKind.OUT_OF_BOUNDS, "addr_op1"),
        (add(Width.U8, 0, 4, 0), TrapKind.OUT_OF_BOUNDS, "addr_op2"),
        (add(Width.U8, 0, 0, 4), TrapKind.OUT_OF_BOUNDS, "addr_res"),
        (add(Width.U16, 1, 4, 4), TrapKind.MISALIGNED, "addr_op1"),
        (add(Width.U16, 0, 1, 4), TrapKind.MISALIGNED, "addr_op2"),
        (add(Width.U16, 0, 0, 1), TrapKind.MISALIGNED, "addr_res"),
    ],
)
def test_traps_of_single_instructions(
    instruction: Instruction, kind: TrapKind, operand: str
) -> None:
    assert trapped(b"\x01\x02\x03\x04", instruction) == (
        kind,
        Location(instruction=0, operand=operand),
    )


def test_no_instruction_runs_if_a_later_one_traps() -> None:
    assert trapped(b"\x00", const(Width.U8, 1, 0), const(Width.U8, 1, 1)) == (
        TrapKind.OUT_OF_BOUNDS,
        Location(instruction=1, operand="addr"),
    )


# ctypes' integers wrap as the machine's do, and know their signs.
UNSIGNED = {
    Width.U8: ctypes.c_uint8,
    Width.U16: ctypes.c_uint16,
    Width.U32: ctypes.c_uint32,
    Width.U64: ctypes.c_uint64,
}
SIGNED = {
    Width.U8: ctypes.c_int8,
    Width.U16: ctypes.c_int16,
    Width.U32: ctypes.c_int32,
    Width.U64: ctypes.c_int64,
}


def second_reading(operator: BinaryOperator, width: Width, left: int, right: int) -> int:
    """What the operator gives, by the machine's integers and by fractions."""
    bits = 8 * width
    signed_left, signed_right = SIGNED[width](left).value, SIGNED[width](right).value
    of_pair: dict[str, Callable[[], int]] = {
        "add": lambda: left + right,
        "sub": lambda: left - right,
        "mul": lambda: left * right,
        "div": lambda: math.floor(Fraction(left, right)),
        "rem": lambda: left - math.floor(Fraction(left, right)) * right,
        "sdiv": lambda: math.trunc(Fraction(signed_left, signed_right)),
        "srem": lambda: (
            signed_left - math.trunc(Fraction(signed_left, signed_right)) * signed_right
        ),
        "and": lambda: sum(1 << bit for bit in range(bits) if left >> bit & right >> bit & 1),
        "or": lambda: left + right - (left & right),
        "xor": lambda: left + right - 2 * (left & right),
        "shl": lambda: left * 2 ** (right % bits),
        "shr": lambda: math.floor(Fraction(left, 2 ** (right % bits))),
        "sar": lambda: math.floor(Fraction(signed_left, 2 ** (right % bits))),
        "eq": lambda: not left ^ right,
        "ne": lambda: bool(left ^ right),
        "lt": lambda: left - right < 0,
        "le": lambda: left - right <= 0,
        "slt": lambda: signed_left - signed_right < 0,
        "sle": lambda: signed_left - signed_right <= 0,
    }
    return int(UNSIGNED[width](of_pair[operator.value]()).value)


EDGES = st.sampled_from((0, 1, 2, -1, -2)).flatmap(
    lambda near: st.sampled_from(Width).map(lambda width: near + width.limit // 2)
)
VALUES = st.one_of(st.integers(0, 20), st.integers(-20, -1), EDGES, st.integers())


@given(st.sampled_from(BinaryOperator), st.sampled_from(Width), VALUES, VALUES)
def test_operators_against_a_second_reading(
    operator: BinaryOperator, width: Width, left: int, right: int
) -> None:
    left, right = left % width.limit, right % width.limit
    memory = left.to_bytes(width, "little") + right.to_bytes(width, "little") + bytes(width)
    instruction = Binary(
        operator=operator, width=width, addr_op1=0, addr_op2=width, addr_res=2 * width
    )
    seen = run(Program(instructions=(instruction,), memory=memory))
    lowest = width.limit // 2
    trap = None
    if operator.divides and right == 0:
        trap = TrapKind.DIVISION_BY_ZERO, "addr_op2"
    elif operator.value in ("sdiv", "srem") and (left, right) == (lowest, width.limit - 1):
        trap = TrapKind.DIVISION_OVERFLOW, "addr_res"
    if trap:
        kind, operand = trap
        location = Location(instruction=0, operand=operand)
        assert seen == Trapped(kind=kind, location=location, memory=memory, steps=0)
    else:
        result = second_reading(operator, width, left, right).to_bytes(width, "little")
        assert seen == Ran(memory=memory[: 2 * width] + result, steps=1)


def test_unary_operators() -> None:
    for width in Width:
        memory = bytes(range(1, width + 1)) + bytes(width)
        for operator, flip in ((UnaryOperator.MOVE, 0), (UnaryOperator.NOT, 0xFF)):
            unary = Unary(operator=operator, width=width, addr_op=0, addr_res=width)
            assert ran(memory, unary) == memory[:width] + bytes(
                byte ^ flip for byte in memory[:width]
            )


def test_what_ran_before_a_division_that_traps_stays() -> None:
    division = Binary(
        operator=BinaryOperator.DIV, width=Width.U8, addr_op1=0, addr_op2=1, addr_res=0
    )
    program = Program(
        instructions=(const(Width.U8, 9, 0), division, const(Width.U8, 7, 1)), memory=bytes(2)
    )
    assert run(program) == Trapped(
        kind=TrapKind.DIVISION_BY_ZERO,
        location=Location(instruction=1, operand="addr_op2"),
        memory=b"\x09\x00",
        steps=1,
    )


WIDTHS = st.sampled_from(Width)
SMALL = st.integers(0, 17)
INSTRUCTIONS = st.one_of(
    st.builds(const, WIDTHS, st.integers(0, 255), SMALL),
    st.builds(add, WIDTHS, SMALL, SMALL, SMALL),
)


@given(st.binary(max_size=16), st.lists(INSTRUCTIONS, max_size=6).map(tuple))
def test_against_memory_as_one_number(memory: bytes, program: tuple[Instruction, ...]) -> None:
    """The same meaning, said by shifts and masks of one number instead of slices of bytes."""
    outcome = run(Program(instructions=program, memory=memory))
    number = int.from_bytes(memory, "little")
    for index, instruction in enumerate(program):
        for operand in instruction.operands():
            outside = operand.addr not in range(len(memory) - operand.width + 1)
            odd = operand.addr & (operand.width - 1) != 0
            if outside or odd:
                assert isinstance(outcome, Trapped)
                assert outcome.kind == ("out-of-bounds" if outside else "misaligned")
                assert outcome.location == Location(instruction=index, operand=operand.name)
                return
    for instruction in program:
        assert isinstance(instruction, WriteConst | Binary)
        bits = 8 * instruction.width
        mask = (1 << bits) - 1
        if isinstance(instruction, WriteConst):
            addr, value = instruction.addr, instruction.value
        else:
            addr = instruction.addr_res
            value = (number >> 8 * instruction.addr_op1) + (number >> 8 * instruction.addr_op2)
        number = number & ~(mask << 8 * addr) | (value & mask) << 8 * addr
    assert outcome == Ran(memory=number.to_bytes(len(memory), "little"), steps=len(program))
