"""Variants of the user's own: their crate, built behind the command line of the Rust VM.

The crate exports a table, `pub const VARIANTS: &[harness_vm::Entry]`. A package in the cache
depends on it and makes a `main` of that table, so that engines find the same command as that of
`rust/vm`. The user's folder is only read, and nothing of it is written into Rust source.

Whichever copy of `harness-vm` the crate depends on, this harness's own takes its place (cargo's
`paths` override): the VM, its wire form and its trait are the harness's, the variants the user's.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.engines.vm_crate import BINARY, TABLE, VM_PACKAGE
from harness.errors import InputError, Place, printable, quoted
from harness.toolchain.cargo import BuildFailed, build
from harness.toolchain.cargo_metadata import (
    Metadata,
    Package,
    ask_metadata,
    digest_local,
    toml_string,
)
from harness.toolchain.command import Command
from harness.toolchain.environment import clean_environment
from harness.toolchain.process import Completed, Launcher, Limits
from harness.toolchain.rust import Compiler
from harness.toolchain.workspace import digest, stage

MAIN = f"""\
#![cfg_attr(miri, no_main)]

harness_vm::main!({TABLE}::VARIANTS);
"""

OWN_PACKAGE = "harness-own-variants"
"""What makes a command of a user's crate."""

MANIFEST = """\
[package]
name = "{name}"
version = "0.0.0"
edition = "2024"
publish = false

[[bin]]
name = "{binary}"
path = "src/main.rs"

[dependencies]
{vm_package} = {{ path = {vm} }}
{table} = {{ package = {package}, path = {folder} }}

[workspace]
"""

FILE_PACKAGE = "own-variants"
"""What a file is called as a crate."""

FILE_MANIFEST = f"""\
[package]
name = "{FILE_PACKAGE}"
version = "0.0.0"
edition = "2024"
publish = false

[dependencies]
{{vm_package}} = {{{{ path = {{vm}} }}}}

[workspace]
"""

LARGEST_FILE = 1 << 20
"""Bytes of a file that is a crate by itself."""

LONGEST_COMPLAINT = 20_000
"""Characters of the compiler's errors that are shown."""

LIST_LIMITS = Limits(seconds=30.0)

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,63}")

_EXPORT = f"""\
export a table of what implements the trait harness_vm::Variant, such as
  pub const VARIANTS: &[harness_vm::Entry] = &[harness_vm::entry!("mine", Mine)];
  `harness new-variant NAME` writes a crate to start from, which depends on {VM_PACKAGE}"""


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnCrate:
    """A crate with variants of the user's own, which builds.

    path: as the user gave it. names: of its variants, in their order.
    manifest: the crate's Cargo.toml. files: of the package that makes the VM's command of it.
    digest: of all sources that decide what its variants do.
    """

    path: Path
    names: tuple[str, ...]
    manifest: Path
    digest: str
    files: Mapping[str, bytes]


class DoesNotBuild(InputError):
    """All that the crate needs is here, and the compiler refuses it."""


def prepare(
    launcher: Launcher,
    path: Path,
    *,
    vm_folder: Path,
    compiler: Compiler,
    cache: Path,
    taken: Collection[str] = (),
) -> OwnCrate:
    """The crate at a path: a crate's folder, or one `.rs` file.

    taken: names that its variants must not have.

    Raises: InputError, if there is none, it does not build, or its variants have no good names.
    """
    crate = _Preparation(launcher=launcher, given=path, vm_folder=vm_folder, cache=cache)
    return crate.prepare(compiler, taken)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Preparation:
    launcher: Launcher
    given: Path
    vm_folder: Path
    cache: Path

    def prepare(self, compiler: Compiler, taken: Collection[str]) -> OwnCrate:
        folder = self._folder()
        package, root = self._package(folder)
        self._demand_library(package)
        files = {
            "Cargo.toml": MANIFEST.format(
                name=OWN_PACKAGE,
                binary=BINARY,
                vm_package=VM_PACKAGE,
                # Its own, so that the override finds one package and not two.
                vm=toml_string(self._vm_of(package)),
                table=TABLE,
                package=toml_string(package.name),
                folder=toml_string(str(folder)),
            ).encode(),
            ".cargo/config.toml": f"paths = [{toml_string(str(self.vm_folder))}]\n".encode(),
            "src/main.rs": MAIN.encode(),
        }
        pinned = Path(root) / "Cargo.lock"
        if pinned.is_file():
            files["Cargo.lock"] = pinned.read_bytes()
        resolved = stage(files, self.cache / "sources")
        sources = digest_local(self._metadata((), resolved), resolved)
        # As resolved: what is built is what the digest is of.
        files["Cargo.lock"] = (resolved / "Cargo.lock").read_bytes()
        files["sources"] = sources.encode()
        built = build(self.launcher, files, compiler, self.cache)
        if isinstance(built, BuildFailed):
            raise self._does_not_build(built, folder)
        return OwnCrate(
            path=self.given,
            names=self._names(built.executables[BINARY], taken),
            manifest=folder / "Cargo.toml",
            digest=digest(sources, files["Cargo.lock"]),
            files=files,
        )

    def _error(
        self, message: str, remedy: str = "", kind: type[InputError] = InputError
    ) -> InputError:
        return kind(Place(file=printable(str(self.given))), message, remedy)

    def _folder(self) -> Path:
        """The crate's folder: the user's, or one made for a file."""
        path = self.given.resolve()
        try:
            str(path).encode()
        except UnicodeEncodeError:
            raise self._error("cargo takes no path that is not Unicode", "rename it") from None
        if path.is_dir():
            if not (path / "Cargo.toml").is_file():
                raise self._error(
                    "no crate: there is no Cargo.toml in this folder",
                    "name a crate's folder or one .rs file; `harness new-variant NAME` writes one",
                )
            return path
        if path.name == "Cargo.toml" and path.is_file():
            return path.parent
        if path.suffix != ".rs" or not path.is_file():
            what = "neither a crate's folder nor a .rs file" if path.exists() else "no such path"
            raise self._error(what, "`harness new-variant NAME` writes a crate to start from")
        data = self._read(path)
        vm = toml_string(str(self.vm_folder))
        manifest = FILE_MANIFEST.format(vm_package=VM_PACKAGE, vm=vm)
        # A copy, so that the digest of this one file is that of everything in the crate.
        files = {"Cargo.toml": manifest.encode(), "src/lib.rs": data}
        return stage(files, self.cache / "sources").resolve()

    def _read(self, path: Path) -> bytes:
        try:
            if path.stat().st_size > LARGEST_FILE:
                message = f"larger than {LARGEST_FILE} bytes"
                raise self._error(message, "make a crate of it, and name its folder")
            return path.read_bytes()
        except OSError as error:
            raise self._error(f"cannot be read: {error.strerror}") from None

    def _package(self, folder: Path) -> tuple[Package, str]:
        """The package in the folder, and the root of its workspace."""
        manifest = folder / "Cargo.toml"
        said = self._metadata(("--no-deps", "--manifest-path", str(manifest)), Path("/"))
        for package in said.packages:
            if Path(package.manifest_path) == manifest:
                return package, said.workspace_root
        raise self._error(
            "a workspace, and no crate itself", "name the folder of one of its crates"
        )

    def _demand_library(self, package: Package) -> None:
        if not package.has_library:
            raise self._error("the crate has no library", f"give it a src/lib.rs; {_EXPORT}")

    def _vm_of(self, package: Package) -> str:
        for dependency in package.dependencies:
            if dependency.name == VM_PACKAGE and dependency.kind is None and dependency.path:
                return dependency.path
        raise self._error(
            f"the crate does not depend on {VM_PACKAGE} by a path",
            f'write {VM_PACKAGE} = {{ path = "…" }} under [dependencies]; '
            "`harness new-variant NAME` writes a crate that has a copy beside it",
        )

    def _metadata(self, words: tuple[str, ...], cwd: Path) -> Metadata:
        said = ask_metadata(self.launcher, words, cwd)
        if isinstance(said, Completed):
            raise self._error(f"cargo cannot read the crate:\n{_complaint(said)}")
        return said

    def _does_not_build(self, built: BuildFailed, folder: Path) -> InputError:
        said = built.rendered.strip() or built.message
        # A file was copied; its own name says more.
        said = said.replace(str(folder / "src/lib.rs"), str(self.given))
        said = _lines(said)
        if set(built.errors) == {BINARY}:
            return self._error(f"the crate exports no table VARIANTS:\n{said}", _EXPORT)
        message = f"the crate does not build:\n{said}"
        return self._error(message, "mend that, and run this again", DoesNotBuild)

    def _names(self, executable: Path, taken: Collection[str]) -> tuple[str, ...]:
        command = Command(argv=(str(executable), "--list"), environment=clean_environment())
        done = self.launcher.run(command, limits=LIST_LIMITS)
        if not done.succeeded:
            message = f"the crate does not say its variants:\n{_complaint(done)}"
            raise self._error(message, "nothing but the table's names is asked of it here")
        names = [
            "" if line == "-" else bytes.fromhex(line).decode(errors="replace")
            for line in done.output.split()
        ]
        if wrong := wrong_names(names, taken):
            raise self._error(*wrong)
        return tuple(names)


def wrong_names(names: Sequence[str], taken: Collection[str]) -> tuple[str, str] | None:
    """What is wrong with the names of a crate's variants, and what would be right; None if nothing.

    taken: those that others have.
    """
    if not names:
        return "the table VARIANTS is empty", _EXPORT
    for number, name in enumerate(names):
        if not _NAME.fullmatch(name):
            remedy = "take letters, digits and . _ + -, 64 at most"
            return f"{quoted(name)} is no name for a variant", remedy
        if name in taken or name in names[:number]:
            remedy = 'give yours another name: entry!("another-name", …)'
            return f"there is a variant {quoted(name)} already", remedy
    return None


def _complaint(done: Completed) -> str:
    return _lines(done.errors.strip() or done.describe_ending())


def _lines(text: str) -> str:
    shown = text[:LONGEST_COMPLAINT]
    return "\n".join(printable(line) for line in shown.splitlines())
