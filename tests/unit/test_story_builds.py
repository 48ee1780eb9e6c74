"""Stories built together: what each is called, and who is to blame for a build that failed."""

from __future__ import annotations

from harness.diagnostics.message import Message, Note
from harness.engines.story_builds import BINARY, Module, blame, write_module
from harness.outcome import Span
from harness.story.block import Block, Story
from harness.toolchain.cargo import BuildFailed


def module(text: str, function: str = "") -> Module:
    block = Block(name="b", function=function, template="" if function else "nop", story=text)
    return write_module(Story(arch="x86_64", blocks=(block,)))


MODULES = [module(""), module("let x = 1;"), module("", "cbrt"), module("let x = 2;")]


def failed(*errors: Message) -> BuildFailed:
    return BuildFailed(errors={BINARY: errors}, message="all of it", command="cargo build")


def error(file: str, text: str = "no") -> Message:
    return Message(level="error", text=text, code="E1", span=Span(file=file, line=9, column=1))


def test_a_story_goes_by_its_own_text() -> None:
    assert len({each.name for each in MODULES}) == len(MODULES)
    assert module("let x = 1;").name == MODULES[1].name
    assert all(each.name in each.listing.text() for each in MODULES)


def test_who_has_errors_is_left_out_with_them() -> None:
    first, second = error(MODULES[1].file, "one"), error(MODULES[3].file, "two")
    attempt = blame(failed(first, second, error(MODULES[1].file, "three")), MODULES)
    assert attempt.refused.keys() == {MODULES[1].name, MODULES[3].name}
    refused = attempt.refused[MODULES[1].name]
    assert [each.text for each in refused.errors] == ["one", "three"]
    assert refused.message == "error[E1]: one"
    assert attempt.left == [[MODULES[0], MODULES[2]]]


def test_who_names_what_the_linker_lacks_is_left_out() -> None:
    note = Note(level="note", text="rust-lld: error: undefined symbol: cbrt")
    linking = Message(level="error", text="linking with `cc` failed", notes=(note,))
    attempt = blame(failed(linking), MODULES)
    assert attempt.refused.keys() == {MODULES[2].name}
    assert attempt.left == [[MODULES[0], MODULES[1], MODULES[3]]]


def test_an_error_of_nobody_is_looked_for_in_halves() -> None:
    attempt = blame(failed(), MODULES)
    assert not attempt.refused
    assert attempt.left == [MODULES[:2], MODULES[2:]]
    alone = blame(failed(), MODULES[:1])
    assert alone.refused[MODULES[0].name].message == "all of it"
    assert not alone.left
