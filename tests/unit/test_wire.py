"""The wire form: the bytes that the Rust VM reads."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from harness.bytecode.instruction_set import BY_MNEMONIC, BY_OPCODE, FORMS, Kind
from harness.bytecode.program import (
    ADDRESS_LIMIT,
    Binary,
    BinaryOperator,
    Instruction,
    Program,
    Width,
    WriteConst,
)
from harness.bytecode.wire import Malformation, WireError, decode, encode

ADD = BinaryOperator.ADD

EVERY_INSTRUCTION = Program(
    memory=b"\xaa\xbb",
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
    ),
)
ITS_WIRE = bytes.fromhex(
    "0200000000000000 aabb"
    "01 0100000000000000 7f"
    "02 0807060504030201 3412"
    "11 0100000000000000 0200000000000000 0300000000000000"
    "12 0400000000000000 0500000000000000 ffffffffffffffff"
)


def test_every_instruction_byte_for_byte() -> None:
    assert encode(EVERY_INSTRUCTION) == ITS_WIRE
    assert decode(ITS_WIRE) == EVERY_INSTRUCTION


def test_no_memory_and_no_instructions() -> None:
    empty = Program(memory=b"", instructions=())
    assert encode(empty) == bytes(8)
    assert decode(bytes(8)) == empty


def test_each_form_has_an_opcode_of_its_own() -> None:
    assert len(BY_OPCODE) == len(FORMS) == len(BY_MNEMONIC)


def test_the_wire_form_holds_every_field_of_an_instruction() -> None:
    for form in FORMS:
        assert {each.name for each in form.encoded} == {each.name for each in form.written}


CUTS = {len(ITS_WIRE), 10, 20, 31, 56}
"""Where `ITS_WIRE` may end: behind the memory and behind each instruction."""


@pytest.mark.parametrize("length", sorted(set(range(len(ITS_WIRE))) - CUTS))
def test_a_program_cut_short_is_refused(length: int) -> None:
    with pytest.raises(WireError) as caught:
        decode(ITS_WIRE[:length])
    wanted = (
        Malformation.NO_SIZE
        if length < 8
        else Malformation.MEMORY_CUT_SHORT
        if length < 10
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
        ("", Malformation.NO_SIZE, 0, "the memory's size takes 8 bytes, and there are 0"),
        ("01 00 00 00 00 00 00 00", Malformation.MEMORY_CUT_SHORT, 8, "to have 1 bytes, and 0"),
        ("ff" * 8, Malformation.MEMORY_CUT_SHORT, 8, "have 18446744073709551615 bytes, and 0"),
        ("00" * 8 + "ff", Malformation.UNKNOWN_OPCODE, 8, "there is no opcode 0xff"),
        ("00" * 8 + "01", Malformation.INSTRUCTION_CUT_SHORT, 9, "addr of the const.u8 at byte 8"),
        (
            "00" * 8 + "02" + "00" * 8 + "12",
            Malformation.INSTRUCTION_CUT_SHORT,
            17,
            "value of the const.u16 at byte 8 takes 2 bytes, and there are 1",
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


def instructions() -> st.SearchStrategy[Instruction]:
    def of(opcode: int) -> st.SearchStrategy[Instruction]:
        form = BY_OPCODE[opcode]
        limits = {Kind.MEMORY: ADDRESS_LIMIT, Kind.CONSTANT: form.width.limit}
        values = {each.name: st.integers(0, limits[each.kind] - 1) for each in form.encoded}
        return st.fixed_dictionaries(values).map(form.make)

    return st.sampled_from(sorted(BY_OPCODE)).flatmap(of)


@given(st.binary(max_size=40), st.lists(instructions()).map(tuple))
def test_what_is_encoded_is_decoded(memory: bytes, program: tuple[Instruction, ...]) -> None:
    whole = Program(memory=memory, instructions=program)
    assert decode(encode(whole)) == whole


@given(
    st.one_of(
        st.binary(),
        st.tuples(st.binary(max_size=8), st.lists(st.sampled_from(ITS_WIRE)).map(bytes)).map(
            lambda parts: len(parts[0]).to_bytes(8, "little") + parts[0] + parts[1]
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
