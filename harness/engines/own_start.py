"""The starting point for a variant of the user's own: a crate that builds, and passes."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Collection, Mapping
from pathlib import Path

from harness.engines.vm_crate import VM_PACKAGE, vm_files
from harness.errors import InputError, Place, printable, quoted

LIBRARY = Path(__file__).parent / "own_start" / "lib.rs"

MANIFEST = """\
[package]
name = "{name}"
version = "0.1.0"
edition = "2024"
publish = false

[dependencies]
# A copy, so that the crate builds anywhere; `harness run` puts its own in the copy's place.
{vm_package} = {{ path = "{vm_package}" }}

[lints.rust]
unsafe_op_in_unsafe_fn = "deny"

# A root of its own, so that it may lie in another crate's folder.
[workspace]
exclude = ["{vm_package}"]
"""

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}")


def write_crate(folder: Path, *, vm_folder: Path, taken: Collection[str]) -> None:
    """Write a crate with one variant; both are called as the folder is.

    taken: names that a variant must not have.

    Raises: InputError, if there is something at the path, or the name will not do.
    """
    name = str(folder)
    if not _NAME.fullmatch(name):
        message = f"{quoted(name)} is no name for a variant and its crate"
        raise InputError(None, message, "take letters, digits, - and _, a letter first")
    if name in taken:
        message = f"there is a variant {quoted(name)} already"
        raise InputError(None, message, "take another name; `harness list --what variants`")
    if os.path.lexists(folder):
        place = Place(file=printable(str(folder)))
        raise InputError(place, "there is something already", "take another name, or remove it")
    library = LIBRARY.read_text(encoding="utf-8").replace("@name", name)
    files = {
        "Cargo.toml": MANIFEST.format(name=name, vm_package=VM_PACKAGE).encode(),
        "src/lib.rs": library.encode(),
        ".gitignore": b"/target\n",
        **_copy_of_vm(vm_folder),
    }
    _put(folder, files)


def renew_vm(folder: Path, *, vm_folder: Path) -> None:
    """Replace the crate's copy of the VM by this harness's own.

    Raises: InputError, if the folder has no such copy.
    """
    copy = folder / VM_PACKAGE
    if not (copy / "Cargo.toml").is_file():
        place = Place(file=printable(str(folder)))
        remedy = "name a crate that `harness new-variant NAME` wrote"
        raise InputError(place, f"there is no {VM_PACKAGE} in it", remedy)
    shutil.rmtree(copy)
    files = {path.removeprefix(f"{VM_PACKAGE}/"): d for path, d in _copy_of_vm(vm_folder).items()}
    _put(copy, files)


def _copy_of_vm(vm_folder: Path) -> dict[str, bytes]:
    return {f"{VM_PACKAGE}/{path}": data for path, data in vm_files(vm_folder).items()}


def _put(folder: Path, files: Mapping[str, bytes]) -> None:
    """Make the folder with these files, whole or not at all."""
    try:
        scratch = Path(tempfile.mkdtemp(prefix=".new-", dir=folder.parent))
        try:
            for path, data in files.items():
                (scratch / path).parent.mkdir(parents=True, exist_ok=True)
                (scratch / path).write_bytes(data)
            scratch.chmod(0o755)
            scratch.rename(folder)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
    except OSError as error:
        place = Place(file=printable(str(folder)))
        message = f"cannot be written: {error.strerror}"
        raise InputError(place, message, "go to a folder of yours") from None
