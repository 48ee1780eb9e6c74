"""The table of rules has every rule that the abstract machine can name, and no other."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from harness.cases.load import load
from harness.cases.pointer_case import PointerCase
from harness.explain.rules import RULES
from harness.mode import MODES
from harness.model.machine import examine
from harness.outcome import UndefinedBehaviour

ROOT = Path(__file__).parents[2]
FAMILIES = ("stacked", "tree", "memory", "validity", "deallocation", "allocation")
BEGINNING = re.compile(rf"^({'|'.join(FAMILIES)})/[a-z-]*")

LOADED = load([ROOT / "corpus" / "pointer"])
CASES = [case for case in LOADED.cases if isinstance(case, PointerCase)]


def names_in_the_model() -> set[str]:
    """Patterns of every text in the model's source that begins as a rule's name does."""
    found: set[str] = set()
    for path in (ROOT / "harness" / "model").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.JoinedStr):
                text = "".join(
                    re.escape(str(each.value)) if isinstance(each, ast.Constant) else "[a-z-]+"
                    for each in node.values
                )
                first = node.values[0]
                is_name = isinstance(first, ast.Constant) and BEGINNING.match(str(first.value))
                if is_name and " " not in text:
                    found.add(text)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                match = BEGINNING.fullmatch(node.value)
                if match and not node.value.endswith("/"):
                    found.add(re.escape(node.value))
    return found


def test_every_name_in_the_model_fits_a_rule() -> None:
    patterns = names_in_the_model()
    assert len(patterns) >= 20
    for pattern in patterns:
        # The beginning of names that are put together elsewhere.
        fits = [name for name in RULES if re.match(pattern, name)]
        assert fits, f"no rule in the table is called {pattern}"


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_the_rules_that_the_corpus_breaks_are_in_the_table(case: PointerCase) -> None:
    for mode in MODES:
        judgement = examine(case.program, mode)
        if isinstance(judgement.outcome, UndefinedBehaviour):
            assert judgement.rule in RULES, mode


def test_the_corpus_breaks_nearly_every_rule() -> None:
    """A rule that nothing breaks is dead, or has no case yet."""
    broken = {examine(case.program, mode).rule for case in CASES for mode in MODES}
    # The pointer language has no allocation without bytes.
    assert set(RULES) - broken <= {"allocation/not-empty"}


@pytest.mark.parametrize("name", RULES)
def test_a_rule_is_one_sentence_with_a_source(name: str) -> None:
    rule = RULES[name]
    assert re.fullmatch(r"[A-Z][^.]*\.", rule.sentence)
    assert re.search(r"section \d|\.rs|std::|Rust reference", rule.source)
