"""The pointer cases: each says what happens and by which rule, and the model agrees.

What a case expects was derived from the rules that its `source` cites, not from the model, so
that a disagreement here is an error on one of the two sides.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from harness.cases.load import load
from harness.cases.pointer_case import PointerCase
from harness.explain.rules import RULES
from harness.mode import EVERY_MODE, MODES, Aliasing, Mode, Provenance, parse_mode
from harness.model.exposed import missed_by_wildcard
from harness.model.machine import examine
from harness.outcome import Outcome, Panicked, Ran, Trapped, UndefinedBehaviour, Unsupported
from harness.pointer import program as p, text
from harness.pointer.validate import faults
from harness.result import Verdict
from harness.verdict import differences

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from harness.model.judgement import Judgement

ROOT = Path(__file__).parents[2]
CORPUS = ROOT / "corpus" / "pointer"
LOADED = load([CORPUS])
CASES = [case for case in LOADED.cases if isinstance(case, PointerCase)]
JUDGED: dict[tuple[str, Mode], Judgement] = {
    (case.id, mode): examine(case.program, mode) for case in CASES for mode in EVERY_MODE
}

each_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)


def test_every_file_is_a_case() -> None:
    assert not LOADED.errors
    assert len(CASES) == len(list(CORPUS.rglob("*.toml"))) >= 150


@each_case
def test_it_says_what_every_mode_shows(case: PointerCase) -> None:
    assert set(MODES) <= set(case.expectations)


@each_case
def test_the_model_agrees(case: PointerCase) -> None:
    for mode, expected in case.expectations.items():
        seen = JUDGED[case.id, mode].outcome
        assert not differences(wanted=expected, seen=seen), mode


@each_case
def test_its_name_and_its_words(case: PointerCase) -> None:
    folder, name = case.id.removeprefix("pointer/").split("/")
    assert folder in PROMISES
    assert re.fullmatch("[a-z0-9]+(-[a-z0-9]+)*", name)
    assert case.description.endswith(".")
    assert not faults(case.program)


@each_case
def test_its_program_is_written_as_format_writes_it(case: PointerCase) -> None:
    assert text.parse(text.format(case.program)).program == case.program


def test_no_two_cases_are_the_same_program() -> None:
    seen: dict[p.PointerProgram, str] = {}
    for case in CASES:
        assert seen.setdefault(case.program, case.id) == case.id


# What each folder promises


def _by_aliasing(case: PointerCase, aliasing: Aliasing) -> list[Outcome]:
    return [case.expectations[mode] for mode in MODES if mode.aliasing is aliasing]


def _undefined(outcomes: list[Outcome]) -> bool:
    return all(isinstance(each, UndefinedBehaviour) for each in outcomes)


def _defined(outcomes: list[Outcome]) -> bool:
    return all(isinstance(each, Ran | Trapped | Panicked) for each in outcomes)


def _sound(case: PointerCase) -> bool:
    return _defined([case.expectations[mode] for mode in MODES])


def _both(case: PointerCase) -> bool:
    return (
        _undefined(_by_aliasing(case, Aliasing.STACKED))
        and _undefined(_by_aliasing(case, Aliasing.TREE))
        and _defined(_by_aliasing(case, Aliasing.NONE))
    )


def _stacked_only(case: PointerCase) -> bool:
    return (
        _undefined(_by_aliasing(case, Aliasing.STACKED))
        and _defined(_by_aliasing(case, Aliasing.TREE))
        and _defined(_by_aliasing(case, Aliasing.NONE))
    )


def _tree_only(case: PointerCase) -> bool:
    return (
        _undefined(_by_aliasing(case, Aliasing.TREE))
        and _defined(_by_aliasing(case, Aliasing.STACKED))
        and _defined(_by_aliasing(case, Aliasing.NONE))
    )


_OF_PROVENANCE = (
    p.Expose,
    p.Addr,
    p.TransmuteAddr,
    p.FromExposed,
    p.WithAddr,
    p.Transmute,
    p.StorePtr,
    p.LoadPtr,
)


def _provenance(case: PointerCase) -> bool:
    """It has to do with addresses or stored pointers; a cast is unsupported when strict."""
    statements = list(_statements(case.program.statements))
    casts = any(isinstance(each, p.FromExposed) for each in statements)
    strict = [case.expectations[m] for m in MODES if m.provenance is Provenance.STRICT]
    permissive = [case.expectations[m] for m in MODES if m.provenance is Provenance.PERMISSIVE]
    assert not any(isinstance(each, Unsupported) for each in permissive)
    assert any(isinstance(each, Unsupported) for each in strict) == casts
    return any(isinstance(each, _OF_PROVENANCE) for each in statements)


def _memory(case: PointerCase) -> bool:
    return _undefined([case.expectations[mode] for mode in MODES])


PROMISES: dict[str, Callable[[PointerCase], bool]] = {
    "sound": _sound,
    "both": _both,
    "stacked-only": _stacked_only,
    "tree-only": _tree_only,
    "provenance": _provenance,
    "memory": _memory,
}


@each_case
def test_its_folder_keeps_its_promise(case: PointerCase) -> None:
    assert PROMISES[case.id.split("/")[1]](case)


def test_no_folder_is_empty() -> None:
    assert {case.id.split("/")[1] for case in CASES} == set(PROMISES)


# Rules


def _rules_of(case: PointerCase) -> set[str]:
    return {rule for mode in case.expectations if (rule := JUDGED[case.id, mode].rule) is not None}


@each_case
def test_it_names_the_rules_that_it_breaks(case: PointerCase) -> None:
    named = set(re.findall(r"[a-z]+/[a-z-]+", case.rule))
    assert named == _rules_of(case)
    assert named or re.search("[a-z]", case.rule)


NEVER_BROKEN = {
    "allocation/not-empty": "a program that asks for no bytes is not well-formed",
}
"""Rules that no well-formed program of the language can break, with the reason."""


def test_every_rule_is_shown() -> None:
    shown = {rule for case in CASES for rule in _rules_of(case)}
    assert not shown & NEVER_BROKEN.keys()
    assert shown == RULES.keys() - NEVER_BROKEN.keys()


# Exposed provenance

MISSED = {
    ("exposed-siblings-are-both-read", Aliasing.TREE): Verdict.MIRI_MISSES,
    ("forgotten-stack-lets-old-mut-write", Aliasing.STACKED): Verdict.MIRI_MISSES,
    ("later-exposed-child-hides-freeze", Aliasing.TREE): Verdict.MIRI_MISSES,
    ("protected-tag-and-sibling-are-exposed", Aliasing.TREE): Verdict.MIRI_MISSES,
    ("wildcard-child-is-older-than-all-exposed", Aliasing.STACKED): Verdict.MIRI_MISSES,
    ("wildcard-frees-protected-argument", Aliasing.STACKED): Verdict.MIRI_MISSES,
    ("wildcard-reaches-two-allocations", Aliasing.NONE): Verdict.SPEC_OPEN,
    ("wildcard-reaches-two-allocations", Aliasing.STACKED): Verdict.SPEC_OPEN,
    ("wildcard-reaches-two-allocations", Aliasing.TREE): Verdict.SPEC_OPEN,
    ("wildcard-siblings-may-be-nested", Aliasing.STACKED): Verdict.MIRI_MISSES,
    ("wildcard-siblings-may-be-nested", Aliasing.TREE): Verdict.MIRI_MISSES,
}
"""Where no single provenance of a cast makes the program defined, and a wildcard does.

`SPEC_OPEN`: a new provenance at each use would."""


def test_what_the_wildcard_misses() -> None:
    found = {
        (case.id.rsplit("/")[-1], mode.aliasing): (
            Verdict.SPEC_OPEN if missed.open_question else Verdict.MIRI_MISSES
        )
        for case in CASES
        for mode in MODES
        if (missed := missed_by_wildcard(case.program, mode, JUDGED[case.id, mode]))
    }
    assert found == MISSED


# Statements


def _statements(body: tuple[p.AnyStatement, ...]) -> Iterator[p.AnyStatement]:
    for statement in body:
        yield statement
        if isinstance(statement, p.Call):
            yield from _statements(statement.body)


def test_every_statement_occurs() -> None:
    found = {type(each) for case in CASES for each in _statements(case.program.statements)}
    assert found == set(p.AnyStatement.__args__)


def test_every_way_of_saying_it_occurs() -> None:
    """Each kind of argument, each operator, width and alignment, and both forms of each flag."""
    statements = [each for case in CASES for each in _statements(case.program.statements)]
    accesses = [each for each in statements if isinstance(each, p.Read | p.Write)]
    arguments = {a.as_ for each in statements if isinstance(each, p.Call) for a in each.args}
    assert arguments == {"mut", "mut_cell", "shared", "cell", "mix", "boxed"}
    operators = {each.operator for each in statements if isinstance(each, p.Arithmetic)}
    assert operators == {"add", "sub", "mul", "and", "or", "xor", "shl", "shr"}
    for aligned in (True, False):
        widths = {each.width for each in accesses if each.aligned is aligned}
        assert widths == {1, 2, 4, 8, 16}
    assert {each.inbounds for each in statements if isinstance(each, p.Sub)} == {True, False}
    assert {each.overlapping for each in statements if isinstance(each, p.Copy)} == {True, False}
    assert {each.unsafe_cell for each in statements if isinstance(each, p.RefCell)} == {True, False}
    assert {each.cell for each in statements if isinstance(each, p.RefMut)} == {True, False}
    pokes = [each for each in statements if isinstance(each, p.TwoPhase)]
    assert {each.cell for each in pokes} == {True, False}
    assert {each.value is None for each in pokes} == {True, False}


def test_implicit_writes_are_stated_both_ways() -> None:
    mode = parse_mode("tree-writes-permissive")
    stated = [case.expectations[mode] for case in CASES if mode in case.expectations]
    assert sum(isinstance(each, UndefinedBehaviour) for each in stated) >= 5
    assert sum(isinstance(each, Ran) for each in stated) >= 5
