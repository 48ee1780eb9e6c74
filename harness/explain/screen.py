"""An explanation for a terminal, as lines of text with styles, which a pipe does without."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from rich.text import Text

from harness.explain.facts import exact_words, facts
from harness.explain.finding import Finding, find
from harness.explain.states import (
    Change,
    Part,
    ShownItem,
    ShownNode,
    ShownRange,
    shown_ranges,
    shown_stack,
    shown_tree,
)
from harness.explain.words import (
    case_words,
    event_words,
    origin_words,
    outcome_words,
    path_words,
    short_tag,
    step_words,
)
from harness.mode import Aliasing
from harness.model.borrows import StackView, TreeView
from harness.outcome import UndefinedBehaviour

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.explain.explanation import Explanation
    from harness.explain.trace import Step, Trace

_MARKS = "! is the tag that the access is made through, x the one in its way."

LEGENDS = {
    Aliasing.STACKED: "Stacks: the bottom is on the left; + is new, - is taken away by the step, "
    f"~ is changed. {_MARKS}",
    Aliasing.TREE: f"Trees: before → after; + is new, ~ is changed. {_MARKS}",
    Aliasing.TREE_WRITES: f"Trees: before → after; + is new, ~ is changed. {_MARKS}",
    Aliasing.NONE: "No borrow model: any pointer into memory that is alive may access all of it.",
}

_CHANGE_STYLE = {
    Change.NONE: "",
    Change.NEW: "green",
    Change.CHANGED: "yellow",
    Change.GONE: "red",
}

_SMALL_TREE = 12
"""Nodes up to which a tree is shown whole."""

_INDENT = " " * 6
_STATE = " " * 8


def render(explanation: Explanation, *, width: int, verbose: bool) -> Iterator[Text]:
    """The explanation, line by line.

    width: columns that stacks are wrapped to. verbose: show every range of bytes of every
    allocation after every step, not only those that the step changed.
    """
    yield from _head(explanation)
    for trace in explanation.traces:
        yield Text()
        yield from _trace(explanation, trace, width=width, verbose=verbose)


def summary(explanation: Explanation) -> Iterator[Text]:
    """The case and its broken rules, without the steps."""
    yield from _head(explanation)
    for trace in explanation.traces:
        yield Text()
        yield _mode_line(trace)
        yield from _end(explanation, trace, find(trace))


def _head(explanation: Explanation) -> Iterator[Text]:
    title, description = case_words(explanation)
    yield Text(title, style="bold")
    yield Text(description)
    for choice in explanation.choices:
        yield Text(f"chosen: {choice}", style="dim")
    yield Text("In every mode, as the model predicts:")
    width = max(len(str(mode)) for mode in explanation.outcomes)
    for mode, outcome in explanation.outcomes.items():
        style = "red" if isinstance(outcome, UndefinedBehaviour) else ""
        yield Text(f"  {mode!s:{width}}  ").append(outcome_words(outcome), style=style)


def _mode_line(trace: Trace) -> Text:
    outcome = trace.judgement.outcome
    style = "bold red" if isinstance(outcome, UndefinedBehaviour) else "bold"
    return Text(f"{trace.mode}: {outcome_words(outcome)}", style=style)


def _trace(explanation: Explanation, trace: Trace, *, width: int, verbose: bool) -> Iterator[Text]:
    finding = find(trace)
    yield _mode_line(trace)
    yield Text(LEGENDS[trace.mode.aliasing], style="dim")
    if trace.left_out:
        left_out = (
            f"The first {trace.left_out} steps are left out; `harness explain --last 0` shows all."
        )
        yield Text(left_out, style="dim")
    number_width = len(str(trace.steps[-1].number)) if trace.steps else 1
    path_width = max((len(path_words(step.path)) for step in trace.steps), default=1)
    spoke = True
    for step in trace.steps:
        is_fault = finding is not None and step is trace.steps[-1]
        if spoke or step.events:
            yield Text()
        spoke = bool(step.events)
        line = Text().append(f"{step.number:>{number_width}}  ", style="dim")
        line.append(f"{path_words(step.path):<{path_width}}  ", style="cyan")
        line.append(step_words(step), style="bold red" if is_fault else "bold")
        origin = origin_words(explanation.origin(step.path))
        if origin:
            line.append(f"    ({origin})", style="dim")
        yield line
        yield from _step(trace, step, finding, width=width, verbose=verbose)
    yield Text()
    if finding is None:
        yield Text(outcome_words(trace.judgement.outcome), style="bold")
    yield from _end(explanation, trace, finding)


def _end(explanation: Explanation, trace: Trace, finding: Finding | None) -> Iterator[Text]:
    """What the run came to, beside its outcome."""
    if finding is not None:
        yield from _finding(explanation, trace, finding)
    exact = exact_words(explanation, trace)
    if exact:
        yield Text(exact, style="magenta")


def _step(
    trace: Trace, step: Step, finding: Finding | None, *, width: int, verbose: bool
) -> Iterator[Text]:
    for index, event in enumerate(step.events):
        breaks = step.broke_event and index == len(step.events) - 1
        line = Text(_INDENT).append(event_words(trace, event), style="red" if breaks else "")
        yield line.append("  ← breaks the rule", style="bold red") if breaks else line
    for shown in shown_ranges(step, finding, everything=verbose):
        style = "cyan" if shown.state.changed else "dim cyan"
        yield Text(_INDENT).append(shown.title, style=style)
        yield from _range(trace, shown, width=width, verbose=verbose)


def _range(trace: Trace, shown: ShownRange, *, width: int, verbose: bool) -> Iterator[Text]:
    state, finding = shown.state, shown.finding
    match state.after:
        case StackView():
            before = state.before
            assert before is None or isinstance(before, StackView)
            found = "found" if finding is not None else None
            if not state.changed:
                items = shown_stack(state.after, state.after, is_after=True, finding=finding)
                yield from _stack(trace, found or "is", state.after, items, width)
                return
            if before is not None:
                items = shown_stack(before, state.after, is_after=False, finding=finding)
                yield from _stack(trace, "before", before, items, width)
            items = shown_stack(state.after, before, is_after=True, finding=finding)
            yield from _stack(trace, found or "after", state.after, items, width)
        case TreeView():
            before = state.before
            assert before is None or isinstance(before, TreeView)
            yield from _tree(trace, before, state.after, finding, whole=verbose)
        case _:
            assert_never(state.after)


def _stack(
    trace: Trace, label: str, view: StackView, items: Sequence[ShownItem], width: int
) -> Iterator[Text]:
    """The items from left to right, wrapped where they do not fit."""
    margin = f"{_STATE}{label:<8}"
    parts: list[Text] = []
    if view.unknown_below is not None:
        parts.append(Text(f"[unknown items, of tags below {view.unknown_below}]", style="dim"))
    for item in items:
        marks = f"{item.change.value}{item.part.value}".replace(" ", "")
        style = "bold red" if item.part is not Part.NONE else _CHANGE_STYLE[item.change]
        parts.append(Text(f"{marks}[{short_tag(trace, item.tag)}: {item.words}]", style=style))
    line = Text(margin)
    used = len(margin)
    for part in parts or [Text("(empty)", style="dim")]:
        if used > len(margin) and used + 1 + len(part) > width:
            yield line
            line, used = Text(" " * len(margin)), len(margin)
        elif used > len(margin):
            line.append(" ")
            used += 1
        line.append_text(part)
        used += len(part)
    yield line


def _tree(
    trace: Trace, before: TreeView | None, after: TreeView, finding: Finding | None, *, whole: bool
) -> Iterator[Text]:
    """The tree after the step, a node a line, each with what it was before.

    whole: with the branches of a large tree to which nothing happened.
    """
    old = {}
    if before is not None:
        nodes = shown_tree(before, None, is_after=False, finding=finding)
        old = {node.tag: node for node in nodes}
    nodes = shown_tree(after, before, is_after=True, finding=finding)
    kept = nodes if whole or len(nodes) <= _SMALL_TREE else _with_ancestors(nodes)
    labels = {node.tag: f"{branch}{short_tag(trace, node.tag)}" for node, branch in _branches(kept)}
    widest = max(map(len, labels.values()), default=0)
    for node in kept:
        marks = f"{node.change.value}{node.part.value}"
        words = node.words
        if node.change is Change.CHANGED:
            words = f"{old[node.tag].words} → {words}"
        style = "bold red" if node.part is not Part.NONE else _CHANGE_STYLE[node.change]
        line = Text(_STATE).append(f"{marks} ", style=style)
        yield line.append(f"{labels[node.tag]:<{widest}}  {words}", style=style)
    if len(kept) < len(nodes):
        more = len(nodes) - len(kept)
        yield Text(f"{_STATE}   … and {more} unchanged nodes, which -v shows", style="dim")


def _with_ancestors(nodes: Sequence[ShownNode]) -> list[ShownNode]:
    """The nodes that something happened to, and those above them."""
    parents = {node.tag: node.parent for node in nodes}
    kept: set[int] = set()
    for node in nodes:
        tag: int | None = node.tag
        if node.change is Change.NONE and node.part is Part.NONE:
            continue
        while tag is not None and tag not in kept:
            kept.add(tag)
            tag = parents[tag]
    return [node for node in nodes if node.tag in kept]


def _branches(nodes: Sequence[ShownNode]) -> Iterator[tuple[ShownNode, str]]:
    """The nodes, each with the lines that lead to it from its parent."""
    last_child = {node.parent: node.tag for node in nodes}
    prefixes: dict[int, str] = {}
    for node in nodes:
        if node.parent is None:
            prefixes[node.tag] = ""
            yield node, ""
            continue
        is_last = last_child[node.parent] == node.tag
        prefix = prefixes[node.parent]
        prefixes[node.tag] = prefix + ("   " if is_last else "│  ")
        yield node, prefix + ("└─ " if is_last else "├─ ")


def _finding(explanation: Explanation, trace: Trace, finding: Finding) -> Iterator[Text]:
    yield Text(finding.sentence, style="bold red")
    for fact in facts(explanation, trace, finding):
        step = "" if fact.step is None else f", in step {fact.step}"
        yield Text().append(f"{fact.name:<16} ", style="cyan").append(f"{fact.words}{step}")
