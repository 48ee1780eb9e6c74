"""Traps: why an operand cannot be touched, or an instruction not go on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.bytecode.operands import Width
from harness.outcome import TrapKind

if TYPE_CHECKING:
    from harness.reference.block import Block


class Stop(Exception):
    """A trap in running. operand: its name."""

    def __init__(self, kind: TrapKind, operand: str) -> None:
        super().__init__(kind)
        self.kind = kind
        self.operand = operand


def trap_at(addr: int, width: Width, size: int) -> TrapKind | None:
    """Why there is no value at `addr` in a memory of `size` bytes; None if there is one.

    Being out of bounds comes before being misaligned. The memory's base is aligned to
    every width, so that an address is aligned if its offset is.
    """
    if addr + width > size:
        return TrapKind.OUT_OF_BOUNDS
    if addr % width != 0:
        return TrapKind.MISALIGNED
    return None


def found(memory: Block, addr: int, width: Width, operand: str) -> int:
    """The address that lies at `addr`, of a value that is there. Raises: Stop."""
    address = memory.load(addr, Width.U64)
    kind = trap_at(address, width, len(memory.data))
    if kind is not None:
        raise Stop(kind, operand)
    return address
