"""The SARIF report: what does not hold, for what shows the findings of analysers in the source.

Only what fails has a place in it: a mismatch, a fault of the harness, a case that cannot be read.
SARIF 2.1.0, OASIS standard.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import version
from pathlib import PurePath
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import msgspec

from harness.errors import printable
from harness.report.wording import details, failing, way, ways

if TYPE_CHECKING:
    from harness.errors import InputError, Place
    from harness.report.report import Report
    from harness.result import Result

SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)

RULES = {
    "mismatch": "What was seen of a case is not what it expects, or what was predicted.",
    "fault": "The harness contradicts itself about a run.",
    "input": "A case cannot be read.",
}
"""The kinds of finding."""

LONGEST_TEXT = 10_000
"""Characters of one message; the memory of a case alone may be two million."""


def encode(report: Report) -> bytes:
    """The report as SARIF in UTF-8."""
    return document(
        RULES,
        [*map(_of_results, failing(report.results)), *map(_of_error, report.errors)],
        properties={name: each for name, each in report.environment.items() if each is not None},
        finished=report.finished,
    )


def document(
    rules: Mapping[str, str],
    found: Sequence[dict[str, Any]],
    *,
    properties: Mapping[str, object],
    finished: bool = True,
) -> bytes:
    """A document of one run. rules: each in a sentence. found: made by `finding` of these rules."""
    run = {
        "tool": {
            "driver": {
                "name": "harness",
                "version": version("harness"),
                "rules": [
                    {"id": name, "shortDescription": {"text": words}}
                    for name, words in rules.items()
                ],
            }
        },
        "columnKind": "unicodeCodePoints",
        "invocations": [{"executionSuccessful": finished}],
        "properties": properties,
        "results": found,
    }
    document = {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}
    return msgspec.json.format(msgspec.json.encode(document), indent=1) + b"\n"


def _of_results(results: list[Result]) -> dict[str, Any]:
    """Results of one case that fail for one reason, as one finding."""
    first = results[0]
    told = "\n".join(f"{word}: {said}" for word, said in details(first))
    text = f"{first.run.case} [{ways(results)}]: {first.reason}\n{told}"
    return finding(RULES, "fault" if first.fault else "mismatch", text, first.place) | {
        # The same finding of another day, whatever its numbers are.
        "partialFingerprints": {"run/v1": f"{first.run.case} {way(first.run)}"},
        "properties": {"runs": len(results)},
    }


def _of_error(error: InputError) -> dict[str, Any]:
    return finding(RULES, "input", f"{error.message}\n{error.remedy}".strip(), error.place)


def finding(rules: Mapping[str, str], rule: str, text: str, place: Place | None) -> dict[str, Any]:
    """One finding. rule: of `rules`. place: in the user's source, if it has one."""
    lines = text[:LONGEST_TEXT].splitlines()
    return {
        "ruleId": rule,
        "ruleIndex": list(rules).index(rule),
        "level": "error",
        "message": {"text": "\n".join(map(printable, lines))},
        "locations": list(locations(place)),
    }


def locations(place: Place | None) -> Iterator[dict[str, Any]]:
    """The place, if it is one."""
    if place is None:
        return
    physical: dict[str, Any] = {"artifactLocation": {"uri": _uri(place.file)}}
    if place.line:
        physical["region"] = {"startLine": place.line, "startColumn": place.column or 1}
    yield {"physicalLocation": physical}


def _uri(file: str) -> str:
    """The file as a reference: relative to where the harness was started, or absolute."""
    path = PurePath(file)
    if path.is_absolute():
        return path.as_uri()
    # A colon in the first part would make a scheme of it.
    return quote(path.as_posix()) if ":" not in path.parts[0] else f"./{quote(path.as_posix())}"
