"""`harness new-variant`: a crate to start from, with a variant of the user's own."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from harness.cli.exit_code import ExitCode


def new_variant_command(
    name: str, *, renew: Annotated[bool, Parameter("--renew", negative=())] = False
) -> int:
    """Write a crate with one variant, which builds and passes, for you to change.

    Parameters
    ----------
    name
        The variant's name, and that of its crate and folder.
    renew
        Keep the crate that is there, and replace its copy of the VM by this harness's.
    """
    from harness.engines.own_start import renew_vm, write_crate
    from harness.lowering.variants import ON_DEMAND, VARIANTS
    from harness.resources import rust_vm_dir

    folder = Path(name)
    if renew:
        renew_vm(folder, vm_folder=rust_vm_dir())
        print(f"renewed {name}/harness-vm")
        return ExitCode.AGREE
    write_crate(folder, vm_folder=rust_vm_dir(), taken=VARIANTS | ON_DEMAND)
    print(f"wrote {name}/: its variant stands in {name}/src/lib.rs")
    print(f"harness run --variant ./{name}")
    return ExitCode.AGREE
