"""Stories in the pointer language: what is said of them, what is not, and where."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness._native import rust_terms
from harness.errors import RustError
from harness.mode import MODES, Aliasing, Mode, parse_mode
from harness.model.machine import examine
from harness.outcome import FaultKind, Outcome, Ran, Span, UndefinedBehaviour, Unsupported
from harness.pointer import program as p
from harness.retelling import arithmetic, values as v
from harness.retelling.judgement import judge, retell
from harness.retelling.stage import Trial
from harness.story.block import Access, Block, Borrow, Memory, Operand, Option, Static, Story

STRICT = parse_mode("stacked-strict")
NONE = parse_mode("none-strict")

P = Operand(
    name="p", access=Access.IN, register="reg", type="*mut u64", memory=Memory(size=8, align=8)
)
N = Operand(name="n", access=Access.IN, register="reg", type="u64", ranges=((0, 8),))
VALUE = Operand(name="value", access=Access.IN, register="reg", type="u64")
OUT = Operand(name="y", access=Access.OUT, register="reg", type="u64")
CHANGED = Operand(name="x", access=Access.INOUT, register="reg", type="u64")


def story(
    text: str, *operands: Operand, options: frozenset[Option] = frozenset(), static: str = ""
) -> Story:
    block = Block(
        name="block",
        story=text,
        operands=operands,
        options=options,
        touches=("COUNTER",) if static else (),
    )
    statics = (Static(name="COUNTER", type=static, initial="3"),) if static else ()
    return Story(arch="x86_64", blocks=(block,), statics=statics)


def comes_to(told: Story, mode: Mode = STRICT) -> Outcome:
    return judge(retell(told), lambda program: examine(program, mode).outcome)


def plain(told: Story) -> list[Trial]:
    """The trials in which nothing is promised."""
    found = retell(told)
    assert found.decided is None, found.decided
    return [each for each in found.trials if each.promise is None]


def breaks(told: Story, mode: Mode = STRICT) -> tuple[int | None, FaultKind, int]:
    """The rule that it breaks, how, and in which line of the story."""
    found = comes_to(told, mode)
    assert isinstance(found, UndefinedBehaviour), found
    assert found.location.span is not None
    assert found.location.span.file == "block"
    return found.rule, found.kind, found.location.span.line


def unsaid(told: Story) -> tuple[str, Span | None]:
    found = comes_to(told)
    assert isinstance(found, Unsupported), found
    assert found.message.startswith("the pointer language cannot say ")
    return found.message, found.location.span


# The parser


def test_statements_are_terms_with_their_places() -> None:
    first, second = rust_terms("let n: u64 = 7u8 as u64;\np.cast::<u32>().write(n + 1);")
    assert (first.kind, first.text, first.written, first.line) == ("let", "n", "u64", 1)
    (cast,) = first.parts
    assert (cast.kind, cast.written) == ("cast", "u64")
    assert [(each.text, each.written) for each in cast.parts] == [("7", "u8")]
    assert (second.kind, second.text, second.line, second.column) == ("method", "write", 2, 17)
    receiver, argument = second.parts
    assert (receiver.text, receiver.written, receiver.parts[0].text) == ("cast", "u32", "p")
    assert (argument.kind, argument.text) == ("binary", "+")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("while x > 0 {}", "a loop"),
        ("if let 0 = x {}", "a branch"),
        ("match x { _ => {} }", "a branch"),
        ("y = x == 0 && p.read() == 0;", "a branch"),
        ("let (a, b) = (1, 2);", "a pattern"),
        ("fn helper() {}", "an item of its own"),
        ("return;", "a jump"),
        ("y = " + "(" * 200 + "1" + " + 1)" * 200 + ";", "what is nested so deeply"),
    ],
)
def test_what_has_no_term_is_said_in_words(text: str, said: str) -> None:
    ahead = list(rust_terms(text))
    kinds = []
    while ahead:
        term = ahead.pop()
        ahead += term.parts
        if term.kind == "unsaid":
            kinds.append(term.text)
    assert set(kinds) == {said}


def test_a_semicolon_alone_is_nothing() -> None:
    assert [each.line for each in rust_terms(";\ny = 1;;\n;")] == [2]


def test_what_is_no_rust_is_refused_with_its_place() -> None:
    with pytest.raises(RustError) as raised:
        rust_terms("p.write(1);\np.write(")
    assert raised.value.line == 2


# Statements


def test_a_store_is_one_write_between_the_memory_and_its_end() -> None:
    (trial,) = plain(story("p.write(value);", P, VALUE))
    assert trial.program.statements == (
        p.Heap(to="memory1", size=8, align=8),
        p.Fill(ptr="memory1", value=0x5A, size=8),
        p.Write(ptr="memory1", at=0, width=8, value=0, aligned=True),
        p.Free(ptr="memory1", size=8, align=8),
    )
    assert trial.spans == (None, None, Span(file="block", line=1, column=3), None)


@pytest.mark.parametrize(
    ("borrow", "made"),
    [
        (Borrow.SHARED, [p.RefShared, p.RawConst, p.Read, p.Call]),
        (Borrow.EXCLUSIVE, [p.RefMut, p.RawMut, p.Read, p.Call]),
    ],
)
def test_a_reference_is_made_before_the_story_and_used_after_it(
    borrow: Borrow, made: list[type[object]]
) -> None:
    lent = replace(P, memory=Memory(size=8, align=8, borrow=borrow))
    (trial,) = plain(story("let _ = p.read();", lent))
    assert [type(each) for each in trial.program.statements[2:-1]] == made


def test_how_much_is_drawn_is_tried_at_the_ends_of_its_range() -> None:
    bytes_ = replace(P, type="*mut u8")
    told = story("p.write_bytes(7, n as usize);\np.add(n as usize);", bytes_, N)
    fills = [trial.program.statements[2] for trial in plain(told)]
    assert fills == [p.Fill(ptr="memory1", value=7, size=size) for size in (0, 8)]
    assert comes_to(told) == Ran()
    beyond = replace(N, ranges=((0, 8), (9, 9)))
    assert breaks(story("p.add(n as usize).read();", bytes_, beyond))[1:] == ("out-of-bounds", 1)


def test_elements_have_the_size_of_their_type() -> None:
    (trial,) = plain(story("let q = p.cast::<u16>().add(3);\nq.write(1);", P))
    moved = [each for each in trial.program.statements if isinstance(each, p.Sub)]
    assert [each.offset for each in moved] == [6, 0]
    assert comes_to(story("p.cast::<u16>().add(3).write(1);", P)) == Ran()
    assert breaks(story("p.cast::<u32>().add(1).cast::<u64>().read_unaligned();", P)) == (
        2,
        "out-of-bounds",
        1,
    )


def test_a_static_is_a_place_that_is_read_and_written() -> None:
    (trial,) = plain(story("COUNTER = COUNTER.wrapping_add(1);\nCOUNTER += 0;", static="u16"))
    assert trial.program.statements[0] == p.Static(to="static1", size=2, init="0300", align=2)
    kinds = [type(each).__name__ for each in trial.program.statements[1:]]
    assert kinds == ["Read", "Write", "Read", "Write"]


def test_a_place_that_is_only_named_is_not_read() -> None:
    """What `let _ = …` does to a place, in contrast to a value."""
    named = "let _ = *p.wrapping_add(9);\nlet _ = COUNTER;\nlet _ = p;\nlet _ = y;\ny = 1;"
    told = story(named, P, OUT, options=frozenset((Option.NOMEM,)), static="u64")
    assert isinstance(comes_to(told), Ran)
    assert breaks(story("let _ = *p.add(9);", P)) == (2, "out-of-bounds", 1)
    assert breaks(story("let _ = p.wrapping_add(9).read();", P)) == (2, "out-of-bounds", 1)
    assert breaks(story("let _ = (*p.wrapping_add(9),);", P)) == (2, "out-of-bounds", 1)


# What the story does wrong


def test_a_write_through_a_shared_reference_is_told_in_its_line() -> None:
    lent = replace(P, memory=Memory(size=8, align=8, borrow=Borrow.SHARED))
    told = story("let q = p;\n*q = 1;", lent)
    for mode in MODES:
        if mode.aliasing is Aliasing.NONE:
            assert isinstance(comes_to(told, mode), Ran)
        else:
            assert breaks(told, mode) == (2, "aliasing", 2)


def test_bytes_that_nobody_wrote_are_uninitialised() -> None:
    bare = replace(P, memory=Memory(size=8, align=8, initialised=False))
    assert breaks(story("let _ = p.read();", bare)) == (2, "uninitialised", 1)
    assert comes_to(story("p.write(1);\nlet _ = p.read();", bare)) == Ran()


@pytest.mark.parametrize(("align", "kind"), [(8, "misaligned"), (32, None)])
def test_a_vector_is_read_where_its_type_is_aligned(align: int, kind: str | None) -> None:
    wide = replace(P, type="*const u8", memory=Memory(size=32, align=align))
    told = story("let _ = p.cast::<__m256i>().read();", wide)
    assert (None if kind is None else breaks(told)[1]) == kind
    loose = story("let _ = p.cast::<__m256i>().read_unaligned();", wide)
    assert isinstance(comes_to(loose), Ran)


PROMISES = (
    (Option.NOMEM, "p.write(value);"),
    (Option.NOMEM, "y = p.read();"),
    (Option.NOMEM, "let _ = p.add(1);"),
    (Option.NOMEM, "y = COUNTER;"),
    (Option.NOMEM, "(&raw mut COUNTER).write(1);"),
    (Option.READONLY, "p.write(value);"),
    (Option.READONLY, "*p = *p;"),
    (Option.READONLY, "COUNTER = 1;"),
    (Option.PURE, "y = any();"),
    (Option.PURE, "let open = any();\ny = open;"),
)


@pytest.mark.parametrize(("option", "text"), PROMISES)
def test_a_promise_is_broken_that_the_story_does_not_keep(option: Option, text: str) -> None:
    whole = text if "y =" in text else f"{text}\ny = 0;"
    told = story(whole, P, VALUE, OUT, options=frozenset((option,)), static="u64")
    for mode in MODES:
        found = comes_to(told, mode)
        assert isinstance(found, UndefinedBehaviour), found
        assert (found.rule, found.kind) == (2, str(option))


@pytest.mark.parametrize("option", [Option.NOMEM, Option.READONLY, Option.PURE])
def test_a_promise_is_kept_by_what_looks_at_nothing(option: Option) -> None:
    told = story("y = value.wrapping_mul(3);", P, VALUE, OUT, options=frozenset((option,)))
    assert isinstance(comes_to(told), Ran)
    reads = story("y = p.read();", P, OUT, options=frozenset((Option.READONLY, Option.PURE)))
    assert isinstance(comes_to(reads), Ran)


def test_what_is_kept_besides_is_advice() -> None:
    assert comes_to(story("y = p.read();", P, OUT)) == Ran(advice="block: readonly, block: pure")
    assert comes_to(story("y = value;", P, VALUE, OUT)) == Ran(
        advice="block: readonly, block: pure, block: nomem"
    )
    assert comes_to(story("p.write(value);", P, VALUE)) == Ran()


REFUSED = (
    ("if n > 0 {\n    y = 1;\n}", (2, "out-operand", 3)),
    ("if n > 0 {\n    y = 1;\n}\ny = 2;", (2, "in-operand", 4)),
    ("if n > 0 {\n    y = 1;\n} else {\n    n = 1;\n}\ny = n;", (2, "in-operand", 4)),
    ("n = 0;\ny = n;", (2, "in-operand", 1)),
    ("y = 1;\ny = 2;", (2, "in-operand", 2)),
    ("let _ = n;", (2, "out-operand", 1)),
    ("x = y;\ny = 1;", (2, "out-operand", 1)),
    ("x = 1;\ny = x + step;", (1, "reaches-out", 2)),
    ("n = 0;\ny = step;", (1, "reaches-out", 2)),
    ("y = std::env::var();", (1, "reaches-out", 1)),
)


@pytest.mark.parametrize(("text", "breach"), REFUSED)
def test_what_rustc_refuses_is_a_breach(text: str, breach: tuple[int, str, int]) -> None:
    assert breaks(story(text, N, OUT, CHANGED)) == breach


def test_an_operand_can_be_hidden_by_a_variable() -> None:
    assert isinstance(comes_to(story("let n = 1;\ny = n;", N, OUT)), Ran)


def test_a_story_that_does_not_return_has_to_end() -> None:
    options = frozenset((Option.NORETURN,))
    assert comes_to(story("std::process::abort();", options=options)) == Ran()
    assert comes_to(story("std::process::exit(any());", options=options)) == Ran()
    assert breaks(story("let _ = 1;", options=options)) == (2, "noreturn", 1)
    assert comes_to(story("loop { std::hint::spin_loop(); }", options=options)) == Ran()
    halves = "if n > 3 {\n    std::process::abort();\n}"
    assert breaks(story(halves, N, options=options)) == (2, "noreturn", 1)
    whole = f"{halves} else {{ std::process::exit(1); }}"
    assert comes_to(story(whole, N, options=options)) == Ran()
    stores = story("p.write(1);\nstd::process::exit(0);\np.write(2);", P, options=options)
    (trial,) = plain(stores)
    assert sum(isinstance(each, p.Write) for each in trial.program.statements) == 1


# What is not said


UNSAID = (
    ("let mut i = 0;\nwhile i < n { i += 1; }", "a loop", 2),
    ("p.add(value as usize);", "how far or how much", 1),
    ("x = value + 1;", "arithmetic that may overflow", 1),
    ("let many = 7;\nx = many + 1;", "arithmetic on numbers whose type is not said", 2),
    ("x = 8 / n;", "a division that may be by zero", 1),
    ("x = value << value;", "a shift that may be too far", 1),
    ("let _ = &*p;", "a reference", 1),
    ("p.replace(1);", "the method replace of a pointer", 1),
    ("p.cast::<Secret>().read();", "memory of the type Secret", 1),
    ("p.write_bytes(0, 1);", "write_bytes of elements larger than a byte", 1),
    ("x = helper(1);", "the function helper", 1),
    ("std::process::abort();", "an end of the program", 1),
    ("assert_eq!(x, 1);", "the macro assert_eq!", 1),
    ("x = if n > 1 { *p } else { 0 };", "a branch", 1),
    ("if n > 1 { *p = 0; }", "a branch", 1),
    ("loop { *p = 0; }", "a loop", 1),
    ("loop { break; }", "a jump", 1),
    ("loop {}", "an end of the program (a loop)", 1),
    ("{ let p = p.add(0); }", "a variable that hides another", 1),
    ("x = any_where(|found| *found == p.read());", "a choice that hangs on memory", 1),
)


@pytest.mark.parametrize(("text", "said", "line"), UNSAID)
def test_what_cannot_be_said_is_told_with_its_line(text: str, said: str, line: int) -> None:
    message, span = unsaid(story(text, P, N, VALUE, CHANGED))
    assert message.startswith(f"the pointer language cannot say {said}")
    assert f"line {line} of the story of block" in message
    assert span is not None
    assert (span.file, span.line) == ("block", line)


def test_of_a_choice_that_may_be_only_one_nothing_is_said() -> None:
    told = story("y = any_where(|found| *found == 1);", OUT, options=frozenset((Option.PURE,)))
    assert "whether y can be more than one value" in unsaid(told)[0]


def test_too_many_states_are_not_told() -> None:
    drawn = [replace(N, name=f"n{number}") for number in range(7)]
    assert "128 states" in unsaid(story("", *drawn))[0]


def test_a_fence_is_no_access() -> None:
    text = "std::sync::atomic::fence(std::sync::atomic::Ordering::SeqCst);"
    assert isinstance(comes_to(story(text)), Ran)
    assert comes_to(story(text, options=frozenset((Option.NOMEM,)))).name == "ub"


def test_what_is_found_before_what_cannot_be_said_counts() -> None:
    """Undefined where nothing is promised: what the promise comes to is not asked any more."""
    lent = replace(P, memory=Memory(size=8, align=8, borrow=Borrow.SHARED))
    text = "p.write(1);\ny = any_where(|found| *found == 1);"
    told = story(text, lent, OUT, options=frozenset((Option.PURE,)))
    assert breaks(told) == (2, "aliasing", 1)
    assert isinstance(comes_to(told, NONE), Unsupported)


# Atomic accesses and allocations


def test_an_atomic_access_is_one_of_memory() -> None:
    use = "use std::sync::atomic::{AtomicU64, Ordering::Relaxed};\n"
    adds = f"{use}y = AtomicU64::from_ptr(p).fetch_add(1, Relaxed);"
    assert isinstance(comes_to(story(adds, P, OUT)), Ran)
    for option, kind in ((Option.READONLY, "readonly"), (Option.NOMEM, "nomem")):
        assert breaks(story(adds, P, OUT, options=frozenset((option,)))) == (2, kind, 2)
    loads = f"{use}y = AtomicU64::from_ptr(p).load(Relaxed);"
    assert isinstance(comes_to(story(loads, P, OUT, options=frozenset((Option.READONLY,)))), Ran)


def test_memory_lasts_from_its_allocation_to_its_end() -> None:
    head = "let layout = std::alloc::Layout::from_size_align(16, 8).unwrap();\n"
    head += "let q = std::alloc::alloc_zeroed(layout).cast::<u64>();\ny = q.add(1).read();\n"
    assert isinstance(comes_to(story(head, OUT)), Ran)
    freed = f"{head}std::alloc::dealloc(q.cast(), layout);\n"
    assert isinstance(comes_to(story(freed, OUT)), Ran)
    assert breaks(story(f"{freed}q.read();", OUT)) == (2, "dangling", 5)
    grown = f"{head}let r = std::alloc::realloc(q.cast(), layout, 8).cast::<u64>();\nr.read();\n"
    assert isinstance(comes_to(story(grown, OUT)), Ran)
    assert breaks(story(f"{grown}r.add(1).read();", OUT)) == (2, "out-of-bounds", 6)
    assert breaks(story(f"{grown}q.read();", OUT)) == (2, "dangling", 6)


# Programs


def program(text: str, told: str = "p.write(5);") -> Story:
    """A program around the block, whose pointer it brings."""
    block = Block(name="block", story=told, operands=(replace(P, type="*mut i32", memory=None),))
    return Story(arch="x86_64", blocks=(block,), program=text)


def test_a_block_behind_a_borrow_is_told_where_it_is_called() -> None:
    sound = "let mut x = 1;\nlet p = &raw mut x;\nunsafe { block(p); }\nassert_eq!(x, 5);"
    for mode in MODES:
        assert isinstance(comes_to(program(sound), mode), Ran)
    behind = "let mut x = 1;\nlet p = &raw mut x;\nlet r = unsafe { &mut *p };\n*r = 2;\n"
    behind += "unsafe { block(p) };\n*r += 1;"
    for mode in MODES:
        found = comes_to(program(behind), mode)
        if mode.aliasing is Aliasing.NONE:
            assert isinstance(found, Ran)
        else:
            assert isinstance(found, UndefinedBehaviour)
            assert found.location.span == Span(file="program", line=6, column=1)


def test_a_reference_becomes_the_pointer_that_a_block_takes() -> None:
    assert isinstance(comes_to(program("let mut x = 1;\nblock(&mut x);")), Ran)
    shared = comes_to(program("let x = 1;\nblock((&raw const x).cast_mut());"))
    assert isinstance(shared, UndefinedBehaviour)
    assert (shared.kind, shared.location.span) == (
        "aliasing",
        Span(file="block", line=1, column=3),
    )


def test_a_struct_is_bytes_with_an_alignment() -> None:
    head = "#[repr(align(8))]\nstruct Aligned([u8; 16]);\nlet mut x = Aligned([7; 16]);\n"
    head += "x.0[3] = 1;\n"
    assert isinstance(comes_to(program(f"{head}block(x.0.as_mut_ptr().add(8).cast());")), Ran)
    odd = comes_to(program(f"{head}block(x.0.as_mut_ptr().add(2).cast());"))
    assert isinstance(odd, UndefinedBehaviour)
    assert odd.kind == "misaligned"


UNSAID_PROGRAMS = (
    ("let x = 1u64;\nblock((&raw const x).cast_mut());", "the type of what p points to", 2),
    ("let x = [1; 4];", "such an expression", 1),
    ("unsafe {\nlet mut x = 1;\nblock(&raw mut x);\n}", "memory that lasts as long", 2),
    ("struct Two(u8, u8);", "a struct", 1),
    ("std::thread::spawn(|| 1);", "the function std::thread::spawn", 1),
    ("helper();", "the function helper", 1),
    ("let x = 1;\nlet y = &x;\n*y = 2;", "an assignment through a shared reference", 3),
)


@pytest.mark.parametrize(("text", "said", "line"), UNSAID_PROGRAMS)
def test_what_cannot_be_said_of_a_program(text: str, said: str, line: int) -> None:
    message, span = unsaid(program(text))
    assert message.startswith(f"the pointer language cannot say {said}"), message
    assert f"line {line} of the program" in message
    assert span is not None
    assert (span.file, span.line) == ("program", line)


def test_what_a_branch_assigns_is_one_of_its_values() -> None:
    both = "let small = if value > 8 { 8 } else { 3 };\nlet mut size = 0_u64;\n"
    both += "if value > 1 { size = small; } else if value > 0 { size = 1; }\ny = size + 1;"
    assert isinstance(comes_to(story(both, VALUE, OUT)), Ran)
    over = both.replace("size = 1;", f"size = {(1 << 64) - 1};")
    assert "arithmetic that may overflow" in unsaid(story(over, VALUE, OUT))[0]


# Numbers


@pytest.mark.parametrize(
    ("sign", "left", "right", "expected"),
    [
        ("+", (0, 7), (1, 2), (1, 9)),
        ("-", (5, 9), (1, 2), (3, 8)),
        ("*", (1, 64), (2, 65), (2, 4160)),
        ("/", (10, 20), (2, 5), (2, 10)),
        ("%", (10, 20), (2, 5), (0, 4)),
        ("&", (0, 255), (0, 15), (0, 15)),
    ],
)
def test_the_range_of_a_result_holds_every_result(
    sign: str, left: tuple[int, int], right: tuple[int, int], expected: tuple[int, int]
) -> None:
    sides = [v.Number(type="u64", low=low, high=high) for low, high in (left, right)]
    found = arithmetic.binary(sign, *sides)
    assert isinstance(found, v.Number)
    assert (found.low, found.high) == expected
    for a in range(left[0], left[1] + 1):
        for b in range(right[0], right[1] + 1):
            one = arithmetic.binary(sign, v.literal(a, "u64"), v.literal(b, "u64"))
            assert isinstance(one, v.Number)
            assert one.exact is not None
            assert expected[0] <= one.exact <= expected[1]


@pytest.mark.parametrize(
    ("number", "to", "expected"),
    [(-1, "u8", 255), (256, "u8", 0), (200, "i8", -56), (7, "i64", 7), (1 << 63, "i64", -1 << 63)],
)
def test_a_cast_keeps_the_low_bits(number: int, to: str, expected: int) -> None:
    found = v.cast(v.literal(number, None), to)
    assert isinstance(found, v.Number)
    assert found.exact == expected


def test_division_rounds_towards_zero() -> None:
    for sign, expected in (("/", -3), ("%", -1)):
        found = arithmetic.binary(sign, v.literal(-7, "i64"), v.literal(2, "i64"))
        assert isinstance(found, v.Number)
        assert found.exact == expected
