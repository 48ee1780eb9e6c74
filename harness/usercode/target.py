"""What `harness check` is pointed at: a Rust file, or a program or the tests of a crate.

The user's folder is only read. Builds go to a target folder of the harness's own; a crate without
a lock file, in which cargo would write one, is built from a copy.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path

from harness.errors import InputError, Place, printable, quoted
from harness.toolchain.cargo_metadata import Metadata, Package, ask_metadata
from harness.toolchain.process import Completed, Launcher
from harness.toolchain.workspace import digest

EDITIONS = ("2015", "2018", "2021", "2024")

_NOT_SOURCE = ("target", ".git")


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What of a crate is meant; None for what was not asked for.

    tests: whether its tests are, not a program. features: cargo's words for them.
    """

    package: str | None = None
    binary: str | None = None
    example: str | None = None
    tests: bool = False
    features: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RustFile:
    """A file that is a program by itself, or has tests in it."""

    path: Path
    edition: str
    tests: bool

    @property
    def title(self) -> str:
        return f"{printable(str(self.path))}, {'tests' if self.tests else 'main'}"

    @property
    def root(self) -> Path:
        return self.path.parent

    @property
    def source(self) -> Path:
        return self.root


@dataclass(frozen=True, slots=True, kw_only=True)
class Crate:
    """A program of a crate, or its tests.

    root: the workspace's folder, the user's or its copy: places are told relative to it.
    source: the user's.
    words: how cargo is told what is meant. target: cargo's target folder.
    test_targets: cargo's words for each target that has tests; empty for a program.
    """

    root: Path
    source: Path
    title: str
    words: tuple[str, ...]
    target: Path
    test_targets: tuple[tuple[str, ...], ...] = ()

    @property
    def tests(self) -> bool:
        return bool(self.test_targets)


Target = RustFile | Crate


def find_target(
    launcher: Launcher, toolchain: str, path: Path, choice: Choice, *, edition: str, cache: Path
) -> Target:
    """What `path` and `choice` mean. Raises: InputError, where that is nothing or several."""
    name = printable(str(path))
    if path.is_file() and path.suffix == ".rs":
        if choice.package or choice.binary or choice.example or choice.features:
            message = "a file has no packages, binaries, examples or features"
            raise InputError(Place(file=name), message, "name the crate's folder for those")
        return RustFile(path=path.resolve(), edition=edition, tests=choice.tests)
    manifest = path / "Cargo.toml" if path.is_dir() else path
    if manifest.name != "Cargo.toml" or not manifest.is_file():
        message = "is no Rust file, and no crate" if path.exists() else "is not there"
        raise InputError(Place(file=name), message, "name a .rs file, or a folder with Cargo.toml")
    metadata, package = find_package(launcher, toolchain, manifest, choice.package, name)
    words = () if choice.tests else _choose_target(package, choice, name)
    root = Path(metadata.workspace_root)
    place = cache / "crates" / digest(str(root))
    place.mkdir(parents=True, exist_ok=True)
    # `discard_old` goes by the time of last use.
    os.utime(place)
    if not (root / "Cargo.lock").is_file():
        root = _copy(metadata, root, place / "copy", name)
    kind = "tests" if choice.tests else " ".join(words).removeprefix("--")
    return Crate(
        root=root,
        source=Path(metadata.workspace_root),
        title=f"{package.name} {package.version}, {kind}",
        # Its dependencies may be of another version of itself.
        words=("--package", f"{package.name}@{package.version}", *choice.features, *words),
        target=place / "target",
        test_targets=_test_targets(package, name) if choice.tests else (),
    )


def find_package(
    launcher: Launcher, toolchain: str, manifest: Path, wanted: str | None, name: str
) -> tuple[Metadata, Package]:
    """The package of a workspace that is called so, or that alone can be meant.

    name: what messages call the crate. Raises: InputError.
    """
    manifest = manifest.resolve()
    metadata = _ask_cargo(launcher, toolchain, manifest)
    return metadata, _choose_package(metadata, manifest, wanted, name)


def _ask_cargo(launcher: Launcher, toolchain: str, manifest: Path) -> Metadata:
    words = ("--no-deps", "--manifest-path", str(manifest))
    said = ask_metadata(launcher, words, manifest.parent, toolchain=toolchain)
    if isinstance(said, Completed):
        why = said.errors.strip() or said.describe_ending()
        remedy = "mend the manifest, or name a newer toolchain by --toolchain"
        raise InputError(None, f"cargo cannot read the crate:\n{why}", remedy)
    return said


def _choose_package(metadata: Metadata, manifest: Path, wanted: str | None, name: str) -> Package:
    packages = metadata.packages
    if wanted is not None:
        found = [package for package in packages if package.name == wanted]
    else:
        found = [package for package in packages if Path(package.manifest_path) == manifest]
        found = found or (packages if len(packages) == 1 else [])
    if len(found) == 1:
        return found[0]
    known = ", ".join(package.name for package in packages)
    if wanted is not None:
        message = f"there is no package {quoted(wanted)}"
    else:
        message = "the folder is a workspace of several packages"
    raise InputError(Place(file=name), message, f"--package takes one of {known}")


def _choose_target(package: Package, choice: Choice, name: str) -> tuple[str, ...]:
    """cargo's words for one of the package's programs."""
    for option, wanted, kind in (
        ("--bin", choice.binary, "bin"),
        ("--example", choice.example, "example"),
    ):
        if wanted is not None:
            known = package.named(kind)
            if wanted not in known:
                has = f"it has {', '.join(known)}" if known else "it has none"
                message = f"{package.name} has no {kind} {quoted(wanted)}"
                raise InputError(Place(file=name), message, has)
            return (option, wanted)
    binaries = package.named("bin")
    if package.default_run is not None:
        binaries = [package.default_run]
    if len(binaries) == 1:
        return ("--bin", binaries[0])
    if binaries:
        message = f"{package.name} has several binaries"
        raise InputError(Place(file=name), message, f"--bin takes one of {', '.join(binaries)}")
    examples = package.named("example")
    remedy = "--test '*' checks all of its tests"
    if examples:
        remedy += f"; --example takes one of {', '.join(examples)}"
    raise InputError(Place(file=name), f"{package.name} has no binary", remedy)


_OPTIONS = {"bin": "--bin", "test": "--test", "example": "--example"}


def _test_targets(package: Package, name: str) -> tuple[tuple[str, ...], ...]:
    """cargo's words for each target with tests; those in documentation are not among them."""
    found = []
    for target in package.targets:
        option = next((_OPTIONS[kind] for kind in target.kind if kind in _OPTIONS), None)
        if target.test and "bench" not in target.kind and "custom-build" not in target.kind:
            found.append(("--lib",) if option is None else (option, target.name))
    if not found:
        raise InputError(Place(file=name), f"{package.name} has no tests", "name a binary by --bin")
    return tuple(found)


def _copy(metadata: Metadata, root: Path, copy: Path, name: str) -> Path:
    """The workspace's sources in a folder of the harness's own, where cargo may write."""
    for package in metadata.packages:
        for dependency in package.dependencies:
            if dependency.path is not None and not Path(dependency.path).is_relative_to(root):
                raise InputError(
                    Place(file=name),
                    f"has no Cargo.lock, and {dependency.name} lies outside of it, so that it "
                    "cannot be built from a copy",
                    "run `cargo generate-lockfile` in it first",
                )
    lock = copy / "Cargo.lock"
    kept = lock.read_bytes() if lock.is_file() else None
    shutil.rmtree(copy, ignore_errors=True)
    try:
        shutil.copytree(root, copy, symlinks=True, ignore=shutil.ignore_patterns(*_NOT_SOURCE))
    except (OSError, shutil.Error) as error:
        message = f"cannot be copied: {printable(str(error))[:500]}"
        raise InputError(Place(file=name), message, "make all of it readable") from error
    if kept is not None:
        lock.write_bytes(kept)
    return copy


@dataclass(frozen=True, slots=True, kw_only=True)
class RustTest:
    """One test by its full name. words: how cargo is told the target that it is in.

    ignored: whether it is marked `#[ignore]`, for Miri at least. skipped: whether nobody named it
    in full, so that it is not run.
    """

    name: str
    words: tuple[str, ...] = ()
    ignored: bool = False
    skipped: bool = False


def match_tests(tests: Sequence[RustTest], wanted: Sequence[str]) -> tuple[RustTest, ...]:
    """The tests that are called as one of `wanted`, names or globs. Raises: InputError.

    Those that are marked `#[ignore]` are skipped, unless their full names are among them.
    """
    found = tuple(
        replace(test, skipped=test.ignored and test.name not in wanted)
        for test in tests
        if any(test.name == each or fnmatchcase(test.name, each) for each in wanted)
    )
    if not found:
        known = ", ".join(test.name for test in tests[:10]) or "none"
        asked = ", ".join(map(quoted, wanted))
        raise InputError(None, f"--test: there is no test {asked}", f"the tests are {known}")
    return found
