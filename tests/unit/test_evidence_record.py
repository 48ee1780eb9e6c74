"""Records: an outcome comes back as it was, without what belongs to one process."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given, strategies as st

from harness.evidence.record import (
    Record,
    decode_outcome,
    decode_record,
    encode_outcome,
    encode_record,
    lasting,
    lasts,
)
from harness.outcome import (
    FaultKind,
    Location,
    Outcome,
    Panicked,
    Ran,
    Span,
    TimedOut,
    ToolFailed,
    UndefinedBehaviour,
)
from harness.result import Recording, Tool

OUTCOMES = st.one_of(*(st.from_type(each) for each in Outcome.__args__)).map(
    lambda outcome: lasting(outcome, shared_source=False)
)
TOOL = Tool(version="miri 0.1.0 (abc 2026-01-01)", compiler="rustc 1.95.0-nightly", target="t")


@given(outcome=OUTCOMES)
def test_an_outcome_comes_back_as_it_was(outcome: Outcome) -> None:
    assert decode_outcome(msgspec.json.encode(encode_outcome(outcome))) == outcome


@given(outcome=OUTCOMES)
def test_a_record_is_one_line(outcome: Outcome) -> None:
    record = Record(outcome=outcome, recording=Recording(tool=TOOL, seen="2026-11-21"))
    line = encode_record(record)
    assert b"\n" not in line
    assert decode_record(line) == record


@pytest.mark.parametrize(
    "text", [b"", b"{}", b"[]", b'{"class": "flown"}', b'{"class": "ran", "memory": "0"}']
)
def test_what_is_no_outcome_is_refused(text: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        decode_outcome(text)


def test_numbers_and_shared_places_do_not_last() -> None:
    place = Location(path=(3,), span=Span(file="src/lib.rs", line=3000, column=1))
    seen = UndefinedBehaviour(
        kind=FaultKind.ALIASING,
        message="write access through <398> at alloc11808[0x0], got 0x21bdd[noalloc]",
        location=place,
        created=Location(span=Span(file="/home/me/lib.rs", line=1, column=1)),
        invalidated=Location(path=(2,)),
    )
    kept = lasting(seen, shared_source=True)
    assert kept == UndefinedBehaviour(
        kind=FaultKind.ALIASING,
        message="write access through <TAG> at ALLOC[0x0], got ADDRESS[noalloc]",
        location=Location(path=(3,)),
        created=None,
        invalidated=Location(path=(2,)),
    )


def test_a_place_in_the_rust_vm_lasts() -> None:
    place = Location(instruction=2, span=Span(file="src/variants/raw.rs", line=3, column=1))
    assert lasting(Panicked(message="", location=place), shared_source=False) == Panicked(
        message="", location=place
    )


def test_limits_and_tools_are_no_property_of_a_program() -> None:
    assert lasts(Ran())
    assert not lasts(TimedOut(message="60 s"))
    assert not lasts(ToolFailed(message="a crash"))
