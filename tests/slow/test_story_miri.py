"""Stories under Miri: in batches as alone, and each costs the others nothing."""

from __future__ import annotations

import os
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from harness.cases.load import load
from harness.cases.story_case import StoryCase
from harness.engines.engine import Job, Observation
from harness.engines.miri import MiriEngine
from harness.engines.miri_batch import MiriBatchEngine
from harness.engines.miri_story_batch import tells_in_batch
from harness.mode import parse_mode
from harness.outcome import Outcome, Ran, ToolFailed, UndefinedBehaviour, Unsupported
from harness.resources import corpus_dir, rust_vm_dir
from harness.story.block import Story
from harness.toolchain.miri import TOOLCHAIN_VARIABLE
from harness.toolchain.process import Launcher

pytestmark = [pytest.mark.slow, pytest.mark.miri]

MODES = (parse_mode("stacked-strict"), parse_mode("tree-permissive"))

NAMES = (
    "bswap",
    "innocent",
    "false-nomem-store",
    "false-readonly-store",
    "rdtsc-as-pure",
    "page-table",
    "page-table-without-the-block",
    "fence-as-nomem",
    "story-leaves-an-output",
    "static-counter",
    "fma",
    "last-store-as-nomem",
    "undefined-instruction-told-as-panic",
    "story-that-returns",
)


class Engines:
    """Both engines, and the commands that they start."""

    def __init__(self, cache: Path, seeds: int = 1) -> None:
        self.echoed: list[str] = []
        launcher = Launcher(echo=self.echoed.append)
        self.plain = MiriEngine(
            launcher,
            toolchain=os.environ[TOOLCHAIN_VARIABLE],
            vm_folder=rust_vm_dir(),
            cache=cache,
            workers=2,
        )
        self.batch = MiriBatchEngine(launcher, self.plain, workers=2, seeds=seeds)

    def count(self, text: str) -> int:
        return sum(text in line for line in self.echoed)


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


def case_of(name: str) -> StoryCase:
    (case,) = load([corpus_dir() / "story" / f"{name}.toml"]).cases
    assert isinstance(case, StoryCase)
    return case


def with_story(story: Story, text: str) -> Story:
    return replace(story, blocks=(replace(story.blocks[0], story=text),))


def comparable(outcome: Outcome) -> object:
    """What has to be the same: not the message, which names tags and addresses."""
    if isinstance(outcome, UndefinedBehaviour | Unsupported):
        rule = outcome.rule if isinstance(outcome, UndefinedBehaviour) else None
        return rule, outcome.kind, outcome.location
    return outcome


def by_job(seen: list[Observation]) -> dict[tuple[str, str], Observation]:
    return {(each.job.case, str(each.job.mode)): each for each in seen}


def test_stories_in_batches_are_as_alone_and_as_their_cases_say(cache: Path) -> None:
    engines = Engines(cache)
    cases = [case_of(name) for name in NAMES]
    jobs = [Job(case=case.id, program=case.program, mode=mode) for case in cases for mode in MODES]
    batched = by_job(list(engines.batch.run(jobs)))
    started = len(engines.echoed)
    alone = by_job(list(engines.plain.run(jobs)))
    assert batched.keys() == alone.keys()
    for key, seen in batched.items():
        assert comparable(seen.outcome) == comparable(alone[key].outcome), key
    for case in cases:
        for mode in MODES:
            expected = case.expected_in(mode)
            outcome = batched[case.id, str(mode)].outcome
            assert type(outcome) is type(expected), case.id
            if isinstance(expected, UndefinedBehaviour):
                assert isinstance(outcome, UndefinedBehaviour)
                assert (outcome.rule, outcome.kind) == (expected.rule, expected.kind), case.id
    # Those that end the program, and what does not compile, are told alone in either way.
    assert sum(tells_in_batch(case.program) for case in cases) >= 9
    assert started < len(engines.echoed) - started


def test_one_library_and_one_process_a_mode(cache: Path) -> None:
    engines = Engines(cache)
    stories = [with_story(case_of("bswap").program, f"x = x ^ {n};") for n in range(5)]
    jobs = [Job(case=str(n), program=each, mode=m) for n, each in enumerate(stories) for m in MODES]
    seen = list(engines.batch.run(jobs))
    assert {each.outcome.name for each in seen} == {"ran"}
    assert engines.count("--crate-type lib") == 1
    assert engines.count("many-seeds") == len(MODES)


def test_the_command_of_a_story_repeats_it(cache: Path) -> None:
    engines = Engines(cache)
    job = Job(case="one", program=case_of("false-nomem-store").program, mode=MODES[0])
    (seen,) = engines.batch.run([job])
    done = subprocess.run(seen.command, shell=True, capture_output=True, text=True, check=False)
    assert "phase Nomem" in done.stderr
    assert "Undefined Behavior" in done.stderr


def test_a_story_that_does_not_compile_costs_the_others_nothing(cache: Path) -> None:
    engines = Engines(cache)
    good = case_of("bswap").program
    stories = {
        "good": with_story(good, "x = x.rotate_left(3);"),
        "type": with_story(good, "x = 7_u8;"),
        "name": with_story(good, "x = missing;"),
        "other": with_story(good, "x = x.rotate_left(4);"),
    }
    jobs = [Job(case=name, program=story, mode=MODES[0]) for name, story in stories.items()]
    seen = {each.job.case: each for each in engines.batch.run(jobs)}
    assert isinstance(seen["good"].outcome, Ran)
    assert isinstance(seen["other"].outcome, Ran)
    assert isinstance(seen["type"].outcome, ToolFailed)
    assert isinstance(seen["name"].outcome, UndefinedBehaviour)
    assert (seen["name"].outcome.rule, seen["name"].outcome.kind) == (1, "reaches-out")
    in_batch = {name for name, each in seen.items() if each.seconds is None}
    assert in_batch == {"good", "other"}


def test_every_story_is_told_under_seeds_of_its_own(cache: Path) -> None:
    engines = Engines(cache, seeds=3)
    names = ("bswap", "innocent", "exit-group")
    jobs = [Job(case=name, program=case_of(name).program, mode=MODES[0]) for name in names]
    seen = {each.job.case: each for each in engines.batch.run(jobs)}
    assert seen.keys() == set(names)
    for each in seen.values():
        ((_, seeds),) = each.by_seed
        assert len(set(seeds)) == 3
