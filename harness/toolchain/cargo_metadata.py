"""What cargo knows of a crate before anything is built: its packages, their targets and sources."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

from harness.toolchain.command import Command
from harness.toolchain.environment import clean_environment
from harness.toolchain.process import Completed, Launcher, Limits
from harness.toolchain.workspace import digest, digest_tree

METADATA_LIMITS = Limits(seconds=300.0)
"""cargo downloads what the crate depends on, where it is not here yet."""


class Target(msgspec.Struct):
    """A library, a program, a test. kind: such as `lib` or `bin`; test: whether it has tests."""

    name: str
    kind: list[str]
    test: bool = False


class Dependency(msgspec.Struct):
    """kind: None for an ordinary one. path: None for one of a registry or a repository."""

    name: str
    kind: str | None = None
    path: str | None = None


class Package(msgspec.Struct):
    """source: None for one that lies on this machine as itself."""

    name: str
    version: str
    manifest_path: str
    targets: list[Target]
    dependencies: list[Dependency]
    default_run: str | None = None
    source: str | None = None

    @property
    def has_library(self) -> bool:
        """Whether other crates can use it as Rust."""
        return any({"lib", "rlib"} & set(target.kind) for target in self.targets)

    def named(self, kind: str) -> list[str]:
        """The names of its targets of a kind."""
        return [target.name for target in self.targets if kind in target.kind]


class Metadata(msgspec.Struct):
    packages: list[Package]
    workspace_root: str


def ask_metadata(
    launcher: Launcher, words: Sequence[str], cwd: Path, *, toolchain: str | None = None
) -> Metadata | Completed:
    """What `cargo metadata` says; how it ended where it says nothing. words: more arguments."""
    cargo = ("cargo",) if toolchain is None else ("cargo", f"+{toolchain}")
    command = Command(
        argv=(*cargo, "metadata", "--format-version", "1", *words),
        cwd=cwd,
        environment=clean_environment(),
    )
    done = launcher.run(command, limits=METADATA_LIMITS)
    return msgspec.json.decode(done.stdout, type=Metadata) if done.succeeded else done


def digest_local(metadata: Metadata, outer: Path) -> str:
    """The digest of all that no Cargo.lock pins: the folders of local packages.

    outer: the folder of a package that depends on them, and is not one of them.
    """
    local = sorted(
        Path(package.manifest_path).parent
        for package in metadata.packages
        if package.source is None
    )
    outside = [folder for folder in local if folder != outer.resolve()]
    # A workspace's root decides what its members inherit.
    roots = [parent / "Cargo.toml" for folder in outside for parent in folder.parents]
    inherited = [root.read_bytes() for root in sorted(set(roots)) if root.is_file()]
    return digest(*(digest_tree(folder) for folder in outside), *inherited)


def toml_string(text: str) -> str:
    """The text as a string of TOML, for a manifest."""
    # JSON's strings are TOML's but for one character.
    return msgspec.json.encode(text).decode().replace("\x7f", "\\u007f")
