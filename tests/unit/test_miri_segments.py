"""Segments: what belongs to which interpreter, and what belongs to nobody for certain."""

from __future__ import annotations

import json
import lzma
import struct
from collections.abc import Iterable
from pathlib import Path

from harness.diagnostics.message import Message, read_json
from harness.engines.marks import last_mark
from harness.engines.miri_items import MAINS, Item
from harness.engines.miri_records import MEMORY, RAN, TRAPPED, Ended, RecordReader
from harness.engines.miri_segments import BEGIN, Attributed, SegmentReader, Stopped
from harness.outcome import Location, Panicked, Ran, Span, ToolFailed, TrapKind, Trapped


def recorded(program: str, label: str) -> bytes:
    path = Path(__file__).parent.parent / "data" / "miri-recordings.jsonl.xz"
    with lzma.open(path, "rt") as lines:
        for run in map(json.loads, lines):
            if (run["program"], run["label"]) == (f"{program}.rs", label):
                stderr: str = run["stderr"]
                return stderr.encode()
    raise AssertionError(f"no recording of {program} {label}")


UNDEFINED = recorded("null_read", "stacked-strict")


UNCAUGHT = (
    json.dumps(
        {
            "$message_type": "diagnostic",
            "message": "Undefined Behavior: unwinding past the topmost frame of the stack",
            "level": "error",
            "code": None,
            "spans": [],
            "children": [],
        },
        separators=(",", ":"),
    )
    + "\n"
).encode()


def said(attributed: Iterable[Attributed]) -> dict[int, int | type]:
    """By item, the value that it ended with, or that it was stopped."""
    return {
        each.item: each.said.value if isinstance(each.said, Ended) else Stopped
        for each in attributed
    }


def ended(values: dict[int, int]) -> bytes:
    """Records of items that ran. values: that which each ended with, by its number."""
    return b"".join(record(item, RAN, value, b"") for item, value in values.items())


def cut(stderr: bytes, stdout: bytes = b"", *, is_whole: bool = True) -> list[Attributed]:
    """What is certain of a process that wrote this, whatever the pieces in which it came."""
    at_once = list(SegmentReader().end(stdout, stderr, is_whole=is_whole))
    reader = SegmentReader()
    in_pieces: list[Attributed] = []
    for end in range(0, len(stderr), 7):
        in_pieces += reader.hear(stdout, stderr[:end])
    in_pieces += reader.end(stdout, stderr, is_whole=is_whole)
    assert {each.item: each for each in in_pieces} == {each.item: each for each in at_once}
    return in_pieces


def record(
    item: int, kind: bytes, value: int, memory: bytes, trap: bytes = b"", operand: bytes = b""
) -> bytes:
    lengths = (len(memory), len(trap), len(operand))
    head = struct.pack("<Q8s4Q", item, kind, value, *lengths)
    return head + memory + trap + operand


def text(*lines: str | bytes) -> bytes:
    return b"".join(line if isinstance(line, bytes) else f"{line}\n".encode() for line in lines)


def test_an_item_begins_with_a_line_as_long_as_the_rust_side_says() -> None:
    line, rest = Item(choice=7, data=b"abc", place=5, count=9).encode(12).split(b"\n", 1)
    assert line.decode() == f"{BEGIN}00000000000000012"
    assert len(line) + 1 == 32
    assert "line: [u8; 32]" in (MAINS / "stream.rs").read_text()
    assert struct.unpack("<5Q", rest[:40]) == (12, 7, 5, 9, 3)
    assert rest[40:] == b"abc"


def test_kinds_of_records_are_those_of_the_rust_side() -> None:
    source = (MAINS / "stream.rs").read_text()
    for kind in (MEMORY, RAN, TRAPPED):
        assert f'b"{kind.decode()}"' in source


def test_results_and_errors_go_to_their_items() -> None:
    stderr = text(
        "warning: something of the compiler's",
        "Trying seed: 0", f"{BEGIN}5",
        "Trying seed: 1", f"{BEGIN}3", UNDEFINED, "FAILING SEED: 1",
        "Trying seed: 2", f"{BEGIN}4",
    )  # fmt: skip
    attributed = cut(stderr, ended({5: 1, 4: 2}))
    assert said(attributed) == {5: 1, 3: Stopped, 4: 2}
    assert [each.seed for each in attributed] == [0, 1, 2]
    reader = SegmentReader()
    list(reader.end(b"", stderr, is_whole=True))
    assert reader.count == 3
    assert reader.begun == {5: 0, 3: 1, 4: 2}


def test_what_is_certain_is_told_before_the_process_ends() -> None:
    reader = SegmentReader()
    written = text("Trying seed: 0", f"{BEGIN}5")
    assert list(reader.hear(ended({5: 1}), written)) == []
    written += text("Trying seed: 1", f"{BEGIN}6")
    assert said(reader.hear(ended({5: 1}), written)) == {5: 1}
    written += text(UNDEFINED, "Trying seed: 2", f"{BEGIN}7", "Trying seed: 3")
    assert said(reader.hear(ended({5: 1}), written)) == {6: Stopped}
    # The other pipe may be behind.
    late = ended({5: 1, 7: 3})
    assert said(reader.hear(late[:-1], written)) == {}
    assert said(reader.hear(late, written)) == {7: 3}
    assert said(reader.end(late, written, is_whole=True)) == {}


def test_an_error_after_the_result_counts() -> None:
    stderr = text("Trying seed: 0", f"{BEGIN}0", UNDEFINED)
    assert said(cut(stderr, ended({0: 1}))) == {0: Stopped}


def test_a_panic_is_that_of_the_item_that_says_so() -> None:
    stderr = text(
        "Trying seed: 0", f"{BEGIN}0",
        "Trying seed: 1", f"{BEGIN}1",
        "", "thread '<unnamed>' (1) panicked at src/lib.rs:7:9:",
        "index out of bounds: the len is 2 but the index is 5",
        "note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace",
        UNCAUGHT, "FAILING SEED: 1",
        "Trying seed: 2", f"{BEGIN}2", UNCAUGHT,  # it does not say what it was
        "Trying seed: 3", f"{BEGIN}3",
    )  # fmt: skip
    attributed = cut(stderr, ended({0: 1, 3: 4}))
    assert said(attributed) == {0: 1, 1: Stopped, 3: 4}
    stopped = attributed[1].said
    assert isinstance(stopped, Stopped)
    span = Span(file="src/lib.rs", line=7, column=9)
    assert stopped.failure.outcome == Panicked(
        message="index out of bounds: the len is 2 but the index is 5",
        location=Location(span=span),
    )
    assert [frame.span for frame in stopped.failure.frames] == [span]


def test_what_is_not_certain_is_left_out() -> None:
    stderr = text(
        "Trying seed: 0",  # no marker
        "Trying seed: 1", f"{BEGIN}1", f"{BEGIN}2",  # two
        "Trying seed: 3", f"{BEGIN}4", "thread 'main' panicked",  # neither result nor error
        "Trying seed: 5", f"{BEGIN}2",  # another has said so before
        "Trying seed: 6", f"{BEGIN}x",  # no number
        "Trying seed: 7", f"{BEGIN}6",
    )  # fmt: skip
    assert said(cut(stderr, ended({0: 1, 1: 1, 2: 1, 5: 1, 6: 6}))) == {6: 6}


def test_who_begins_an_item_again_says_nothing_of_it() -> None:
    stderr = text("Trying seed: 0", f"{BEGIN}5", "Trying seed: 1", f"{BEGIN}5", UNDEFINED)
    assert said(SegmentReader().end(ended({5: 1}), stderr, is_whole=True)) == {}


def test_the_last_words_of_a_process_that_was_ended_may_be_cut_short() -> None:
    stderr = text("Trying seed: 0", f"{BEGIN}0", "Trying seed: 1", f"{BEGIN}1")
    assert said(cut(stderr, ended({0: 1, 1: 1}), is_whole=False)) == {0: 1}
    reader = SegmentReader()
    list(reader.end(b"", stderr, is_whole=False))
    assert reader.last_begun == 1
    list(reader.end(b"", stderr + b"Trying seed: 2", is_whole=False))
    assert reader.last_begun is None


def test_without_an_interpreter_there_is_nothing() -> None:
    reader = SegmentReader()
    assert list(reader.end(b"", UNDEFINED, is_whole=True)) == []
    assert (reader.count, reader.last_begun) == (0, None)


def test_seeds_that_ran_at_the_same_time_name_no_items() -> None:
    reader = SegmentReader()
    stderr = recorded("static_memory_reborrowed", "seeds-keep-going")
    assert list(reader.end(b"", stderr, is_whole=True)) == []
    assert reader.count == 16


# Marks


def test_the_last_mark_before_the_error_is_the_place() -> None:
    transcript = read_json(text("compile 0", "  addr", "run 0", "  addr_op1", UNDEFINED, "run 1"))
    assert last_mark(transcript) == Location(instruction=0, operand="addr_op1")
    assert last_mark(read_json(text("compile 3", UNDEFINED))) == Location(instruction=3)


def test_without_marks_or_without_an_error_there_is_no_place() -> None:
    others = ("running 0", "run 0 x y", "compile", "  addr")
    assert last_mark(read_json(text(*others, UNDEFINED))) is None
    assert last_mark(read_json(text("run 0"))) is None


def test_the_error_is_the_last_entry() -> None:
    [only] = cut(text("Trying seed: 0", f"{BEGIN}0", "run 0", "  addr", UNDEFINED))
    assert isinstance(only.said, Stopped)
    transcript = only.said.transcript
    last = transcript.entries[-1]
    assert isinstance(last, Message)
    assert last.is_error
    assert last_mark(transcript) == Location(instruction=0, operand="addr")


# Records


def read(stdout: bytes) -> RecordReader:
    reader = RecordReader()
    reader.read(stdout)
    return reader


def numbers(stdout: bytes) -> list[int]:
    """The items of which it is certain how they ended."""
    reader = read(stdout)
    return [item for item in range(10) if reader.find(item)]


def test_records_say_how_items_ended() -> None:
    stdout = (
        record(4, RAN, 2, b"\x01\n")
        + record(9, MEMORY, 0, b"ab")
        + record(9, RAN, 77, b"")
        + record(5, TRAPPED, 1, b"\x00", b"misaligned", b"addr_op1")
    )
    reader = RecordReader()
    for end in range(len(stdout)):
        reader.read(stdout[:end])
    assert reader.find(5) is None
    reader.read(stdout)
    ran, with_memory, stopped = (reader.find(item) for item in (4, 9, 5))
    assert ran
    assert ran.of_bytecode() == Ran(steps=2, memory=b"\x01\n")
    assert with_memory
    assert with_memory.of_pointer_program(has_memory=True) == Ran(checksum=77, memory=b"ab")
    assert with_memory.of_pointer_program(has_memory=False) == Ran(checksum=77)
    trapped = Trapped(
        kind=TrapKind.MISALIGNED,
        location=Location(instruction=1, operand="addr_op1"),
        memory=b"\x00",
    )
    assert stopped
    assert stopped.of_bytecode() == trapped
    assert stopped.of_pointer_program(has_memory=True) == trapped


def test_a_record_that_is_no_record_ends_the_reading() -> None:
    good, other = record(0, RAN, 1, b"m"), record(1, RAN, 1, b"m")
    assert numbers(good + b"x" * 48 + other) == [0]
    assert numbers(good + b"printed by the program" + other) == [0]
    for end in range(len(other)):
        assert numbers(good + other[:end]) == [0]


def test_what_ended_twice_is_not_certain() -> None:
    twice = record(0, RAN, 1, b"m")
    assert numbers(twice + record(1, RAN, 1, b"m") + twice) == [1]


def test_a_trap_of_no_known_kind_is_a_failure_of_the_tool() -> None:
    assert isinstance(Ended(value=0, memory=b"", trap="x", operand="y").of_bytecode(), ToolFailed)
