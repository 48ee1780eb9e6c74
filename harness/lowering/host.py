"""The host's functions, which are lent the memory for a call."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.pointer import program as p

if TYPE_CHECKING:
    from harness.bytecode.operands import Operand
    from harness.lowering.builder import Builder


def lend_and_read(builder: Builder, of: str, operand: Operand, size: int | None = None) -> str:
    """`host::read(&*of, addr)`; the variable that has the byte. size: if it is not the memory's."""
    builder.of_operand(operand)
    lent, byte, seen = (builder.name(prefix, operand) for prefix in ("lent", "byte", "seen"))

    def body() -> tuple[p.Return, ...]:
        builder.add(p.Read(ptr=lent, at=builder.address(operand), width=1, to=byte))
        return (p.Return(to=seen, of=byte),)

    builder.call((builder.all_of("shared", lent, of, size),), body)
    return seen


def lend_and_write(builder: Builder, of: str, operand: Operand, value: str) -> None:
    """`host::write(&mut *of, addr, value)`."""
    builder.of_operand(operand)
    lent = builder.name("lent", operand)

    def body() -> tuple[p.Return, ...]:
        builder.add(p.Write(ptr=lent, at=builder.address(operand), width=1, value=value))
        return ()

    builder.call((builder.all_of("mut", lent, of),), body)
