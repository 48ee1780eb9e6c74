"""Targets: what Miri interprets a program for, and how memory is laid out there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

ByteOrder = Literal["little", "big"]
"""Which byte of a value lies at its lowest address; as `int.from_bytes` has it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """How values lie in memory. pointer_size: in bytes."""

    pointer_size: int
    byte_order: ByteOrder


STATED = Layout(pointer_size=8, byte_order="little")
"""The layout that cases speak of, and that of the machines that the harness runs on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A target other than the host. triple: rustc's name of it."""

    triple: str
    layout: Layout

    def __str__(self) -> str:
        return self.triple

    def lacks_pointers(self) -> str | None:
        """Why no pointer program can be judged there; None if one can.

        The integers of the pointer language are a `usize` in Rust, of 64 bits.
        """
        size = self.layout.pointer_size
        if size == STATED.pointer_size:
            return None
        wanted = STATED.pointer_size
        return f"pointer programs have pointers of {wanted} bytes, {self} has them of {size}"
