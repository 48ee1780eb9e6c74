"""Every pointer program of up to K statements over allocations of one byte, up to renaming.

The statements are those of `_statements`: two kinds of allocation, every kind of borrow of whole
places, reads, writes, exposed provenance, deallocation, and calls with one argument whose bodies
count like everything else. Variables are numbered in the order in which they are bound, so that
programs that differ by names alone are one.

A program that comes to an end before its last statement in every mode is left out: whatever it
was continued by, it is the same program.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from harness.mode import MODES
from harness.model.machine import judge
from harness.outcome import Ran
from harness.pointer import program as p
from harness.pointer.kinds import Integer, RawPointer, Reference
from harness.pointer.limits import UnfitError
from harness.pointer.scope import Scope
from harness.pointer.validate import check, enter, leave

if TYPE_CHECKING:
    from harness.pointer.kinds import Kind

Body = tuple[p.AnyStatement, ...]

_DEPTH = 1
"""Calls within calls."""


def every_program(most: int) -> Iterator[p.PointerProgram]:
    """All of them, the shorter ones first; always in the same order."""
    for length in range(1, most + 1):
        for body, _, _ in _bodies(length, Scope(), 0, 0, prefix=()):
            yield p.PointerProgram(statements=body)


def _bodies(
    length: int, scope: Scope, names: int, depth: int, prefix: Body
) -> Iterator[tuple[Body, Scope, int]]:
    """Every sequence that costs exactly `length` statements, with the scope behind it.

    names: how many are taken. prefix: what stands before it in the program's own body.
    """
    if length == 0:
        yield (), scope, names
        return
    for first, cost, after, used in _steps(length, scope, names, depth):
        whole = (*prefix, first)
        if depth == 0 and cost < length and _has_ended(whole):
            continue
        for rest, last, more in _bodies(length - cost, after, used, depth, whole):
            yield (first, *rest), last, more


def _has_ended(body: Body) -> bool:
    """Whether no mode comes to the end of the statements, so that none would come further."""
    program = p.PointerProgram(statements=body)
    return not any(isinstance(judge(program, mode), Ran) for mode in MODES)


def _steps(
    most: int, scope: Scope, names: int, depth: int
) -> Iterator[tuple[p.AnyStatement, int, Scope, int]]:
    """Each next statement that fits, its cost, the scope behind it, and the names then taken."""
    for statement in _statements(scope, f"v{names}"):
        after = scope.copy()
        try:
            check(statement, after)
        except UnfitError:
            continue
        yield statement, 1, after, names + (getattr(statement, "to", None) is not None)
    if depth < _DEPTH:
        for cost in range(2, most + 1):
            yield from _calls(cost, scope, names, depth)


def _calls(
    cost: int, scope: Scope, names: int, depth: int
) -> Iterator[tuple[p.AnyStatement, int, Scope, int]]:
    for argument in _arguments(scope, f"v{names}"):
        try:
            inner = enter((argument,), scope.copy())
        except UnfitError:
            continue
        for body, end, used in _bodies(cost - 1, inner, names + 1, depth + 1, ()):
            returned = [None, *(each for each, kind in end.kinds.items() if _returns(kind))]
            for name in returned:
                returns = () if name is None else (p.Return(to=f"v{used}", of=name),)
                after = scope.copy()
                try:
                    leave(returns, end, after)
                except UnfitError:
                    continue
                call = p.Call(args=(argument,), body=body, returns=returns)
                yield call, cost, after, used + len(returns)


def _returns(kind: Kind) -> bool:
    return isinstance(kind, RawPointer | Reference)


def _arguments(scope: Scope, to: str) -> Iterator[p.Argument]:
    for name, kind in _reachable(scope):
        if isinstance(kind, Integer):
            continue
        for as_ in ("mut", "shared", "cell", "boxed"):
            yield p.Argument(to=to, as_=as_, of=name, size=kind.size)


def _statements(scope: Scope, to: str) -> Iterator[p.AnyStatement]:
    """What could stand next; `validate` says what of it may."""
    yield p.Local(to=to, size=1, init=0)
    yield p.Box(to=to, size=1, init=0)
    for name, kind in _reachable(scope):
        if isinstance(kind, Integer):
            yield p.FromExposed(to=to, int_=name, offset=0, size=1)
            continue
        yield p.RawMut(to=to, of=name)
        yield p.RawConst(to=to, of=name)
        yield p.RefMut(to=to, of=name)
        yield p.RefShared(to=to, of=name)
        yield p.RefCell(to=to, of=name)
        yield p.AsMutPtr(to=to, of=name)
        yield p.Read(ptr=name, at=0, width=1)
        yield p.Write(ptr=name, at=0, width=1, value=1)
        if isinstance(kind, RawPointer):
            yield p.Expose(to=to, of=name)
            yield p.DropBox(ptr=name)


def _reachable(scope: Scope) -> Iterator[tuple[str, Kind]]:
    """The variables that a statement may name; of the caller's only what is passed unasked."""
    if scope.caller is not None:
        for name, kind in _reachable(scope.caller):
            if isinstance(kind, RawPointer | Integer):
                yield name, kind
    yield from scope.kinds.items()
