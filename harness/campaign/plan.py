"""Plans: which jobs a selection asks of which engine."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import product
from typing import TYPE_CHECKING

from harness.campaign.selection import case_number
from harness.cases.case import BytecodeCase
from harness.cases.story_case import StoryCase
from harness.engines.engine import Job
from harness.lowering.variants import VARIANTS
from harness.mode import NONE_STRICT
from harness.result import EngineName, Form

if TYPE_CHECKING:
    from harness.bytecode.program import Program
    from harness.campaign.oracle import Oracle
    from harness.campaign.selection import Selection
    from harness.cases.case import Case
    from harness.mode import Mode
    from harness.pointer.program import PointerProgram
    from harness.story.block import Story
    from harness.target import Target

QUICK_VARIANTS = 2
"""In how many variants a quick run does a case, where none are named."""

QUICK_MEMORY = 256
"""Bytes of memory above which a quick run leaves out the form `unrolled`: it has a statement for
each byte of the memory, and a thousand of them take Miri a minute."""

QUICK_STEPS = 20
"""Instructions that a program may run before a quick run leaves out the form `unrolled`: it has
statements for each, and two dozen cases with a loop have as many as all others together."""


def plan(
    engine: EngineName,
    cases: Iterable[Case],
    variants: tuple[str, ...],
    selection: Selection,
    oracle: Oracle,
) -> Iterator[tuple[Case, Job]]:
    """Every job that the engine has to do for the cases, in their order.

    A quick run does a case in a few variants, or in all of those that are named, and in each of
    them once, in one of the pairs of form and mode that the engine has for it: the hash of the
    case's name says which variants they are and which pair the first takes; each further one
    takes the next. So every variant meets every pair over some dozens of cases.
    """
    for case, target, variant, form, mode in _runs(engine, cases, variants, selection, oracle):
        program: Program | PointerProgram | Story = case.program
        if form is Form.UNROLLED and oracle.on(target).refusal(case, variant) is None:
            assert isinstance(case, BytecodeCase), "only bytecode has forms"
            assert variant is not None, "bytecode runs in a variant"
            program = oracle.on(target).lowered(case, variant).program
        job = Job(
            case=case.id, program=program, variant=variant, form=form, mode=mode, target=target
        )
        yield case, job


def plan_model(
    case: Case, variants: tuple[str, ...], selection: Selection, oracle: Oracle
) -> Iterator[tuple[str | None, Mode, Target | None]]:
    """The variants, modes and targets in which the model predicts the case.

    In a quick run these are the ones in which Miri would do it.
    """
    if selection.quick:
        runs = _runs(EngineName.MIRI, (case,), variants, selection, oracle)
        # Miri judges in a mode; two forms are one prediction.
        planned = dict.fromkeys((variant, mode, on) for _, on, variant, _, mode in runs if mode)
    else:
        of_case = variants_run(case, variants, selection)
        planned = dict.fromkeys(product(of_case, selection.modes, selection.targets))
    pairs = {(variant, target) for variant, _, target in planned}
    able = {(v, on) for v, on in pairs if oracle.on(on).refusal(case, v) is None}
    yield from ((v, mode, on) for v, mode, on in planned if (v, on) in able)


def count(
    engine: EngineName,
    cases: Iterable[Case],
    variants: tuple[str, ...],
    selection: Selection,
    oracle: Oracle,
) -> int:
    """How many jobs `plan` yields."""
    return sum(len(pairs) for *_, pairs in _chosen(engine, cases, variants, selection, oracle))


def _runs(
    engine: EngineName,
    cases: Iterable[Case],
    variants: tuple[str, ...],
    selection: Selection,
    oracle: Oracle,
) -> Iterator[tuple[Case, Target | None, str | None, Form | None, Mode | None]]:
    for case, target, variant, pairs in _chosen(engine, cases, variants, selection, oracle):
        for form, mode in pairs:
            yield case, target, variant, form, mode


def _chosen(
    engine: EngineName,
    cases: Iterable[Case],
    variants: tuple[str, ...],
    selection: Selection,
    oracle: Oracle,
) -> Iterator[tuple[Case, Target | None, str | None, list[tuple[Form | None, Mode | None]]]]:
    """Each case on each target and in each variant, with the forms and modes for it."""
    modes = _modes(engine, selection)
    # The same few over and over.
    known: dict[tuple[object, ...], list[tuple[Form | None, Mode | None]]] = {}
    for case, target in product(cases, selection.targets):
        of_case = variants_run(case, variants, selection)
        if isinstance(case, StoryCase) and engine is EngineName.CONST:
            # A story is no `const fn`.
            continue
        every_form = _forms(engine, case, selection, oracle)
        for number, variant in enumerate(of_case):
            key = (variant, *every_form)
            if key not in known:
                had = VARIANTS[variant].forms if variant in VARIANTS else every_form
                known[key] = list(product((form for form in every_form if form in had), modes))
            pairs = known[key]
            if selection.quick and pairs:
                pairs = [pairs[(case_number(case.id) + number) % len(pairs)]]
            yield case, target, variant, pairs


def variants_run(
    case: Case, variants: tuple[str, ...], selection: Selection
) -> tuple[str | None, ...]:
    """Those of the variants in which the selection has the case run."""
    of_case = variants_of(case, variants)
    if selection.quick and selection.variants is None:
        # Not the digits that choose form and mode.
        return _few(of_case, case_number(case.id) // 1000)
    return of_case


def variants_of(case: Case, variants: tuple[str, ...]) -> tuple[str | None, ...]:
    """The variants in which the case is run: of several, those that can run it and of which it
    shows something.

    Of a variant that stands in no table, a user's own, every case may show something.
    """
    if not isinstance(case, BytecodeCase):
        return (None,)
    if len(variants) == 1:
        return variants
    return tuple(
        name for name in variants if name not in VARIANTS or VARIANTS[name].tells(case.program)
    )


def _few(variants: tuple[str | None, ...], number: int) -> tuple[str | None, ...]:
    """At most `QUICK_VARIANTS` of them, at even distances from wherever the number says."""
    few = min(QUICK_VARIANTS, len(variants))
    return tuple(
        variants[(number + place * len(variants) // few) % len(variants)] for place in range(few)
    )


def _modes(engine: EngineName, selection: Selection) -> tuple[Mode | None, ...]:
    """The modes that the engine judges in; None is that of an engine without any."""
    match engine:
        case EngineName.MIRI:
            return selection.modes
        case EngineName.CONST:
            return tuple(mode for mode in selection.modes if mode == NONE_STRICT)
        case _:
            return (None,)


def _forms(
    engine: EngineName, case: Case, selection: Selection, oracle: Oracle
) -> list[Form | None]:
    """The forms in which the engine runs the case; None is that of a pointer case."""
    if not isinstance(case, BytecodeCase):
        return [] if engine is EngineName.IN_PROCESS else [None]
    forms: list[Form | None] = [*selection.forms]
    unsaid = Form.VM if engine is EngineName.CONST else None
    if engine is EngineName.IN_PROCESS or (selection.quick and _is_long(case, oracle)):
        forms = [form for form in forms if form is not Form.UNROLLED]
    return [form for form in forms if form is not unsaid]


def _is_long(case: BytecodeCase, oracle: Oracle) -> bool:
    """Whether straight-line Rust of the program would be too long for a quick run."""
    return len(case.program.memory) > QUICK_MEMORY or oracle.steps(case) > QUICK_STEPS
