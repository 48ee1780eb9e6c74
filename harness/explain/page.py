"""An explanation as one page of HTML that needs nothing else: no network, no script."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING

from jinja2 import BaseLoader, ChoiceLoader, Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from harness.explain.cards import (
    Chip,
    EventLine,
    FactLine,
    FindingCard,
    Link,
    OutcomeRow,
    Page,
    RangeCard,
    Section,
    StepCard,
)
from harness.explain.facts import exact_words, facts
from harness.explain.figures import figures, permission_class
from harness.explain.finding import Finding, find
from harness.explain.states import ShownRange, shown_ranges
from harness.explain.words import (
    case_words,
    event_words,
    origin_words,
    outcome_words,
    path_words,
    step_words,
)
from harness.mode import Aliasing
from harness.model import permissions, stack
from harness.model.borrows import StackView, TreeView
from harness.outcome import UndefinedBehaviour

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.explain.explanation import Explanation
    from harness.explain.trace import Step, Trace

MOST_BOXES = 25_000
"""Items and nodes on a page; a browser finds more than that hard to show."""


def write_page(explanation: Explanation, *, verbose: bool = False) -> str:
    """The page's text. verbose: with every range of bytes, not only those that a step changed."""
    page = build_page(explanation, verbose=verbose)
    return environment().get_template("page.html.jinja").render(page=page)


def environment(*more: BaseLoader) -> Environment:
    """Where templates are found: those of this package, and of pages that draw as it does."""
    return Environment(
        loader=ChoiceLoader([*more, PackageLoader("harness.explain", ".")]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def style() -> str:
    """The sheet that all pages begin with."""
    return files("harness.explain").joinpath("page.css").read_text(encoding="utf-8")


def build_sections(
    explanation: Explanation, *, verbose: bool, budget: int, prefix: str = ""
) -> tuple[Section, ...]:
    """What there is to show of each mode that is told.

    budget: items and nodes that may be drawn. prefix: of every id, where a page has several.
    """
    share = budget // max(1, len(explanation.traces))
    return tuple(
        _SectionBuilder(explanation, trace, verbose=verbose, prefix=prefix).build(share)
        for trace in explanation.traces
    )


def build_page(explanation: Explanation, *, verbose: bool) -> Page:
    """What there is to show, worked out."""
    title, description = case_words(explanation)
    told = {trace.mode for trace in explanation.traces}
    return Page(
        title=title,
        description=description,
        choices=explanation.choices,
        outcomes=tuple(
            OutcomeRow(
                mode=str(mode),
                words=outcome_words(outcome),
                bad=isinstance(outcome, UndefinedBehaviour),
                link=str(mode) if mode in told else "",
            )
            for mode, outcome in explanation.outcomes.items()
        ),
        sections=build_sections(explanation, verbose=verbose, budget=MOST_BOXES),
        style=Markup(style()),
    )


class _SectionBuilder:
    """Works out what is shown of one trace."""

    def __init__(
        self, explanation: Explanation, trace: Trace, *, verbose: bool, prefix: str
    ) -> None:
        self._explanation = explanation
        self._trace = trace
        self._verbose = verbose
        self._prefix = prefix
        self._finding = find(trace)

    def build(self, budget: int) -> Section:
        """budget: items and nodes that may be drawn; the last steps come first."""
        trace = self._trace
        outcome = trace.judgement.outcome
        ranges = {
            step.number: shown_ranges(step, self._finding, everything=self._verbose)
            for step in trace.steps
        }
        drawn: set[int] = set()
        for step in reversed(trace.steps):
            budget -= sum(map(_boxes, ranges[step.number]))
            if budget < 0:
                break
            drawn.add(step.number)
        changing = [step.number for step in trace.steps if ranges[step.number]]
        left_out = ""
        if trace.left_out:
            left_out = (
                f"The first {trace.left_out} steps are left out; "
                "`harness explain --last 0` shows all."
            )
        return Section(
            id=f"{self._prefix}{trace.mode}",
            mode=str(trace.mode),
            outcome=outcome_words(outcome),
            bad=isinstance(outcome, UndefinedBehaviour),
            finding=None if self._finding is None else self._card(self._finding),
            exact=exact_words(self._explanation, trace),
            legend=_legend(trace.mode.aliasing),
            left_out=left_out,
            steps=tuple(
                self._step(
                    step,
                    ranges[step.number] if step.number in drawn else None,
                    self._links(step.number, changing),
                )
                for step in trace.steps
            ),
        )

    def _step(
        self,
        step: Step,
        ranges: Sequence[ShownRange] | None,
        links: tuple[Link, ...],
    ) -> StepCard:
        trace = self._trace
        is_fault = self._finding is not None and step is trace.steps[-1]
        last = len(step.events) - 1
        return StepCard(
            id=self._id(step.number),
            number=step.number,
            path=path_words(step.path),
            text=step_words(step),
            origin=origin_words(self._explanation.origin(step.path)),
            rust=step.rust or "",
            classes="fault" if is_fault else "",
            events=tuple(
                EventLine(
                    words=event_words(trace, event), breaks=step.broke_event and index == last
                )
                for index, event in enumerate(step.events)
            ),
            ranges=tuple(
                RangeCard(
                    title=shown.title,
                    at_fault=shown.finding is not None,
                    is_tree=isinstance(shown.state.after, TreeView),
                    figures=figures(trace, shown),
                )
                for shown in ranges or ()
            ),
            note="" if ranges is not None else "Not drawn: --last N makes room for the last steps.",
            links=links,
        )

    def _links(self, number: int, changing: Sequence[int]) -> tuple[Link, ...]:
        """To the steps before and after this one that change something."""
        if number not in changing:
            return ()
        index = changing.index(number)
        links = []
        if index > 0:
            links.append(Link(id=self._id(changing[index - 1]), words="previous change"))
        if index + 1 < len(changing):
            links.append(Link(id=self._id(changing[index + 1]), words="next change"))
        return tuple(links)

    def _card(self, finding: Finding) -> FindingCard:
        return FindingCard(
            sentence=finding.sentence,
            facts=tuple(
                FactLine(
                    name=fact.name.strip(),
                    words=fact.words,
                    link="" if fact.step is None else self._id(fact.step),
                    step=fact.step or 0,
                )
                for fact in facts(self._explanation, self._trace, finding)
            ),
        )

    def _id(self, number: int) -> str:
        return f"{self._prefix}{self._trace.mode}-{number}"


def _boxes(shown: ShownRange) -> int:
    """Items and nodes that a range's figures have."""
    before, after = shown.state.before, shown.state.after
    views = [after] if before is None or not shown.state.changed else [before, after]
    return sum(
        len(view.items) if isinstance(view, StackView) else len(view.nodes) for view in views
    )


_MARKS = (
    Chip(classes="protected", words="protected by a running call"),
    Chip(classes="new", words="new"),
    Chip(classes="changed", words="changed"),
    Chip(classes="offending", words="the access is made through it"),
    Chip(classes="conflicting", words="its rights are in the way"),
)


def _legend(aliasing: Aliasing) -> tuple[Chip, ...]:
    names: list[str]
    if aliasing is Aliasing.NONE:
        return ()
    if aliasing is Aliasing.STACKED:
        names = [str(each) for each in stack.Permission]
    else:
        names = [str(each) for each in permissions.Permission]
    chips = tuple(Chip(classes=permission_class(name), words=name) for name in names)
    return (*chips, *_MARKS)
