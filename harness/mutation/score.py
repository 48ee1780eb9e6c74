"""The score: what became of every mutant, and whether that is as it should be."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.mutation.catalogue import matches
from harness.mutation.check import Fate, Finding

if TYPE_CHECKING:
    from rich.console import Console


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """findings: of all mutants that were tried. names: of all that there are.

    reasons: by name or glob, why the mutants of these names change no verdict.
    """

    findings: Sequence[Finding]
    names: Collection[str]
    reasons: Mapping[str, str]

    @property
    def not_caught(self) -> list[Finding]:
        """Mutants that change a verdict, and no case objects."""
        return [each for each in self.findings if each.fate is Fate.NOT_CAUGHT]

    @property
    def unexplained(self) -> list[str]:
        """Mutants that change no verdict, and no reason is given."""
        return [
            each.mutant
            for each in self.findings
            if each.fate is Fate.UNCHANGED and not self.reason(each.mutant)
        ]

    @property
    def untrue(self) -> list[str]:
        """What is wrong with the reasons."""
        changed = [each.mutant for each in self.findings if each.fate is not Fate.UNCHANGED]
        found = []
        for glob in self.reasons:
            found += [f"{name} changes a verdict" for name in changed if matches(name, glob)]
            if not any(matches(name, glob) for name in self.names):
                found.append(f"{glob} names no mutant")
        return found

    @property
    def passed(self) -> bool:
        return not (self.not_caught or self.unexplained or self.untrue)

    def reason(self, name: str) -> str:
        """Why the mutant changes no verdict, empty if nothing is said of it."""
        return next((why for glob, why in self.reasons.items() if matches(name, glob)), "")


def print_score(console: Console, score: Score) -> None:
    """Print the table, then what is not as it should be."""
    from rich.table import Table

    table = Table(box=None, header_style="bold")
    table.add_column("altered")
    for column in ("mutants", *Fate):
        table.add_column(column, justify="right")
    for subject in dict.fromkeys(each.subject for each in score.findings):
        table.add_row(subject, *_figures([e for e in score.findings if e.subject == subject]))
    table.add_section()
    table.add_row("all", *_figures(score.findings), style="bold")
    console.print(table)
    for finding in score.not_caught:
        _print(console, f"not caught: {finding.mutant}\n  {finding.by}: {finding.how}")
    for name in score.unexplained:
        _print(console, f"unchanged, and no reason is given: {name}")
    for what in score.untrue:
        _print(console, f"a reason is not true: {what}")


def print_reasons(console: Console, score: Score) -> None:
    """Print which mutants change no verdict, with the reason."""
    by_reason: dict[str, list[str]] = {}
    for each in score.findings:
        if each.fate is Fate.UNCHANGED:
            by_reason.setdefault(score.reason(each.mutant), []).append(each.mutant)
    for why, names in by_reason.items():
        _print(console, f"\n{why or 'no reason is given'}")
        for name in names:
            _print(console, f"  {name}")


def _figures(findings: Sequence[Finding]) -> tuple[str, ...]:
    fates = Counter(each.fate for each in findings)
    return (str(len(findings)), *(str(fates[fate]) for fate in Fate))


def _print(console: Console, text: str) -> None:
    console.print(text, markup=False, highlight=False, soft_wrap=True)
