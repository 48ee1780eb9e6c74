"""Random statements of a pointer program, made so that they fit where they stand.

A maker proposes; what does not fit is dropped, and another one is tried.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import cast, get_args

from harness.pointer import program as p
from harness.pointer.choices import Choices
from harness.pointer.kinds import (
    MIX_SIZE,
    Borrow,
    Integer,
    LocalArray,
    Placed,
    RawPointer,
    Reference,
)
from harness.pointer.limits import UnfitError
from harness.pointer.scope import Scope
from harness.pointer.validate import check, enter, leave

_SIZES = (1, 1, 2, 2, 3, 4, 4, 8, 16)
_UNIQUE = (Borrow.MUT, Borrow.MUT_CELL)
_CELLS = (Borrow.CELL, Borrow.UNSAFE_CELL, Borrow.MUT_CELL)
_DEPTH = 2
"""Calls within calls."""


def more_statements(g: Choices, scope: Scope, depth: int) -> list[p.AnyStatement]:
    """One more statement, or a few that belong together."""
    makers = [
        (g.weights.get(maker.__name__.lstrip("_"), weight), maker)
        for weight, maker in (_MAKERS if depth < _DEPTH else _MAKERS[1:])
    ]
    total = sum(weight for weight, _ in makers)
    while True:
        chosen = g.source.randrange(total)
        for weight, maker in makers:  # noqa: B007 (the one at which the loop ends)
            chosen -= weight
            if chosen < 0:
                break
        try:
            made = maker(g, scope, depth)
            for statement in made:
                if not isinstance(statement, p.Call):
                    check(statement, scope)
        except UnfitError:
            continue
        for statement in made:
            g.note(statement, scope)
        return made


_Maker = Callable[[Choices, Scope, int], list[p.AnyStatement]]


def _local(g: Choices, scope: Scope, depth: int) -> list[p.AnyStatement]:
    size, align = g.pick(_SIZES), g.pick((1, 1, 1, 4, 16))
    init = None if g.chance(12) else g.init(size)
    return [p.Local(to=g.name("x"), size=size, init=init, align=align)]


def _heap(g: Choices, scope: Scope, depth: int) -> list[p.AnyStatement]:
    size, align = g.pick(_SIZES), g.pick((1, 1, 2, 8))
    to = g.name("h")
    heap = p.Heap(to=to, size=size, align=align)
    if g.chance(12):
        return [heap]
    return [
        heap,
        *(p.Write(ptr=to, at=at, width=1, value=g.source.randrange(256)) for at in range(size)),
    ]


def _static(g: Choices, scope: Scope, depth: int) -> list[p.AnyStatement]:
    size, align = g.pick(_SIZES), g.pick((1, 1, 4))
    return [p.Static(to=g.name("g"), size=size, init=g.init(size), align=align)]


def _box(g: Choices, scope: Scope, depth: int) -> list[p.AnyStatement]:
    size = g.pick(_SIZES)
    return [p.Box(to=g.name("b"), size=size, init=g.init(size))]


def _free(g: Choices, scope: Scope, depth: int) -> list[p.AnyStatement]:
    ptr = g.raw(scope, 1)
    if g.chance(2):
        return [p.DropBox(ptr=ptr)]
    size = scope.raw(ptr).size + (1 if g.chance(12) else 0)
    return [p.Free(ptr=ptr, size=size, align=2 if g.chance(12) else 1)]


def _part(g: Choices, scope: Scope, of: str) -> tuple[p.IntOperand | None, int | None]:
    """`at` and `size` of a borrow."""
    kind = scope.kind(of)
    if not g.chance(3) or isinstance(kind, Integer) or kind.size == 0:
        return None, None
    if g.chance(4):
        return g.index(scope, kind.size), None
    at = g.source.randrange(kind.size)
    if isinstance(kind, LocalArray) or g.chance(3):
        return at, None
    return at, 1 + g.source.randrange(kind.size - at)


def _raw(g: Choices, scope: Scope, depth: int) -> list[p.AnyStatement]:
    if g.chance(2):
        of = g.borrowable(scope, *_UNIQUE)
        at, size = _part(g, scope, of)
        return [p.RawMut(to=g.name("p"), of=of, at=at, size=size)]
    of = g.borrowable(scope, *Borrow)
    at, size = _part(g, scope, of)
    return [p.RawConst(to=g.name("p"), of=of, at=at, size=size)]


def _reference(g: Choices, scope: Scope, depth: int) -> list[p.AnyStatement]:
    mutable = not g.chance(3)
    of = g.borrowable(scope, *_UNIQUE, *(() if mutable else (Borrow.SHARED,)))
    at, size = _part(g, scope, of)
    align = _alignment(g, scope, of) if at is None else 1
    if mutable:
        cell = g.chance(6)
        return [p.RefMut(to=g.name("m"), of=of, at=at, size=size, align=align, cell=cell)]
    return [p.RefShared(to=g.name("s"), of=of, at=at, size=size, align=align)]


def _alignment(g: Choices, scope: Scope, of: str) -> int:
    """Mostly 1, sometimes more, where the size allows that.

    Never more than the allocation's own: whether that fits would be a matter of luck.
    """
    size = scope.placed(of).size
    align = g.pick((2, 4, 8, 16)) if g.chance(6) else 1
    return align if size and size % align == 0 and align <= g.alignments.get(of, 1) else 1


def _cell(g: Choices, scope: Scope, depth: int) -> list[p.AnyStatement]:
    if g.chance(3):
        return [p.RefMix(to=g.name("k"), of=_mixable(g, scope))]
    if g.chance(3):
        of = g.borrowable(scope, Borrow.MUT, owned=True)
        unsafe_cell = g.chance(3)
        return [p.RefCell(to=g.name("c"), of=of, unsafe_cell=unsafe_cell)]
    of = g.borrowable(scope, *_CELLS, owned=False)
    at, size = _part(g, scope, of)
    align = _alignment(g, scope, of) if at is None else 1
    return [
        p.RefCell(to=g.name("c"), of=of, unsafe_cell=g.chance(3), at=at, size=size, align=align)
    ]


def _mixable(g: Choices, scope: Scope) -> str:
    """What a `&Mix` can be had of, mostly with room for one."""
    if g.chance(12):
        return g.borrowable(scope, Borrow.MIX, owned=False)
    return g.variable(
        scope,
        lambda k: (
            k.borrow is Borrow.MIX
            if isinstance(k, Reference)
            else isinstance(k, RawPointer) and k.size >= MIX_SIZE
        ),
    )


def _slice_pointer(g: Choices, scope: Scope, depth: int) -> list[p.AnyStatement]:
    if g.chance(3):
        return [p.AsPtr(to=g.name("p"), of=g.borrowable(scope, *_UNIQUE, Borrow.SHARED))]
    return [p.AsMutPtr(to=g.name("p"), of=g.borrowable(scope, *_UNIQUE))]


def _two_phase(g: Choices, scope: Scope, depth: int) -> list[p.AnyStatement]:
    of = g.borrowable(scope, *_UNIQUE)
    from_ = g.borrowable(scope, *_UNIQUE, Borrow.SHARED)
    size = scope.placed(from_).size
    at, cell = g.source.randrange(size or 1), g.chance(4)
    value = g.source.randrange(256) if g.chance(3) else None
    return [p.TwoPhase(of=of, from_=from_, at=at, value=value, cell=cell)]


def _offset(g: Choices, scope: Scope, depth: int) -> list[p.AnyStatement]:
    of = g.raw(scope)
    whole = scope.raw(of).size
    inside = g.source.randrange(whole + 1)
    offset: p.IntOperand = inside
    size = g.source.randrange(whole - inside + 1)
    if g.chance(10):
        offset, size = g.source.randrange(-2, 4), g.pick(_SIZES)
        if g.chance(3):
            offset = g.index(scope, whole)
    return [p.Sub(to=g.name("p"), of=of, offset=offset, size=size, inbounds=not g.chance(3))]


def _to_integer(g: Choices, scope: Scope, depth: int) -> list[p.AnyStatement]:
    to, of = g.name("i"), g.raw(scope)
    ways: tuple[p.AnyStatement, ...] = (
        p.Expose(to=to, of=of),
        p.Expose(to=to, of=of),
        p.Addr(to=to, of=of),
        p.TransmuteAddr(to=to, of=of),
    )
    return [g.pick(ways)]


def _from_integer(g: Choices, scope: Scope, depth: int) -> list[p.AnyStatement]:
    known = [n for n in g.variables(scope, lambda k: isinstance(k, Integer)) if n in g.addresses]
    if not known:
        raise UnfitError("no address", "")
    int_ = g.pick(known)
    whole = g.addresses[int_]
    inside = g.source.randrange(whole + 1)
    offset: p.IntOperand = inside
    size = g.source.randrange(whole - inside + 1)
    if g.chance(10):
        offset = g.index(scope, whole) if g.chance(3) else -1
    to = g.name("p")
    if g.chance(4):
        return [p.WithAddr(to=to, of=g.raw(scope), int_=int_, offset=offset, size=size)]
    if g.chance(4):
        return [p.Transmute(to=to, int_=int_, offset=offset, size=size)]
    return [p.FromExposed(to=to, int_=int_, offset=offset, size=size)]


def _loose_pointer(g: Choices, scope: Scope, depth: int) -> list[p.AnyStatement]:
    """A pointer to wherever a number says, mostly to where nothing is."""
    to, size = g.name("p"), g.pick((0, 1, 1, 2, 4))
    given: list[p.AnyStatement] = []
    if g.chance(2):
        number = p.Int(to=g.name("i"), value=g.pick((0, 0, 0, 1, 16)))
        given, int_ = [number], number.to
    else:
        int_ = g.variable(scope, lambda k: isinstance(k, Integer))
    ways: list[p.AnyStatement] = [
        p.FromExposed(to=to, int_=int_, offset=0, size=size),
        p.Transmute(to=to, int_=int_, offset=0, size=size),
    ]
    if raw := g.variables(scope, lambda k: isinstance(k, RawPointer)):
        ways.append(p.WithAddr(to=to, of=g.pick(raw), int_=int_, offset=0, size=size))
    return [*given, g.pick(ways)]


def _access_at(g: Choices, scope: Scope, *borrows: Borrow) -> tuple[str, p.IntOperand, int, bool]:
    """Where to read or write: variable, offset, width, aligned."""
    ptr = g.borrowable(scope, *borrows)
    kind = cast("Placed", scope.kind(ptr))
    if isinstance(kind, Reference) and kind.borrow is Borrow.MIX:
        return ptr, 1 if g.chance(2) else g.source.randrange(MIX_SIZE), 1, False
    fitting = [width for width in (1, 1, 1, 1, 2, 4, 8, 16) if width <= kind.size]
    width = g.pick(fitting or [1])
    at: p.IntOperand = g.source.randrange(max(kind.size - width, 0) + 1)
    if g.chance(16):
        at = g.index(scope, kind.size - width + 1)
    aligned = width <= g.alignments.get(ptr, 1) and not isinstance(kind, LocalArray)
    aligned = aligned and width > 1 and g.chance(4)
    return ptr, at, width, aligned


def _read(g: Choices, scope: Scope, depth: int) -> list[p.AnyStatement]:
    ptr, at, width, aligned = _access_at(g, scope, *Borrow)
    to = g.name("v") if width < 16 and g.chance(4) else None
    return [p.Read(ptr=ptr, at=at, width=width, to=to, aligned=aligned)]


def _write(g: Choices, scope: Scope, depth: int) -> list[p.AnyStatement]:
    borrows = (*_UNIQUE, Borrow.CELL, Borrow.UNSAFE_CELL, Borrow.MIX)
    ptr, at, width, aligned = _access_at(g, scope, *borrows)
    value: p.IntOperand = g.source.randrange(1 << 8 * min(width, 8))
    if g.chance(6):
        value = g.variable(scope, lambda k: isinstance(k, Integer))
    return [p.Write(ptr=ptr, at=at, width=width, value=value, aligned=aligned)]


def _copy(g: Choices, scope: Scope, depth: int) -> list[p.AnyStatement]:
    from_, to_ptr = g.raw(scope), g.raw(scope)
    size = _length(g, scope, min(scope.raw(from_).size, scope.raw(to_ptr).size))
    return [p.Copy(from_=from_, to_ptr=to_ptr, size=size, overlapping=g.chance(2))]


def _fill(g: Choices, scope: Scope, depth: int) -> list[p.AnyStatement]:
    ptr = g.raw(scope)
    value: p.IntOperand = g.source.randrange(256)
    if g.chance(6):
        value = g.variable(scope, lambda k: isinstance(k, Integer))
    return [p.Fill(ptr=ptr, value=value, size=_length(g, scope, scope.raw(ptr).size))]


def _length(g: Choices, scope: Scope, most: int) -> p.IntOperand:
    """How many bytes a copy or a fill is to go; now and then a variable."""
    if g.chance(12):
        return g.index(scope, most + 1)
    return g.source.randrange(most + 1)


def _stored_pointer(g: Choices, scope: Scope, depth: int) -> list[p.AnyStatement]:
    ptr, of = g.raw(scope, 8), g.raw(scope)
    store = p.StorePtr(ptr=ptr, of=of)
    if g.chance(3):
        return [store]
    return [store, p.LoadPtr(to=g.name("p"), ptr=ptr, size=scope.raw(of).size)]


def _integer(g: Choices, scope: Scope, depth: int) -> list[p.AnyStatement]:
    if g.chance(2):
        return [p.Int(to=g.name("i"), value=g.source.randrange(5))]
    operands: list[p.IntOperand] = [
        g.variable(scope, lambda k: isinstance(k, Integer)),
        g.source.randrange(300),
    ]
    if g.chance(2):
        operands.reverse()
    return [
        p.Arithmetic(
            to=g.name("i"),
            operator=g.pick(get_args(p.ArithmeticOperator)),
            left=operands[0],
            right=operands[1],
            width=g.pick((1, 2, 4, 8)),
        )
    ]


def _guard(g: Choices, scope: Scope, depth: int) -> list[p.AnyStatement]:
    left = g.variable(scope, lambda k: isinstance(k, Integer))
    return [
        p.Guard(
            left=left,
            comparison="ge" if g.chance(2) else g.pick(get_args(p.Comparison)),
            right=g.pick((0, 0, 1)),
            trap=g.pick(get_args(p.GuardTrap)),
            instruction=g.source.randrange(4),
            operand=g.pick(("addr", "addr_op1", "addr_op2", "addr_res")),
        )
    ]


def _call(g: Choices, scope: Scope, depth: int) -> list[p.AnyStatement]:
    args = tuple(_argument(g, scope) for _ in range(g.source.randrange(3)))
    for argument in args:
        g.alignments[argument.to] = g.alignments.get(argument.of, 1)
    body_scope = enter(args, scope)
    body: list[p.AnyStatement] = []
    for _ in range(1 + g.source.randrange(4)):
        body += more_statements(g, body_scope, depth + 1)
    returned: list[p.Return] = []
    for _ in range(g.source.randrange(3)):
        fitting = g.variables(body_scope, lambda k: isinstance(k, RawPointer | Reference | Integer))
        taken = {each.of for each in returned}
        fitting = [name for name in fitting if name not in taken]
        if fitting:
            returned.append(p.Return(to=g.name("r"), of=g.pick(fitting)))
    leave(tuple(returned), body_scope, scope)
    return [p.Call(args=args, body=tuple(body), returns=tuple(returned))]


def _argument(g: Choices, scope: Scope) -> p.Argument:
    as_ = g.pick(("mut", "mut", "mut", "mut_cell", "shared", "shared", "cell", "mix", "boxed"))
    match as_:
        case "mut" | "mut_cell":
            of = g.borrowable(scope, *_UNIQUE)
        case "shared":
            of = g.borrowable(scope, *_UNIQUE, Borrow.SHARED)
        case "cell":
            of = g.borrowable(scope, *_CELLS, owned=False)
        case "mix":
            of = _mixable(g, scope)
        case _:
            of = g.raw(scope)
    kind = scope.placed(of)
    size = MIX_SIZE if as_ == "mix" else kind.size
    if as_ != "mix" and isinstance(kind, RawPointer) and g.chance(8):
        size = g.source.randrange(size + 1)
    return p.Argument(to=g.name("a"), as_=cast("p.ArgumentKind", as_), of=of, size=size)


_MAKERS: tuple[tuple[int, _Maker], ...] = (
    (8, _call),
    (6, _local),
    (5, _heap),
    (2, _static),
    (3, _box),
    (1, _free),
    (14, _raw),
    (16, _reference),
    (8, _cell),
    (4, _slice_pointer),
    (4, _two_phase),
    (8, _offset),
    (6, _to_integer),
    (6, _from_integer),
    (16, _read),
    (20, _write),
    (4, _copy),
    (2, _fill),
    (3, _stored_pointer),
    (3, _integer),
    (1, _guard),
    (0, _loose_pointer),
)
"""How often each kind of statement is tried; a call first, which a deep body leaves out."""

KINDS: dict[str, int] = {maker.__name__.lstrip("_"): weight for weight, maker in _MAKERS}
"""The kinds by name, with how often each is tried by default."""
