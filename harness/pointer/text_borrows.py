"""The text of borrows and of a call's arguments, read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.pointer import program as p
from harness.pointer.kinds import LocalArray, default_size
from harness.pointer.limits import UnfitError

if TYPE_CHECKING:
    from harness.pointer.kinds import Kind
    from harness.pointer.scope import Scope
    from harness.pointer.tokens import Line, Token

CALL = "(q, r) = call(a = &mut *p, b = &x) {, the body's lines, return (v, w), }"
_PLACE = "a place is x for a local and *p for all else; a part is x[2], (*p)[2] or (*p)[2..4]"
_BORROWS = "&mut, &mut cell, &, &raw mut, &raw const, &cell, &unsafe_cell, &mix"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """PLACE or a part of it."""

    of: str
    kind: Kind
    at: p.IntOperand | None = None
    size: int | None = None


def arguments(line: Line, scope: Scope) -> tuple[p.Argument, ...]:
    """`call(…)` up to its closing parenthesis. Raises: InputError."""
    line.expect("call", "(", usage=CALL)
    found: list[p.Argument] = []
    while not line.accept(")"):
        if found:
            line.expect(",", usage=CALL)
        found.append(_argument(line, scope))
    return tuple(found)


def borrow(line: Line, to: str, scope: Scope) -> p.AnyStatement:
    """The borrow whose `&` has been taken. Raises: InputError."""
    if line.accept("raw"):
        mutable = line.accept("mut")
        if not mutable:
            line.expect("const", usage=_BORROWS)
        place = _place(line, scope)
        raw = p.RawMut if mutable else p.RawConst
        return raw(to=to, of=place.of, at=place.at, size=place.size)
    if line.accept("mix"):
        token, place = line.peek(), _place(line, scope)
        if place.at is not None:
            raise line.error(token, "a part of a place as a Mix", "borrow all of it")
        return p.RefMix(to=to, of=place.of)
    if line.at("cell") or line.at("unsafe_cell"):
        unsafe_cell = line.take().text == "unsafe_cell"
        place = _place(line, scope)
        return p.RefCell(
            to=to,
            of=place.of,
            align=line.align(_BORROWS),
            unsafe_cell=unsafe_cell,
            at=place.at,
            size=place.size,
        )
    if line.accept("mut"):
        cell = line.accept("cell")
        place = _place(line, scope)
        return p.RefMut(
            to=to,
            of=place.of,
            align=line.align(_BORROWS),
            cell=cell,
            at=place.at,
            size=place.size,
        )
    place = _place(line, scope)
    align = line.align(_BORROWS)
    return p.RefShared(to=to, of=place.of, align=align, at=place.at, size=place.size)


def _argument(line: Line, scope: Scope) -> p.Argument:
    """`a = &mut *p`, with `as [u8; 4]` where a raw pointer is seen as another size."""
    to = line.name(CALL)
    line.expect("=", usage=CALL)
    as_: p.ArgumentKind
    if line.accept("Box"):
        as_ = "boxed"
        line.expect("::", "from_raw", "(", usage=CALL)
        token = line.peek()
        of = line.name(CALL)
        line.expect(")", usage=CALL)
        place = _Place(of=of, kind=_kind(line, token, scope))
    else:
        line.expect("&", usage=CALL)
        as_ = "shared"
        if line.accept("mut"):
            as_ = "mut_cell" if line.accept("cell") else "mut"
        elif line.accept("cell"):
            as_ = "cell"
        elif line.accept("mix"):
            as_ = "mix"
        token, place = line.peek(), _place(line, scope)
    if place.at is not None:
        raise line.error(token, "a part of a place as an argument", "borrow it above the call")
    size = line.cast(CALL) if line.at("as") else default_size(as_, place.kind)
    return p.Argument(to=to, as_=as_, of=place.of, size=size)


def _place(line: Line, scope: Scope) -> _Place:
    """`x`, `*p`, `x[2]`, `(*p)[2..4]`"""
    if line.accept("("):
        line.expect("*", usage=_PLACE)
        token = line.peek()
        of = line.name(_PLACE)
        kind = _check_star(line, token, scope, star=True)
        line.expect(")", usage=_PLACE)
        return _part(line, of, kind)
    star = line.accept("*")
    token = line.peek()
    of = line.name(_PLACE)
    kind = _check_star(line, token, scope, star=star)
    if star:
        return _Place(of=of, kind=kind)
    return _part(line, of, kind) if line.at("[") else _Place(of=of, kind=kind)


def _part(line: Line, of: str, kind: Kind) -> _Place:
    line.expect("[", usage=_PLACE)
    at = line.operand(_PLACE)
    size: int | None = None
    if line.accept(".."):
        token = line.peek()
        end = line.number(_PLACE)
        if isinstance(at, str) or end <= at:
            raise line.error(token, "a part without a byte, or of unknown size", _PLACE)
        size = end - at
    line.expect("]", usage=_PLACE)
    return _Place(of=of, kind=kind, at=at, size=size)


def _check_star(line: Line, token: Token, scope: Scope, *, star: bool) -> Kind:
    kind = _kind(line, token, scope)
    if star == isinstance(kind, LocalArray):
        right = token.text if star else f"*{token.text}"
        message = f"{token.text} is {kind}"
        raise line.error(token, message, f"its place is written {right}")
    return kind


def _kind(line: Line, token: Token, scope: Scope) -> Kind:
    try:
        return scope.kind(token.text)
    except UnfitError as unfit:
        raise line.error(token, unfit.message, unfit.remedy) from None
