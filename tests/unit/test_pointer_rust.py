"""Pointer programs written out as Rust: each statement's line, and what leads back to it."""

from __future__ import annotations

import random
import re

import pytest
from hypothesis import given, strategies as st

from harness.pointer import program as p
from harness.pointer.generator import generate
from harness.pointer.listing import statement_lines
from harness.pointer.rust import RustSource, write, write_library, write_main
from harness.pointer.rust_types import bare
from harness.pointer.text import parse

BEFORE = """\
local x = [0; 8]
local y = [uninit; 4] align 4
h = alloc(16, align 8)
m = &mut x
s = &x
c = &cell *h
k = &mix *h
i = 5
w = &mut *h align 16
"""
"""In Rust: x1, x2, p3, m4, s5, c6, c7, i8, m9."""

LINES = {
    "local z = [7; 4]": "let mut x10 = [7u8; 4];",
    "local z = [1, 255] align 2": r'let mut x10 = Align2(*b"\x01\xff");',
    "local z = [uninit; 3]": "let mut x10 = Uninit::<3> { nothing: () };",
    "static z = [7; 4]": "let mut p10 = { static mut G: [u8; 4] = [7u8; 4]; &raw mut G };",
    "static z = [7; 4] align 4": (
        "let mut p10 = { static mut G: Align4<[u8; 4]> = Align4([7u8; 4]); &raw mut G.0 };"
    ),
    "z = alloc(3, align 2)": (
        "let mut p10 = alloc(Layout::from_size_align_unchecked(3, 2)) as *mut [u8; 3];"
    ),
    "z = Box::new([7; 2])": "let mut p10 = Box::into_raw(Box::new([7u8; 2]));",
    "dealloc(h, 16)": "dealloc(p3 as *mut u8, Layout::from_size_align_unchecked(16, 1));",
    "drop(Box::from_raw(h))": "drop(Box::from_raw(p3));",
    "z = &raw mut x": "let mut p10 = &raw mut x1;",
    "z = &raw mut y": "let mut p10 = &raw mut x2.0.bytes;",
    "z = &raw mut x[3]": "let mut p10 = (&raw mut x1[3]) as *mut [u8; 1];",
    "z = &raw mut *m": "let mut p10 = &raw mut (**(&raw mut m4));",
    "z = &raw mut *h": "let mut p10 = &raw mut (*p3);",
    "z = &raw mut (*m)[2..5]": (
        "let mut p10 = &raw mut (**((&raw mut m4) as *mut &mut Split<2, [u8; 3], 3>)).1;"
    ),
    "z = &raw mut (*w)[i]": (
        "let mut p10 = &raw mut (**((&raw mut m9) as *mut &mut [[u8; 1]; 16]))[i8];"
    ),
    "z = &raw const x": "let mut p10 = (&raw const x1) as *mut [u8; 8];",
    "z = &raw const *c": "let mut p10 = (&raw const (**(&raw const c6))) as *mut [u8; 16];",
    "z = &mut x": "let mut m10 = &mut *(&raw mut x1);",
    "z = &mut x[0]": "let mut m10 = &mut *((&raw mut x1[0]) as *mut [u8; 1]);",
    "z = &mut *m": "let mut m10 = &mut (**(&raw mut m4));",
    "z = &mut *h": "let mut m10 = &mut (*p3);",
    "z = &mut *h align 4": "let mut m10 = &mut (*(p3 as *mut Align4<[u8; 16]>));",
    "z = &mut *h align 16": "let mut m10 = &mut (*(p3 as *mut u128));",
    "z = &mut *w": "let mut m10 = &mut (**((&raw mut m9) as *mut &mut [u8; 16]));",
    "z = &x": "let mut s10 = &*(&raw const x1);",
    "z = &*s": "let mut s10 = &(**(&raw const s5));",
    "z = &cell *h": "let mut c10 = &(*(p3 as *mut Cell<[u8; 16]>));",
    "z = &cell *c": "let mut c10 = &(**(&raw const c6));",
    "z = &cell *m": "let mut c10 = Cell::from_mut(&mut (**(&raw mut m4)));",
    "z = &unsafe_cell *m": "let mut c10 = &*UnsafeCell::from_mut(&mut (**(&raw mut m4)));",
    "z = &unsafe_cell (*c)[1..3]": (
        "let mut c10 = &(**((&raw const c6) as *const &Split<1, UnsafeCell<[u8; 2]>, 13>)).1;"
    ),
    "z = &mix *k": "let mut c10 = &(**(&raw const c7));",
    "z = m.as_mut_ptr()": "let mut p10 = (**(&raw mut m4)).as_mut_ptr() as *mut [u8; 8];",
    "z = x.as_ptr()": "let mut p10 = x1.as_ptr() as *mut [u8; 8];",
    "m.poke(h[2])": "(**(&raw mut m4)).poke((*p3)[2]);",
    "m.poke(h[2] = 7)": "(**(&raw mut m4)).poke({ (*p3)[2] = 7u8; 7u8 });",
    "z = h.add(2) as [u8; 4]": "let mut p10 = (p3 as *mut u8).add(2) as *mut [u8; 4];",
    "z = h.wrapping_sub(2) as [u8; 4]": (
        "let mut p10 = (p3 as *mut u8).wrapping_sub(2) as *mut [u8; 4];"
    ),
    "z = h.add(i) as [u8; 4]": "let mut p10 = (p3 as *mut u8).add(i8) as *mut [u8; 4];",
    "z = h as [u8; 4]": "let mut p10 = p3 as *mut [u8; 4];",
    "z = h.expose_provenance()": "let mut i10 = p3.expose_provenance();",
    "z = h.addr()": "let mut i10 = p3.addr();",
    "z = transmute(h)": "let mut i10 = transmute::<*mut [u8; 16], usize>(p3);",
    "z = with_exposed_provenance_mut(i + 4) as [u8; 2]": (
        "let mut p10 = ptr::with_exposed_provenance_mut::<[u8; 2]>(i8.wrapping_add(4));"
    ),
    "z = h.with_addr(i) as [u8; 2]": (
        "let mut p10 = (p3 as *mut u8).with_addr(i8) as *mut [u8; 2];"
    ),
    "z = transmute(i - 1) as [u8; 2]": (
        "let mut p10 = transmute::<usize, *mut [u8; 2]>(i8.wrapping_sub(1));"
    ),
    "read x[7]: u8": "sum = sum.wrapping_mul(31).wrapping_add((x1[7]) as u64);",
    "read y[1]: u16": (
        "sum = sum.wrapping_mul(31).wrapping_add("
        "(u16::from_ne_bytes([x2.0.bytes[1], x2.0.bytes[2]])) as u64);"
    ),
    "z = read m[i]: u8": (
        "let mut i10 = ((*m4)[i8]) as usize; sum = sum.wrapping_mul(31).wrapping_add(i10 as u64);"
    ),
    "read h[3]: u32": (
        "sum = sum.wrapping_mul(31).wrapping_add("
        "((*((p3 as *mut u8).wrapping_add(3) as *mut Packed<u32>)).0) as u64);"
    ),
    "read h[4]: aligned u32": (
        "sum = sum.wrapping_mul(31).wrapping_add("
        "((*((p3 as *mut u8).wrapping_add(4) as *mut u32))) as u64);"
    ),
    "read w[0]: aligned u128": "sum = sum.wrapping_mul(31).wrapping_add(((*m9)) as u64);",
    "read s[0]: u16": (
        "sum = sum.wrapping_mul(31).wrapping_add("
        "((*((*((&raw const s5) as *const *mut u8)).wrapping_add(0) as *mut Packed<u16>)).0)"
        " as u64);"
    ),
    "read k[0]: u8": "sum = sum.wrapping_mul(31).wrapping_add(((*c7).a) as u64);",
    "read c[1]: u8": (
        "sum = sum.wrapping_mul(31).wrapping_add("
        "((**((&raw const c6) as *const &[Cell<u8>; 16]))[1].get()) as u64);"
    ),
    "write x[0]: u8 = 300": "x1[0] = 44u8;",
    "write x[2]: u16 = 300": (
        "let bytes = (300u16).to_ne_bytes(); x1[2] = bytes[0]; x1[3] = bytes[1];"
    ),
    "write w[1]: u8 = i": "(**((&raw mut m9) as *mut &mut [u8; 16]))[1] = i8 as u8;",
    "write h[2]: u16 = i": (
        "(*((p3 as *mut u8).wrapping_add(2) as *mut Packed<u16>)).0 = i8 as u16;"
    ),
    "write k[1]: u8 = 3": "(*c7).c.set(3u8);",
    "write c[2]: u16 = 3": (
        "(*((*((&raw const c6) as *const *mut u8)).wrapping_add(2)"
        " as *mut Cell<Packed<u16>>)).set(Packed(3u16));"
    ),
    "copy_nonoverlapping(h, h, 3)": (
        "ptr::copy_nonoverlapping(p3 as *const u8, p3 as *mut u8, 3);"
    ),
    "copy(h, h, i)": "ptr::copy(p3 as *const u8, p3 as *mut u8, i8);",
    "write_bytes(h, 7, 3)": "ptr::write_bytes(p3 as *mut u8, 7u8, 3);",
    "write_bytes(h, i, i)": "ptr::write_bytes(p3 as *mut u8, i8 as u8, i8);",
    "store_ptr(h, h)": "(*(p3 as *mut Packed<*mut [u8; 16]>)).0 = p3;",
    "z = load_ptr(h) as [u8; 3]": "let mut p10 = (*(p3 as *mut Packed<*mut [u8; 3]>)).0;",
    "z = i << 3: u16": "let mut i10 = ((i8 as u16).wrapping_shl(3u16 as u32)) as usize;",
    "z = i & 65537: u16": "let mut i10 = ((i8 as u16) & 1u16) as usize;",
    "guard i <= 14 else misaligned 2 addr": (
        'if !(i8 <= 14usize) { return Err(trap("misaligned", 2, "addr")) }'
    ),
}


def line_of(source: RustSource, path: p.Path, program: int = 0) -> list[str]:
    """The lines that belong to the statement at `path`."""
    text = source.text.splitlines()
    return [
        text[number - 1].strip()
        for number, origin in source.lines.items()
        if origin == (program, path)
    ]


@pytest.mark.parametrize("statement", LINES)
def test_a_statement_is_this_line(statement: str) -> None:
    program = parse(f"{BEFORE}{statement}\n").program
    assert line_of(write([program]), (9,)) == [LINES[statement]]


CALL = """\
h = alloc(4)
i = 5
r = call(a = &mut *h, b = Box::from_raw(h)) {
    write a[0]: u8 = i
    call() {
        guard i == 5 else misaligned 0 addr
    }
    return a
}
"""


def test_a_call_is_a_function_with_what_it_uses() -> None:
    text = CALL.replace(", b = Box::from_raw(h)", "")
    source = write([parse(text).program])
    header, start, end, brace, call = line_of(source, (2,))
    assert header == (
        "fn case_0_2(mut m3: &'static mut [u8; 4], mut i4: usize)"
        " -> Result<(u64, &'static mut [u8; 4]), Trap> { unsafe {"
    )
    assert (start, end, brace) == ("let mut sum: u64 = 0;", "Ok((sum, m3))", "}}")
    assert call == (
        "let (returned, mut m6) = match case_0_2(&mut (*p1), i2)"
        " { Ok(returned) => returned, Err(trap) => return Err(trap) };"
        " sum = sum.wrapping_mul(31).wrapping_add(returned as u64);"
    )
    assert line_of(source, (2, 0)) == ["(*m3)[0] = i4 as u8;"]
    assert line_of(source, (2, 1, 0))[0].startswith("if !(i5 == 5usize)")


def test_a_box_is_forgotten_behind_the_body() -> None:
    text = "h = alloc(4)\ncall(b = Box::from_raw(h)) {\n    read b[0]: u8\n}\n"
    source = write([parse(text).program])
    assert line_of(source, (1, 1)) == ["forget(b2);"]
    assert "case_0_1(Box::from_raw(p1 as *mut [u8; 4]))" in line_of(source, (1,))[-1]


def test_the_result_is_read_at_the_end_and_where_a_guard_fails() -> None:
    text = "local x = [1; 2]\nm = &mut x\nguard 1 == 2 else misaligned 0 addr\nresult m\n"
    source = write([parse(text).program])
    assert line_of(source, (3,)) == ["let bytes: [u8; 2] = **(&raw const m2); memory(&bytes);"]
    failed = 'return failed(memory, **(&raw const m2), trap("misaligned", 0, "addr"))'
    assert line_of(source, (2,)) == [f"if !(1usize == 2usize) {{ {failed} }}"]


@pytest.mark.parametrize(
    ("expression", "wanted"),
    [
        ("(**(&raw const m2))", "**(&raw const m2)"),
        ("(*p)", "*p"),
        ("(a) as (b)", "(a) as (b)"),
        ("x.0", "x.0"),
    ],
)
def test_parentheses_around_the_whole_are_taken_off(expression: str, wanted: str) -> None:
    assert bare(expression) == wanted


def test_no_name_of_a_program_gets_into_the_source() -> None:
    program = parse(
        "local verbatim_local = [0; 4]\n"
        "verbatim_pointer = &raw mut verbatim_local\n"
        "verbatim_returned = call(verbatim_parameter = &mut *verbatim_pointer) {\n"
        "    verbatim_inner = verbatim_pointer.addr()\n"
        "    return verbatim_inner\n"
        "}\n"
        "result verbatim_local\n"
    ).program
    assert "verbatim" not in write([program]).text


@given(st.lists(st.integers(0, 1 << 32), min_size=1, max_size=3))
def test_every_statement_has_one_line_and_every_line_its_statement(seeds: list[int]) -> None:
    programs = [generate(random.Random(seed), 12) for seed in seeds]
    source = write_library(programs)
    wanted = {
        (index, path)
        for index, program in enumerate(programs)
        for path, _ in statement_lines(program)
    }
    assert set(source.lines.values()) == wanted
    lines = source.text.splitlines()
    for index, program in enumerate(programs):
        calls = {path for path, line in statement_lines(program) if re.search(r"call\(", line)}
        for path, line in statement_lines(program):
            found = [number for number, origin in source.lines.items() if origin == (index, path)]
            if line == "}":
                assert all(lines[number - 1].strip().startswith("forget(") for number in found)
            else:
                assert len(found) == (5 if path in calls else 1)
            assert all(lines[number - 1].strip() for number in found)


def test_a_library_and_a_main_on_top_of_it() -> None:
    library = write_library([parse("local x = [0; 1]\n").program]).text
    assert "pub fn run(case: usize, line: &mut Vec<u8>)" in library
    assert "pub const CASES: usize = 1;" in library
    assert "fn main()" not in library
    main = write_main("cases")
    assert main.startswith("use cases::{CASES, run};")
    assert "fn main()" in main
    with pytest.raises(ValueError, match="no crate's name"):
        write_main("a b")
