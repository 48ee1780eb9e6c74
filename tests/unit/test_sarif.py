"""The SARIF report: a document of the standard whatever a message holds, with places."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, strategies as st
from msgspec.structs import replace
from sarif_pydantic import Sarif  # type: ignore[import-untyped]

from harness.cli.main import run as run_harness
from harness.errors import InputError, Place
from harness.report.report import Report
from harness.report.sarif import LONGEST_TEXT, RULES, encode
from harness.result import Result
from tests.unit.test_junit import AGREEING, MISMATCH, report

FIELDS = {
    "": {"$schema", "version", "runs"},
    "runs": {"tool", "columnKind", "invocations", "properties", "results"},
    "tool": {"driver"},
    "driver": {"name", "version", "rules"},
    "rules": {"id", "shortDescription"},
    "shortDescription": {"text"},
    "invocations": {"executionSuccessful"},
    "results": {
        "ruleId", "ruleIndex", "level", "message", "locations", "partialFingerprints", "properties",
    },
    "message": {"text"},
    "locations": {"physicalLocation"},
    "physicalLocation": {"artifactLocation", "region"},
    "artifactLocation": {"uri"},
    "region": {"startLine", "startColumn"},
}  # fmt: skip
"""What of the standard is written; it allows no field of another name in any of these objects."""

FREE = ("properties", "partialFingerprints")


def look(name: str, value: Any) -> None:
    """Every object has only fields of the standard."""
    if isinstance(value, list):
        for each in value:
            look(name, each)
    elif isinstance(value, dict) and name not in FREE:
        assert set(value) <= FIELDS[name], name
        for field, each in value.items():
            look(field, each)


def parsed(whole: Report) -> dict[str, Any]:
    """The document's only run, once it is one of the standard."""
    text = encode(whole)
    Sarif.model_validate_json(text)
    document = json.loads(text)
    look("", document)
    assert document["version"] == "2.1.0"
    [run] = document["runs"]
    for result in run["results"]:
        assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
    found: dict[str, Any] = run
    return found


def test_only_what_fails_is_in_it() -> None:
    assert parsed(report(AGREEING))["results"] == []
    [found] = parsed(report(AGREEING, MISMATCH))["results"]
    assert found["ruleId"] == "mismatch"
    assert found["level"] == "error"
    assert MISMATCH.reason in found["message"]["text"]
    assert found["locations"] == [
        {
            "physicalLocation": {
                "artifactLocation": {"uri": "corpus/bytecode/case.toml"},
                "region": {"startLine": 3, "startColumn": 11},
            }
        }
    ]


def test_results_of_one_case_that_fail_alike_are_one_finding() -> None:
    other = replace(MISMATCH, run=replace(MISMATCH.run, variant="cell"))
    [found] = parsed(report(MISMATCH, other))["results"]
    assert found["properties"] == {"runs": 2}
    assert "raw" in found["message"]["text"]
    assert "cell" in found["message"]["text"]


def test_a_fault_and_a_bad_case_have_rules_of_their_own() -> None:
    fault = replace(MISMATCH, fault=True)
    error = InputError(Place(file="my case.toml", line=2, column=5), "no such thing", "write it")
    found = parsed(report(fault, errors=(error,)))["results"]
    assert [each["ruleId"] for each in found] == ["fault", "input"]
    assert found[1]["message"]["text"] == "no such thing\nwrite it"
    [place] = found[1]["locations"]
    assert place["physicalLocation"]["artifactLocation"]["uri"] == "my%20case.toml"
    assert set(RULES) == {"mismatch", "fault", "input"}


def test_an_interrupted_run_was_not_successful() -> None:
    run = parsed(report(AGREEING, finished=False))
    assert run["invocations"] == [{"executionSuccessful": False}]
    assert parsed(report(AGREEING))["properties"] == {"miri": "miri 0.1"}


@pytest.mark.parametrize(
    ("file", "uri"),
    [
        ("a b/c.toml", "a%20b/c.toml"),
        ("/abs/ä.toml", "file:///abs/%C3%A4.toml"),
        ("x:y.toml", "./x%3Ay.toml"),
        ("-", "-"),
    ],
)
def test_a_path_becomes_a_reference(file: str, uri: str) -> None:
    [found] = parsed(report(replace(MISMATCH, place=Place(file=file))))["results"]
    [place] = found["locations"]
    assert place == {"physicalLocation": {"artifactLocation": {"uri": uri}}}


@given(st.text(), st.text(min_size=1))
def test_any_text_gives_a_document(reason: str, name: str) -> None:
    result: Result = replace(
        MISMATCH, reason=reason, run=replace(MISMATCH.run, case=name), place=Place(file=name)
    )
    [found] = parsed(report(result))["results"]
    text = found["message"]["text"]
    assert all(line.isprintable() for line in text.split("\n"))
    assert len(text) <= 10 * LONGEST_TEXT


def test_the_option_writes_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    case = tmp_path / "case.toml"
    case.write_text(
        'description = "A constant."\nsource = "a test"\nprogram = "const.u8 7 -> [0]"\n'
        '[memory]\nsize = 1\n[expect]\nmemory = { 0 = "08" }\n'
    )
    path = tmp_path / "report.sarif"
    code = run_harness(["run", str(case), "--engine", "reference", "--sarif", str(path)])
    assert code == 1
    Sarif.model_validate_json(path.read_bytes())
    [found] = json.loads(path.read_text())["runs"][0]["results"]
    assert found["locations"][0]["physicalLocation"]["region"]["startLine"] == 3
    capsys.readouterr()
