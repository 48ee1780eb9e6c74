"""Rules and repairs: held against the abstract machine, over every pointer case and mode."""

from __future__ import annotations

import re

import pytest

from harness.cases.load import load
from harness.cases.pointer_case import PointerCase
from harness.explain.rules import RULES
from harness.mode import MODES, Provenance
from harness.model.machine import examine
from harness.outcome import FaultKind, Outcome, Panicked, Ran, Trapped, UndefinedBehaviour
from harness.resources import corpus_dir
from harness.usercode.broken_rules import BEYOND_THE_MODEL, broken_rule, rule_named
from harness.usercode.repairs import EVERY_REPAIR, Repair

CASES = {
    case.id: case
    for case in load([corpus_dir() / "pointer"]).cases
    if isinstance(case, PointerCase)
}

ONLY_IN_THE_HELPS = {
    ("tree/conflicted-is-not-written-while-protected", "tree/write-needs-permission"),
    ("tree/foreign-write-spares-protected", "tree/deallocation-spares-strongly-protected"),
    ("tree/write-needs-permission", "tree/wildcard-needs-exposed-permission"),
}
"""What the model breaks, and what Miri's headline alone says of it."""


@pytest.mark.parametrize("case", CASES.values(), ids=lambda case: case.id)
def test_miri_s_words_name_the_rule_that_the_model_breaks(case: PointerCase) -> None:
    for mode in MODES:
        judgement = examine(case.program, mode)
        if isinstance(judgement.outcome, UndefinedBehaviour):
            said = broken_rule(judgement.outcome)
            assert said == judgement.rule or (judgement.rule, said) in ONLY_IN_THE_HELPS


def test_the_helps_of_tree_borrows_decide_where_the_headline_does_not() -> None:
    conflicted = "the accessed tag <1> has state Reserved (conflicted) which forbids this child"
    frozen = "the accessed tag <1> has state Frozen which forbids this child write access"
    would = "this foreign {} access would cause the protected tag <2> (currently {}) to become"
    for kind, headline, note, rule in (
        (FaultKind.PROTECTOR, "write access through <1>", conflicted,
         "tree/conflicted-is-not-written-while-protected"),
        (FaultKind.PROTECTOR, "deallocation through <1>", would.format("write", "Reserved"),
         "tree/foreign-write-spares-protected"),
        (FaultKind.PROTECTOR, "reborrow through <1>", would.format("read", "Unique"),
         "tree/foreign-read-spares-protected"),
        (FaultKind.ALIASING, "write access through <wildcard>", frozen,
         "tree/write-needs-permission"),
    ):  # fmt: skip
        message = f"Undefined Behavior: {headline} at alloc1[0x0] is forbidden"
        outcome = UndefinedBehaviour(kind=kind, message=message)
        assert broken_rule(outcome, [note]) == rule


def test_words_that_are_not_known_break_no_known_rule() -> None:
    outcome = UndefinedBehaviour(kind=FaultKind.OTHER, message="Undefined Behavior: new in 2030")
    assert broken_rule(outcome) is None


def test_the_rules_beyond_the_model_are_sentences_with_a_source() -> None:
    assert not set(BEYOND_THE_MODEL) & set(RULES)
    for name, rule in BEYOND_THE_MODEL.items():
        assert rule_named(name) == rule
        assert re.fullmatch(r"[A-Z][^.]*\.", rule.sentence)
        assert rule.source


@pytest.mark.parametrize("repair", EVERY_REPAIR, ids=lambda repair: repair.case)
def test_the_case_of_a_repair_holds_in_the_model(repair: Repair) -> None:
    exposed = repair.case == "pointer/provenance/exposed-address"
    wanted: type[Outcome] = Ran
    if repair.case == "pointer/sound/index-out-of-bounds-panics":
        wanted = Panicked
    elif repair.case == "pointer/sound/guard-stops-before-the-access":
        wanted = Trapped
    for mode in MODES:
        if not (exposed and mode.provenance is Provenance.STRICT):
            assert type(examine(CASES[repair.case].program, mode).outcome) is wanted
