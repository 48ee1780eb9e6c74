"""The subject of a replay: a function of the user's crate, compiled for Miri.

A package in the cache depends on the crate and calls the function; the user's folder is only
read. Of what the user writes, the function's path alone becomes Rust, and it is a path.
"""

from __future__ import annotations

import re
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

from harness.engines.miri_command import Miri
from harness.engines.miri_dependencies import compile_dependencies
from harness.engines.miri_items import MAINS
from harness.errors import InputError, Place, printable, quoted
from harness.toolchain.cargo_metadata import (
    Package,
    ask_metadata,
    digest_local,
    toml_string,
)
from harness.toolchain.process import Completed, Launcher
from harness.toolchain.workspace import digest, stage
from harness.usercode.miri_call import (
    BUILD_LIMITS,
    CRATE_HINT,
    NotBuilt,
    in_words,
    user_settings,
)
from harness.usercode.target import find_package

CRATE = "subject"
"""What the program calls the user's crate, whatever its name is."""

OUR_FILES = ("src/main.rs", "src/entry.rs", "src/stream.rs")
"""What stands around the user's crate, as Miri names it; the user's own paths are absolute."""

_MAIN = Path(__file__).parent / "main.rs"

_MANIFEST = """\
[package]
name = "harness-replay"
version = "0.0.0"
edition = "2024"
publish = false

[dependencies]
{crate} = {{ package = {package}, path = {folder}, features = [{features}] }}

[workspace]
"""

_ENTRY = """\
//! The function that is replayed; what it returns is dropped.

pub const ENTRY: fn(&[u8]) = |input| dropped({crate}::{path}(input));

/// A future would be dropped without having run: of one it is not clear what `Kind` is.
fn dropped<Returned: Runs<Kind>, Kind>(_: Returned) {{}}

trait Runs<Kind> {{}}

struct Called;
struct NeverPolled;

impl<Returned> Runs<Called> for Returned {{}}
impl<Returned: Future> Runs<NeverPolled> for Returned {{}}
"""

_PATH = re.compile(r"(?:r#)?[^\W\d]\w*(?:::(?:r#)?[^\W\d]\w*)*")

_WANTED = "write the path of a pub fn that takes &[u8], without the crate's name: parse, vm::run"


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What of a crate is meant. path: as the user gave it. entry: the function's path in it."""

    path: Path
    entry: str
    package: str | None = None
    features: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A function that can be replayed.

    title: the crate and the function, for people. root: the crate's folder.
    folder: of the package that calls it. externs: the libraries under that.
    digest: of all that decides what the function does.
    """

    title: str
    root: Path
    folder: Path
    externs: dict[str, Path]
    digest: str


def prepare(launcher: Launcher, miri: Miri, choice: Choice) -> Subject:
    """Compile the function, or find it in the cache.

    Raises: InputError, if there is no such crate or function; NotBuilt, if it does not compile.
    """
    name = printable(str(choice.path))
    if not _PATH.fullmatch(choice.entry):
        raise InputError(None, f"--entry: {quoted(choice.entry)} is no path of a function", _WANTED)
    manifest = choice.path / "Cargo.toml" if choice.path.is_dir() else choice.path
    if manifest.name != "Cargo.toml" or not manifest.is_file():
        message = "is no crate" if choice.path.exists() else "is not there"
        raise InputError(Place(file=name), message, "name a folder with Cargo.toml")
    metadata, package = find_package(launcher, miri.toolchain.name, manifest, choice.package, name)
    if not package.has_library:
        remedy = "move the function to a src/lib.rs; a program's functions cannot be called"
        raise InputError(Place(file=name), f"{package.name} has no library", remedy)
    files = _files(package, choice, Path(metadata.workspace_root), name)
    files = _resolved(launcher, miri, files, name)
    folder = stage(files, miri.sources)
    externs = _compile(launcher, miri, folder, package)
    subject = Subject(
        title=f"{package.name} {package.version}, {choice.entry}",
        root=Path(package.manifest_path).parent,
        folder=folder,
        externs=externs,
        digest=digest(folder.name, repr(sorted(user_settings().items()))),
    )
    _try_entry(launcher, miri, subject, choice.entry)
    return subject


def _files(package: Package, choice: Choice, workspace: Path, name: str) -> dict[str, bytes]:
    folder = str(Path(package.manifest_path).parent)
    try:
        manifest = _MANIFEST.format(
            crate=CRATE,
            package=toml_string(package.name),
            folder=toml_string(folder),
            features=", ".join(map(toml_string, choice.features)),
        ).encode()
    except UnicodeEncodeError:
        message = "cargo takes no path that is not Unicode"
        raise InputError(Place(file=name), message, "rename it") from None
    files = {
        "Cargo.toml": manifest,
        "src/main.rs": _MAIN.read_bytes(),
        "src/stream.rs": (MAINS / "stream.rs").read_bytes(),
        "src/entry.rs": _ENTRY.format(crate=CRATE, path=choice.entry).encode(),
    }
    pinned = workspace / "Cargo.lock"
    if pinned.is_file():
        files["Cargo.lock"] = pinned.read_bytes()
    return files


def _resolved(
    launcher: Launcher, miri: Miri, files: dict[str, bytes], name: str
) -> dict[str, bytes]:
    """The files with what cargo resolved, and the digest of all local sources."""
    folder = stage(files, miri.sources)
    said = ask_metadata(launcher, (), folder, toolchain=miri.toolchain.name)
    if isinstance(said, Completed):
        why = said.errors.strip() or said.describe_ending()
        message = f"cargo cannot find what the crate depends on:\n{why}"
        raise InputError(Place(file=name), message, "mend the manifest, or --features")
    lock = (folder / "Cargo.lock").read_bytes()
    return {**files, "Cargo.lock": lock, "sources": digest_local(said, folder).encode()}


def _compile(launcher: Launcher, miri: Miri, folder: Path, package: Package) -> dict[str, Path]:
    manifest = Path(package.manifest_path)
    externs = compile_dependencies(
        launcher,
        miri,
        folder,
        lambda _, of: CRATE if of == manifest else None,
        words=("--message-format", "json-render-diagnostics"),
        # Miri answers this without interpreting anything.
        settings={**user_settings(), "MIRIFLAGS": "--print=sysroot"},
        limits=BUILD_LIMITS,
    )
    if isinstance(externs, Completed):
        ending = f"{externs.describe_ending()}\n" if externs.exit_code < 0 else ""
        raise NotBuilt(
            f"{ending}{externs.errors}", command=externs.command.shell(), hint=CRATE_HINT
        )
    return externs


def _try_entry(launcher: Launcher, miri: Miri, subject: Subject, entry: str) -> None:
    """Compile what calls the function, without interpreting it. Raises: InputError."""
    with tempfile.TemporaryDirectory(prefix="harness-replay-") as folder:
        words = ("--emit", "metadata", "--out-dir", folder)
        command = miri.driver_command(subject.folder, words, (), externs=subject.externs)
        environment = {**command.environment, **user_settings(), "MIRI_BE_RUSTC": "target"}
        done = launcher.run(replace(command, environment=environment), limits=BUILD_LIMITS)
    if done.succeeded:
        return
    said = in_words(done.errors).strip()
    message = f"--entry: {entry} cannot be called with a &[u8] and run to its end:\n{said}"
    raise InputError(None, message, _WANTED)
