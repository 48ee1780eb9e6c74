"""A 32-bit and a big-endian target under a real Miri: what the reference VM says of them holds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from harness.cli.exit_code import ExitCode
from harness.cli.main import run
from harness.resources import corpus_dir

pytestmark = [
    pytest.mark.slow,
    pytest.mark.miri,
]

DATA = Path(__file__).parent.parent / "data"
BIG, SMALL = "s390x-unknown-linux-gnu", "i686-unknown-linux-gnu"
CASES = (
    "bytecode/const-u16-is-little-endian",
    "bytecode/load-u64-of-its-own-address",
    "bytecode/grow-and-use-what-is-new",
    "bytecode/thread-program",
)
FREED = "pointer/memory/double-free"
VARIANTS = ("raw", "cell", "reborrow", "exposed", "index")


def results(tmp_path: Path, *words: str, code: int = ExitCode.AGREE) -> list[dict[str, Any]]:
    out = tmp_path / "out.json"
    assert run(["run", *words, "--json", str(out)]) == code
    found: list[dict[str, Any]] = json.loads(out.read_text(encoding="utf-8"))["results"]
    return found


def paths(names: tuple[str, ...]) -> list[str]:
    return [str(corpus_dir() / f"{name}.toml") for name in names]


@pytest.mark.parametrize("target", [BIG, SMALL])
def test_the_rust_vm_does_what_the_reference_says(tmp_path: Path, target: str) -> None:
    chosen = [word for name in VARIANTS for word in ("--variant", name)]
    words = (*paths(CASES), *chosen, "--engine", "miri", "--form", "vm", "--target", target)
    found = results(tmp_path, *words, "--evidence", "live")
    assert len(found) == len(CASES) * len(VARIANTS) * 6
    assert {(each["verdict"], each["target"]) for each in found} == {("agree", target)}
    assert {each["outcome"]["class"] for each in found} >= {"ran", "ub", "unsupported"}


def test_a_value_lies_the_other_way_round_on_a_big_endian_target(tmp_path: Path) -> None:
    names = ("bytecode/const-u16-is-little-endian",)
    words = (*paths(names), "--variant", "cell", "--mode", "tree-strict", "--engine", "miri")
    targets = ("--target", "host", "--target", SMALL, "--target", BIG)
    found = results(tmp_path, *words, *targets, "--form", "vm", "--evidence", "live")
    bytes_ = {each["target"]: each["outcome"]["memory"][4:8] for each in found}
    assert bytes_ == {None: "3412", SMALL: "3412", BIG: "1234"}


def test_straight_lines_and_pointer_programs_on_a_big_endian_target(tmp_path: Path) -> None:
    names = (
        "bytecode/const-u16-is-little-endian",
        "pointer/sound/wide-value-read-byte-by-byte",
        "pointer/sound/every-width-unaligned",
        FREED,
    )
    words = ("--engine", "miri", "--form", "unrolled", "--target", BIG, "--evidence", "live")
    chosen = ("--variant", "cell", "--variant", "raw", "--mode", "tree-strict")
    found = results(tmp_path, *paths(names), *words, *chosen)
    assert {each["verdict"] for each in found} == {"agree"}
    assert len(found) == 5


def test_pointer_programs_are_not_checked_where_pointers_are_others(tmp_path: Path) -> None:
    words = (*paths((FREED,)), "--engine", "miri", "--target", SMALL, "--mode", "tree-strict")
    (found,) = results(tmp_path, *words, code=ExitCode.NOT_CHECKED)
    assert found["verdict"] == "not_checked"
    assert found["reason"] == f"pointer programs have pointers of 8 bytes, {SMALL} has them of 4"


def test_what_runs_on_the_host_alone_was_asked_for_in_vain(tmp_path: Path) -> None:
    words = (*paths(CASES[:1]), "--variant", "raw", "--target", BIG, "--engine", "native")
    found = results(tmp_path, *words, code=ExitCode.NOT_CHECKED)
    assert {each["reason"] for each in found} == {f"this engine runs on the host, not on {BIG}"}


def test_random_programs_come_to_what_is_predicted_there(tmp_path: Path) -> None:
    sample = str(DATA / "miri-verdicts-sample.jsonl")
    found = results(tmp_path, sample, "--engine", "miri", "--target", BIG, "--evidence", "live")
    assert len(found) == 76 * 6
    assert {(each["verdict"], each["expected"]) for each in found} == {("agree", None)}


def test_a_name_that_rustc_does_not_know_is_bad_input(capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("nonsense", "--help", "./own.json"):
        assert run(["run", *paths(CASES[:1]), f"--target={name}"]) == ExitCode.BAD_INPUT
        assert "--target: " in capsys.readouterr().err
