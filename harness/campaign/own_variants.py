"""Variants of the user's own, made ready for a campaign: their crates built, their names known."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.engines.own_crate import OwnCrate, prepare
from harness.errors import InputError
from harness.lowering.variants import VARIANTS
from harness.resources import rust_vm_dir
from harness.result import EngineName, Form
from harness.toolchain.environment import cache_folder
from harness.toolchain.missing import Missing
from harness.toolchain.process import Launcher
from harness.toolchain.rust import find_rust

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from harness.campaign.selection import Selection

ENGINES = (EngineName.REFERENCE, EngineName.NATIVE, EngineName.MIRI)
"""What has something to say of them: nobody lowers them, and none is linked into this process."""


def prepare_own(paths: Iterable[Path], selection: Selection) -> tuple[OwnCrate, ...]:
    """Build the crates at the paths, natively.

    Raises: InputError, if one does not build, or the selection leaves nothing of them to run;
    MissingTool, if there is no compiler.
    """
    given = {path.resolve(): path for path in paths}
    if not given:
        return ()
    if Form.VM not in selection.forms:
        raise InputError(
            None,
            "--form: variants of your own have the form vm alone",
            "leave --form out: only the table's variants are known well enough to be unrolled",
        )
    if not any(selection.wants_engine(engine) for engine in ENGINES):
        known = ", ".join(ENGINES)
        raise InputError(
            None, "--engine: none of these runs variants of your own", f"those that do are {known}"
        )
    launcher = Launcher()
    rust = find_rust(launcher)
    if isinstance(rust, Missing):
        raise rust.error()
    crates: list[OwnCrate] = []
    for path in given.values():
        taken = {*VARIANTS, *(name for crate in crates for name in crate.names)}
        crates.append(
            prepare(
                launcher,
                path,
                vm_folder=rust_vm_dir(),
                compiler=rust.compiler,
                cache=cache_folder(),
                taken=taken,
            )
        )
    return tuple(crates)
