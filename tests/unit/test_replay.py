"""Replay: what is read of a process, how failures are told apart, and how inputs get smaller."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import cast

import pytest
from hypothesis import given, strategies as st

from harness.cli.exit_code import ExitCode
from harness.cli.main import run as run_harness
from harness.cli.replay_command import code_of
from harness.diagnostics.failure import Failure
from harness.diagnostics.message import Frame
from harness.engines.confirmation import contradiction
from harness.errors import InputError
from harness.mode import MODES
from harness.outcome import (
    FaultKind,
    Location,
    Outcome,
    Ran,
    Span,
    TimedOut,
    ToolFailed,
    UndefinedBehaviour,
    Unsupported,
    UnsupportedKind,
)
from harness.replay.failures import distinct, symptom_of
from harness.replay.inputs import Input, read_inputs
from harness.replay.minimise import ByteEdit, apply, minimise
from harness.replay.places import placed
from harness.replay.returns import RETURNED, ReturnReader
from harness.replay.runs import Replayed, Replayer, Trial, agreed

MARK = b"\x01mark\xff\x00\x02"


def record(item: int) -> bytes:
    return MARK + item.to_bytes(8, "little") + b"ran     " + bytes(32)


def fault(file: str = "src/lib.rs", line: int = 3) -> UndefinedBehaviour:
    place = Location(span=Span(file=file, line=line, column=1))
    return UndefinedBehaviour(kind=FaultKind.ALIASING, message="m", location=place)


@given(noise=st.lists(st.binary(max_size=20), min_size=4, max_size=4), step=st.integers(1, 50))
def test_returns_are_found_in_whatever_stands_around_them(noise: list[bytes], step: int) -> None:
    said = noise[0] + b"".join(record(item) + noise[item] for item in (1, 2, 3))
    reader = ReturnReader(MARK)
    for end in range(0, len(said), step):
        reader.read(said[:end])
    reader.read(said)
    assert [reader.find(item) for item in range(5)] == [None, RETURNED, RETURNED, RETURNED, None]


def test_a_return_that_is_cut_short_is_none() -> None:
    reader = ReturnReader(MARK)
    reader.read(record(7)[: len(MARK) + 7])
    assert reader.find(7) is None


def test_places_do_not_hang_on_where_the_crate_or_the_registry_lies() -> None:
    std = Frame(
        function="read", span=Span(file="/x/rustlib/src/rust/library/a.rs", line=1, column=1)
    )
    own = Frame(function="f", span=Span(file="/home/me/crate/src/lib.rs", line=5, column=2))
    failure = Failure(outcome=fault(std.span.file), frames=(std, own))
    outcome = placed(failure, Path("/home/me/crate"))
    assert symptom_of(outcome) == symptom_of(
        UndefinedBehaviour(
            kind=FaultKind.ALIASING,
            message="m",
            location=Location(span=Span(file="src/lib.rs", line=5, column=2)),
        )
    )
    of_registry = Failure(outcome=fault("/h/.cargo/registry/src/index-1/dep-1.2.3/src/x.rs"))
    symptom = symptom_of(placed(of_registry, Path("/home/me/crate")))
    assert str(symptom) == "ub aliasing at dep-1.2.3/src/x.rs:3:1"


def test_each_failure_is_told_once_with_its_smallest_input() -> None:
    def seen(name: str, size: int, outcome: Outcome, mode: int = 0) -> Replayed:
        trial = Trial(input=Input(path=Path(name), data=bytes(size)), mode=MODES[mode])
        return Replayed(trial=trial, outcome=outcome, seed=None)

    unsupported = Unsupported(kind=UnsupportedKind.INT_TO_PTR, message="m")
    found = distinct(
        [
            seen("a", 1, Ran()),
            seen("b", 9, fault()),
            seen("c", 4, fault()),
            seen("c", 4, fault(), mode=1),
            seen("d", 2, unsupported),
            seen("e", 3, fault(line=8)),
        ],
        MODES,
    )
    assert [str(each.symptom) for each in found] == [
        "ub aliasing at src/lib.rs:8:1",
        "ub aliasing at src/lib.rs:3:1",
        "unsupported int-to-ptr",
    ]
    assert found[1].smallest.trial.input.name == "c"
    assert [each.name for each in found[1].inputs] == ["c", "b"]
    assert found[1].modes == MODES[:2]


def test_what_two_runs_do_not_agree_on_is_not_checked() -> None:
    assert agreed(fault(), fault(line=99)) == fault()
    doubtful = agreed(Ran(), fault())
    assert isinstance(doubtful, ToolFailed)
    assert contradiction(Ran(), fault()) in doubtful.message


@pytest.mark.parametrize(
    ("outcome", "by_name", "code"),
    [
        (Ran(), True, None),
        (fault(), False, ExitCode.MISMATCH),
        (TimedOut(message=""), False, ExitCode.NOT_CHECKED),
        (
            TimedOut(message="the evaluated program deadlocked", by_limit=False),
            False,
            ExitCode.MISMATCH,
        ),
        (ToolFailed(message=""), False, ExitCode.NOT_CHECKED),
        (Unsupported(kind=UnsupportedKind.INT_TO_PTR, message=""), False, None),
        (Unsupported(kind=UnsupportedKind.INT_TO_PTR, message=""), True, ExitCode.NOT_CHECKED),
    ],
)
def test_exit_codes(outcome: Outcome, by_name: bool, code: ExitCode | None) -> None:
    assert code_of(outcome, by_name=by_name) == code


class StandIn:
    """Replays inputs by a rule; counts what it is asked."""

    def __init__(self) -> None:
        self.asked = 0

    def run(self, trials: Sequence[Trial]) -> Iterator[Replayed]:
        for trial in trials:
            self.asked += 1
            data = trial.input.data
            # Another place is another failure, however it is called.
            outcome = fault(line=4) if b"other" in data else fault() if b"k\x00y" in data else Ran()
            yield Replayed(trial=trial, outcome=outcome, seed=None)


def test_an_input_becomes_the_smallest_that_fails_in_the_same_way() -> None:
    symptom = symptom_of(fault())
    assert symptom is not None
    replayer, steps = StandIn(), list[bytes]()
    data = bytes(range(100, 200)) + b"k\x00y" + bytes(range(200, 256))
    smallest, tally = minimise(cast("Replayer", replayer), symptom, MODES[0], data, steps.append)
    assert smallest == b"k\x00y" == steps[-1]
    assert len(steps) == tally.accepted
    assert replayer.asked < 400


@given(data=st.binary(max_size=30), numbers=st.sets(st.integers(0, 29)))
def test_edits_apply_together(data: bytes, numbers: set[int]) -> None:
    edits = [ByteEdit(at=at, drop=at % 2 == 0) for at in numbers if at < len(data)]
    left = [(at, byte) for at, byte in enumerate(data) if at not in numbers or at % 2]
    assert apply(data, edits) == bytes(0 if at in numbers else byte for at, byte in left)


def test_folders_are_all_files_below_them(tmp_path: Path) -> None:
    (tmp_path / "in" / "deep").mkdir(parents=True)
    for name in ("in/b", "in/deep/a", "c"):
        (tmp_path / name).write_bytes(name.encode())
    found = read_inputs([tmp_path / "c", tmp_path / "in", tmp_path / "c"])
    assert [each.data for each in found] == [b"c", b"in/b", b"in/deep/a"]


def test_no_inputs_are_bad_input(tmp_path: Path) -> None:
    for paths in ([], [tmp_path], [tmp_path / "absent"]):
        with pytest.raises(InputError):
            read_inputs(paths)
    assert run_harness(["replay", "--crate", str(tmp_path), "--entry", "run"]) == ExitCode.BAD_INPUT
