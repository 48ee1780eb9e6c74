"""Which variables a statement names."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from harness.pointer import program as p

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


def used(statement: p.AnyStatement) -> Iterator[str]:
    """The variables that `statement` uses, in order; a call's are its arguments."""
    match statement:
        case p.Local() | p.Heap() | p.Static() | p.Box() | p.Int():
            return
        case p.Free() | p.DropBox() | p.LoadPtr():
            yield statement.ptr
        case p.RawMut() | p.RawConst() | p.RefMut() | p.RefShared() | p.RefCell():
            yield statement.of
            yield from _variables(statement.at)
        case p.RefMix() | p.AsMutPtr() | p.AsPtr() | p.Expose() | p.Addr() | p.TransmuteAddr():
            yield statement.of
        case p.TwoPhase():
            yield from (statement.of, statement.from_)
        case p.Sub():
            yield statement.of
            yield from _variables(statement.offset)
        case p.FromExposed() | p.Transmute():
            yield statement.int_
            yield from _variables(statement.offset)
        case p.WithAddr():
            yield from (statement.of, statement.int_)
            yield from _variables(statement.offset)
        case p.Read():
            yield statement.ptr
            yield from _variables(statement.at)
        case p.Write():
            yield statement.ptr
            yield from _variables(statement.at, statement.value)
        case p.Copy():
            yield from (statement.from_, statement.to_ptr)
            yield from _variables(statement.size)
        case p.Fill():
            yield statement.ptr
            yield from _variables(statement.value, statement.size)
        case p.StorePtr():
            yield from (statement.ptr, statement.of)
        case p.Arithmetic() | p.Guard():
            yield from _variables(statement.left, statement.right)
        case p.Call():
            yield from (argument.of for argument in statement.args)
        case _:
            assert_never(statement)


def bound(statement: p.AnyStatement) -> tuple[str, ...]:
    """The variables that `statement` binds."""
    if isinstance(statement, p.Call):
        return tuple(returned.to for returned in statement.returns)
    to: str | None = getattr(statement, "to", None)
    return () if to is None else (to,)


def captured(call: p.Call) -> tuple[str, ...]:
    """The caller's variables that `call` passes besides its arguments, by first use."""
    names = _free(
        call.body,
        {argument.to for argument in call.args},
        (returned.of for returned in call.returns),
    )
    return tuple(dict.fromkeys(names))


def _free(
    statements: tuple[p.AnyStatement, ...], own: set[str], last: Iterable[str]
) -> Iterator[str]:
    for statement in statements:
        yield from (name for name in used(statement) if name not in own)
        if isinstance(statement, p.Call):
            yield from (name for name in captured(statement) if name not in own)
        own.update(bound(statement))
    yield from (name for name in last if name not in own)


def _variables(*operands: p.IntOperand | None) -> Iterator[str]:
    return (operand for operand in operands if isinstance(operand, str))
