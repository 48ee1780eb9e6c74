"""Pointer programs written out as constants, which rustc evaluates when it compiles them.

Each is a `const fn`, and a constant that calls it and then panics with what came of it: so the
one list of errors has the programs that fail and the values of those that do not, and nothing
has to be linked or run. Evaluation has no heap, no addresses and no memory that another constant
could change; `refusal` says which programs ask for these.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, assert_never

from harness.pointer import program as p
from harness.pointer.rust import Body, Delivery, ProgramWriter, RustSource, put_together
from harness.pointer.rust_prelude import PRELUDE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

NO_HEAP = "a constant has no heap"
NO_ADDRESSES = "an address is not known while a constant is evaluated"
NO_STATICS = "a constant cannot reach a `static mut`"
NO_TRAITS = "a `const fn` cannot call a trait's method, as a two-phase borrow does here"


@dataclass(frozen=True, slots=True, kw_only=True)
class Constants:
    """A crate of constants.

    answers: for the lines where a program has ended and says what it came to, its index.
    """

    source: RustSource
    answers: Mapping[int, int]


def refusal(program: p.PointerProgram) -> str | None:
    """Why the program cannot be said in a `const fn`, in one sentence; None if it can."""
    return next(_refusals(program.statements), None)


def _refusals(statements: Sequence[p.AnyStatement]) -> Iterator[str]:
    for statement in statements:
        match statement:
            case p.Heap() | p.Box() | p.Free() | p.DropBox():
                yield NO_HEAP
            case p.Static():
                yield NO_STATICS
            case p.Expose() | p.FromExposed() | p.Addr() | p.WithAddr() | p.TransmuteAddr():
                yield NO_ADDRESSES
            case p.TwoPhase():
                yield NO_TRAITS
            case p.Call():
                if any(argument.as_ == "boxed" for argument in statement.args):
                    yield NO_HEAP
                yield from _refusals(statement.body)
            case (
                p.Local()
                | p.RawMut()
                | p.RawConst()
                | p.RefMut()
                | p.RefShared()
                | p.RefCell()
                | p.RefMix()
                | p.AsMutPtr()
                | p.AsPtr()
                | p.Sub()
                | p.Transmute()
                | p.Read()
                | p.Write()
                | p.Copy()
                | p.Fill()
                | p.StorePtr()
                | p.LoadPtr()
                | p.Int()
                | p.Arithmetic()
                | p.Guard()
            ):
                pass
            case _:
                assert_never(statement)


def write_constants(programs: Sequence[p.PointerProgram]) -> Constants:
    """The source of a library crate, none of whose programs is refused.

    Compiled, it has one `error[E0080]` for each program. Of one that came to its end, the error
    is on a line of `answers`, and its message ends with the line that `harness.pointer.rust`
    has `run` append.
    """
    body: Body = []
    endings: list[int] = []
    longest = 0
    for index, program in enumerate(programs):
        writer = ProgramWriter(
            program=program,
            name=f"case_{index}",
            delivery=_IN_A_CONSTANT,
        )
        for line in writer.write():
            # `Cell::set` is `replace` that drops the old value, and itself no `const fn`.
            body.append((line.text.replace(".set(", ".replace("), line.origin(index)))
        longest = max(longest, writer.size)
        body += [
            ("const _: () = {", None),
            (f"    let mut memory = [0; {writer.size}];", None),
            (f"    let done = case_{index}(&mut memory);", (index, (len(program.statements),))),
            ("    answer(done, &memory)", None),
        ]
        endings.append(len(body))
        body += [("};", None), ("", None)]
    behind = [f"const LONGEST: usize = {2 * longest + 128};", *_ANSWER.splitlines()]
    behind += _IN_A_CONSTANT.helpers()
    source = put_together(PRELUDE, body, behind)
    before = len(source.text.splitlines()) - len(body) - len(behind)
    answers = {before + line: index for index, line in enumerate(endings)}
    return Constants(source=source, answers=answers)


_IN_A_CONSTANT = Delivery(
    function="const fn", memory="&mut [u8]", keep="memory.copy_from_slice(&bytes);"
)

_ANSWER = """
/// Stops the evaluation with what came of a program, as a line.
const fn answer(done: Result<u64, Trap>, memory: &[u8]) -> ! {
    let mut text = [0; LONGEST];
    let mut at = match done {
        Ok(sum) => {
            let at = put(&mut text, 0, b"ran ");
            put_decimal(&mut text, at, sum)
        }
        Err(trap) => {
            let at = put(&mut text, 0, b"trapped ");
            let at = put(&mut text, at, trap.kind.as_bytes());
            let at = put(&mut text, at, b" ");
            let at = put_decimal(&mut text, at, trap.instruction);
            let at = put(&mut text, at, b" ");
            put(&mut text, at, trap.operand.as_bytes())
        }
    };
    at = put(&mut text, at, if memory.is_empty() { b" -" } else { b" " });
    let mut read = 0;
    while read < memory.len() {
        text[at] = b"0123456789abcdef"[(memory[read] >> 4) as usize];
        text[at + 1] = b"0123456789abcdef"[(memory[read] & 15) as usize];
        at += 2;
        read += 1;
    }
    // SAFETY: all of it is ASCII.
    panic!("{}", unsafe { std::str::from_utf8_unchecked(text.split_at(at).0) })
}
"""
