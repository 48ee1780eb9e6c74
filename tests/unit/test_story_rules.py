"""What a story's names alone decide, and what rustc's errors say about it."""

from __future__ import annotations

import pytest

from harness.outcome import FaultKind
from harness.story.block import Block, Option, Static, Story
from harness.story.rules import breach_by_name, breach_of_compiling, shows_all


def story(text: str, *options: Option, touches: tuple[str, ...] = ()) -> Story:
    block = Block(name="block", story=text, options=frozenset(options), touches=touches)
    static = Static(name="COUNTER", type="u64", initial="0")
    return Story(arch="x86_64", blocks=(block,), statics=(static,))


REACHES = (
    "let now = std::time::Instant::now();",
    "use std::env::var; var(name);",
    "use std::{fs::read, mem::swap}; read(name);",
    "let x = crate::secret();",
    "super::other();",
    "::std::process::exit(1);",
    "static mut SEEN: u64 = 0;",
    'unsafe extern "C" { fn getpid() -> i32; }',
    'println!("{x}");',
    'core::arch::asm!("nop");',
    "assert_eq!(std::process::id(), 1);",
    "assert!(matches!(x, 1 if x > 0));",
    "COUNTER += 1;",
    "mod inner { pub fn f() {} }",
)


@pytest.mark.parametrize("text", REACHES)
def test_what_lies_outside_is_refused(text: str) -> None:
    found = breach_by_name(story(text))
    assert found is not None
    assert (found.rule, found.kind) == (1, FaultKind.REACHES_OUT)
    assert found.location.span is not None
    assert (found.location.span.file, found.location.span.line) == ("block", 1)


INSIDE = (
    "x = y.wrapping_add(1);",
    "use std::sync::atomic::{AtomicU64, Ordering};\nAtomicU64::from_ptr(p).load(Ordering::SeqCst);",
    "x = any_where(|found: &u64| *found > 1);",
    "assert_eq!(x, u64::MAX);",
    "std::process::abort();",
    "fn helper(x: u64) -> u64 { x } \n x = helper(x);",
    "struct Place(*mut u64); let place = Place(p);",
)


@pytest.mark.parametrize("text", INSIDE)
def test_what_has_no_state_is_not(text: str) -> None:
    assert breach_by_name(story(text)) is None


def test_only_what_does_not_return_may_end_the_process() -> None:
    leaves = "std::process::exit(3);"
    assert breach_by_name(story(leaves)) is not None
    assert breach_by_name(story(leaves, Option.NORETURN)) is None
    assert breach_by_name(story("std::process::id();", Option.NORETURN)) is not None


def test_a_static_that_it_touches_is_its_own() -> None:
    assert breach_by_name(story("COUNTER += 1;", touches=("COUNTER",))) is None


UNSEEN = (
    "std::sync::atomic::fence(std::sync::atomic::Ordering::SeqCst);",
    "p = std::alloc::alloc(layout);",
    "std::thread::spawn(|| {});",
)


@pytest.mark.parametrize("text", UNSEEN)
@pytest.mark.parametrize("option", [Option.NOMEM, Option.READONLY])
def test_effects_that_no_access_shows_break_a_promise(text: str, option: Option) -> None:
    assert breach_by_name(story(text)) is None
    found = breach_by_name(story(text, option))
    assert found is not None
    assert (found.rule, found.kind) == (2, FaultKind(option))


@pytest.mark.parametrize("text", [*UNSEEN, "if x > 1 { p.write(1) }", "match x { _ => {} }"])
def test_what_a_few_runs_may_not_show_is_no_ground_for_advice(text: str) -> None:
    assert not shows_all(story(text).blocks[0])
    assert shows_all(story("x = p.read();").blocks[0])


@pytest.mark.parametrize(
    ("code", "breach"),
    [
        ("E0425", (1, FaultKind.REACHES_OUT)),
        ("E0384", (2, FaultKind.IN_OPERAND)),
        ("E0381", (2, FaultKind.OUT_OPERAND)),
        ("E0308", None),
        (None, None),
    ],
)
def test_errors_of_the_compiler(code: str | None, breach: tuple[int, FaultKind] | None) -> None:
    assert breach_of_compiling(code) == breach
