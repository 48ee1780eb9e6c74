"""The search: small results, few batches, never another fault, and steps that are kept."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from harness.bytecode.assembly import parse
from harness.bytecode.program import Binary, Program
from harness.cases.load import load
from harness.cli import main
from harness.errors import InputError
from harness.mode import MODES, Mode, parse_mode
from harness.model.exposed import OPEN_QUESTION, missed_by_wildcard
from harness.model.machine import examine
from harness.pointer.generator import generate
from harness.pointer.program import PointerProgram
from harness.reduce.journal import Journal
from harness.reduce.languages import BYTECODE, POINTER
from harness.reduce.search import LARGEST_BATCH, Search
from harness.reduce.symptom import Sight, Symptom, sight
from harness.resources import corpus_dir
from harness.result import EngineName, Verdict

MOST_BATCHES = 60
"""For a case of a hundred instructions or statements."""


@dataclass
class ModelJudge:
    """The abstract machine as both sides, batch by batch."""

    mode: Mode
    wanted: object
    batches: list[int] = field(default_factory=list)

    def rules_out(self, program: PointerProgram) -> bool:
        return False

    def fail_alike(self, programs: Sequence[PointerProgram]) -> list[bool]:
        self.batches.append(len(programs))
        return [seen(program, self.mode) == self.wanted for program in programs]


def seen(program: PointerProgram, mode: Mode) -> tuple[object, ...]:
    judgement = examine(program, mode)
    kind = getattr(judgement.outcome, "kind", None)
    return judgement.outcome.name, kind, judgement.rule


UNDEFINED = [
    (seed, mode)
    for seed in range(6)
    for mode in MODES[::2]
    if examine(generate(random.Random(seed), 100), mode).rule
]


@pytest.mark.parametrize(("seed", "mode"), UNDEFINED, ids=lambda each: str(each))
def test_a_hundred_statements_take_few_batches(seed: int, mode: Mode) -> None:
    program = generate(random.Random(seed), 100)
    assert POINTER.size(program) >= 100
    judge = ModelJudge(mode, seen(program, mode))
    steps: list[PointerProgram] = []
    search = Search(POINTER, judge, lambda step, _: steps.append(step))
    reduced = search.reduce(program)
    assert seen(reduced, mode) == judge.wanted
    assert POINTER.size(reduced) <= 6
    assert len(judge.batches) == search.tally.batches <= MOST_BATCHES
    assert max(judge.batches) <= LARGEST_BATCH
    assert steps[-1] == reduced
    assert all(seen(step, mode) == judge.wanted for step in steps)


def test_there_are_enough_of_them() -> None:
    assert len(UNDEFINED) >= 5


@dataclass
class WrongProduct:
    """Fails if some product is wrong in a VM whose products forget their highest bit."""

    batches: int = 0

    def rules_out(self, program: Program) -> bool:
        return not program.instructions

    def fail_alike(self, programs: Sequence[Program]) -> list[bool]:
        self.batches += 1
        return [self.fails(program) for program in programs]

    @staticmethod
    def fails(program: Program) -> bool:
        return any(
            isinstance(each, Binary) and each.operator == "mul" and each.width == 1
            for each in program.instructions
        )


def test_a_hundred_instructions_come_to_the_wrong_one() -> None:
    lines = [f"add.u16 [{2 * (n % 8)}], [{n % 15}] -> [{(3 * n) % 15}]" for n in range(100)]
    lines[61] = "mul.u8 [3], [4] -> [5]"
    program = Program(instructions=parse("\n".join(lines)), memory=bytes(range(16)))
    judge = WrongProduct()
    search = Search(BYTECODE, judge, lambda *_: None)
    reduced = search.reduce(program)
    assert reduced == Program(instructions=parse("mul.u8 [0], [0] -> [0]"), memory=bytes(1))
    assert judge.batches == search.tally.batches <= MOST_BATCHES
    assert search.tally.tries >= search.tally.ruled_out > 0


SYMPTOM = Symptom(
    engine=EngineName.MODEL,
    verdict=Verdict.NOT_CHECKED,
    seen=Sight(name="ub", kind="aliasing"),
    predicted=Sight(name="ub", kind="aliasing"),
    rule="stacked/read-needs-granting-item",
    mode=parse_mode("stacked-strict"),
)


def test_a_journal_goes_on_from_its_last_step(tmp_path: Path) -> None:
    first, second, third = (generate(random.Random(seed), 8) for seed in (1, 2, 3))
    journal = Journal(folder=tmp_path / "steps", original="random", symptom=SYMPTOM)
    assert journal.last(first) == first
    journal.begin(first)
    assert journal.last(first) == first
    journal.add(second, "drop statements")
    journal.add(third, "smaller numbers")
    again = Journal(folder=tmp_path / "steps", original="random", symptom=SYMPTOM)
    again.begin(first)
    assert again.last(first) == third
    names = sorted(path.name for path in (tmp_path / "steps").glob("*.toml"))
    assert names == ["000-original.toml", "001-drop-statements.toml", "002-smaller-numbers.toml"]
    assert not load([tmp_path / "steps"]).errors


def test_a_journal_of_another_program_is_refused(tmp_path: Path) -> None:
    journal = Journal(folder=tmp_path, original="random", symptom=SYMPTOM)
    journal.begin(generate(random.Random(1), 8))
    with pytest.raises(InputError, match="another reduction"):
        journal.last(generate(random.Random(2), 8))


def test_reducing_by_the_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    name = "pointer/tree-only/as-ptr-freezes-written-as-mut-ptr"
    assert main.run(["reduce", name, "--engine", "model"]) == 0
    out = capsys.readouterr().out
    assert "tree/write-needs-permission" in out
    (case,) = load(["as-ptr-freezes-written-as-mut-ptr.reduced.toml"]).cases
    assert isinstance(case.program, PointerProgram)
    wanted = ("ub", "aliasing", "tree/write-needs-permission")
    assert seen(case.program, parse_mode("tree-strict")) == wanted
    assert main.run(["run", str(case.path), "--engine", "model"]) == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["pointer/sound/no-such-case"], "there is no case"),
        (["bytecode/empty-program", "--variant", "raw", "--engine", "model"], "fails nowhere"),
        (["bytecode/empty-program", "--engine", "reference"], "--engine"),
        (["pointer/tree-only/as-ptr-freezes-written-as-mut-ptr", "--variant", "raw"], "--variant"),
    ],
)
def test_what_cannot_be_reduced_is_refused(
    arguments: list[str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main.run(["reduce", *arguments]) == 2
    assert message in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


EXPOSED_AND_UNDEFINED = """\
kind = "pointer"
description = "What was exposed is gone where it is used."
source = "test"
rule = "memory"
program = '''
p = Box::new([0; 1])
e = p.expose_provenance()
drop(Box::from_raw(p))
q = with_exposed_provenance_mut(e) as [u8; 1]
read q[0]: u8
'''
"""


def test_undefined_behaviour_comes_before_what_miri_cannot_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "it.toml").write_text(EXPOSED_AND_UNDEFINED)
    assert main.run(["reduce", "it.toml", "--engine", "model", "--mode", "none-strict"]) == 0
    assert "saw unsupported int-to-ptr" in capsys.readouterr().out
    assert main.run(["reduce", "it.toml", "--engine", "model", "--steps", "all"]) == 0
    assert "saw ub " in capsys.readouterr().out


def test_what_miri_s_wildcard_misses_is_reduced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    mode = parse_mode("tree-permissive")
    for name, question in (
        ("exposed-siblings-are-both-read", None),
        ("wildcard-reaches-two-allocations", OPEN_QUESTION),
    ):
        named = [f"pointer/provenance/{name}", "--engine", "model", "--mode", str(mode)]
        assert main.run(["reduce", *named]) == 0
        assert "model saw ran, predicted ub " in capsys.readouterr().out
        (case,) = load([f"{name}.reduced.toml"]).cases
        (original,) = load([corpus_dir() / "pointer" / "provenance" / f"{name}.toml"]).cases
        assert isinstance(case.program, PointerProgram)
        assert isinstance(original.program, PointerProgram)
        # The second has no statement too many, but numbers that do not matter.
        assert case.program != original.program
        assert POINTER.size(case.program) <= POINTER.size(original.program)
        small, large = (missed_by_wildcard(each.program, mode) for each in (case, original))
        assert small is not None
        assert large is not None
        assert sight(small.judgement.outcome) == sight(large.judgement.outcome)
        assert small.open_question == large.open_question == question


def test_a_finding_is_reduced_by_the_run_that_disagreed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    case, finding = tmp_path / "case.toml", tmp_path / "finding.json"
    case.write_text(EXPOSED_AND_UNDEFINED)
    finding.write_text(json.dumps({"run": {"--engine": "model", "--mode": "tree-permissive"}}))
    assert main.run(["reduce", "case.toml"]) == 0
    out = capsys.readouterr().out
    assert "(tree-permissive)" in out
    assert "harness repro case.reduced.toml --mode tree-permissive\n" in out
    # What is named is looked at, whatever was found; an older finding says nothing.
    named = ["reduce", "case.toml", "--engine", "model", "--steps"]
    assert main.run([*named, "a", "--mode", "stacked-permissive"]) == 0
    assert "(stacked-permissive)" in capsys.readouterr().out
    finding.write_text("{}")
    assert main.run([*named, "b"]) == 0
    assert "(stacked-permissive)" in capsys.readouterr().out
    for text in ("[", '{"run": {"--level": "x"}}'):
        finding.write_text(text)
        assert main.run(["reduce", "case.toml"]) == 2
        assert "finding.json: cannot be read" in capsys.readouterr().err


def test_a_finding_names_the_run_that_disagreed() -> None:
    symptom = replace(SYMPTOM, engine=EngineName.NATIVE, mode=None, level=1, variant="raw")
    wanted = {"--engine": "native", "--level": "1", "--variant": "raw"}
    assert symptom.options() == wanted


def test_an_interrupted_reduction_goes_on(tmp_path: Path) -> None:
    mode = parse_mode("tree-strict")
    program = generate(random.Random(1), 40)
    judge = ModelJudge(mode, seen(program, mode))
    journal = Journal(folder=tmp_path / "steps", original="random", symptom=SYMPTOM)
    journal.begin(program)
    kept: list[PointerProgram] = []

    def accept(step: PointerProgram, name: str) -> None:
        journal.add(step, name)
        kept.append(step)
        if len(kept) == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Search(POINTER, judge, accept).reduce(program)
    start = journal.last(program)
    assert start == kept[-1]
    assert isinstance(start, PointerProgram)
    again = Search(POINTER, judge, journal.add)
    reduced = again.reduce(start)
    whole = Search(POINTER, judge, lambda *_: None)
    whole.reduce(program)
    assert again.tally.tries < whole.tally.tries
    assert journal.last(program) == reduced
    assert seen(reduced, mode) == judge.wanted
    assert POINTER.size(reduced) <= 6
