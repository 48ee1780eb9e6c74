"""Memory: bytes and what is known of each, addresses, and maps from bytes to states."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

import pytest
from hypothesis import given, strategies as st

from harness.model.memory import Allocation, AllocationKind, Memory
from harness.model.provenance import MIXED, Concrete, Integer, Pointer
from harness.model.range_map import RangeMap

HEAP = AllocationKind.HEAP


@pytest.fixture
def memory() -> Memory:
    return Memory("little")


def allocate(memory: Memory, size: int, align: int = 1) -> Allocation:
    return memory.allocate(HEAP, size, align, "h", (0,))


def test_allocations_lie_far_from_each_other(memory: Memory) -> None:
    sizes = ((3, 1), (0, 1), (65536, 4096), (1, 64))
    made = [allocate(memory, size, align) for size, align in sizes]
    for before, after in pairwise(made):
        assert after.base - (before.base + before.size) >= 1 << 32
    for each in made:
        assert each.base % each.align == 0


def test_an_address_belongs_to_one_live_allocation(memory: Memory) -> None:
    first, empty = allocate(memory, 4), allocate(memory, 0)
    assert memory.at(first.base) is first
    assert memory.at(first.base + 3) is first
    assert memory.at(first.base + 4) is None
    assert memory.at(first.base - 1) is None
    assert memory.at(empty.base) is empty
    assert memory.at(0) is None
    first.freed_at = (1,)
    assert memory.at(first.base) is None


def test_a_pointer_is_read_back_only_as_it_was_written(memory: Memory) -> None:
    block = allocate(memory, 24)
    pointer = Pointer(block.base + 1, Concrete(block, 7), block.number)
    block.write_pointer(3, pointer)
    assert block.stored_provenance(3) == pointer.provenance
    assert block.stored_provenance(4) is None
    assert block.read_integer(3, 8) == Integer(block.base + 1, block.number)
    assert block.read_integer(3, 4).origin == MIXED
    block.copy_from(block, 3, 12, 8)
    assert block.stored_provenance(12) == pointer.provenance
    block.write_integer(5, 1, Integer(0))
    assert block.stored_provenance(3) is None
    assert block.stored_provenance(12) == pointer.provenance


def test_two_pointers_make_no_third(memory: Memory) -> None:
    block = allocate(memory, 16)
    for tag in (1, 2):
        block.write_pointer(8 * (tag - 1), Pointer(block.base, Concrete(block, tag), 0))
    block.copy_from(block, 12, 4, 4)
    assert block.stored_provenance(0) is None


def test_what_was_never_written_is_uninitialised(memory: Memory) -> None:
    block = allocate(memory, 4)
    block.write_integer(1, 2, Integer(0x0201))
    assert block.uninitialised_at(0, 4) == 0
    assert block.uninitialised_at(1, 2) is None
    assert block.uninitialised_at(1, 3) == 3
    other = allocate(memory, 4)
    other.write_integer(0, 4, Integer(0))
    other.copy_from(block, 0, 0, 4)
    assert other.initialised == block.initialised


@dataclass
class Marks:
    """A state that remembers what was done to it."""

    marks: list[int] = field(default_factory=list)

    def copy(self) -> Marks:
        return Marks(list(self.marks))


@given(st.integers(1, 40), st.data())
def test_a_range_map_is_a_state_per_byte(size: int, data: st.DataObject) -> None:
    ranges = RangeMap(size, Marks())
    plain: list[list[int]] = [[] for _ in range(size)]
    for mark in range(data.draw(st.integers(0, 12))):
        offset = data.draw(st.integers(0, size))
        length = data.draw(st.integers(0, size - offset))
        covered = 0
        for index in ranges.cut(offset, length):
            ranges.states[index].marks.append(mark)
            covered += ranges.starts[index + 1] - ranges.starts[index]
        assert covered == length
        for byte in range(offset, offset + length):
            plain[byte].append(mark)
    assert ranges.starts == sorted(set(ranges.starts))
    for start, end, state in ranges:
        for byte in range(start, end):
            assert state.marks == plain[byte]
            assert ranges.at(byte) is state


def test_an_empty_range_map_has_no_range() -> None:
    ranges = RangeMap(0, Marks())
    assert list(ranges) == []
    assert list(ranges.cut(0, 0)) == []
