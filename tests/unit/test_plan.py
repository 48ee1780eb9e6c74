"""Shards and quick runs: which part of everything is done, decided by names alone."""

from __future__ import annotations

from functools import cache
from itertools import product

import pytest
from hypothesis import given, strategies as st

from harness.campaign.oracle import Oracle
from harness.campaign.plan import (
    QUICK_MEMORY,
    QUICK_STEPS,
    QUICK_VARIANTS,
    count,
    plan,
    plan_model,
)
from harness.campaign.selection import Selection, Shard, case_number
from harness.cases.case import BytecodeCase, Case
from harness.cases.load import load
from harness.cases.story_case import StoryCase
from harness.engines.engine import Job
from harness.lowering.variants import VARIANTS
from harness.mode import MODES, NONE_STRICT, Mode
from harness.reference.vm import trace
from harness.resources import corpus_dir
from harness.result import EngineName, Form

VARIANT_NAMES = tuple(VARIANTS)
QUICK = Selection(toolchain="any", jobs=1, quick=True)
NAMED = Selection(toolchain="any", jobs=1, quick=True, variants=VARIANT_NAMES)
NOT_UNROLLED = {name for name, variant in VARIANTS.items() if not variant.unrolled}
FORMS = [(name, form) for name, variant in VARIANTS.items() for form in variant.forms]
ENGINES = [EngineName.IN_PROCESS, EngineName.NATIVE, EngineName.CONST, EngineName.MIRI]


@cache
def corpus() -> tuple[Case, ...]:
    return load((corpus_dir(),)).cases


def jobs(engine: EngineName, selection: Selection = QUICK) -> list[tuple[Case, Job]]:
    return list(plan(engine, corpus(), VARIANT_NAMES, selection, Oracle()))


# With surrogates: a file's name may be no UTF-8.
@given(names=st.lists(st.text(st.characters())), total=st.integers(1, 20))
def test_every_case_is_in_one_shard_and_no_other(names: list[str], total: int) -> None:
    shards = [Shard(index=index + 1, total=total) for index in range(total)]
    for name in names:
        assert sum(shard.holds(name) for shard in shards) == 1


def test_a_case_has_the_same_number_on_every_machine() -> None:
    """As `printf NAME | sha256sum | cut -c-16` has it."""
    assert case_number("bytecode/thread-program") == 0xF107E2E2EC111180
    assert case_number("") == 0xE3B0C44298FC1C14


def test_shards_of_the_corpus_are_about_equal() -> None:
    sizes = [sum(Shard(index=i, total=4).holds(case.id) for case in corpus()) for i in range(1, 5)]
    assert sum(sizes) == len(corpus())
    assert max(sizes) < 1.5 * min(sizes)


def is_long(case: Case) -> bool:
    """Whether a quick run leaves it out of the form `unrolled`."""
    if not isinstance(case, BytecodeCase):
        return False
    steps = len(trace(case.program).path)
    return len(case.program.memory) > QUICK_MEMORY or steps > QUICK_STEPS


def told(case: BytecodeCase) -> list[str]:
    """The variants of which the case shows something."""
    return [name for name, variant in VARIANTS.items() if variant.tells(case.program)]


def test_a_variant_that_is_named_alone_runs_everywhere() -> None:
    cases = [case for case in corpus() if isinstance(case, BytecodeCase)][:3]
    selection = Selection(toolchain="any", jobs=1)
    for names in (("cached-base",), ("cached-base", "raw")):
        assert count(EngineName.IN_PROCESS, cases, names, selection, Oracle()) == 3


@pytest.mark.parametrize("engine", ENGINES)
def test_a_quick_run_does_every_case_once_in_each_variant_that_is_named(engine: EngineName) -> None:
    done = [(case.id, job.variant) for case, job in jobs(engine, NAMED)]
    # A story is no `const fn`, neither is an atomic access, and all of them are unrolled.
    const = engine is EngineName.CONST
    wanted = {
        (case.id, variant)
        for case in corpus()
        if not (const and (isinstance(case, StoryCase) or is_long(case)))
        for variant in (told(case) if isinstance(case, BytecodeCase) else (None,))
        if isinstance(case, BytecodeCase) or engine is not EngineName.IN_PROCESS
        if not (const and variant in NOT_UNROLLED)
    }
    assert len(done) == len(set(done))
    assert set(done) == wanted


def test_a_quick_run_does_every_case_in_a_few_variants_the_same_for_every_engine() -> None:
    chosen: dict[str, set[str | None]] = {case.id: set() for case in corpus()}
    for case, job in jobs(EngineName.MIRI):
        chosen[case.id].add(job.variant)
    for case in corpus():
        if isinstance(case, BytecodeCase):
            assert chosen[case.id] <= set(told(case))
            assert len(chosen[case.id]) == min(QUICK_VARIANTS, len(told(case)))
        else:
            assert chosen[case.id] == {None}
    for engine in ENGINES:
        assert all(job.variant in chosen[case.id] for case, job in jobs(engine))
    predicted = {
        (case.id, variant, mode)
        for case in corpus()
        for variant, mode, _ in plan_model(case, VARIANT_NAMES, QUICK, Oracle())
    }
    oracle = Oracle()
    assert predicted == {
        (case.id, job.variant, job.mode)
        for case, job in jobs(EngineName.MIRI)
        if oracle.refusal(case, job.variant) is None
    }


def test_a_quick_run_meets_every_variant_in_every_form_and_every_mode() -> None:
    everywhere = [
        (name, form)
        for name, variant in VARIANTS.items()
        if not variant.shown_by
        for form in variant.forms
    ]
    met = {(job.variant, job.form, job.mode) for _, job in jobs(EngineName.MIRI)}
    pointer = set(product([None], [None], MODES))
    assert met <= {(*each, mode) for each, mode in product(FORMS, MODES)} | pointer
    assert pointer <= met
    assert {(name, form) for name, form, _ in met} >= set(everywhere)
    assert {(name, mode) for name, _, mode in met} >= set(product(dict(everywhere), MODES))
    compiled = {(job.variant, job.form) for _, job in jobs(EngineName.NATIVE)}
    assert compiled >= {*everywhere, (None, None)}
    assert compiled <= {*FORMS, (None, None)}


def test_in_all_variants_a_quick_run_of_a_case_meets_every_mode_and_both_forms() -> None:
    modes: dict[str, set[Mode | None]] = {}
    forms: dict[str, set[Form | None]] = {}
    for case, job in jobs(EngineName.MIRI, NAMED):
        if isinstance(case, BytecodeCase):
            modes.setdefault(case.id, set()).add(job.mode)
            forms.setdefault(case.id, {Form.UNROLLED} if is_long(case) else set()).add(job.form)
    assert all(found == set(MODES) for found in modes.values())
    assert all(found == set(Form) for found in forms.values())


def test_constants_are_straight_lines_in_one_mode() -> None:
    whole = Selection(toolchain="any", jobs=1)
    planned = [job for _, job in jobs(EngineName.CONST, whole)]
    assert {(job.form, job.mode) for job in planned} == {
        (None, NONE_STRICT),
        (Form.UNROLLED, NONE_STRICT),
    }
    assert {job.variant for job in planned} == {None, *VARIANT_NAMES} - NOT_UNROLLED
    assert jobs(EngineName.CONST, Selection(toolchain="any", jobs=1, modes=MODES[:2])) == []


def test_a_quick_run_of_a_part_stays_within_it() -> None:
    part = Selection(toolchain="any", jobs=1, quick=True, modes=MODES[:2], forms=(Form.UNROLLED,))
    assert {job.mode for _, job in jobs(EngineName.MIRI, part)} == set(MODES[:2])
    assert Form.VM not in {job.form for _, job in jobs(EngineName.MIRI, part)}
    assert jobs(EngineName.IN_PROCESS, part) == []


@pytest.mark.parametrize("quick", [False, True])
@pytest.mark.parametrize("engine", ENGINES)
def test_jobs_are_counted_without_making_them(engine: EngineName, quick: bool) -> None:
    selection = Selection(toolchain="any", jobs=1, quick=quick)
    counted = count(engine, corpus(), VARIANT_NAMES, selection, Oracle())
    assert counted == len(jobs(engine, selection))
