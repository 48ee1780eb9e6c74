"""The text form of pointer programs, as people write them in `corpus/pointer/`.

One statement a line, close to Rust; a comment runs from `//` to the end of its line:

    local x = [0; 4]
    m = &mut x
    p = &raw mut *m
    call(a = &mut *m) {
        write p[0]: u8 = 1      // through a pointer that is no child of `a`
    }
    v = read x[0]: u8

Reference: `docs/pointer-language.md`. `format` writes a program so that `parse` gives it back.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from harness.bytecode.tokens import locate_in
from harness.errors import InputError, quoted
from harness.pointer import program as p
from harness.pointer.limits import UnfitError
from harness.pointer.listing import format
from harness.pointer.scope import Scope
from harness.pointer.text_borrows import CALL, arguments
from harness.pointer.text_statements import names, simple_statement
from harness.pointer.tokens import Line, lines
from harness.pointer.validate import check, check_result, enter, leave, open_guards

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from harness.bytecode.tokens import Locate
    from harness.errors import Place

__all__ = ["Parsed", "format", "parse"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Parsed:
    """A program, and where its statements stand in the text.

    places: by path; the result has that of a statement after the last.
    """

    program: p.PointerProgram
    places: Mapping[p.Path, Place]


def parse(text: str, locate: Locate | None = None) -> Parsed:
    """The well-formed program that `text` writes.

    locate: finds the place of an offset in `text`; by default `text` is a file of its own.

    Raises: InputError, at the first mistake.
    """
    place = locate or locate_in(text, "<program>")
    return _Parser(lines=lines(text, place), locate=place).program()


@dataclass(slots=True, kw_only=True)
class _Parser:
    """Reads statements line by line, and checks each before the next is read."""

    lines: list[Line]
    locate: Locate
    next: int = 0
    places: dict[p.Path, Place] = field(default_factory=dict)

    def program(self) -> Parsed:
        scope = Scope()
        result = self._result_name()
        statements = self._statements((), scope, result)
        program = p.PointerProgram(statements=statements, result=result)
        if self.next < len(self.lines) and self.lines[self.next].at("result"):
            line = self._take()
            self.places[(len(statements),)] = self.locate(line.start)
            line.take()
            line.name("result owner")
            line.done("result owner")
            self._fit(line, lambda: check_result(program, scope))
        if self.next < len(self.lines):
            line = self.lines[self.next]
            message = f"{quoted(line.peek().text)} where the program should end"
            remedy = "a result stands last, a return and } belong to a call"
            raise line.error(line.peek(), message, remedy)
        return Parsed(program=program, places=self.places)

    def _result_name(self) -> str | None:
        """The variable of the line `result NAME`, which the guards above it depend on."""
        for line in self.lines:
            if line.at("result"):
                return line.peek(1).text
        return None

    def _statements(
        self, path: p.Path, scope: Scope, result: str | None
    ) -> tuple[p.AnyStatement, ...]:
        """Statements up to a line that ends their body, which is not taken."""
        found: list[p.AnyStatement] = []
        while self.next < len(self.lines):
            line = self.lines[self.next]
            if line.at("}") or line.at("return") or line.at("result"):
                break
            self.next += 1
            here = (*path, len(found))
            self.places[here] = self.locate(line.start)
            if not path:
                open_guards(scope, result)
            to = names(line)
            if line.at("call", "("):
                found.append(self._call(line, to, here, scope))
                continue
            statement = simple_statement(line, to, scope)
            # mypy infers no lambda's default.
            self._fit(line, lambda s=statement: check(s, scope))  # type: ignore[misc]
            found.append(statement)
        return tuple(found)

    def _call(self, line: Line, to: tuple[str, ...], path: p.Path, scope: Scope) -> p.Call:
        args = arguments(line, scope)
        line.expect("{", usage=CALL)
        body_scope = Scope()

        def open_body() -> None:
            nonlocal body_scope
            body_scope = enter(args, scope)

        self._fit(line, open_body)
        if line.accept("}"):
            body: tuple[p.AnyStatement, ...] = ()
            returned: tuple[str, ...] = ()
        else:
            line.done(CALL)
            body = self._statements(path, body_scope, None)
            returned = self._end(line)
        if len(returned) != len(to):
            message = f"{len(to)} values are bound, {len(returned)} returned"
            raise InputError(self.locate(line.start), message, CALL)
        returns = tuple(p.Return(to=name, of=of) for name, of in zip(to, returned, strict=True))
        self._fit(line, lambda: leave(returns, body_scope, scope))
        line.done(CALL)
        return p.Call(args=args, body=body, returns=returns)

    def _end(self, call: Line) -> tuple[str, ...]:
        """The end of a body: what it returns, and the closing brace."""
        returned: tuple[str, ...] = ()
        if self.next < len(self.lines) and self.lines[self.next].at("return"):
            line = self._take()
            line.take()
            returned = _returned(line)
            line.done(CALL)
        if self.next == len(self.lines):
            raise InputError(self.locate(call.start), "the call's body has no end", CALL)
        line = self._take()
        line.expect("}", usage=CALL)
        line.done("a closing brace has a line of its own")
        return returned

    def _take(self) -> Line:
        line = self.lines[self.next]
        self.next += 1
        return line

    def _fit(self, line: Line, action: Callable[[], None]) -> None:
        try:
            action()
        except UnfitError as unfit:
            raise InputError(self.locate(line.start), unfit.message, unfit.remedy) from None


def _returned(line: Line) -> tuple[str, ...]:
    if not line.accept("("):
        return (line.name(CALL),)
    found = [line.name(CALL)]
    while line.accept(","):
        found.append(line.name(CALL))
    line.expect(")", usage=CALL)
    return tuple(found)
