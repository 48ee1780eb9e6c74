"""The JSON report: one object per program run, for programs to read.

`docs/report.schema.json` is the JSON Schema of it, made from the classes below by
`python -m harness.report.json_report`.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from harness.errors import InputError
from harness.outcome import Location, Outcome
from harness.report.report import Report
from harness.result import CaseKind, EngineName, Evidence, Form, Recording, Result, Verdict
from harness.verdict import describe_numbers

SCHEMA = 1
"""The number in the report's `schema` field; a change that breaks readers raises it."""


class JsonSpan(Struct, frozen=True, kw_only=True):
    """A place in Rust source; line and column count from 1."""

    file: str
    line: int
    column: int


class JsonLocation(Struct, frozen=True, kw_only=True):
    """Where in the program; `path` is a pointer program's statement."""

    instruction: int | None
    operand: str | None
    path: tuple[int, ...] | None
    span: JsonSpan | None


class JsonOutcome(Struct, frozen=True, kw_only=True):
    """What one run did.

    `rule`: which of the three rules a story breaks. `advice`: what its block could promise
    besides.
    """

    class_: str = msgspec.field(name="class")
    kind: str | None
    rule: int | None
    memory: Annotated[str, Meta(pattern="^([0-9a-f]{2})*$")] | None
    checksum: int | None
    steps: int | None
    location: JsonLocation | None
    message: str | None
    advice: str | None
    seconds: float | None


class JsonRecording(Struct, frozen=True, kw_only=True):
    """What a recorded outcome rests on. `seen`: the day, UTC."""

    tool: str
    compiler: str
    target: str
    seen: str


class JsonResult(Struct, frozen=True, kw_only=True):
    """One program run; what does not apply is null. `command` repeats it in a shell.

    `seeds`: what Miri ran under, or what a story's states were drawn from, such as `0-15, 20`;
    null for the default.
    """

    case: str
    kind: CaseKind
    variant: str | None
    form: Form | None
    aliasing: str | None
    provenance: str | None
    target: str | None
    engine: EngineName
    seeds: str | None
    expected: JsonOutcome | None
    predicted: JsonOutcome | None
    outcome: JsonOutcome | None
    evidence: Evidence | None
    recording: JsonRecording | None
    verdict: Verdict
    reason: str
    command: str


class JsonError(Struct, frozen=True, kw_only=True):
    """A case that could not be read; line and column are null where not known."""

    file: str | None
    line: int | None
    column: int | None
    message: str
    remedy: str


class JsonSummary(Struct, frozen=True, kw_only=True):
    """How many results have each verdict."""

    agree: int
    mismatch: int
    not_checked: int
    miri_misses: int
    spec_open: int


class JsonReport(Struct, frozen=True, kw_only=True):
    """The whole report. `finished` is false where the run was interrupted."""

    schema: int
    environment: dict[str, str | None]
    finished: bool
    errors: list[JsonError]
    results: list[JsonResult]
    summary: JsonSummary


def encode_outcome(outcome: Outcome, seconds: float | None = None) -> JsonOutcome:
    """`outcome` in the report's shape; fields that its class does not have are null."""
    memory: bytes | None = getattr(outcome, "memory", None)
    location: Location | None = getattr(outcome, "location", None)
    kind = getattr(outcome, "kind", None)
    return JsonOutcome(
        class_=outcome.name,
        kind=None if kind is None else str(kind),
        rule=getattr(outcome, "rule", None),
        memory=None if memory is None else memory.hex(),
        checksum=getattr(outcome, "checksum", None),
        steps=getattr(outcome, "steps", None),
        location=None if location is None else _encode_location(location),
        message=getattr(outcome, "message", None),
        advice=getattr(outcome, "advice", None),
        seconds=seconds,
    )


def summarise(results: Iterable[Result]) -> JsonSummary:
    """The number of results with each verdict."""
    counts = dict.fromkeys(Verdict, 0)
    for result in results:
        counts[result.verdict] += 1
    return JsonSummary(
        agree=counts[Verdict.AGREE],
        mismatch=counts[Verdict.MISMATCH],
        not_checked=counts[Verdict.NOT_CHECKED],
        miri_misses=counts[Verdict.MIRI_MISSES],
        spec_open=counts[Verdict.SPEC_OPEN],
    )


def encode(report: Report) -> bytes:
    """The report as indented JSON text in UTF-8, ending in a newline."""
    document = JsonReport(
        schema=SCHEMA,
        environment=dict(report.environment),
        finished=report.finished,
        errors=[encode_error(error) for error in report.errors],
        results=[encode_result(result) for result in report.results],
        summary=summarise(report.results),
    )
    return msgspec.json.format(msgspec.json.encode(document), indent=1) + b"\n"


def json_schema() -> dict[str, Any]:
    """The report's JSON Schema."""
    return schema_of(JsonReport)


def schema_of(report: type[Struct]) -> dict[str, Any]:
    """The JSON Schema of a report, whichever msgspec writes it."""
    schema = msgspec.json.schema(report)
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    for definition in schema["$defs"].values():
        # The indentation of docstrings is taken away since 0.23.
        if "description" in definition:
            definition["description"] = inspect.cleandoc(definition["description"])
    return schema


def encode_result(result: Result) -> JsonResult:
    """`result` in the report's shape."""
    run = result.run
    mode = run.mode
    return JsonResult(
        case=run.case,
        kind=run.kind,
        variant=run.variant,
        form=run.form,
        aliasing=None if mode is None else str(mode.aliasing),
        provenance=None if mode is None else str(mode.provenance),
        target=run.target,
        engine=run.engine,
        seeds=describe_numbers(result.seeds) or None,
        expected=None if result.expected is None else encode_outcome(result.expected),
        predicted=None if result.predicted is None else encode_outcome(result.predicted),
        outcome=None if result.outcome is None else encode_outcome(result.outcome, result.seconds),
        evidence=result.evidence,
        recording=None if result.recording is None else _encode_recording(result.recording),
        verdict=result.verdict,
        reason=result.reason,
        command=result.command,
    )


def _encode_recording(recording: Recording) -> JsonRecording:
    tool = recording.tool
    return JsonRecording(
        tool=tool.version, compiler=tool.compiler, target=tool.target, seen=recording.seen
    )


def encode_error(error: InputError) -> JsonError:
    """`error` in the report's shape."""
    place = error.place
    return JsonError(
        file=place.file if place else None,
        line=(place.line or None) if place else None,
        column=(place.column or None) if place else None,
        message=error.message,
        remedy=error.remedy,
    )


def _encode_location(location: Location) -> JsonLocation:
    span = location.span
    return JsonLocation(
        instruction=location.instruction,
        operand=location.operand,
        path=location.path,
        span=None if span is None else JsonSpan(file=span.file, line=span.line, column=span.column),
    )


if __name__ == "__main__":
    text = msgspec.json.format(msgspec.json.encode(json_schema()), indent=2) + b"\n"
    Path("docs/report.schema.json").write_bytes(text)
