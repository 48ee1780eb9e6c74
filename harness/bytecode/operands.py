"""What an instruction touches: operands, their widths, and what every instruction class shares."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import ClassVar

ADDRESS_LIMIT = 1 << 64
"""One past the largest address that an instruction can hold."""

REGISTERS = 16
"""How many pointers a program can hold outside of any memory: `p0` and so on."""


class Width(IntEnum):
    """Width of an operand in bytes; a value is unsigned and little-endian in memory."""

    U8 = 1
    U16 = 2
    U32 = 4
    U64 = 8

    @property
    def limit(self) -> int:
        """One past the largest value."""
        return 1 << (8 * self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Operand:
    """A memory operand that stands in the program: `width` bytes from `addr` on.

    name: the field's name in the opcode, as it stands in reports.
    addr: bytes from the memory's base.
    """

    name: str
    addr: int
    width: Width
    writes: bool


AT_OP = "at_op"
"""The name of the operand that lies where the address at `addr_op` or the pointer `ptr_op` says."""

AT_RES = "at_res"
"""Likewise of the one that is written, with `addr_res` or `ptr_res`."""

FRAME = "frame"
"""The name of what a `return` gives back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Touch:
    """One memory operand of an instruction class. width: None for the instruction's own."""

    name: str
    writes: bool
    width: Width | None = None


def reads(name: str, width: Width | None = None) -> Touch:
    return Touch(name=name, writes=False, width=width)


def writes(name: str, width: Width | None = None) -> Touch:
    return Touch(name=name, writes=True, width=width)


@dataclass(frozen=True, slots=True, kw_only=True)
class Touching:
    """What every instruction class shares.

    touches: its memory operands. targets, registers: the fields that hold an instruction's index,
    or a register's. computes: the names of the operands that are found in running.

    Raises: ValueError, for a number that no instruction can hold.
    """

    touches: ClassVar[tuple[Touch, ...]] = ()
    targets: ClassVar[tuple[str, ...]] = ()
    registers: ClassVar[tuple[str, ...]] = ()
    computes: ClassVar[tuple[str, ...]] = ()

    def __post_init__(self) -> None:
        for touch in self.touches:
            check_range(touch.name, getattr(self, touch.name), ADDRESS_LIMIT)
        for name in self.targets:
            check_range(name, getattr(self, name), ADDRESS_LIMIT)
        for name in self.registers:
            check_range(name, getattr(self, name), REGISTERS)

    def operands(self) -> tuple[Operand, ...]:
        """The memory operands in the order in which they are compiled."""
        return tuple(
            Operand(
                name=touch.name,
                addr=getattr(self, touch.name),
                width=touch.width or getattr(self, "width"),  # noqa: B009 # not every class has it
                writes=touch.writes,
            )
            for touch in self.touches
        )


def check_range(name: str, number: int, limit: int) -> None:
    """Raises: ValueError, unless `number` is from 0 to below `limit`."""
    if not 0 <= number < limit:
        raise ValueError(f"{name} is {number}; it has to be from 0 to {limit - 1}")
