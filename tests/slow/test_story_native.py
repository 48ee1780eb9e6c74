"""Stories natively: the whole refinement test on a few cases that say what they break."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.campaign.judging import Judging
from harness.campaign.oracle import Oracle
from harness.cases.load import load
from harness.cases.story_case import StoryCase
from harness.engines.engine import Job, Observation
from harness.engines.native import NativeEngine
from harness.engines.story_native import StoryRunner, refusal
from harness.ledger import Ledger
from harness.outcome import Outcome, Ran, ToolFailed, UndefinedBehaviour, Unsupported
from harness.resources import corpus_dir, rust_vm_dir
from harness.result import EngineName, Verdict
from harness.toolchain.process import Launcher
from harness.toolchain.rust import RustToolchain, find_rust

pytestmark = pytest.mark.slow

KINDS = (
    "popcount",
    "bsf-of-zero",
    "in-operand-changed",
    "lateout-written-early",
    "clobbered-rbx",
    "false-nomem-store-not-told",
    "store-too-wide",
    "load-too-wide",
    "static-effect-forgotten",
    "direction-flag-left-set",
    "rounding-left-changed",
    "x87-stack-left-full",
    "flags-not-preserved",
    "push-without-a-stack",
    "push-without-pop",
    "getpid",
    "getpid-told-as-init",
    "memcmp",
    "exit-group",
    "exit-with-the-clock-told-as-small",
    "undefined-instruction-told-as-panic",
    "noreturn-that-returns",
    "halt",
    "rint-told-as-round",
    "fma",
    "last-store-not-told",
    "story-with-a-callers-variable",
)


@pytest.fixture(scope="module")
def runner(tmp_path_factory: pytest.TempPathFactory) -> StoryRunner:
    launcher = Launcher()
    rust = find_rust(launcher)
    assert isinstance(rust, RustToolchain)
    cache = tmp_path_factory.mktemp("cache")
    return StoryRunner(launcher=launcher, compiler=rust.compiler, cache=cache)


def case_of(name: str) -> StoryCase:
    (case,) = load([corpus_dir() / "story" / f"{name}.toml"]).cases
    assert isinstance(case, StoryCase)
    return case


def message_of(outcome: Outcome) -> str:
    """What is said of a story that was not run."""
    assert isinstance(outcome, ToolFailed | UndefinedBehaviour | Unsupported)
    return outcome.message


def run(runner: StoryRunner, case: StoryCase) -> Observation:
    if reason := refusal(case.program, runner.compiler.host):
        pytest.skip(reason)
    return runner.run(Job(case=case.id, program=case.program))


@pytest.mark.parametrize("name", KINDS)
def test_a_block_comes_to_what_its_case_says(runner: StoryRunner, name: str) -> None:
    case = case_of(name)
    outcome = run(runner, case).outcome
    expected = case.expected_natively
    if isinstance(expected, Ran):
        assert isinstance(outcome, Ran), outcome
    else:
        assert isinstance(expected, UndefinedBehaviour)
        assert isinstance(outcome, UndefinedBehaviour), outcome
        assert (outcome.rule, outcome.kind) == (expected.rule, expected.kind), outcome


RARE = """\
kind = "story"
description = "A difference in one of some ten thousand states."
source = "this test"

[block.copy]
template = "mov {y}, {x}"
story = "y = if x >> 50 == 12345 { 0 } else { x };"

[block.copy.operands]
x = { in = "reg", type = "u64" }
y = { out = "reg", type = "u64" }

[expect]
holds = true
"""


def test_another_seed_draws_other_states(runner: StoryRunner, tmp_path: Path) -> None:
    path = tmp_path / "rare.toml"
    path.write_text(RARE, encoding="utf-8")
    (case,) = load([path]).cases
    assert isinstance(case, StoryCase)
    run(runner, case)
    engine = NativeEngine(
        runner.launcher, vm_folder=rust_vm_dir(), cache=runner.cache, workers=2, seeds=8
    )
    (seen,) = engine.run([Job(case=case.id, program=case.program)])
    assert [outcome.name for outcome, _ in seen.by_seed] == ["ran", "ub"]
    assert sorted(seed for _, seeds in seen.by_seed for seed in seeds) == list(range(8))
    judging = Judging(oracle=Oracle(None), ledger=Ledger(entries=(), version=lambda engine: None))
    result = judging.observation(EngineName.NATIVE, case, seen)
    assert result.verdict is Verdict.MISMATCH
    assert result.reason.startswith("differs by seed: ran under seed ")


@pytest.mark.parametrize(
    ("before", "after"),
    [('library = "m"', 'library = "harness-has-no-such"'), ('"fma"', '"harness_has_no_such"')],
)
def test_what_the_linker_does_not_find_is_not_checked(
    runner: StoryRunner, tmp_path: Path, before: str, after: str
) -> None:
    text = (corpus_dir() / "story" / "fma.toml").read_text(encoding="utf-8")
    path = tmp_path / "missing.toml"
    path.write_text(text.replace(before, after), encoding="utf-8")
    (case,) = load([path]).cases
    assert isinstance(case, StoryCase)
    seen = run(runner, case)
    assert isinstance(seen.outcome, Unsupported)
    assert after.split('"')[1] in seen.outcome.message
    judging = Judging(oracle=Oracle(None), ledger=Ledger(entries=(), version=lambda engine: None))
    result = judging.observation(EngineName.NATIVE, case, seen)
    assert (result.verdict, result.reason) == (Verdict.NOT_CHECKED, seen.outcome.message)


def test_what_does_not_build_costs_the_others_nothing(runner: StoryRunner, tmp_path: Path) -> None:
    text = (corpus_dir() / "story" / "fma.toml").read_text(encoding="utf-8")
    changes = {
        "good": ("a.mul_add(b, c)", "b.mul_add(a, c)"),
        "type": ("a.mul_add(b, c)", "a.mul_add(b, 7_u8)"),
        "library": ('"m"', '"harness-has-no-such"'),
        "function": ('"fma"', '"harness_has_no_such"'),
        "reaches": ("a.mul_add(b, c)", "a.mul_add(b, missing)"),
        "mnemonic": ('function = "fma"\nlibrary = "m"', 'template = "fnord {a}, {b}, {c}, {y}"'),
    }
    cases = {}
    for name, (before, after) in changes.items():
        path = tmp_path / f"{name}.toml"
        path.write_text(text.replace(before, after, 1), encoding="utf-8")
        (cases[name],) = load([path]).cases
    if reason := refusal(case_of("fma").program, runner.compiler.host):
        pytest.skip(reason)
    jobs = [Job(case=name, program=case.program) for name, case in cases.items()]
    seen = {each.job.case: each.outcome for each in runner.run_all(jobs, workers=1)}
    assert seen.keys() == changes.keys()
    assert isinstance(seen["good"], Ran)
    assert "E0308" in message_of(seen["type"])
    assert "-lharness-has-no-such" in message_of(seen["library"])
    assert "harness_has_no_such" in message_of(seen["function"])
    assert isinstance(seen["reaches"], UndefinedBehaviour)
    assert isinstance(seen["mnemonic"], ToolFailed)
    assert "mnemonic" in seen["mnemonic"].message
    for job in jobs:
        alone = runner.run(job).outcome
        # The assembler's message names a folder of its build.
        assert alone == seen[job.case] or (job.case, type(alone)) == ("mnemonic", ToolFailed)


def test_a_mistake_in_the_story_is_told_with_its_line(runner: StoryRunner, tmp_path: Path) -> None:
    text = (corpus_dir() / "story" / "bswap.toml").read_text(encoding="utf-8")
    path = tmp_path / "mistake.toml"
    path.write_text(text.replace("x.swap_bytes()", "x.swap_bites()"), encoding="utf-8")
    (case,) = load([path]).cases
    assert isinstance(case, StoryCase)
    outcome = run(runner, case).outcome
    assert "E0599" in outcome.message  # type: ignore[union-attr]
    place = case.place_of(outcome.location)  # type: ignore[union-attr]
    lines = text.split("\n")
    assert place is not None
    assert "swap_bytes" in lines[place.line - 1]
