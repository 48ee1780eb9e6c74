"""Stories as data: blocks of assembly with their operands and promises, and the Rust for each.

Reference: `docs/stories.md`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

SCALARS: dict[str, int] = {
    **{f"{sign}{8 * size}": size for size in (1, 2, 4, 8) for sign in ("u", "i")},
    "usize": 8,
    "isize": 8,
    "f32": 4,
    "f64": 8,
    "__m128": 16,
    "__m128i": 16,
    "__m128d": 16,
    "__m256": 32,
    "__m256i": 32,
    "__m256d": 32,
}
"""Bytes of each type that an operand may have, beside raw pointers."""

_POINTER = re.compile(r"\*(?:const|mut) ([A-Za-z_][A-Za-z0-9_]*)")


class Access(StrEnum):
    """What a block does with an operand, as `asm!` has it."""

    IN = "in"
    OUT = "out"
    LATEOUT = "lateout"
    INOUT = "inout"
    INLATEOUT = "inlateout"

    @property
    def is_read(self) -> bool:
        return self in (Access.IN, Access.INOUT, Access.INLATEOUT)

    @property
    def is_written(self) -> bool:
        return self is not Access.IN


class Option(StrEnum):
    """What a block promises, as `options(…)` of `asm!` has it."""

    PURE = "pure"
    NOMEM = "nomem"
    READONLY = "readonly"
    PRESERVES_FLAGS = "preserves_flags"
    NOSTACK = "nostack"
    NORETURN = "noreturn"


class Borrow(StrEnum):
    """What the pointer that an operand brings was made from."""

    RAW = "raw"
    SHARED = "shared"
    EXCLUSIVE = "exclusive"


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """What a pointer operand points to when its inputs are drawn.

    size, align: in bytes. initialised: whether the bytes are drawn, or left as they are.
    """

    size: int
    align: int
    borrow: Borrow = Borrow.RAW
    initialised: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Operand:
    """One operand of a block.

    register: a class, such as `reg`, or the name of one register.
    type: as Rust has it. ranges: what its value is drawn from, both ends included; None is any.
    memory: None where no pointer is drawn.
    dropped: whether what the block leaves in it goes nowhere, as with `_` in `asm!`.
    """

    name: str
    access: Access
    register: str
    type: str
    ranges: tuple[tuple[int, int], ...] | None = None
    memory: Memory | None = None
    dropped: bool = False

    @property
    def is_output(self) -> bool:
        """Whether the block gives a value in it."""
        return self.access.is_written and not self.dropped

    @property
    def pointee(self) -> str | None:
        """The type that it points to; None if it is no pointer."""
        found = _POINTER.fullmatch(self.type)
        return found[1] if found else None

    @property
    def size(self) -> int:
        """Bytes of the value in its register."""
        return SCALARS.get(self.type, 8)

    @property
    def is_float(self) -> bool:
        return self.type in ("f32", "f64")

    @property
    def is_drawable(self) -> bool:
        """Whether there is a way to make up its value."""
        return not self.access.is_read or self.pointee is None or self.memory is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """An `asm!` block or a call of a foreign function, and its story.

    template: what stands in the block; empty for a foreign function.
    function: the foreign function's name; empty for assembly.
    library: where the function is, as a linker names it; empty for C's own.
    clobbers: registers that it says to overwrite; `C` is all that a C function may.
    touches: the statics that it may reach, by their names.
    story: statements over the operands and those statics.
    """

    name: str
    template: str = ""
    function: str = ""
    library: str = ""
    operands: tuple[Operand, ...] = ()
    options: frozenset[Option] = frozenset()
    clobbers: tuple[str, ...] = ()
    touches: tuple[str, ...] = ()
    story: str

    @property
    def inputs(self) -> tuple[Operand, ...]:
        return tuple(each for each in self.operands if each.access.is_read)

    @property
    def outputs(self) -> tuple[Operand, ...]:
        return tuple(each for each in self.operands if each.is_output)

    @property
    def returns(self) -> bool:
        """Whether anything comes after it."""
        return Option.NORETURN not in self.options

    @property
    def is_drawable(self) -> bool:
        """Whether it can be run on drawn states."""
        return all(each.is_drawable for each in self.operands)


@dataclass(frozen=True, slots=True, kw_only=True)
class Static:
    """A static that blocks may touch: its type, and the Rust expression that it begins as."""

    name: str
    type: str
    initial: str

    @property
    def rust_type(self) -> str:
        """The type as it can be named anywhere."""
        return f"std::sync::atomic::{self.type}" if self.type.startswith("Atomic") else self.type


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """Blocks with their stories, and Rust that uses them.

    arch: what the assembly is written for, as `target_arch` has it.
    features: of the processor, which the blocks need.
    program: statements that call the blocks by their names; empty where drawn inputs will do.
    rounds: how often the program runs natively.
    litmus: the program's threads alone could tell a difference, so that seeing none is nothing.
    unrunnable: why the blocks cannot run natively; empty where they can.
    """

    arch: str
    blocks: tuple[Block, ...]
    statics: tuple[Static, ...] = ()
    features: tuple[str, ...] = ()
    program: str = ""
    rounds: int = 1
    litmus: bool = False
    unrunnable: str = ""

    def texts(self) -> Iterator[tuple[str, str]]:
        """Every piece of Rust in it, with the name that places in it go by."""
        for block in self.blocks:
            yield block.name, block.story
        if self.program:
            yield PROGRAM, self.program


PROGRAM = "program"
"""What places in the program go by; no block is called so."""
