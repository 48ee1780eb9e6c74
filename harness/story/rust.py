"""Stories as Rust: each a function of its operands, which sees those and its statics alone."""

from __future__ import annotations

from collections.abc import Iterable

from harness.outcome import FaultKind
from harness.story.block import PROGRAM, Block, Operand, Story
from harness.story.listing import Listing

ALLOWED = (
    "dead_code, static_mut_refs, unreachable_code, unsafe_op_in_unsafe_fn, unused_assignments, "
    "unused_imports, unused_mut, unused_parens, unused_unsafe, unused_variables"
)
"""Lints that are about style, or about what a case does on purpose."""


def write_statics(story: Story, into: Listing) -> None:
    """The statics, in a module of their own."""
    into.add("mod statics {")
    for static in story.statics:
        into.add(f"    pub static mut {static.name}: {static.rust_type} = {static.initial};")
    into.add("}")


def write_stories(story: Story, into: Listing) -> None:
    """The module `told`: for each block a function with its story."""
    into.add("mod told {")
    for block in story.blocks:
        into.add(f"pub use self::in_{block.name}::{block.name};")
        into.add(f"mod in_{block.name} {{")
        into.add("use crate::open::{any, any_where};\nuse std::arch::x86_64::*;")
        if block.touches:
            into.add(f"use super::super::statics::{{{', '.join(block.touches)}}};")
        if not block.returns:
            _write_unreturning(block, into)
            continue
        into.add(f"pub unsafe fn {block.name}({parameters(block)}) -> {result(block)} {{")
        for operand in block.outputs:
            if operand.access.is_read:
                into.add(f"let mut {operand.name}: {operand.type} = {operand.name};")
            else:
                into.add(f"let {operand.name}: {operand.type};")
        into.add("{")
        into.quote(block.name, block.story)
        into.add("}")
        # What is wrong with an output is wrong at the story's end.
        into.end(tuple_of(each.name for each in block.outputs))
        into.add("}\n}")
    into.add("}")


def _write_unreturning(block: Block, into: Listing) -> None:
    """The function of a story that must not return: rustc says whether it can."""
    breach = (2, FaultKind.NORETURN)
    into.add(f"pub unsafe fn {block.name}({parameters(block)}) ->")
    into.begin(block.name, "! {")
    into.claim("E0308", breach)
    into.add("let () = {")
    into.quote(block.name, block.story)
    into.claim("E0069", breach, lines=block.story.count("\n") + 1)
    into.add("};\n}\n}")


def write_program(story: Story, into: Listing, module: str) -> None:
    """The function `program`. module: where the blocks that it calls are."""
    into.add(f"fn program() {{\nuse self::{module}::*;\nuse self::statics::*;")
    into.quote(PROGRAM, story.program)
    into.add("}")


def parameters(block: Block) -> str:
    """The parameters of the function that a block is for a program."""
    return ", ".join(f"{each.name}: {each.type}" for each in block.inputs)


def result(block: Block) -> str:
    """What that function returns."""
    if not block.returns:
        return "!"
    types = [each.type for each in block.outputs]
    return types[0] if len(types) == 1 else f"({', '.join(types)})"


def tuple_of(names: Iterable[str]) -> str:
    """One name, or a tuple of none or several."""
    listed = list(names)
    return listed[0] if len(listed) == 1 else f"({', '.join(listed)})"


def ranges(operand: Operand) -> str:
    """What the operand's value is drawn from, as a slice."""
    return f"&[{', '.join(f'({first}, {last})' for first, last in operand.ranges or ())}]"
