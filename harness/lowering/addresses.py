"""Variants whose operands are addresses, which become pointers at each access."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.lowering.builder import OWNER, Builder
from harness.lowering.design import Design, read_value, write_value
from harness.lowering.host import lend_and_read, lend_and_write
from harness.lowering.raw_pointers import BASE, between
from harness.pointer import program as p

if TYPE_CHECKING:
    from harness.bytecode.operands import Operand
    from harness.lowering.way import Move

BASE_ADDRESS = "base_address"

CONTEXT = "context_ptr"
"""The pointer by which compiled code knows its context: the base's address, and the length."""

_WORD = 8


class Addresses(Design):
    """An operand is the base's address and its own added up. What follows says how it is used."""

    def over(self, builder: Builder) -> None:
        builder.add(p.AsMutPtr(to=builder.now(BASE), of=builder.now(OWNER)))
        builder.add(p.Addr(to=builder.now(BASE_ADDRESS), of=builder.now(BASE)))

    def point(self, builder: Builder, to: str, address: str, size: int) -> None:
        """`to` becomes a pointer to `size` bytes at the address that the variable has."""
        raise NotImplementedError

    def compile(self, builder: Builder, operands: tuple[Operand, ...]) -> None:
        for operand in operands:
            builder.of_operand(operand)
            left, right = self.sides(builder, operand)
            to = builder.name("at", operand)
            builder.add(p.Arithmetic(to=to, operator="add", left=left, right=right, width=8))

    def sides(self, builder: Builder, operand: Operand) -> tuple[str, str]:
        """What is added up."""
        return builder.now(BASE_ADDRESS), builder.address(operand)

    def load(self, builder: Builder, operand: Operand) -> str:
        return read_value(builder, self._pointer(builder, operand), operand)

    def store(self, builder: Builder, operand: Operand, value: p.IntOperand) -> None:
        write_value(builder, self._pointer(builder, operand), operand, value)

    def copy(self, builder: Builder, source: Operand, to: Operand, move: Move) -> None:
        for operand in (source, to):
            self.compile(builder, (operand,))
            self._pointer(builder, operand)
        between(builder, "p", source, to, move)

    def fill(self, builder: Builder, to: Operand, byte: str, move: Move) -> None:
        self.compile(builder, (to,))
        builder.add(p.Fill(ptr=self._pointer(builder, to), value=byte, size=move.size))

    def pointer_to(self, builder: Builder, operand: Operand) -> str:
        self.compile(builder, (operand,))
        return self._pointer(builder, operand)

    def host_read(self, builder: Builder, operand: Operand) -> str:
        return lend_and_read(builder, self._whole(builder, operand), operand)

    def host_write(self, builder: Builder, operand: Operand, value: str) -> None:
        lend_and_write(builder, self._whole(builder, operand), operand, value)

    def base(self, builder: Builder, operand: Operand) -> str:
        """The variable that has the base's address, for an access of the operand."""
        return builder.now(BASE_ADDRESS)

    def address(self, builder: Builder, operand: Operand) -> str:
        """The variable that has the address of the operand's first byte."""
        return builder.made("at", operand)

    def _whole(self, builder: Builder, operand: Operand) -> str:
        """A pointer to all of the memory, for a call that lends it."""
        builder.of_operand(operand)
        whole = builder.name("whole", operand)
        self.point(builder, whole, self.base(builder, operand), builder.size)
        return whole

    def _pointer(self, builder: Builder, operand: Operand) -> str:
        made = builder.name("p", operand)
        self.point(builder, made, self.address(builder, operand), operand.width)
        return made


class Stored(Addresses):
    """A pointer lies in memory as its address."""

    def address_of(self, builder: Builder, to: str, of: str) -> None:
        """`to` becomes the address of a pointer."""
        builder.add(p.Addr(to=to, of=of))

    def read_pointer(self, builder: Builder, to: str, at: str) -> None:
        address = builder.result("stored")
        builder.add(p.Read(ptr=at, at=0, width=8, to=address))
        self.point(builder, to, address, 1)

    def write_pointer(self, builder: Builder, at: str, of: str) -> None:
        address = builder.result("stored")
        self.address_of(builder, address, of)
        builder.add(p.Write(ptr=at, at=0, width=8, value=address))


class Unexposed(Stored):
    """`unexposed`: as if they had been exposed."""

    def point(self, builder: Builder, to: str, address: str, size: int) -> None:
        builder.add(p.FromExposed(to=to, int_=address, offset=0, size=size))


class Exposed(Unexposed):
    """`exposed`: the base's provenance is exposed once; it is added on either side."""

    def over(self, builder: Builder) -> None:
        builder.add(p.RawMut(to=builder.now(BASE), of=builder.now(OWNER)))
        builder.add(p.Expose(to=builder.now(BASE_ADDRESS), of=builder.now(BASE)))

    def address_of(self, builder: Builder, to: str, of: str) -> None:
        builder.add(p.Expose(to=to, of=of))

    def sides(self, builder: Builder, operand: Operand) -> tuple[str, str]:
        left, right = super().sides(builder, operand)
        return (right, left) if operand.name == "addr_op2" else (left, right)


class VmPtrs(Unexposed):
    """`vm-ptr`: the exposed address lies in a context, and is read out of it for each access."""

    def over(self, builder: Builder) -> None:
        builder.add(p.Local(to="context", size=2 * _WORD, init=None, align=_WORD))
        builder.add(p.RawMut(to=CONTEXT, of="context"))
        self.grown(builder)

    def grown(self, builder: Builder) -> None:
        """The context is written anew; no operand knows."""
        base, address = builder.now(BASE), builder.now(BASE_ADDRESS)
        builder.add(p.RawMut(to=base, of=builder.now(OWNER)))
        builder.add(p.Expose(to=address, of=base))
        fields: tuple[p.IntOperand, ...] = (address, builder.size)
        for at, value in zip((0, _WORD), fields, strict=True):
            builder.add(p.Write(ptr=CONTEXT, at=at, width=_WORD, value=value, aligned=True))

    def compile(self, builder: Builder, operands: tuple[Operand, ...]) -> None:
        """An operand stays an address in the guest."""

    def address_of(self, builder: Builder, to: str, of: str) -> None:
        builder.add(p.Expose(to=to, of=of))

    def base(self, builder: Builder, operand: Operand) -> str:
        base = builder.name("base", operand)
        builder.add(p.Read(ptr=CONTEXT, at=0, width=_WORD, to=base, aligned=True))
        return base

    def address(self, builder: Builder, operand: Operand) -> str:
        base, at = self.base(builder, operand), builder.name("at", operand)
        right = builder.address(operand)
        builder.add(p.Arithmetic(to=at, operator="add", left=base, right=right, width=_WORD))
        return at


class WithAddr(Addresses):
    """`with-addr`: the base's provenance at each address."""

    def point(self, builder: Builder, to: str, address: str, size: int) -> None:
        base = builder.now(BASE)
        builder.add(p.WithAddr(to=to, of=base, int_=address, offset=0, size=size))


class Transmuted(Stored):
    """`transmuted`: the bits of each address."""

    def address_of(self, builder: Builder, to: str, of: str) -> None:
        builder.add(p.TransmuteAddr(to=to, of=of))

    def point(self, builder: Builder, to: str, address: str, size: int) -> None:
        builder.add(p.Transmute(to=to, int_=address, offset=0, size=size))
