"""The JUnit report: well-formed whatever a message holds, and counted as CI systems count."""

from __future__ import annotations

import dataclasses
import shlex
from fnmatch import fnmatchcase
from xml.etree import ElementTree

from hypothesis import given, strategies as st
from msgspec.structs import replace

from harness.errors import InputError, Place
from harness.mode import MODES
from harness.outcome import FaultKind, Location, Ran, UndefinedBehaviour
from harness.report.junit import LONGEST_TEXT, encode
from harness.report.report import Report
from harness.report.wording import repeat
from harness.result import CaseKind, EngineName, Evidence, Form, Result, Run, Verdict

ATTRIBUTES = {
    "testsuites": {"name", "tests", "failures", "errors", "skipped", "time"},
    "testsuite": {"name", "tests", "failures", "errors", "skipped", "time"},
    "properties": set(),
    "property": {"name", "value"},
    "testcase": {"name", "classname", "time", "file", "line"},
    "failure": {"message", "type"},
    "error": {"message", "type"},
    "skipped": {"message", "type"},
}
"""The elements of the format that CI systems agree on, and what each may have."""

CHILDREN = {
    "testsuites": ["testsuite"],
    "testsuite": ["properties", "testcase"],
    "properties": ["property"],
    "testcase": ["failure", "error", "skipped"],
}
"""What each may hold, in this order."""

RUN = Run(
    case="bytecode/case",
    kind=CaseKind.BYTECODE,
    engine=EngineName.MIRI,
    variant="raw",
    form=Form.VM,
    mode=MODES[0],
)
AGREEING = Result(
    run=RUN,
    expected=Ran(memory=b"\x01"),
    predicted=Ran(),
    outcome=Ran(memory=b"\x01"),
    evidence=Evidence.LIVE,
    verdict=Verdict.AGREE,
    place=Place(file="corpus/bytecode/case.toml", line=3, column=11),
)
UNDEFINED = UndefinedBehaviour(
    kind=FaultKind.ALIASING, message="no tag\n  help: look", location=Location(path=(3,))
)
MISMATCH = replace(
    AGREEING,
    outcome=UNDEFINED,
    verdict=Verdict.MISMATCH,
    reason="expected: wanted ran, saw ub aliasing at statement 3",
    command="cargo miri run",
)


def report(*results: Result, errors: tuple[InputError, ...] = (), finished: bool = True) -> Report:
    return Report(
        results=results,
        errors=errors,
        missing=(),
        environment={"miri": "miri 0.1", "rustc": None},
        finished=finished,
    )


def parsed(whole: Report) -> ElementTree.Element:
    """The report's root, once its shape and its counts are what they have to be."""
    root = ElementTree.fromstring(encode(whole))
    assert root.tag == "testsuites"
    for element in root.iter():
        assert set(element.attrib) <= ATTRIBUTES[element.tag], element.tag
        ranks = [CHILDREN.get(element.tag, []).index(child.tag) for child in element]
        assert ranks == sorted(ranks)
    for suite in [root, *root]:
        cases = list(suite.iter("testcase"))
        assert int(suite.attrib["tests"]) == len(cases)
        for count, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
            assert int(suite.attrib[count]) == len(list(suite.iter(tag)))
        assert all(len(case) <= 1 for case in cases)
    return root


def test_each_verdict_stands_as_what_it_is_to_a_ci() -> None:
    unchecked = replace(AGREEING, verdict=Verdict.NOT_CHECKED, reason="no Miri", outcome=None)
    faulty = replace(AGREEING, verdict=Verdict.NOT_CHECKED, reason="contradiction", fault=True)
    misses = replace(AGREEING, verdict=Verdict.MIRI_MISSES, reason="exact exposed provenance")
    root = parsed(report(AGREEING, MISMATCH, unchecked, faulty, misses))
    ends = [[child.tag for child in case] for case in root.iter("testcase")]
    assert ends == [[], ["failure"], ["skipped"], ["error"], []]
    (skipped,) = root.iter("skipped")
    assert skipped.attrib["message"] == "no Miri"


def test_a_failure_says_what_was_wanted_and_seen_and_how_to_repeat_it() -> None:
    (case,) = parsed(report(MISMATCH)).iter("testcase")
    assert case.attrib["name"] == "bytecode/case [miri raw vm stacked-strict]"
    assert (case.attrib["file"], case.attrib["line"]) == ("corpus/bytecode/case.toml", "3")
    (failure,) = case
    assert failure.attrib["message"] == MISMATCH.reason
    assert (failure.text or "").splitlines() == [
        "expected: ran, memory 01",
        "predicted: ran",
        "seen: ub aliasing at statement 3",
        r"message: no tag\n  help: look",
        "case: corpus/bytecode/case.toml:3:11",
        "repeat: harness run corpus/bytecode/case.toml --case bytecode/case --engine miri "
        "--variant raw --form vm --mode stacked-strict",
        "command: cargo miri run",
    ]


def test_a_variant_and_a_kind_are_suites_with_the_versions() -> None:
    pointer = replace(RUN, kind=CaseKind.POINTER, case="pointer/one", variant=None, form=None)
    reference = replace(RUN, engine=EngineName.REFERENCE, variant=None, form=None, mode=None)
    runs = (RUN, replace(RUN, variant="cell"), pointer, reference, RUN)
    root = parsed(report(*(replace(AGREEING, run=run) for run in runs)))
    names = [suite.attrib["name"] for suite in root]
    assert names == ["bytecode.raw", "bytecode.cell", "pointer", "bytecode"]
    properties = [each.attrib for each in root[0].iter("property")]
    assert properties == [{"name": "miri", "value": "miri 0.1"}]


def test_an_unreadable_case_and_an_interruption_are_errors() -> None:
    error = InputError(Place(file="a.toml", line=2, column=5), "no such key", "did you mean x?")
    root = parsed(report(errors=(error, InputError(None, "bad", "good")), finished=False))
    assert [(case.attrib["name"], case[0].tag) for case in root.iter("testcase")] == [
        ("a.toml:2:5", "error"),
        ("input", "error"),
        ("came to its end", "error"),
    ]


@given(text=st.text())
def test_any_text_at_all_gives_well_formed_xml(text: str) -> None:
    # A surrogate comes from a file name that is no UTF-8.
    nasty = f"{text}]]>&<'\"\x00\x1b\ufffe\ud800\r\n"
    case = replace(
        MISMATCH,
        run=replace(RUN, case=nasty, variant=nasty),
        outcome=dataclasses.replace(UNDEFINED, message=nasty),
        reason=nasty,
        command=nasty,
        place=Place(file=nasty, line=1),
    )
    error = InputError(Place(file=nasty), nasty, nasty)
    (failing, unreadable) = parsed(report(case, errors=(error,))).iter("testcase")
    assert "]]>" in failing[0].attrib["message"]
    assert "]]>" in (failing[0].text or "")
    assert "]]>" in unreadable[0].attrib["message"]


def test_a_huge_memory_does_not_make_a_huge_report() -> None:
    assert len(encode(report(replace(MISMATCH, reason="00" * 1_000_000)))) < 3 * LONGEST_TEXT


@given(name=st.text(st.characters(exclude_characters="\0"), min_size=1))
def test_the_line_that_repeats_a_run_selects_its_case(name: str) -> None:
    words = shlex.split(repeat(replace(MISMATCH, run=replace(RUN, case=name))))
    assert fnmatchcase(name, words[words.index("--case") + 1])
    assert words[-6:] == ["--variant", "raw", "--form", "vm", "--mode", "stacked-strict"]
