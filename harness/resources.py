"""Where the corpus and the sources of the Rust VM lie.

In a checkout (an editable install included) they are the repository's own, so that an edit
shows at once. A wheel has a copy in `harness/bundle/`, which `rust/native/build.rs` gathers.
An editable install leaves such a copy in the checkout, too; it is not used there.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from harness.errors import HarnessFault


def corpus_dir() -> Path:
    """The directory of the cases: `bytecode/` and `pointer/` with their files.

    Raises: HarnessFault if this package was installed without it.
    """
    return _resource("corpus")


def rust_vm_dir() -> Path:
    """The directory of the crate `harness-vm`: `Cargo.toml`, `Cargo.lock` and `src/`.

    It may lie where nothing can be written, so whoever builds it gives cargo a target
    directory elsewhere.

    Raises: HarnessFault if this package was installed without it.
    """
    return _resource("rust/vm")


def rust_pulley_dir() -> Path:
    """The directory of the crate `harness-pulley`, whose dependencies crates.io has.

    Raises: HarnessFault if this package was installed without it.
    """
    return _resource("rust/pulley")


def _resource(path: str) -> Path:
    directory = _root() / path
    if not directory.is_dir():
        raise HarnessFault(f"{directory} is missing: harness is not installed as a whole")
    return directory


@cache
def _root() -> Path:
    """The directory in which resources lie as they lie in the repository."""
    package = Path(__file__).resolve().parent
    checkout = package.parent
    is_checkout = (checkout / "rust" / "native" / "build.rs").is_file()
    return checkout if is_checkout else package / "bundle"
