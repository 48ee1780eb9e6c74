"""The wire form: the bytes that the Rust VM reads."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, strategies as st

from harness.bytecode.instruction_set import BY_MNEMONIC, BY_OPCODE, FORMS
from harness.bytecode.operands import ADDRESS_LIMIT, Width
from harness.bytecode.program import (
    Assert,
    Binary,
    BinaryOperator,
    Branch,
    Copy,
    Fill,
    Grow,
    Halt,
    HostEnter,
    HostRead,
    HostSteps,
    HostWrite,
    Instruction,
    Jump,
    Load,
    Program,
    Return,
    Store,
    WriteConst,
)
from harness.bytecode.wire import Malformation, WireError, decode, encode
from tests.unit.instruction_strategies import SEQUENCES

ADD = BinaryOperator.ADD

EVERY_INSTRUCTION = Program(
    memory=b"\xaa\xbb",
    step_limit=5,
    instructions=(
        WriteConst(width=Width.U8, addr=1, value=0x7F),
        WriteConst(width=Width.U16, addr=0x0102030405060708, value=0x1234),
        Binary(operator=ADD, width=Width.U8, addr_op1=1, addr_op2=2, addr_res=3),
        Binary(
            operator=ADD,
            width=Width.U16,
            addr_op1=4,
            addr_op2=5,
            addr_res=ADDRESS_LIMIT - 1,
        ),
        Jump(target=0),
        Halt(),
        Assert(width=Width.U64, addr=6),
        Branch(on_zero=False, width=Width.U8, addr=7, target=1),
        Branch(on_zero=True, width=Width.U64, addr=8, target=0),
        Load(width=Width.U16, addr_op=1, addr_res=2),
        Store(width=Width.U64, addr_op=3, addr_res=4),
        Copy(overlapping=True, addr_op=5, addr_size=6, addr_res=7),
        Copy(overlapping=False, addr_op=8, addr_size=9, addr_res=10),
        Fill(addr_op=11, addr_size=12, addr_res=13),
        Grow(addr_op=1, addr_res=2),
        HostRead(addr_op=3, addr_res=4),
        HostWrite(addr_op=5, addr_res=6),
        HostSteps(addr_res=7),
        HostEnter(addr_op=8, addr_res=9, target=1),
        Return(),
    ),
)
ITS_WIRE = bytes.fromhex(
    "0200000000000000 0500000000000000 aabb"
    "01 0100000000000000 7f"
    "02 0807060504030201 3412"
    "11 0100000000000000 0200000000000000 0300000000000000"
    "12 0400000000000000 0500000000000000 ffffffffffffffff"
    "61 0000000000000000"
    "62"
    "68 0600000000000000"
    "69 0700000000000000 0100000000000000"
    "70 0800000000000000 0000000000000000"
    "72 0100000000000000 0200000000000000"
    "78 0300000000000000 0400000000000000"
    "79 0500000000000000 0600000000000000 0700000000000000"
    "7a 0800000000000000 0900000000000000 0a00000000000000"
    "7b 0b00000000000000 0c00000000000000 0d00000000000000"
    "81 0100000000000000 0200000000000000"
    "82 0300000000000000 0400000000000000"
    "83 0500000000000000 0600000000000000"
    "84 0700000000000000"
    "85 0800000000000000 0900000000000000 0100000000000000"
    "86"
)


def test_every_instruction_byte_for_byte() -> None:
    assert encode(EVERY_INSTRUCTION) == ITS_WIRE
    assert decode(ITS_WIRE) == EVERY_INSTRUCTION


def test_no_memory_and_no_instructions() -> None:
    empty = Program(memory=b"", instructions=())
    assert decode(encode(empty)) == empty
    assert encode(replace(empty, step_limit=0)) == bytes(16)


def test_each_form_has_an_opcode_of_its_own() -> None:
    assert len(BY_OPCODE) == len(FORMS) == len(BY_MNEMONIC)


def test_the_wire_form_holds_every_field_of_an_instruction() -> None:
    for form in FORMS:
        assert {each.name for each in form.encoded} == {each.name for each in form.written}


CUTS = {
    *(len(ITS_WIRE), 18, 28, 39, 64, 89, 98, 99, 108, 125, 142, 159, 176),
    *(201, 226, 251, 268, 285, 302, 311, 336),
}
"""Where `ITS_WIRE` may end: behind the memory and behind each instruction."""


@pytest.mark.parametrize("length", sorted(set(range(len(ITS_WIRE))) - CUTS))
def test_a_program_cut_short_is_refused(length: int) -> None:
    with pytest.raises(WireError) as caught:
        decode(ITS_WIRE[:length])
    wanted = (
        Malformation.NO_HEAD
        if length < 16
        else Malformation.MEMORY_CUT_SHORT
        if length < 18
        else Malformation.INSTRUCTION_CUT_SHORT
    )
    assert caught.value.reason is wanted


@pytest.mark.parametrize("length", sorted(CUTS))
def test_a_program_may_end_behind_any_instruction(length: int) -> None:
    program = decode(ITS_WIRE[:length])
    assert program.instructions == EVERY_INSTRUCTION.instructions[: len(program.instructions)]


@pytest.mark.parametrize(
    ("wire", "reason", "offset", "message"),
    [
        ("", Malformation.NO_HEAD, 0, "the step limit take 16 bytes, and there are 0"),
        ("01" + "00" * 15, Malformation.MEMORY_CUT_SHORT, 16, "to have 1 bytes, and 0"),
        ("ff" * 16, Malformation.MEMORY_CUT_SHORT, 16, "18446744073709551615 bytes, and 0"),
        ("00" * 16 + "ff", Malformation.UNKNOWN_OPCODE, 16, "there is no opcode 0xff"),
        (
            "00" * 16 + "01",
            Malformation.INSTRUCTION_CUT_SHORT,
            17,
            "addr of the const.u8 at byte 16",
        ),
        (
            "00" * 16 + "02" + "00" * 8 + "12",
            Malformation.INSTRUCTION_CUT_SHORT,
            25,
            "value of the const.u16 at byte 16 takes 2 bytes, and there are 1",
        ),
        (
            "00" * 16 + "62" + "61 0300000000000000",
            Malformation.TARGET_OUTSIDE,
            18,
            "the target is 3, and there are 2 instructions",
        ),
    ],
)
def test_each_malformation(wire: str, reason: Malformation, offset: int, message: str) -> None:
    with pytest.raises(WireError) as caught:
        decode(bytes.fromhex(wire), "program.bin")
    error = caught.value
    assert (error.reason, error.offset) == (reason, offset)
    assert str(error).startswith(f"program.bin: at byte {offset}: ")
    assert message in str(error)
    assert error.remedy


@given(st.binary(max_size=40), SEQUENCES, st.integers(0, ADDRESS_LIMIT - 1))
def test_what_is_encoded_is_decoded(
    memory: bytes, program: tuple[Instruction, ...], step_limit: int
) -> None:
    whole = Program(memory=memory, instructions=program, step_limit=step_limit)
    assert decode(encode(whole)) == whole


@given(
    st.one_of(
        st.binary(),
        st.tuples(st.binary(max_size=8), st.lists(st.sampled_from(ITS_WIRE)).map(bytes)).map(
            lambda parts: len(parts[0]).to_bytes(8, "little") + bytes(8) + parts[0] + parts[1]
        ),
    )
)
def test_bytes_that_decode_are_what_encode_makes(wire: bytes) -> None:
    try:
        program = decode(wire)
    except WireError as error:
        offset = error.offset
    else:
        assert encode(program) == wire
        return
    assert 0 <= offset <= len(wire)
