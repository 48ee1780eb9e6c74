"""The way that a bytecode program takes, which the program that it is lowered to takes too."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.bytecode.program import Program


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """The way that a program takes. It is asserted again by what the program is lowered to.

    path: the instructions that run, in order, by their indices.
    stops_before: the one that the step limit keeps from running, if it does.
    blocks: by position in the path, what its copies and fills move that do not trap.
    sizes: by position, how large the memory is once it was to grow there, if it could.
    numbers: by position, how many bytes are to be allocated or given back, or a pointer moved by.
    """

    path: tuple[int, ...]
    stops_before: int | None = None
    blocks: Mapping[int, Block] = field(default_factory=dict)
    sizes: Mapping[int, int] = field(default_factory=dict)
    numbers: Mapping[int, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """Bytes that are moved at once. backwards: where one by one, then from the last on."""

    size: int
    backwards: bool = False


def straight(program: Program) -> Way:
    """Every instruction once."""
    return Way(path=tuple(range(len(program.instructions))))


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """How many bytes are moved, or copied or filled in, and how.

    size: the variable that holds their number. overlapping: the ranges may overlap.
    block: what the reference VM moved, for a design that does it byte by byte.
    """

    size: str
    overlapping: bool
    block: Block
