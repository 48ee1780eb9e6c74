"""The abstract machine against 33,000 verdicts of a real Miri."""

from __future__ import annotations

import lzma
import time
from collections import Counter
from pathlib import Path

import pytest

from harness.errors import InputError
from harness.mode import MODES, Aliasing
from harness.model.machine import judge
from harness.outcome import Ran, UndefinedBehaviour
from harness.pointer.jsonl import Entry, read_set, write_line
from harness.verdict import differences

SETS = Path(__file__).parent.parent / "data" / "miri-verdicts"
SIZES = {"short": 3000, "long": 500, "extended": 2000}
VERDICTS = 33_000

ADDRESSES_IN_MESSAGES = 11
"""Verdicts whose message has a distance between two allocations, which Miri picks at random."""

NUMBERS_OF_ADDRESSES = 93
"""Runs whose checksum depends on addresses, though the recording has a number, by chance."""


def lines(name: str) -> list[bytes]:
    return lzma.decompress((SETS / f"{name}.jsonl.xz").read_bytes()).splitlines()


def entries(name: str) -> list[Entry]:
    found = []
    for entry in read_set(f"{name}.jsonl", lines(name)):
        assert not isinstance(entry, InputError), entry
        found.append(entry)
    return found


@pytest.fixture(scope="module")
def programs() -> list[Entry]:
    return [entry for name in SIZES for entry in entries(name)]


@pytest.mark.parametrize("name", SIZES)
def test_every_line_is_read_and_written_back(name: str) -> None:
    read = entries(name)
    assert len(read) == SIZES[name]
    assert [write_line(entry).encode() for entry in read] == lines(name)


@pytest.mark.timeout(180)
def test_the_machine_agrees_with_every_verdict(programs: list[Entry]) -> None:
    """Class, kind, place and checksum of all, and the message wherever it names no address."""
    agreed, other_words, of_addresses = 0, 0, 0
    started = time.process_time()
    for entry in programs:
        assert set(entry.expected) == set(MODES), entry.id
        for mode, expected in entry.expected.items():
            seen = judge(entry.program, mode)
            assert not differences(wanted=expected, seen=seen), (entry.id, str(mode))
            agreed += 1
            if isinstance(expected, Ran):
                assert isinstance(seen, Ran)
                assert expected.checksum is not None or seen.checksum is None, entry.id
                of_addresses += seen.checksum is None and expected.checksum is not None
            elif isinstance(expected, UndefinedBehaviour):
                assert isinstance(seen, UndefinedBehaviour)
                other_words += expected.message != seen.message
    seconds = time.process_time() - started
    assert agreed == VERDICTS
    assert (other_words, of_addresses) == (ADDRESSES_IN_MESSAGES, NUMBERS_OF_ADDRESSES)
    assert seconds < 90, f"{agreed} verdicts took {seconds:.0f} s of processor time"


def test_the_sets_have_every_class_and_kind_the_models_share(programs: list[Entry]) -> None:
    """So that agreeing with them says something about each."""
    seen = Counter(
        (mode.aliasing, outcome.name, getattr(outcome, "kind", None))
        for entry in programs
        for mode, outcome in entry.expected.items()
    )
    for kind in ("dangling", "out-of-bounds", "uninitialised", "no-provenance", "overlap"):
        for mode in MODES:
            assert seen[(mode.aliasing, "ub", kind)] > 1, (mode, kind)
    for aliasing in (Aliasing.STACKED, Aliasing.TREE):
        for kind in ("aliasing", "protector"):
            assert seen[(aliasing, "ub", kind)] > 500, (aliasing, kind)
