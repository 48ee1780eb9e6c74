"""Bytecode programs: instructions over one static memory.

Source: the opcodes of the users' forum thread that the project starts from
(`WriteConstU8 { addr, value }`, `AddU16 { addr_op1, addr_op2, addr_res }`, …).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

MEMORY_ALIGNMENT = 16
"""The memory's base address is a multiple of this, in bytes."""

ADDRESS_LIMIT = 1 << 64
"""One past the largest address that an instruction can hold."""


class Width(IntEnum):
    """Width of an operand in bytes; a value is unsigned and little-endian in memory."""

    U8 = 1
    U16 = 2

    @property
    def limit(self) -> int:
        """One past the largest value."""
        return 1 << (8 * self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Operand:
    """A memory operand: `width` bytes from `addr` on.

    name: the field's name in the opcode, as it stands in reports.
    addr: bytes from the memory's base.
    """

    name: str
    addr: int
    width: Width
    writes: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteConst:
    """Store `value` at `addr`.

    Raises: ValueError, for an address or a value that no instruction can hold.
    """

    width: Width
    addr: int
    value: int

    def __post_init__(self) -> None:
        _check_range("value", self.value, self.width.limit)
        _check_range("addr", self.addr, ADDRESS_LIMIT)

    def operands(self) -> tuple[Operand, ...]:
        """The memory operands in the order in which they are compiled."""
        return (Operand(name="addr", addr=self.addr, width=self.width, writes=True),)


@dataclass(frozen=True, slots=True, kw_only=True)
class Add:
    """Store the wrapping sum of the values at `addr_op1` and `addr_op2` at `addr_res`.

    Raises: ValueError, for an address that no instruction can hold.
    """

    width: Width
    addr_op1: int
    addr_op2: int
    addr_res: int

    def __post_init__(self) -> None:
        _check_range("addr_op1", self.addr_op1, ADDRESS_LIMIT)
        _check_range("addr_op2", self.addr_op2, ADDRESS_LIMIT)
        _check_range("addr_res", self.addr_res, ADDRESS_LIMIT)

    def operands(self) -> tuple[Operand, ...]:
        """The memory operands in the order in which they are compiled."""
        return (
            Operand(name="addr_op1", addr=self.addr_op1, width=self.width, writes=False),
            Operand(name="addr_op2", addr=self.addr_op2, width=self.width, writes=False),
            Operand(name="addr_res", addr=self.addr_res, width=self.width, writes=True),
        )


Instruction = WriteConst | Add


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """Instructions, and the memory's initial bytes (its size is their number)."""

    instructions: tuple[Instruction, ...]
    memory: bytes


def _check_range(name: str, number: int, limit: int) -> None:
    if not 0 <= number < limit:
        raise ValueError(f"{name} is {number}; it has to be from 0 to {limit - 1}")
