"""Sets of pointer programs: what is refused, with its place, and what a set can hold."""

from __future__ import annotations

import random

import pytest

from harness.errors import InputError
from harness.mode import MODES, parse_mode
from harness.model.machine import judge
from harness.outcome import Location, Panicked, Ran, UndefinedBehaviour, Unsupported
from harness.pointer.generator import generate
from harness.pointer.json_place import find_value, parse_path
from harness.pointer.jsonl import OPS, Entry, read_set, write_line
from harness.pointer.program import PointerProgram

LOCAL = '{"op":"local","to":"x","size":1,"init":0}'


def line(program: str = LOCAL, expected: str = "{}", id: str = '"a"') -> bytes:
    return f'{{"id":{id},"program":[{program}],"expected":{expected}}}'.encode()


def error(text: bytes) -> InputError:
    (found,) = read_set("s.jsonl", [text])
    assert isinstance(found, InputError), found
    return found


@pytest.mark.parametrize(
    ("text", "column", "what"),
    [
        (line('{"op":"lokal","to":"x","size":1,"init":0}'), 28, "there is no statement 'lokal'"),
        (line('{"op":"local","to":"x","init":0}'), 22, "object missing required field `size`"),
        (line('{"op":"local","to":"x","size":"1","init":0}'), 52, "expected `int`, got `str`"),
        (
            line('{"op":"local","to":"x","size":1,"init":0,"at":2}'),
            68,
            "there is no field 'at' here",
        ),
        (line(LOCAL + ',{"op":"read","ptr":"y","at":0,"width":1}'), 64, "there is no variable y"),
        (line('{"op":"call","args":[],"body":[{"op":"drop_box","ptr":"b"}]}'), 53, "no variable b"),
        (line(id="1"), 7, "expected `str`, got `int`"),
        (line(expected='{"tree":{"class":"ran","checksum":0}}'), 84, "there is no mode 'tree'"),
        (
            line(expected='{"tree-strict":{"class":"run","checksum":0}}'),
            76,
            "outcome or kind 'run'",
        ),
        (b'{"id":"a","program":[', 22, "the line is no JSON"),
        (line() + b" {}", 80, "the line is no JSON"),
        (b'{"id":"\xff"}', 8, "the line is not UTF-8"),
        (b"[]", 1, "expected `object`, got `array`"),
    ],
)
def test_a_malformed_line_is_named_with_its_place(text: bytes, column: int, what: str) -> None:
    found = error(text)
    assert found.place is not None
    assert str(found.place) == f"s.jsonl:1:{column}", found
    assert what in found.message
    assert found.remedy


def test_an_unknown_statement_is_answered_with_all_there_are() -> None:
    found = error(line('{"op":"foo"}'))
    for op in OPS:
        assert op in found.remedy


def test_columns_count_characters() -> None:
    found = error('{"id":"äöü","program":[{"op":"?"}],"expected":{}}'.encode())
    assert found.place is not None
    assert found.place.column == 30


def test_the_other_lines_are_read_all_the_same() -> None:
    lines = [line(), b"", b"?", line(id='"b"'), line(), b"  \n", line(id='"c"')]
    found = list(read_set("s", lines))
    assert [each.id if isinstance(each, Entry) else each.place for each in found] == [
        "a",
        found[1].place,
        "b",
        found[3].place,
        "c",
    ]
    again = found[3]
    assert isinstance(again, InputError)
    assert "stands in line 1 already" in again.message
    assert str(again.place) == "s:5:1"


def test_expected_outcomes_are_read() -> None:
    expected = (
        '{"stacked-strict":{"class":"ran","checksum":null},'
        '"tree-writes-permissive":{"class":"ub","kind":"aliasing","message":"no","at":[3,0]},'
        '"none-strict":{"class":"unsupported","kind":"int-to-ptr","message":"no","at":[1]}}'
    )
    (entry,) = read_set("s", [line(expected=expected)])
    assert isinstance(entry, Entry)
    assert entry.expected[parse_mode("stacked-strict")] == Ran(checksum=None)
    ub = entry.expected[parse_mode("tree-writes-permissive")]
    assert isinstance(ub, UndefinedBehaviour)
    assert (ub.kind, ub.location) == ("aliasing", Location(path=(3, 0)))
    assert isinstance(entry.expected[parse_mode("none-strict")], Unsupported)
    assert write_line(entry).encode() == line(expected=expected)


@pytest.mark.parametrize("seed", range(60))
def test_what_is_written_is_read_back(seed: int) -> None:
    program = generate(random.Random(seed), 20)
    outcomes = {mode: judge(program, mode) for mode in MODES}
    expected = {
        mode: outcome
        for mode, outcome in outcomes.items()
        if isinstance(outcome, Ran | UndefinedBehaviour | Unsupported)
    }
    entry = Entry(id="é", program=program, expected=expected)
    (back,) = read_set("s", [write_line(entry).encode()])
    assert isinstance(back, Entry), back
    assert back.program == program
    for mode, outcome in expected.items():
        again = back.expected[mode]
        assert type(again) is type(outcome)
        for name in ("kind", "checksum", "memory", "message"):
            assert getattr(again, name, None) == getattr(outcome, name, None)


def test_a_set_holds_no_outcome_of_another_class() -> None:
    entry = Entry(
        id="a", program=PointerProgram(statements=()), expected={MODES[0]: Panicked(message="no")}
    )
    with pytest.raises(InputError, match="holds no outcome panicked"):
        write_line(entry)


def test_a_path_leads_to_its_value() -> None:
    text = '{ "a" : [1, {"b\\n": "]}", "c": [ 2 ,3]} ], "d": {} }'
    assert parse_path("$.program[3].args[0].size") == ("program", 3, "args", 0, "size")
    assert parse_path("$.expected[...].kind") == ("expected",)
    assert text[find_value(text, ("a", 1, "c", 1))] == "3"
    assert text[find_value(text, ("a", 0))] == "1"
    assert find_value(text, ("a", 7)) == text.index("[")
    assert find_value(text, ()) == 0
