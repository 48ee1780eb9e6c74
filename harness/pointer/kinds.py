"""What kind of thing each variable of a pointer program is, and of what size."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from harness.pointer import program as p

if TYPE_CHECKING:
    from collections.abc import Callable

MIX_SIZE = 3
"""Bytes of a `Mix`."""


class Borrow(StrEnum):
    """Kinds of references."""

    MUT = "&mut"
    MUT_CELL = "&mut Cell"
    SHARED = "&"
    CELL = "&Cell"
    UNSAFE_CELL = "&UnsafeCell"
    MIX = "&Mix"

    @property
    def is_unique(self) -> bool:
        return self in (Borrow.MUT, Borrow.MUT_CELL)


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalArray:
    """An array on the stack, named by itself. size: bytes of PLACE, without padding."""

    size: int
    align: int = 1
    initialised: bool = True

    def __str__(self) -> str:
        return "a local"


@dataclass(frozen=True, slots=True, kw_only=True)
class RawPointer:
    """A `*mut [u8; size]`."""

    size: int

    def __str__(self) -> str:
        return "a raw pointer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """A reference to `size` bytes, whose type has the alignment `align`."""

    borrow: Borrow
    size: int
    align: int = 1

    def __str__(self) -> str:
        return f"a {self.borrow}"


@dataclass(frozen=True, slots=True, kw_only=True)
class BoxParameter:
    """A parameter of type `Box<[u8; size]>`."""

    size: int

    def __str__(self) -> str:
        return "a box"


@dataclass(frozen=True, slots=True, kw_only=True)
class Integer:
    """A `usize`."""

    def __str__(self) -> str:
        return "an integer"


Pointing = RawPointer | Reference | BoxParameter
Placed = LocalArray | Pointing
"""What has a PLACE."""

Kind = Placed | Integer


def argument_kind(argument: p.Argument) -> Kind:
    """What the parameter is that takes `argument`."""
    match argument.as_:
        case "mut":
            return Reference(borrow=Borrow.MUT, size=argument.size)
        case "mut_cell":
            return Reference(borrow=Borrow.MUT_CELL, size=argument.size)
        case "shared":
            return Reference(borrow=Borrow.SHARED, size=argument.size)
        case "cell":
            return Reference(borrow=Borrow.CELL, size=argument.size)
        case "mix":
            return Reference(borrow=Borrow.MIX, size=argument.size)
        case "boxed":
            return BoxParameter(size=argument.size)


def default_size(as_: p.ArgumentKind, of: Kind) -> int:
    """The size of an argument that is borrowed from `of` and does not say it."""
    return MIX_SIZE if as_ == "mix" else _size(of)


def place_text(name: str, kind: Kind) -> str:
    """PLACE of the variable `name`, as the text form has it."""
    return name if isinstance(kind, LocalArray) else f"*{name}"


def bound_kind(statement: p.AnyStatement, kind_of: Callable[[str], Kind]) -> Kind | None:
    """What the variable `statement.to` is; None where the statement binds none.

    A call's returned values are not among them: they are what the body's variables are.

    kind_of: what another variable is; its exceptions pass through.
    """
    match statement:
        case p.Local():
            return LocalArray(
                size=statement.size,
                align=statement.align,
                initialised=statement.init is not None,
            )
        case (
            p.Heap()
            | p.Static()
            | p.Box()
            | p.Sub()
            | p.FromExposed()
            | p.WithAddr()
            | p.Transmute()
            | p.LoadPtr()
        ):
            return RawPointer(size=statement.size)
        case p.AsMutPtr() | p.AsPtr():
            return RawPointer(size=_size(kind_of(statement.of)))
        case p.RefMix():
            return Reference(borrow=Borrow.MIX, size=MIX_SIZE)
        case p.RawMut() | p.RawConst() | p.RefMut() | p.RefShared() | p.RefCell():
            return _borrowed(statement, _size(kind_of(statement.of)))
        case p.Expose() | p.Addr() | p.TransmuteAddr() | p.Int() | p.Arithmetic():
            return Integer()
        case p.Read():
            return None if statement.to is None else Integer()
        case _:
            return None


def part_size(statement: p.RawMut | p.RawConst | p.RefMut | p.RefShared | p.RefCell) -> int | None:
    """Bytes of the part that is borrowed; None for all of PLACE."""
    return None if statement.at is None else statement.size or 1


def _borrowed(
    statement: p.RawMut | p.RawConst | p.RefMut | p.RefShared | p.RefCell, whole: int
) -> Kind:
    part = part_size(statement)
    size = whole if part is None else part
    match statement:
        case p.RawMut() | p.RawConst():
            return RawPointer(size=size)
        case p.RefMut():
            borrow = Borrow.MUT_CELL if statement.cell else Borrow.MUT
            return Reference(borrow=borrow, size=size, align=statement.align)
        case p.RefShared():
            return Reference(borrow=Borrow.SHARED, size=size, align=statement.align)
        case p.RefCell():
            borrow = Borrow.UNSAFE_CELL if statement.unsafe_cell else Borrow.CELL
            return Reference(borrow=borrow, size=size, align=statement.align)


def _size(kind: Kind) -> int:
    return 0 if isinstance(kind, Integer) else kind.size
