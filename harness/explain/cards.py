"""What the page's template shows, worked out: texts, classes, ids; `page.py` fills it in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from markupsafe import Markup

    from harness.explain.figures import Figure


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeRow:
    """link: the id of the mode's section, or nothing."""

    mode: str
    words: str
    bad: bool
    link: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FactLine:
    """link, step: the id and the number of a step, or nothing."""

    name: str
    words: str
    link: str
    step: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingCard:
    sentence: str
    facts: tuple[FactLine, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Chip:
    classes: str
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EventLine:
    words: str
    breaks: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RangeCard:
    title: str
    at_fault: bool
    is_tree: bool
    figures: tuple[Figure, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    id: str
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StepCard:
    id: str
    number: int
    path: str
    text: str
    origin: str
    rust: str
    classes: str
    events: tuple[EventLine, ...]
    ranges: tuple[RangeCard, ...]
    note: str
    links: tuple[Link, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    id: str
    mode: str
    outcome: str
    bad: bool
    finding: FindingCard | None
    exact: str
    legend: tuple[Chip, ...]
    left_out: str
    steps: tuple[StepCard, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """All that the template shows. style: the style sheet, which is our own."""

    title: str
    description: str
    choices: tuple[str, ...]
    outcomes: tuple[OutcomeRow, ...]
    sections: tuple[Section, ...]
    style: Markup
