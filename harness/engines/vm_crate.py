"""The crate of the Rust VM as engines use it: its files, and how a program is handed to it."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from harness.bytecode.program import Program
from harness.bytecode.wire import encode
from harness.toolchain.workspace import read_tree

BINARY = "harness-vm"
VM_PACKAGE = "harness-vm"
LIBRARY = "harness_vm"

TABLE = "variants"
"""What a `main` calls the crate whose `VARIANTS` it runs: the VM's own library, or a user's."""

_LONGEST_ARGUMENT = 100_000
"""Characters; Linux takes 128 KiB."""


@cache
def vm_files(folder: Path) -> dict[str, bytes]:
    """What it takes to build the VM. folder: `rust/vm`, or a crate with variants of its own."""
    return {
        path: data
        for path, data in read_tree(folder).items()
        if path.startswith("src/") or path in ("Cargo.toml", "Cargo.lock")
    }


def batch_line(variant: str, program: Program) -> str:
    """A line for the VM's `--batch`, without the number."""
    return f"{variant} {encode(program).hex()}"


def arguments(variant: str, program: Program, *, marked: bool = False) -> tuple[str, ...]:
    """The VM's arguments for one program. marked: with a line on stderr before each step."""
    return (*(("--markers",) if marked else ()), variant, encode(program).hex())


def fits_an_argument(program: Program) -> bool:
    """Whether the program is short enough for a command line."""
    return 2 * len(encode(program)) <= _LONGEST_ARGUMENT
