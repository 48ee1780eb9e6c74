"""What `harness reduce` and `harness repro` ask of a case: which engines, and in what."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from harness.cases.case import BytecodeCase
from harness.errors import InputError
from harness.result import EngineName, Form

if TYPE_CHECKING:
    from harness.campaign.selection import Selection
    from harness.cases.case import Case
    from harness.cli.options import VariantChoice
    from harness.engines.own_crate import OwnCrate
    from harness.reduce.sides import Sides

ASKABLE = (
    EngineName.MODEL,
    EngineName.IN_PROCESS,
    EngineName.NATIVE,
    EngineName.CONST,
    EngineName.MIRI,
)
"""Engines whose runs can fail. The reference VM is what they are held against."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathered:
    """The sides that a case is held against. selection: what is to be run of it.

    own: crates with variants of their own that run in it.
    """

    sides: Sides
    selection: Selection
    own: Sequence[OwnCrate] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the options of either command narrow a case's runs to; empty where none was given.

    level: at which compiled code is optimised; None for that of a plain release.
    """

    variants: Sequence[str] = ()
    modes: Sequence[str] = ()
    forms: Sequence[str] = ()
    engines: Sequence[str] = ()
    level: int | None = None


def as_found(case: Case, asked: Asked) -> Asked:
    """What is asked for; of a finding of `harness fuzz` the run that disagreed, by default.

    Raises: InputError, if what lies beside the case cannot be read.
    """
    from harness.fuzz.findings import run_of_finding

    if asked != Asked():
        return asked
    run = run_of_finding(case.path)

    def named(option: str) -> Sequence[str]:
        return (run[option],) if option in run else ()

    return Asked(
        variants=named("--variant"),
        modes=named("--mode"),
        forms=named("--form"),
        engines=named("--engine"),
        level=int(run["--level"]) if "--level" in run else None,
    )


def crates_of(chosen: VariantChoice, selection: Selection) -> list[OwnCrate]:
    """The crates of the variants that stand in no table, built.

    Raises: InputError, if one of the user's does not build; MissingTool, if one cannot be had.
    """
    from harness.campaign.own_variants import AbsentCrate, prepare_own

    crates: list[OwnCrate] = []
    for crate in prepare_own(chosen.on_demand, chosen.paths, selection):
        if isinstance(crate, AbsentCrate):
            raise crate.missing.error()
        crates.append(crate)
    return crates


def gather(case: Case, asked: Asked, *, toolchain: str | None, jobs: int | None) -> Gathered:
    """The sides for a case, and what is to be run of it.

    Without engines by name: the model, and Miri where it is here; with variants in crates of
    their own compiled code, too.

    Raises: InputError; MissingTool, for an engine that was named and is missing.
    """
    from harness.campaign.assemble import assemble
    from harness.campaign.selection import Selection
    from harness.cli.options import (
        choose_variants,
        read_choices,
        read_jobs,
        read_level,
        read_modes,
        require_forms,
    )
    from harness.lowering.variants import VARIANTS
    from harness.reduce.sides import Sides
    from harness.toolchain.miri import toolchain_name

    named = read_choices("--engine", EngineName, asked.engines)
    for engine in named or ():
        if engine not in ASKABLE:
            message = f"--engine: the runs of {engine} are what others are held against"
            raise InputError(None, message, f"name {', '.join(ASKABLE)}")
    if asked.variants and not isinstance(case, BytecodeCase):
        message = f"--variant: {case.id} is a pointer case, which has no variants"
        raise InputError(None, message, "leave out --variant")
    if asked.level is not None and EngineName.NATIVE not in (named or ()):
        message = "--level is of compiled code, and nobody asked for that"
        raise InputError(None, message, "name it as well: --engine native")
    chosen = choose_variants(asked.variants)
    default = [EngineName.MODEL, EngineName.MIRI]
    if chosen.paths or chosen.on_demand:
        # Nobody predicts anything of these, so that compiled code has its say, too.
        default.append(EngineName.NATIVE)
    selection = Selection(
        variants=tuple(VARIANTS) if chosen.table is None else chosen.table,
        modes=read_modes(asked.modes),
        forms=read_choices("--form", Form, asked.forms) or tuple(Form),
        engines=named or tuple(default),
        toolchain=toolchain_name(toolchain),
        live=True,
        jobs=read_jobs(jobs),
    )
    require_forms(chosen.table or (), selection.forms)
    own = crates_of(chosen, selection)
    setup = assemble((), selection, own=own, level=read_level(asked.level))
    missing = setup.missing()
    for engine in named or ():
        if engine in missing:
            raise missing[engine].error()
    here = tuple(e for e in selection.engines or () if e not in missing)
    return Gathered(
        sides=Sides(campaign=setup.campaign, level=asked.level),
        selection=replace(selection, engines=here),
        own=own,
    )
