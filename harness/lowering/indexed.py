"""`index`: operands stay addresses, and the borrowed slice is indexed byte by byte."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.lowering.cells import join_bytes, split_bytes
from harness.lowering.design import OWNER, Builder, Design
from harness.pointer import program as p

if TYPE_CHECKING:
    from harness.bytecode.program import Operand

VIEW = "view"


class Index(Design):
    """Safe code: each access has its own bounds check."""

    def over(self, builder: Builder) -> None:
        builder.add(p.RefMut(to=VIEW, of=OWNER))

    def compile(self, builder: Builder, operands: tuple[Operand, ...]) -> None:
        """Nothing is made of an address."""

    def load(self, builder: Builder, operand: Operand) -> str:
        return join_bytes(builder, operand, _places(builder, operand, "load"))

    def store(self, builder: Builder, operand: Operand, value: p.IntOperand) -> None:
        split_bytes(builder, operand, value, _places(builder, operand, "store"))


def _places(builder: Builder, operand: Operand, prefix: str) -> list[tuple[str, p.IntOperand]]:
    """The index of each of the operand's bytes."""
    address = builder.address(operand)
    places: list[tuple[str, p.IntOperand]] = [(VIEW, address)]
    for byte in range(1, operand.width):
        index = builder.name(f"{prefix}{byte}", operand)
        builder.add(p.Arithmetic(to=index, operator="add", left=address, right=byte, width=8))
        places.append((VIEW, index))
    return places
