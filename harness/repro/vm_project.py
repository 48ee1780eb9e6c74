"""A bytecode program in the Rust VM, as a cargo project: its `main.rs`, and the VM beside it.

No single file shows what a variant does in the VM: the VM is its compiler, its loop and its
variants. So the project carries them as they are, and its own `main` is the program alone. A
crate of the user's stays where it is, and one that is a single file comes along.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from harness.bytecode.assembly import format_instruction
from harness.bytecode.wire import encode, encode_instruction
from harness.engines.own_crate import FILE_MANIFEST, FILE_PACKAGE, OWN_PACKAGE
from harness.engines.vm_crate import LIBRARY, TABLE, VM_PACKAGE, vm_files
from harness.outcome import Ran, Trapped
from harness.resources import rust_vm_dir
from harness.toolchain.cargo_metadata import toml_string

if TYPE_CHECKING:
    from pathlib import Path

    from harness.bytecode.program import Program
    from harness.engines.own_crate import OwnCrate
    from harness.outcome import Location, Outcome

_FILE = "own-variant"
"""The folder of a crate that is a single file."""

PACKAGE = "repro"
"""What a reproducer is called as a package."""

PACKAGES = (PACKAGE, OWN_PACKAGE)
"""With the one on top of a user's crate."""

MANIFEST = f"""\
[package]
name = "{PACKAGE}"
version = "0.0.0"
edition = "2024"
publish = false

[dependencies]
{VM_PACKAGE} = {{ path = "{VM_PACKAGE}" }}
%s
[workspace]
exclude = ["{VM_PACKAGE}", "{_FILE}"]
"""

_FILE_DEPENDENCY = f'{TABLE} = {{ package = "{FILE_PACKAGE}", path = "{_FILE}" }}\n'

MAIN = """\
use {table}::VARIANTS;

/// The program as the VM reads it.
#[rustfmt::skip]
const PROGRAM: &[u8] = &[
{program}
];

fn main() {{
    let variant = VARIANTS.iter().find(|each| each.name == "{variant}").unwrap();
    // SAFETY: none is claimed: whether the variant is sound is what this shows, and nothing
    // depends on the result but what is printed.
    let finished = unsafe {{ harness_vm::run(variant, PROGRAM, false) }}.unwrap();
    print!("{{}}", String::from_utf8_lossy(&harness_vm::command::result_line(&finished)));
}}
"""

_WIDTH = 92


def write_main(program: Program, variant: str, own: OwnCrate | None, place: Location | None) -> str:
    """The project's `main.rs` without a head.

    own: the crate of the variant, if it is no variant of the table. place: where the fault is.
    """
    return MAIN.format(
        table=LIBRARY if own is None else TABLE,
        program="\n".join(f"    {line}" for line in _program_lines(program, place)),
        variant=variant,
    )


def project_files(
    main: str, own: OwnCrate | None, *, vm_folder: Path | None = None
) -> dict[str, bytes]:
    """The files of the project. main: the text of its `main.rs`. vm_folder: another VM."""
    files = vm_files(vm_folder or rust_vm_dir())
    vm = {f"{VM_PACKAGE}/{path}": data for path, data in files.items()}
    return {**_around(own), **vm, "src/main.rs": main.encode()}


def _around(own: OwnCrate | None) -> Mapping[str, bytes]:
    """What makes a project of the main and the VM."""
    if own is None:
        return {"Cargo.toml": (MANIFEST % "").encode()}
    if own.path.suffix == ".rs":
        manifest = FILE_MANIFEST.format(vm_package=VM_PACKAGE, vm=toml_string(f"../{VM_PACKAGE}"))
        library = own.manifest.parent / "src" / "lib.rs"
        return {
            "Cargo.toml": (MANIFEST % _FILE_DEPENDENCY).encode(),
            f"{_FILE}/Cargo.toml": manifest.encode(),
            f"{_FILE}/src/lib.rs": library.read_bytes(),
        }
    kept = {path: own.files[path] for path in ("Cargo.toml", "Cargo.lock")}
    # The VM that is here takes the place of the crate's own.
    return {**kept, ".cargo/config.toml": f"paths = [{toml_string(VM_PACKAGE)}]\n".encode()}


def result_line(outcome: Outcome) -> str | None:
    """What the project prints where that is what comes of it; None where only the kind counts."""
    match outcome:
        case Ran(memory=bytes() as memory, steps=int() as steps):
            return f"ran {steps} {memory.hex() or '-'}"
        case Trapped(kind=kind, memory=bytes() as memory, location=place):
            return f"trapped {kind} {place.instruction} {place.operand} {memory.hex() or '-'}"
        case _:
            return None


def _program_lines(program: Program, place: Location | None) -> Iterator[str]:
    size = len(program.memory)
    yield f"// the memory's size ({size}), and how many steps it may take ({program.step_limit}):"
    yield from _numbers(encode(program)[:16])
    if size:
        yield "// the memory at the start:"
        yield from _numbers(program.memory)
    for index, instruction in enumerate(program.instructions):
        at = place is not None and place.instruction == index
        here = f"    <-- here, operand {place.operand}" if at and place and place.operand else ""
        here = here or ("    <-- here" if at else "")
        yield f"// {index}: {format_instruction(instruction)}{here}"
        yield from _numbers(encode_instruction(instruction))


def _numbers(data: bytes) -> list[str]:
    return textwrap.wrap("".join(f"{byte}, " for byte in data), _WIDTH)
