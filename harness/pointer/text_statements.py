"""The text of single statements, read into statements."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, get_args

from harness.errors import quoted
from harness.pointer import program as p
from harness.pointer.text_borrows import CALL, borrow
from harness.pointer.tokens import COMPARISONS, OPERATORS, Line

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.pointer.scope import Scope

_LOCAL = "local x = [0; 4], local x = [1, 2, 3] or local x = [uninit; 4] align 4"
_STATIC = "static g = [0; 4] or static g = [1, 2, 3] align 4"
_ACCESS = "read p[2]: u16, read p[0]: aligned u16, write p[2]: u8 = 1"
_CAST = "q = p.add(2) as [u8; 4]"
_TRAPS: tuple[p.GuardTrap, ...] = get_args(p.GuardTrap)
_POKE_CELL = "poke_cell"
_POKES = ("poke", _POKE_CELL)
_GUARD = "guard a <= 14 else out-of-bounds 0 addr_op1"
_ARITHMETIC = "v = a + b: u16"
_STATEMENT = "docs/pointer-language.md has every statement"


def _words(trap: str) -> list[str]:
    """The tokens of a trap's name."""
    return re.findall("[a-z]+|-", trap)


def names(line: Line) -> tuple[str, ...]:
    """The names before `=`, which the line binds; none where it begins otherwise."""
    if line.peek().kind == "word" and line.peek(1).text == "=":
        name = line.take().text
        line.take()
        return (name,)
    if not line.accept("("):
        return ()
    found = [line.name(CALL)]
    while line.accept(","):
        found.append(line.name(CALL))
    line.expect(")", "=", usage=CALL)
    return tuple(found)


def simple_statement(line: Line, to: tuple[str, ...], scope: Scope) -> p.AnyStatement:
    """The statement on `line`, which is no call; `to` is what it binds before `=`.

    Raises: InputError.
    """
    reader = _Reader(line=line, scope=scope)
    if len(to) > 1:
        raise line.unexpected("only a call binds several variables", CALL)
    statement = reader.value(to[0]) if to else reader.effect()
    line.done(_STATEMENT)
    return statement


@dataclass(slots=True, kw_only=True)
class _Reader:
    line: Line
    scope: Scope

    # Statements without a value

    def effect(self) -> p.AnyStatement:
        line = self.line
        word = line.peek().text
        match word:
            case "local" | "static":
                return self._allocation()
            case "read":
                return self._read(None)
            case "write":
                return self._write()
            case "guard":
                return self._guard()
            case "dealloc":
                return self._dealloc()
            case "drop":
                usage = "drop(Box::from_raw(b))"
                line.expect("drop", "(", "Box", "::", "from_raw", "(", usage=usage)
                ptr = line.name(usage)
                line.expect(")", ")", usage=usage)
                return p.DropBox(ptr=ptr)
            case "copy" | "copy_nonoverlapping":
                line.take()
                usage = f"{word}(from, to, 4)"
                line.expect("(", usage=usage)
                from_ = line.name(usage)
                line.expect(",", usage=usage)
                to_ptr = line.name(usage)
                line.expect(",", usage=usage)
                size = line.operand(usage)
                line.expect(")", usage=usage)
                return p.Copy(from_=from_, to_ptr=to_ptr, size=size, overlapping=word == "copy")
            case "write_bytes":
                usage = "write_bytes(p, 0, 4)"
                line.expect("write_bytes", "(", usage=usage)
                ptr = line.name(usage)
                line.expect(",", usage=usage)
                value = line.operand(usage)
                line.expect(",", usage=usage)
                size = line.operand(usage)
                line.expect(")", usage=usage)
                return p.Fill(ptr=ptr, value=value, size=size)
            case "store_ptr":
                usage = "store_ptr(p, q)"
                line.expect("store_ptr", "(", usage=usage)
                ptr = line.name(usage)
                line.expect(",", usage=usage)
                of = line.name(usage)
                line.expect(")", usage=usage)
                return p.StorePtr(ptr=ptr, of=of)
        if line.peek().kind == "word" and line.peek(1).text == "." and line.peek(2).text in _POKES:
            return self._poke()
        raise line.unexpected("a statement is wanted", _STATEMENT)

    def _allocation(self) -> p.Local | p.Static:
        line = self.line
        static = line.take().text == "static"
        usage = _STATIC if static else _LOCAL
        to = line.name(usage)
        line.expect("=", usage=usage)
        token = line.peek()
        size, init = self._array(usage)
        align = line.align(usage)
        if not static:
            return p.Local(to=to, size=size, init=init, align=align)
        if init is None:
            raise line.error(token, "a static without a value", _STATIC)
        return p.Static(to=to, size=size, init=init, align=align)

    def _array(self, usage: str) -> tuple[int, int | str | None]:
        """The size and the value of an array."""
        line = self.line
        line.expect("[", usage=usage)
        if line.accept("]"):
            return 0, ""
        if line.accept("uninit"):
            line.expect(";", usage=usage)
            size = line.number(usage)
            line.expect("]", usage=usage)
            return size, None
        first = self._byte(usage)
        if line.accept(";"):
            size = line.number(usage)
            line.expect("]", usage=usage)
            return size, first
        found = [first]
        while line.accept(","):
            found.append(self._byte(usage))
        line.expect("]", usage=usage)
        return len(found), bytes(found).hex()

    def _byte(self, usage: str) -> int:
        token = self.line.peek()
        number = self.line.number(usage)
        if number > 0xFF:
            raise self.line.error(token, f"{number} is no byte", "write 0 to 255")
        return number

    def _dealloc(self) -> p.Free:
        line, usage = self.line, "dealloc(p, 4) or dealloc(p, 4, align 4)"
        line.expect("dealloc", "(", usage=usage)
        ptr = line.name(usage)
        line.expect(",", usage=usage)
        size, align = self._layout(usage)
        return p.Free(ptr=ptr, size=size, align=align)

    def _layout(self, usage: str) -> tuple[int, int]:
        line = self.line
        size, align = line.number(usage), 1
        if line.accept(",", "align"):
            align = line.number(usage)
        line.expect(")", usage=usage)
        return size, align

    def _poke(self) -> p.TwoPhase:
        line, usage = self.line, "m.poke(q[0]) or m.poke(q[0] = 7)"
        of = line.name(usage)
        line.expect(".", usage=usage)
        cell = line.take().text == _POKE_CELL
        line.expect("(", usage=usage)
        from_ = line.name(usage)
        line.expect("[", usage=usage)
        at = line.number(usage)
        line.expect("]", usage=usage)
        value = line.number(usage) if line.accept("=") else None
        line.expect(")", usage=usage)
        return p.TwoPhase(of=of, from_=from_, at=at, value=value, cell=cell)

    def _guard(self) -> p.Guard:
        line = self.line
        line.expect("guard", usage=_GUARD)
        left = line.operand(_GUARD)
        comparison = COMPARISONS.get(line.peek().text)
        if comparison is None:
            raise line.unexpected("a comparison is wanted", _GUARD)
        line.take()
        right = line.operand(_GUARD)
        line.expect("else", usage=_GUARD)
        trap = next((each for each in _TRAPS if line.accept(*_words(each))), None)
        if trap is None:
            raise line.unexpected("a trap is wanted", _GUARD)
        instruction = line.number(_GUARD)
        operand = line.name(_GUARD)
        return p.Guard(
            left=left,
            comparison=comparison,
            right=right,
            trap=trap,
            instruction=instruction,
            operand=operand,
        )

    # Accesses

    def _access(self) -> tuple[str, p.IntOperand, int, bool]:
        """`p[2]: aligned u16`"""
        line = self.line
        ptr = line.name(_ACCESS)
        line.expect("[", usage=_ACCESS)
        at = line.operand(_ACCESS)
        line.expect("]", ":", usage=_ACCESS)
        aligned = line.accept("aligned")
        return ptr, at, line.integer_type(_ACCESS), aligned

    def _read(self, to: str | None) -> p.Read:
        self.line.take()
        ptr, at, width, aligned = self._access()
        return p.Read(ptr=ptr, at=at, width=width, to=to, aligned=aligned)

    def _write(self) -> p.Write:
        self.line.take()
        ptr, at, width, aligned = self._access()
        self.line.expect("=", usage=_ACCESS)
        value = self.line.operand(_ACCESS)
        return p.Write(ptr=ptr, at=at, width=width, value=value, aligned=aligned)

    # Statements with a value

    def value(self, to: str) -> p.AnyStatement:
        line = self.line
        if line.accept("&"):
            return borrow(line, to, self.scope)
        if line.at("read"):
            return self._read(to)
        if line.accept("Box"):
            usage = "b = Box::new([0; 4])"
            line.expect("::", "new", "(", usage=usage)
            token = line.peek()
            size, init = self._array(usage)
            line.expect(")", usage=usage)
            if init is None:
                raise line.error(token, "a box without a value", usage)
            return p.Box(to=to, size=size, init=init)
        if line.peek().kind == "word" and line.peek(1).text == "(":
            return self._function(to)
        if line.peek().kind == "word" and line.peek(1).text == ".":
            return self._method(to)
        if line.peek().kind == "word" and line.peek(1).text == "as":
            of = line.take().text
            return p.Sub(to=to, of=of, offset=0, size=line.cast(_CAST), inbounds=False)
        return self._arithmetic(to)

    def _arithmetic(self, to: str) -> p.Int | p.Arithmetic:
        line = self.line
        left = line.operand(_ARITHMETIC)
        if isinstance(left, int) and line.peek().kind == "end":
            return p.Int(to=to, value=left)
        operator = OPERATORS.get(line.peek().text)
        if operator is None:
            raise line.unexpected("an operator is wanted", _ARITHMETIC)
        line.take()
        right = line.operand(_ARITHMETIC)
        line.expect(":", usage=_ARITHMETIC)
        width = line.integer_type(_ARITHMETIC)
        return p.Arithmetic(to=to, operator=operator, left=left, right=right, width=width)

    def _function(self, to: str) -> p.AnyStatement:
        line = self.line
        function = line.take()
        line.take()
        match function.text:
            case "alloc":
                size, align = self._layout("h = alloc(4) or h = alloc(4, align 4)")
                return p.Heap(to=to, size=size, align=align)
            case "with_exposed_provenance_mut":
                int_, offset = self._sum()
                return p.FromExposed(to=to, int_=int_, offset=offset, size=line.cast(_CAST))
            case "transmute":
                int_, offset = self._sum()
                if offset == 0 and not line.at("as"):
                    return p.TransmuteAddr(to=to, of=int_)
                return p.Transmute(to=to, int_=int_, offset=offset, size=line.cast(_CAST))
            case "load_ptr":
                ptr = line.name("q = load_ptr(p) as [u8; 4]")
                line.expect(")", usage="q = load_ptr(p) as [u8; 4]")
                return p.LoadPtr(to=to, ptr=ptr, size=line.cast(_CAST))
        message = f"there is no function {quoted(function.text)}"
        raise line.error(function, message, _STATEMENT)

    def _sum(self) -> tuple[str, p.IntOperand]:
        """`i`, `i + 4`, `i - 4` or `i + j`, and the closing parenthesis."""
        line, usage = self.line, "with_exposed_provenance_mut(i + 4) as [u8; 4]"
        int_ = line.name(usage)
        offset: p.IntOperand = 0
        if line.accept("-"):
            offset = -line.number(usage)
        elif line.accept("+"):
            offset = line.operand(usage)
        line.expect(")", usage=usage)
        return int_, offset

    def _method(self, to: str) -> p.AnyStatement:
        line = self.line
        of = line.take().text
        line.take()
        method = line.take()
        line.expect("(", usage=_CAST)
        match method.text:
            case "as_mut_ptr" | "as_ptr" | "expose_provenance" | "addr":
                line.expect(")", usage=f"{to} = {of}.{method.text}()")
                return _OF_POINTER[method.text](to=to, of=of)
            case "add" | "wrapping_add" | "sub" | "wrapping_sub":
                negative = method.text.endswith("sub")
                offset = -line.number(_CAST) if negative else line.operand(_CAST)
                line.expect(")", usage=_CAST)
                inbounds = not method.text.startswith("wrapping")
                return p.Sub(to=to, of=of, offset=offset, size=line.cast(_CAST), inbounds=inbounds)
            case "with_addr":
                int_, offset = self._sum()
                return p.WithAddr(to=to, of=of, int_=int_, offset=offset, size=line.cast(_CAST))
        raise line.error(method, f"there is no method {quoted(method.text)}", _STATEMENT)


_OF_POINTER: dict[str, Callable[..., p.AsMutPtr | p.AsPtr | p.Expose | p.Addr]] = {
    "as_mut_ptr": p.AsMutPtr,
    "as_ptr": p.AsPtr,
    "expose_provenance": p.Expose,
    "addr": p.Addr,
}
