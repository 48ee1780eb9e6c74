"""Exposed provenance, exactly: what the wildcard misses, and how settled each miss is."""

from __future__ import annotations

import random

import pytest

from harness.campaign.oracle import predict_by
from harness.mode import Aliasing, Mode, Provenance, parse_mode
from harness.model.exposed import (
    OPEN_QUESTION,
    ExactReading,
    casts_integers,
    missed_by_wildcard,
)
from harness.model.machine import examine
from harness.outcome import Ran, UndefinedBehaviour
from harness.pointer.generator import generate
from harness.pointer.text import parse

STACKED, TREE, NONE = "stacked-permissive", "tree-permissive", "none-permissive"


def missed(text: str, mode: str) -> ExactReading | None:
    return missed_by_wildcard(parse(text).program, parse_mode(mode))


def runs(text: str, mode: str) -> bool:
    return isinstance(examine(parse(text).program, parse_mode(mode)).outcome, Ran)


def test_without_a_cast_of_an_integer_strict_and_permissive_are_one() -> None:
    source = random.Random(6)
    programs = [generate(source, 12) for _ in range(150)]
    programs = [program for program in programs if not casts_integers(program)]
    assert len(programs) > 40
    predict = predict_by(examine, missed_by_wildcard)
    for program in programs:
        for aliasing in Aliasing:
            strict, permissive = (Mode(aliasing=aliasing, provenance=each) for each in Provenance)
            assert predict(program, strict, "little") == predict(program, permissive, "little")


def test_a_cast_in_a_call_is_one_too() -> None:
    text = """
    call() {
      i = 4096
      q = with_exposed_provenance_mut(i) as [u8; 1]
    }
    """
    assert casts_integers(parse(text).program)
    assert not casts_integers(parse("local x = [3; 1]").program)


def fault(reading: ExactReading | None) -> tuple[str, tuple[int, ...] | None]:
    assert reading is not None
    outcome = reading.judgement.outcome
    assert isinstance(outcome, UndefinedBehaviour)
    return str(outcome.kind), outcome.location.path


ROUND_TRIP = """
local x = [3; 1]
p = &raw mut x
a = p.expose_provenance()
q = with_exposed_provenance_mut(a) as [u8; 1]
write q[0]: u8 = 4
read p[0]: u8
"""


@pytest.mark.parametrize("mode", [STACKED, TREE, NONE])
def test_a_round_trip_is_fine_either_way(mode: str) -> None:
    assert runs(ROUND_TRIP, mode)
    assert missed(ROUND_TRIP, mode) is None


@pytest.mark.parametrize("mode", [STACKED, TREE, NONE])
def test_a_provenance_exposed_too_late_is_documented_to_be_none(mode: str) -> None:
    text = """
    local x = [3; 1]
    p = &raw mut x
    a = p.addr()
    q = with_exposed_provenance_mut(a) as [u8; 1]
    b = p.expose_provenance()
    read q[0]: u8
    """
    assert runs(text, mode)
    reading = missed(text, mode)
    assert fault(reading) == ("no-provenance", (5,))
    assert reading is not None
    assert reading.open_question is None


TWO_EXPOSED = """
local x = [42; 1]
p = &raw mut x
m = &mut *p
n = &mut *p
pm = &raw mut *m
pn = &raw mut *n
a = pm.expose_provenance()
b = pn.expose_provenance()
q = with_exposed_provenance_mut(a) as [u8; 1]
write q[0]: u8 = 13
"""


def test_whichever_was_written_through_the_other_is_gone() -> None:
    """The wildcard leaves both as they are; each choice disables one of them."""
    text = TWO_EXPOSED + "read m[0]: u8\nread n[0]: u8\n"
    assert runs(text, TREE)
    reading = missed(text, TREE)
    assert fault(reading) == ("aliasing", (11,))
    assert reading is not None
    assert reading.open_question is None
    assert reading.runs > 2


def test_a_choice_that_helps_is_found() -> None:
    for last in ("read m[0]: u8\n", "read n[0]: u8\n"):
        assert missed(TWO_EXPOSED + last, TREE) is None


def test_whether_a_choice_holds_for_all_uses_is_an_open_question() -> None:
    """One pointer, used as the first exposed and, after that was lost, as the second."""
    text = """
    local x = [42; 2]
    p = &raw mut x
    m = &mut *p
    pm = &raw mut *m
    a = pm.expose_provenance()
    s = &*p
    ps = &raw const *s
    b = ps.expose_provenance()
    q = with_exposed_provenance_mut(a) as [u8; 1]
    write q[0]: u8 = 1
    read p[0]: u8
    r = q.wrapping_add(1) as [u8; 1]
    write p[1]: u8 = 2
    read p[1]: u8
    read q[0]: u8
    """
    assert runs(text, TREE)
    assert missed(text, TREE) is None
    text = """
    local x = [42; 1]
    local y = [43; 1]
    px = &raw mut x
    py = &raw mut y
    a = px.expose_provenance()
    b = py.expose_provenance()
    q = with_exposed_provenance_mut(a) as [u8; 1]
    read q[0]: u8
    r = q.with_addr(b) as [u8; 1]
    read r[0]: u8
    """
    assert runs(text, NONE)
    reading = missed(text, NONE)
    assert reading is not None
    assert reading.open_question == OPEN_QUESTION
    assert fault(reading) == ("out-of-bounds", (9,))


def test_an_argument_that_is_protected_narrows_the_choice() -> None:
    """Only a write through the argument is defined, and that one disables the other."""
    text = """
    local x = [42; 1]
    p = &raw mut x
    m = &mut *p
    n = &mut *p
    pn = &raw mut *n
    b = pn.expose_provenance()
    call(r = &mut *m) {
        pr = &raw mut *r
        a = pr.expose_provenance()
        q = with_exposed_provenance_mut(a) as [u8; 1]
        write q[0]: u8 = 13
    }
    read n[0]: u8
    """
    assert runs(text, TREE)
    assert fault(missed(text, TREE)) == ("aliasing", (7,))


def test_nothing_is_searched_where_there_is_nothing_to_choose() -> None:
    assert missed(ROUND_TRIP, "tree-strict") is None
    assert missed("local x = [1; 1]\nread x[0]: u8", TREE) is None


def test_what_the_wildcard_finds_is_no_miss() -> None:
    text = ROUND_TRIP.replace("p.expose_provenance()", "p.addr()")
    assert not runs(text, TREE)
    assert missed(text, TREE) is None
