"""The Rust crates: their own tests, format and lints."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from harness.mode import MODES, Mode, Provenance
from harness.toolchain.miri import mode_flags

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

RUST = Path(__file__).parents[2] / "rust"


def cargo(crate: str, *arguments: str, **environment: str) -> None:
    done = subprocess.run(
        ["cargo", *arguments],
        cwd=RUST / crate,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"cargo {' '.join(arguments)} in {crate}\n{done.stderr}"


def test_the_vm_passes_its_tests() -> None:
    cargo("vm", "test", "--quiet", "--locked")


@pytest.mark.parametrize("crate", ["vm", "native"])
def test_the_format_is_that_of_rustfmt(crate: str) -> None:
    cargo(crate, "fmt", "--check")


@pytest.mark.parametrize("crate", ["vm", "native"])
def test_clippy_has_nothing_to_say(crate: str) -> None:
    cargo(crate, "clippy", "--quiet", "--all-targets", "--locked", "--", "--deny", "warnings")


def miri_toolchain() -> str:
    """The toolchain whose Miri is used; skips the test where it has none."""
    toolchain = os.environ.get("HARNESS_MIRI_TOOLCHAIN", "nightly")
    asked = subprocess.run(
        ["cargo", f"+{toolchain}", "miri", "--version"], capture_output=True, check=False
    )
    if asked.returncode != 0:
        pytest.skip(f"the toolchain {toolchain} has no Miri")
    return toolchain


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One target directory for all modes, which differ only in how the result is run."""
    return tmp_path_factory.mktemp("target")


@pytest.mark.miri(or_nightly=True)
@pytest.mark.parametrize("mode", MODES, ids=str)
def test_miri_finds_nothing_where_the_variants_are_defined(mode: Mode, target: Path) -> None:
    arguments = [f"+{miri_toolchain()}", "miri", "test", "--quiet", "--locked", "--test=variants"]
    if mode.provenance is Provenance.STRICT:
        # Both make pointers of exposed addresses.
        arguments += ["--", "--skip", "exposed", "--skip", "vm_ptr"]
    flags = " ".join(mode_flags(mode))
    cargo("vm", *arguments, MIRIFLAGS=flags, CARGO_TARGET_DIR=str(target))
