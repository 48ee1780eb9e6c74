"""The Rust crates: their own tests, format and lints."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

RUST = Path(__file__).parents[2] / "rust"


def cargo(crate: str, *arguments: str) -> None:
    done = subprocess.run(
        ["cargo", *arguments], cwd=RUST / crate, capture_output=True, text=True, check=False
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
