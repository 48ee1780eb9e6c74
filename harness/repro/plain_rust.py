"""A pointer program as a Rust file for people: `fn main`, and a function for each call.

The statements are those of `harness.pointer.rust_statements`; what surrounds them in a batch,
the tables and the records, is left out, and of the prelude only what is used stands here. The
exact form evades the borrow checker by detours through raw pointers. Plainer ones leave them
out, which may change what is retagged: whether they show the same has to be tried.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from types import MappingProxyType

from harness.pointer import program as p
from harness.pointer.rust_accesses import COUNT
from harness.pointer.rust_calls import hand_over
from harness.pointer.rust_prelude import PRELUDE
from harness.pointer.rust_statements import (
    condition,
    result_expression,
    statement_line,
)
from harness.pointer.rust_types import Frame, array, bare, variable_type


class Plainness(IntEnum):
    """How far a file is from the exact Rust, the plainest last.

    REFERENCES: `*m` where the exact form goes through a raw pointer to `m`. LOCALS: also
    `&mut x`, one retag, where the exact form has `&mut *(&raw mut x)`, two.
    """

    EXACT = 0
    REFERENCES = 1
    LOCALS = 2


ALLOW = (
    "#![allow(warnings, arithmetic_overflow, dangerous_implicit_autorefs)]",
    "#![allow(invalid_reference_casting, unconditional_panic)]",
)

_IMPORTS = (
    ("std::alloc::{Layout, alloc, dealloc}", r"\b(alloc|dealloc)\("),
    ("std::cell::Cell", r"\bCell\b"),
    ("std::cell::UnsafeCell", r"\bUnsafeCell\b"),
    ("std::mem::forget", r"\bforget\("),
    ("std::mem::transmute", r"\btransmute::"),
    ("std::ptr", r"\bptr::"),
)
"""What is imported where a pattern occurs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlainLine:
    """A line of Rust, and the path of the statement behind it, if there is one."""

    text: str
    path: p.Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlainSource:
    """lines: the whole file but its head."""

    lines: tuple[PlainLine, ...]

    def text(self, head: Sequence[str]) -> str:
        return "".join(f"{line}\n" for line in (*head, *(each.text for each in self.lines)))

    def line_of(self, path: p.Path | None, head: int) -> int | None:
        """The number of the statement's line under a head of so many lines, from 1."""
        numbered = enumerate(self.lines, start=head + 1)
        return next((number for number, line in numbered if path and line.path == path), None)

    def path_at(self, number: int, head: int) -> p.Path | None:
        """The statement behind a line under a head of so many lines."""
        index = number - head - 1
        return self.lines[index].path if 0 <= index < len(self.lines) else None


def write_plain(
    program: p.PointerProgram,
    *,
    plainness: Plainness = Plainness.EXACT,
    prints: bool = False,
    remarks: Mapping[p.Path, str] = MappingProxyType({}),
) -> PlainSource:
    """The file for a well-formed program.

    prints: whether it prints its checksum and its result, for runs that come to an end.
    remarks: comments, each above its statement.
    """
    writer = _Writer(program=program, prints=prints, remarks=remarks)
    body = [
        PlainLine(text=_plainer(line.text, plainness), path=line.path) for line in writer.lines()
    ]
    code = "\n".join(line.text for line in body)
    front = [*ALLOW, ""]
    uses = [f"use {path};" for path, pattern in _IMPORTS if re.search(pattern, code)]
    items = _items(code)
    uses += [
        f"use {path};"
        for path, pattern in _IMPORTS
        if f"use {path};" not in uses and any(re.search(pattern, item) for item in items)
    ]
    front += [*sorted(uses), *([""] if uses else [])]
    for item in items:
        front += [*item.splitlines(), ""]
    return PlainSource(lines=(*(PlainLine(text=line) for line in front), *body))


def _items(code: str) -> list[str]:
    """The items of the prelude that the code uses, and the aligned types."""
    found = []
    for item in PRELUDE.split("\n\n"):
        named = re.search(r"^(?:struct|union|trait) (\w+)", item, re.MULTILINE)
        implemented = re.search(r"^impl.* Poke for (Cell)?", item, re.MULTILINE)
        if implemented:
            used = ".poke(" in code and (not implemented[1] or "Cell<" in code)
        elif named:
            used = re.search(rf"\b{named[1]}\b|\.{named[1].lower()}\(", code) is not None
        else:
            used = False
        if used:
            found.append(item.strip("\n"))
    for align in sorted({int(each) for each in re.findall(r"\bAlign(\d+)\b", code)}):
        found.append(
            f"#[derive(Clone, Copy)]\n#[repr(C, align({align}))]\nstruct Align{align}<T>(T);"
        )
    return found


# Plainer text

_REFERENT = re.compile(r"\(\*\*\(&raw (?:mut|const) (\w+)\)\)")
_LOCAL = re.compile(r"\*\(&raw (?:mut|const) (x\d+)\)")
_PARENTHESES = re.compile(r"((?:&raw mut |&raw const |&mut |&|= ))\(\*(\w+)\)(?=;|,|\)| as)")


def _plainer(text: str, plainness: Plainness) -> str:
    if plainness >= Plainness.REFERENCES:
        text = _REFERENT.sub(r"(*\1)", text)
    if plainness >= Plainness.LOCALS:
        text = _LOCAL.sub(r"\1", text)
    return _PARENTHESES.sub(r"\1*\2", text)


# The exact text


@dataclass(slots=True, kw_only=True)
class _Writer:
    program: p.PointerProgram
    prints: bool
    remarks: Mapping[p.Path, str]
    functions: list[PlainLine] = field(default_factory=list)

    def lines(self) -> Iterator[PlainLine]:
        frame = Frame()
        statements = self.program.statements
        main = list(self._body(statements, (), frame, indent="    "))
        yield from self.functions
        yield PlainLine(text="fn main() { unsafe {")
        if self.prints:
            yield PlainLine(text="    let mut sum: u64 = 0;")
        yield from main
        end = (len(statements),)
        if self.program.result is not None:
            yield from self._remark(end)
            place = result_expression(self.program.result, frame)
            type_ = array(frame.placed(self.program.result).size)
            yield PlainLine(text=f"    let result: {type_} = {place};", path=end)
        if self.prints:
            result = " {result:02x?}" if self.program.result is not None else ""
            yield PlainLine(text=f'    println!("{{sum}}{result}");')
        yield PlainLine(text="}}")

    def _body(
        self, statements: tuple[p.AnyStatement, ...], path: p.Path, frame: Frame, indent: str
    ) -> Iterator[PlainLine]:
        for index, statement in enumerate(statements):
            here = (*path, index)
            match statement:
                case p.Call():
                    text = self._call(statement, here, frame)
                case p.Guard():
                    message = f"{statement.trap} at instruction {statement.instruction}"
                    text = f'assert!({condition(statement, frame)}, "{message}");'
                case p.Read():
                    text = self._read(statement, frame)
                case _:
                    text = statement_line(statement, frame)
            yield from self._remark(here)
            yield PlainLine(text=f"{indent}{text}", path=here)

    def _remark(self, path: p.Path) -> Iterator[PlainLine]:
        if path in self.remarks:
            yield PlainLine(text=f"    // {self.remarks[path]}")

    def _read(self, read: p.Read, frame: Frame) -> str:
        text = statement_line(read, frame)
        if self.prints:
            return text
        before, after = COUNT.split("{}")
        if read.to is None:
            value = text.removeprefix(before).removesuffix(after)
            return f"let _read = {bare(value)};"
        return text.partition(f" {before}")[0]

    def _call(self, call: p.Call, path: p.Path, frame: Frame) -> str:
        """The line that calls; the function is written as well."""
        name = "_".join(("call", *map(str, path)))
        inner = Frame(used=frame.used)
        arguments, parameters = hand_over(call, frame, inner)
        body = list(self._body(call.body, path, inner, "    "))
        for argument in call.args:
            if argument.as_ == "boxed":
                text = f"    forget({inner.rust(argument.to)});"
                body.append(PlainLine(text=text, path=(*path, len(call.body))))
        returned = [each.of for each in call.returns]
        types = [variable_type(inner.kind(each)) for each in returned]
        values = [inner.rust(each) for each in returned]
        if self.prints:
            types, values = ["u64", *types], ["sum", *values]
        self.functions += [
            PlainLine(text=_header(name, parameters, types), path=path),
            *([PlainLine(text="    let mut sum: u64 = 0;")] if self.prints else []),
            *body,
            *([PlainLine(text=f"    {_together(values)}", path=path)] if values else []),
            PlainLine(text="}}", path=path),
            PlainLine(text=""),
        ]
        bound = [f"mut {frame.add(each.to, inner.kind(each.of))}" for each in call.returns]
        called = f"{name}({', '.join(arguments)});"
        if self.prints:
            return f"let {_together(['returned', *bound])} = {called} {COUNT.format('returned')}"
        return f"let {_together(bound)} = {called}" if bound else called


def _header(name: str, parameters: Sequence[str], types: Sequence[str]) -> str:
    gives = f" -> {_together(types)}" if types else ""
    return f"fn {name}({', '.join(parameters)}){gives} {{ unsafe {{"


def _together(parts: Sequence[str]) -> str:
    return parts[0] if len(parts) == 1 else f"({', '.join(parts)})"
