"""The mutation check: every entry of every table has its mutants, and no hole goes unseen."""

from __future__ import annotations

import lzma
from collections import Counter
from pathlib import Path

import pytest

from harness.cli.exit_code import ExitCode
from harness.errors import HarnessFault
from harness.mode import parse_mode
from harness.model import reborrows
from harness.model.borrows import Access
from harness.model.machine import examine
from harness.model.permissions import Permission
from harness.mutation import __main__
from harness.mutation.__main__ import mutation_command
from harness.mutation.altered_model import compiled
from harness.mutation.catalogue import mutants, reasons
from harness.mutation.check import Fate, Finding, check
from harness.mutation.mutant import Edit, Mutant
from harness.mutation.score import Score
from harness.mutation.tables import RETAGS, TABLES
from harness.mutation.trials import Trial
from harness.outcome import FaultKind, Location, Outcome, Ran, UndefinedBehaviour
from harness.pointer.text import parse
from harness.resources import corpus_dir

EVERY = {mutant.name: mutant for mutant in mutants()}
TREE = parse_mode("tree-permissive")

CONFLICTED = """
local x = [0; 1]
p = &raw mut x
call(a = &mut *p) {
    read p[0]: u8
    write a[0]: u8 = 1
}
"""
FORBIDDEN = UndefinedBehaviour(kind=FaultKind.ALIASING, message="", location=Location(path=(2, 1)))
ALLOWED = EVERY["child_write(Reserved (conflicted), protected) = Unique"]
UNREACHED = EVERY["child_read(Frozen, protected) = Disabled"]


def trial(wanted: Outcome | None) -> Trial:
    program = parse(CONFLICTED).program
    return Trial(id="conflicted", program=program, mode=TREE, wanted=wanted, casts=False)


def tried(mutant: Mutant, *trials: Trial) -> Finding:
    (finding,) = check([mutant], trials, jobs=1)
    return finding


# What there is


def test_names_are_unique() -> None:
    assert len(EVERY) == len(mutants())


def test_every_entry_has_every_other_result() -> None:
    seen = Counter(mutant.subject for mutant in EVERY.values())
    for rule in ("child_read", "child_write", "foreign_read", "foreign_write"):
        assert seen[rule] == len(Permission) * 2 * len(Permission)
    assert seen["release_access"] == len(Permission) * 2
    assert seen["grants"] == 4 * len(Access)
    retags = len(RETAGS)
    # Two other permissions, two accesses and two protectors, on both kinds of bytes.
    assert seen["grant_of"] == retags * 2 * (2 + 2 + 2)
    entries = len(TABLES["tree_borrows.initial_permission"].arguments)
    assert seen["initial_permission"] == entries * (len(Permission) - 1)


def test_every_retag_of_an_expression_is_in_the_table() -> None:
    found = {
        *reborrows.TWO_PHASE.values(),
        reborrows.BOX,
        reborrows.RAW_MUT,
        *reborrows.REFERENCE.values(),
        *reborrows.ARGUMENT.values(),
        *reborrows.RAW_CONST.values(),
    }
    for table in ("tree_borrows.initial_permission", "stacked_borrows.grant_of"):
        for retag in found:
            assert TABLES[table].words(**{**TABLES[table].arguments[0], "retag": retag})


def test_every_rule_is_in_the_source_once() -> None:
    for mutant in mutants():
        if isinstance(mutant.alteration, Edit):
            assert compiled(mutant.alteration.module, (mutant.alteration,))


def test_a_rule_that_is_not_in_the_source_is_a_fault() -> None:
    with pytest.raises(HarnessFault, match="0 times, not once: 'no such rule'"):
        compiled("stack", (Edit(module="stack", old="no such rule", new=""),))


# What becomes of a mutant


def test_a_case_that_states_otherwise_catches_it() -> None:
    finding = tried(ALLOWED, trial(FORBIDDEN))
    assert (finding.fate, finding.by) == (Fate.CAUGHT, "conflicted, tree-permissive")
    assert finding.how == "wanted ub aliasing at statement 2.1, saw ran"


def test_without_the_case_it_is_not_caught() -> None:
    assert tried(ALLOWED, trial(None)).fate is Fate.NOT_CAUGHT


def test_with_no_program_that_tells_it_is_unchanged() -> None:
    assert tried(ALLOWED).fate is Fate.UNCHANGED
    assert tried(UNREACHED, trial(FORBIDDEN)).fate is Fate.UNCHANGED


def test_an_altered_source_is_tried_too() -> None:
    rule = EVERY["a protected node may be disabled"]
    assert tried(rule, trial(FORBIDDEN)).fate is Fate.UNCHANGED
    program = parse(CONFLICTED.replace("read p[0]: u8", "write p[0]: u8 = 2")).program
    stated = UndefinedBehaviour(
        kind=FaultKind.PROTECTOR, message="", location=Location(path=(2, 0))
    )
    other = Trial(id="written", program=program, mode=TREE, wanted=stated, casts=False)
    assert tried(rule, trial(FORBIDDEN), other).fate is Fate.CAUGHT


def test_nothing_of_it_stays() -> None:
    tried(ALLOWED, trial(FORBIDDEN))
    assert examine(parse(CONFLICTED).program, TREE).outcome.name == "ub"


def test_a_case_that_does_not_hold_is_a_fault() -> None:
    with pytest.raises(HarnessFault, match="conflicted, tree-permissive: wanted ran, saw ub"):
        tried(ALLOWED, trial(Ran()))


# The score


def score(fate: Fate, **reasons: str) -> Score:
    finding = Finding(mutant="mutant", subject="table", fate=fate)
    return Score(findings=[finding], names={"mutant", "another"}, reasons=reasons)


def test_what_is_caught_needs_no_reason() -> None:
    assert score(Fate.CAUGHT).passed


def test_what_is_not_caught_fails() -> None:
    assert [each.mutant for each in score(Fate.NOT_CAUGHT).not_caught] == ["mutant"]
    assert not score(Fate.NOT_CAUGHT).passed


def test_what_is_unchanged_needs_a_reason() -> None:
    assert score(Fate.UNCHANGED).unexplained == ["mutant"]
    assert not score(Fate.UNCHANGED).passed
    assert score(Fate.UNCHANGED, mutant="no such state").passed


@pytest.mark.parametrize("fate", [Fate.CAUGHT, Fate.NOT_CAUGHT])
def test_a_reason_that_is_not_true_fails(fate: Fate) -> None:
    told = score(fate, mutant="no such state")
    assert told.untrue == ["mutant changes a verdict"]
    assert not told.passed


def test_a_reason_for_no_mutant_fails() -> None:
    assert score(Fate.CAUGHT, mutants="no such state").untrue == ["mutants names no mutant"]


def test_every_reason_names_a_mutant() -> None:
    assert not Score(findings=[], names=EVERY, reasons=reasons()).untrue


# The command


def test_a_name_that_is_no_mutants_is_bad_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert mutation_command("no such rule") == ExitCode.BAD_INPUT
    assert "no mutant is called no such rule" in capsys.readouterr().err


def test_a_folder_without_sets_is_bad_usage(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert mutation_command(sets=tmp_path) == ExitCode.BAD_INPUT
    assert f"no recorded sets in {tmp_path}" in capsys.readouterr().err


def test_it_prints_the_score_and_the_reasons(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty.jsonl.xz").write_bytes(lzma.compress(b""))
    case = corpus_dir() / "pointer" / "sound" / "guard-holds.toml"
    monkeypatch.setattr(__main__, "corpus_dir", lambda: case)
    name = "release_access(Disabled) = *"
    assert mutation_command(name, sets=tmp_path, random=0, jobs=1, verbose=True) == ExitCode.AGREE
    printed = capsys.readouterr().out
    assert "release_access        2       0           0          2" in printed
    assert "  release_access(Disabled) = no access" in printed
    hole = "child_read(Reserved, protected) = Disabled"
    assert mutation_command(hole, sets=tmp_path, random=0, jobs=1) == ExitCode.MISMATCH
    assert f"no reason is given: {hole}" in capsys.readouterr().out
