"""Segments: what belongs to which interpreter, and what belongs to nobody for certain."""

from __future__ import annotations

import json
import lzma
import struct
from pathlib import Path

from harness.diagnostics.message import Message, Transcript, read_json
from harness.engines.marks import last_mark
from harness.engines.miri_items import MAINS, Item
from harness.engines.miri_records import MEMORY, RAN, TRAPPED, Ended, read_records
from harness.engines.miri_segments import BEGIN, Segments, cut
from harness.outcome import Location, Ran, ToolFailed, TrapKind, Trapped


def recorded(program: str, label: str) -> bytes:
    path = Path(__file__).parent.parent / "data" / "miri-recordings.jsonl.xz"
    with lzma.open(path, "rt") as lines:
        for run in map(json.loads, lines):
            if (run["program"], run["label"]) == (f"{program}.rs", label):
                stderr: str = run["stderr"]
                return stderr.encode()
    raise AssertionError(f"no recording of {program} {label}")


UNDEFINED = recorded("null_read", "stacked-strict")


def said(segments: Segments) -> dict[int, int | type]:
    """By item, the value that it ended with, or that it is a transcript."""
    return {
        each.item: each.said.value if isinstance(each.said, Ended) else Transcript
        for each in segments.attributed
    }


def ended(values: dict[int, int]) -> dict[int, Ended]:
    """Records of items that ran. values: that which each ended with, by its number."""
    return {item: Ended(value=value, memory=b"") for item, value in values.items()}


def record(
    item: int, kind: bytes, value: int, memory: bytes, trap: bytes = b"", operand: bytes = b""
) -> bytes:
    lengths = (len(memory), len(trap), len(operand))
    head = struct.pack("<Q8s4Q", item, kind, value, *lengths)
    return head + memory + trap + operand


def text(*lines: str | bytes) -> Transcript:
    return read_json(
        b"".join(line if isinstance(line, bytes) else f"{line}\n".encode() for line in lines)
    )


def test_an_item_begins_with_a_line_as_long_as_the_rust_side_says() -> None:
    line, rest = Item(choice=7, data=b"abc").encode(12).split(b"\n", 1)
    assert line.decode() == f"{BEGIN}00000000000000012"
    assert len(line) + 1 == 32
    assert "line: [u8; 32]" in (MAINS / "stream.rs").read_text()
    assert struct.unpack("<3Q", rest[:24]) == (12, 7, 3)
    assert rest[24:] == b"abc"


def test_kinds_of_records_are_those_of_the_rust_side() -> None:
    source = (MAINS / "stream.rs").read_text()
    for kind in (MEMORY, RAN, TRAPPED):
        assert f'b"{kind.decode()}"' in source


def test_results_and_errors_go_to_their_items() -> None:
    segments = cut(
        text(
            "warning: something of the compiler's",
            "Trying seed: 0", f"{BEGIN}5",
            "Trying seed: 1", f"{BEGIN}3", UNDEFINED, "FAILING SEED: 1",
            "Trying seed: 2", f"{BEGIN}4",
        ),
        ended({5: 1, 4: 2}),
        is_whole=True,
    )  # fmt: skip
    assert said(segments) == {5: 1, 3: Transcript, 4: 2}
    assert [each.seed for each in segments.attributed] == [0, 1, 2]
    assert segments.count == 3
    assert segments.begun == {5: 0, 3: 1, 4: 2}


def test_an_error_after_the_result_counts() -> None:
    segments = cut(text("Trying seed: 0", f"{BEGIN}0", UNDEFINED), ended({0: 1}), is_whole=True)
    assert said(segments) == {0: Transcript}


def test_what_is_not_certain_is_left_out() -> None:
    segments = cut(
        text(
            "Trying seed: 0",  # no marker
            "Trying seed: 1", f"{BEGIN}1", f"{BEGIN}2",  # two
            "Trying seed: 3", f"{BEGIN}4", "thread 'main' panicked",  # neither result nor error
            "Trying seed: 4", f"{BEGIN}5",
            "Trying seed: 5", f"{BEGIN}5",  # the same item twice
            "Trying seed: 6", f"{BEGIN}x",  # no number
            "Trying seed: 7", f"{BEGIN}6",
        ),
        ended({0: 1, 1: 1, 2: 1, 5: 1, 6: 6}),
        is_whole=True,
    )  # fmt: skip
    assert said(segments) == {6: 6}


def test_the_last_words_of_a_process_that_was_ended_may_be_cut_short() -> None:
    transcript = text("Trying seed: 0", f"{BEGIN}0", "Trying seed: 1", f"{BEGIN}1")
    broken_off = cut(transcript, ended({0: 1, 1: 1}), is_whole=False)
    assert said(broken_off) == {0: 1}
    assert broken_off.last_begun == 1
    assert cut(text("Trying seed: 0"), {}, is_whole=False).last_begun is None


def test_without_an_interpreter_there_is_nothing() -> None:
    segments = cut(read_json(UNDEFINED), {}, is_whole=True)
    assert (segments.count, segments.attributed, segments.last_begun) == (0, (), None)


def test_seeds_that_ran_at_the_same_time_name_no_items() -> None:
    segments = cut(
        read_json(recorded("static_memory_reborrowed", "seeds-keep-going")), {}, is_whole=True
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
    segments = cut(text("Trying seed: 0", f"{BEGIN}0", "run 0 addr", UNDEFINED), {}, is_whole=True)
    [only] = segments.attributed
    assert isinstance(only.said, Transcript)
    last = only.said.entries[-1]
    assert isinstance(last, Message)
    assert last.is_error
    assert last_mark(only.said) == Location(instruction=0, operand="addr")


# Records


def test_records_say_how_items_ended() -> None:
    records = read_records(
        record(4, RAN, 2, b"\x01\n")
        + record(9, MEMORY, 0, b"ab")
        + record(9, RAN, 77, b"")
        + record(5, TRAPPED, 1, b"\x00", b"misaligned", b"addr_op1")
    )
    assert records[4].of_bytecode() == Ran(steps=2, memory=b"\x01\n")
    assert records[9].of_pointer_program(has_memory=True) == Ran(checksum=77, memory=b"ab")
    assert records[9].of_pointer_program(has_memory=False) == Ran(checksum=77)
    trapped = Trapped(
        kind=TrapKind.MISALIGNED,
        location=Location(instruction=1, operand="addr_op1"),
        memory=b"\x00",
    )
    assert records[5].of_bytecode() == trapped
    assert records[5].of_pointer_program(has_memory=True) == trapped


def test_a_record_that_is_no_record_ends_the_reading() -> None:
    good, other = record(0, RAN, 1, b"m"), record(1, RAN, 1, b"m")
    assert list(read_records(good + b"x" * 48 + other)) == [0]
    assert list(read_records(good + b"printed by the program" + other)) == [0]
    for end in range(len(other)):
        assert list(read_records(good + other[:end])) == [0]


def test_what_ended_twice_is_not_certain() -> None:
    twice = record(0, RAN, 1, b"m")
    assert list(read_records(twice + record(1, RAN, 1, b"m") + twice)) == [1]


def test_a_trap_of_no_known_kind_is_a_failure_of_the_tool() -> None:
    assert isinstance(Ended(value=0, memory=b"", trap="x", operand="y").of_bytecode(), ToolFailed)
