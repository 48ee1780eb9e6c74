"""Pointer programs written as text, which `harness.pointer.text` reads back."""

from __future__ import annotations

from collections import ChainMap
from typing import TYPE_CHECKING, assert_never

from harness.pointer import program as p
from harness.pointer.kinds import (
    Kind,
    argument_kind,
    bound_kind,
    default_size,
    place_text,
)
from harness.pointer.tokens import COMPARISONS, OPERATORS

if TYPE_CHECKING:
    from collections.abc import Iterator

_COMPARISON = {name: text for text, name in COMPARISONS.items()}
_OPERATOR = {name: text for text, name in OPERATORS.items()}

Kinds = ChainMap[str, Kind]
"""What the variables are that have been bound so far, by name."""


def format(program: p.PointerProgram) -> str:
    """The text of a well-formed `program`, a line for each statement."""
    return "".join(f"{'    ' * depth}{line}\n" for depth, line, _ in _lines(program))


def statement_lines(program: p.PointerProgram) -> Iterator[tuple[p.Path, str]]:
    """The path and the line of each statement of a well-formed `program`, without indentation.

    A call's is its first line; a result's has the path of a statement after the last, and so
    has, where a parameter is boxed, the end of the call's body.
    """
    return ((path, line) for _, line, path in _lines(program) if path is not None)


def format_statement(statement: p.AnyStatement, kinds: Kinds) -> str:
    """The line of one statement, without a line end; of a call, its first line.

    kinds: what the variables are that it uses.
    """
    if isinstance(statement, p.Call):
        return _call(statement, kinds)
    return _statement(statement, kinds)


def _lines(program: p.PointerProgram) -> Iterator[tuple[int, str, p.Path | None]]:
    """Every line: how deep it stands, and its statement's path, if it is one."""
    yield from _body_lines(program.statements, (), ChainMap())
    if program.result is not None:
        yield 0, f"result {program.result}", (len(program.statements),)


def _body_lines(
    statements: tuple[p.AnyStatement, ...], path: p.Path, kinds: Kinds
) -> Iterator[tuple[int, str, p.Path | None]]:
    depth = len(path)
    for index, statement in enumerate(statements):
        here = (*path, index)
        yield depth, format_statement(statement, kinds), here
        if not isinstance(statement, p.Call):
            kind = bound_kind(statement, kinds.__getitem__)
            to: str | None = getattr(statement, "to", None)
            if kind is not None and to is not None:
                kinds[to] = kind
            continue
        inner = kinds.new_child({each.to: argument_kind(each) for each in statement.args})
        yield from _body_lines(statement.body, here, inner)
        returned = _names([each.of for each in statement.returns])
        if returned:
            yield depth + 1, f"return {returned}", None
        boxed = any(each.as_ == "boxed" for each in statement.args)
        yield depth, "}", (*here, len(statement.body)) if boxed else None
        kinds.update({each.to: inner[each.of] for each in statement.returns})


def _names(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"({', '.join(names)})" if names else ""


def _call(call: p.Call, kinds: Kinds) -> str:
    to = _names([each.to for each in call.returns])
    arguments = ", ".join(_argument(each, kinds) for each in call.args)
    return f"{f'{to} = ' if to else ''}call({arguments}) {{"


def _argument(argument: p.Argument, kinds: Kinds) -> str:
    place = place_text(argument.of, kinds[argument.of])
    size = ""
    if argument.size != default_size(argument.as_, kinds[argument.of]):
        size = f" {_cast(argument.size)}"
    match argument.as_:
        case "mut":
            value = f"&mut {place}"
        case "mut_cell":
            value = f"&mut cell {place}"
        case "shared":
            value = f"&{place}"
        case "cell":
            value = f"&cell {place}"
        case "mix":
            value = f"&mix {place}"
        case "boxed":
            value = f"Box::from_raw({argument.of})"
    return f"{argument.to} = {value}{size}"


def _statement(statement: p.AnyStatement, kinds: Kinds) -> str:
    match statement:
        case p.Local():
            return f"local {statement.to} = {_array(statement)}{_align(statement.align)}"
        case p.Static():
            return f"static {statement.to} = {_array(statement)}{_align(statement.align)}"
        case p.Heap():
            return f"{statement.to} = alloc({statement.size}{_align(statement.align, ',')})"
        case p.Box():
            return f"{statement.to} = Box::new({_array(statement)})"
        case p.Free():
            return f"dealloc({statement.ptr}, {statement.size}{_align(statement.align, ',')})"
        case p.DropBox():
            return f"drop(Box::from_raw({statement.ptr}))"
        case p.RawMut():
            return f"{statement.to} = &raw mut {_part(statement, kinds)}"
        case p.RawConst():
            return f"{statement.to} = &raw const {_part(statement, kinds)}"
        case p.RefMut():
            cell = "cell " if statement.cell else ""
            part = _part(statement, kinds)
            return f"{statement.to} = &mut {cell}{part}{_align(statement.align)}"
        case p.RefShared():
            return f"{statement.to} = &{_part(statement, kinds)}{_align(statement.align)}"
        case p.RefCell():
            cell = "unsafe_cell" if statement.unsafe_cell else "cell"
            return f"{statement.to} = &{cell} {_part(statement, kinds)}{_align(statement.align)}"
        case p.RefMix():
            return f"{statement.to} = &mix {place_text(statement.of, kinds[statement.of])}"
        case p.AsMutPtr():
            return f"{statement.to} = {statement.of}.as_mut_ptr()"
        case p.AsPtr():
            return f"{statement.to} = {statement.of}.as_ptr()"
        case p.TwoPhase():
            poke = "poke_cell" if statement.cell else "poke"
            value = "" if statement.value is None else f" = {statement.value}"
            return f"{statement.of}.{poke}({statement.from_}[{statement.at}]{value})"
        case p.Sub():
            return f"{statement.to} = {_moved(statement)} {_cast(statement.size)}"
        case p.Expose():
            return f"{statement.to} = {statement.of}.expose_provenance()"
        case p.Addr():
            return f"{statement.to} = {statement.of}.addr()"
        case p.TransmuteAddr():
            return f"{statement.to} = transmute({statement.of})"
        case p.FromExposed():
            pointer = f"with_exposed_provenance_mut({_sum(statement)})"
            return f"{statement.to} = {pointer} {_cast(statement.size)}"
        case p.WithAddr():
            pointer = f"{statement.of}.with_addr({_sum(statement)})"
            return f"{statement.to} = {pointer} {_cast(statement.size)}"
        case p.Transmute():
            return f"{statement.to} = transmute({_sum(statement)}) {_cast(statement.size)}"
        case p.Read():
            to = "" if statement.to is None else f"{statement.to} = "
            return f"{to}read {_access(statement)}"
        case p.Write():
            return f"write {_access(statement)} = {statement.value}"
        case p.Copy():
            function = "copy" if statement.overlapping else "copy_nonoverlapping"
            return f"{function}({statement.from_}, {statement.to_ptr}, {statement.size})"
        case p.Fill():
            return f"write_bytes({statement.ptr}, {statement.value}, {statement.size})"
        case p.StorePtr():
            return f"store_ptr({statement.ptr}, {statement.of})"
        case p.LoadPtr():
            return f"{statement.to} = load_ptr({statement.ptr}) {_cast(statement.size)}"
        case p.Int():
            return f"{statement.to} = {statement.value}"
        case p.Arithmetic():
            operation = f"{statement.left} {_OPERATOR[statement.operator]} {statement.right}"
            return f"{statement.to} = {operation}: u{8 * statement.width}"
        case p.Guard():
            check = f"{statement.left} {_COMPARISON[statement.comparison]} {statement.right}"
            what = f"{statement.trap} {statement.instruction} {statement.operand}"
            return f"guard {check} else {what}"
        case p.Call():
            raise AssertionError("a call has lines of its own")
        case _:
            assert_never(statement)


def _array(statement: p.Local | p.Static | p.Box) -> str:
    init = statement.init
    if isinstance(init, str):
        return f"[{', '.join(map(str, bytes.fromhex(init)))}]"
    return f"[{'uninit' if init is None else init}; {statement.size}]"


def _align(align: int, separator: str = "") -> str:
    return "" if align == 1 else f"{separator} align {align}"


def _cast(size: int) -> str:
    return f"as [u8; {size}]"


def _part(
    statement: p.RawMut | p.RawConst | p.RefMut | p.RefShared | p.RefCell, kinds: Kinds
) -> str:
    place = place_text(statement.of, kinds[statement.of])
    if statement.at is None:
        return place
    end = ""
    if statement.size is not None and isinstance(statement.at, int):
        end = f"..{statement.at + statement.size}"
    return f"{f'({place})' if place.startswith('*') else place}[{statement.at}{end}]"


def _moved(statement: p.Sub) -> str:
    pointer, offset = statement.of, statement.offset
    if offset == 0 and not statement.inbounds:
        return pointer
    negative = isinstance(offset, int) and offset < 0
    method = ("" if statement.inbounds else "wrapping_") + ("sub" if negative else "add")
    distance = -offset if isinstance(offset, int) and negative else offset
    return f"{pointer}.{method}({distance})"


def _sum(statement: p.FromExposed | p.WithAddr | p.Transmute) -> str:
    offset = statement.offset
    if offset == 0:
        return statement.int_
    if isinstance(offset, int) and offset < 0:
        return f"{statement.int_} - {-offset}"
    return f"{statement.int_} + {offset}"


def _access(statement: p.Read | p.Write) -> str:
    aligned = "aligned " if statement.aligned else ""
    return f"{statement.ptr}[{statement.at}]: {aligned}u{8 * statement.width}"
