"""Pointer cases: their files, what is expected in which mode, and what is wrong with a file."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.cases.files import CaseFile
from harness.cases.load import load, read_case
from harness.cases.pointer_case import PointerCase
from harness.errors import InputError
from harness.mode import EVERY_MODE, MODES, parse_mode
from harness.outcome import (
    FaultKind,
    Location,
    Outcome,
    Panicked,
    Ran,
    UndefinedBehaviour,
    Unsupported,
    UnsupportedKind,
)

FILE = CaseFile(path=Path("corpus/pointer/both/case.toml"), id="pointer/both/case")

HEAD = """\
kind = "pointer"
description = "What the case shows."
source = "written for the test"
rule = "protectors"
program = '''
local x = [0; 4]
p = &raw mut x
call(a = &mut *p) {
    write p[0]: u8 = 1
    write p[1]: u8 = 1
}
read p[0]: u8
read p[0]: u8
'''
"""


def read(expect: str = "", head: str = HEAD) -> PointerCase:
    table = f"\n[expect]\n{expect}\n" if expect else ""
    case = read_case(FILE, f"{head}{table}".encode())
    assert isinstance(case, PointerCase)
    return case


def ub(*path: int, kind: FaultKind = FaultKind.PROTECTOR) -> UndefinedBehaviour:
    return UndefinedBehaviour(kind=kind, message="", location=Location(path=path))


def expected(expect: str) -> dict[str, Outcome | None]:
    case = read(expect)
    return {str(mode): case.expected_in(mode) for mode in EVERY_MODE}


def test_a_case_is_read() -> None:
    case = read()
    assert (case.id, case.description, case.source, case.rule) == (
        "pointer/both/case",
        "What the case shows.",
        "written for the test",
        "protectors",
    )
    assert len(case.program.statements) == 5
    assert (case.places[(2, 1)].line, case.places[(2, 1)].column) == (10, 5)
    assert all(case.expected_in(mode) is None for mode in EVERY_MODE)


def test_all_means_the_six_modes() -> None:
    found = expected('all = "ran 31"')
    for mode in EVERY_MODE:
        assert found[str(mode)] == (Ran(checksum=31) if mode in MODES else None)


def test_the_narrower_key_wins() -> None:
    found = expected(
        'tree-permissive = "ran"\nall = "ran 5"\ntree = "ub protector @2.0"\n'
        'tree-writes = "ub aliasing @2"'
    )
    assert found == {
        "stacked-strict": Ran(checksum=5),
        "stacked-permissive": Ran(checksum=5),
        "tree-strict": ub(2, 0),
        "tree-permissive": Ran(),
        "none-strict": Ran(checksum=5),
        "none-permissive": Ran(checksum=5),
        "tree-writes-strict": ub(2, kind=FaultKind.ALIASING),
        "tree-writes-permissive": ub(2, kind=FaultKind.ALIASING),
    }


def test_a_key_of_provenance_speaks_of_the_six_modes() -> None:
    found = expected('strict = "unsupported int-to-ptr @3"')
    outcome = Unsupported(kind=UnsupportedKind.INT_TO_PTR, message="", location=Location(path=(3,)))
    assert {mode for mode, said in found.items() if said == outcome} == {
        "stacked-strict",
        "tree-strict",
        "none-strict",
    }


@pytest.mark.parametrize(
    ("text", "outcome"),
    [
        ("ran", Ran()),
        ("ran 0", Ran(checksum=0)),
        ("ub dangling @0", ub(0, kind=FaultKind.DANGLING)),
        ("ub protector @2.1", ub(2, 1)),
        ("ub protector @ write p[1]: u8 = 1", ub(2, 1)),
        ("ub protector @call(a = &mut *p) {", ub(2)),
        ("panicked @1", Panicked(message="", location=Location(path=(1,)))),
    ],
)
def test_outcomes(text: str, outcome: Outcome) -> None:
    assert read(f'tree = "{text}"').expected_in(parse_mode("tree-strict")) == outcome


def test_two_keys_may_say_the_same_of_a_mode_or_a_third_decides() -> None:
    assert expected('strict = "ran"\ntree = "ran"')["tree-strict"] == Ran()
    found = expected('strict = "ran 1"\ntree = "ran 2"\ntree-strict = "ran 3"')
    assert found["tree-strict"] == Ran(checksum=3)


REFUSED = {
    'al = "ran"': (17, 1, "there is no mode 'al'"),
    "all = 1": (17, 7, "an outcome is a string"),
    'all = "run"': (17, 7, "no outcome: 'run'"),
    'all = "ran -1"': (17, 7, "no outcome"),
    'all = "ran @1"': (17, 7, "no outcome"),
    'all = "ub @1"': (17, 7, "no outcome"),
    'all = "ub odd @1"': (17, 7, "there is no kind 'odd'"),
    'all = "unsupported odd @1"': (17, 7, "there is no kind 'odd'"),
    'all = "ub aliasing"': (17, 7, "without its statement"),
    'all = "ub aliasing @5"': (17, 7, "there is no statement 5"),
    'all = "ub aliasing @2.2"': (17, 7, "there is no statement 2.2"),
    'all = "ub aliasing @ write q[0]"': (17, 7, "no statement reads"),
    'all = "ub aliasing @ read p[0]: u8"': (17, 7, "several statements read"),
    'strict = "ran 1"\ntree = "ran 2"': (17, 1, "contradict each other in tree-strict"),
}


@pytest.mark.parametrize("expect", REFUSED)
def test_a_wrong_expectation_has_its_place(expect: str) -> None:
    line, column, message = REFUSED[expect]
    with pytest.raises(InputError) as caught:
        read(expect)
    place = caught.value.place
    assert place is not None
    assert (place.line, place.column) == (line, column)
    assert message in caught.value.message
    assert caught.value.remedy


def test_a_mistake_in_the_program_has_its_place_in_the_file() -> None:
    with pytest.raises(InputError) as caught:
        read(head=HEAD.replace("read p[0]: u8\n'''", "  read q[0]: u8\n'''"))
    place = caught.value.place
    assert place is not None
    assert (place.line, place.column) == (13, 3)


@pytest.mark.parametrize("key", ["description", "source", "rule", "program"])
def test_every_key_of_the_head_is_needed(key: str) -> None:
    head = HEAD.replace(f"{key} =", "unknown =" if key == "program" else f"# {key} =")
    with pytest.raises(InputError, match=key if key != "program" else "unknown"):
        read(head=head)


def test_the_corpus_of_pointer_cases_loads() -> None:
    folder = Path(__file__).parents[2] / "corpus" / "pointer"
    loaded = load([folder])
    assert [str(error) for error in loaded.errors if list(folder.rglob("*.toml"))] == []
    assert all(isinstance(case, PointerCase) for case in loaded.cases)
