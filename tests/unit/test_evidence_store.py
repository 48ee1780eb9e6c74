"""The store of records: what is added is found, and what is damaged is dropped, and only that."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from harness.evidence.store import FEW, WORTH_SEALING, Store

KEYS = st.text("abcdef0123456789-", min_size=1, max_size=8)
RECORDS = st.text(st.characters(codec="utf-8", exclude_characters="\n"), max_size=40).map(
    lambda text: text.encode()
)
ENTRIES = st.lists(st.tuples(KEYS, RECORDS), unique=True, max_size=12)

ADD_MANY = """
import sys
from pathlib import Path
from harness.evidence.store import Store
store = Store(Path(sys.argv[1]))
for number in range(300):
    store.add(f"key-{number}", f"{sys.argv[2]} {number}".encode() * 20)
"""


def write(path: Path, entries: list[tuple[str, bytes]]) -> bytes:
    store = Store(path)
    for key, record in entries:
        store.add(key, record)
    assert not store.notes
    return path.read_bytes() if entries else b""


def held(store: Store, entries: list[tuple[str, bytes]]) -> set[tuple[str, bytes]]:
    return {(key, record) for key, _ in entries for record in store.find(key)}


@given(entries=ENTRIES)
def test_another_process_finds_what_was_added_the_newest_first(
    entries: list[tuple[str, bytes]],
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "deep" / "records.log"
        write(path, entries)
        again = Store(path)
        for key, _ in entries:
            assert again.find(key) == [each for name, each in entries if name == key][::-1]
        assert again.find("never-added") == []
        assert not again.notes


@given(entries=ENTRIES.filter(bool), data=st.data())
def test_a_file_that_was_cut_short_loses_its_end_alone(
    entries: list[tuple[str, bytes]], data: st.DataObject
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "records.log"
        whole = write(path, entries)
        size = data.draw(st.integers(0, len(whole)))
        path.write_bytes(whole[:size])
        # Two line feeds to a record, one before it and one behind.
        finished = entries[: whole[:size].count(b"\n") // 2]
        store = Store(path)
        assert set(finished) <= held(store, entries) <= set(entries)
        store.add("after", b"the cut")
        again = Store(path)
        assert again.find("after") == [b"the cut"]
        assert held(again, entries) == held(store, entries)


@given(entries=ENTRIES.filter(bool), data=st.data())
def test_a_flipped_bit_costs_one_record_and_is_said_once(
    entries: list[tuple[str, bytes]], data: st.DataObject
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "records.log"
        whole = bytearray(write(path, entries))
        at = data.draw(st.integers(0, len(whole) - 1))
        whole[at] ^= 1 << data.draw(st.integers(0, 7))
        path.write_bytes(whole)
        store = Store(path)
        found = held(store, entries)
        assert found <= set(entries)
        assert len(found) >= len(entries) - 1
        if len(found) < len(entries):
            (note,) = store.notes
            assert str(path) in note
            assert "dropped" in note
        again = Store(path)
        assert held(again, entries) == found
        assert not again.notes, "what was dropped is gone, and said no more"


def test_processes_that_write_at_once_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "records.log"
    running = [
        subprocess.Popen([sys.executable, "-c", ADD_MANY, str(path), name]) for name in "ABC"
    ]
    assert [process.wait(timeout=60) for process in running] == [0, 0, 0]
    store = Store(path)
    for number in range(300):
        expected = {f"{name} {number}".encode() * 20 for name in "ABC"}
        assert set(store.find(f"key-{number}")) == expected
    assert not store.notes


def test_a_file_that_grew_too_large_keeps_its_newest_half(tmp_path: Path) -> None:
    path = tmp_path / "records.log"
    write(path, [(f"key-{number}", b"x" * 100) for number in range(50)])
    size = path.stat().st_size
    small = Store(path, largest=size - 1)
    assert small.find("key-0"), "this process has read it already"
    assert path.stat().st_size <= size // 2
    again = Store(path)
    assert not again.find("key-0")
    assert again.find("key-49")
    assert not again.notes


def grown(path: Path) -> list[tuple[str, bytes]]:
    """Entries that are on file there, more than are looked at without a seal."""
    entries = [(f"key-{number}", b"%d " % number + b"x" * 5_000) for number in range(80)]
    write(path, entries)
    assert path.stat().st_size > WORTH_SEALING
    assert not Store(path).find("never-added")
    return entries


def test_a_sealed_file_is_as_good_as_one_that_is_not(tmp_path: Path) -> None:
    path = tmp_path / "records.log"
    entries = [*grown(path), ("behind", b"the seal")]
    Store(path).add(*entries[-1])
    seal = path.with_suffix(".seal")
    assert seal.exists()
    assert held(Store(path), entries) == set(entries)
    seal.unlink()
    assert held(Store(path), entries) == set(entries)


@pytest.mark.parametrize("behind", [False, True], ids=["sealed", "behind"])
@pytest.mark.parametrize("rewritten", [False, True], ids=["in-place", "rewritten"])
def test_what_is_altered_under_a_seal_is_found(
    tmp_path: Path, *, behind: bool, rewritten: bool
) -> None:
    path = tmp_path / "records.log"
    entries = [*grown(path), ("behind", b"the seal")]
    Store(path).add(*entries[-1])
    data = bytearray(path.read_bytes())
    data[len(data) - 5 if behind else 1000] ^= 1
    if rewritten:
        path.unlink()
    path.write_bytes(data)
    store = Store(path)
    lost = entries[-1] if behind else entries[0]
    assert held(store, entries) == {*entries} - {lost}
    assert len(store.notes) == 1
    again = Store(path)
    assert held(again, entries) == {*entries} - {lost}
    assert not again.notes


@pytest.mark.parametrize("keep", [0, 1, 300_000])
def test_a_file_cut_short_of_its_seal_is_looked_at_line_by_line(tmp_path: Path, keep: int) -> None:
    path = tmp_path / "records.log"
    entries = grown(path)
    data = path.read_bytes()[:keep]
    path.write_bytes(data)
    whole = {entry for entry in entries if entry[1] + b"\n" in data}
    assert held(Store(path), entries) == whole


@given(content=st.binary(max_size=100) | st.builds(lambda n: b"%d " % n + b"0" * 64, st.integers()))
def test_a_seal_of_nonsense_is_no_seal(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "records.log"
        entries = [("a", b"record"), ("b", b"another")]
        whole = bytearray(write(path, entries))
        whole[-3] ^= 1
        path.write_bytes(whole)
        path.with_suffix(".seal").write_bytes(content)
        assert held(Store(path), entries) == {entries[0]}


def test_few_keys_are_found_as_many_are(tmp_path: Path) -> None:
    path = tmp_path / "records.log"
    # Each record looks like a line of another key.
    lines = [(key, b"0123456789abcdef b record %d" % n) for n in range(2) for key in ("a", "b")]
    write(path, lines)
    few, many = Store(path), Store(path)
    for number in range(FEW):
        many.find(f"never-added-{number}")
    assert few.find("b") == many.find("b") == [lines[3][1], lines[1][1]]
    for store in (few, many):
        store.add("b", b"one more")
        store.add("b", lines[1][1])
        assert store.find("b") == [b"one more", lines[3][1], lines[1][1]]


def test_a_record_is_kept_once(tmp_path: Path) -> None:
    path = tmp_path / "records.log"
    size = len(write(path, [("key", b"record")]))
    Store(path).add("key", b"record")
    assert path.stat().st_size == size


def test_where_nothing_can_be_written_everything_goes_on(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"")
    store = Store(file / "records.log")
    store.add("key", b"record")
    store.add("key", b"another")
    assert store.find("key") == [b"another", b"record"]
    assert [("cannot be" in note) for note in store.notes] == [True, True]
