"""Random pointer programs: well-formed, and otherwise free to do anything.

Every statement of the language comes up. Sizes are small, offsets mostly lie within what a
pointer was made for, and memory is mostly initialised, so that programs get far enough to
break the rules of the borrow models rather than those of memory.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar, cast, get_args

from harness.pointer import program as p
from harness.pointer.kinds import (
    MIX_SIZE,
    Borrow,
    BoxParameter,
    Integer,
    Kind,
    LocalArray,
    Placed,
    RawPointer,
    Reference,
)
from harness.pointer.limits import UnfitError
from harness.pointer.scope import Scope
from harness.pointer.validate import check, enter, leave

if TYPE_CHECKING:
    import random

Item = TypeVar("Item")

_SIZES = (1, 1, 2, 2, 3, 4, 4, 8, 16)
_OWNING = (LocalArray, RawPointer, BoxParameter)
_DEPTH = 2


def generate(source: random.Random, length: int) -> p.PointerProgram:
    """A well-formed program of about `length` statements, those in bodies not counted.

    source: where all choices come from; the same state gives the same program.
    """
    generator = _Generator(source=source)
    scope = Scope()
    statements: list[p.AnyStatement] = []
    while len(statements) < length:
        statements += generator.statements(scope, 0)
    result = generator.result(scope, statements)
    return p.PointerProgram(statements=tuple(statements), result=result)


@dataclass(slots=True, kw_only=True)
class _Generator:
    """used: how many names are taken. addresses: for integers that are addresses, how many bytes
    there are. numbers: the other integers whose value is known."""

    source: random.Random
    used: int = 0
    addresses: dict[str, int] = field(default_factory=dict)
    numbers: dict[str, int] = field(default_factory=dict)

    # Choices

    def pick(self, items: tuple[Item, ...] | list[Item]) -> Item:
        return items[self.source.randrange(len(items))]

    def chance(self, one_in: int) -> bool:
        return self.source.randrange(one_in) == 0

    def name(self, prefix: str) -> str:
        self.used += 1
        return f"{prefix}{self.used}"

    def variables(self, scope: Scope, fits: Callable[[Kind], bool]) -> list[str]:
        """What is in reach of `scope` and fits, the youngest last."""
        found = [name for name, kind in scope.kinds.items() if fits(kind)]
        caller = scope.caller
        while caller is not None:
            found += [
                name
                for name, kind in caller.kinds.items()
                if isinstance(kind, RawPointer | Integer) and fits(kind)
            ]
            caller = caller.caller
        return found

    def variable(self, scope: Scope, fits: Callable[[Kind], bool]) -> str:
        """One of them. Raises: UnfitError, if there is none."""
        found = self.variables(scope, fits)
        if not found:
            raise UnfitError("nothing fits", "")
        return self.pick(found)

    def raw(self, scope: Scope, least: int = 0) -> str:
        return self.variable(scope, lambda k: isinstance(k, RawPointer) and k.size >= least)

    def borrowable(self, scope: Scope, *borrows: Borrow, owned: bool = True) -> str:
        """A variable of which a `&mut`, a `&` or the like can be had."""
        owning = _OWNING if owned else (RawPointer,)
        return self.variable(
            scope,
            lambda k: k.borrow in borrows if isinstance(k, Reference) else isinstance(k, owning),
        )

    def index(self, scope: Scope, size: int) -> str:
        """An integer that is mostly below `size`. Raises: UnfitError."""
        found = self.variables(scope, lambda k: isinstance(k, Integer))
        low = [name for name in found if self.numbers.get(name, size) < size]
        if not low or self.chance(12):
            return self.variable(scope, lambda k: isinstance(k, Integer))
        return self.pick(low)

    # Statements

    def statements(self, scope: Scope, depth: int) -> list[p.AnyStatement]:
        """One more statement, or a few that belong together."""
        makers = _MAKERS if depth < _DEPTH else _MAKERS[1:]
        total = sum(weight for weight, _ in makers)
        while True:
            chosen = self.source.randrange(total)
            for weight, maker in makers:  # noqa: B007 (the one at which the loop ends)
                chosen -= weight
                if chosen < 0:
                    break
            try:
                made = maker(self, scope, depth)
                for statement in made:
                    if not isinstance(statement, p.Call):
                        check(statement, scope)
            except UnfitError:
                continue
            for statement in made:
                if isinstance(statement, p.Expose | p.Addr | p.TransmuteAddr):
                    self.addresses[statement.to] = scope.raw(statement.of).size
                if isinstance(statement, p.Int):
                    self.numbers[statement.to] = statement.value
            return made

    def init(self, size: int) -> int | str:
        if self.chance(3):
            return bytes(self.source.randrange(256) for _ in range(size)).hex()
        return self.source.randrange(256)

    def result(self, scope: Scope, statements: list[p.AnyStatement]) -> str | None:
        """Sometimes a variable whose bytes are the result."""
        if not self.chance(8) or any(map(_has_guard, statements)):
            return None
        fitting = self.variables(scope, lambda k: isinstance(k, LocalArray))
        return self.pick(fitting) if fitting else None


_Maker = Callable[[_Generator, Scope, int], list[p.AnyStatement]]


def _has_guard(statement: p.AnyStatement) -> bool:
    if isinstance(statement, p.Call):
        return any(map(_has_guard, statement.body))
    return isinstance(statement, p.Guard)


def _local(g: _Generator, scope: Scope, depth: int) -> list[p.AnyStatement]:
    size, align = g.pick(_SIZES), g.pick((1, 1, 1, 4, 16))
    init = None if g.chance(12) else g.init(size)
    return [p.Local(to=g.name("x"), size=size, init=init, align=align)]


def _heap(g: _Generator, scope: Scope, depth: int) -> list[p.AnyStatement]:
    size, align = g.pick(_SIZES), g.pick((1, 1, 2, 8))
    to = g.name("h")
    heap = p.Heap(to=to, size=size, align=align)
    if g.chance(12):
        return [heap]
    return [
        heap,
        *(p.Write(ptr=to, at=at, width=1, value=g.source.randrange(256)) for at in range(size)),
    ]


def _static(g: _Generator, scope: Scope, depth: int) -> list[p.AnyStatement]:
    size, align = g.pick(_SIZES), g.pick((1, 1, 4))
    return [p.Static(to=g.name("g"), size=size, init=g.init(size), align=align)]


def _box(g: _Generator, scope: Scope, depth: int) -> list[p.AnyStatement]:
    size = g.pick(_SIZES)
    return [p.Box(to=g.name("b"), size=size, init=g.init(size))]


def _free(g: _Generator, scope: Scope, depth: int) -> list[p.AnyStatement]:
    ptr = g.raw(scope, 1)
    if g.chance(2):
        return [p.DropBox(ptr=ptr)]
    size = scope.raw(ptr).size + (1 if g.chance(12) else 0)
    return [p.Free(ptr=ptr, size=size, align=2 if g.chance(12) else 1)]


def _part(g: _Generator, scope: Scope, of: str) -> tuple[p.IntOperand | None, int | None]:
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


def _raw(g: _Generator, scope: Scope, depth: int) -> list[p.AnyStatement]:
    if g.chance(2):
        of = g.borrowable(scope, Borrow.MUT)
        at, size = _part(g, scope, of)
        return [p.RawMut(to=g.name("p"), of=of, at=at, size=size)]
    of = g.borrowable(scope, *Borrow)
    at, size = _part(g, scope, of)
    return [p.RawConst(to=g.name("p"), of=of, at=at, size=size)]


def _reference(g: _Generator, scope: Scope, depth: int) -> list[p.AnyStatement]:
    mutable = not g.chance(3)
    of = g.borrowable(scope, Borrow.MUT, *(() if mutable else (Borrow.SHARED,)))
    at, size = _part(g, scope, of)
    align = _alignment(g, scope, of) if at is None else 1
    if mutable:
        return [p.RefMut(to=g.name("m"), of=of, at=at, size=size, align=align)]
    return [p.RefShared(to=g.name("s"), of=of, at=at, size=size, align=align)]


def _alignment(g: _Generator, scope: Scope, of: str) -> int:
    """Mostly 1, sometimes more, where the size allows that."""
    size = scope.placed(of).size
    align = g.pick((2, 4, 8)) if g.chance(10) else 1
    return align if size and size % align == 0 else 1


def _cell(g: _Generator, scope: Scope, depth: int) -> list[p.AnyStatement]:
    if g.chance(3):
        return [p.RefMix(to=g.name("k"), of=_mixable(g, scope))]
    if g.chance(3):
        of = g.borrowable(scope, Borrow.MUT, owned=True)
        unsafe_cell = g.chance(3)
        return [p.RefCell(to=g.name("c"), of=of, unsafe_cell=unsafe_cell)]
    of = g.borrowable(scope, Borrow.CELL, Borrow.UNSAFE_CELL, owned=False)
    at, size = _part(g, scope, of)
    align = _alignment(g, scope, of) if at is None else 1
    return [
        p.RefCell(to=g.name("c"), of=of, unsafe_cell=g.chance(3), at=at, size=size, align=align)
    ]


def _mixable(g: _Generator, scope: Scope) -> str:
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


def _slice_pointer(g: _Generator, scope: Scope, depth: int) -> list[p.AnyStatement]:
    if g.chance(3):
        return [p.AsPtr(to=g.name("p"), of=g.borrowable(scope, Borrow.MUT, Borrow.SHARED))]
    return [p.AsMutPtr(to=g.name("p"), of=g.borrowable(scope, Borrow.MUT))]


def _two_phase(g: _Generator, scope: Scope, depth: int) -> list[p.AnyStatement]:
    of = g.borrowable(scope, Borrow.MUT)
    from_ = g.borrowable(scope, Borrow.MUT, Borrow.SHARED)
    size = scope.placed(from_).size
    return [p.TwoPhase(of=of, from_=from_, at=g.source.randrange(size or 1))]


def _offset(g: _Generator, scope: Scope, depth: int) -> list[p.AnyStatement]:
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


def _to_integer(g: _Generator, scope: Scope, depth: int) -> list[p.AnyStatement]:
    to, of = g.name("i"), g.raw(scope)
    ways: tuple[p.AnyStatement, ...] = (
        p.Expose(to=to, of=of),
        p.Expose(to=to, of=of),
        p.Addr(to=to, of=of),
        p.TransmuteAddr(to=to, of=of),
    )
    return [g.pick(ways)]


def _from_integer(g: _Generator, scope: Scope, depth: int) -> list[p.AnyStatement]:
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


def _access_at(
    g: _Generator, scope: Scope, *borrows: Borrow
) -> tuple[str, p.IntOperand, int, bool]:
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
    aligned = width > 1 and not isinstance(kind, LocalArray) and g.chance(8)
    return ptr, at, width, aligned


def _read(g: _Generator, scope: Scope, depth: int) -> list[p.AnyStatement]:
    ptr, at, width, aligned = _access_at(g, scope, *Borrow)
    to = g.name("v") if width < 16 and g.chance(4) else None
    return [p.Read(ptr=ptr, at=at, width=width, to=to, aligned=aligned)]


def _write(g: _Generator, scope: Scope, depth: int) -> list[p.AnyStatement]:
    borrows = (Borrow.MUT, Borrow.CELL, Borrow.UNSAFE_CELL, Borrow.MIX)
    ptr, at, width, aligned = _access_at(g, scope, *borrows)
    value: p.IntOperand = g.source.randrange(1 << 8 * min(width, 8))
    if g.chance(6):
        value = g.variable(scope, lambda k: isinstance(k, Integer))
    return [p.Write(ptr=ptr, at=at, width=width, value=value, aligned=aligned)]


def _copy(g: _Generator, scope: Scope, depth: int) -> list[p.AnyStatement]:
    from_, to_ptr = g.raw(scope), g.raw(scope)
    size = g.source.randrange(min(scope.raw(from_).size, scope.raw(to_ptr).size) + 1)
    return [p.Copy(from_=from_, to_ptr=to_ptr, size=size, overlapping=g.chance(2))]


def _stored_pointer(g: _Generator, scope: Scope, depth: int) -> list[p.AnyStatement]:
    ptr, of = g.raw(scope, 8), g.raw(scope)
    store = p.StorePtr(ptr=ptr, of=of)
    if g.chance(3):
        return [store]
    return [store, p.LoadPtr(to=g.name("p"), ptr=ptr, size=scope.raw(of).size)]


def _integer(g: _Generator, scope: Scope, depth: int) -> list[p.AnyStatement]:
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


def _guard(g: _Generator, scope: Scope, depth: int) -> list[p.AnyStatement]:
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


def _call(g: _Generator, scope: Scope, depth: int) -> list[p.AnyStatement]:
    args = tuple(_argument(g, scope) for _ in range(g.source.randrange(3)))
    body_scope = enter(args, scope)
    body: list[p.AnyStatement] = []
    for _ in range(1 + g.source.randrange(4)):
        body += g.statements(body_scope, depth + 1)
    returned: list[p.Return] = []
    for _ in range(g.source.randrange(3)):
        fitting = g.variables(body_scope, lambda k: isinstance(k, RawPointer | Reference | Integer))
        taken = {each.of for each in returned}
        fitting = [name for name in fitting if name not in taken]
        if fitting:
            returned.append(p.Return(to=g.name("r"), of=g.pick(fitting)))
    leave(tuple(returned), body_scope, scope)
    return [p.Call(args=args, body=tuple(body), returns=tuple(returned))]


def _argument(g: _Generator, scope: Scope) -> p.Argument:
    as_ = g.pick(("mut", "mut", "mut", "shared", "shared", "cell", "mix", "boxed"))
    match as_:
        case "mut":
            of = g.borrowable(scope, Borrow.MUT)
        case "shared":
            of = g.borrowable(scope, Borrow.MUT, Borrow.SHARED)
        case "cell":
            of = g.borrowable(scope, Borrow.CELL, Borrow.UNSAFE_CELL, owned=False)
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
    (3, _stored_pointer),
    (3, _integer),
    (1, _guard),
)
"""How often each kind of statement is tried; a call first, which a deep body leaves out."""
