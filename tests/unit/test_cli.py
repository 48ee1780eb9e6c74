"""The command line as a user meets it: exit codes, messages, and the JSON report."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from harness.cli.exit_code import ExitCode, weightiest
from harness.cli.main import run
from harness.report.json_report import json_schema

ROOT = Path(__file__).parents[2]
THREAD = str(ROOT / "corpus" / "bytecode" / "thread-program.toml")
PURE = ("--engine", "reference", "--engine", "model", "--engine", "in-process")


def report(path: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    jsonschema.validate(document, json_schema())
    return document


def test_the_committed_schema_is_the_reports() -> None:
    committed = json.loads((ROOT / "docs" / "report.schema.json").read_text(encoding="utf-8"))
    assert committed == json_schema(), "run `python -m harness.report.json_report`"


def test_the_report_fits_its_schema_and_has_what_the_contract_names(tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    assert run(["run", THREAD, *PURE, "--json", str(out)]) == ExitCode.AGREE
    document = report(out)
    assert document["schema"] == 1
    assert document["finished"] is True
    assert document["summary"]["mismatch"] == 0
    by_engine = {result["engine"] for result in document["results"]}
    assert by_engine == {"reference", "model", "in-process"}
    (undefined,) = (
        result
        for result in document["results"]
        if (result["engine"], result["variant"]) == ("model", "reborrow")
        and (result["aliasing"], result["provenance"]) == ("stacked", "strict")
    )
    assert undefined["predicted"]["class"] == "ub"
    assert undefined["predicted"]["kind"] == "aliasing"
    assert undefined["predicted"]["location"]["instruction"] == 0
    assert undefined["predicted"]["location"]["operand"] == "addr"
    assert undefined["evidence"] == "predicted"


def test_every_result_of_a_pure_run_is_counted_once(tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    run(["run", THREAD, *PURE, "--json", str(out)])
    document = report(out)
    assert sum(document["summary"].values()) == len(document["results"])
    # The reference once; eighteen variants in six modes, and in process. Three others show
    # nothing of it that `raw` does not.
    assert len(document["results"]) == 1 + 108 + 18


def test_a_form_that_a_variant_has_not_is_bad_input(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["run", THREAD, "--form", "unrolled", "--engine", "model", "--variant", "atomic"]
    assert run(words) == ExitCode.BAD_INPUT
    assert "--form: the variant atomic has the form vm alone" in capsys.readouterr().err
    assert run([*words, "--form", "vm"]) == ExitCode.AGREE
    # Nobody has asked for that one.
    words = ["run", THREAD, "--form", "unrolled", "--mode", "none-strict", "--engine", "model"]
    assert run(words) == ExitCode.AGREE


def test_in_process_runs_of_undefined_programs_are_not_done(tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    run(["run", THREAD, "--variant", "reborrow", "--engine", "in-process", "--json", str(out)])
    (result,) = report(out)["results"]
    assert result["verdict"] == "not_checked"
    assert result["reason"] == "native-is-no-evidence"
    assert result["outcome"] is None


def test_a_wrong_expectation_is_a_mismatch(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    case = tmp_path / "wrong.toml"
    text = Path(THREAD).read_text(encoding="utf-8").replace('6 = "2a 00"', '6 = "2b 00"')
    case.write_text(text, encoding="utf-8")
    assert run(["run", str(case), "--engine", "reference"]) == ExitCode.MISMATCH
    assert "mismatch wrong [reference]" in capsys.readouterr().out


def test_a_bad_file_does_not_keep_the_others_from_running(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a-bad.toml").write_text("program = 3\n", encoding="utf-8")
    (tmp_path / "b-good.toml").write_bytes(Path(THREAD).read_bytes())
    out = tmp_path / "out.json"
    code = run(["run", str(tmp_path), "--engine", "reference", "--json", str(out)])
    assert code == ExitCode.BAD_INPUT
    assert "a-bad.toml:1:11: " in capsys.readouterr().out
    document = report(out)
    assert [result["case"] for result in document["results"]] == ["b-good"]
    (error,) = document["errors"]
    assert (error["line"], error["column"]) == (1, 11)
    assert error["remedy"]


def test_a_set_runs_like_a_corpus_and_names_its_bad_lines(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good = {
        "id": "one",
        "program": [
            {"op": "local", "to": "x", "size": 1, "init": 7},
            {"op": "read", "ptr": "x", "at": 0, "width": 1},
        ],
        "expected": {"tree-strict": {"class": "ran", "checksum": 7}},
    }
    bad = {"id": "two", "program": [{"op": "frobnicate"}], "expected": {}}
    path = tmp_path / "set.jsonl"
    path.write_text(f"{json.dumps(good)}\n{json.dumps(bad)}\n", encoding="utf-8")
    out = tmp_path / "out.json"
    code = run(["run", str(path), "--engine", "model", "--mode", "tree-strict", "--json", str(out)])
    assert code == ExitCode.BAD_INPUT
    assert "set.jsonl:2:" in capsys.readouterr().out
    (result,) = report(out)["results"]
    assert (result["case"], result["verdict"]) == ("set/one", "agree")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--mode", "tree"], "there is no mode 'tree'"),
        (["--variant", "rwa"], "there is no variant 'rwa'"),
        (["--engine", "mir"], "there is no 'mir'"),
        (["--form", "rolled"], "there is no 'rolled'"),
        (["--shard", "3/2"], "'3/2' is no part of a whole"),
        (["-j", "0"], "0 processes do nothing"),
        (["--case", "no-such-*", "--engine", "reference"], "no case was selected"),
        (["--case", "no-such-*", "--shard", "1/2"], "no case was selected"),
        (["--json", "/no/such/folder/out.json"], "--json: /no/such/folder/out.json cannot be"),
        (["--junit", "/no/such/folder/out.xml"], "--junit: /no/such/folder/out.xml cannot be"),
        (["--no-such-option"], "no-such-option"),
    ],
)
def test_wrong_usage_says_what_is_wrong(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["run", THREAD, *arguments]) == ExitCode.BAD_INPUT
    printed = capsys.readouterr()
    assert said in printed.err + printed.out
    assert "Traceback" not in printed.err


def test_a_missing_miri_asked_for_by_name_is_exit_3(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["run", THREAD, "--engine", "miri", "--toolchain", "no-such-toolchain"]
    assert run(arguments) == ExitCode.NOT_CHECKED
    assert "not checked: " in capsys.readouterr().out


def test_a_missing_miri_that_nobody_named_is_no_failure(tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    arguments = ["--engine", "model", "--engine", "reference", "--toolchain", "no-such-toolchain"]
    assert run(["run", THREAD, *arguments, "--json", str(out)]) == ExitCode.AGREE
    assert report(out)["environment"]["miri"] is None


def test_shards_are_complete_and_disjoint(tmp_path: Path) -> None:
    seen: list[str] = []
    for index in (1, 2, 3):
        out = tmp_path / f"{index}.json"
        run(["run", "--engine", "reference", "--shard", f"{index}/3", "--json", str(out)])
        seen += [result["case"] for result in report(out)["results"]]
    whole = tmp_path / "whole.json"
    run(["run", "--engine", "reference", "--json", str(whole)])
    assert sorted(seen) == sorted(result["case"] for result in report(whole)["results"])
    assert len(set(seen)) == len(seen)


def test_an_empty_shard_is_no_mistake(capsys: pytest.CaptureFixture[str]) -> None:
    codes = [run(["run", THREAD, "--engine", "reference", "--shard", f"{i}/2"]) for i in (1, 2)]
    assert codes == [ExitCode.AGREE, ExitCode.AGREE]
    assert "0 cases (0 on the reference VM), 0 results." in capsys.readouterr().out


def test_several_codes_at_once() -> None:
    every = set(ExitCode) - {ExitCode.INTERRUPTED}
    assert weightiest(every) is ExitCode.FAULT
    assert weightiest(every - {ExitCode.FAULT}) is ExitCode.BAD_INPUT
    assert weightiest({ExitCode.MISMATCH, ExitCode.NOT_CHECKED}) is ExitCode.MISMATCH
    assert weightiest(set()) is ExitCode.AGREE


def test_list_names_every_case_variant_and_mode(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["list", THREAD]) == ExitCode.AGREE
    assert capsys.readouterr().out.startswith("bytecode/thread-program")
    assert run(["list", "--what", "variants"]) == ExitCode.AGREE
    assert "reborrow" in capsys.readouterr().out
    assert run(["list", "--what", "modes"]) == ExitCode.AGREE
    assert capsys.readouterr().out.split()[:2] == ["stacked-strict", "stacked-permissive"]


def test_doctor_finds_the_python_that_runs_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["doctor", "--toolchain", "no-such-toolchain"]) == ExitCode.AGREE
    printed = capsys.readouterr().out
    assert "CPython" in printed
    assert "rustup toolchain install" in printed
