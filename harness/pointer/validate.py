"""Which pointer programs are well-formed: those whose Rust compiles.

A well-formed program may still do anything that is undefined, or panic; what is refused here
is what a compiler would refuse, and what could not be said in one line of Rust.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.pointer import program as p
from harness.pointer.kinds import (
    Borrow,
    BoxParameter,
    LocalArray,
    RawPointer,
    Reference,
    argument_kind,
    bound_kind,
)
from harness.pointer.limits import UnfitError, UnknownError
from harness.pointer.names import bound
from harness.pointer.scope import Scope
from harness.pointer.statements import check_argument, check_statement

if TYPE_CHECKING:
    from collections.abc import Callable

DEPTH_LIMIT = 32
"""The most calls within calls."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One reason why a program is not well-formed.

    path: the statement; one past the last for the program's result.
    """

    path: p.Path
    message: str
    remedy: str


def faults(program: p.PointerProgram) -> tuple[Fault, ...]:
    """Every reason why `program` is not well-formed; none if it is.

    A statement has one at most, and one that uses what a faulty statement binds has none.
    """
    found: list[Fault] = []
    scope = Scope()
    _check_body(program.statements, (), scope, found, result=program.result)
    if program.result is not None:
        path = (len(program.statements),)
        _attempt(lambda: check_result(program, scope), path, found)
    return tuple(found)


def check(statement: p.AnyStatement, scope: Scope) -> None:
    """Check a statement that is no call, and bind its variable in `scope`.

    Raises: UnfitError.
    """
    check_statement(statement, scope)
    kind = bound_kind(statement, scope.kind)
    to: str | None = getattr(statement, "to", None)
    if kind is not None and to is not None:
        scope.bind(to, kind)


def enter(args: tuple[p.Argument, ...], scope: Scope) -> Scope:
    """The scope of the body of a call with `args`.

    Raises: UnfitError.
    """
    if scope.depth == DEPTH_LIMIT:
        raise UnfitError("calls are nested too deeply", f"the limit is {DEPTH_LIMIT}")
    body = Scope(caller=scope, depth=scope.depth + 1, no_guard=scope.no_guard, boxed=scope.boxed)
    for argument in args:
        check_argument(argument, scope)
        body.bind(argument.to, argument_kind(argument))
        if argument.as_ == "boxed":
            body.boxed = True
            body.no_guard = (
                "a guard cannot stand in a call with a boxed argument",
                "the box would be dropped: pass a reference",
            )
    return body


def leave(returns: tuple[p.Return, ...], body: Scope, scope: Scope) -> None:
    """Bind in `scope` what a call returns, whose body ended with the scope `body`.

    Raises: UnfitError.
    """
    moved: set[str] = set()
    for returned in returns:
        kind = body.kind(returned.of)
        if isinstance(kind, LocalArray | BoxParameter):
            raise UnfitError(
                f"{returned.of} is {kind}, which is not returned",
                "return a raw pointer, a reference or an integer",
            )
        if returned.of in moved:
            raise UnfitError(
                f"{returned.of} is {kind} and returned twice", "return a reborrow of it besides"
            )
        if isinstance(kind, Reference) and kind.borrow.is_unique:
            moved.add(returned.of)
        scope.bind(returned.to, kind)


def open_guards(scope: Scope, result: str | None) -> None:
    """Say whether a guard may stand next in a program's own body, whose result is `result`."""
    bound = result is None or result in scope.kinds or result in scope.unknown
    scope.no_guard = None if bound else _BEFORE_RESULT


def check_result(program: p.PointerProgram, scope: Scope) -> None:
    """Check the variable whose bytes are the program's memory. Raises: UnfitError."""
    if program.result is None:
        return
    kind = scope.kind(program.result)
    match kind:
        case LocalArray() | RawPointer():
            return
        case Reference(borrow=Borrow.MUT | Borrow.SHARED):
            return
    raise UnfitError(
        f"{program.result} is {kind}, whose bytes cannot be the result",
        "name a local, a raw pointer, a &mut or a &",
    )


_BEFORE_RESULT = (
    "a guard above the variable that is the result",
    "a program that traps has a result too: bind it above the first guard",
)


def _check_body(
    statements: tuple[p.AnyStatement, ...],
    path: p.Path,
    scope: Scope,
    found: list[Fault],
    result: str | None = None,
) -> None:
    for index, statement in enumerate(statements):
        here = (*path, index)
        if not path:
            open_guards(scope, result)
        if isinstance(statement, p.Call):
            fits = _check_call(statement, here, scope, found)
        else:
            # mypy infers no lambda's default.
            fits = _attempt(lambda s=statement: check(s, scope), here, found)  # type: ignore[misc]
        if not fits:
            scope.unknown |= set(bound(statement)) - scope.kinds.keys()


def _check_call(call: p.Call, path: p.Path, scope: Scope, found: list[Fault]) -> bool:
    try:
        body = enter(call.args, scope)
    except UnfitError as unfit:
        _note(unfit, path, found)
        return False
    _check_body(call.body, path, body, found)
    return _attempt(lambda: leave(call.returns, body, scope), path, found)


def _attempt(action: Callable[[], None], path: p.Path, found: list[Fault]) -> bool:
    try:
        action()
    except UnfitError as unfit:
        _note(unfit, path, found)
        return False
    return True


def _note(unfit: UnfitError, path: p.Path, found: list[Fault]) -> None:
    if not isinstance(unfit, UnknownError):
        found.append(Fault(path=path, message=unfit.message, remedy=unfit.remedy))
