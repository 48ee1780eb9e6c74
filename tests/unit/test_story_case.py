"""Story cases: every key, and each mistake with its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.cases.files import CaseFile
from harness.cases.load import load, read_case
from harness.cases.story_case import StoryCase
from harness.errors import InputError
from harness.mode import MODES, Aliasing
from harness.outcome import FaultKind, Location, Ran, Span, UndefinedBehaviour
from harness.resources import corpus_dir
from harness.story.block import Access, Borrow, Option

LOADED = load([corpus_dir() / "story"])
CASES = [case for case in LOADED.cases if isinstance(case, StoryCase)]

STORE = """\
kind = "story"
description = "A store."
source = "this test"

[block.store]
template = "mov [{p}], {value}"
options = ["nostack"]
story = '''
p.write(value);
'''

[block.store.operands]
p = { in = "reg", type = "*mut u64", memory = 8, borrow = "exclusive" }
value = { in = "reg", type = "u64", values = ["0", "1..=64"] }

[expect]
holds = true
"""


def read(text: str) -> StoryCase:
    file = CaseFile(path=Path("case.toml"), id="case")
    case = read_case(file, text.encode())
    assert isinstance(case, StoryCase)
    return case


def test_a_case_says_all_of_its_block() -> None:
    (block,) = read(STORE).program.blocks
    p, value = block.operands
    assert (p.access, p.register, p.pointee) == (Access.IN, "reg", "u64")
    assert p.memory is not None
    assert (p.memory.size, p.memory.align, p.memory.borrow) == (8, 8, Borrow.EXCLUSIVE)
    assert value.ranges == ((0, 0), (1, 64))
    assert block.options == {Option.NOSTACK}
    assert block.is_drawable


def test_places_in_the_story_are_places_in_the_file() -> None:
    found = read(STORE).place_of(Location(span=Span(file="store", line=1, column=3)))
    assert str(found) == "case.toml:9:3"


MISTAKES = (
    ("p.write(value);", "p.write(value;", "9:1: not Rust: "),
    ("{value}", "{valu}", "6:24: the template has no operand 'valu'\n  did you mean value?"),
    ("mov [{p}]", "mov [{p]", "6:18: a lone {"),
    ('"nostack"', '"nostak"', "7:12: there is no option 'nostak'\n  did you mean nostack?"),
    ('in = "reg", type = "u64"', 'in = "rgb", type = "u64"', "14:16: there is no register"),
    ('in = "reg", type = "u64"', 'in = "rbx", type = "u64"', "14:16: rbx cannot be an operand"),
    ('type = "u64"', 'type = "String"', "14:30: an operand cannot be a 'String'"),
    ('in = "reg", type = "u64"', 'type = "u64"', "14:9: an operand has one direction"),
    ("memory = 8", "memory = 8000", "13:47: 8000 bytes of memory"),
    ("memory = 8, ", "", "13:38: borrow without memory"),
    ('"exclusive"', '"mutable"', "13:59: there is no way to borrow 'mutable'"),
    ('"1..=64"', '"64..=1"', "14:52: no range of numbers: '64..=1'"),
    ("holds = true", "holds = false", "16:1: it has to be said whether the story holds"),
    ("holds = true", 'breaks = "rule 4 nomem"', "17:10: no breach: 'rule 4 nomem'"),
    ("holds = true", 'breaks = "rule 2 nomen"', "17:18: there is no kind 'nomen'"),
    ("holds = true", 'holds = true\nmodes = ["tree"]', "18:1: a story that holds is the same"),
    ("holds = true", 'breaks = "rule 2 nomem"\nmodes = ["oak"]', "18:10: there is no mode 'oak'"),
    ("[block.store]", "[block.fn]", "5:8: 'fn' cannot be the name of a block"),
    ("options", 'touches = ["COUNTER"]\noptions', "7:12: there is no static 'COUNTER'"),
    ("options", 'clobbers = ["rsp"]\noptions', "7:13: 'rsp' cannot be clobbered"),
    ("options", 'library = "m"\noptions', "7:1: a library without a function of it"),
    (
        'template = "mov [{p}], {value}"\noptions = ["nostack"]',
        'function = "f"\nlibrary = "m\\", kind = \\"x"',
        "7:11: 'm\", kind = \"x' is not the name of a library",
    ),
    ("options", 'function = "f"\noptions', "5:1: a block is either assembly or a foreign"),
)


LEAVE = """\
kind = "story"
description = "An end."
source = "this test"

[block.leave]
template = "ud2"
options = ["noreturn"]
story = "std::process::abort();"

[block.leave.operands]
p = { in = "reg", type = "*mut u8", memory = 1 }

[expect]
holds = true
"""

UNRETURNING = (
    ("{ in", "{ inout", "11:1: an output of a block that does not return\n  write in ="),
    (", memory = 1", "", "11:1: a block that does not return is never called by a program"),
    ('["noreturn"]', '["noreturn", "pure"]', "7:1: pure and noreturn exclude each other"),
    ("options", 'clobbers = ["rcx"]\noptions', "7:1: clobbers of a block that does not return"),
    (
        "[block.leave]",
        'program = "unsafe { leave(p) }"\n[block.leave]',
        "5:1: a program beside a block that does not return",
    ),
)


@pytest.mark.parametrize(("before", "after", "said"), UNRETURNING)
def test_nothing_comes_after_a_block_that_does_not_return(
    before: str, after: str, said: str
) -> None:
    assert not read(LEAVE).program.blocks[0].returns
    with pytest.raises(InputError) as raised:
        read(LEAVE.replace(before, after, 1))
    assert str(raised.value).startswith(f"case.toml:{said}"), str(raised.value)


@pytest.mark.parametrize(("before", "after", "said"), MISTAKES)
def test_a_mistake_is_told_with_its_place(before: str, after: str, said: str) -> None:
    assert before in STORE
    with pytest.raises(InputError) as raised:
        read(STORE.replace(before, after, 1))
    assert str(raised.value).startswith(f"case.toml:{said}"), str(raised.value)


def test_a_template_cannot_end_its_own_quotation() -> None:
    with pytest.raises(InputError):
        read(STORE.replace('"mov [{p}], {value}"', "'nop // \"###'"))


def test_a_story_cannot_close_its_function() -> None:
    with pytest.raises(InputError):
        read(STORE.replace("p.write(value);", "} fn other() {"))


def test_only_what_is_undefined_keeps_a_block_from_running() -> None:
    kinds = {"aliasing": False, "nomem": True, "pure": True, "dangling": False}
    for kind, is_defined in kinds.items():
        case = read(STORE.replace("holds = true", f'breaks = "rule 2 {kind}"'))
        assert case.is_defined == is_defined, kind
        assert case.expected_natively == Ran()


def test_a_broken_second_rule_shows_in_its_modes() -> None:
    case = read(STORE.replace("holds = true", 'breaks = "rule 2 aliasing"\nmodes = ["tree"]'))
    for mode in MODES:
        expected = case.expected_in(mode)
        if mode.aliasing is Aliasing.TREE:
            assert isinstance(expected, UndefinedBehaviour)
            assert (expected.rule, expected.kind) == (2, FaultKind.ALIASING)
        else:
            assert expected == Ran()


def test_every_file_of_the_corpus_is_a_case() -> None:
    assert not LOADED.errors
    assert len(CASES) == len(list((corpus_dir() / "story").glob("*.toml"))) >= 100


def test_every_rule_is_broken_in_the_corpus_and_kept() -> None:
    rules = [case.broken.rule if case.broken else None for case in CASES]
    assert {rule: rules.count(rule) >= 6 for rule in (None, 1, 2, 3)} == dict.fromkeys(
        (None, 1, 2, 3), True
    )


def test_every_kind_that_only_stories_have_is_in_the_corpus() -> None:
    of_stories = set(list(FaultKind)[list(FaultKind).index(FaultKind.OTHER) + 1 :])
    assert of_stories <= {case.broken.kind for case in CASES if case.broken}
