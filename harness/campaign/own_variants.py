"""Variants in crates of their own, made ready for a campaign: built, and their names known.

They are the user's, or one that the harness has but whose dependencies are not everywhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.engines.own_crate import DoesNotBuild, OwnCrate, prepare
from harness.errors import InputError
from harness.lowering.variants import ON_DEMAND, VARIANTS
from harness.resources import rust_pulley_dir, rust_vm_dir
from harness.result import EngineName, Form
from harness.toolchain.environment import cache_folder
from harness.toolchain.missing import Missing
from harness.toolchain.process import Launcher
from harness.toolchain.rust import RustToolchain, find_rust

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from pathlib import Path

    from harness.bytecode.program import Program
    from harness.campaign.selection import Selection
    from harness.target import Target

ENGINES = (EngineName.REFERENCE, EngineName.NATIVE, EngineName.MIRI)
"""What has something to say of them: nobody lowers them, and none is linked into this process."""

FOLDERS = {"pulley": rust_pulley_dir}
"""Where the crates of `ON_DEMAND` lie."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AbsentCrate:
    """Variants of the harness whose crate cannot be built on this machine, and why."""

    names: tuple[str, ...]
    missing: Missing


def prepare_own(
    names: Iterable[str], paths: Iterable[Path], selection: Selection
) -> tuple[OwnCrate | AbsentCrate, ...]:
    """Build the crates of the variants called so, and those at the paths, natively.

    names: some of `ON_DEMAND`.

    Raises: InputError, if one of the user's does not build, or the selection leaves nothing of
    them to run; MissingTool, if there is no compiler.
    """
    on_demand = dict.fromkeys(names)
    given = {path.resolve(): path for path in paths}
    if not on_demand and not given:
        return ()
    _demand_something_to_run(selection)
    launcher = Launcher()
    rust = find_rust(launcher)
    if isinstance(rust, Missing):
        raise rust.error()
    crates: list[OwnCrate | AbsentCrate] = []
    for name in on_demand:
        try:
            crates.append(_prepare(launcher, rust, FOLDERS[name](), ()))
        except DoesNotBuild:
            # It is here, and wrong: nothing that a connection would mend.
            raise
        except InputError as error:
            message = f"the variant {name} cannot be had: {error.message}"
            missing = Missing(message=message, remedy="cargo has to reach crates.io, once")
            crates.append(AbsentCrate(names=(name,), missing=missing))
    for path in given.values():
        others = (name for crate in crates for name in crate.names)
        crates.append(_prepare(launcher, rust, path, {*VARIANTS, *ON_DEMAND, *others}))
    return tuple(crates)


def paths_of(crates: Iterable[OwnCrate]) -> dict[str, Path]:
    """Where each variant of the user's own lies, as the user said it."""
    named = ((name, crate.path) for crate in crates for name in crate.names)
    return {name: path for name, path in named if name not in ON_DEMAND}


def why_refused(variant: str, program: Program, target: Target | None) -> str | None:
    """Why a variant in a crate of its own cannot run a program; None if it can."""
    return ON_DEMAND[variant].refuses(program, target) if variant in ON_DEMAND else None


def _prepare(
    launcher: Launcher, rust: RustToolchain, path: Path, taken: Collection[str]
) -> OwnCrate:
    return prepare(
        launcher,
        path,
        vm_folder=rust_vm_dir(),
        compiler=rust.compiler,
        cache=cache_folder(),
        taken=taken,
    )


def _demand_something_to_run(selection: Selection) -> None:
    if Form.VM not in selection.forms:
        raise InputError(
            None,
            "--form: variants in a crate of their own have the form vm alone",
            "leave --form out: only the table's variants are known well enough to be unrolled",
        )
    if not any(selection.wants_engine(engine) for engine in ENGINES):
        known = ", ".join(ENGINES)
        message = "--engine: none of these runs variants in a crate of their own"
        raise InputError(None, message, f"those that do are {known}")
