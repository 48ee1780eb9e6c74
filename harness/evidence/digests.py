"""Digests: short names for everything that decides an outcome.

A committed outcome must outlive whatever changes in the harness without touching it, so that
its digest is over the Rust that runs, and over the few modules that read what comes of it.
What lasts on one machine only goes by the whole package instead.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

from harness.bytecode.program import Program
from harness.bytecode.wire import encode
from harness.cases.case import Case
from harness.cases.story_case import StoryCase
from harness.engines.vm_crate import vm_files
from harness.mode import EVERY_MODE
from harness.pointer.program import PointerProgram
from harness.pointer.rust import write_library
from harness.story.block import Story
from harness.story.miri_rust import BATCH_MAIN, SAYING_IN_BATCH, modules, write_told
from harness.story.native_rust import runtime_files
from harness.story.rules import breach_by_name
from harness.toolchain.miri import mode_flags
from harness.toolchain.workspace import digest, read_tree

_PACKAGE = Path(__file__).parents[1]

DECIDING = (
    "diagnostics",
    "engines/marks.py",
    "engines/miri_mains",
    "engines/miri_records.py",
    "engines/places.py",
    "engines/result_line.py",
)
"""What stands around a program when Miri runs it, and what reads Miri's answer."""


@cache
def emission() -> str:
    """Of how programs are handed to Miri and how its answers are read."""
    flags = (" ".join(mode_flags(mode)) for mode in EVERY_MODE)
    return digest(*flags, *(_digest_of(_PACKAGE / path) for path in DECIDING))


@cache
def package() -> str:
    """Of the whole package, its Rust and its tables included."""
    files = {
        path.relative_to(_PACKAGE).as_posix(): path
        for suffix in ("py", "rs", "toml")
        for path in _PACKAGE.rglob(f"*.{suffix}")
    }
    # What a wheel gathers there is the user's input, or has a digest of its own.
    kept = sorted(name for name in files if not name.startswith("bundle/"))
    return digest(*(part for name in kept for part in (name, files[name].read_bytes())))


@cache
def rust_vm(folder: Path) -> str:
    """Of the Rust VM in a folder."""
    files = vm_files(folder)
    return digest(*(part for path in sorted(files) for part in (path, files[path])))


def of_case(case: Case) -> str:
    """Of all that a case says, the same in every process."""
    if isinstance(case, StoryCase):
        bare = repr(replace(case, program=_without_options(case.program)))
        return digest(of_blocks(case.program), bare)
    return digest(repr(case))


def of_text(program: PointerProgram) -> str:
    """Of a pointer program and all that this package could make of it."""
    return digest(package(), repr(program))


def of_rust(program: PointerProgram) -> str:
    """Of a pointer program as Miri interprets it: its Rust, the statement behind each line."""
    source = write_library([program])
    return digest(emission(), source.text, repr(source.lines))


def of_bytecode(program: Program, variant: str, vm_folder: Path) -> str:
    """Of a bytecode program as Miri interprets it: in a variant of the Rust VM."""
    return digest(emission(), rust_vm(vm_folder), variant, encode(program))


def of_own(program: Program, variant: str, crate: str) -> str:
    """Of a bytecode program in a variant of the user's own. crate: the digest of its sources."""
    return digest(emission(), crate, variant, encode(program))


def of_story(story: Story) -> str:
    """Of a story as Miri interprets it, and of what its names alone decide."""
    runtime = runtime_files(*modules(story), SAYING_IN_BATCH, BATCH_MAIN)
    files = (part for name in sorted(runtime) for part in (name, runtime[name]))
    readers = ["miri_story_batch.py", "story_miri.py"]
    if any(not block.returns for block in story.blocks):
        readers.append("story_parting.py")
    reading = digest(*(_digest_of(_PACKAGE / "engines" / name) for name in readers))
    by_name = repr(breach_by_name(story))
    return digest(emission(), reading, by_name, write_told(story).text(), *files)


def of_blocks(story: Story) -> str:
    """Of a story with its blocks, which the processor runs, and Miri does not."""
    options = repr([sorted(block.options) for block in story.blocks])
    return digest(options, repr(_without_options(story)))


def _without_options(story: Story) -> Story:
    """The story without its only sets, which each process writes out in an order of its own."""
    blocks = tuple(replace(block, options=frozenset()) for block in story.blocks)
    return replace(story, blocks=blocks)


def _digest_of(path: Path) -> str:
    files = read_tree(path) if path.is_dir() else {path.name: path.read_bytes()}
    return digest(*(part for name in sorted(files) for part in (name, files[name])))
