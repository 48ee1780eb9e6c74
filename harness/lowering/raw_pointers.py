"""Variants whose operands are raw pointers, read and written as such.

They differ in where the pointers come from: `raw`, `slice-ptr` and `wrapped` derive all of
them from one, `owner` does too but lets the owner's borrow in between, and `reborrow` borrows
the memory anew for each.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.lowering.builder import OWNER, Builder
from harness.lowering.design import Design, read_value, write_value
from harness.lowering.growth import initial_bytes
from harness.lowering.host import lend_and_read, lend_and_write
from harness.pointer import program as p

if TYPE_CHECKING:
    from harness.bytecode.operands import Operand
    from harness.lowering.way import Move

BASE = "base"


class Raw(Design):
    """`raw`: one `as_mut_ptr()`, from which every operand is an offset."""

    def over(self, builder: Builder) -> None:
        builder.add(p.AsMutPtr(to=builder.now(BASE), of=builder.now(OWNER)))

    def base(self, builder: Builder) -> str:
        """The pointer that the others are made of."""
        return builder.now(BASE)

    def compile(self, builder: Builder, operands: tuple[Operand, ...]) -> None:
        for operand in operands:
            builder.of_operand(operand)
            offset_from(builder, self.base(builder), operand, builder.name("p", operand))

    def load(self, builder: Builder, operand: Operand) -> str:
        return read_value(builder, builder.made("p", operand), operand)

    def store(self, builder: Builder, operand: Operand, value: p.IntOperand) -> None:
        write_value(builder, builder.made("p", operand), operand, value)

    def copy(self, builder: Builder, source: Operand, to: Operand, move: Move) -> None:
        copy_bytes(builder, self.base(builder), source, to, move)

    def fill(self, builder: Builder, to: Operand, byte: str, move: Move) -> None:
        fill_bytes(builder, self.base(builder), to, byte, move)

    def pointer_to(self, builder: Builder, operand: Operand) -> str:
        pointer = builder.name("q", operand)
        offset_from(builder, self.base(builder), operand, pointer)
        return pointer

    def host_read(self, builder: Builder, operand: Operand) -> str:
        return lend_and_read(builder, self.base(builder), operand)

    def host_write(self, builder: Builder, operand: Operand, value: str) -> None:
        lend_and_write(builder, self.base(builder), operand, value)


class SharedBase(Raw):
    """`shared-base`: as `non-null`, but of a shared reborrow."""

    def over(self, builder: Builder) -> None:
        shared = builder.now("shared")
        builder.add(p.RefShared(to=shared, of=builder.now(OWNER)))
        builder.add(p.RawConst(to=builder.now(BASE), of=shared))


class CachedBase(Raw):
    """`cached-base`: the base is the first one, whatever the memory has grown to."""

    def base(self, builder: Builder) -> str:
        return BASE

    def grown(self, builder: Builder) -> None:
        """Nothing is made anew."""


class KeptBorrow(Raw):
    """`kept-borrow`: the host is lent the owner's borrow, beside the base that is made of it."""

    def host_read(self, builder: Builder, operand: Operand) -> str:
        return lend_and_read(builder, builder.now(OWNER), operand)

    def host_write(self, builder: Builder, operand: Operand, value: str) -> None:
        lend_and_write(builder, builder.now(OWNER), operand, value)


class LentBorrow(Raw):
    """`lent-borrow`: the host keeps a `&mut` of all of it while it enters the VM."""

    def kept_by_host(self, builder: Builder, operand: Operand) -> str | None:
        kept = builder.name("kept", operand)
        builder.add(p.RefMut(to=kept, of=self.base(builder)))
        return kept


class Owner(KeptBorrow):
    """`owner`: the owner copies the initial bytes in once the operands are made."""

    def compiled(self, builder: Builder, memory: bytes) -> None:
        """`copy_from_slice`, whose parameters are protected while it copies."""
        builder.add(p.Local(to="initial", size=builder.size, init=initial_bytes(memory)))

        def copy() -> tuple[p.Return, ...]:
            builder.add(p.RawMut(to="target", of="self"))
            builder.add(p.RawConst(to="origin", of="source"))
            builder.add(
                p.Copy(from_="origin", to_ptr="target", size=builder.size, overlapping=False)
            )
            return ()

        args = (
            builder.all_of("mut", "self", builder.now(OWNER)),
            builder.all_of("shared", "source", "initial"),
        )
        builder.call(args, copy)


class HandedOver(Raw):
    """`wrapped`: the base is handed to a function that compiles."""

    def compile(self, builder: Builder, operands: tuple[Operand, ...]) -> None:
        def body() -> tuple[p.Return, ...]:
            return tuple(self._operand(builder, operand) for operand in operands)

        builder.call((), body)

    def _operand(self, builder: Builder, operand: Operand) -> p.Return:
        builder.of_operand(operand)
        made = builder.name("q", operand)
        offset_from(builder, self.base(builder), operand, made)
        return p.Return(to=builder.name("p", operand), of=made)


class SlicePtr(HandedOver):
    """`slice-ptr`: the borrow is cast to a `*mut [u8]`, which is handed over."""

    def over(self, builder: Builder) -> None:
        builder.add(p.RawMut(to=builder.now(BASE), of=builder.now(OWNER)))


class NonNullBase(Raw):
    """`non-null`: as `raw`, but the base is made of the borrow by `NonNull::from`."""

    def over(self, builder: Builder) -> None:
        builder.add(p.RawMut(to=builder.now(BASE), of=builder.now(OWNER)))


class NonNullAsInteger(Raw):
    """`non-null-as-integer`: a `NonNull` is stored, and what is loaded is transmuted back."""

    def read_pointer(self, builder: Builder, to: str, at: str) -> None:
        bits = builder.result("bits")
        builder.add(p.Read(ptr=at, at=0, width=8, to=bits))
        builder.add(p.Transmute(to=to, int_=bits, offset=0, size=1))


class Reborrow(Raw):
    """`reborrow`: the borrow itself is handed over, each operand has its own `as_mut_ptr()`."""

    def over(self, builder: Builder) -> None:
        """The borrow is taken anew for each instruction."""

    def compile(self, builder: Builder, operands: tuple[Operand, ...]) -> None:
        borrow = builder.borrow("memory")

        def body() -> tuple[p.Return, ...]:
            return tuple(self._operand(builder, borrow, operand) for operand in operands)

        builder.call((builder.all_of("mut", borrow, builder.now(OWNER)),), body)

    def _operand(self, builder: Builder, borrow: str, operand: Operand) -> p.Return:
        builder.of_operand(operand)
        base, made = builder.name("base", operand), builder.name("q", operand)
        builder.add(p.AsMutPtr(to=base, of=borrow))
        offset_from(builder, base, operand, made)
        return p.Return(to=builder.name("p", operand), of=made)

    def copy(self, builder: Builder, source: Operand, to: Operand, move: Move) -> None:
        """A function that takes the memory and borrows it anew on each side."""
        borrow = builder.borrow("memory")

        def body() -> tuple[p.Return, ...]:
            for operand in (source, to):
                builder.of_operand(operand)
                base = builder.name("base", operand)
                builder.add(p.AsMutPtr(to=base, of=borrow))
                offset_from(builder, base, operand, builder.name("q", operand))
            between(builder, "q", source, to, move)
            return ()

        builder.call((builder.all_of("mut", borrow, builder.now(OWNER)),), body)

    def fill(self, builder: Builder, to: Operand, byte: str, move: Move) -> None:
        builder.of_operand(to)
        base = builder.name("base", to)
        builder.add(p.AsMutPtr(to=base, of=builder.now(OWNER)))
        fill_bytes(builder, base, to, byte, move)

    def pointer_to(self, builder: Builder, operand: Operand) -> str:
        base, pointer = builder.name("base", operand), builder.name("q", operand)
        builder.add(p.AsMutPtr(to=base, of=builder.now(OWNER)))
        offset_from(builder, base, operand, pointer)
        return pointer

    def host_read(self, builder: Builder, operand: Operand) -> str:
        return lend_and_read(builder, builder.now(OWNER), operand)

    def host_write(self, builder: Builder, operand: Operand, value: str) -> None:
        lend_and_write(builder, builder.now(OWNER), operand, value)


def copy_bytes(builder: Builder, base: str, source: Operand, to: Operand, move: Move) -> None:
    """`ptr::copy` or `ptr::copy_nonoverlapping` of bytes at offsets from one pointer."""
    for operand in (source, to):
        builder.of_operand(operand)
        offset_from(builder, base, operand, builder.name("q", operand))
    between(builder, "q", source, to, move)


def between(builder: Builder, prefix: str, source: Operand, to: Operand, move: Move) -> None:
    """Copy between the pointers that are called `prefix` of either operand."""
    builder.add(
        p.Copy(
            from_=builder.name(prefix, source),
            to_ptr=builder.name(prefix, to),
            size=move.size,
            overlapping=move.overlapping,
        )
    )


def fill_bytes(builder: Builder, base: str, to: Operand, byte: str, move: Move) -> None:
    """`ptr::write_bytes` at an offset from a pointer."""
    builder.of_operand(to)
    target = builder.name("q", to)
    offset_from(builder, base, to, target)
    builder.add(p.Fill(ptr=target, value=byte, size=move.size))


def offset_from(builder: Builder, base: str, operand: Operand, to: str) -> None:
    """`to` becomes a pointer to the operand, by `base.add(addr)`."""
    offset = builder.address(operand)
    builder.add(p.Sub(to=to, of=base, offset=offset, size=operand.width, inbounds=True))
