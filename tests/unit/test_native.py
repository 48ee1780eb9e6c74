"""The extension: the Rust VM in process, and TOML with places."""

from __future__ import annotations

import datetime
import subprocess
import sys
import tomllib

import pytest
from hypothesis import given, strategies as st

from harness import _native
from harness.bytecode.operands import Width
from harness.bytecode.program import Binary, BinaryOperator, Program, WriteConst
from harness.bytecode.wire import encode
from harness.errors import TomlError

ADD = BinaryOperator.ADD

VARIANTS = [
    "reborrow",
    "owner",
    "deref-mut",
    "raw",
    "slice-ptr",
    "wrapped",
    "cell",
    "cell-slice",
    "exposed",
    "index",
    "non-null",
    "with-addr",
    "atomic",
    "unsafe-cell",
    "vm-ptr",
    "unexposed",
    "transmuted",
    "shared-base",
    "cached-base",
    "kept-borrow",
    "lent-borrow",
    "non-null-as-integer",
]
SOUND = VARIANTS[3:15]


def add(width: Width, op1: int, op2: int, res: int) -> Binary:
    return Binary(operator=ADD, width=width, addr_op1=op1, addr_op2=op2, addr_res=res)


# The Rust VM


def test_the_variants_are_those_of_the_table() -> None:
    assert _native.variants() == VARIANTS


@pytest.mark.parametrize("variant", SOUND)
def test_a_program_runs(variant: str) -> None:
    program = Program(
        instructions=(
            WriteConst(width=Width.U16, addr=2, value=0x1234),
            WriteConst(width=Width.U8, addr=0, value=0xFF),
            add(Width.U8, 0, 0, 1),
            add(Width.U16, 2, 2, 4),
        ),
        memory=bytes(6),
    )
    ran = _native.run(variant, encode(program))
    assert isinstance(ran, _native.Ran)
    assert ran.steps == 4
    assert ran.memory == bytes.fromhex("fffe34126824")


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_trap_leaves_the_memory_as_it_was(variant: str) -> None:
    program = Program(
        instructions=(WriteConst(width=Width.U8, addr=0, value=9), add(Width.U16, 0, 1, 0)),
        memory=b"\x01\x02\x03\x04",
    )
    trapped = _native.run(variant, encode(program))
    assert isinstance(trapped, _native.Trapped)
    assert (trapped.kind, trapped.instruction, trapped.operand) == ("misaligned", 1, "addr_op2")
    assert trapped.memory == program.memory


def test_bounds_come_before_alignment() -> None:
    program = Program(instructions=(WriteConst(width=Width.U16, addr=3, value=9),), memory=bytes(4))
    trapped = _native.run("raw", encode(program))
    assert isinstance(trapped, _native.Trapped)
    assert trapped.kind == "out-of-bounds"


@pytest.mark.parametrize("variant", VARIANTS)
def test_nothing_over_nothing(variant: str) -> None:
    ran = _native.run(variant, encode(Program(instructions=(), memory=b"")))
    assert isinstance(ran, _native.Ran)
    assert (ran.steps, ran.memory) == (0, b"")


def test_an_unknown_variant_is_named_with_those_that_exist() -> None:
    with pytest.raises(ValueError, match=r'"rav"; the variants are reborrow, .*, index'):
        _native.run("rav", bytes(16))


@pytest.mark.parametrize(
    ("wire", "message"),
    [
        (b"", "ends in the middle"),
        (b"\x01" + bytes(7), "ends in the middle"),
        (b"\xff" * 9, "ends in the middle"),
        (bytes(16) + b"\x01", "ends in the middle"),
        (bytes(16) + b"\xff", r"no opcode is 0xff \(byte 16"),
    ],
)
def test_a_malformed_program_is_refused(wire: bytes, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        _native.run("raw", wire)


def test_results_cannot_be_changed() -> None:
    ran = _native.run("raw", bytes(16))
    with pytest.raises(AttributeError):
        ran.memory = b"x"  # type: ignore[misc]


# TOML with places


def test_values_are_those_of_tomllib() -> None:
    text = """
        integers = [0, -17, +3, 1_000, 0xdead_beef, 0o17, 0b101, 123456789012345678901234567890]
        floats = [1.5, -0.25e2, 6_0.0, inf, -inf]
        booleans = [true, false]
        strings = ["a\\tb\\u00e9", 'C:\\raw', '''
literal''']
        dates = [1979-05-27T07:32:00Z, 1979-05-27 07:32:00.123456-07:30, 1979-05-27, 07:32:00]
        nested = { a.b = 1, "c d" = [{ e = 2 }] }
        [table.sub]
        x = 1
        [[array]]
        y = 2
        [[array]]
        [[array.inner]]
    """
    values, _ = _native.parse_toml(text)
    assert values == tomllib.loads(text)
    dates = values["dates"]
    assert isinstance(dates, list)
    assert [type(date) for date in dates] == [datetime.datetime] * 2 + [
        datetime.date,
        datetime.time,
    ]


FRAGMENTS = st.lists(
    st.sampled_from(
        [
            *[
                "a",
                "b",
                '"é"',
                "'c'",
                ".",
                " = ",
                "=",
                "\n",
                "\r\n",
                "[",
                "]",
                "[[",
                "]]",
                "{",
                "}",
            ],
            *[",", " ", "#", "1", "-2", "0x1F", "1.5", "1e5", "nan", "true", "falsy", '"', '"""'],
            *["'''", "\\n", "\\u00e9", "2020-01-01", "07:32:00", "T", "Z", "_", "\t", "\x00"],
        ]
    ),
    max_size=12,
).map("".join)


def parsed(text: str) -> dict[str, object] | TomlError:
    try:
        return _native.parse_toml(text)[0]
    except TomlError as error:
        return error


def parsed_by_tomllib(text: str) -> dict[str, object] | None:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return None


@given(FRAGMENTS)
def test_what_tomllib_reads_is_read_alike_and_the_rest_has_a_place(text: str) -> None:
    found = parsed(text)
    expected = parsed_by_tomllib(text)
    if isinstance(found, TomlError):
        assert expected is None
        lines = text.split("\n")
        assert 1 <= found.line <= len(lines)
        assert 1 <= found.column <= len(lines[found.line - 1]) + 1
    elif expected is not None:  # tomllib knows TOML 1.0 only
        assert repr(found) == repr(expected)


TEXT = '''\
description = "é" # é
"ключ" . inner = 'x'
program = """
add u8
"""
[expect.raw]
ran = true
[[step]]
ops = [ 1,
  { name = "n" } ]
[[step]]
'''


def test_every_key_and_value_has_its_place() -> None:
    _, places = _native.parse_toml(TEXT)
    seen = {path: (place.key, place.value) for path, place in places.items()}
    assert seen == {
        (): (None, (1, 1)),
        ("description",): ((1, 1), (1, 15)),
        ("ключ",): ((2, 1), (2, 1)),
        ("ключ", "inner"): ((2, 10), (2, 18)),
        ("program",): ((3, 1), (3, 11)),
        ("expect",): ((6, 2), (6, 2)),
        ("expect", "raw"): ((6, 9), (6, 1)),
        ("expect", "raw", "ran"): ((7, 1), (7, 7)),
        ("step",): ((8, 3), (8, 1)),
        ("step", 0): (None, (8, 1)),
        ("step", 0, "ops"): ((9, 1), (9, 7)),
        ("step", 0, "ops", 0): (None, (9, 9)),
        ("step", 0, "ops", 1): (None, (10, 3)),
        ("step", 0, "ops", 1, "name"): ((10, 5), (10, 12)),
        ("step", 1): (None, (11, 1)),
    }


def test_strings_keep_their_source_text() -> None:
    _, places = _native.parse_toml(TEXT)
    assert {path: place.raw for path, place in places.items() if place.raw is not None} == {
        ("description",): '"é"',
        ("ключ", "inner"): "'x'",
        ("program",): '"""\nadd u8\n"""',
        ("step", 0, "ops", 1, "name"): '"n"',
    }


def test_a_byte_order_mark_is_no_column() -> None:
    _, places = _native.parse_toml("\ufeffa = 1")
    assert (places[("a",)].key, places[("a",)].value) == ((1, 1), (1, 5))


@pytest.mark.parametrize(
    ("text", "line", "column", "message"),
    [
        ('a = "x\n', 1, 7, "basic string"),
        ("é = 1", 1, 1, "unquoted key"),
        ("# é\na = 1\n\na = 2", 4, 1, "duplicate key"),
        ("'é' = 1\n'b' = @", 2, 7, "string"),
        ("'é' = [1, 2", 1, 12, "unclosed array"),
        ("a = 1\r\nb\r\n", 2, 2, "key with no value"),
        ("[a]\n[b]\n[a]", 3, 2, "duplicate key"),
        ("a = 1\n[a.b]", 2, 2, "dotted key"),
        ("d = 2020-13-01", 1, 5, "month"),
        ("d = 2021-02-29", 1, 5, "day"),
        ("t = 07:32:60", 1, 5, "second"),
        ("b = 1\na = ", 2, 5, "value"),
    ],
)
def test_a_mistake_has_its_line_and_column(text: str, line: int, column: int, message: str) -> None:
    with pytest.raises(TomlError) as raised:
        _native.parse_toml(text)
    assert (raised.value.line, raised.value.column) == (line, column)
    assert message in raised.value.message
    assert str(raised.value) == f"{line}:{column}: {raised.value.message}"


def test_the_first_of_several_mistakes_is_told() -> None:
    with pytest.raises(TomlError) as raised:
        _native.parse_toml("a = 1\na = 2\nb = @\n")
    assert raised.value.line == 2


def test_no_depth_of_nesting_ends_the_process() -> None:
    key = ".".join("a" * 79)
    for text in [
        "a = " + "[" * 100_000,
        ".".join("a" * 100_000) + " = 1",
        "a = " + f"{{{key} = " * 79 + "1" + "}" * 79,
    ]:
        with pytest.raises(TomlError):
            _native.parse_toml(text)


def test_the_command_line_starts_without_the_extension() -> None:
    code = "import sys, harness.cli.main; sys.exit('harness._native' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
