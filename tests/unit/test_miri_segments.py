"""Segments: what belongs to which interpreter, and what belongs to nobody for certain."""

from __future__ import annotations

import json
import lzma
from pathlib import Path

from harness.diagnostics.message import Message, Transcript, read_json
from harness.engines.marks import last_mark
from harness.engines.miri_items import MAINS
from harness.engines.miri_segments import BEGIN, RESULT, Segments, cut
from harness.outcome import Location


def recorded(program: str, label: str) -> bytes:
    path = Path(__file__).parent.parent / "data" / "miri-recordings.jsonl.xz"
    with lzma.open(path, "rt") as lines:
        for run in map(json.loads, lines):
            if (run["program"], run["label"]) == (f"{program}.rs", label):
                stderr: str = run["stderr"]
                return stderr.encode()
    raise AssertionError(f"no recording of {program} {label}")


UNDEFINED = recorded("null_read", "stacked-strict")


def said(segments: Segments) -> dict[int, str | type]:
    """By item, the result line, or that it is a transcript."""
    return {
        each.item: each.said if isinstance(each.said, str) else Transcript
        for each in segments.attributed
    }


def text(*lines: str | bytes) -> Transcript:
    return read_json(
        b"".join(line if isinstance(line, bytes) else f"{line}\n".encode() for line in lines)
    )


def test_markers_are_those_of_the_rust_side() -> None:
    source = (MAINS / "stream.rs").read_text()
    assert f'b"{BEGIN}"' in source
    assert f'b"{RESULT}"' in source


def test_results_and_errors_go_to_their_items() -> None:
    segments = cut(
        text(
            "warning: something of the compiler's",
            "Trying seed: 0", f"{BEGIN}5", f"{RESULT}ran 1 00",
            "Trying seed: 1", f"{BEGIN}3", UNDEFINED, "FAILING SEED: 1",
            "Trying seed: 2", f"{BEGIN}4", f"{RESULT}ran 2 -",
        ),
        is_whole=True,
    )  # fmt: skip
    assert said(segments) == {5: "ran 1 00", 3: Transcript, 4: "ran 2 -"}
    assert [each.seed for each in segments.attributed] == [0, 1, 2]
    assert segments.count == 3


def test_an_error_after_the_result_counts() -> None:
    segments = cut(
        text("Trying seed: 0", f"{BEGIN}0", f"{RESULT}ran 1 00", UNDEFINED), is_whole=True
    )
    assert said(segments) == {0: Transcript}


def test_what_is_not_certain_is_left_out() -> None:
    segments = cut(
        text(
            "Trying seed: 0", f"{RESULT}ran 1 00",  # no marker
            "Trying seed: 1", f"{BEGIN}1", f"{BEGIN}2", f"{RESULT}ran 1 00",  # two
            "Trying seed: 2", f"{BEGIN}3", f"{RESULT}ran 1 00", f"{RESULT}ran 1 00",  # two results
            "Trying seed: 3", f"{BEGIN}4", "thread 'main' panicked",  # neither result nor error
            "Trying seed: 4", f"{BEGIN}5", f"{RESULT}ran 1 00",
            "Trying seed: 5", f"{BEGIN}5", f"{RESULT}ran 1 00",  # the same item twice
            "Trying seed: 6", f"{BEGIN}x", f"{RESULT}ran 1 00",  # no number
            "Trying seed: 7", f"{BEGIN}6", f"{RESULT}ran 1 00",
        ),
        is_whole=True,
    )  # fmt: skip
    assert said(segments) == {6: "ran 1 00"}


def test_the_last_words_of_a_process_that_was_ended_may_be_cut_short() -> None:
    transcript = text(
        "Trying seed: 0", f"{BEGIN}0", f"{RESULT}ran 1 00",
        "Trying seed: 1", f"{BEGIN}1", f"{RESULT}ran 1 00",
    )  # fmt: skip
    ended = cut(transcript, is_whole=False)
    assert said(ended) == {0: "ran 1 00"}
    assert ended.last_begun == 1
    assert cut(text("Trying seed: 0"), is_whole=False).last_begun is None


def test_without_an_interpreter_there_is_nothing() -> None:
    segments = cut(read_json(UNDEFINED), is_whole=True)
    assert (segments.count, segments.attributed, segments.last_begun) == (0, (), None)


def test_seeds_that_ran_at_the_same_time_name_no_items() -> None:
    segments = cut(
        read_json(recorded("static_memory_reborrowed", "seeds-keep-going")), is_whole=True
    )
    assert segments.count == 16
    assert segments.attributed == ()


# Marks


def test_the_last_mark_before_the_error_is_the_place() -> None:
    transcript = text("compile 0", "compile 0 addr", "run 0", "run 0 addr_op1", UNDEFINED, "run 1")
    assert last_mark(transcript) == Location(instruction=0, operand="addr_op1")
    assert last_mark(text("compile 3", UNDEFINED)) == Location(instruction=3)


def test_without_marks_or_without_an_error_there_is_no_place() -> None:
    assert last_mark(text("running 0", "run 0 x y", "compile", UNDEFINED)) is None
    assert last_mark(text("run 0")) is None


def test_the_error_is_the_last_entry() -> None:
    segments = cut(text("Trying seed: 0", f"{BEGIN}0", "run 0 addr", UNDEFINED), is_whole=True)
    [only] = segments.attributed
    assert isinstance(only.said, Transcript)
    last = only.said.entries[-1]
    assert isinstance(last, Message)
    assert last.is_error
    assert last_mark(only.said) == Location(instruction=0, operand="addr")
