"""Any bytes give what they say or an error with its place: every target of the fuzzer."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from harness.errors import InputError, Place
from tests.fuzz.targets import TARGETS, demand_place, seeds

SEEDS = {name: tuple(seeds(name)) for name in TARGETS}

DAMAGE = st.one_of(
    st.binary(max_size=9),
    st.sampled_from([b"'", b'"', b"[", b"{", b"\\", b"\n", b"\r", b"-", b"9" * 5000, b"\xff"]),
)


@pytest.mark.parametrize("name", TARGETS)
def test_good_inputs_are_read(name: str) -> None:
    assert SEEDS[name]
    for data in SEEDS[name]:
        TARGETS[name](data)


@pytest.mark.parametrize("name", TARGETS)
@given(data=st.binary())
def test_any_bytes(name: str, data: bytes) -> None:
    TARGETS[name](data)


@pytest.mark.parametrize("name", TARGETS)
@given(data=st.data())
def test_any_damage_to_what_is_good(name: str, data: st.DataObject) -> None:
    raw = data.draw(st.sampled_from(SEEDS[name]))
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(raw)))
        cut = data.draw(st.integers(0, 12))
        raw = raw[:at] + data.draw(DAMAGE) + raw[at + cut :]
    TARGETS[name](raw)


@pytest.mark.parametrize(
    "place",
    [
        None,
        Place(file="b", line=1, column=1),
        Place(file="a", line=3, column=1),
        Place(file="a", line=1, column=9),
        Place(file="a"),
    ],
)
def test_a_place_outside_the_input_is_a_fault(place: Place | None) -> None:
    with pytest.raises(AssertionError):
        demand_place(InputError(place, "wrong"), "a", b"12\n3")


FOUND = [
    # A field that is too many, in an object that never ends; msgspec names no key on the way.
    ("jsonl", b'{"id":"","program":[],"expected":{"s":{"class":"unsupported","":'),
    # A number that Python does not convert.
    ("jsonl", b"9" * 5000),
    ("jsonl", b'{"id":' + b"9" * 5000 + b',"zz":1}'),
]


@pytest.mark.parametrize(("name", "data"), FOUND)
def test_what_the_fuzzer_found(name: str, data: bytes) -> None:
    TARGETS[name](data)
