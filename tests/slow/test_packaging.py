"""What an installed harness is made of: wheel, source distribution, stubs."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from harness import resources

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

CHECKOUT = Path(__file__).parents[2]
TARGET = CHECKOUT / "rust" / "native" / "target"
"""Shared with the editable install, so that the dependencies are built already."""


def call(*command: str | Path, cwd: Path, **environment: str) -> str:
    """Standard output of a command that must succeed."""
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def maturin(*arguments: str | Path, cwd: Path = CHECKOUT) -> None:
    call(sys.executable, "-m", "maturin", *arguments, cwd=cwd, CARGO_TARGET_DIR=str(TARGET))


def only(directory: Path, pattern: str) -> Path:
    [found] = directory.glob(pattern)
    return found


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel of the checkout, built as quickly as can be."""
    out = tmp_path_factory.mktemp("wheel")
    maturin("build", "--profile", "dev", "--out", out)
    return only(out, "*.whl")


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of an environment that has the wheel, and else what this one has."""
    home = tmp_path_factory.mktemp("installed")
    call(sys.executable, "-m", "venv", "--without-pip", home, cwd=home)
    python = home / "bin" / "python"
    ask = "import sysconfig; print(sysconfig.get_path('purelib'))"
    packages = Path(call(python, "-c", ask, cwd=home).strip())
    call(
        *(sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index"),
        *("--target", packages, wheel),
        cwd=home,
    )
    here = call(sys.executable, "-c", ask, cwd=home).strip()
    (packages / "dependencies.pth").write_text(f"{here}\n", encoding="utf-8")
    return python


def files_below(directory: Path) -> set[str]:
    return {
        path.relative_to(directory).as_posix() for path in directory.rglob("*") if path.is_file()
    }


def test_the_wheel_has_the_package_and_what_it_needs_and_nothing_else(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {name.split("/")[0] for name in names} == {"harness", "harness-0.1.0.dist-info"}
    assert {"harness/_native.abi3.so", "harness/_native.pyi", "harness/py.typed"} <= names
    corpus = {f"harness/bundle/corpus/{name}" for name in files_below(CHECKOUT / "corpus")}
    crates = [CHECKOUT / "rust" / crate for crate in ("vm", "pulley")]
    sources = {
        f"harness/bundle/rust/{crate.name}/src/{name}"
        for crate in crates
        for name in files_below(crate / "src")
    }
    manifests = {
        f"harness/bundle/rust/{crate.name}/Cargo.{kind}"
        for crate in crates
        for kind in ("toml", "lock")
    }
    bundle = {name for name in names if name.startswith("harness/bundle/")}
    assert bundle == corpus | sources | manifests | {"harness/bundle/.ignore"}


def test_an_installed_harness_needs_no_checkout(installed: Path, tmp_path: Path) -> None:
    code = """
import harness._native
from harness import resources
print(resources.corpus_dir())
print(resources.rust_vm_dir())
print(harness._native.run("index", bytes(16)).steps)
"""
    corpus, vm, steps = call(installed, "-c", code, cwd=tmp_path).splitlines()
    assert steps == "0"
    for directory in (corpus, vm):
        assert Path(directory).is_relative_to(installed.parents[1])
    assert files_below(Path(corpus)) == files_below(resources.corpus_dir())


def test_the_installed_vm_builds_alone_even_inside_a_workspace_of_the_user(
    installed: Path, tmp_path: Path
) -> None:
    code = "from harness import resources; print(resources.rust_vm_dir())"
    vm = Path(call(installed, "-c", code, cwd=tmp_path).strip())
    (tmp_path / "Cargo.toml").write_text('[workspace]\nmembers = ["app"]\n', encoding="utf-8")
    inside = tmp_path / ".venv" / "vm"
    shutil.copytree(vm, inside)
    call("cargo", "build", "--offline", "--locked", "--target-dir", tmp_path / "t", cwd=inside)
    result = call(tmp_path / "t/debug/harness-vm", "raw", "01" + "00" * 15 + "2a", cwd=tmp_path)
    assert result == "ran 0 2a\n"


def test_an_installed_harness_writes_a_variant_and_runs_it(installed: Path, tmp_path: Path) -> None:
    command = (installed, "-c", "from harness.cli.main import main; main()")
    cache = str(tmp_path / "cache")
    call(*command, "new-variant", "mine", cwd=tmp_path)
    run = ("run", "--variant", "mine", "--engine", "native", "--case", "bytecode/thread-program")
    printed = call(*command, *run, "-v", cwd=tmp_path, XDG_CACHE_HOME=cache)
    assert "agree bytecode/thread-program [native mine vm] ran" in printed


def test_the_source_distribution_gives_the_same_wheel(wheel: Path, tmp_path: Path) -> None:
    maturin("sdist", "--out", tmp_path)
    with tarfile.open(only(tmp_path, "*.tar.gz")) as archive:
        if hasattr(tarfile, "data_filter"):
            archive.extractall(tmp_path, filter="data")
        else:
            # Before 3.11.4 there was no filter, and what has just been made needs none.
            archive.extractall(tmp_path)
    source = only(tmp_path, "harness-*/")
    maturin("build", "--profile", "dev", "--out", tmp_path, cwd=source)
    again = zipfile.ZipFile(only(tmp_path, "*.whl")).namelist()
    assert set(again) == set(zipfile.ZipFile(wheel).namelist())


def test_regenerating_the_stubs_changes_nothing(tmp_path: Path) -> None:
    maturin("generate-stubs", "--profile", "dev", "--out", tmp_path)
    committed = (CHECKOUT / "harness" / "_native.pyi").read_text(encoding="utf-8")
    generated = (tmp_path / "harness" / "_native.pyi").read_text(encoding="utf-8")
    assert generated == committed, "run: maturin generate-stubs --profile dev --out ."


def test_the_stubs_agree_with_the_module(tmp_path: Path) -> None:
    call(sys.executable, "-m", "mypy.stubtest", "harness._native", cwd=tmp_path)
