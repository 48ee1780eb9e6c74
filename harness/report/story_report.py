"""What `harness story` tells of a user's pairs: by rule on the screen, and all of it as JSON."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct
from rich.text import Text

from harness.campaign.own_stories import Finding, OwnVerdict, RuleState, State
from harness.cases.own_story import ALONE, LeftOut
from harness.errors import InputError, Place, printable
from harness.report.json_report import (
    SCHEMA,
    JsonError,
    JsonResult,
    encode_error,
    encode_result,
    schema_of,
)
from harness.story.native_rust import DRAWN_STATES
from harness.toolchain.missing import Missing

STYLES = {State.KEPT: "green", State.BROKEN: "bold red", State.NOT_CHECKED: "yellow"}

WORDS = {
    State.KEPT: "no rule found broken",
    State.BROKEN: "BROKEN",
    State.NOT_CHECKED: "not checked in full",
}

KEPT = {
    1: "nothing beside its operands is reached",
    2: "no undefined behaviour found, and no promise broken",
    3: f"{DRAWN_STATES:,} drawn states without a difference",
}
"""What a rule that is kept means, and no more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoryReport:
    """One call of `harness story`; `harness.report.report.Report` says what each part is.

    given: the options that say what the source does not.
    """

    verdicts: Sequence[OwnVerdict]
    left_out: Sequence[LeftOut]
    errors: Sequence[InputError]
    missing: Sequence[Missing]
    environment: Mapping[str, str | None]
    finished: bool
    given: Sequence[str] = ()


def render_report(report: StoryReport, *, verbose: bool) -> Iterator[Text]:
    """Each pair with its rules, then what is not checked, and how many of each there are."""
    for verdict in report.verdicts:
        yield from _render_verdict(verdict)
        if verdict.state is State.BROKEN:
            yield Text(f"  repeat: {_repeat(verdict, report.given)}", style="dim")
    yield from _render_left_out(report.left_out, verbose=verbose)
    for error in report.errors:
        yield Text("error: ", style="bold red").append(str(error), style="default")
    for missing in report.missing:
        line = Text("not checked: ", style="yellow").append(missing.message, style="default")
        yield line.append(f"\n  {missing.remedy}", style="default")
    yield Text(_summary(report), style="bold")


def _render_left_out(left_out: Sequence[LeftOut], *, verbose: bool) -> Iterator[Text]:
    """Why blocks are not checked; those of a file that have no story are counted."""
    shown = [each for each in left_out if verbose or not each.elsewhere]
    alone = Counter(each.place.file for each in shown if each.reason == ALONE)
    for each in shown:
        name, reason = f"{printable(each.function)}: " if each.function else "", each.reason
        number = alone[each.place.file]
        if reason == ALONE and number > 1 and not verbose:
            # The first of them stands for all.
            alone[each.place.file] = 0
            name, reason = "", f"no story stands beside {number} blocks, of which this is the first"
        elif reason == ALONE and not number:
            continue
        line = Text(f"{each.place}: {name}", style="bold")
        yield line.append("not checked", style="yellow").append(f": {printable(reason)}")


def _render_verdict(verdict: OwnVerdict) -> Iterator[Text]:
    case = verdict.story.case
    line = Text(f"{case.place}: {printable(verdict.story.read.block.name)}: ", style="bold")
    yield line.append(WORDS[verdict.state], style=STYLES[verdict.state])
    for state in verdict.rules:
        yield from _render_rule(state, case.place)
    if verdict.story.read.assumed:
        yield Text(f"  assumed: {'; '.join(verdict.story.read.assumed)}", style="dim")
    if verdict.advice and verdict.state is not State.BROKEN:
        yield Text(f"  could promise: {', '.join(verdict.advice)}")


def _repeat(verdict: OwnVerdict, given: Sequence[str]) -> str:
    """The shell line that checks the pair again."""
    case, name = verdict.story.case, verdict.story.read.block.name
    of_pair = [word for word in given if word.partition("=")[2].startswith(f"{name}.")]
    return shlex.join(["harness", "story", str(case.path), "--function", name, *of_pair])


def _render_rule(state: RuleState, place: Place | None) -> Iterator[Text]:
    head = f"  rule {state.rule}  "
    if state.state is State.KEPT or not state.findings:
        said = KEPT[state.rule] if state.state is State.KEPT else "nothing was run"
        yield Text(head).append(f"{said}{_in_modes(state)}")
    for finding in state.findings:
        yield Text(head).append_text(_render_finding(finding, state, place))


def _in_modes(state: RuleState) -> str:
    return f", in {len(state.modes)} modes" if state.modes else ""


def _render_finding(finding: Finding, state: RuleState, place: Place | None) -> Text:
    if finding.kind is None:
        text = Text("not checked: ", style="yellow")
    else:
        text = Text(f"broken: {finding.kind}", style="bold red")
        if finding.modes and state.rule == 2:
            text.append(f" in {', '.join(map(str, finding.modes))}")
        text.append(": ")
    text.append(printable(finding.message), style="default")
    if finding.place is not None and finding.place != place:
        text.append(f"\n          at {finding.place}", style="default")
    return text


def _summary(report: StoryReport) -> str:
    counts = [
        f"{sum(each.state is state for each in report.verdicts)} {words}"
        for state, words in (
            (State.KEPT, "with no rule found broken"),
            (State.BROKEN, "broken"),
            (State.NOT_CHECKED, "not checked in full"),
        )
    ]
    here = sum(not each.elsewhere for each in report.left_out)
    elsewhere = len(report.left_out) - here
    said = f"{len(report.verdicts)} pairs: {', '.join(counts)}; {here} blocks not read"
    return f"{said}, {elsewhere} for other machines." if elsewhere else f"{said}."


class JsonFinding(Struct, frozen=True, kw_only=True):
    """What several runs say alike. `kind`: null where nothing is known."""

    kind: str | None
    message: str
    file: str | None
    line: int | None
    column: int | None
    modes: list[str]


class JsonRule(Struct, frozen=True, kw_only=True):
    """One of the three rules. `state`: `kept`, `broken` or `not_checked`."""

    rule: int
    state: State
    findings: list[JsonFinding]
    modes: list[str]


class JsonPair(Struct, frozen=True, kw_only=True):
    """One pair. `assumed`: what was taken for granted. `results`: as `harness run` has them."""

    file: str
    line: int
    column: int
    function: str
    state: State
    rules: list[JsonRule]
    assumed: list[str]
    advice: list[str]
    results: list[JsonResult]


class JsonLeftOut(Struct, frozen=True, kw_only=True):
    """Assembly that is not checked. `elsewhere`: it is for other machines."""

    file: str
    line: int
    column: int
    function: str
    reason: str
    elsewhere: bool


class JsonStories(Struct, frozen=True, kw_only=True):
    """The whole report."""

    schema: int
    environment: dict[str, str | None]
    finished: bool
    errors: list[JsonError]
    pairs: list[JsonPair]
    left_out: list[JsonLeftOut]


def encode(report: StoryReport) -> bytes:
    """The report as indented JSON text in UTF-8, ending in a newline."""
    document = JsonStories(
        schema=SCHEMA,
        environment=dict(report.environment),
        finished=report.finished,
        errors=[encode_error(error) for error in report.errors],
        pairs=[_encode_pair(verdict) for verdict in report.verdicts],
        left_out=[
            JsonLeftOut(
                file=each.place.file,
                line=each.place.line,
                column=each.place.column,
                function=each.function,
                reason=each.reason,
                elsewhere=each.elsewhere,
            )
            for each in report.left_out
        ],
    )
    return msgspec.json.format(msgspec.json.encode(document), indent=1) + b"\n"


def _encode_pair(verdict: OwnVerdict) -> JsonPair:
    place = verdict.story.case.place
    assert place is not None
    return JsonPair(
        file=place.file,
        line=place.line,
        column=place.column,
        function=verdict.story.read.block.name,
        state=verdict.state,
        rules=[
            JsonRule(
                rule=each.rule,
                state=each.state,
                findings=[_encode_finding(finding) for finding in each.findings],
                modes=[str(mode) for mode in each.modes],
            )
            for each in verdict.rules
        ],
        assumed=list(verdict.story.read.assumed),
        advice=list(verdict.advice),
        results=[encode_result(result) for result in verdict.results],
    )


def _encode_finding(finding: Finding) -> JsonFinding:
    place = finding.place
    return JsonFinding(
        kind=None if finding.kind is None else str(finding.kind),
        message=finding.message,
        file=place.file if place else None,
        line=place.line if place else None,
        column=place.column if place else None,
        modes=[str(mode) for mode in finding.modes],
    )


def json_schema() -> dict[str, Any]:
    """The report's JSON Schema."""
    return schema_of(JsonStories)


if __name__ == "__main__":
    text = msgspec.json.format(msgspec.json.encode(json_schema()), indent=2) + b"\n"
    Path("docs/story.schema.json").write_bytes(text)
