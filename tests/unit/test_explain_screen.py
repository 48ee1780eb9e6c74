"""Explanations on a screen."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.cases.load import load
from harness.cases.pointer_case import PointerCase
from harness.explain.explanation import Explanation, explain
from harness.explain.screen import render, summary
from harness.mode import parse_mode
from harness.pointer.text import parse

CORPUS = Path(__file__).parents[2] / "corpus"

PROTECTED = """
local x = [0; 2]
m = &mut x
p = &raw mut *m
call(a = &mut *m) {
    write a[0]: u8 = 7
    write p[0]: u8 = 1
}
"""


def pointer_case(text: str, description: str = "What it shows.") -> PointerCase:
    return PointerCase(
        id="pointer/both/a-case",
        path=Path("a-case.toml"),
        description=description,
        source="a test",
        rule="none",
        program=parse(text).program,
    )


def explained(text: str, *modes: str) -> Explanation:
    return explain(pointer_case(text), modes=[parse_mode(mode) for mode in modes])


def lines(explanation: Explanation, *, width: int = 100, verbose: bool = False) -> list[str]:
    return [line.plain for line in render(explanation, width=width, verbose=verbose)]


def step(shown: list[str], text: str) -> list[str]:
    """The lines of the step whose statement begins with `text`."""
    first = next(index for index, line in enumerate(shown) if f"  {text}" in line)
    last = next(index for index in range(first, len(shown)) if not shown[index])
    return shown[first:last]


def test_a_stack_step() -> None:
    shown = lines(explained(PROTECTED, "stacked-strict"))
    assert step(shown, "m = &mut x") == [
        "2  1    m = &mut x",
        "      retag: tag 2, *mut, for bytes 0..2 of x, from tag 1 (x)",
        "      retag: tag 3 (m), &mut, for bytes 0..2 of x, from tag 2",
        "      x, bytes 0..2",
        "        before  [1 x: Unique]",
        "        after   [1 x: Unique] +[2: SharedReadWrite] +[3 m: Unique]",
    ]


def test_the_step_that_breaks_a_stack() -> None:
    shown = lines(explained(PROTECTED, "stacked-strict"))
    assert step(shown, "write p[0]: u8 = 1") == [
        "6  3.1  write p[0]: u8 = 1",
        "      write access: byte 0 of x, through tag 4 (p)  ← breaks the rule",
        "      x, bytes 0..2",
        "        found   [1 x: Unique] [2: SharedReadWrite] [3 m: Unique] [5: Unique] "
        "[6: SharedReadWrite]",
        "                [7 a: Unique, protected]",
    ]
    assert shown[-10:] == [
        "A write access through tag 4 at byte 0 is not granted: its item is no longer in the stack "
        "there.",
        "broken rule      stacked/write-needs-granting-item",
        "the rule         A write needs a Unique or SharedReadWrite item of its tag in the byte's "
        "stack.",
        "at               statement 3.1: write p[0]: u8 = 1, in step 6",
        "in               x, a local of 2 bytes; byte 0",
        "tag 4 (p)        the access is made through it; made as *mut, from tag 3 (m)",
        "  made at        statement 2: p = &raw mut *m, in step 3",
        "  died at        statement 3: call(a = &mut *m), in step 4",
        "source           Jung et al., “Stacked Borrows” (POPL 2020), section 3.3 (rule WRITE-1)",
        "Miri's words     Undefined Behavior: attempting a write access using _ at ALLOC[0x0], but "
        "that tag does not exist in the borrow stack for this location",
    ]


def test_a_tree_step_and_the_one_that_breaks_it() -> None:
    shown = lines(explained(PROTECTED, "tree-strict"))
    assert step(shown, "write a[0]: u8 = 7") == [
        "5  3.0  write a[0]: u8 = 7",
        "      write access: byte 0 of x, through tag 5 (a)",
        "      x, byte 0",
        "           1 x              Unique",
        "        ~  └─ 2 m           Reserved → Unique",
        "        ~     └─ 3          Reserved → Unique",
        "        ~        └─ 4       Reserved → Unique",
        "        ~           └─ 5 a  Reserved, protected → Unique, protected",
    ]
    broken = step(shown, "write p[0]: u8 = 1")
    assert "         ! └─ 2 m           Unique" in broken
    assert "         x          └─ 5 a  Unique, protected" in broken


def test_a_run_without_a_fault_is_never_called_sound() -> None:
    explanation = explained("local x = [7; 1]\nread x[0]: u8\n", "tree-strict", "stacked-strict")
    shown = "\n".join(lines(explanation))
    assert "no undefined behaviour found by the model; checksum 7" in shown
    assert "sound" not in shown.replace("unsound", "sound")


def test_wide_stacks_are_wrapped_and_nothing_is_lost() -> None:
    text = "local x = [0; 1]\nm0 = &mut x\n"
    text += "".join(f"m{each + 1} = &mut *m{each}\n" for each in range(12))
    explanation = explained(text, "stacked-strict")
    narrow, wide = lines(explanation, width=60), lines(explanation, width=10_000)
    stacks = [line for line in narrow if line.startswith(" " * 8)]
    assert max(map(len, stacks)) <= 60
    assert " ".join(" ".join(narrow).split()) == " ".join(" ".join(wide).split())


def test_large_trees_show_what_changed_unless_all_is_asked_for() -> None:
    text = "local x = [0; 1]\np = &raw mut x\n"
    text += "".join(f"m{each} = &mut *p\n" for each in range(20)) + "read x[0]: u8\n"
    explanation = explained(text, "tree-strict")
    last = step(lines(explanation), "m19 = ")
    assert [line.split() for line in last[-3:]] == [
        ["1", "x", "Unique"],
        ["+", "└─", "21", "m19", "Reserved"],
        ["…", "and", "19", "unchanged", "nodes,", "which", "-v", "shows"],
    ]
    whole = step(lines(explanation, verbose=True), "m19 = ")
    assert sum("Reserved" in line for line in whole) == 20


def test_unchanged_ranges_are_shown_on_request() -> None:
    explanation = explained("local x = [0; 2]\nread x[0]: u8\nread x[1]: u8\n", "stacked-strict")
    assert step(lines(explanation), "read x[0]") == [
        "2  1  read x[0]: u8",
        "      read access: byte 0 of x, through tag 1 (x)",
    ]
    verbose = step(lines(explanation, verbose=True), "read x[0]")
    assert verbose[2:] == ["      x, bytes 0..2", "        is      [1 x: Unique]"]


def test_bytes_with_the_same_story_are_told_once() -> None:
    text = "local x = [0; 3]\np = &raw mut x\nq = p.add(1) as [u8; 1]\nm = &mut *q\nn = &mut *p\n"
    shown = step(lines(explained(text, "tree-strict")), "m = &mut *q")
    titles = [line.strip() for line in shown if line.startswith("      x, ")]
    assert titles == ["x, byte 0 and byte 2", "x, byte 1"]


def test_unknown_provenance_is_said_to_be_unknown() -> None:
    text = """
    local x = [0; 1]
    p = &raw mut x
    e = p.expose_provenance()
    w = with_exposed_provenance_mut(e) as [u8; 1]
    m = &mut *w
    write m[0]: u8 = 1
    """
    tree = lines(explained(text, "tree-permissive"))
    assert "      retag: tag 2 (m), &mut, for byte 0 of x, from unknown provenance" in tree
    assert "        +  2 m  Reserved, parent unknown" in tree
    stacked = lines(explained(text, "stacked-permissive"))
    assert any("[unknown items, of tags below" in line for line in stacked)


def test_what_the_wildcard_misses_is_told() -> None:
    path = CORPUS / "pointer" / "provenance" / "wildcard-siblings-may-be-nested.toml"
    (case,) = load([path]).cases
    last = list(
        render(explain(case, modes=[parse_mode("tree-permissive")]), width=80, verbose=False)
    )
    assert last[-2].plain == "ran: no undefined behaviour found by the model; checksum 3"
    assert last[-1].plain.startswith("Miri's wildcard lets this pass. With one provenance chosen")
    assert "statement 10: write b[0]: u8 = 2" in last[-1].plain


def test_bytecode_is_told_with_its_origins() -> None:
    (case,) = load([CORPUS / "bytecode" / "thread-program.toml"]).cases
    explanation = explain(case)
    assert explanation.variant == "reborrow"
    assert [str(trace.mode) for trace in explanation.traces] == ["stacked-strict"]
    shown = lines(explanation)
    assert shown[0] == "bytecode/thread-program, variant reborrow"
    assert "chosen: variant reborrow: the first that is undefined behaviour" in shown
    assert any(line.endswith("(instruction 0, addr, run phase)") for line in shown)
    assert any(line.endswith("(instruction 1, compile phase), in step 15") for line in shown)


def test_a_trap_is_told_as_one() -> None:
    (case,) = load([CORPUS / "bytecode" / "trap-const-u16-misaligned.toml"]).cases
    shown = lines(explain(case, variant="raw"))
    assert "trapped (misaligned at instruction 0, addr): no undefined behaviour" in shown[-1]


def test_modes_stand_one_after_the_other() -> None:
    shown = lines(explained(PROTECTED, "stacked-strict", "none-strict"))
    heads = [line for line in shown if line.startswith(("stacked-strict: ", "none-strict: "))]
    assert heads == [
        "stacked-strict: undefined behaviour: aliasing",
        "none-strict: ran: no undefined behaviour found by the model; checksum 0",
    ]


def test_the_summary_has_the_rules_but_no_steps() -> None:
    shown = [line.plain for line in summary(explained(PROTECTED, "tree-strict"))]
    assert "broken rule      tree/foreign-write-spares-protected" in shown
    assert not any("before" in line or "└─" in line for line in shown)


def test_a_description_cannot_move_the_cursor() -> None:
    case = pointer_case("local x = [0; 1]\n", "red \x1b[31m and\nmore")
    shown = [line.plain for line in render(explain(case), width=80, verbose=False)]
    assert shown[1] == "red \\x1b[31m and more"


@pytest.mark.parametrize("mode", ["stacked-strict", "tree-strict"])
def test_the_finding_says_who_else_has_the_tag(mode: str) -> None:
    text = PROTECTED.replace("call", "q = p as [u8; 1]\ncall")
    shown = lines(explained(text, mode))
    names = "; q has it too" if mode == "stacked-strict" else "; p, q have it too"
    assert any(line.endswith(names) for line in shown)


def test_a_mode_that_not_every_miri_has_is_told_too() -> None:
    shown = lines(explained(PROTECTED, "tree-writes-strict"))
    assert "  tree-writes-strict  undefined behaviour: protector" in shown
    assert "tree-writes-strict: undefined behaviour: protector" in shown


def test_styles_end_where_they_should() -> None:
    explanation = explained(PROTECTED, "tree-strict")
    for line in render(explanation, width=80, verbose=False):
        if "m = &mut x" in line.plain and line.plain.startswith("2"):
            assert line.style == ""
            assert [str(span.style) for span in line.spans] == ["dim", "cyan", "bold"]
            return
    raise AssertionError("the step is missing")
