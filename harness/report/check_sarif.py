"""What `harness check` finds, as SARIF: where in the user's source, and whence the pointer came."""

from __future__ import annotations

from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.errors import Place, printable
from harness.outcome import Leaked, Panicked, UndefinedBehaviour
from harness.report import sarif
from harness.verdict import describe

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.outcome import Span
    from harness.usercode.check import Checked, Seen


def encode(title: str, tool: str, folder: Path, checked: Sequence[Checked]) -> bytes:
    """All failures, those of one place and rule as one. folder: what places are relative to."""
    failures = sorted(_failures(checked), key=itemgetter(0, 1))
    rules = {_rule(seen): _sentence(seen) for *_, seen in failures}
    found = []
    for (_, name), group in groupby(failures, key=itemgetter(0, 1)):
        same = list(group)
        *_, first = same[0]
        modes = ", ".join(dict.fromkeys(mode for _, _, mode, _ in same))
        found.append(_finding(rules, first, name, modes, folder))
    return sarif.document(rules, found, properties={"subject": printable(title), "tool": tool})


def _failures(checked: Sequence[Checked]) -> Iterator[tuple[tuple[object, ...], str, str, Seen]]:
    """Each with what makes it the same as another: its rule and places, and the test's name."""
    for each in checked:
        name = each.test.name if each.test else ""
        for verdict in each.verdicts:
            for seen, _ in verdict.seen:
                if isinstance(seen.outcome, UndefinedBehaviour | Panicked | Leaked):
                    points = seen.account.points if seen.account else ()
                    places = tuple((str(point.span), point.what) for point in points)
                    yield (_rule(seen), places), name, str(verdict.mode), seen


def _rule(seen: Seen) -> str:
    """The broken rule, or else the kind of failure."""
    known = seen.account.rule_name if seen.account else None
    kind = getattr(seen.outcome, "kind", None)
    return known or (f"{seen.outcome.name}/{kind}" if kind else seen.outcome.name)


def _sentence(seen: Seen) -> str:
    account = seen.account
    if account is not None and account.rule is not None:
        return account.rule.sentence
    return (account.meaning if account else "") or describe(seen.outcome)


def _finding(
    rules: dict[str, str], seen: Seen, test: str, modes: str, folder: Path
) -> dict[str, Any]:
    points = seen.account.points if seen.account else ()
    rule = _rule(seen)
    of = f"test {test}: " if test else ""
    text = f"{of}{describe(seen.outcome)} in {modes}\n{rules[rule]}"
    first = _place(points[0].span, folder) if points else None
    related = [
        {"id": number, "message": {"text": printable(point.what)}, **location}
        for number, point in enumerate(points[1:], start=1)
        for location in sarif.locations(_place(point.span, folder))
    ]
    found = sarif.finding(rules, rule, text, first)
    return found | {
        "relatedLocations": related,
        "partialFingerprints": {"run/v1": f"{rule} {points[0].span if points else test}"},
        "properties": {"repeat": seen.command},
    }


def _place(span: Span, folder: Path) -> Place:
    return Place(file=str(folder / span.file), line=span.line, column=span.column)
