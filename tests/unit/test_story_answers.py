"""Answers: what the native process and Miri say of a story, read into outcomes."""

from __future__ import annotations

import json

import pytest

from harness.diagnostics.failure import Failure, read_failure
from harness.diagnostics.message import Message, Note, read_json
from harness.engines.story_linking import read_link_error
from harness.engines.story_miri import STORY_FLAGS, read_story_run, story_flags
from harness.engines.story_native import (
    draws_states,
    read_answer,
    read_compile_errors,
    refusal,
)
from harness.engines.story_parting import parting_flags, partings, read_parting
from harness.outcome import (
    FaultKind,
    Outcome,
    Ran,
    Span,
    ToolFailed,
    UndefinedBehaviour,
    Unsupported,
    UnsupportedKind,
)
from harness.result import Verdict
from harness.story.block import Block, Option, Story
from harness.story.listing import Listing
from harness.story.miri_rust import STATES, write_told
from harness.story.native_rust import DRAWN_STATES, RUNTIME
from harness.verdict import ONLY_THREADS_TELL, describe, judge_story

RACE = Failure(outcome=UndefinedBehaviour(kind=FaultKind.DATA_RACE, message="a race"))


def read(output: str, failure: Failure | None = None, *, in_seeds: bool = False) -> Outcome:
    return read_story_run(output, read_json(b""), failure, Listing(), in_seeds=in_seeds)


def test_native_answers() -> None:
    assert read_answer("holds ") == Ran()
    assert read_answer("holds b: nostack") == Ran(advice="b: nostack")
    broken = read_answer("broken register b in drawn state 0: rbx was 0x1")
    assert isinstance(broken, UndefinedBehaviour)
    assert (broken.rule, broken.kind) == (3, FaultKind.REGISTER)
    assert describe(broken) == "ub rule 3 register"
    assert isinstance(read_answer("broken heart of glass"), ToolFailed)
    assert isinstance(read_answer(""), ToolFailed)


@pytest.mark.parametrize(
    ("phase", "kind"),
    [
        ("Plain", FaultKind.DATA_RACE),
        ("Readonly", FaultKind.READONLY),
        ("Nomem", FaultKind.NOMEM),
    ],
)
def test_the_phase_says_which_promise_was_broken(phase: str, kind: FaultKind) -> None:
    outcome = read(f"phase Plain\nphase {phase}\n", RACE)
    assert isinstance(outcome, UndefinedBehaviour)
    assert (outcome.rule, outcome.kind) == (2, kind)


def test_what_stops_after_the_end_is_only_no_advice() -> None:
    said = "phase Plain\nholds\nphase Readonly\nadvise b: readonly\nphase Nomem\n"
    assert read(said, RACE) == Ran(advice="b: readonly")


def test_one_seed_that_fails_is_enough() -> None:
    said = "phase Plain\nholds\nphase Plain\n"
    assert read(said, RACE) == Ran()
    outcome = read(said, RACE, in_seeds=True)
    assert isinstance(outcome, UndefinedBehaviour)


def error(text: str) -> bytes:
    """What Miri writes of an error without a place."""
    said: dict[str, object] = {"$message_type": "diagnostic", "message": text, "level": "error"}
    said |= {"code": None, "spans": [], "children": []}
    return json.dumps(said, separators=(",", ":")).encode() + b"\n"


@pytest.mark.parametrize(
    ("phase", "kind"), [("Plain", FaultKind.DATA_RACE), ("Nomem", FaultKind.NOMEM)]
)
def test_a_story_may_end_the_program_and_do_no_more(phase: str, kind: FaultKind) -> None:
    said = f"phase {phase}\n" * STATES
    abort = error("abnormal termination: the program aborted execution")
    race = error("Undefined Behavior: Data race detected between two accesses")

    def part(output: str, stderr: bytes) -> Outcome:
        transcript = read_json(stderr)
        failure = read_failure(transcript, 1)
        return read_parting(output, transcript, failure, Listing(), phase)

    assert part(said, b"") == Ran()
    assert part(said, STATES * abort) == Ran()
    found = part(said, abort + race + abort)
    assert isinstance(found, UndefinedBehaviour)
    assert (found.rule, found.kind) == (2, kind)
    assert isinstance(part(f"phase {phase}\n", abort), ToolFailed)
    assert isinstance(part("", b""), ToolFailed)


@pytest.mark.parametrize(
    ("said", "is_missing"),
    [
        ("rust-lld: error: unable to find library -lm\ncollect2: error", True),
        ("/usr/bin/ld: cannot find -lm: No such file or directory", True),
        ("rust-lld: error: undefined symbol: cbrt\n>>> referenced by", True),
        ("main.rs: undefined reference to `cbrt'", True),
        ("rust-lld: error: undefined symbol: cbrtf", False),
        ("rust-lld: error: duplicate symbol: cbrt", False),
    ],
)
def test_what_the_linker_does_not_find_is_the_story_s(said: str, is_missing: bool) -> None:
    block = Block(name="b", function="cbrt", library="m", story="")
    story = Story(arch="x86_64", blocks=(block,))
    note = Note(level="note", text=said)
    message = Message(level="error", text="linking with `cc` failed: exit status: 1", notes=(note,))
    found = read_link_error((message,), story)
    assert isinstance(found, Unsupported) == is_missing
    if isinstance(found, Unsupported):
        assert found.kind is UnsupportedKind.FOREIGN_FUNCTION


def test_a_seed_is_one_of_miris_or_a_group_of_them() -> None:
    block = Block(name="b", story="")
    plain = Story(arch="x86_64", blocks=(block,))
    litmus = Story(arch="x86_64", blocks=(block,), program="unsafe { b() }", litmus=True)
    assert story_flags(plain, None) == STORY_FLAGS
    assert story_flags(plain, 2)[-1] == "-Zmiri-seed=2"
    groups = [story_flags(litmus, seed)[-1] for seed in (None, 0, 2)]
    assert groups == [f"-Zmiri-many-seeds={each}" for each in ("0..16", "0..16", "32..48")]
    assert parting_flags(2)[0] == f"-Zmiri-many-seeds={2 * STATES}..{3 * STATES}"
    assert draws_states(plain)
    assert not draws_states(litmus)


def test_rustc_says_whether_a_story_can_return() -> None:
    text = "if x > 1 {\n    return;\n}"
    options = frozenset({Option.NORETURN, Option.NOMEM})
    leave = Block(name="leave", story=text, options=options)
    story = Story(arch="x86_64", blocks=(Block(name="stay", story=""), leave))
    assert partings(story) == [("leave", "Plain"), ("leave", "Nomem")]
    listing = write_told(story)
    head = listing.lines.index("! {") + 1
    for code, line, place in (("E0308", head, 1), ("E0069", head + 3, 2)):
        span = Span(file="src/main.rs", line=line, column=1)
        message = Message(level="error", text="no", code=code, span=span)
        found = read_compile_errors((message,), listing, "src/main.rs")
        assert isinstance(found, UndefinedBehaviour)
        assert (found.rule, found.kind) == (2, FaultKind.NORETURN)
        assert found.location.span == Span(file="leave", line=place, column=1)
    # A type that does not fit inside of the story is a mistake like any other.
    span = Span(file="src/main.rs", line=head + 3, column=1)
    message = Message(level="error", text="no", code="E0308", span=span)
    assert isinstance(read_compile_errors((message,), listing, "src/main.rs"), ToolFailed)


def test_silence_is_the_tools_failure() -> None:
    assert isinstance(read(""), ToolFailed)
    assert isinstance(read("phase Plain\n"), ToolFailed)


def test_a_litmus_test_that_finds_nothing_is_no_agreement() -> None:
    quiet = judge_story(outcome=Ran(), expected=Ran(), shows_nothing=True)
    assert (quiet.verdict, quiet.reason) == (Verdict.NOT_CHECKED, ONLY_THREADS_TELL)
    seen = UndefinedBehaviour(rule=3, kind=FaultKind.PROGRAM, message="7")
    assert judge_story(outcome=seen, expected=seen, shows_nothing=True).verdict is Verdict.AGREE
    loud = judge_story(outcome=seen, expected=Ran(), shows_nothing=True)
    assert loud.verdict is Verdict.MISMATCH


def test_another_rule_is_no_agreement() -> None:
    second = UndefinedBehaviour(rule=2, kind=FaultKind.OUT_OF_BOUNDS, message="")
    third = UndefinedBehaviour(rule=3, kind=FaultKind.OUT_OF_BOUNDS, message="")
    found = judge_story(outcome=second, expected=third, shows_nothing=False)
    assert found.verdict is Verdict.MISMATCH
    assert "rule: wanted 3, saw 2" in found.reason


def test_where_blocks_run() -> None:
    block = Block(name="b", story="")
    linux = "x86_64-unknown-linux-gnu"
    assert refusal(Story(arch="x86_64", blocks=(block,)), linux) is None
    assert "rules 1 and 2 only" in str(refusal(Story(arch="aarch64", blocks=(block,)), linux))
    assert refusal(Story(arch="x86_64", blocks=(block,)), "x86_64-apple-darwin")
    reason = refusal(Story(arch="x86_64", blocks=(block,), unrunnable="why"), linux)
    assert reason is not None
    assert reason.endswith("why")


def test_reports_name_as_many_drawn_states_as_there_are() -> None:
    source = (RUNTIME / "refine.rs").read_text(encoding="utf-8")
    assert f"const STATES: u64 = {DRAWN_STATES:_};" in source
