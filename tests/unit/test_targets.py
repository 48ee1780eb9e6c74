"""Other targets than the host: values in their byte order, and what cannot be checked there."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from rich.console import Console

from harness.api import program
from harness.campaign.assemble import assemble
from harness.campaign.oracle import Oracle
from harness.campaign.selection import Selection
from harness.cases.case import BytecodeCase
from harness.cases.load import load
from harness.lowering.variants import VARIANTS
from harness.mode import MODES, parse_mode
from harness.model.machine import judge
from harness.outcome import Ran, TrapKind, Trapped
from harness.pointer.text import parse
from harness.reference import vm as reference
from harness.report import html_report, json_report
from harness.report.report import Report
from harness.report.screen import print_report
from harness.report.wording import repeat
from harness.resources import corpus_dir
from harness.result import EngineName, Evidence, Result, Verdict
from harness.target import STATED, Layout, Target
from tests.unit.evidence_campaign import CASE, SEVEN, Fake, campaign

BIG = Target(triple="s390x-unknown-linux-gnu", layout=Layout(pointer_size=8, byte_order="big"))
SMALL = Target(triple="i686-unknown-linux-gnu", layout=Layout(pointer_size=4, byte_order="little"))
STRICT = parse_mode("none-strict")
LITTLE_ENDIAN = "bytecode/const-u16-is-little-endian"

NUMBERS = """
const.u64 24 -> [8]
const.u16 0x1234 -> [0]
store.u16 [0] -> [[8]]
load.u16 [[8]] -> [2]
add.u16 [2], [2] -> [4]
jump_if.u8 [0], end         # its high byte, or its low one
const.u8 1 -> [6]
end:
"""


@cache
def case_of(name: str) -> BytecodeCase:
    (case,) = load((corpus_dir() / f"{name}.toml",)).cases
    assert isinstance(case, BytecodeCase)
    return case


def report_of(results: list[Result]) -> Report:
    return Report(results=results, errors=(), missing=(), environment={}, finished=True)


# What programs mean there


def test_a_value_lies_in_the_targets_byte_order() -> None:
    made = program("const.u32 0x01020304 -> [0]", memory=bytes(4))
    for layout, wanted in ((STATED, "04030201"), (BIG.layout, "01020304")):
        outcome = reference.run(made, layout)
        assert isinstance(outcome, Ran)
        assert outcome.memory is not None
        assert outcome.memory.hex() == wanted


def test_bytes_that_a_case_states_are_the_same_and_mean_something_else() -> None:
    """Eight bytes that are the address 8, or one far beyond the memory."""
    made = program("load.u8 [[0]] -> [8]", memory=bytes([8, *bytes(8)]))
    assert isinstance(reference.run(made), Ran)
    there = reference.run(made, BIG.layout)
    assert isinstance(there, Trapped)
    assert there.kind is TrapKind.OUT_OF_BOUNDS


@pytest.mark.parametrize("name", VARIANTS)
def test_each_variant_keeps_the_byte_order(name: str) -> None:
    """Where it is defined: otherwise the model's memory is nobody's."""
    made = replace(case_of(LITTLE_ENDIAN), id=name, program=program(NUMBERS, memory=bytes(32)))
    oracle = Oracle().on(BIG)
    meant = oracle.reference(made)
    assert isinstance(meant, Ran)
    assert meant.memory == bytes.fromhex("1234123424680000 0000000000000018") + bytes(8) + (
        b"\x12\x34" + bytes(6)
    )
    outcomes = [oracle.prediction(made, name, mode) for mode in MODES]
    seen = [each.outcome for each in outcomes if each and isinstance(each.outcome, Ran)]
    assert seen or name in ("unexposed", "transmuted")
    assert all(each.memory == meant.memory for each in seen)


def test_the_abstract_machine_reads_bytes_of_a_wide_value() -> None:
    made = parse("local x = [0; 2]\np = &raw mut x\nwrite p[0]: u16 = 258\nread x[0]: u8").program
    assert judge(made, STRICT) == Ran(checksum=2)
    assert judge(made, STRICT, "big") == Ran(checksum=1)


def test_a_wide_value_of_a_local_is_read_as_it_was_written() -> None:
    made = parse("local x = [0; 2]\nwrite x[0]: u16 = 258\nread x[0]: u16\nread x[0]: u8").program
    assert judge(made, STRICT) == Ran(checksum=258 * 31 + 2)
    assert judge(made, STRICT, "big") == Ran(checksum=258 * 31 + 1)


# Who decides there


def test_what_a_case_states_of_the_memory_is_stated_in_the_usual_order() -> None:
    case, oracle = case_of(LITTLE_ENDIAN), Oracle()
    for target in (None, SMALL):
        assert oracle.on(target).expected(case, "raw", STRICT) == case.expected
    there = oracle.on(BIG).expected(case, "raw", STRICT)
    assert there != case.expected
    assert there == reference.run(case.program, BIG.layout)


def test_a_pointer_program_has_no_prediction_where_its_pointers_are_others() -> None:
    (case, *_) = load((corpus_dir() / "pointer" / "both",)).cases
    oracle = Oracle()
    assert oracle.on(SMALL).prediction(case, None, STRICT) is None
    assert oracle.on(SMALL).expected(case, None, STRICT) is None
    assert oracle.on(BIG).prediction(case, None, STRICT) is not None
    assert SMALL.lacks_pointers()
    assert not BIG.lacks_pointers()


@pytest.mark.parametrize(
    ("text", "refused"),
    [
        ("allocate [0] -> p1\nwrite.u64 [8] -> [p1]", True),
        ("allocate [0] -> p1\nwrite.u32 [8] -> [p1]", False),
        ("allocate [0] -> p1\nwrite_pointer p1 -> [p1]", True),
        ("add.u64 [0], [8] -> [8]", False),
    ],
)
def test_what_hangs_on_the_size_of_a_pointer_is_refused(text: str, refused: bool) -> None:
    made = replace(case_of(LITTLE_ENDIAN), id=text, program=program(text, memory=bytes([8] * 16)))
    oracle = Oracle()
    assert oracle.on(None).refusal(made, "raw") is None
    assert oracle.on(BIG).refusal(made, "raw") is None
    assert (oracle.on(SMALL).refusal(made, "raw") is not None) is refused


def test_the_host_has_one_oracle() -> None:
    oracle = Oracle()
    same = Target(triple="aarch64-unknown-linux-gnu", layout=STATED)
    assert oracle.on(None) is oracle.on(same) is oracle
    assert oracle.on(BIG) is oracle.on(replace(BIG, triple="powerpc64-unknown-linux-gnu"))


# In a campaign


@pytest.fixture
def case(tmp_path: Path) -> Path:
    path = tmp_path / "byte.toml"
    path.write_text(CASE.format(value=7), encoding="utf-8")
    return path


def test_a_record_is_of_one_target(tmp_path: Path, case: Path) -> None:
    def run(*targets: Target | None) -> list[Result]:
        engine = Fake(outcome=SEVEN)
        made = campaign(engine, [case], tmp_path / "records.log", modes=[STRICT])
        selection = replace(made.selection, targets=targets)
        return list(replace(made, selection=selection).results())

    (there,) = run(BIG)
    assert there.evidence is Evidence.LIVE
    assert there.run.target == BIG.triple
    both = {result.run.target: result for result in run(None, BIG)}
    assert both[None].evidence is Evidence.LIVE
    assert both[BIG.triple].evidence is Evidence.RECORDED
    recording = both[BIG.triple].recording
    assert recording is not None
    assert recording.tool.target == BIG.triple
    # Settled by now, each as what it is.
    assert {result.run.target for result in run(None, BIG)} == {None, BIG.triple}


def test_engines_of_the_host_say_that_they_are_not_checked() -> None:
    engines = (EngineName.REFERENCE, EngineName.MODEL, EngineName.IN_PROCESS, EngineName.NATIVE)
    selection = Selection(
        variants=("raw",), modes=(STRICT,), targets=(BIG,), engines=engines, toolchain="", jobs=1
    )
    setup = assemble([case_of(LITTLE_ENDIAN)], selection)
    results = {result.run.engine: result for result in setup.campaign.results()}
    assert {result.run.target for result in results.values()} == {BIG.triple}
    for engine in (EngineName.IN_PROCESS, EngineName.NATIVE):
        assert results[engine].verdict is Verdict.NOT_CHECKED
        assert results[engine].reason == f"this engine runs on the host, not on {BIG}"
    # Nothing states what comes of it there, and the variant's promise is the reference's memory.
    assert results[EngineName.REFERENCE].reason == "only-predicted"
    assert results[EngineName.MODEL].verdict is Verdict.AGREE


def test_the_model_says_of_which_pointers_it_knows() -> None:
    (pointer_case, *_) = load((corpus_dir() / "pointer" / "both",)).cases
    selection = Selection(
        modes=(STRICT,), targets=(SMALL,), engines=(EngineName.MODEL,), toolchain="", jobs=1
    )
    (result,) = assemble([pointer_case], selection).campaign.results()
    assert result.verdict is Verdict.NOT_CHECKED
    assert result.reason == (f"pointer programs have pointers of 8 bytes, {SMALL} has them of 4")


# In reports


def results_on(*targets: Target | None) -> list[Result]:
    selection = Selection(
        variants=("raw",),
        modes=(STRICT,),
        targets=targets,
        engines=(EngineName.MODEL,),
        toolchain="",
        jobs=1,
    )
    return list(assemble([case_of(LITTLE_ENDIAN)], selection).campaign.results())


def test_reports_name_the_target() -> None:
    results = results_on(None, BIG)
    rows = json.loads(json_report.encode(report_of(results)))["results"]
    assert [row["target"] for row in rows] == [None, BIG.triple]
    console = Console(record=True, width=80)
    print_report(console, report_of(results), verbose=False)
    screen = console.export_text()
    assert screen.count("variant") == 2
    assert f"on {BIG}\n" in screen
    page = html_report.encode(report_of(results)).decode()
    assert page.count('<table class="matrix">') == 2
    assert f'data-target="{BIG}"' in page


def test_the_command_that_repeats_a_run_names_the_target() -> None:
    here, there = results_on(None, BIG)
    assert "--target" not in repeat(here)
    assert repeat(there).endswith(f"--target {BIG}")
