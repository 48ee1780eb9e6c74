"""`docs/const.md`: its cases exist, expect what it has Miri say, and are refused as it says.

What the evaluator itself says of them needs a rustc: `tests/slow/test_engines_constant.py`.
"""

from __future__ import annotations

from harness.mode import MODES, NONE_STRICT, Mode
from harness.outcome import Outcome
from harness.pointer.rust_const import NO_ADDRESSES, NO_HEAP, NO_STATICS, NO_TRAITS, refusal
from tests.unit.const_page import CHECKED, ONLY_MIRI, PAGE, REFUSED, case_of, lines


def expected(case: str, mode: Mode) -> str:
    outcome: Outcome | None = case_of(case).expected_in(mode)
    assert outcome is not None
    kind = getattr(outcome, "kind", None)
    return f"{outcome.name} {kind}" if kind else outcome.name


def test_each_section_has_lines() -> None:
    assert len(lines(CHECKED)) == 13
    assert len(lines(ONLY_MIRI)) == 11
    assert PAGE.count("| `pointer/") == 13 + 11 + 4


def test_what_is_checked_as_miri_does_is_what_the_case_expects() -> None:
    for case, outcome in lines(CHECKED):
        assert expected(case, NONE_STRICT) == outcome, case
        assert refusal(case_of(case).program) is None, case


def test_what_only_miri_does_is_what_the_case_expects() -> None:
    for case, const, miri in lines(ONLY_MIRI):
        said = {expected(case, mode) for mode in (NONE_STRICT, MODES[0])}
        assert miri in said, case
        assert const != miri, case
        assert refusal(case_of(case).program) is None, case


def test_every_refusal_has_its_case() -> None:
    rows = lines(REFUSED)
    assert [reason for _, reason in rows] == [NO_HEAP, NO_ADDRESSES, NO_STATICS, NO_TRAITS]
    for case, reason in rows:
        assert refusal(case_of(case).program) == reason, case
