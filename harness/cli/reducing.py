"""What `harness reduce` and `harness repro` ask of a case: which engines, and in what."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from harness.cases.case import BytecodeCase
from harness.errors import InputError
from harness.result import EngineName, Form

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.campaign.selection import Selection
    from harness.cases.case import Case
    from harness.reduce.sides import Sides

ASKABLE = (EngineName.MODEL, EngineName.NATIVE, EngineName.CONST, EngineName.MIRI)
"""Engines whose runs can fail. The reference VM is what they are held against."""


def gather(
    case: Case,
    *,
    variants: Sequence[str] | None,
    modes: Sequence[str] | None,
    forms: Sequence[str] | None,
    engines: Sequence[str] | None,
    toolchain: str | None,
    jobs: int | None,
) -> tuple[Sides, Selection]:
    """The sides for a case, and what is to be run of it.

    Without engines by name: the model, and Miri where it is here.

    Raises: InputError; MissingTool, for an engine that was named and is missing.
    """
    from harness.campaign.assemble import assemble
    from harness.campaign.selection import Selection
    from harness.cli.options import read_choices, read_jobs, read_modes, read_variants
    from harness.reduce.sides import Sides
    from harness.toolchain.miri import toolchain_name

    named = read_choices("--engine", EngineName, engines)
    for engine in named or ():
        if engine not in ASKABLE:
            message = f"--engine: the runs of {engine} are what others are held against"
            raise InputError(None, message, f"name {', '.join(ASKABLE)}")
    if variants and not isinstance(case, BytecodeCase):
        message = f"--variant: {case.id} is a pointer case, which has no variants"
        raise InputError(None, message, "leave out --variant")
    selection = Selection(
        variants=read_variants(variants),
        modes=read_modes(modes),
        forms=read_choices("--form", Form, forms) or tuple(Form),
        engines=named or (EngineName.MODEL, EngineName.MIRI),
        toolchain=toolchain_name(toolchain),
        live=True,
        jobs=read_jobs(jobs),
    )
    setup = assemble((), selection)
    missing = setup.missing()
    for engine in named or ():
        if engine in missing:
            raise missing[engine].error()
    here = tuple(e for e in selection.engines or () if e not in missing)
    return Sides(campaign=setup.campaign), replace(selection, engines=here)
