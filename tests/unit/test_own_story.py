"""Pairs of assembly and story in Rust of a user's own: how they are found, and what they become."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.cases.own_story import ELSEWHERE, OwnStories, OwnStory, find_own_stories
from harness.errors import InputError
from harness.outcome import Location, Span
from harness.story.block import Access, Block, Borrow, Memory, Operand, Option
from harness.story.pair_operands import Given
from harness.story.rules import breach_by_name

DATA = Path(__file__).parents[1] / "data" / "own_stories"
FILL = Given(
    memory={"fill.start": (64, None), "copy.to": (64, None), "copy.from": (64, None)},
    values={"fill.len": ((0, 64),), "copy.count": ((0, 16),)},
)


def read(tmp_path: Path, text: str, given: Given | None = None) -> OwnStories:
    path = tmp_path / "code.rs"
    path.write_text(text, encoding="utf-8")
    return find_own_stories(path, given)


def pair(tmp_path: Path, text: str, given: Given | None = None) -> OwnStory:
    found = read(tmp_path, text, given)
    assert not found.left_out, found.left_out
    (story,) = found.stories
    return story


def block_of(tmp_path: Path, operands: str, parameters: str, told: str = "", **more: str) -> Block:
    """The block of a function with these parameters, which gives nothing."""
    text = (
        f"{more.get('above', '')}\nunsafe fn f({parameters}) {{ {more.get('before', '')}\n"
        f'#[cfg(not(miri))] asm!("{more.get("template", "nop")}", {operands});\n'
        f"#[cfg(miri)] {{ {told} }}\n}}"
    )
    return pair(tmp_path, text).read.block


def sound() -> dict[str, OwnStory]:
    found = find_own_stories(DATA / "sound.rs", FILL)
    assert not found.left_out
    return {each.read.block.name: each for each in found.stories}


def operands(block: Block) -> dict[str, Operand]:
    return {each.name: each for each in block.operands}


# The forms of a pair


def test_every_form_is_read() -> None:
    assert list(sound()) == [
        "popcount", "average", "store", "swap_bytes", "divide", "low_bits", "fetch_add", "choose",
        "fill", "root", "copy",
    ]  # fmt: skip


def test_the_broken_siblings_are_read_as_well() -> None:
    found = find_own_stories(DATA / "broken.rs", FILL)
    assert [each.read.block.name for each in found.stories] == list(sound())
    assert not found.left_out


def test_places_in_the_story_are_places_in_the_file() -> None:
    lines = (DATA / "sound.rs").read_text(encoding="utf-8").split("\n")
    for story in sound().values():
        block = story.read.block
        texts = block.story.split("\n")
        assert len(texts) == len(story.read.lines)
        own = [number for number, at in enumerate(story.read.lines) if at]
        for number in own[:-1]:
            span = Span(file=block.name, line=number + 1, column=1)
            place = story.case.place_of(Location(span=span))
            assert place is not None
            assert lines[place.line - 1][place.column - 1 :] == texts[number]
        # What the harness wrote itself is at the block.
        span = Span(file="another", line=1, column=1)
        assert story.case.place_of(Location(span=span)) == story.case.place
        assert story.case.place is not None
        at = lines[story.case.place.line - 1][story.case.place.column - 1 :]
        assert at.startswith("asm!")


def test_names_of_the_template_become_those_of_operands() -> None:
    templates = {name: story.read.block.template for name, story in sound().items()}
    assert templates["popcount"] == "popcnt {count}, {x}"
    assert templates["average"] == "add {a}, {b}\nshr {a}, 1\nmov {sum:e}, {a:e}"
    assert templates["swap_bytes"] == "bswap {x_to_y}"
    assert templates["divide"] == "div {divisor:e}"


def test_operands_come_with_their_types() -> None:
    found = {name: operands(story.read.block) for name, story in sound().items()}
    assert found["popcount"]["x"].type == found["popcount"]["count"].type == "u64"
    average = found["average"]
    assert (average["a"].access, average["a"].dropped) == (Access.INOUT, True)
    assert (average["b"].type, average["b"].ranges) == ("u64", ((0, 0xFFFF_FFFF),))
    store = found["store"]["place"]
    assert store.type == "*mut u64"
    assert store.memory == Memory(size=8, align=8, borrow=Borrow.EXCLUSIVE)
    assert found["choose"]["pair"].memory == Memory(size=16, align=8, borrow=Borrow.SHARED)
    assert found["choose"]["second"].ranges == ((0, 1),)
    assert found["divide"]["in_2_to_rest"].ranges == ((0, 0),)
    # The type that the function returns.
    assert found["low_bits"]["bits_operand"].type == "u64"
    assert found["fill"]["start"].memory == Memory(size=64, align=1)
    assert found["fill"]["len"].ranges == ((0, 64),)


def test_clobbers_and_what_nobody_looks_at() -> None:
    block = sound()["low_bits"].read.block
    assert block.clobbers == ("rcx",)
    assert operands(block)["mask"].dropped
    assert [each.name for each in block.outputs] == ["bits_operand"]


def test_what_is_assumed_is_said() -> None:
    assumed = {name: story.read.assumed for name, story in sound().items()}
    assert assumed["fetch_add"] == ("place points to 8 bytes, aligned to 8",)
    assert not assumed["store"]
    assert not assumed["fill"]


def test_a_reference_of_a_block_that_touches_no_memory_stays_a_pointer(tmp_path: Path) -> None:
    told = "p as *const u32;"
    block = block_of(tmp_path, "in(reg) p as *const u32, options(nomem)", "p: &u32", told=told)
    assert "let p" not in block.story
    assert block.options == {Option.NOMEM}
    block = block_of(tmp_path, "in(reg) p as *const u32", "p: &u32", told=told)
    assert "let p: &u32 =" in block.story


def test_a_condition_may_hang_on_the_machine_as_well(tmp_path: Path) -> None:
    text = """
#[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
#[cfg(not(miri))]
fn hide(mut value: u8) -> u8 {
    unsafe { core::arch::asm!("/* {0} */", inout(reg_byte) value); value }
}
#[cfg(target_arch = "none-such")]
#[cfg(not(miri))]
fn hide(mut value: u8) -> u8 {
    unsafe { core::arch::asm!("/* {0} */", inout(reg) value); value }
}
#[cfg(any(not(any(target_arch = "x86", target_arch = "x86_64")), miri))]
fn hide(value: u8) -> u8 { value }
"""
    found = read(tmp_path, text)
    assert [each.read.block.name for each in found.stories] == ["hide"]
    assert [(each.place.line, each.reason) for each in found.left_out] == [(10, ELSEWHERE)]
    assert found.left_out[0].elsewhere


FORMS = (
    "#[cfg(not(miri))] {{ {block} return y; }} {story}",
    "#[cfg(miri)] return {story}; #[cfg(not(miri))] {{ {block} y }}",
    "#[cfg(miri)] return {story}; {block} y",
    "if cfg!(miri) {{ return {story}; }} {block} y",
    "if !cfg!(miri) {{ {block} y }} else {{ {story} }}",
    "let z: u64 = if cfg!(miri) {{ {story} }} else {{ {block} y }}; z",
    "#[cfg(miri)] let z: u64 = {story}; #[cfg(not(miri))] let z: u64 = {{ {block} y }}; z",
    "#[cfg(miri)] {{ {story} }} #[cfg(not(miri))] {{ let z: u64 = {{ {block} y }}; z }}",
)


@pytest.mark.parametrize("form", FORMS)
def test_forms_that_come_to_the_same(tmp_path: Path, form: str) -> None:
    block = 'let y; unsafe { asm!("mov {}, {}", out(reg) y, in(reg) x) };'
    body = form.format(block=block, story="x")
    read = pair(tmp_path, f"fn f(x: u64) -> u64 {{ {body} }}").read
    assert read.block.template == "mov {y}, {x}"
    assert [(each.name, each.type) for each in read.block.outputs] == [("y", "u64")]
    lines = read.block.story.split("\n")
    assert [line for line, at in zip(lines, read.lines, strict=True) if at] == [lines[-1]]
    assert breach_by_name(read.story) is None


def test_the_story_of_a_statement_assigns_by_itself(tmp_path: Path) -> None:
    text = """unsafe fn f(x: u64) {
        let y: u64;
        #[cfg(not(miri))] asm!("mov {}, {}", out(reg) y, in(reg) x);
        #[cfg(miri)] y = x;
        g(y);
    }"""
    assert pair(tmp_path, text).read.block.story.strip() == "y = x;"


# Parts of `asm!`


def test_templates_are_joined_and_their_operands_found(tmp_path: Path) -> None:
    parts = (
        'x = in(reg) a, const 7, in("rcx") b, out("rdx") _, out("k1") _, '
        'clobber_abi("C"), options(nostack, readonly), options(pure)'
    )
    block = block_of(tmp_path, parts, "a: i32, b: u8", template="mov {}, {x:e}, {1}, {{ {0:l} }}")
    assert block.template == "mov {a}, {a:e}, 7, {{ {a:l} }}"
    assert block.clobbers == ("rdx", "k1", "C")
    assert block.options == {Option.NOSTACK, Option.READONLY, Option.PURE}
    assert [(each.name, each.register) for each in block.operands] == [("a", "reg"), ("b", "rcx")]


def test_a_raw_template_has_braces_of_its_own(tmp_path: Path) -> None:
    assert block_of(tmp_path, "options(raw)", "", template="/* {} */").template == "/* {{}} */"


@pytest.mark.parametrize(
    ("expression", "parameter", "type_", "ranges"),
    [
        ("x as u64", "x: u32", "u64", ((0, 0xFFFF_FFFF),)),
        ("x as i64", "x: i16", "i64", ((-(1 << 15), (1 << 15) - 1),)),
        ("x as u32", "x: i16", "u32", ((0, 0x7FFF), (0xFFFF_8000, 0xFFFF_FFFF))),
        ("x as u64", "x: i64", "i64", None),
        ("x as i32", "x: bool", "i32", ((0, 1),)),
        ("(x as u32) as u64", "x: u8", "u64", ((0, 255),)),
        ("5u32", "x: u8", "u32", ((5, 5),)),
        ("-1", "x: u8", "i32", ((-1, -1),)),
    ],
)
def test_a_number_is_drawn_as_far_as_it_goes(
    tmp_path: Path,
    expression: str,
    parameter: str,
    type_: str,
    ranges: tuple[tuple[int, int], ...] | None,
) -> None:
    (operand,) = block_of(tmp_path, f"in(reg) {expression}", parameter).operands
    assert (operand.type, operand.ranges) == (type_, ranges)


@pytest.mark.parametrize(
    "expression",
    [
        "p.as_mut_ptr()",
        "core::ptr::from_mut(p)",
        "&raw mut *p",
        "p as *mut _",
        "p as *mut [u32; 4]",
    ],
)
def test_a_reference_lends_what_it_promises(tmp_path: Path, expression: str) -> None:
    (operand,) = block_of(tmp_path, f"in(reg) {expression}", "p: &mut [u32; 4]").operands
    assert operand.type == "*mut u32"
    assert operand.memory == Memory(size=16, align=4, borrow=Borrow.EXCLUSIVE)


def test_an_address_is_the_pointer_that_it_is_of(tmp_path: Path) -> None:
    (operand,) = block_of(tmp_path, "in(reg) p as usize", "p: *const u32").operands
    assert operand.type == "*const u32"


@pytest.mark.parametrize(
    "before",
    [
        "let y: u16 = other();",
        "let y = other() as u16;",
        "let y = 7u16;",
        "let z: u16 = other(); let y = z;",
        "let y: u64 = 1; let y = y as u16;",
    ],
)
def test_a_type_is_said_by_a_declaration(tmp_path: Path, before: str) -> None:
    (operand,) = block_of(tmp_path, "in(reg) y", "x: u8", before=before).operands
    assert (operand.name, operand.type) == ("y", "u16")


def test_a_variable_of_the_block_alone_is_what_it_begins_as(tmp_path: Path) -> None:
    text = """fn f(x: u64) -> u64 {
        #[cfg(miri)] { x + 1 }
        #[cfg(not(miri))] { let mut v = x; unsafe { asm!("inc {}", inout(reg) v); } v }
    }"""
    block = pair(tmp_path, text).read.block
    (operand,) = block.operands
    assert (operand.name, operand.access, operand.type) == ("x_to_v", Access.INOUT, "u64")
    assert "let x: u64 = x_to_v;" in block.story


def test_what_a_function_does_to_its_own_variables_is_its_own_matter(tmp_path: Path) -> None:
    pair_ = """#[cfg(miri)] { x += 1; go(); }
        #[cfg(not(miri))] asm!("nop", in(reg) x);"""
    at_the_end = pair(tmp_path, f"unsafe fn f(mut x: u64) {{ {pair_} }}")
    assert "let (mut x,) = (x,);" in at_the_end.read.block.story
    before_more = pair(tmp_path, f"unsafe fn f(mut x: u64) {{ {pair_} g(x) }}")
    assert "mut x" not in before_more.read.block.story


def test_what_the_library_brings_comes_along(tmp_path: Path) -> None:
    above = "use core::{ptr, sync::atomic::{AtomicU64 as Number, Ordering}};"
    block = block_of(
        tmp_path, "in(reg) p", "p: *mut u64", above=above,
        told="let n = Number::from_ptr(p); n.store(1, Ordering::SeqCst);",
    )  # fmt: skip
    assert block.story.split("\n")[:2] == [
        "use std::sync::atomic::AtomicU64 as Number;",
        "use std::sync::atomic::Ordering as Ordering;",
    ]


def test_target_features_are_the_processors(tmp_path: Path) -> None:
    text = """#[target_feature(enable = "avx2,bmi1")] #[target_feature(enable = "bmi2")]
    unsafe fn f() { if cfg!(miri) {} else { asm!("nop") } }"""
    assert pair(tmp_path, text).read.story.features == ("avx2", "bmi1", "bmi2")


# What is not read, and why

TWO = "#[cfg(not(miri))] unsafe {{ {block} }} #[cfg(miri)] {{ {story} }}"
NOP = 'asm!("nop");'

UNREAD = (
    ("fn f() { unsafe { asm!(\"nop\") } }", "no story stands beside it", "asm!"),
    ("fn f() { wrap! { asm!(\"nop\") } }", "it stands in wrap!, which is not read", "asm!"),
    ("macro_rules! m { () => { asm!(\"nop\") } }", "it stands in macro_rules!, which", "asm!"),
    ("fn f() { #[cfg(not(miri))] unsafe { go(); asm!(\"nop\") } #[cfg(miri)] {} }",
     "beside its `asm!` the block does something that the story would have to do too", "go()"),
    ("fn f() { #[cfg(not(miri))] unsafe { asm!(\"nop\"); asm!(\"hlt\") } #[cfg(miri)] {} }",
     "there are two `asm!` in the place of one story", "asm!(\"hlt\")"),
    ("fn f() { #[cfg(not(miri))] loop { asm!(\"nop\") } #[cfg(miri)] {} }",
     "beside its `asm!` the block does something", "#[cfg(not(miri))]"),
    ("fn f() { #[cfg(not(miri))] let x = { asm!(\"nop\") }; #[cfg(miri)] {} }",
     "the story beside it is a statement of another kind", "asm!"),
    ("fn f(x: u8) -> u8 { #[cfg(miri)] { x } "
     "#[cfg(not(miri))] { let y: u8; asm!(\"\", out(reg_byte) y); y + 1 } }",
     "what comes out of the block is changed before it is passed on", "y + 1"),
    ("fn f(x: u8) -> u8 { #[cfg(miri)] { x } #[cfg(not(miri))] { asm!(\"\"); x } }",
     "it gives `x`, which does not come out of the `asm!`", "asm!"),
    ("#[cfg(miri)] fn f(x: u8) {} #[cfg(not(miri))] fn f(x: u16) { asm!(\"\") }",
     "the story is a function of other parameters", "asm!"),
    ("#[cfg(miri)] fn f() -> u8 {} #[cfg(not(miri))] fn f() { asm!(\"\") }",
     "the story is a function with another result", "asm!"),
)  # fmt: skip


@pytest.mark.parametrize(("text", "reason", "at"), UNREAD)
def test_what_is_no_pair_is_listed(tmp_path: Path, text: str, reason: str, at: str) -> None:
    check_unread(tmp_path, text, reason, at)


OPERANDS = (
    ("out(reg) x.y", "what comes out into `x.y` is no plain variable", "x.y"),
    ("in(reg) x + 1", "what goes in as `x + 1` is no plain variable", "x + 1"),
    ("in(reg) q", "the type of `q` is not said", "q"),
    ("in(reg) none", "the type of `none` is not said", "none"),
    ("in(reg) s", "`s`: what a `Thing` is, is not known", "s"),
    ("in(reg) t", "`t`: what lies behind a `*mut Thing` is not known", "t"),
    ("in(reg) x as u8", "`x as u8`: a u64 is cut to a u8", "x as u8"),
    ("in(reg) d as u64", "`d as u64`: a f64 becomes a u64", "d as u64"),
    ("in(reg) x, in(reg) x", "`x` goes into two operands", "in(reg) x)"),
    ("out(reg) x, out(reg) x", "`x` comes out of two operands", "asm!"),
    ("sym f", "it has a `sym` operand", "sym"),
    ("label { }", "it has a `label` operand", "label"),
    ("const N", "the value of the constant `N` is not read", "const"),
    ("in(kreg) x", "operands in `kreg` are not understood", "in(kreg)"),
    ('in("zmm3") x', "operands in `zmm3` are not understood", "in("),
    ('in("rbx") x', "rbx cannot be an operand", "in("),
    ("in(reg) b", "how many bytes lie behind `b` is not said: --memory f.b=BYTES", "asm!"),
    ("options(noreturn)", "the option noreturn is not understood", "asm!"),
    ('clobber_abi("win64")', 'clobber_abi("win64") is not understood', "asm!"),
    ("many(reg) x", "the `asm!` is not understood: `many` is no kind of operand", "many"),
    ("#[cfg(x)] in(reg) x", "the `asm!` is not understood: a part of it hangs on an", "#[cfg(x)]"),
    (", ".join(f"in(reg) {name}" for name in "xacghijklmnopr"), "there are not enough", "asm!"),
)  # fmt: skip


@pytest.mark.parametrize(("parts", "reason", "at"), OPERANDS)
def test_an_operand_that_is_not_understood_is_listed(
    tmp_path: Path, parts: str, reason: str, at: str
) -> None:
    numbers = ", ".join(f"{name}: u64" for name in "xacghijklmnopr")
    text = (
        f"unsafe fn f({numbers}, s: Thing, t: *mut Thing, d: f64, b: *mut u8) {{\n"
        f'    let q = g();\n    #[cfg(not(miri))] asm!("nop", {parts});\n'
        "    #[cfg(miri)] {}\n}\n"
    )
    check_unread(tmp_path, text, reason, at, after=text.index("asm!"))


STORIES = (
    ("helper()", "the story uses `helper`, which stands outside of it", "helper()"),
    ("crate::helper()", "the story uses `crate::helper`, which stands outside", "crate::"),
    ("Thing::new()", "the story uses `Thing::new`, which stands outside of it", "Thing::"),
    ("N;", "the story uses `N`, which stands outside of it", "N;"),
    ("far();", "the story uses `far`, which stands outside of it", "far()"),
)


@pytest.mark.parametrize(("told", "reason", "at"), STORIES)
def test_a_story_that_needs_its_crate_is_listed(
    tmp_path: Path, told: str, reason: str, at: str
) -> None:
    text = (
        "use other::far;\nconst N: u8 = 1;\nstruct Thing;\nfn helper() {}\n"
        f'unsafe fn f() {{\n#[cfg(not(miri))] asm!("nop");\n#[cfg(miri)] {{ 1; {told} }}\n}}\n'
    )
    check_unread(tmp_path, text, reason, at, after=text.index("1; "))


@pytest.mark.parametrize(
    ("template", "reason"),
    [
        ("mov {3}", "its template has `{3}`, which is no operand"),
        ("mov {y}", "its template has `{y}`, which is no operand"),
        ("mov {", "its template has `{`, which is no operand"),
        ("mov {} {}", "its template has `{}`, which is no operand"),
    ],
)
def test_a_template_without_its_operand_is_listed(
    tmp_path: Path, template: str, reason: str
) -> None:
    text = f'unsafe fn f(x: u64) {{ if cfg!(miri) {{}} else {{ asm!("{template}", in(reg) x) }} }}'
    check_unread(tmp_path, text, reason, "asm!")


def check_unread(tmp_path: Path, text: str, reason: str, at: str, after: int = 0) -> None:
    """One block is left out for that reason, at that piece of the text."""
    found = read(tmp_path, text)
    assert not found.stories
    (left,) = found.left_out
    assert left.reason.startswith(reason)
    place = left.place
    assert text.split("\n")[place.line - 1][place.column - 1 :].startswith(at), place
    assert text.index(at, after) >= after


# Files


def test_what_is_not_rust_has_its_place(tmp_path: Path) -> None:
    (error,) = read(tmp_path, "fn f() {\n    asm!(\n}\n").errors
    assert str(error).startswith(f"{tmp_path}/code.rs:")
    assert error.place is not None
    assert error.place.line >= 1
    assert "not Rust: " in error.message
    (error,) = read(tmp_path, "fn asm() {}\nfn 7() {}\n").errors
    assert str(error).startswith(f"{tmp_path}/code.rs:2:4: not Rust: ")


def test_what_is_not_text_has_its_place(tmp_path: Path) -> None:
    path = tmp_path / "code.rs"
    path.write_bytes(b"// asm\nfn \xe9() {}\n")
    (error,) = find_own_stories(path).errors
    assert str(error).startswith(f"{path}:2:4: byte 0xe9 at offset 10 is not UTF-8")


def test_a_byte_order_mark_and_a_shebang_are_no_lines(tmp_path: Path) -> None:
    text = '\ufeff#!/usr/bin/env run\nunsafe fn f() { if cfg!(miri) {} else { asm!("") } }'
    place = pair(tmp_path, text).case.place
    assert place is not None
    assert (place.line, place.column) == (2, 41)


@pytest.mark.parametrize(
    ("name", "message"),
    [("none.rs", "is not there"), ("none", "is not there"), ("a.toml", "is no Rust file"),
     ("empty", "has no Rust in it")],
)  # fmt: skip
def test_a_path_without_rust_is_bad_input(tmp_path: Path, name: str, message: str) -> None:
    (tmp_path / "a.toml").touch()
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError) as raised:
        find_own_stories(tmp_path / name)
    assert raised.value.message == message


def test_a_crate_is_all_of_its_files_but_not_what_is_built(tmp_path: Path) -> None:
    text = 'unsafe fn f() { if cfg!(miri) {} else { asm!("nop") } }\n'
    for name in ("src/b.rs", "src/a/c.rs", "target/x.rs", ".git/y.rs", "src/target/d.rs"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(2 * text if name == "src/b.rs" else text, encoding="utf-8")
    (tmp_path / "Cargo.toml").touch()
    (tmp_path / "src" / "bad.rs").write_text("fn asm(", encoding="utf-8")
    found = find_own_stories(tmp_path)
    assert [each.case.id for each in found.stories] == [
        "src/a/c.rs::f", "src/b.rs::f:1", "src/b.rs::f:2", "src/target/d.rs::f",
    ]  # fmt: skip
    assert [Path(error.place.file).name for error in found.errors if error.place] == ["bad.rs"]


def test_modules_for_other_machines_are_left_out(tmp_path: Path) -> None:
    text = 'unsafe fn f() { if cfg!(miri) {} else { asm!("nop") } }\n'
    (tmp_path / "lib.rs").write_text(
        '#[cfg(target_arch = "none-such")] mod one;\n#[cfg(target_os = "none-such")]\n'
        "mod two { mod three; }\nmod four;\n",
        encoding="utf-8",
    )
    names = ("one.rs", "one/deeper.rs", "two/three/mod.rs", "four.rs")
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    found = find_own_stories(tmp_path)
    assert [each.case.path.name for each in found.stories] == ["four.rs"]
    assert {(each.place.file, each.reason) for each in found.left_out} == {
        (str(tmp_path / name), ELSEWHERE) for name in names[:3]
    }


@pytest.mark.parametrize("nested", ["(", "{", "["])
def test_no_depth_of_nesting_ends_the_process(tmp_path: Path, nested: str) -> None:
    closing = {"(": ")", "{": "}", "[": "]"}[nested]
    text = f"fn asm() {{ {nested * 100_000}{closing * 100_000} }}"
    (error,) = read(tmp_path, text).errors
    assert "brackets too deep to be read" in error.message
    assert not read(tmp_path, f"fn asm() {{ {'!' * 50_000}true; }}").errors


def test_files_without_assembly_are_not_parsed(tmp_path: Path) -> None:
    found = read(tmp_path, "this is no Rust")
    assert not found.errors
    assert not found.stories
