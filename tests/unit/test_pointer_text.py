"""The text form of pointer programs: every statement, both ways, and every complaint's place."""

from __future__ import annotations

import random

import msgspec
import pytest
from hypothesis import given, strategies as st

from harness.bytecode.tokens import locate_in
from harness.errors import InputError
from harness.pointer import program as p
from harness.pointer.generator import generate
from harness.pointer.listing import statement_lines
from harness.pointer.text import format, parse

BEFORE = """\
local x = [0; 8]
local y = [uninit; 4] align 4
static g = [1, 2, 255] align 2
h = alloc(16, align 8)
m = &mut x
s = &x
c = &cell *h
k = &mix *h
i = 5
"""
"""A variable of every kind."""

STATEMENTS: dict[str, p.AnyStatement] = {
    "local z = [7; 4]": p.Local(to="z", size=4, init=7),
    "local z = [0x07, 255]": p.Local(to="z", size=2, init="07ff"),
    "local z = []": p.Local(to="z", size=0, init=""),
    "local z = [uninit; 3] align 16": p.Local(to="z", size=3, init=None, align=16),
    "static z = [0; 1]": p.Static(to="z", size=1, init=0),
    "static z = [3] align 2": p.Static(to="z", size=1, init="03", align=2),
    "z = alloc(3)": p.Heap(to="z", size=3),
    "z = alloc(3, align 8)": p.Heap(to="z", size=3, align=8),
    "z = Box::new([7; 2])": p.Box(to="z", size=2, init=7),
    "z = Box::new([7, 8])": p.Box(to="z", size=2, init="0708"),
    "dealloc(h, 16)": p.Free(ptr="h", size=16),
    "dealloc(h, 16, align 8)": p.Free(ptr="h", size=16, align=8),
    "drop(Box::from_raw(h))": p.DropBox(ptr="h"),
    "z = &raw mut x": p.RawMut(to="z", of="x"),
    "z = &raw mut *m": p.RawMut(to="z", of="m"),
    "z = &raw mut x[3]": p.RawMut(to="z", of="x", at=3),
    "z = &raw mut (*m)[2..5]": p.RawMut(to="z", of="m", at=2, size=3),
    "z = &raw const *k": p.RawConst(to="z", of="k"),
    "z = &raw const (*s)[i]": p.RawConst(to="z", of="s", at="i"),
    "z = &mut *h": p.RefMut(to="z", of="h"),
    "z = &mut *h align 2": p.RefMut(to="z", of="h", align=2),
    "z = &mut (*h)[0..1]": p.RefMut(to="z", of="h", at=0, size=1),
    "z = &mut cell *h align 2": p.RefMut(to="z", of="h", align=2, cell=True),
    "z = &mut cell (*h)[0..2]": p.RefMut(to="z", of="h", at=0, size=2, cell=True),
    "z = &x": p.RefShared(to="z", of="x"),
    "z = &*s": p.RefShared(to="z", of="s"),
    "z = &cell *c": p.RefCell(to="z", of="c"),
    "z = &cell (*c)[i]": p.RefCell(to="z", of="c", at="i"),
    "z = &cell x": p.RefCell(to="z", of="x"),
    "z = &unsafe_cell *h align 4": p.RefCell(to="z", of="h", align=4, unsafe_cell=True),
    "z = &mix *h": p.RefMix(to="z", of="h"),
    "z = m.as_mut_ptr()": p.AsMutPtr(to="z", of="m"),
    "z = s.as_ptr()": p.AsPtr(to="z", of="s"),
    "m.poke(s[7])": p.TwoPhase(of="m", from_="s", at=7),
    "m.poke(h[7] = 255)": p.TwoPhase(of="m", from_="h", at=7, value=255),
    "m.poke_cell(s[7])": p.TwoPhase(of="m", from_="s", at=7, cell=True),
    "z = h.add(2) as [u8; 4]": p.Sub(to="z", of="h", offset=2, size=4, inbounds=True),
    "z = h.add(i) as [u8; 4]": p.Sub(to="z", of="h", offset="i", size=4, inbounds=True),
    "z = h.sub(2) as [u8; 4]": p.Sub(to="z", of="h", offset=-2, size=4, inbounds=True),
    "z = h.wrapping_add(2) as [u8; 0]": p.Sub(to="z", of="h", offset=2, size=0, inbounds=False),
    "z = h.wrapping_sub(2) as [u8; 1]": p.Sub(to="z", of="h", offset=-2, size=1, inbounds=False),
    "z = h as [u8; 1]": p.Sub(to="z", of="h", offset=0, size=1, inbounds=False),
    "z = h.expose_provenance()": p.Expose(to="z", of="h"),
    "z = h.addr()": p.Addr(to="z", of="h"),
    "z = transmute(h)": p.TransmuteAddr(to="z", of="h"),
    "z = with_exposed_provenance_mut(i) as [u8; 2]": p.FromExposed(
        to="z", int_="i", offset=0, size=2
    ),
    "z = with_exposed_provenance_mut(i - 1) as [u8; 2]": p.FromExposed(
        to="z", int_="i", offset=-1, size=2
    ),
    "z = h.with_addr(i + 3) as [u8; 2]": p.WithAddr(to="z", of="h", int_="i", offset=3, size=2),
    "z = transmute(i + i) as [u8; 2]": p.Transmute(to="z", int_="i", offset="i", size=2),
    "read x[7]: u8": p.Read(ptr="x", at=7, width=1),
    "read h[i]: u128": p.Read(ptr="h", at="i", width=16),
    "z = read h[2]: aligned u32": p.Read(ptr="h", at=2, width=4, to="z", aligned=True),
    "write c[0]: u8 = 255": p.Write(ptr="c", at=0, width=1, value=255),
    "write h[1]: aligned u16 = i": p.Write(ptr="h", at=1, width=2, value="i", aligned=True),
    "copy(h, g, 3)": p.Copy(from_="h", to_ptr="g", size=3, overlapping=True),
    "copy_nonoverlapping(h, g, 3)": p.Copy(from_="h", to_ptr="g", size=3, overlapping=False),
    "copy(h, g, i)": p.Copy(from_="h", to_ptr="g", size="i", overlapping=True),
    "write_bytes(h, 7, 3)": p.Fill(ptr="h", value=7, size=3),
    "write_bytes(h, i, i)": p.Fill(ptr="h", value="i", size="i"),
    "store_ptr(h, g)": p.StorePtr(ptr="h", of="g"),
    "z = load_ptr(h) as [u8; 3]": p.LoadPtr(to="z", ptr="h", size=3),
    "z = 0x10": p.Int(to="z", value=16),
    "z = i << 3: u16": p.Arithmetic(to="z", operator="shl", left="i", right=3, width=2),
    "z = 9 - i: u64": p.Arithmetic(to="z", operator="sub", left=9, right="i", width=8),
    "guard i <= 14 else out-of-bounds 2 addr_op1": p.Guard(
        left="i", comparison="le", right=14, trap="out-of-bounds", instruction=2, operand="addr_op1"
    ),
    "guard 0 != i else misaligned 0 addr": p.Guard(
        left=0, comparison="ne", right="i", trap="misaligned", instruction=0, operand="addr"
    ),
    "call() {}": p.Call(args=(), body=()),
}

CALL = """\
(r, v) = call(a = &mut *m, b = &x, d = &cell *h, e = &mix *k, f = Box::from_raw(g)) {
    w = read a[0]: u8
    t = call(aa = &mut *h as [u8; 4]) {
        return aa
    }
    return (a, w)
}
"""


@pytest.mark.parametrize("line", STATEMENTS)
def test_a_statement_is_read(line: str) -> None:
    program = parse(f"{BEFORE}{line}\n").program
    assert program.statements[-1] == STATEMENTS[line]


@pytest.mark.parametrize("line", STATEMENTS)
def test_a_statement_is_written_so_that_it_is_read_again(line: str) -> None:
    program = parse(f"{BEFORE}{line}\n").program
    assert parse(format(program)).program == program


def test_every_statement_is_among_those() -> None:
    read = {type(statement) for statement in STATEMENTS.values()}
    assert read == {*p.AnyStatement.__args__}


def test_a_call_is_read_with_its_body_and_what_it_returns() -> None:
    parsed = parse(BEFORE + CALL)
    call = parsed.program.statements[-1]
    assert isinstance(call, p.Call)
    assert [(arg.to, arg.as_, arg.of, arg.size) for arg in call.args] == [
        ("a", "mut", "m", 8),
        ("b", "shared", "x", 8),
        ("d", "cell", "h", 16),
        ("e", "mix", "k", 3),
        ("f", "boxed", "g", 3),
    ]
    assert [(each.to, each.of) for each in call.returns] == [("r", "a"), ("v", "w")]
    inner = call.body[1]
    assert isinstance(inner, p.Call)
    assert inner.args[0].size == 4
    assert format(parsed.program).endswith(CALL)


def test_places_are_those_of_the_statements() -> None:
    text = "// a comment\n\n  local x = [0; 1] // another\ncall() {\n\tread_ = 1\n}\nresult x\n"
    parsed = parse(text, locate_in(text, "f.toml"))
    places = {path: (place.line, place.column) for path, place in parsed.places.items()}
    assert places == {(0,): (3, 3), (1,): (4, 1), (1, 0): (5, 2), (2,): (7, 1)}
    assert parsed.program.result == "x"


def test_paths_of_lines() -> None:
    text = f"{BEFORE}{CALL}"
    lines = dict(statement_lines(parse(text).program))
    assert lines[(9,)] == CALL.splitlines()[0]
    assert lines[(9, 0)] == "w = read a[0]: u8"
    assert lines[(9, 2)] == "}"


@given(st.randoms(use_true_random=False), st.integers(1, 30))
def test_text_and_json_say_the_same(source: random.Random, length: int) -> None:
    program = generate(source, length)
    text = format(program)
    assert parse(text).program == program
    assert format(parse(text).program) == text
    assert msgspec.json.decode(msgspec.json.encode(program), type=p.PointerProgram) == program


BAD = {
    "local x [0; 4]": (1, 9, "'=' is wanted"),
    "local x = [256]": (1, 12, "256 is no byte"),
    "local x = [0; 4": (1, 16, "']' is wanted, but here is the line's end"),
    "local x = [0; 4] 5": (1, 18, "the line should end"),
    "local x = [0; 010]": (1, 15, "not a number"),
    "local read = [0; 1]": (1, 1, "'read' cannot be a variable"),
    "local x = [0; 1]\nlocal x = [0; 1]": (2, 1, "x is bound already"),
    "static g = [uninit; 1]": (1, 12, "a static without a value"),
    "b = Box::new([uninit; 1])": (1, 14, "a box without a value"),
    "m = &mut x": (1, 10, "there is no variable x"),
    "local x = [0; 1]\nm = &mut *x": (2, 11, "x is a local"),
    "h = alloc(1)\nm = &mut h": (2, 10, "h is a raw pointer"),
    "h = alloc(1)\nm = &mut (h)[0]": (2, 11, "'*' is wanted"),
    "h = alloc(4)\nm = &mut (*h)[2..2]": (2, 18, "a part without a byte"),
    "h = alloc(4)\nm = &raw *h": (2, 10, "'const' is wanted"),
    "h = alloc(4)\nm = &mix (*h)[0]": (2, 10, "a part of a place as a Mix"),
    "h = alloc(0)": (1, 1, "the size is 0"),
    "h = malloc(4)": (1, 5, "there is no function 'malloc'"),
    "h = alloc(4)\nq = h.offset(1) as [u8; 1]": (2, 7, "there is no method 'offset'"),
    "h = alloc(4)\nq = h.add(1)": (2, 13, "'as' is wanted"),
    "h = alloc(4)\nq = h.add(1) as [u16; 1]": (2, 18, "'u8' is wanted"),
    "h = alloc(4)\nread h[0]": (2, 10, "':' is wanted"),
    "h = alloc(4)\nread h[0]: u7": (2, 12, "one of u8, u16, u32, u64, u128 is wanted"),
    "h = alloc(4)\nread h[4]: u8": (2, 1, "bytes 4 to 5 of 4"),
    "h = alloc(4)\nwrite h[0]: u8": (2, 15, "'=' is wanted"),
    "frobnicate": (1, 1, "a statement is wanted"),
    "(a, b) = 5": (1, 10, "only a call binds several variables"),
    "a = 5 5": (1, 7, "an operator is wanted"),
    "a = 5 + 5": (1, 10, "':' is wanted"),
    "a = 5 ? 5": (1, 7, "unexpected character '?'"),
    "# x": (1, 1, "unexpected character '#'"),
    "guard 1 <= 2 else misaligned": (1, 29, "a number is wanted"),
    "guard 1 <= 2 else wrong 0 addr": (1, 19, "a trap is wanted"),
    "guard 1 = 2 else misaligned 0 addr": (1, 9, "a comparison is wanted"),
    "call() {": (1, 1, "the call's body has no end"),
    "call() {\n} 5": (2, 3, "the line should end"),
    "call() { a = 5": (1, 10, "the line should end"),
    "r = call() {\n}": (1, 1, "1 values are bound, 0 returned"),
    "call() {\na = 5\nreturn a\n}": (1, 1, "0 values are bound, 1 returned"),
    "h = alloc(4)\ncall(a = &mut (*h)[0]) {\n}": (2, 15, "a part of a place as an argument"),
    "local x = [0; 1]\ncall() {\nread x[0]: u8\n}": (3, 1, "x is a local of the caller"),
    "}": (1, 1, "'}' where the program should end"),
    "return x": (1, 1, "'return' where the program should end"),
    "result x": (1, 1, "there is no variable x"),
    "result": (1, 7, "a variable is wanted"),
    "local x = [0; 1]\nresult x\ni = 5": (3, 1, "'i' where the program should end"),
    "local x = [0; 1]\nresult x y": (2, 10, "the line should end"),
    "guard 1 <= 2 else misaligned 0 addr\nlocal x = [0; 1]\nresult x": (
        1,
        1,
        "a guard above the variable that is the result",
    ),
}


@pytest.mark.parametrize("text", BAD)
def test_a_mistake_has_its_place(text: str) -> None:
    line, column, message = BAD[text]
    with pytest.raises(InputError) as caught:
        parse(text)
    place = caught.value.place
    assert place is not None
    assert (place.line, place.column) == (line, column)
    assert message in caught.value.message
    assert caught.value.remedy
