"""Crates that nobody here wrote, read in place: the verdicts that `docs/foreign-crates.md` lists.

cargo fetches each by name and version, into its own registry; `harness check` asks Miri about one
of its tests in every mode.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from harness.cli.main import run as run_harness
from harness.mode import MODES

pytestmark = [
    pytest.mark.slow,
    pytest.mark.miri,
    pytest.mark.timeout(900),
]

PAGE = Path(__file__).parents[2] / "docs" / "foreign-crates.md"

MANIFEST = """\
[package]
name = "fetches"
version = "0.0.0"
edition = "2021"

[dependencies]
{name} = {{ version = "={version}", default-features = false }}

[workspace]
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A line of the page's table: a test, and its verdict in each mode."""

    crate: str
    version: str
    test: str
    verdicts: tuple[str, ...]


def rows() -> list[Row]:
    pattern = re.compile(r"^\| (\S+) \| (\d\S+) \| `([^`]+)` \| (.+) \|$", re.MULTILINE)
    found = [
        Row(
            crate=match[1],
            version=match[2],
            test=match[3],
            verdicts=tuple(cell.strip() for cell in match[4].split("|")),
        )
        for match in pattern.finditer(PAGE.read_text(encoding="utf-8"))
    ]
    assert len(found) >= 30
    assert all(len(row.verdicts) == len(MODES) for row in found)
    return found


@pytest.fixture(scope="module")
def machine(miri_sysroot: Path) -> Iterator[None]:
    assert miri_sysroot.is_dir()
    with pytest.MonkeyPatch.context() as patch:
        # As cargo does for what others depend on: a newer compiler's lints are no errors.
        patch.setenv("RUSTFLAGS", "--cap-lints=warn")
        yield


@pytest.mark.parametrize("row", rows(), ids=lambda row: f"{row.crate}-{row.test}")
def test_the_verdicts_are_those_of_the_page(machine: None, row: Row, tmp_path: Path) -> None:
    folder = fetched(row, tmp_path)
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    report = tmp_path / "report.json"
    run_harness(["check", str(folder), "--test", row.test, "--json", str(report)])
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before
    checked = json.loads(report.read_bytes())["checked"]
    assert checked
    for each in checked:
        assert [verdict(mode) for mode in each["modes"]] == list(row.verdicts)


def verdict(mode: dict[str, Any]) -> str:
    """As the page has it."""
    (run,) = mode["runs"]
    outcome = run["outcome"]
    if outcome["class"] == "ran":
        return "ran"
    return str(outcome.get("kind", outcome["class"]))


def fetched(row: Row, tmp_path: Path) -> Path:
    """The crate's folder in cargo's registry."""
    package = tmp_path / "fetches"
    (package / "src").mkdir(parents=True)
    (package / "src" / "lib.rs").write_text("")
    text = MANIFEST.format(name=row.crate, version=row.version)
    (package / "Cargo.toml").write_text(text)
    done = subprocess.run(
        ["cargo", "metadata", "--format-version", "1"],
        cwd=package,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        pytest.skip(f"cargo cannot fetch {row.crate} {row.version}: {done.stderr.strip()[-300:]}")
    for found in json.loads(done.stdout)["packages"]:
        if (found["name"], found["version"]) == (row.crate, row.version):
            return Path(found["manifest_path"]).parent
    raise AssertionError("cargo does not name what it was asked for")
