"""The time to judge grows with a program's length, not with its square."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from harness.mode import MODES
from harness.model.borrows import Access
from harness.model.machine import judge
from harness.model.memory import Allocation, AllocationKind
from harness.model.stacked_borrows import StackedBorrows
from harness.model.tree import Location
from harness.model.tree_borrows import TreeBorrows
from harness.outcome import Ran
from harness.pointer import program as p

BENCH = Path(__file__).parents[2] / "benches" / "model_growth.py"
FAMILIES = ("reuse", "chain", "siblings", "cells")


@pytest.fixture(scope="module")
def bench() -> ModuleType:
    spec = importlib.util.spec_from_file_location("model_growth", BENCH)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def visits(
    bench: ModuleType, family: str, length: int, mode: int, monkeypatch: pytest.MonkeyPatch
) -> int:
    """How many nodes' states an access looks at or changes, or how many blocks it moves."""
    count = 0

    class CountingStates(dict[int, int]):
        def get(self, key: int, default: int | None = None) -> int | None:  # type: ignore[override]
            nonlocal count
            count += 1
            return super().get(key, default)

    def make(self: Location) -> None:
        original(self)
        self.states = CountingStates()

    lose = StackedBorrows._lose

    def count_lost(self: StackedBorrows, *arguments: object) -> object:
        nonlocal count
        count += 1
        return lose(self, *arguments)  # type: ignore[arg-type]

    original = Location.__init__
    with monkeypatch.context() as patch:
        patch.setattr(Location, "__init__", make)
        patch.setattr(StackedBorrows, "_lose", count_lost)
        program = p.PointerProgram(statements=tuple(getattr(bench, family)(length)))
        assert isinstance(judge(program, MODES[mode]), Ran)
    return count


@pytest.mark.parametrize("mode", [0, 2], ids=["stacked", "tree"])
@pytest.mark.parametrize("family", FAMILIES)
def test_the_work_of_each_family_is_linear(
    bench: ModuleType, family: str, mode: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Counted, not timed, so that a busy machine changes nothing."""
    small = visits(bench, family, 600, mode, monkeypatch)
    large = visits(bench, family, 6000, mode, monkeypatch)
    assert large <= 11 * small + 100
    assert mode == 0 or small > 0


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("length", [100, 1000])
def test_a_family_has_the_length_that_was_asked_for(
    bench: ModuleType, family: str, length: int
) -> None:
    assert abs(len(list(getattr(bench, family)(length))) - length) <= 3


def test_the_views_of_a_long_chain_can_be_had() -> None:
    """No recursion stands in the way of deep trees."""
    statements: list[p.AnyStatement] = [p.Heap(to="m0", size=1)]
    statements += [p.RefMut(to=f"m{i}", of=f"m{i - 1}") for i in range(1, 5000)]
    assert isinstance(judge(p.PointerProgram(statements=tuple(statements)), MODES[2]), Ran)


@pytest.mark.parametrize("model", [StackedBorrows, TreeBorrows])
def test_bytes_share_their_state_until_accesses_tell_them_apart(
    model: type[StackedBorrows] | type[TreeBorrows],
) -> None:
    block = Allocation(
        number=0,
        name="h",
        kind=AllocationKind.HEAP,
        size=4096,
        align=1,
        base=4096,
        created_at=(),
    )
    borrows = model()
    root = borrows.new_allocation(block)
    assert borrows.access(block, root, 0, 4096, Access.WRITE) is None
    assert len(borrows.views(block)) == 1
    for _ in range(3):
        assert borrows.access(block, root, 100, 8, Access.READ) is None
    assert [(view.start, view.end) for view in borrows.views(block)] == [
        (0, 100),
        (100, 108),
        (108, 4096),
    ]
