"""Variants whose operands are shared references to cells."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.lowering.builder import OWNER, Builder
from harness.lowering.computed import each_byte
from harness.lowering.design import Design, read_value, write_value
from harness.lowering.raw_pointers import copy_bytes, fill_bytes, offset_from
from harness.pointer import program as p

if TYPE_CHECKING:
    from harness.bytecode.operands import Operand
    from harness.lowering.way import Move

CELLS = "cells"


class CellSlice(Design):
    """`cell-slice`: one cell around the memory, operands are cells cast out of it."""

    def over(self, builder: Builder) -> None:
        builder.add(p.RefCell(to=builder.now(CELLS), of=builder.now(OWNER)))

    def compile(self, builder: Builder, operands: tuple[Operand, ...]) -> None:
        """A function that takes the cells and returns the operands, which retags them."""
        cells = builder.borrow("cells")

        def body() -> tuple[p.Return, ...]:
            return tuple(
                returned
                for operand in operands
                for returned in self.operand(builder, cells, operand)
            )

        builder.call((builder.all_of("cell", cells, builder.now(CELLS)),), body)

    def operand(self, builder: Builder, cells: str, operand: Operand) -> list[p.Return]:
        """Make an operand of `cells`, the function's parameter."""
        builder.of_operand(operand)
        base, at, made = (builder.name(prefix, operand) for prefix in ("base", "at", "made"))
        width = operand.width
        builder.add(p.RawConst(to=base, of=cells))
        offset = builder.address(operand)
        builder.add(p.Sub(to=at, of=base, offset=offset, size=width, inbounds=True))
        builder.add(p.RefCell(to=made, of=at, align=width))
        return [p.Return(to=builder.name("c", operand), of=made)]

    def load(self, builder: Builder, operand: Operand) -> str:
        return read_value(builder, builder.made("c", operand), operand)

    def store(self, builder: Builder, operand: Operand, value: p.IntOperand) -> None:
        write_value(builder, builder.made("c", operand), operand, value)

    def copy(self, builder: Builder, source: Operand, to: Operand, move: Move) -> None:
        """`ptr::copy` through the pointer that `Cell::as_ptr` gives."""
        base = self._base(builder, source)
        copy_bytes(builder, base, source, to, move)

    def fill(self, builder: Builder, to: Operand, byte: str, move: Move) -> None:
        fill_bytes(builder, self._base(builder, to), to, byte, move)

    def _base(self, builder: Builder, operand: Operand) -> str:
        builder.of_operand(operand)
        base = builder.name("base", operand)
        builder.add(p.RawConst(to=base, of=builder.now(CELLS)))
        return base


class UnsafeCellSlice(CellSlice):
    """`unsafe-cell`: one `UnsafeCell` around the memory, operands are raw pointers out of it."""

    def over(self, builder: Builder) -> None:
        cells = p.RefCell(to=builder.now(CELLS), of=builder.now(OWNER), unsafe_cell=True)
        builder.add(cells)

    def operand(self, builder: Builder, cells: str, operand: Operand) -> list[p.Return]:
        """An offset from what `UnsafeCell::get` gives."""
        builder.of_operand(operand)
        base, at = builder.name("base", operand), builder.name("at", operand)
        builder.add(p.RawConst(to=base, of=cells))
        offset_from(builder, base, operand, at)
        return [p.Return(to=builder.name("c", operand), of=at)]

    def pointer_to(self, builder: Builder, operand: Operand) -> str:
        base, pointer = builder.name("base", operand), builder.name("q", operand)
        builder.add(p.RawConst(to=base, of=builder.now(CELLS)))
        offset_from(builder, base, operand, pointer)
        return pointer


class CellBytes(CellSlice):
    """`cell`: a slice of cells, operands are a reference for each byte, made by indexing."""

    def operand(self, builder: Builder, cells: str, operand: Operand) -> list[p.Return]:
        builder.of_operand(operand)
        returned: list[p.Return] = []
        for byte in range(operand.width):
            index = builder.address(operand)
            if byte:
                index = builder.name(f"addr{byte}", operand)
                builder.add(
                    p.Arithmetic(
                        to=index,
                        operator="add",
                        left=builder.address(operand),
                        right=byte,
                        width=8,
                    )
                )
            made = builder.name(f"made{byte}", operand)
            builder.add(p.RefCell(to=made, of=cells, at=index))
            returned.append(p.Return(to=_byte(builder, operand, byte), of=made))
        return returned

    def load(self, builder: Builder, operand: Operand) -> str:
        return join_bytes(
            builder,
            operand,
            [(_byte(builder, operand, byte), 0) for byte in range(operand.width)],
        )

    def store(self, builder: Builder, operand: Operand, value: p.IntOperand) -> None:
        split_bytes(
            builder,
            operand,
            value,
            [(_byte(builder, operand, byte), 0) for byte in range(operand.width)],
        )

    def copy(self, builder: Builder, source: Operand, to: Operand, move: Move) -> None:
        """Byte by byte, `get` and `set`."""
        each_byte(builder, source, move)
        order = range(move.block.size)
        if move.overlapping:
            # The order tells whether the one address is below the other.
            below = builder.name("below", source)
            left, right = builder.address(source), builder.address(to)
            builder.add(p.Arithmetic(to=below, operator="lt", left=left, right=right, width=8))
            builder.guard(below, "eq", int(move.block.backwards), "diverged", source.name)
        for byte in reversed(order) if move.block.backwards else order:
            builder.of_operand(source)
            value, at = builder.name(f"byte{byte}", source), _index(builder, source, byte)
            builder.add(p.Read(ptr=builder.now(CELLS), at=at, width=1, to=value))
            builder.of_operand(to)
            builder.add(
                p.Write(ptr=builder.now(CELLS), at=_index(builder, to, byte), width=1, value=value)
            )

    def fill(self, builder: Builder, to: Operand, byte: str, move: Move) -> None:
        each_byte(builder, to, move)
        for number in range(move.block.size):
            builder.add(
                p.Write(ptr=builder.now(CELLS), at=_index(builder, to, number), width=1, value=byte)
            )


class AtomicBytes(CellBytes):
    """`atomic`: the bytes behind a pointer seen as a slice of atomics, which is one of cells.

    To a borrow model an atomic is an `UnsafeCell`, and a relaxed access is one as any other.
    """

    def over(self, builder: Builder) -> None:
        memory = builder.now("memory_ptr")
        builder.add(p.RawMut(to=memory, of=builder.now(OWNER)))
        builder.add(p.RefCell(to=builder.now(CELLS), of=memory, unsafe_cell=True))


def _index(builder: Builder, operand: Operand, byte: int) -> str:
    """A variable for the place of one byte of a block."""
    index, address = builder.name(f"index{byte}", operand), builder.address(operand)
    builder.add(p.Arithmetic(to=index, operator="add", left=address, right=byte, width=8))
    return index


def _byte(builder: Builder, operand: Operand, byte: int) -> str:
    return builder.made(f"c{byte}", operand)


def join_bytes(builder: Builder, operand: Operand, places: list[tuple[str, p.IntOperand]]) -> str:
    """Read a value byte by byte, that of the lowest address first; returns its variable.

    places: for each byte, the variable through which it is read, and the index there.
    """
    total, width = "", operand.width
    for byte, (ptr, at) in enumerate(places):
        single = builder.name(f"byte{byte}", operand)
        builder.add(p.Read(ptr=ptr, at=at, width=1, to=single))
        part, bits = single, _bits_below(builder, operand, byte)
        if bits:
            part = builder.name(f"high{byte}", operand)
            builder.add(p.Arithmetic(to=part, operator="shl", left=single, right=bits, width=width))
        if total:
            joined = builder.name(f"value{byte}", operand)
            builder.add(p.Arithmetic(to=joined, operator="or", left=total, right=part, width=width))
            part = joined
        total = part
    return total


def split_bytes(
    builder: Builder,
    operand: Operand,
    value: p.IntOperand,
    places: list[tuple[str, p.IntOperand]],
) -> None:
    """Write a value byte by byte; places as in `join_bytes`."""
    for byte, (ptr, at) in enumerate(places):
        part, bits = value, _bits_below(builder, operand, byte)
        if bits:
            part = builder.name(f"part{byte}", operand)
            builder.add(
                p.Arithmetic(to=part, operator="shr", left=value, right=bits, width=operand.width)
            )
        builder.add(p.Write(ptr=ptr, at=at, width=1, value=part))


def _bits_below(builder: Builder, operand: Operand, byte: int) -> int:
    """The bits of a value that are below its byte with this distance to the lowest address."""
    return 8 * (byte if builder.byte_order == "little" else operand.width - 1 - byte)
