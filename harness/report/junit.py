"""The JUnit report: what CI systems show as tests, a suite for each variant.

A mismatch is a failure; a fault of the harness, a case that could not be read and an
interruption are errors; what was not checked is skipped, with the reason.
"""

from __future__ import annotations

import io
from collections import defaultdict
from typing import TYPE_CHECKING

from junitparser import Attr, Error, Failure, IntAttr, JUnitXml, Skipped, TestCase, TestSuite

from harness.errors import printable
from harness.report.wording import details, way
from harness.result import Verdict

if TYPE_CHECKING:
    from junitparser.junitparser import FinalResult

    from harness.errors import InputError
    from harness.report.report import Report
    from harness.result import Result

LONGEST_TEXT = 10_000
"""Characters of one text; the memory of a case alone may be two million."""


class _Case(TestCase):
    """A test with its place, for viewers that link to it."""

    file = Attr()
    line = IntAttr()


def encode(report: Report) -> bytes:
    """The report as JUnit XML in UTF-8."""
    suites: defaultdict[str, list[TestCase]] = defaultdict(list)
    for result in report.results:
        kind, variant = result.run.kind, result.run.variant
        name = _text(f"{kind}.{variant}" if variant else str(kind))
        suites[name].append(_encode_result(name, result))
    for error in report.errors:
        suites["cases"].append(_encode_error(error))
    if not report.finished:
        case = _Case(name="came to its end", classname="run")
        case.result = Error("the run was interrupted: results are missing", "interrupted")
        suites["run"].append(case)
    root = JUnitXml("harness")
    for name, cases in suites.items():
        suite = TestSuite(name)
        for key, value in report.environment.items():
            if value is not None:
                suite.add_property(key, _text(value))
        suite.add_testcases(cases)
        root.append(suite)
    root.update_statistics()
    stream = io.BytesIO()
    root.write(stream)
    return stream.getvalue() + b"\n"


def _encode_result(suite: str, result: Result) -> _Case:
    run = result.run
    case = _Case(
        name=_text(f"{run.case} [{way(run)}]"),
        classname=suite,
        time=result.seconds or 0.0,
    )
    if result.place is not None:
        case.file = _text(result.place.file)
        case.line = result.place.line
    if (verdict := _verdict(result)) is not None:
        verdict.text = "\n".join(f"{word}: {_text(said)}" for word, said in details(result))
        case.result = verdict
    return case


def _verdict(result: Result) -> FinalResult | None:
    """How the test ended; None if it passed."""
    reason = _text(result.reason)
    if result.fault:
        return Error(reason, "fault")
    match result.verdict:
        case Verdict.MISMATCH:
            return Failure(reason, result.verdict)
        case Verdict.NOT_CHECKED:
            return Skipped(reason, result.verdict)
        case Verdict.AGREE | Verdict.MIRI_MISSES | Verdict.SPEC_OPEN:
            return None


def _encode_error(error: InputError) -> _Case:
    place = error.place
    case = _Case(name=_text(str(place or "input")), classname="cases")
    if place is not None:
        case.file = _text(place.file)
        case.line = place.line
    found = Error(_text(error.message), "input")
    found.text = _text(error.remedy)
    case.result = found
    return case


def _text(text: str) -> str:
    """`text` as XML can hold it, in one line and not too long."""
    return printable(text[:LONGEST_TEXT])
