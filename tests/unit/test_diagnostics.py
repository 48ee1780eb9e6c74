"""Diagnostics: every recorded run of a real Miri, and every message that one was seen to print."""

from __future__ import annotations

import dataclasses
import json
import lzma
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from harness.diagnostics.failure import Failure, read_error, read_failure
from harness.diagnostics.human import read_human
from harness.diagnostics.kinds import fault_kind, unsupported_kind
from harness.diagnostics.message import Transcript, backtrace, read_json
from harness.outcome import (
    FaultKind,
    Leaked,
    Location,
    Outcome,
    Panicked,
    TimedOut,
    ToolFailed,
    UndefinedBehaviour,
    Unsupported,
    UnsupportedKind,
)

DATA = Path(__file__).parent.parent / "data"

RUN_AS_MODES = (
    "stacked-strict",
    "stacked-permissive",
    "tree-strict",
    "tree-permissive",
    "none-strict",
    "none-permissive",
)
STRICT = ("stacked-strict", "tree-strict", "none-strict")
PERMISSIVE = ("stacked-permissive", "tree-permissive", "none-permissive")
STACKED = ("stacked-strict", "stacked-permissive")
TREE = ("tree-strict", "tree-permissive")
NONE = ("none-strict", "none-permissive")


@cache
def recordings() -> tuple[dict[str, Any], ...]:
    with lzma.open(DATA / "miri-recordings.jsonl.xz", "rt") as lines:
        return tuple(json.loads(line) for line in lines)


def recording(program: str, label: str) -> dict[str, Any]:
    [found] = [
        run for run in recordings() if run["program"] == f"{program}.rs" and run["label"] == label
    ]
    return found


def name(run: dict[str, Any]) -> str:
    return f"{run['program'].removesuffix('.rs')} {run['label']}"


def transcript(run: dict[str, Any]) -> Transcript:
    read = read_json if "--error-format=json" in run["flags"] else read_human
    return read(run["stderr"].encode())


def failure(run: dict[str, Any]) -> Failure | None:
    return read_failure(transcript(run), run["exit_code"])


@dataclass(frozen=True, kw_only=True)
class Fault:
    """What a run has to be read as: `line` is that of the primary span in `main.rs`."""

    outcome: type[Outcome]
    kind: FaultKind | UnsupportedKind | None = None
    line: int | None = None
    created: int | None = None
    invalidated: int | None = None
    functions: tuple[str, ...] = ("",)
    message: str = ""


def ub(
    kind: FaultKind,
    line: int | None,
    created: int | None = None,
    invalidated: int | None = None,
    functions: tuple[str, ...] = ("",),
) -> Fault:
    return Fault(
        outcome=UndefinedBehaviour,
        kind=kind,
        line=line,
        created=created,
        invalidated=invalidated,
        functions=functions,
        message="Undefined Behavior: ",
    )


def unsupported(kind: UnsupportedKind, line: int) -> Fault:
    return Fault(outcome=Unsupported, kind=kind, line=line, message="unsupported operation: ")


INT_TO_PTR = UnsupportedKind.INT_TO_PTR
CALLEE = ("callee", "main")

# By program, then by the runs that differ; `*` is every mode that is not named besides.
# Written from the programs' sources, line by line, not from what the reader makes of the runs.
FAULTS: dict[str, dict[tuple[str, ...] | str, Fault | None]] = {
    "abort": {"*": Fault(outcome=Panicked, line=3, message="abnormal termination: ")},
    "cell_memory": {"*": None},
    "compile_error": {
        "*": Fault(outcome=ToolFailed, line=3, message="error[E0308]: mismatched types")
    },
    "compile_error_const": {"*": Fault(outcome=ToolFailed, line=2, message="error[E0080]: index")},
    "data_race": {"*": ub(FaultKind.DATA_RACE, 4)},
    "deadlock": {
        "*": Fault(
            outcome=TimedOut,
            message="the evaluated program deadlocked",
            functions=(
                "std::sys::pal::unix::futex::futex_wait",
                "std::sys::sync::mutex::futex::Mutex::lock_contended",
                "std::sys::sync::mutex::futex::Mutex::lock",
                "std::sync::Mutex::<u8>::lock",
                "main",
            ),
        )
    },
    "double_free": {
        "*": ub(
            FaultKind.DANGLING,
            None,
            functions=(
                "std::boxed::Box::<[u8; 8]>::from_raw_in",
                "std::boxed::Box::<[u8; 8]>::from_raw",
                "main",
            ),
        )
    },
    "exit_code": {"*": Fault(outcome=ToolFailed, message="exit code 7", functions=())},
    "exposed_address": {STRICT: unsupported(INT_TO_PTR, 5), "*": None},
    "foreign_function": {"*": unsupported(UnsupportedKind.FOREIGN_FUNCTION, 6)},
    "inline_assembly": {"*": unsupported(UnsupportedKind.INLINE_ASSEMBLY, 5)},
    "invalid_bool": {"*": ub(FaultKind.INVALID_VALUE, 4)},
    "leak": {"*": Fault(outcome=Leaked, line=3, message="memory leaked: ")},
    "memory_clobbered_by_story": {
        STACKED: ub(FaultKind.ALIASING, 4, 3, functions=("story", "main")),
        TREE: ub(FaultKind.ALIASING, 4, 2, functions=("story", "main")),
        "*": None,
    },
    "misaligned_write": {"*": ub(FaultKind.MISALIGNED, 5)},
    "mixed_output": {
        STRICT: unsupported(INT_TO_PTR, 6),
        "*": ub(FaultKind.NO_PROVENANCE, 7),
    },
    "nondeterministic_address": {
        "*": Fault(
            outcome=Panicked, line=5, message="placed at an address with bit 4 set"
        )
    },
    "null_read": {"*": ub(FaultKind.NULL, 4)},
    "out_of_bounds_offset": {"*": ub(FaultKind.OUT_OF_BOUNDS, 5, 3)},
    "out_of_bounds_write": {"*": ub(FaultKind.OUT_OF_BOUNDS, 5, 3)},
    "panic": {"*": Fault(outcome=Panicked, line=5, message="index out of bounds: the len is 8")},
    "pointer_bytes_as_integer": {"*": None},
    "pointer_bytes_copied": {"*": None},
    "protected_argument": {
        STACKED: ub(FaultKind.PROTECTOR, 3, 7, functions=CALLEE),
        TREE: ub(FaultKind.PROTECTOR, 3, 7, functions=CALLEE),
        "*": None,
    },
    "protected_shared_argument": {
        STACKED: ub(FaultKind.PROTECTOR, 3, 8, functions=CALLEE),
        TREE: ub(FaultKind.PROTECTOR, 3, 8, functions=CALLEE),
        "*": None,
    },
    "reborrowed_reads_only": {STACKED: ub(FaultKind.ALIASING, 6, 4, 5), "*": None},
    "static_memory_raw_once": {"*": None},
    "static_memory_reborrowed": {
        STACKED: ub(FaultKind.ALIASING, 8, 4, 5),
        TREE: ub(FaultKind.ALIASING, 8, 4, 7),
        "*": None,
    },
    "transmuted_address": {"*": ub(FaultKind.NO_PROVENANCE, 6)},
    "two_phase_read": {STACKED: ub(FaultKind.ALIASING, 7, 5, 6), "*": None},
    "unaligned_cast_luck": {"*": ub(FaultKind.MISALIGNED, 5)},
    "unexposed_address": {
        STRICT: unsupported(INT_TO_PTR, 5),
        "*": ub(FaultKind.NO_PROVENANCE, 6),
    },
    "uninitialised_read": {"*": ub(FaultKind.UNINITIALISED, 6)},
    "unreachable": {"*": ub(FaultKind.UNREACHABLE, 4)},
    "use_after_free": {"*": ub(FaultKind.DANGLING, 6, 3, 5)},
    "with_addr": {"*": None},
    "write_through_shared": {
        STACKED: ub(FaultKind.ALIASING, 5, 4),
        TREE: ub(FaultKind.ALIASING, 5, 4),
        "*": None,
    },
}  # fmt: skip


def wanted(run: dict[str, Any]) -> Fault | None:
    label = run["label"]
    if label == "default-human":
        label = "stacked-permissive"
    by_label = FAULTS[run["program"].removesuffix(".rs")]
    for labels, fault in by_label.items():
        if label in labels:
            return fault
    if label not in RUN_AS_MODES and run["exit_code"] != 0:
        # Runs under other seeds and flags: by default Miri has Stacked Borrows.
        return by_label.get(STACKED) or by_label["*"]
    return by_label["*"] if label in RUN_AS_MODES else None


def line_of(location: Location | None) -> int | None:
    if location is None or location.span is None or location.span.file != "main.rs":
        return None
    return location.span.line


ENDED = [run for run in recordings() if run["exit_code"] != "timeout"]
FLAGS_REFUSED = ("unknown-flag", "conflicting-flags")


def test_there_are_as_many_recordings_as_there_were() -> None:
    assert len(recordings()) == 282
    assert len(ENDED) == 275
    assert {run["program"] for run in recordings()} - {"stack_overflow.rs"} == {
        f"{program}.rs" for program in FAULTS
    }


@pytest.mark.parametrize(
    "run", [run for run in ENDED if run["label"] not in FLAGS_REFUSED], ids=name
)
def test_a_recorded_run_is_read_as_what_it_was(run: dict[str, Any]) -> None:
    found = failure(run)
    fault = wanted(run)
    if fault is None:
        assert found is None
        return
    assert found is not None
    outcome = found.outcome
    assert type(outcome) is fault.outcome
    assert getattr(outcome, "kind", None) == fault.kind
    assert outcome.message.startswith(fault.message)  # type: ignore[union-attr]
    assert line_of(getattr(outcome, "location", None)) == fault.line
    assert line_of(getattr(outcome, "created", None)) == fault.created
    assert line_of(getattr(outcome, "invalidated", None)) == fault.invalidated
    assert tuple(frame.function for frame in found.frames) == fault.functions


@pytest.mark.parametrize(
    ("label", "said"),
    [
        ("unknown-flag", "unknown unstable option: `miri-no-such-flag`"),
        ("conflicting-flags", "Only one of `-Zmiri-seed` and `-Zmiri-many-seeds can be set"),
    ],
)
def test_refused_flags_are_the_tool_s_failure(label: str, said: str) -> None:
    [run] = [run for run in recordings() if run["label"] == label]
    for read in (read_json, read_human):
        found = read_failure(read(run["stderr"].encode()), run["exit_code"])
        assert found is not None
        assert isinstance(found.outcome, ToolFailed)
        assert said in found.outcome.message


@pytest.mark.parametrize(
    "run", [run for run in recordings() if run["program"] == "stack_overflow.rs"], ids=name
)
def test_warnings_before_a_time_out_are_no_failure(run: dict[str, Any]) -> None:
    read = transcript(run)
    assert [message.level for message in read.messages] == ["warning"]
    assert read_failure(read, 0) is None


@pytest.mark.parametrize("program", [*FAULTS, "stack_overflow"])
def test_the_human_format_says_the_same_as_the_json_format(program: str) -> None:
    human, machine = (
        recording(program, label) for label in ("default-human", "stacked-permissive")
    )
    seen = failure({**human, "exit_code": 1} if human["exit_code"] == "timeout" else human)
    said = failure({**machine, "exit_code": 1} if machine["exit_code"] == "timeout" else machine)
    if program == "stack_overflow":
        # Nothing but a warning: what is left is the exit code.
        assert seen is not None
        assert said is not None
        return
    assert scrub(seen) == scrub(said)


def scrub(found: Failure | None) -> object:
    """The failure without numbers that differ between runs."""
    if found is None:
        return None
    return json.loads(
        re.sub(
            r"alloc\d+|0x[0-9a-f]+|<\d+>|alignment \d+, but",
            "_",
            json.dumps(dataclasses.asdict(found), default=str),
        )
    )


def test_text_that_looks_like_a_message_is_none() -> None:
    run = recording("mixed_output", "stacked-permissive")
    read = transcript(run)
    assert "Undefined Behavior: not a real one" in read.text
    assert [message.text for message in read.messages if message.is_error] == [
        "Undefined Behavior: memory access failed: attempting to access 1 byte, "
        "but got 0x8[noalloc] which is a dangling pointer (it has no provenance)"
    ]


def test_a_message_after_text_without_a_line_s_end_is_read() -> None:
    run = recording("null_read", "stacked-strict")
    read = read_json(b"text of the program" + run["stderr"].encode())
    assert read.entries[0] == "text of the program"
    assert read.messages == transcript(run).messages


def test_a_message_cut_short_is_text() -> None:
    stderr = recording("null_read", "stacked-strict")["stderr"].encode()[:200]
    assert read_json(stderr).entries == (stderr.decode(),)


def test_the_order_of_seed_lines_and_messages_is_kept() -> None:
    run = recording("static_memory_reborrowed", "seeds-keep-going")
    errors = 0
    failing = []
    for entry in transcript(run).entries:
        if isinstance(entry, str):
            if entry.startswith("FAILING SEED: "):
                failing.append(int(entry.removeprefix("FAILING SEED: ")))
        elif entry.is_error:
            errors += 1
            assert isinstance(read_error(entry).outcome, UndefinedBehaviour)
    assert errors == len(failing) == 16
    assert sorted(failing) == list(range(16))


def test_a_backtrace_has_functions_and_places() -> None:
    [message, *_] = transcript(recording("double_free", "none-strict")).messages
    assert [str(frame.span) for frame in backtrace(message)] == [
        "RUST_SRC/library/alloc/src/boxed.rs:1536:9",
        "RUST_SRC/library/alloc/src/boxed.rs:1309:18",
        "main.rs:5:19",
    ]


# Messages

MESSAGES = [
    tuple(line.split("\t")) for line in (DATA / "miri-messages.tsv").read_text().splitlines()
]


def tree_borrows_details(program: str) -> list[str]:
    [message, *_] = transcript(recording(program, "tree-strict")).messages
    return [note.text for note in message.notes]


@pytest.mark.parametrize(("outcome", "kind", "message"), MESSAGES)
def test_a_message_names_its_kind(outcome: str, kind: str, message: str) -> None:
    if outcome == "unsupported":
        assert unsupported_kind(message) == kind
    elif message.endswith(" is forbidden"):
        # The same headline for both kinds: the helps under it decide.
        assert fault_kind(message, tree_borrows_details("protected_argument")) == "protector"
        assert fault_kind(message, tree_borrows_details("static_memory_reborrowed")) == "aliasing"
        assert kind in ("protector", "aliasing")
    else:
        assert fault_kind(message) == kind
        for program in ("protected_argument", "static_memory_reborrowed"):
            if kind != "aliasing":
                assert fault_kind(message, tree_borrows_details(program)) == kind


def test_the_messages_have_every_kind_that_pointer_programs_can_have() -> None:
    kinds = {kind for _, kind, _ in MESSAGES}
    assert len(MESSAGES) == 249
    assert kinds == {
        "aliasing", "protector", "dangling", "out-of-bounds", "uninitialised", "no-provenance",
        "overlap", "deallocation", "int-to-ptr",
    }  # fmt: skip


# How a process ended


def test_a_process_that_ends_by_a_signal_is_the_tool_s_failure() -> None:
    found = read_failure(read_json(b"last words"), -11)
    assert found is not None
    assert found.outcome == ToolFailed(message="ended by SIGSEGV: last words")


def test_exit_code_101_without_a_panic_is_no_panic() -> None:
    found = read_failure(read_json(b"error: could not compile `x`"), 101)
    assert found is not None
    assert isinstance(found.outcome, ToolFailed)


def test_a_panic_of_the_compiler_is_no_panic_of_the_program() -> None:
    run = recording("panic", "stacked-strict")
    stderr = run["stderr"].replace("thread 'main'", "thread 'rustc'").encode()
    found = read_failure(read_json(stderr), 101)
    assert found is not None
    assert isinstance(found.outcome, ToolFailed)
    assert found.outcome.message.startswith("the compiler panicked at main.rs:5:20: index out")


def test_a_panic_that_was_caught_is_no_failure() -> None:
    assert read_failure(transcript(recording("panic", "stacked-strict")), 0) is None
