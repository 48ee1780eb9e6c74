"""Pointer programs written out as Rust 2024, with the statement behind each line.

Many programs go into one crate: a function each, `run` that runs the one with a given number
and describes what came of it, and a `main` that takes the number from its argument or one a
line from standard input. `write` makes one file of all; `write_library` and `write_main` are
for programs that are compiled once, as a library, with a small `main` on top.

A program must be well-formed (`harness.pointer.validate`). No text of a program gets into the
source but numbers, and a guard's operand, which `validate` holds to letters.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from harness.pointer import program as p
from harness.pointer.rust_accesses import COUNT
from harness.pointer.rust_calls import hand_over
from harness.pointer.rust_prelude import FAILED, MAIN, PRELUDE, PUT, RUN
from harness.pointer.rust_statements import (
    condition,
    result_expression,
    statement_line,
)
from harness.pointer.rust_types import Frame, array, bare, variable_type

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence


Body = list[tuple[str, tuple[int, p.Path] | None]]
"""Lines, each with the program's index and the statement's path, or None."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RustSource:
    """Rust source, and where its lines come from.

    lines: for line numbers from 1, the program's index and the statement's path. A call's
    function has the call's path on every line that is no statement of its body, since what
    fails there fails on entering or on leaving. Lines of the prelude are missing: what fails
    in one of them, or in the standard library, belongs to the innermost caller that is here.
    """

    text: str
    lines: Mapping[int, tuple[int, p.Path]]


def write(programs: Sequence[p.PointerProgram]) -> RustSource:
    """The source of a binary crate in one file.

    With the index of a program as its argument it prints one line, as `write_library` says;
    without, it reads such indices from standard input, one a line, and prints `begin INDEX`
    before each program's line.
    """
    library = write_library(programs)
    return RustSource(text=f"{library.text}\n{MAIN}", lines=library.lines)


def write_main(library: str) -> str:
    """The source of a `main.rs` on top of the library crate `library`; as `write`."""
    if not re.fullmatch(r"[a-z][a-z0-9_]*", library):
        raise ValueError(f"{library!r} is no crate's name")
    return f"use {library}::{{CASES, run}};\n\n{MAIN}"


def write_library(programs: Sequence[p.PointerProgram]) -> RustSource:
    """The source of a library crate.

    It has `pub const CASES: usize`, and two functions that run one program:
    `pub fn start(case: usize, memory: Take<'_>) -> Result<u64, Trap>` lends `memory` the bytes of
    its result and returns its checksum; `pub fn run(case: usize, line: &mut Vec<u8>)` appends
    `ran CHECKSUM MEMORY` or `trapped KIND INSTRUCTION OPERAND MEMORY`, a line feed after it:
    MEMORY is the result's bytes in hexadecimal, and `-` where there are none.
    """
    body: Body = []
    for index, program in enumerate(programs):
        for line in ProgramWriter(program=program, name=f"case_{index}").write():
            body.append((line.text, line.origin(index)))
    table = ", ".join(f"case_{index}" for index in range(len(programs)))
    behind = [
        f"pub const CASES: usize = {len(programs)};",
        f"static TABLE: [fn(Take<'_>) -> Result<u64, Trap>; CASES] = [{table}];",
        *RUN.splitlines(),
        *AT_RUN_TIME.helpers(),
    ]
    return put_together(PRELUDE, body, behind)


def put_together(prelude: str, body: Body, behind: Sequence[str]) -> RustSource:
    """The source of a crate: the prelude, the aligned types that are used, and the programs.

    body: the programs' lines, each with the program's index and the statement's path.
    """
    alignments = sorted(
        {int(found) for text, _ in body for found in re.findall(r"\bAlign(\d+)\b", text)}
    )
    text = prelude.splitlines()
    lines: dict[int, tuple[int, p.Path]] = {}
    for align in alignments:
        text += ["#[derive(Clone, Copy)]", f"#[repr(C, align({align}))]"]
        text += [f"struct Align{align}<T>(T);", ""]
    for line_text, origin in body:
        text.append(line_text)
        if origin is not None:
            lines[len(text)] = origin
    text += behind
    return RustSource(text="\n".join(text) + "\n", lines=lines)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line of Rust, and the path of the statement behind it."""

    text: str
    path: p.Path | None = None

    def origin(self, index: int) -> tuple[int, p.Path] | None:
        """Where the line comes from; index: the program's."""
        return None if self.path is None else (index, self.path)


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """How a program hands over its result.

    function: how a function begins. memory: the type of what receives the result.
    keep: the statement that hands over the result, which is called `bytes`.
    """

    function: str
    memory: str
    keep: str

    def helpers(self) -> list[str]:
        """What guards call, and what says how a program ended."""
        put = PUT.replace("\nfn ", f"\n{self.function} ")
        failed = FAILED.format(function=self.function, memory=self.memory, keep=self.keep)
        return (put + failed).splitlines()


AT_RUN_TIME = Delivery(function="fn", memory="Take<'_>", keep="memory(&bytes);")


@dataclass(slots=True, kw_only=True)
class ProgramWriter:
    """Writes one program: the functions of its calls, then its own.

    name: of the program's function; calls add their path to it.
    size: of the result, in bytes; known once all lines are written.
    """

    program: p.PointerProgram
    name: str
    delivery: Delivery = AT_RUN_TIME
    size: int = 0
    functions: list[Line] = field(default_factory=list)

    def write(self) -> Iterator[Line]:
        """All lines."""
        frame = Frame()
        statements = self.program.statements
        end = (len(statements),)
        own = [
            Line(
                text=f"{self.delivery.function} {self.name}(memory: {self.delivery.memory}) "
                "-> Result<u64, Trap> { unsafe {"
            ),
            Line(text="    let mut sum: u64 = 0;"),
            *self._body(statements, (), frame),
        ]
        if self.program.result is not None:
            own.append(Line(text=f"    {self._take(frame)}", path=end))
        own += [Line(text="    Ok(sum)"), Line(text="}}"), Line(text="")]
        yield from self.functions
        yield from own

    def _body(
        self, statements: tuple[p.AnyStatement, ...], path: p.Path, frame: Frame
    ) -> Iterator[Line]:
        for index, statement in enumerate(statements):
            here = (*path, index)
            match statement:
                case p.Call():
                    text = self._call(statement, here, frame)
                case p.Guard():
                    text = self._guard(statement, here, frame)
                case _:
                    text = statement_line(statement, frame)
            yield Line(text=f"    {text}", path=here)

    def _take(self, frame: Frame) -> str:
        """Reads the result."""
        value = self._result(frame)
        return f"let bytes: {array(self.size)} = {value}; {self.delivery.keep}"

    def _result(self, frame: Frame) -> str:
        """The bytes of the result."""
        assert self.program.result is not None
        self.size = frame.placed(self.program.result).size
        return bare(result_expression(self.program.result, frame))

    def _guard(self, guard: p.Guard, path: p.Path, frame: Frame) -> str:
        trap = f'trap("{guard.trap}", {guard.instruction}, "{guard.operand}")'
        return f"if !({condition(guard, frame)}) {{ {self._failed(trap, path, frame)} }}"

    def _failed(self, trap: str, path: p.Path, frame: Frame) -> str:
        """Leaves the function because of a trap; the program's own reads the result first."""
        if len(path) > 1 or self.program.result is None:
            return f"return Err({trap})"
        return f"return failed(memory, {self._result(frame)}, {trap})"

    def _call(self, call: p.Call, path: p.Path, frame: Frame) -> str:
        """The line that calls; the function is written as well."""
        name = "_".join((self.name, *map(str, path)))
        inner = Frame(used=frame.used)
        arguments, parameters = hand_over(call, frame, inner)
        body = list(self._body(call.body, path, inner))
        for argument in call.args:
            if argument.as_ == "boxed":
                forget = f"    forget({inner.rust(argument.to)});"
                body.append(Line(text=forget, path=(*path, len(call.body))))
        traps = _has_guard(call)
        type_, value = _returned(call, inner)
        header = f"{self.delivery.function} {name}({', '.join(parameters)}) -> "
        header += f"Result<{type_}, Trap> {{ unsafe {{" if traps else f"{type_} {{ unsafe {{"
        self.functions += [
            Line(text=header, path=path),
            Line(text="    let mut sum: u64 = 0;", path=path),
            *body,
            Line(text=f"    Ok({value})" if traps else f"    {value}", path=path),
            Line(text="}}", path=path),
            Line(text=""),
        ]
        called = f"{name}({', '.join(arguments)})"
        if traps:
            failed = f"Err(trap) => {self._failed('trap', path, frame)}"
            called = f"match {called} {{ Ok(returned) => returned, {failed} }}"
        bound = [
            f"mut {frame.add(returned.to, inner.kind(returned.of))}" for returned in call.returns
        ]
        pattern = f"(returned, {', '.join(bound)})" if bound else "returned"
        return f"let {pattern} = {called}; {COUNT.format('returned')}"


def _returned(call: p.Call, inner: Frame) -> tuple[str, str]:
    """The type and the value of what a call's function returns, its checksum first."""
    if not call.returns:
        return "u64", "sum"
    types = [variable_type(inner.kind(returned.of)) for returned in call.returns]
    values = [inner.rust(returned.of) for returned in call.returns]
    return f"(u64, {', '.join(types)})", f"(sum, {', '.join(values)})"


def _has_guard(call: p.Call) -> bool:
    return any(
        isinstance(statement, p.Guard) or (isinstance(statement, p.Call) and _has_guard(statement))
        for statement in call.body
    )
