"""The doctor: what is installed, what is not, and the one command that mends it."""

from __future__ import annotations

import importlib
import os
import platform
import shlex
import sys
from dataclasses import dataclass
from pathlib import Path

from harness.toolchain.environment import cache_folder
from harness.toolchain.miri import (
    DEFAULT_TOOLCHAIN,
    MiriToolchain,
    find_miri,
    install_command,
    look_for_sysroot,
)
from harness.toolchain.missing import Missing
from harness.toolchain.process import Launcher
from harness.toolchain.rust import (
    INSTALL_RUST,
    Compiler,
    RustToolchain,
    ask,
    find_evaluator,
    find_rust,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing that was looked for.

    name: what it is. purpose: what does not work without it.
    found: its version or place where it is there, else what is wrong.
    remedy: the one command that mends it; None where nothing is wrong.
    """

    name: str
    purpose: str
    found: str
    remedy: str | None = None

    @property
    def passed(self) -> bool:
        return self.remedy is None


def examine(launcher: Launcher, toolchain: str) -> tuple[Check, ...]:
    """Look at everything that the harness uses; nothing is installed or built.

    toolchain: rustup's name of the toolchain with Miri.
    """
    rust = find_rust(launcher)
    miri = find_miri(launcher, toolchain)
    return (
        _check_python(),
        _check_extension(),
        _check_cache(cache_folder()),
        *_check_rust(rust),
        _check_evaluator(find_evaluator(launcher)),
        _check_rustup(launcher),
        *_check_miri(miri, toolchain),
    )


def _check_python() -> Check:
    return Check(
        name="python",
        purpose="everything",
        found=f"{platform.python_implementation()} {platform.python_version()}, {sys.executable}",
    )


def _check_extension() -> Check:
    purpose = "case files, engine in-process"
    try:
        module = importlib.import_module("harness._native")
    except ImportError as error:
        return Check(
            name="harness._native",
            purpose=purpose,
            found=f"cannot be loaded: {error}",
            remedy=_reinstall(Path(__file__).parents[2]),
        )
    return Check(name="harness._native", purpose=purpose, found=str(module.__file__))


def _reinstall(parent: Path) -> str:
    """parent: the folder with `harness/`, a checkout or an installation."""
    if (parent / "pyproject.toml").is_file():
        # In a checkout Python finds this folder first, so the extension has to lie in it.
        return f"{sys.executable} -m pip install -e {shlex.quote(str(parent))}"
    return f"{sys.executable} -m pip install --force-reinstall --no-deps harness"


def _check_cache(folder: Path) -> Check:
    """Whether builds can be kept; a folder that does not exist yet is made when it is needed."""
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    writable = existing.is_dir() and os.access(existing, os.W_OK | os.X_OK)
    return Check(
        name="cache",
        purpose="engines native, const and miri",
        found=str(folder) if writable else f"{existing} cannot be written to",
        remedy=None if writable else "export XDG_CACHE_HOME=FOLDER",
    )


def _check_rust(rust: RustToolchain | Missing) -> tuple[Check, ...]:
    purpose = "engine native"
    if isinstance(rust, Missing):
        return (_missing("rustc and cargo", purpose, rust),)
    return (
        Check(name="rustc", purpose=purpose, found=rust.compiler.version),
        Check(name="cargo", purpose=purpose, found=rust.cargo_version),
    )


def _check_evaluator(compiler: Compiler | Missing) -> Check:
    name, purpose = "constant evaluation", "engine const"
    if isinstance(compiler, Missing):
        return _missing(name, purpose, compiler)
    return Check(name=name, purpose=purpose, found=compiler.version)


def _check_rustup(launcher: Launcher) -> Check:
    purpose = "engine miri"
    answer = ask(launcher, ("rustup", "--version"), install=INSTALL_RUST)
    if isinstance(answer, Missing):
        return _missing("rustup", purpose, answer)
    return Check(name="rustup", purpose=purpose, found=answer.output.splitlines()[0])


def _check_miri(miri: MiriToolchain | Missing, toolchain: str) -> tuple[Check, ...]:
    purpose = "engine miri"
    if isinstance(miri, Missing):
        return (_missing(f"miri ({toolchain})", purpose, miri),)
    sysroot = look_for_sysroot(miri)
    return (
        Check(
            name=f"miri ({toolchain})",
            purpose=purpose,
            found=f"{miri.version}, {miri.compiler.version}",
        ),
        Check(
            name="miri sysroot",
            purpose="engine miri; made at its first run where it is not there",
            found=sysroot.message if isinstance(sysroot, Missing) else str(sysroot),
            remedy=sysroot.remedy if isinstance(sysroot, Missing) else None,
        ),
        Check(
            name="implicit writes",
            purpose="mode tree-writes",
            found="known to this Miri"
            if miri.has_implicit_writes
            else "unknown to this Miri, so that mode tree-writes is not checked",
            remedy=None if miri.has_implicit_writes else install_command(DEFAULT_TOOLCHAIN),
        ),
    )


def _missing(name: str, purpose: str, missing: Missing) -> Check:
    return Check(name=name, purpose=purpose, found=missing.message, remedy=missing.remedy)
