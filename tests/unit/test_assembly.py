"""The assembly text: what it means, how it is written, and every complaint with its place."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from harness.bytecode import assembly
from harness.bytecode.instruction_set import FORMS, Form, Kind
from harness.bytecode.operands import ADDRESS_LIMIT, Width
from harness.bytecode.program import (
    Binary,
    BinaryOperator,
    Branch,
    Halt,
    Instruction,
    Jump,
    WriteConst,
)
from harness.errors import InputError
from tests.unit.instruction_strategies import SEQUENCES

ADD = BinaryOperator.ADD

MARK = "▸"
"""Stands in a text before the character that a complaint has to point at."""


def test_the_lines_of_the_thread() -> None:
    text = """
    const.u16 2 -> [2]          # a comment
    add.u16 [2], [4] -> [6]
    """
    assert assembly.parse(text) == (
        WriteConst(width=Width.U16, addr=2, value=2),
        Binary(operator=ADD, width=Width.U16, addr_op1=2, addr_op2=4, addr_res=6),
    )


@pytest.mark.parametrize(
    ("text", "value", "addr"),
    [
        ("const.u8 42 -> [7]", 42, 7),
        ("const.u8 0x2a -> [0x7]", 42, 7),
        ("const.u8 0x2A -> [0b111]", 42, 7),
        ("const.u8 0b10_1010 -> [0b111]", 42, 7),
        ("const.u16 65_535 -> [1_000]", 65_535, 1_000),
        ("const.u16 0xff_ff -> [0xffff_ffff_ffff_ffff]", 65_535, ADDRESS_LIMIT - 1),
        ("\tconst.u8\t42->[ 7 ]#comment", 42, 7),
        ("const.u8 0 -> [0]\r\n", 0, 0),
    ],
)
def test_ways_to_write_numbers_and_blanks(text: str, value: int, addr: int) -> None:
    (instruction,) = assembly.parse(text)
    assert isinstance(instruction, WriteConst)
    assert (instruction.value, instruction.addr) == (value, addr)


@pytest.mark.parametrize("text", ["", "\n", "\r\n\r\n", "  # only a comment", "#"])
def test_texts_without_an_instruction(text: str) -> None:
    assert assembly.parse(text) == ()


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.mnemonic)
def test_every_form_is_read_and_written(form: Form) -> None:
    numbers = {
        field.name: 0 if field.kind is Kind.TARGET else 3 + index
        for index, field in enumerate(form.written)
    }
    text = form.write(lambda field: "at_0" if field.kind is Kind.TARGET else numbers[field.name])
    assert assembly.parse(f"at_0: {text}") == (form.make(numbers),)
    assert assembly.format_instruction(form.make(numbers)) == text


def test_labels() -> None:
    text = """
    start: again:
        jump end            # forward
        jump_if.u16 [2], again
        halt
    end:
    """
    assert assembly.parse(text) == (
        Jump(target=3),
        Branch(on_zero=False, width=Width.U16, addr=2, target=0),
        Halt(),
    )
    written = "at_0:\njump at_3\njump_if.u16 [2], at_0\nhalt\nat_3:\n"
    assert assembly.format(assembly.parse(text)) == written


def test_the_text_of_the_two_families() -> None:
    program = (
        WriteConst(width=Width.U16, addr=2, value=40),
        Binary(operator=ADD, width=Width.U8, addr_op1=1, addr_op2=2, addr_res=3),
    )
    assert assembly.format(program) == "const.u16 40 -> [2]\nadd.u8 [1], [2] -> [3]\n"


COMPLAINTS = [
    ("jump ▸there", "there is no label 'there'", "write there: where it stands for"),
    ("again: jump ▸agian", "there is no label 'agian'", "did you mean again?"),
    ("again: ▸again: halt", "the label 'again' is there already", "a name of its own"),
    ("▸add.u8: halt", "'add.u8' is no label", "a label is a name, such as again:"),
    ("▸7: halt", "'7' is no label", "a label is a name, such as again:"),
    ("jump ▸7", "target of jump is a target", "write a label: jump target, and target: before"),
    ("jump_if.u8 [7]▸", "jump_if.u8 has 2 operands", "jump_if.u8 [addr], target"),
    ("halt ▸[0]", "halt has 0 operands before '->', not 1", "write halt"),
    ("add.u8 ▸sum, [1] -> [2]", "addr_op1 of add.u8 is a memory operand", "add.u8 [addr_op1]"),
    ("▸addd.u8 [0], [1] -> [2]", "no instruction 'addd.u8'", "did you mean add.u8?"),
    ("▸ADD.U8 [0], [1] -> [2]", "there is no instruction 'ADD.U8'", "in lower case: add.u8"),
    ("▸add [0], [1] -> [2]", "there is no instruction 'add'", "add.u8 or add.u16"),
    ("▸add.u24 [0], [1] -> [2]", "there is no instruction 'add.u24'", "add.u8 or add.u16"),
    ("▸frobnicate 1", "no instruction 'frobnicate'", "const, move, not, add, sub, "),
    ("▸[0]", "'[' where a mnemonic is wanted", "begins with its mnemonic"),
    ("▸-> [0]", "'->' where a mnemonic is wanted", "begins with its mnemonic"),
    ("▸16", "'16' where a mnemonic is wanted", "begins with its mnemonic"),
    ("add.u16 [2], [4], [6]▸", "add.u16 without '->'", "add.u16 [addr_op1], [addr_op2] -> [addr"),
    ("const.u8 1▸ # -> [2]", "const.u8 without '->'", "write const.u8 value -> [addr]"),
    ("const.u8▸", "const.u8 without '->'", "write const.u8 value -> [addr]"),
    ("add.u8 [0] ▸-> [2]", "add.u8 has 2 operands before '->', not 1", "write add.u8 [addr_op1]"),
    ("add.u8 [0], [1], ▸[2] -> [3]", "2 operands before '->', not 3", "write add.u8 [addr_op1]"),
    ("add.u8 [0], [1] ->▸", "add.u8 has 1 operand after '->', not 0", "write add.u8 [addr_op1]"),
    ("const.u8 1 -> [0], ▸[1]", "1 operand after '->', not 2", "write const.u8 value -> [addr]"),
    ("const.u8 1 -> [0] ▸-> [1]", "a second '->' in one line", "write const.u8 value -> [addr]"),
    ("const.u8 1 -> [0] ▸const.u8 2 -> [1]", "unexpected 'const.u8'", "begin a new line here"),
    ("const.u8 1 -> [0] ▸twice", "unexpected 'twice'", "write const.u8 value -> [addr]"),
    ("const.u8 1 -> [0] ▸]", "unexpected ']'", "write const.u8 value -> [addr]"),
    ("add.u8 [0] ▸[1] -> [2]", "no comma before '['", "operands are separated by commas"),
    ("const.u8 1 ▸2 -> [2]", "no comma before '2'", "operands are separated by commas"),
    ("add.u8 [0], [1], ▸-> [2]", "'->' where an operand is wanted", "write add.u8"),
    ("add.u8 ▸, [1] -> [2]", "',' where an operand is wanted", "write add.u8"),
    ("const.u8 1 -> [0],▸", "the line ends where an operand is wanted", "write const.u8"),
    ("const.u8 1 -> [▸]", "']' where an address is wanted", "write const.u8 value -> [addr]"),
    ("const.u8 1 -> [▸x]", "'x' where an address is wanted", "write const.u8 value -> [addr]"),
    ("const.u8 1 -> ▸[[0]]", "addr of const.u8 is a memory operand", "write [0]"),
    ("load.u8 ▸[0] -> [1]", "addr_op of load.u8 is a memory operand whose", "write [[0]]"),
    ("load.u8 [[0]▸ -> [1]", "no ']' after the address", "write [[0]]"),
    ("load.u8 [[▸[0]]] -> [1]", "'[' where an address", "load.u8 [[addr_op]] -> [addr_res]"),
    ("copy [[0]], ▸[[8]] -> [[0]]", "addr_size of copy is a memory operand", "write [8]"),
    ("const.u8 1 -> [▸", "the line ends where an address is wanted", "write const.u8"),
    ("const.u8 1 -> [0▸", "no ']' after the address", "write [0]"),
    ("add.u8 [0▸, [1] -> [2]", "no ']' after the address", "write [0]"),
    ("const.u8 1 -> ▸0", "addr of const.u8 is a memory operand", "write [0]"),
    ("add.u8 [0], ▸1 -> [2]", "addr_op2 of add.u8 is a memory operand", "write [1]"),
    ("const.u8 ▸[1] -> [2]", "value of const.u8 is a constant", "write 1"),
    ("const.u8 ▸256 -> [0]", "'256' does not fit into u8", "0 to 255; const.u16 takes this value"),
    ("const.u16 ▸0x1_0000 -> [0]", "'0x1_0000' does not fit into u16", "a u16 is from 0 to 65535"),
    ("const.u8 ▸-1 -> [0]", "'-1' is negative", "in two's complement it is 255 (0xff)"),
    ("const.u16 ▸-2 -> [0]", "'-2' is negative", "in two's complement it is 65534 (0xfffe)"),
    ("const.u8 ▸-129 -> [0]", "'-129' does not fit into u8", "a u8 is from 0 to 255"),
    ("const.u8 1 -> [▸-1]", "the address '-1' is negative", "which is [0]"),
    ("const.u8 1 -> [▸0x1_0000_0000_0000_0000]", "does not fit into 64 bits", "0xffffffffffffffff"),
    ("const.u8 ▸1.5 -> [0]", "'1.5' is not a number", "a number is decimal (42), hexadecimal"),
    ("const.u8 ▸12a -> [0]", "'12a' is not a number", "a number is decimal (42), hexadecimal"),
    ("const.u8 ▸1_ -> [0]", "'1_' is not a number", "a number is decimal (42), hexadecimal"),
    ("const.u8 ▸0x -> [0]", "'0x' is not a number", "a number is decimal (42), hexadecimal"),
    ("const.u8 ▸0b12 -> [0]", "'0b12' is not a number", "a number is decimal (42), hexadecimal"),
    ("const.u8 ▸010 -> [0]", "'010' is not a number", "write 10: a decimal number has no leading"),
    ("const.u8 ▸00 -> [0]", "'00' is not a number", "write 0: a decimal number has no leading"),
    ("const.u8 ▸0X10 -> [0]", "'0X10' is not a number", "write 0x10: the prefix is in lower case"),
    ("const.u8 ▸" + "9" * 101 + " -> [0]", "has 101 characters", "more than 100"),
    ("const.u8 ▸0x" + "f" * 9999 + " -> [0]", "has 10001 characters", "more than 100"),
    ("const.u8 1 -> [0] ▸; comment", "unexpected character ';'", "a comment begins with #"),
    ("const.u8 1 -> [0] ▸// comment", "unexpected character '/'", "a comment begins with #"),
    ("const.u8 1 ▸= [0]", "unexpected character '='", "the destination stands last, after ->"),
    ("const.u8 1 ▸→ [0]", "'→' (U+2192, RIGHTWARDS ARROW)", "an arrow is written ->"),
    ("const.u8 ▸+1 -> [0]", "unexpected character '+'", "a number has no sign"),
    ("const.u8 1 ▸- > [0]", "unexpected character '-'", "an arrow is written ->"),
    ("const.u8 1 -> ▸(0)", "unexpected character '('", "in square brackets: [2]"),
    ("const.u8 1 ->▸\xa0[0]", "'\\xa0' (U+00A0, NO-BREAK SPACE)", "written like this: add.u16"),
    ("const.u8 1 -> [0]▸\x00", "'\\x00' (U+0000, a control character)", "written like this"),
    ("const.u8 1 -> [0]▸\rconst.u8 1 -> [0]", "'\\r' (U+000D", "written like this"),
    ("# ünï\nconst.u8 1 -> [0]\n\n  const.u8 ▸256 -> [0]", "'256' does not fit", "const.u16"),
    ("# one\r\n# two\r\nconst.u8 ▸256 -> [0]\r\n", "'256' does not fit", "const.u16"),
]


@pytest.mark.parametrize(("marked", "message", "remedy"), COMPLAINTS)
def test_complaints(marked: str, message: str, remedy: str) -> None:
    text = marked.replace(MARK, "")
    before = marked[: marked.index(MARK)]
    with pytest.raises(InputError) as caught:
        assembly.parse(text)
    error = caught.value
    assert message in error.message
    assert remedy in error.remedy
    assert error.place is not None
    assert error.place.line == before.count("\n") + 1
    assert error.place.column == len(before) - (before.rfind("\n") + 1) + 1
    assert str(error).isprintable() or "\n" in str(error)
    assert len(str(error)) < 300


def test_the_first_mistake_is_the_one_that_is_named() -> None:
    with pytest.raises(InputError) as caught:
        assembly.parse("const.u8 1 -> [0]\nconst.u8 1\nconst.u8")
    assert str(caught.value.place) == "<assembly>:2:11"


@given(SEQUENCES)
def test_what_is_written_is_read_back(program: tuple[Instruction, ...]) -> None:
    assert assembly.parse(assembly.format(program)) == program


@given(SEQUENCES, st.data())
def test_a_damaged_text_is_read_or_refused_with_a_place_in_it(
    program: tuple[Instruction, ...], data: st.DataObject
) -> None:
    text = assembly.format(program)
    at = data.draw(st.integers(0, len(text)))
    cut = data.draw(st.integers(0, 4))
    text = text[:at] + data.draw(st.text(max_size=4)) + text[at + cut :]
    lines = text.split("\n")
    try:
        assembly.parse(text)
    except InputError as complaint:
        error = complaint
    else:
        return
    assert error.remedy
    assert error.place is not None
    assert 1 <= error.place.line <= len(lines)
    assert 1 <= error.place.column <= len(lines[error.place.line - 1]) + 1


@pytest.mark.parametrize("value", [-1, 256])
def test_an_instruction_holds_only_what_its_width_can(value: int) -> None:
    with pytest.raises(ValueError, match="value is"):
        WriteConst(width=Width.U8, addr=0, value=value)


@pytest.mark.parametrize("field", ["addr_op1", "addr_op2", "addr_res"])
@pytest.mark.parametrize("addr", [-1, ADDRESS_LIMIT])
def test_an_instruction_holds_only_addresses_of_64_bits(field: str, addr: int) -> None:
    addresses = {"addr_op1": 0, "addr_op2": 0, "addr_res": 0, field: addr}
    with pytest.raises(ValueError, match=field):
        Binary(operator=ADD, width=Width.U8, **addresses)
