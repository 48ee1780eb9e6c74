"""Which single statements and arguments a Rust compiler would take."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, assert_never

from harness.pointer import program as p
from harness.pointer.kinds import (
    MIX_SIZE,
    Borrow,
    BoxParameter,
    LocalArray,
    Placed,
    RawPointer,
    Reference,
)
from harness.pointer.limits import (
    WIDTHS,
    WORD_LIMIT,
    UnfitError,
    check_align,
    check_init,
    check_range,
    check_size,
    check_width,
)

if TYPE_CHECKING:
    from harness.pointer.scope import Scope

_OPERAND = re.compile(r"[a-z][a-z0-9_]{0,31}", re.ASCII)


def check_statement(statement: p.AnyStatement, scope: Scope) -> None:
    """Check a statement that is no call, all but the variable that it binds.

    Raises: UnfitError.
    """
    match statement:
        case p.Local() | p.Static() | p.Box():
            check_size(statement.size)
            check_init(statement.init, statement.size)
            if not isinstance(statement, p.Box):
                check_align(statement.align)
        case p.Heap() | p.Free():
            if isinstance(statement, p.Free):
                scope.raw(statement.ptr)
            check_size(statement.size, low=1)
            check_align(statement.align)
        case p.DropBox():
            scope.raw(statement.ptr)
        case p.RawMut() | p.RawConst() | p.RefMut() | p.RefShared() | p.RefCell():
            _check_borrow(statement, scope)
        case p.RefMix():
            _check_borrowable(statement.of, scope.placed(statement.of), _MIX)
        case p.AsMutPtr():
            _check_borrowable(statement.of, scope.placed(statement.of), _MUT)
        case p.AsPtr():
            _check_borrowable(statement.of, scope.placed(statement.of), _SHARED)
        case p.TwoPhase():
            _check_two_phase(statement, scope)
        case p.Sub():
            scope.raw(statement.of)
            _check_offset(statement.offset, statement.size, scope)
        case p.Expose() | p.Addr() | p.TransmuteAddr():
            scope.raw(statement.of)
        case p.FromExposed() | p.WithAddr() | p.Transmute():
            if isinstance(statement, p.WithAddr):
                scope.raw(statement.of)
            scope.integer(statement.int_)
            _check_offset(statement.offset, statement.size, scope)
        case p.Read() | p.Write():
            _check_access(statement, scope)
        case p.Copy():
            scope.raw(statement.from_)
            scope.raw(statement.to_ptr)
            _check_length(statement.size, scope)
        case p.Fill():
            scope.raw(statement.ptr)
            check_range(
                "the byte", 0 if isinstance(statement.value, str) else statement.value, 0, 0xFF
            )
            scope.integer(statement.value)
            _check_length(statement.size, scope)
        case p.StorePtr():
            scope.raw(statement.ptr)
            scope.raw(statement.of)
        case p.LoadPtr():
            scope.raw(statement.ptr)
            check_size(statement.size)
        case p.Int():
            check_range("the number", statement.value, 0, WORD_LIMIT - 1)
        case p.Arithmetic():
            scope.integer(statement.left)
            scope.integer(statement.right)
            check_width(statement.width, WIDTHS[:-1])
        case p.Guard():
            _check_guard(statement, scope)
        case p.Call():
            raise UnfitError("a call is not checked alone", "enter and leave it")
        case _:
            assert_never(statement)


# Borrows

_KindTest = Callable[[Placed], bool]


def _borrow_of(*borrows: Borrow, owned: bool) -> _KindTest:
    def fits(kind: Placed) -> bool:
        match kind:
            case RawPointer():
                return True
            case Reference():
                return kind.borrow in borrows
            case LocalArray() | BoxParameter():
                return owned

    return fits


_ANY = _borrow_of(*Borrow, owned=True)
_MUT = _borrow_of(Borrow.MUT, Borrow.MUT_CELL, owned=True)
_SHARED = _borrow_of(Borrow.MUT, Borrow.MUT_CELL, Borrow.SHARED, owned=True)
_MIX = _borrow_of(Borrow.MIX, owned=False)
_CELL = _borrow_of(Borrow.MUT_CELL, Borrow.CELL, Borrow.UNSAFE_CELL, owned=False)


_CELL_OR_OWNER = _borrow_of(
    Borrow.CELL, Borrow.UNSAFE_CELL, Borrow.MUT, Borrow.MUT_CELL, owned=True
)


def _check_borrowable(name: str, kind: Placed, fits: _KindTest) -> None:
    if not fits(kind):
        raise UnfitError(
            f"{name} is {kind}, of which there is no such borrow",
            "only &raw const can be had of every reference; &mut needs a &mut, a local, a box or "
            "a raw pointer, & one of these or a &, &Cell and &Mix their like or a raw pointer",
        )


_BorrowStatement = p.RawMut | p.RawConst | p.RefMut | p.RefShared | p.RefCell


def _check_borrow(statement: _BorrowStatement, scope: Scope) -> None:
    kind = scope.placed(statement.of)
    whole = statement.at is None
    match statement:
        case p.RawMut() | p.RefMut():
            fits = _MUT
        case p.RefShared():
            fits = _SHARED
        case p.RefCell():
            fits = _CELL_OR_OWNER
        case _:
            fits = _ANY
    _check_borrowable(statement.of, kind, fits)
    if isinstance(statement, p.RefMut | p.RefShared | p.RefCell):
        check_align(statement.align)
        size = kind.size if whole else statement.align
        if size % statement.align or (not whole and statement.align != 1):
            raise UnfitError(
                f"the alignment {statement.align} of what is borrowed",
                "a type's size is a multiple of its alignment, and a part has the alignment 1",
            )
    if isinstance(statement, p.RefCell) and not _CELL(kind):
        if isinstance(kind, BoxParameter):
            raise UnfitError(f"{statement.of} is a box", "borrow it as &mut first")
        if not whole:
            raise UnfitError(
                "Cell::from_mut takes all of PLACE", "borrow the part of the cell reference"
            )
    _check_part(statement, kind, scope)


def _check_part(statement: _BorrowStatement, kind: Placed, scope: Scope) -> None:
    if statement.at is None:
        if statement.size is not None:
            raise UnfitError("a size without the place of the part", "give its first byte too: at")
        return
    size = 1 if statement.size is None else statement.size
    if isinstance(kind, Reference) and kind.borrow is Borrow.MIX:
        raise UnfitError("a part of a &Mix", "borrow all of it")
    if isinstance(statement.at, str):
        scope.index(statement.at)
        if size != 1:
            raise UnfitError(
                "a part of several bytes at a variable place", "such a part is one byte, PLACE[at]"
            )
        return
    if size < 1 or statement.at < 0 or statement.at + size > kind.size:
        raise UnfitError(
            f"bytes {statement.at} to {statement.at + size} of {kind.size}",
            "a part has one byte at least and lies within PLACE",
        )
    if isinstance(kind, LocalArray) and size != 1:
        raise UnfitError(
            "a part of several bytes of a local",
            "borrow one byte, or borrow all and then a part of that",
        )


def _check_two_phase(statement: p.TwoPhase, scope: Scope) -> None:
    target = scope.placed(statement.of)
    _check_borrowable(statement.of, target, _MUT)
    if target.size == 0:
        raise UnfitError(f"{statement.of} has no byte that poke could write", "take a larger place")
    source = scope.placed(statement.from_)
    _check_borrowable(statement.from_, source, _SHARED)
    check_range("the byte of the argument", statement.at, 0, source.size - 1)
    if statement.value is None:
        return
    check_range("the byte to write", statement.value, 0, 255)
    unique = isinstance(source, Reference) and source.borrow.is_unique
    if not unique and not isinstance(source, RawPointer):
        raise UnfitError(
            f"{statement.from_} is {source}, which is not written while another is borrowed",
            "write through a raw pointer or a &mut",
        )


# Accesses


def _check_access(statement: p.Read | p.Write, scope: Scope) -> None:
    kind = scope.placed(statement.ptr)
    check_width(statement.width, WIDTHS)
    scope.integer(statement.at)
    if isinstance(statement, p.Write):
        scope.integer(statement.value)
        if isinstance(kind, Reference) and kind.borrow is Borrow.SHARED:
            raise UnfitError(
                f"{statement.ptr} is a &, through which nothing is written",
                "write through a raw pointer made of it",
            )
    elif statement.to is not None:
        check_width(statement.width, WIDTHS[:-1])
    if isinstance(kind, LocalArray) and statement.aligned:
        raise UnfitError("an aligned access of a local itself", "go through a pointer to it")
    if isinstance(kind, Reference) and kind.borrow is Borrow.MIX:
        _check_mix_access(statement)
        return
    wide = statement.width > 1
    if isinstance(statement.at, str):
        if not wide:
            scope.index(statement.at)
        if wide and isinstance(kind, LocalArray):
            raise UnfitError(
                "a wide access of a local at a variable place", "go through a pointer to it"
            )
        return
    loose = wide and (
        isinstance(kind, RawPointer | BoxParameter)
        or (isinstance(kind, Reference) and (kind.borrow.is_unique or kind.borrow is Borrow.SHARED))
    )
    if not loose and statement.at + statement.width > kind.size:
        raise UnfitError(
            f"bytes {statement.at} to {statement.at + statement.width} of {kind.size}",
            "what Rust checks by its type must lie within PLACE; a raw pointer made by "
            "wrapping_add may point elsewhere",
        )


def _check_mix_access(statement: p.Read | p.Write) -> None:
    if statement.width != 1 or statement.at not in range(MIX_SIZE):
        raise UnfitError("no field of a Mix", "its fields are the single bytes 0, 1 and 2")
    if isinstance(statement, p.Write) and statement.at != 1:
        raise UnfitError(f"byte {statement.at} of a Mix is not in its Cell", "only byte 1 is")


def _check_guard(statement: p.Guard, scope: Scope) -> None:
    scope.integer(statement.left)
    scope.integer(statement.right)
    check_range("the instruction's index", statement.instruction, 0, WORD_LIMIT - 1)
    if not _OPERAND.fullmatch(statement.operand):
        raise UnfitError(
            f"{statement.operand!r} is no operand", "write the opcode's field, such as addr_res"
        )
    if scope.no_guard is not None:
        raise UnfitError(*scope.no_guard)


def check_argument(argument: p.Argument, scope: Scope) -> None:
    """Check an argument of a call that stands in `scope`, all but the parameter's name.

    Raises: UnfitError.
    """
    kind = scope.placed(argument.of)
    match argument.as_:
        case "mut" | "mut_cell":
            _check_borrowable(argument.of, kind, _MUT)
        case "shared":
            _check_borrowable(argument.of, kind, _SHARED)
        case "cell":
            _check_borrowable(argument.of, kind, _CELL)
        case "mix":
            _check_borrowable(argument.of, kind, _MIX)
            check_range("the size of a Mix", argument.size, MIX_SIZE, MIX_SIZE)
        case "boxed":
            scope.raw(argument.of)
    check_size(argument.size)
    if argument.size != kind.size and not isinstance(kind, RawPointer):
        raise UnfitError(
            f"{argument.of} has {kind.size} bytes, its parameter {argument.size}",
            "an argument has the size of what it borrows, unless that is a raw pointer",
        )


def _check_length(size: p.IntOperand, scope: Scope) -> None:
    if isinstance(size, str):
        scope.integer(size)
    else:
        check_size(size)


def _check_offset(offset: p.IntOperand, size: int, scope: Scope) -> None:
    scope.integer(offset, low=-(WORD_LIMIT >> 1))
    check_size(size)
