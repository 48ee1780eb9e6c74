"""Plans: which jobs a selection asks of which engine."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from harness.cases.case import BytecodeCase
from harness.engines.engine import Job
from harness.result import EngineName, Form

if TYPE_CHECKING:
    from harness.campaign.oracle import Oracle
    from harness.campaign.selection import Selection
    from harness.cases.case import Case
    from harness.mode import Mode


def plan(
    engine: EngineName,
    cases: Iterable[Case],
    variants: tuple[str, ...],
    selection: Selection,
    oracle: Oracle,
) -> Iterator[tuple[Case, Job]]:
    """Every job that the engine has to do for the cases, in their order."""
    modes = _modes(engine, selection)
    forms = _forms(engine, selection)
    for case in cases:
        if isinstance(case, BytecodeCase):
            for variant in variants:
                for form in forms:
                    yield from _in_form(case, variant, form, modes, oracle)
        elif engine is not EngineName.IN_PROCESS:
            for mode in modes:
                yield case, Job(case=case.id, program=case.program, mode=mode)


def count(
    engine: EngineName, cases: Sequence[Case], variants: tuple[str, ...], selection: Selection
) -> int:
    """How many jobs `plan` yields."""
    bytecode = sum(isinstance(case, BytecodeCase) for case in cases)
    pointer = 0 if engine is EngineName.IN_PROCESS else len(cases) - bytecode
    programs = bytecode * len(variants) * len(_forms(engine, selection)) + pointer
    return programs * len(_modes(engine, selection))


def _modes(engine: EngineName, selection: Selection) -> tuple[Mode | None, ...]:
    return selection.modes if engine is EngineName.MIRI else (None,)


def _forms(engine: EngineName, selection: Selection) -> tuple[Form, ...]:
    known = (Form.VM,) if engine is EngineName.IN_PROCESS else tuple(Form)
    return tuple(form for form in known if form in selection.forms)


def _in_form(
    case: BytecodeCase, variant: str, form: Form, modes: tuple[Mode | None, ...], oracle: Oracle
) -> Iterator[tuple[Case, Job]]:
    in_vm = form is Form.VM
    program = case.program if in_vm else oracle.lowered(case, variant).program
    for mode in modes:
        yield case, Job(case=case.id, program=program, variant=variant, form=form, mode=mode)
