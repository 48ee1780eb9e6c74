"""Case files: what they mean, and every complaint with its exact place.

Long for its tables: each row is one way for a file to be wrong.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from harness.bytecode import assembly
from harness.cases.case import FILE_LIMIT, BytecodeCase
from harness.cases.files import CaseFile
from harness.cases.load import load, read_case
from harness.errors import InputError, Place
from harness.mode import EVERY_MODE, MODES, parse_mode
from harness.outcome import (
    FaultKind,
    Location,
    Panicked,
    Ran,
    TrapKind,
    Trapped,
    UndefinedBehaviour,
    Unsupported,
    UnsupportedKind,
)

MARK = "▸"
"""Stands in a text before the character that a complaint has to point at."""

FILE = CaseFile(path=Path("a/case.toml"), id="case")

HEAD = 'description = "Shows it."\nsource = "written for the test"\n'
PROGRAM = "program = '''\nconst.u16 0x0201 -> [2]\nadd.u8 [2], [3] -> [4]\n'''\n"
MEMORY = "size = 8\n"
EXPECT = 'memory = { 2 = "01 02 03" }\n'


def text(
    head: str = HEAD, program: str = PROGRAM, memory: str = MEMORY, expect: str = EXPECT
) -> str:
    """A case file, good unless a part is replaced."""
    return f"{head}{program}\n[memory]\n{memory}\n[expect]\n{expect}"


def read(content: str, variants: tuple[str, ...] | None = None) -> BytecodeCase:
    case = read_case(FILE, content.encode(), variants=variants)
    assert isinstance(case, BytecodeCase)
    return case


def refused(content: str, variants: tuple[str, ...] | None = None) -> InputError:
    with pytest.raises(InputError) as caught:
        read(content, variants)
    return caught.value


def check(marked: str, message: str, remedy: str, variants: tuple[str, ...] | None = None) -> None:
    """Read the text without its mark, and hold the complaint against what it has to be."""
    before, _, after = marked.partition(MARK)
    error = refused(before + after, variants)
    assert message in error.message
    assert remedy in error.remedy
    line = before.count("\n") + 1
    column = len(before) - (before.rfind("\n") + 1) + 1
    assert str(error.place) == f"a/case.toml:{line}:{column}"
    assert len(str(error)) < 300


def test_a_whole_case() -> None:
    case = read(text())
    assert case == BytecodeCase(
        id="case",
        path=FILE.path,
        description="Shows it.",
        source="written for the test",
        program=case.program,
        expected=Ran(memory=bytes.fromhex("0000 0102 0300 0000")),
        place=Place(file=FILE.name, line=3, column=11),
    )
    assert case.program.memory == bytes(8)
    assert case.program.instructions == assembly.parse(
        "const.u16 0x0201 -> [2]\nadd.u8 [2], [3] -> [4]"
    )


@pytest.mark.parametrize(
    ("memory", "content"),
    [
        ("size = 0", ""),
        ("size = 3", "00 00 00"),
        ("size = 3\nfill = 0xfe", "fe fe fe"),
        ("bytes = '01 02 03'", "01 02 03"),
        ("size = 3\nbytes = '010203'", "01 02 03"),
        ("size = 3\nbytes = '''\n01 02\n\t03'''", "01 02 03"),
        ("size = 3\nbytes = 'AB cd Ef'", "ab cd ef"),
        ("size = 3\nbytes = { 1 = '2a' }", "00 2a 00"),
        ("size = 3\nfill = 7\nbytes = { 0x1 = '2a', 0 = '01' }", "01 2a 07"),
        ("size = 3\n[memory.bytes]\n2 = '2a'", "00 00 2a"),
        ("size = 3\nbytes = {}", "00 00 00"),
        ("bytes = ''", ""),
    ],
)
def test_ways_to_write_a_memory(memory: str, content: str) -> None:
    case = read(text(program="program = ''\n", memory=memory + "\n", expect="memory = {}"))
    assert case.program.memory == bytes.fromhex(content)
    assert case.expected == Ran(memory=case.program.memory)


def test_the_expected_memory_may_be_written_whole() -> None:
    case = read(text(expect="memory = '00 00 01 02 03 00 00 00'\nsteps = 2"))
    assert case.expected == Ran(memory=bytes.fromhex("0000 0102 0300 0000"), steps=2)


def test_a_trap_leaves_the_memory_and_runs_nothing() -> None:
    expect = 'trap = "out-of-bounds"\ninstruction = 1\noperand = "addr_res"'
    case = read(text(memory="size = 8\nfill = 1\n", expect=expect))
    assert case.expected == Trapped(
        kind=TrapKind.OUT_OF_BOUNDS,
        location=Location(instruction=1, operand="addr_res"),
        memory=b"\x01" * 8,
        steps=0,
    )
    assert all(case.expected_in("raw", mode) == case.expected for mode in EVERY_MODE)


def test_a_description_of_several_lines_becomes_one() -> None:
    head = 'description = """\nOne\n  two."""\nsource = "a  b"\n'
    case = read(text(head=head))
    assert (case.description, case.source) == ("One two.", "a b")


def test_the_more_exact_mode_wins_whatever_the_order() -> None:
    expect = (
        EXPECT
        + """[expect.miri.exposed]
tree-strict = { class = "panicked", instruction = 1 }
all = { class = "ran" }
tree = { class = "unsupported", kind = "int-to-ptr", instruction = 0, operand = "addr" }
[expect.miri.reborrow]
stacked = { class = "ub", kind = "aliasing" }
"""
    )
    case = read(text(expect=expect), ("exposed", "reborrow"))
    unsupported = Unsupported(
        kind=UnsupportedKind.INT_TO_PTR,
        message="",
        location=Location(instruction=0, operand="addr"),
    )
    panicked = Panicked(message="", location=Location(instruction=1))
    assert {mode: case.expected_in("exposed", mode) for mode in EVERY_MODE} == {
        **dict.fromkeys(EVERY_MODE, None),
        **dict.fromkeys(MODES, case.expected),
        parse_mode("tree-permissive"): unsupported,
        parse_mode("tree-strict"): panicked,
    }
    fault = UndefinedBehaviour(kind=FaultKind.ALIASING, message="")
    assert case.expected_in("reborrow", parse_mode("stacked-strict")) == fault
    assert case.expected_in("reborrow", parse_mode("tree-strict")) is None
    assert case.expected_in("raw", parse_mode("stacked-strict")) is None


def test_a_mode_that_not_every_miri_has_is_named_by_itself() -> None:
    case = read(text(expect=EXPECT + '[expect.miri.raw]\ntree-writes = { class = "ran" }\n'))
    assert [str(each.mode) for each in case.expectations] == [
        "tree-writes-strict",
        "tree-writes-permissive",
    ]


def program(toml_string: str) -> str:
    return text(program=f"program = {toml_string}\n", expect="memory = {}")


def memory(lines: str) -> str:
    return text(program="program = ''\n", memory=f"{lines}\n", expect="memory = {}")


def expect(lines: str) -> str:
    return text(expect=f"{lines}\n")


def miri(lines: str) -> str:
    return text(expect=f"{EXPECT}[expect.miri]\n{lines}\n")


TOML = [
    ("foo▸\n" + text(), "not TOML: key with no value", "write key = value"),
    (text(head=HEAD + "▸source = 'b'\n"), "not TOML: duplicate key", "remove one of the two"),
    (program("▸add"), "not TOML: string values must be quoted", "in quotation marks"),
    (text() + "[▸memory]\n", "not TOML: duplicate key", "remove one of the two"),
    (HEAD + "program = '''\nadd\n▸", "not TOML: invalid multi-line literal", "ends with '''"),
    (HEAD + 'program = """\nadd\n▸', "not TOML: invalid multi-line basic", 'ends with """'),
    (HEAD + "program = 'a▸\nb'", "not TOML: invalid literal string", "docs/cases.md"),
    (HEAD + "n = " + "[" * 80 + "▸" + "[" * 9999, "max recursion depth", "nested as deeply"),
]

FIELDS = [
    ("▸", "'description' is missing", 'write description = "'),
    (MARK + text(program=""), "'program' is missing", "write program = '''…'''"),
    (f"▸{HEAD}{PROGRAM}[memory]\n{MEMORY}", "'expect' is missing", "write [expect] with memory"),
    (f"▸{HEAD}{PROGRAM}[expect]\n{EXPECT}", "'memory' is missing", "write [memory] with size"),
    (text(head="▸descripton = 'a'\n" + HEAD), "no key 'descripton'", "did you mean description?"),
    (text(head='▸"\\u001b`" = 1\n' + HEAD), "a case has no key '\\x1b`'", "there are: kind, desc"),
    (text() + "[▸extra]\n", "a case has no key 'extra'", "there are: kind, description, source"),
    (text(head="description = ▸7\nsource = 'a'\n"), "description is an integer", "description = "),
    (text(head="description = ▸[]\nsource = 'a'\n"), "is an array, but has to be a string", ""),
    (text(head="description = ▸1979-05-27\nsource = 'a'\n"), "is a date, but has to be", ""),
    (text(head="description = 'a'\nsource = ▸' '\n"), "source is empty", "say it in a sentence"),
    (
        text(head='description = "a"\nsource = "\\t ▸\\u001b"\n'),
        "'\\x1b' in a text",
        "leave it out",
    ),
    (text(head="kind = ▸'bytcode'\n" + HEAD), "no kind of case 'bytcode'", "did you mean bytecode"),
    (text(head="kind = ▸3\n" + HEAD), "the kind of a case is a string", 'write kind = "bytecode"'),
    (program("▸['add']"), "program is an array, but has to be a string", "write program = '''"),
    (f"memory = ▸3\n{HEAD}{PROGRAM}[expect]\n{EXPECT}", "has to be a table", "write [memory]"),
    (f"{HEAD}{PROGRAM}▸[[memory]]\n[expect]\n{EXPECT}", "is an array", "write [memory]"),
]

PROGRAMS = [
    (program("'''\nconst.u8 1 -> [0]\n  ▸cnst.u8 1 -> [0]\n'''"), "'cnst.u8'", "mean const.u8?"),
    (program("'''▸addd.u8'''"), "no instruction 'addd.u8'", "did you mean add.u8?"),
    (program("'''\r\n\r\n ▸addd.u8\r\n'''"), "no instruction 'addd.u8'", "did you mean add.u8?"),
    (program("'const.u8 ▸256 -> [0]'"), "does not fit into u8", "const.u16 takes this value"),
    (program('"const.u8\\t▸256 -> [0]"'), "does not fit into u8", "const.u16 takes this value"),
    (program('"#\\u00e9 \\U0001F600 é\\n  const.u8 256▸"'), "without '->'", "write const.u8"),
    (program('"▸\\""'), "unexpected character '\"'", "written like this"),
    (program('"const.u8 1 -> ▸\\u00a0[1]"'), "NO-BREAK SPACE", "written like this"),
    (program('"""\nconst.u8 1 \\\n   -> [0], ▸[1]\n"""'), "1 operand after '->', not 2", "write"),
    (program('"""\\\r\n  const.u8 1 \\  \r\n\r\n  -> ▸7"""'), "is a memory operand", "write [7]"),
    (program("'# ünï ☃'\r\n▸kin = 1"), "no key 'kin'", "did you mean kind?"),
]

MEMORIES = [
    (text(memory="").replace("[memory]", "▸[memory]"), "the memory has no size", "write size = 16"),
    (memory("fill = 1").replace("[memory]", "▸[memory]"), "has no size", "write size = 16"),
    (memory("bytes = {}").replace("[memory]", "▸[memory]"), "has no size", "write size = 16"),
    (memory("size = ▸-1"), "the memory's size is negative", "size = 0"),
    (
        memory(f"size = ▸{FILE_LIMIT + 1}"),
        "larger than a case may have",
        "1048576 bytes (1 MiB); --input-limit sets it",
    ),
    (memory("size = ▸99999999999999999999999"), "larger than a case may have", "1 MiB"),
    (memory("size = ▸0x" + "f" * 6000), "larger than a case may have", "1 MiB"),
    (memory("size = ▸16.0"), "size is a float, but has to be an integer", "write size = 16"),
    (memory("size = ▸true"), "size is true or false, but has to be an integer", "write size = 16"),
    (memory("size = ▸'16'"), "size is a string, but has to be an integer", "write size = 16"),
    (memory("▸sizes = 16"), "[memory] has no key 'sizes'", "did you mean size?"),
    (memory("size = 2\nfill = ▸256"), "the fill is no byte", "write 0 to 255"),
    (memory("size = 2\nfill = ▸-1"), "the fill is no byte", "write 0 to 255"),
    (
        memory("size = 2\n▸fill = 1\nbytes = '00 00'"),
        "a fill beside all the bytes",
        "leave out fill",
    ),
    (memory("size = 2\nbytes = ▸3"), "has to be a string or a table", 'bytes = { 2 = "2a 00" }'),
    (memory("size = 2\nbytes = ▸'00'"), "1 byte for a memory of 2 bytes", "by their address"),
    (memory("size = 1\nbytes = ▸'00 01'"), "2 bytes for a memory of 1 byte", "by their address"),
    (memory("bytes = '00 ▸g0'"), "'g' is not a hexadecimal digit", "pairs of hexadecimal digits"),
    (memory("bytes = '00 0▸g'"), "'g' is not a hexadecimal digit", "pairs of hexadecimal digits"),
    (memory("bytes = '00 0▸xff'"), "'x' is not a hexadecimal digit", "without 0x"),
    (memory("bytes = '00▸, 01'"), "',' is not a hexadecimal digit", "separated by blanks"),
    (memory("bytes = '00 ▸1 02'"), "'1' is half a byte", "a byte is two digits: 01"),
    (memory("bytes = '00 ▸1'"), "'1' is half a byte", "a byte is two digits: 01"),
    (memory("bytes = '''\n00 01\n02 ▸3\n'''"), "'3' is half a byte", "a byte is two digits: 03"),
    (memory('bytes = "\\u0030\\u0030 ▸é0"'), "'é' is not a hexadecimal digit", "pairs of hex"),
    (memory("bytes = '00 ▸٣0'"), "is not a hexadecimal digit", "pairs of hexadecimal digits"),
    (memory("size = 2\nbytes = { ▸x = '00' }"), "'x' is not an address", "a number is decimal"),
    (memory("size = 2\nbytes = { ▸01 = '00' }"), "'01' is not an address", "write 1: a decimal"),
    (memory("size = 2\nbytes = { ▸-1 = '00' }"), "not within a memory of 2", "last byte is at 1"),
    (memory("size = 2\nbytes = { ▸2 = '00' }"), "1 byte at 2 are not", "the last byte is at 1"),
    (memory("size = 2\nbytes = { ▸1 = '00 00' }"), "2 bytes at 1 are not", "the last byte is at 1"),
    (
        memory("size = 0\nbytes = { ▸0 = '00' }"),
        "memory of 0 bytes",
        "an empty memory has no bytes",
    ),
    (memory("size = 2\nbytes = { 0 = ▸'' }"), "no bytes at 0", 'write 0 = "2a"'),
    (memory("size = 2\nbytes = { 0 = ▸42 }"), "as a string of hexadecimal", 'write 0 = "2a 00"'),
    (memory("size = 2\nbytes = { 0 = '▸0' }"), "'0' is half a byte", "a byte is two digits: 00"),
    (memory("size = 4\nbytes = { 0 = '00 01', ▸1 = '02' }"), "address 1 is also written", "once"),
    (memory("size = 4\nbytes = { ▸2 = '02', 0 = '00 01 02' }"), "address 2 is also", "once"),
    (memory("size = 4\nbytes = { 1 = '00', ▸0x1 = '02' }"), "address 1 is also written", "once"),
]

TRAP = 'trap = "misaligned"\ninstruction = 0\noperand = "addr"'

EXPECTS = [
    (text(expect="").replace("[expect]", "▸[expect]"), "neither a memory nor a trap", "memory"),
    (text(expect="steps = 2").replace("[expect]", "▸[expect]"), "neither a memory nor", "memory"),
    (expect("▸result = 1"), "[expect] has no key 'result'", "there are: memory, size, steps, trap"),
    (expect("memory = ▸0"), "has to be a string or a table", 'write memory = { 2 = "2a 00" }'),
    (expect("memory = ▸'00'"), "1 byte for a memory of 8 bytes", "only some by their address"),
    (expect("memory = { ▸8 = '00' }"), "1 byte at 8 are not within", "the last byte is at 7"),
    (expect("memory = {}\nsteps = ▸-1"), "the number of steps is negative", "executed"),
    (expect("memory = {}\nsteps = ▸'2'"), "steps is a string, but has to be an int", "steps = 3"),
    (expect("▸memory = {}\n" + TRAP), "memory beside a trap", "leave it out"),
    (expect("▸steps = 0\n" + TRAP), "steps beside a trap", "leave it out"),
    (expect("memory = {}\n▸instruction = 0"), "instruction without a trap", "write trap ="),
    (expect("memory = {}\n▸operand = 'addr'"), "operand without a trap", "write trap ="),
    (expect("trap = ▸'misalligned'"), "there is no trap 'misalligned'", "did you mean misaligned?"),
    (expect("trap = ▸'xyz'"), "there is no trap 'xyz'", "there are: out-of-bounds, misaligned"),
    (expect("trap = ▸'misaligned'"), "a trap without its instruction", "write instruction = 0"),
    (expect("trap = ▸'misaligned'\ninstruction = 0"), "without its operand", "write operand ="),
    (expect(TRAP.replace("= 0", "= ▸2")), "has no such instruction", "are from 0 to 1"),
    (expect(TRAP.replace("= 0", "= ▸-1")), "has no such instruction", "are from 0 to 1"),
    (expect(TRAP.replace("= 0", "= ▸" + "9" * 30)), "has no such instruction", "are from 0 to 1"),
    (expect(TRAP.replace('"addr"', '▸"addr_res"')), "0 has no operand 'addr_res'", "are addr"),
    (program("''").replace("memory = {}", TRAP.replace("= 0", "= ▸0")), "no such", "is empty"),
    (
        expect(TRAP + "\n[expect.▸miri]"),
        "exceptions of a program that traps",
        "leave out [expect.m",
    ),
]

MIRI = [
    (expect("memory = {}\nmiri = ▸3"), "miri is an integer, but has to be a table", "VARIANT]"),
    (miri("▸rav.all = { class = 'ran' }"), "there is no variant 'rav'", "did you mean raw?"),
    (miri("raw = ▸3"), "is a table by mode", 'write stacked = { class = "ub" }'),
    (miri("raw.▸stack = {}"), "there is no mode 'stack'", "did you mean stacked?"),
    (miri("raw.▸xyz = {}"), "there is no mode 'xyz'", "there are: all, stacked, tree"),
    (miri("raw.all = ▸3"), "is an integer, but has to be a table", "write [expect.miri.raw.all]"),
    (miri("raw.all = ▸{}"), "'class' is missing", 'write class = "ub"'),
    (miri("raw.all = { class = ▸'rann' }"), "there is no class 'rann'", "did you mean ran?"),
    (miri("raw.all = { class = ▸1 }"), "class is an integer, but has to be", 'write class = "ub"'),
    (miri("raw.all = { class = 'ran', ▸at = 1 }"), "no key 'at'", "there are: class, kind"),
    (miri("raw.all = { class = 'ran', ▸kind = 'x' }"), "class 'ran' has no kind", "leave out kind"),
    (miri("raw.all = { class = 'ran', ▸operand = 'x' }"), "'ran' has no operand", "leave out op"),
    (miri("raw.all = { class = 'panicked', ▸kind = 'x' }"), "has no kind", "leave out kind"),
    (miri("raw.all = ▸{ class = 'ub' }"), "'ub' without a kind", "its kinds are aliasing, protect"),
    (miri("raw.all = { class = 'ub', kind = ▸'alias' }"), "no ub kind 'alias'", "mean aliasing?"),
    (
        miri("raw.all = { class = 'unsupported', kind = ▸'aliasing' }"),
        "there is no unsupported kind 'aliasing'",
        "there are: int-to-ptr",
    ),
    (
        miri("raw.all = { class = 'ub', kind = 'aliasing', ▸operand = 'addr' }"),
        "an operand without its instruction",
        "write instruction = 0",
    ),
    (
        miri("raw.all = { class = 'ub', kind = 'aliasing', instruction = ▸2 }"),
        "the program has no such instruction",
        "from 0 to 1",
    ),
    (
        miri("raw.all = { class = 'ub', kind = 'null', instruction = 1, operand = ▸'addr' }"),
        "instruction 1 has no operand 'addr'",
        "its operands are addr_op1, addr_op2, addr_res",
    ),
]


@pytest.mark.parametrize(
    ("marked", "message", "remedy"), [*TOML, *FIELDS, *PROGRAMS, *MEMORIES, *EXPECTS]
)
def test_complaints(marked: str, message: str, remedy: str) -> None:
    check(marked, message, remedy)


@pytest.mark.parametrize(("marked", "message", "remedy"), MIRI)
def test_complaints_about_expectations(marked: str, message: str, remedy: str) -> None:
    check(marked, message, remedy, variants=("raw", "reborrow"))


def test_any_variant_will_do_where_none_are_named() -> None:
    assert read(miri("mine.all = { class = 'ran' }")).expectations[0].variant == "mine"


def test_a_byte_order_mark_is_no_column() -> None:
    assert read("\ufeff" + text()) == read(text())
    assert str(refused("\ufeffx = 1\n" + text()).place) == "a/case.toml:1:1"


def test_windows_line_ends_change_nothing() -> None:
    assert read(text().replace("\n", "\r\n")) == read(text())


@pytest.mark.parametrize(
    ("data", "place", "message"),
    [
        (b"\xff", "a/case.toml:1:1", "byte 0xff at offset 0 is not UTF-8"),
        (b"a = 1\nb = '\xc3\xa9\xe9'\n", "a/case.toml:2:7", "byte 0xe9 at offset 13 is not UTF-8"),
        (b"\xef\xbb\xbfa\x80", "a/case.toml:1:2", "byte 0x80 at offset 4 is not UTF-8"),
        (b"a = '\xed\xa0\x80'", "a/case.toml:1:6", "byte 0xed at offset 5 is not UTF-8"),
        (b"a = '\xe2\x82", "a/case.toml:1:6", "byte 0xe2 at offset 5 is not UTF-8"),
    ],
)
def test_bytes_that_are_not_utf8(data: bytes, place: str, message: str) -> None:
    with pytest.raises(InputError) as caught:
        read_case(FILE, data)
    assert str(caught.value.place) == place
    assert message in caught.value.message
    assert caught.value.remedy.startswith("save the file as UTF-8")


def test_utf16_is_recognised() -> None:
    with pytest.raises(InputError, match="looks like UTF-16"):
        read_case(FILE, text().encode("utf-16"))


def test_a_null_byte_is_not_toml() -> None:
    assert str(refused("a = '\0'").place) == "a/case.toml:1:6"


def test_the_largest_memory_is_read() -> None:
    last = FILE_LIMIT - 1
    case = read(memory(f"size = {FILE_LIMIT}\nfill = 7\nbytes = {{ {last} = '2a' }}"))
    assert case.program.memory == b"\x07" * last + b"\x2a"


def is_refused_or_read(data: bytes) -> None:
    """Reading gives a case or an InputError with a place in the file, and nothing else."""
    try:
        read_case(FILE, data, variants=("raw",))
    except InputError as complaint:
        error = complaint
    else:
        return
    assert error.message
    assert error.remedy
    assert error.place is not None
    assert error.place.file == "a/case.toml"
    lines = data.split(b"\n")
    assert 1 <= error.place.line <= len(lines)
    line = lines[error.place.line - 1].decode("utf-8", "replace")
    assert 1 <= error.place.column <= len(line) + 1


@given(st.binary())
def test_any_bytes(data: bytes) -> None:
    is_refused_or_read(data)


GOOD = [
    text(),
    expect(TRAP),
    miri("raw.all = { class = 'ub', kind = 'aliasing', instruction = 0, operand = 'addr' }"),
    memory("size = 3\nfill = 7\nbytes = { 0x1 = '2a', 0 = '01' }"),
    program('"""\nconst.u8 1 \\\n   -> [0] # \\u00e9\n"""'),
]
PIECES = ["'", '"', "'''", '"""', "\\", "\n", "\r", "[", "]", "{", "}", "=", "-", "9" * 5000, "é"]


@given(st.sampled_from(GOOD), st.data())
def test_any_damage_to_a_good_file(content: str, data: st.DataObject) -> None:
    raw = content.encode()
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(raw)))
        cut = data.draw(st.integers(0, 12))
        pieces = st.one_of(st.sampled_from(PIECES).map(str.encode), st.binary(max_size=4))
        raw = raw[:at] + data.draw(pieces) + raw[at + cut :]
    is_refused_or_read(raw)


VALUES = st.recursive(
    st.one_of(
        st.integers().map(str),
        st.sampled_from(["true", "1.5", "nan", "''", "'00'", "1979-05-27", "0x" + "f" * 5000]),
        st.sampled_from(["'ran'", "'ub'", "'aliasing'", "'misaligned'", "'addr'", "'bytecode'"]),
    ),
    lambda values: st.one_of(
        st.lists(values, max_size=3).map(lambda each: f"[{', '.join(each)}]"),
        st.dictionaries(st.sampled_from(["0", "all", "class", "size", "raw"]), values).map(
            lambda table: f"{{ {', '.join(f'{key} = {value}' for key, value in table.items())} }}"
        ),
    ),
    max_leaves=5,
)


@given(st.sampled_from(GOOD), st.data())
def test_any_value_in_the_place_of_another(content: str, data: st.DataObject) -> None:
    lines = content.split("\n")
    places = [number for number, line in enumerate(lines) if " = " in line]
    number = data.draw(st.sampled_from(places))
    key = lines[number].partition(" = ")[0]
    lines[number] = f"{key} = {data.draw(VALUES)}"
    is_refused_or_read("\n".join(lines).encode())


def test_good_cases_are_loaded_beside_bad_ones(tmp_path: Path) -> None:
    (tmp_path / "a-good.toml").write_text(text())
    (tmp_path / "b-bad.toml").write_text(text(memory="size = -1\n"))
    (tmp_path / "c-good.toml").write_text(text())
    (tmp_path / "d-bad.toml").write_bytes(b"\xff")
    loaded = load([tmp_path])
    assert [case.id for case in loaded.cases] == ["a-good", "c-good"]
    assert [str(error.place) for error in loaded.errors] == [
        f"{tmp_path}/b-bad.toml:9:8",
        f"{tmp_path}/d-bad.toml:1:1",
    ]


def test_the_variants_that_there_are_reach_the_reader(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text(miri("mine.all = { class = 'ran' }"))
    assert not load([tmp_path]).errors
    assert "no variant 'mine'" in load([tmp_path], variants=("raw",)).errors[0].message
