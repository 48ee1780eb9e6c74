"""Edits as data: what may be tried on a program, one by one or many at once.

An edit names its place by the path or the index that it has in the program which it was
proposed for, so that any set of edits can be applied together. What an edit leaves behind need
not fit; `harness.reduce.repair` sees to that.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from harness.bytecode.program import Instruction
    from harness.pointer import program as p

Program = TypeVar("Program")


@dataclass(frozen=True, slots=True, kw_only=True)
class Drop:
    """Leave the statement out."""

    path: p.Path


@dataclass(frozen=True, slots=True, kw_only=True)
class DropArgument:
    """Leave an argument of a call out. number: among the call's arguments."""

    path: p.Path
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Replace:
    """Put another statement in its place."""

    path: p.Path
    statement: p.AnyStatement


@dataclass(frozen=True, slots=True, kw_only=True)
class Bypass:
    """Leave the statement out; what used the variable `to` takes `of`, which it was made of."""

    path: p.Path
    to: str
    of: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Inline:
    """Put a call's body in its place: arguments become borrows, which nothing protects."""

    path: p.Path


@dataclass(frozen=True, slots=True, kw_only=True)
class DropResult:
    """Let the program have no result."""


PointerEdit = Drop | DropArgument | Replace | Bypass | Inline | DropResult


@dataclass(frozen=True, slots=True, kw_only=True)
class DropInstruction:
    """Leave the instruction out; jumps to it go to the one behind it."""

    index: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplaceInstruction:
    """Put another instruction in its place."""

    index: int
    instruction: Instruction


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """Let the program begin with other bytes."""

    memory: bytes


BytecodeEdit = DropInstruction | ReplaceInstruction | Memory

Edit = PointerEdit | BytecodeEdit
