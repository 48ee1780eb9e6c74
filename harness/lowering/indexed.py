"""`index`: operands stay addresses, and the borrowed slice is indexed byte by byte."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.lowering.builder import OWNER, Builder
from harness.lowering.cells import join_bytes, split_bytes
from harness.lowering.design import Design
from harness.lowering.host import lend_and_read, lend_and_write
from harness.lowering.raw_pointers import copy_bytes, fill_bytes
from harness.lowering.way import Move
from harness.pointer import program as p

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.bytecode.operands import Operand

VIEW = "view"


class Index(Design):
    """Safe code: each access has its own bounds check."""

    def over(self, builder: Builder) -> None:
        builder.add(p.RefMut(to=builder.now(VIEW), of=builder.now(OWNER)))

    def compile(self, builder: Builder, operands: tuple[Operand, ...]) -> None:
        """Nothing is made of an address."""

    def load(self, builder: Builder, operand: Operand) -> str:
        return join_bytes(builder, operand, _places(builder, operand, "load"))

    def store(self, builder: Builder, operand: Operand, value: p.IntOperand) -> None:
        split_bytes(builder, operand, value, _places(builder, operand, "store"))

    def copy(self, builder: Builder, source: Operand, to: Operand, move: Move) -> None:
        """`copy_within`, whose parameter is protected while it copies."""
        whole = Move(size=move.size, overlapping=True, block=move.block)
        _with_base(builder, to, lambda base: copy_bytes(builder, base, source, to, whole))

    def fill(self, builder: Builder, to: Operand, byte: str, move: Move) -> None:
        """`fill` of a part of the slice, likewise."""
        _with_base(builder, to, lambda base: fill_bytes(builder, base, to, byte, move))

    def host_read(self, builder: Builder, operand: Operand) -> str:
        return lend_and_read(builder, builder.now(VIEW), operand)

    def host_write(self, builder: Builder, operand: Operand, value: str) -> None:
        lend_and_write(builder, builder.now(VIEW), operand, value)


def _with_base(builder: Builder, operand: Operand, act: Callable[[str], None]) -> None:
    """A call of a slice's method that takes a pointer of itself."""
    builder.of_operand(operand)
    borrow, base = builder.borrow("view"), builder.name("base", operand)

    def body() -> tuple[p.Return, ...]:
        builder.add(p.AsMutPtr(to=base, of=borrow))
        act(base)
        return ()

    builder.call((builder.all_of("mut", borrow, builder.now(VIEW)),), body)


def _places(builder: Builder, operand: Operand, prefix: str) -> list[tuple[str, p.IntOperand]]:
    """The index of each of the operand's bytes."""
    address = builder.address(operand)
    places: list[tuple[str, p.IntOperand]] = [(builder.now(VIEW), address)]
    for byte in range(1, operand.width):
        index = builder.name(f"{prefix}{byte}", operand)
        builder.add(p.Arithmetic(to=index, operator="add", left=address, right=byte, width=8))
        places.append((builder.now(VIEW), index))
    return places
