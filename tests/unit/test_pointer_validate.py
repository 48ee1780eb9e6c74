"""Which pointer programs are refused, and why."""

from __future__ import annotations

import pytest

from harness.pointer import program as p
from harness.pointer.limits import SIZE_LIMIT
from harness.pointer.validate import DEPTH_LIMIT, faults

KINDS: tuple[p.AnyStatement, ...] = (
    p.Local(to="x", size=4, init=0),
    p.Heap(to="h", size=4),
    p.RefMut(to="m", of="h"),
    p.RefShared(to="s", of="h"),
    p.RefCell(to="c", of="h"),
    p.RefMix(to="k", of="h"),
    p.Int(to="i", value=1),
)
"""A variable of every kind; the statements of the tables below follow them."""

REFUSED: dict[str, p.AnyStatement] = {
    "the size is -1": p.Local(to="z", size=-1, init=0),
    f"the size is {SIZE_LIMIT + 1}": p.Static(to="z", size=SIZE_LIMIT + 1, init=0),
    "the size is 0": p.Heap(to="z", size=0),
    "the alignment 3": p.Local(to="z", size=3, init=0, align=3),
    "the alignment 0": p.Heap(to="z", size=3, align=0),
    "the byte is 256": p.Local(to="z", size=1, init=256),
    "3 digits for 2 bytes": p.Box(to="z", size=2, init="abc"),
    "4 digits for 2 bytes": p.Box(to="z", size=2, init="ABCD"),
    "x is a local, and a raw pointer must stand here": p.Free(ptr="x", size=4),
    "m is a &mut, and a raw pointer must stand here": p.DropBox(ptr="m"),
    "s is a &, of which there is no such borrow": p.RawMut(to="z", of="s"),
    "c is a &Cell, of which there is no such borrow": p.RefMut(to="z", of="c"),
    "k is a &Mix, of which there is no such borrow": p.RefShared(to="z", of="k"),
    "i is an integer": p.RawConst(to="z", of="i"),
    "there is no variable w": p.RefMut(to="z", of="w"),
    "h is bound already": p.RawMut(to="h", of="h"),
    "'a b' cannot be a variable": p.RawMut(to="a b", of="h"),
    "'call' cannot be a variable": p.RawMut(to="call", of="h"),
    "'é' cannot be a variable": p.RawMut(to="é", of="h"),
    "the alignment 8 of what": p.RefMut(to="z", of="h", align=8),
    "the alignment 2 of what": p.RefMut(to="z", of="h", align=2, at=0, size=2),
    "a size without the place": p.RefMut(to="z", of="h", size=2),
    "bytes 3 to 5 of 4": p.RefMut(to="z", of="h", at=3, size=2),
    "bytes 1 to 1 of 4": p.RefMut(to="z", of="h", at=1, size=0),
    "bytes -1 to 0 of 4": p.RefMut(to="z", of="h", at=-1),
    "several bytes at a variable place": p.RefMut(to="z", of="h", at="i", size=2),
    "several bytes of a local": p.RefMut(to="z", of="x", at=1, size=2),
    "a part of a &Mix": p.RawConst(to="z", of="k", at=1),
    "Cell::from_mut takes all": p.RefCell(to="z", of="m", at=1),
    "there is no such borrow": p.RefMix(to="z", of="m"),
    "s is a &, of which": p.AsMutPtr(to="z", of="s"),
    "c is a &Cell, of which": p.AsPtr(to="z", of="c"),
    "the byte of the argument is 4": p.TwoPhase(of="m", from_="s", at=4),
    "the byte to write is 256": p.TwoPhase(of="m", from_="h", at=0, value=256),
    "s is a &, which is not written": p.TwoPhase(of="m", from_="s", at=0, value=1),
    "h is a raw pointer, and an integer": p.Sub(to="z", of="h", offset="h", size=1, inbounds=True),
    "the number is 18446744073709551616": p.Sub(
        to="z", of="h", offset=1 << 64, size=1, inbounds=True
    ),
    "m is a &mut, and an integer": p.FromExposed(to="z", int_="m", offset=0, size=1),
    "the width 3": p.Read(ptr="h", at=0, width=3),
    "the width 16": p.Read(ptr="h", at=0, width=16, to="z"),
    "bytes 4 to 5 of 4": p.Read(ptr="m", at=4, width=1),
    "bytes 2 to 6 of 4": p.Read(ptr="x", at=2, width=4),
    "an aligned access of a local": p.Read(ptr="x", at=0, width=2, aligned=True),
    "a wide access of a local at a variable": p.Read(ptr="x", at="i", width=2),
    "s is a &, through which nothing": p.Write(ptr="s", at=0, width=1, value=0),
    "no field of a Mix": p.Read(ptr="k", at=3, width=1),
    "byte 0 of a Mix": p.Write(ptr="k", at=0, width=1, value=0),
    "the number is -1": p.Write(ptr="h", at=0, width=1, value=-1),
    "s is a &, and a raw pointer": p.Copy(from_="s", to_ptr="h", size=1, overlapping=True),
    "x is a local, and a raw pointer": p.StorePtr(ptr="h", of="x"),
    "c is a &Cell, and a raw pointer": p.LoadPtr(to="z", ptr="c", size=1),
    "the number is 18446744073709551617": p.Int(to="z", value=(1 << 64) + 1),
    "'addr;' is no operand": p.Guard(
        left=1, comparison="le", right=1, trap="misaligned", instruction=0, operand="addr;"
    ),
}
"""Part of the message; where two entries would be the same, a part that tells them apart."""


@pytest.mark.parametrize("message", REFUSED)
def test_a_statement_is_refused(message: str) -> None:
    program = p.PointerProgram(statements=(*KINDS, REFUSED[message]))
    (fault,) = faults(program)
    assert message in fault.message
    assert fault.path == (len(KINDS),)
    assert fault.remedy


def call(*args: p.Argument, returns: tuple[p.Return, ...] = (), body: int = 0) -> p.Call:
    return p.Call(args=args, body=_BODIES[body], returns=returns)


_GUARD = p.Guard(
    left="i", comparison="le", right=1, trap="misaligned", instruction=0, operand="addr"
)
_BODIES: tuple[tuple[p.AnyStatement, ...], ...] = (
    (),
    (p.Read(ptr="m", at=0, width=1),),
    (p.Local(to="l", size=1, init=0),),
    (_GUARD,),
    (p.RefMut(to="z", of="h"),),
    (p.Call(args=(), body=(p.Read(ptr="h", at="i", width=1),)),),
    (p.RefMut(to="z", of="h", at="i"),),
)


def argument(kind: p.ArgumentKind, of: str, size: int = 4) -> p.Argument:
    return p.Argument(to="a", as_=kind, of=of, size=size)


CALLS: dict[str, tuple[p.Call, p.Path]] = {
    "s is a &, of which": (call(argument("mut", "s")), (7,)),
    "m is a &mut, of which": (call(argument("cell", "m")), (7,)),
    "the size of a Mix is 4": (call(argument("mix", "h")), (7,)),
    "m is a &mut, and a raw pointer": (call(argument("boxed", "m")), (7,)),
    "m has 4 bytes, its parameter 2": (call(argument("mut", "m", 2)), (7,)),
    "m is a &mut of the caller": (call(body=1), (7, 0)),
    "l is a local, which is not returned": (
        call(returns=(p.Return(to="r", of="l"),), body=2),
        (7,),
    ),
    "a is a box, which is not returned": (
        call(argument("boxed", "h"), returns=(p.Return(to="r", of="a"),)),
        (7,),
    ),
    "z is a &mut and returned twice": (
        call(returns=(p.Return(to="r", of="z"), p.Return(to="q", of="z")), body=4),
        (7,),
    ),
    "there is no variable w": (call(returns=(p.Return(to="r", of="w"),)), (7,)),
    "i is bound already": (call(returns=(p.Return(to="i", of="h"),)), (7,)),
    "a guard cannot stand in a call with a boxed": (
        call(argument("boxed", "h"), body=3),
        (7, 0),
    ),
    "an index that could panic": (call(argument("boxed", "h"), body=5), (7, 0, 0)),
    "in a call with a boxed": (call(argument("boxed", "h"), body=6), (7, 0)),
    "a is bound already": (call(argument("mut", "h"), argument("mut", "m")), (7,)),
}


@pytest.mark.parametrize("message", CALLS)
def test_a_call_is_refused(message: str) -> None:
    statement, path = CALLS[message]
    (fault,) = faults(p.PointerProgram(statements=(*KINDS, statement)))
    assert message in fault.message
    assert fault.path == path


def test_calls_nest_to_a_limit() -> None:
    def nested(depth: int) -> p.PointerProgram:
        statement: p.AnyStatement = p.Int(to="i", value=0)
        for _ in range(depth):
            statement = p.Call(args=(), body=(statement,))
        return p.PointerProgram(statements=(statement,))

    assert faults(nested(DEPTH_LIMIT)) == ()
    (fault,) = faults(nested(DEPTH_LIMIT + 1))
    assert "nested too deeply" in fault.message
    assert len(fault.path) == DEPTH_LIMIT + 1


def test_one_mistake_is_one_fault() -> None:
    program = p.PointerProgram(
        statements=(
            p.RefMut(to="m", of="nothing"),
            p.RefShared(to="s", of="m"),
            p.Read(ptr="s", at=9, width=1),
            p.Int(to="i", value=-1),
        )
    )
    assert [fault.path for fault in faults(program)] == [(0,), (3,)]


@pytest.mark.parametrize("result", ["c", "k", "i", "w"])
def test_a_result_has_bytes_to_read(result: str) -> None:
    (fault,) = faults(p.PointerProgram(statements=KINDS, result=result))
    assert fault.path == (len(KINDS),)


def test_a_guard_stands_below_the_result() -> None:
    before = p.PointerProgram(statements=(*KINDS[:1], *KINDS[6:], _GUARD), result="x")
    after = p.PointerProgram(statements=(*KINDS[6:], _GUARD, *KINDS[:1]), result="x")
    assert faults(before) == ()
    assert [fault.path for fault in faults(after)] == [(1,)]
