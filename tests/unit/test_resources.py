"""The corpus and the Rust VM's sources are found in a checkout and in a wheel."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from harness import resources
from harness.errors import HarnessFault

CHECKOUT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def _fresh_root() -> Iterator[None]:
    resources._root.cache_clear()
    yield
    resources._root.cache_clear()


def test_a_checkout_uses_its_own() -> None:
    assert resources.corpus_dir() == CHECKOUT / "corpus"
    assert resources.rust_vm_dir() == CHECKOUT / "rust" / "vm"


def test_an_installed_package_uses_its_bundle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path.resolve() / "harness"
    for resource in ("corpus", "rust/vm"):
        (package / "bundle" / resource).mkdir(parents=True)
    monkeypatch.setattr(resources, "__file__", str(package / "resources.py"))
    assert resources.corpus_dir() == package / "bundle" / "corpus"
    assert resources.rust_vm_dir() == package / "bundle" / "rust" / "vm"


def test_what_is_missing_is_a_fault_of_the_installation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resources, "__file__", str(tmp_path / "harness" / "resources.py"))
    with pytest.raises(HarnessFault, match="not installed as a whole"):
        resources.corpus_dir()
