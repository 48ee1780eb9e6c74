"""What `harness check` finds as SARIF: a document of the standard, with places in the source."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from sarif_pydantic import Sarif  # type: ignore[import-untyped]

from harness.explain.rules import RULES
from harness.mode import parse_mode
from harness.outcome import FaultKind, Panicked, Ran, Span, TimedOut, UndefinedBehaviour
from harness.report.check_sarif import encode
from harness.usercode.account import Account, Point
from harness.usercode.check import Checked, ModeVerdict, Seen

RULE = "stacked/write-needs-granting-item"
BROKEN = UndefinedBehaviour(kind=FaultKind.ALIASING, message="Undefined Behavior: …")
POINTS = tuple(
    Point(what=what, span=Span(file="src/a b.rs", line=line, column=5), line="")
    for what, line in (("happened", 6), ("pointer made", 4), ("pointer died", 5))
)
ACCOUNT = Account(
    outcome=BROKEN,
    message="",
    kind=FaultKind.ALIASING,
    rule_name=RULE,
    rule=RULES[RULE],
    meaning="",
    points=POINTS,
    states=(),
    repairs=(),
)
SEEN = Seen(
    mode=parse_mode("stacked-strict"),
    seed=None,
    outcome=BROKEN,
    account=ACCOUNT,
    status=1,
    command="miri …",
)


def checked(*by_mode: tuple[str, Seen]) -> Checked:
    verdicts = (ModeVerdict(mode=parse_mode(mode), seen=((seen, ()),)) for mode, seen in by_mode)
    return Checked(test=None, verdicts=tuple(verdicts))


def results(*told: Checked) -> list[dict[str, Any]]:
    text = encode("mine, main", "miri 0.1", Path("/home/me/mine"), told)
    Sarif.model_validate_json(text)
    (run,) = json.loads(text)["runs"]
    found: list[dict[str, Any]] = run["results"]
    rules = run["tool"]["driver"]["rules"]
    assert [rules[each["ruleIndex"]]["id"] for each in found] == [each["ruleId"] for each in found]
    return found


def test_a_failure_stands_where_it_happened_with_where_the_pointer_came_from() -> None:
    (found,) = results(checked(("stacked-strict", SEEN)))
    assert found["ruleId"] == RULE
    assert RULES[RULE].sentence in found["message"]["text"]
    (at,) = found["locations"]
    assert at["physicalLocation"] == {
        "artifactLocation": {"uri": "file:///home/me/mine/src/a%20b.rs"},
        "region": {"startLine": 6, "startColumn": 5},
    }
    related = [
        (each["message"]["text"], each["physicalLocation"]["region"]["startLine"])
        for each in found["relatedLocations"]
    ]
    assert related == [("pointer made", 4), ("pointer died", 5)]


def test_modes_that_fail_alike_are_one_finding() -> None:
    (found,) = results(checked(("stacked-strict", SEEN), ("stacked-permissive", SEEN)))
    assert "stacked-strict, stacked-permissive" in found["message"]["text"]
    tree = replace(SEEN, account=replace(ACCOUNT, rule_name="tree/write-needs-permission"))
    assert len(results(checked(("stacked-strict", SEEN), ("tree-strict", tree)))) == 2


def test_what_found_nothing_or_came_to_no_end_is_not_in_it() -> None:
    ran = replace(SEEN, outcome=Ran(), account=None)
    late = replace(SEEN, outcome=TimedOut(message="late"), account=None)
    assert results(checked(("tree-strict", ran), ("none-strict", late))) == []
    assert results() == []


def test_a_panic_has_a_rule_of_its_own_and_needs_no_place() -> None:
    panicked = replace(SEEN, outcome=Panicked(message="no"), account=None)
    (found,) = results(checked(("tree-strict", panicked)))
    assert (found["ruleId"], found["locations"]) == ("panicked", [])
