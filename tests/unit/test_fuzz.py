"""Fuzzing: campaigns that repeat, survive being killed, and keep each disagreement once."""

from __future__ import annotations

import itertools
import json
import random
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from harness.bytecode.program import Program
from harness.campaign.oracle import Oracle, predict_by
from harness.cases.load import load
from harness.cases.pointer_case import PointerCase
from harness.cli import main
from harness.errors import InputError
from harness.explain.rules import RULES
from harness.fuzz.campaign import Fuzzer, Side, judge_round, variants_of_round
from harness.fuzz.coverage import Coverage, features_of
from harness.fuzz.exhaustive import every_program
from harness.fuzz.exhaustive_campaign import run_exhaustively
from harness.fuzz.findings import (
    MISSED,
    STATE,
    Folder,
    State,
    finding_name,
    run_of_finding,
)
from harness.fuzz.generation import Generation, Kind, first_programs
from harness.fuzz.random_bytecode import generate_bytecode
from harness.fuzz.settings import SETTINGS
from harness.lowering.variants import VARIANTS
from harness.mode import MODES, Mode, parse_mode
from harness.model.exposed import missed_by_wildcard
from harness.model.machine import judge
from harness.mutation.altered_model import altered_model
from harness.mutation.mutant import Override
from harness.mutation.tables import override
from harness.outcome import Ran, TrapKind, Trapped
from harness.pointer.listing import format as text_of
from harness.pointer.program import PointerProgram
from harness.pointer.validate import faults
from harness.reduce.reduction import reduce
from harness.reduce.sides import as_case
from harness.reduce.symptom import Symptom
from harness.reference import vm as reference_vm
from harness.resources import corpus_dir
from tests.unit.stand_in import StandIn, selection_of, sides_of

SMALL = replace(SETTINGS, round=10, candidates=2)

TWO_MODES = tuple(map(parse_mode, ("stacked-strict", "tree-strict")))


def fuzzer(
    folder: Path,
    engine: StandIn | None = None,
    *,
    seed: int = 1,
    oracle: type[Oracle] | None = None,
    modes: tuple[Mode, ...] = TWO_MODES,
    told: list[Symptom] | None = None,
) -> Fuzzer:
    sides = sides_of(engine or StandIn(), modes, oracle or Oracle)
    return Fuzzer(
        seed=seed,
        settings=SMALL,
        kinds=(Kind.POINTER,),
        judged_by=[Side(sides=sides, selection=selection_of(modes))],
        folder=Folder(path=folder),
        told=lambda symptom, _: (told if told is not None else []).append(symptom),
    )


class Wrong(Oracle):
    """The abstract machine with one altered transition: a foreign write harms no `Reserved`."""

    def __init__(self) -> None:
        wrong = Override(
            table="permissions.foreign_write",
            arguments="Reserved, unprotected",
            result="Permission.RESERVED",
        )
        model = altered_model({wrong.table: override(wrong)})
        super().__init__(predict=predict_by(model.examine, missed_by_wildcard))


def up_to(count: int) -> Callable[[State], bool]:
    return lambda state: state.tallies["programs"] < count


def files(folder: Path) -> dict[str, bytes]:
    found = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in found}


def test_two_sides_that_are_one_never_disagree(tmp_path: Path) -> None:
    told: list[Symptom] = []
    state = fuzzer(tmp_path, told=told).run(up_to(40))
    assert state.tallies["programs"] == 40
    assert state.tallies["comparisons"] == 80
    assert not told
    assert not Folder(path=tmp_path).findings()
    # About half of them are undefined behaviour.
    assert 10 <= state.tallies["undefined programs"] <= 30


def test_the_same_seed_gives_the_same_campaign_even_if_it_is_killed(tmp_path: Path) -> None:
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    fuzzer(whole, oracle=Wrong).run(up_to(40))
    for after in (1, 1, 0):
        with pytest.raises(KeyboardInterrupt):
            fuzzer(killed, StandIn(dies_after=after), oracle=Wrong).run(up_to(40))
    fuzzer(killed, oracle=Wrong).run(up_to(40))
    assert files(killed) == files(whole)
    assert Folder(path=whole).findings()


def test_another_campaign_is_refused(tmp_path: Path) -> None:
    fuzzer(tmp_path).run(up_to(10))
    with pytest.raises(InputError, match=r"another campaign: seed 1; not seed 2\n"):
        fuzzer(tmp_path, seed=2).run(up_to(20))
    other_modes = fuzzer(tmp_path, modes=TWO_MODES[:1])
    with pytest.raises(InputError, match="another campaign"):
        other_modes.run(up_to(20))
    (tmp_path / STATE).write_text("{")
    with pytest.raises(InputError, match="cannot be read"):
        fuzzer(tmp_path).run(up_to(20))


def test_findings_are_kept_once_and_shrink(tmp_path: Path) -> None:
    told: list[Symptom] = []
    fuzzer(tmp_path, oracle=Wrong, told=told).run(up_to(60))
    names = [path.parent.name for path in Folder(path=tmp_path).findings()]
    assert len(told) == len(set(names)) == len(names) > 0
    assert names == sorted(map(finding_name, told))
    for path in Folder(path=tmp_path).findings():
        (case,) = load([path]).cases
        assert isinstance(case, PointerCase)
        listed = json.loads((path.parent / "finding.json").read_text())
        assert listed["programs"]
        found = {symptom for symptom in told if finding_name(symptom) == path.parent.name}
        assert [run_of_finding(path)] == [symptom.options() for symptom in found]
    path, symptom = Folder(path=tmp_path).findings()[0], sorted(told, key=finding_name)[0]
    (case,) = load([path]).cases
    assert isinstance(case, PointerCase)
    shrunk = reduce(case.program, sides_of(StandIn(), TWO_MODES, Wrong), symptom)
    assert shrunk.after <= 6
    assert isinstance(shrunk.program, PointerProgram)
    assert symptom.mode is not None
    predicted = Wrong().predicted(as_case(shrunk.program, "shrunk"), None, symptom.mode)
    assert predicted.outcome.name != judge(shrunk.program, symptom.mode).name


def test_what_miri_is_known_to_miss_is_kept_and_no_finding(tmp_path: Path) -> None:
    name = "pointer/provenance/exposed-siblings-are-both-read.toml"
    (case,) = load([corpus_dir() / name]).cases
    assert isinstance(case, PointerCase)
    told: list[Symptom] = []
    it = fuzzer(tmp_path, modes=MODES, told=told)
    for number in range(2):
        judge_round(it, [case.program], [f"program {number}"], 0)
    assert not told
    assert not Folder(path=tmp_path).findings()
    (path,) = Folder(path=tmp_path).findings(MISSED)
    assert run_of_finding(path) == {"--engine": "miri", "--mode": "tree-permissive"}
    listed = json.loads((path.parent / "finding.json").read_text())
    assert listed["programs"] == ["program 0", "program 1"]


def test_a_finding_that_cannot_be_read_is_bad_input(tmp_path: Path) -> None:
    fuzzer(tmp_path, oracle=Wrong).run(up_to(60))
    finding = Folder(path=tmp_path).findings()[0].parent / "finding.json"
    finding.write_text("[")
    (tmp_path / STATE).unlink()
    with pytest.raises(InputError, match=r"finding\.json: cannot be read"):
        fuzzer(tmp_path, oracle=Wrong).run(up_to(60))


def test_generation_is_steered_to_what_is_rare() -> None:
    plain = Generation(seed=3, settings=replace(SMALL, candidates=1), coverage=Coverage())
    steered = Generation(seed=3, settings=replace(SMALL, candidates=4), coverage=Coverage())
    for generation in (plain, steered):
        for index in range(120):
            generation.make(Kind.POINTER, index)
    rules = [sum(1 for n in each.coverage.rules().values() if n) for each in (plain, steered)]
    assert rules[1] > rules[0]
    assert set(steered.coverage.rules()) == set(RULES)
    assert not steered.coverage.missing(pointer=True, bytecode=False)


def test_about_as_many_are_undefined_as_asked_for() -> None:
    shares = []
    for wanted in (0.0, 1.0):
        settings = replace(SMALL, undefined=wanted, candidates=5)
        generation = Generation(seed=5, settings=settings, coverage=Coverage())
        made = [generation.make(Kind.POINTER, index) for index in range(60)]
        shares.append(sum(each.undefined for each in made) / len(made))
    assert shares[0] < 0.15
    assert shares[1] > 0.85


def test_random_bytecode_has_every_instruction_and_mostly_runs() -> None:
    coverage = Coverage()
    ran = trapped = others = 0
    for seed in range(600):
        program = generate_bytecode(random.Random(seed), SETTINGS)
        assert generate_bytecode(random.Random(seed), SETTINGS) == program
        coverage.add(features_of(program, ()))
        match reference_vm.run(program):
            case Ran():
                ran += 1
            case Trapped(kind=kind):
                trapped += 1
                assert kind in TrapKind
            case _:
                others += 1
    assert not coverage.missing(pointer=False, bytecode=True)
    assert ran > 250
    assert trapped > 30
    assert others > 5


def test_every_variant_comes_up_in_turn() -> None:
    rounds = [variants_of_round(7, number, 2) for number in range(len(VARIANTS))]
    assert sorted(itertools.chain(*rounds)) == sorted([*VARIANTS, *VARIANTS])


# Every small program


@pytest.mark.parametrize(("most", "count"), [(1, 2), (2, 24), (3, 599)])
def test_every_small_program_comes_once(most: int, count: int) -> None:
    programs = list(every_program(most))
    assert len(programs) == len(set(programs)) == count
    assert not any(faults(program) for program in programs)


def test_two_statements_by_hand() -> None:
    texts = [text_of(program) for program in every_program(2)][2:]
    local, box = "local v0 = [0; 1]\n", "v0 = Box::new([0; 1])\n"
    of_local = (
        *("local v1 = [0; 1]", "v1 = Box::new([0; 1])", "v1 = &raw mut v0", "v1 = &raw const v0"),
        *("v1 = &mut v0", "v1 = &v0", "v1 = &cell v0", "v1 = v0.as_mut_ptr()"),
        *("read v0[0]: u8", "write v0[0]: u8 = 1"),
    )
    of_box = [re.sub(r"(&.*)v0", r"\1*v0", line) for line in of_local]
    of_box += ["v1 = v0.expose_provenance()", "drop(Box::from_raw(v0))"]
    wanted = [local + line + "\n" for line in of_local] + [box + line + "\n" for line in of_box]
    assert sorted(texts) == sorted(wanted)


def test_what_has_ended_is_not_continued() -> None:
    for program in every_program(3):
        prefix = PointerProgram(statements=program.statements[:-1])
        if prefix.statements:
            assert any(isinstance(judge(prefix, mode), Ran) for mode in MODES)


def test_all_small_programs_are_judged_once(tmp_path: Path) -> None:
    engine = StandIn(dies_after=0)
    small = fuzzer(tmp_path, engine)
    with pytest.raises(KeyboardInterrupt):
        run_exhaustively(small, 2, lambda state: True)
    state, total = run_exhaustively(fuzzer(tmp_path), 2, lambda state: True)
    assert state.tallies["programs"] == total == 24
    assert state.tallies["comparisons"] == 48
    assert not Folder(path=tmp_path).findings()


# The command


def test_fuzzing_in_process(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "it"
    arguments = ["fuzz", "--kind", "bytecode", "--engine", "in-process", "--folder", str(folder)]
    assert main.run([*arguments, "--count", "100"]) == 0
    out = capsys.readouterr().out
    assert "100 programs" in out
    assert "0 findings" in out
    assert main.run([*arguments, "--count", "150"]) == 0
    assert Folder(path=folder).read(identity_in(folder)).tallies["programs"] == 200
    (program,) = {type(generate_bytecode(random.Random(0), SETTINGS))}
    assert program is Program


def test_fuzzing_a_variant(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["fuzz", "--engine", "in-process", "--folder", str(tmp_path), "--variant", "raw"]
    assert main.run([*arguments, "--count", "100"]) == 0
    # Bytecode alone, each program once.
    out = capsys.readouterr().out
    assert "100 comparisons" in out
    assert "pointer programs" not in out
    assert main.run([*arguments, "--variant", "cell", "--count", "200"]) == 2
    assert "in the variants raw" in capsys.readouterr().err


def identity_in(folder: Path) -> str:
    identity: str = json.loads((folder / STATE).read_text())["identity"]
    return identity


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--count", "0"], "--count"),
        (["--time", "-1"], "--time"),
        (["--exhaustive", "99"], "--exhaustive"),
        (["--level", "4"], "--level"),
        (["--level", "1", "--engine", "in-process"], "name it as well: --engine native"),
        (["--mode", "no"], "--mode"),
        (["--engine", "no"], "--engine"),
        (["--engine", "reference"], "none of reference runs programs"),
        (["--engine", "in-process", "--kind", "pointer"], "runs pointer programs"),
        (["--engine", "in-process", "--exhaustive", "2"], "runs pointer programs"),
        (["--exhaustive", "2", "--kind", "bytecode"], "--kind bytecode"),
        (["--exhaustive", "2", "--variant", "raw"], "--variant does not go with --exhaustive"),
        (["--kind", "pointer", "--variant", "raw"], "--variant does not go with --kind pointer"),
        (["--variant", "no-such-variant"], "there is no variant"),
        (["--variant", "./no-such-crate"], "no such path"),
    ],
)
def test_bad_options_are_refused(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main.run(["fuzz", *arguments]) == 2
    assert message in capsys.readouterr().err


def test_a_state_begins_empty(tmp_path: Path) -> None:
    assert Folder(path=tmp_path / "none").read("x") == State(identity="x")


def test_two_miris_are_given_the_programs_of_the_campaign() -> None:
    generation = Generation(seed=5, settings=SETTINGS, coverage=Coverage())
    of_campaign = [generation.make(Kind.POINTER, index) for index in range(8)]
    assert list(first_programs(5, SETTINGS, 8)) == of_campaign
    assert list(first_programs(6, SETTINGS, 8)) != of_campaign


@pytest.mark.parametrize(
    "words",
    [
        ["--time", "5"],
        ["--exhaustive", "2"],
        ["--engine", "miri"],
        ["--level", "0"],
        ["--kind", "bytecode"],
    ],
)
def test_what_does_not_go_with_two_miris_is_bad_usage(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main.run(["fuzz", "--compare", "x", *words]) == 2
    assert f"--compare does not go with {words[0]}" in capsys.readouterr().err
