"""Miri: whether a toolchain has it, with its sources and its sysroot, and its flags by mode."""

from __future__ import annotations

import os
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import assert_never

from harness.mode import Aliasing, Mode, Provenance
from harness.result import Tool
from harness.toolchain.command import Command
from harness.toolchain.environment import cache_folder, clean_environment
from harness.toolchain.missing import Missing
from harness.toolchain.process import Launcher, Limits
from harness.toolchain.rust import ANSWER_LIMITS, INSTALL_RUST, Compiler, ask, ask_compiler

TOOLCHAIN_VARIABLE = "HARNESS_MIRI_TOOLCHAIN"
"""The environment variable that names the toolchain with Miri."""

DEFAULT_TOOLCHAIN = "nightly"


def toolchain_name(given: str | None) -> str:
    """Rustup's name of the toolchain with Miri: as given, else the environment's, else nightly."""
    return given or os.environ.get(TOOLCHAIN_VARIABLE) or DEFAULT_TOOLCHAIN


SYSROOT_LIMITS = Limits(seconds=900.0)
"""For building Miri's standard library, which is done once for a toolchain."""

_IMPLICIT_WRITES = "-Zmiri-tree-borrows-implicit-writes"


@dataclass(frozen=True, slots=True, kw_only=True)
class MiriToolchain:
    """A toolchain that has Miri and the sources of the standard library.

    name: rustup's name of it. version: Miri's line about itself.
    driver: the program that interprets. has_implicit_writes: whether it knows the flag
    behind mode `tree-writes`. own_sysroot: where its standard library is to be; None for where
    all toolchains have theirs, each in the place of the one before.
    """

    name: str
    version: str
    compiler: Compiler
    driver: Path
    has_implicit_writes: bool
    own_sysroot: Path | None = None

    def lacks(self, mode: Mode) -> str | None:
        """Why this Miri cannot judge in `mode`; None if it can."""
        if mode.aliasing is Aliasing.TREE_WRITES and not self.has_implicit_writes:
            return f"{self.version} does not know {_IMPLICIT_WRITES}"
        return None

    @property
    def tool(self) -> Tool:
        """As it stands in records and reports."""
        compiler = self.compiler
        return Tool(version=self.version, compiler=compiler.version, target=compiler.host)


def find_miri(
    launcher: Launcher, name: str = DEFAULT_TOOLCHAIN, own_sysroot: Path | None = None
) -> MiriToolchain | Missing:
    """The Miri of the toolchain that rustup knows as `name`.

    Nothing is installed or built; what is missing comes with the command that adds it.
    """
    install = install_command(name)
    rustup = ask(launcher, ("rustup", "--version"), install=INSTALL_RUST)
    if isinstance(rustup, Missing):
        return rustup
    compiler = ask_compiler(launcher, ("rustup", "run", name, "rustc"), install=install)
    if isinstance(compiler, Missing):
        return compiler
    printed = ask(launcher, ("rustup", "run", name, "rustc", "--print", "sysroot"), install=install)
    if isinstance(printed, Missing):
        return printed
    folder = Path(printed.output.strip())
    component = _add_components(name)
    driver = folder / "bin" / "miri"
    for program in (driver, folder / "bin" / "cargo-miri"):
        if not program.is_file():
            return Missing(message=f"the toolchain {name} has no {program.name}", remedy=component)
    # With CI set, cargo-miri would install these unasked; so it is not asked before they are here.
    if not (_library_override() or folder / "lib/rustlib/src/rust/library").is_dir():
        return Missing(
            message=f"the toolchain {name} has no rust-src, which Miri's sysroot is built from",
            remedy=component,
        )
    version = ask(launcher, ("cargo", f"+{name}", "miri", "--version"), install=component)
    if isinstance(version, Missing):
        return version
    return MiriToolchain(
        name=name,
        version=version.output.strip(),
        compiler=compiler,
        driver=driver,
        has_implicit_writes=_knows(launcher, driver, "-Zmiri-tree-borrows", _IMPLICIT_WRITES),
        own_sysroot=own_sysroot,
    )


def prepare_sysroot(
    launcher: Launcher, toolchain: MiriToolchain, target: str | None = None
) -> Path | Missing:
    """Miri's own standard library; built by cargo-miri where it is not there or out of date.

    The first time this takes about a minute, afterwards a tenth of a second.
    target: None for the host.
    """
    setup = ("cargo", f"+{toolchain.name}", "miri", "setup", *target_flags(target))
    again = " ".join(setup)
    argv = (*setup, "--print-sysroot")
    own = toolchain.own_sysroot
    settings = None if own is None else {"MIRI_SYSROOT": str(own)}
    answer = ask(launcher, argv, install=again, limits=SYSROOT_LIMITS, settings=settings)
    if isinstance(answer, Missing):
        return answer
    folder = Path(answer.output.strip())
    if not (folder / "lib").is_dir():
        return Missing(message=f"Miri's sysroot is not where it should be: {folder}", remedy=again)
    return folder


def need_miri(launcher: Launcher, given: str | None) -> tuple[MiriToolchain, Path]:
    """The Miri that is asked for, and its sysroot, which is built where it is missing.

    given: rustup's name of the toolchain, if one was named. Raises: MissingTool.
    """
    found = find_miri(launcher, toolchain_name(given))
    if isinstance(found, Missing):
        raise found.error()
    sysroot = prepare_sysroot(launcher, found)
    if isinstance(sysroot, Missing):
        raise sysroot.error()
    return found, sysroot


def look_for_sysroot(toolchain: MiriToolchain) -> Path | Missing:
    """Where Miri's own standard library lies already; nothing is built.

    It may be that of another toolchain: `prepare_sysroot` alone knows, and renews it.
    """
    environment = clean_environment()
    folder = Path(environment.get("MIRI_SYSROOT") or _default_sysroot())
    if (folder / "lib/rustlib" / toolchain.compiler.host / "lib").is_dir():
        return folder
    return Missing(
        message=f"{folder} has none for {toolchain.compiler.host}",
        remedy=f"cargo +{toolchain.name} miri setup",
    )


def target_flags(target: str | None) -> tuple[str, ...]:
    """What tells cargo, cargo-miri or Miri's driver of a target; None is the host."""
    return () if target is None else ("--target", target)


def install_command(name: str) -> str:
    """The command that installs a toolchain with Miri: the one called `name`, if it can be."""
    channel = name if _is_nightly(name) else DEFAULT_TOOLCHAIN
    return f"rustup toolchain install {channel} --profile minimal --component miri,rust-src"


def mode_flags(mode: Mode) -> tuple[str, ...]:
    """Miri's flags for a mode; those of Tree Borrows in the order that Miri wants."""
    return (*_aliasing_flags(mode.aliasing), _provenance_flag(mode.provenance))


def _aliasing_flags(aliasing: Aliasing) -> tuple[str, ...]:
    match aliasing:
        case Aliasing.STACKED:
            # Without Miri's collector of dead tags, which can make it miss an undefined access
            # (`docs/findings.md`). Under Tree Borrows it stays: there it changes no verdict, and
            # a tree that keeps everything slows down every access.
            return ("-Zmiri-provenance-gc=0",)
        case Aliasing.TREE:
            return ("-Zmiri-tree-borrows",)
        case Aliasing.TREE_WRITES:
            return ("-Zmiri-tree-borrows", _IMPLICIT_WRITES)
        case Aliasing.NONE:
            return ("-Zmiri-disable-stacked-borrows",)
        case _:
            assert_never(aliasing)


def _provenance_flag(provenance: Provenance) -> str:
    match provenance:
        case Provenance.STRICT:
            return "-Zmiri-strict-provenance"
        case Provenance.PERMISSIVE:
            # Without this flag the same happens, with a warning at each cast.
            return "-Zmiri-permissive-provenance"
        case _:
            assert_never(provenance)


def _knows(launcher: Launcher, driver: Path, *flags: str) -> bool:
    """Whether the driver takes the flags: rustc is left with those that Miri does not know."""
    command = Command(
        argv=(str(driver), *flags, "--print", "sysroot"), environment=clean_environment()
    )
    return launcher.run(command, limits=ANSWER_LIMITS).succeeded


def _default_sysroot() -> Path:
    """The folder that cargo-miri takes where `MIRI_SYSROOT` is not set."""
    if sys.platform == "darwin":
        return Path.home() / "Library/Caches/org.rust-lang.miri"
    return cache_folder().with_name("miri")


def _library_override() -> Path | None:
    path = clean_environment().get("MIRI_LIB_SRC")
    return Path(path) if path else None


def _is_nightly(name: str) -> bool:
    """Whether the name is a channel that has Miri; stable, beta and linked toolchains are not."""
    return re.match(r"nightly(-\d{4}-\d\d-\d\d)?(-|$)", name) is not None


def _add_components(name: str) -> str:
    if not _is_nightly(name):
        return install_command(name)
    return f"rustup component add --toolchain {name} miri rust-src"
