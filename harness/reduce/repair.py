"""Repair: what is left of a pointer program after an edit, made well-formed again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from harness.pointer import program as p
from harness.pointer.limits import UnfitError
from harness.pointer.scope import Scope
from harness.pointer.validate import check, check_result, enter, leave, open_guards

if TYPE_CHECKING:
    from collections.abc import Iterable


def repaired(program: p.PointerProgram) -> p.PointerProgram:
    """The program without the statements, arguments and returns that do not fit any more.

    What uses a variable that is gone goes with it. A well-formed program comes back as it is.
    """
    scope = Scope()
    result = program.result if _binds(program, program.result) else None
    kept: list[p.AnyStatement] = []
    for statement in program.statements:
        open_guards(scope, result)
        kept += _fitting(statement, scope)
    fixed = p.PointerProgram(statements=tuple(kept), result=result)
    try:
        check_result(fixed, scope)
    except UnfitError:
        return p.PointerProgram(statements=tuple(kept))
    return fixed


def _binds(program: p.PointerProgram, name: str | None) -> bool:
    """Whether some statement of the program's own body binds the variable."""
    return any(
        name == getattr(statement, "to", None)
        or (isinstance(statement, p.Call) and name in {each.to for each in statement.returns})
        for statement in program.statements
    )


def _fitting(statement: p.AnyStatement, scope: Scope) -> Iterable[p.AnyStatement]:
    """What is left of a statement: itself, a call with less in it, or nothing."""
    if isinstance(statement, p.Call):
        return _fitting_call(statement, scope)
    try:
        check(statement, scope)
    except UnfitError:
        return ()
    return (statement,)


def _fitting_call(call: p.Call, scope: Scope) -> Iterable[p.AnyStatement]:
    args: list[p.Argument] = []
    for argument in call.args:
        try:
            enter((*args, argument), scope)
        except UnfitError:
            continue
        args.append(argument)
    try:
        inner = enter(tuple(args), scope)
    except UnfitError:
        return ()
    body = [each for statement in call.body for each in _fitting(statement, inner)]
    if not args and not body:
        return ()
    returns: list[p.Return] = []
    for returned in call.returns:
        try:
            # On a copy, since leaving binds.
            leave((*returns, returned), inner, scope.copy())
        except UnfitError:
            continue
        returns.append(returned)
    leave(tuple(returns), inner, scope)
    return (replace(call, args=tuple(args), body=tuple(body), returns=tuple(returns)),)
