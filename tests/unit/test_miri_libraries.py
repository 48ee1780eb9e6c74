"""Pieces that are compiled together: who is left out, and how often it is tried."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import chain

from harness.engines.miri_libraries import compile_together


def compiling(
    bad: set[str], *, told: bool, tries: list[int]
) -> Callable[[Sequence[str]], list[str] | set[int]]:
    """A compiler that refuses the bad ones. told: it says who they are."""

    def compile_some(pieces: Sequence[str]) -> list[str] | set[int]:
        tries.append(len(pieces))
        culprits = {number for number, piece in enumerate(pieces) if piece in bad}
        if not culprits:
            return list(pieces)
        return culprits if told else set()

    return compile_some


def test_all_are_one_library() -> None:
    tries: list[int] = []
    assert list(compile_together("abc", compiling(set(), told=True, tries=tries))) == [
        ["a", "b", "c"]
    ]
    assert tries == [3]


def test_who_is_to_blame_is_left_out() -> None:
    tries: list[int] = []
    libraries = list(compile_together("abcd", compiling({"b", "d"}, told=True, tries=tries)))
    assert libraries == [["a", "c"]]
    assert tries == [4, 2]
    assert list(compile_together("a", compiling({"a"}, told=True, tries=tries))) == []


def test_halves_find_who_nobody_blames() -> None:
    pieces = [str(number) for number in range(64)]
    tries: list[int] = []
    libraries = list(compile_together(pieces, compiling({"20"}, told=False, tries=tries)))
    assert sorted(chain.from_iterable(libraries), key=int) == [
        each for each in pieces if each != "20"
    ]
    # Two halves at each of six levels, and the whole before.
    assert len(tries) == 13
