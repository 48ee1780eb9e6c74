"""A story case as a program for Miri: each story in its block's place, held to what it promises.

It says on standard output what it begins (`phase NAME`), then `holds` or `broken KIND TEXT`, and
after that what could be promised besides (`advise TEXT`). Where Miri stops it, the phase says
which promise was broken.
"""

from __future__ import annotations

from harness.story.block import Block, Borrow, Operand, Option, Story
from harness.story.listing import Listing
from harness.story.rules import shows_all
from harness.story.rust import (
    ALLOWED,
    ranges,
    tuple_of,
    write_program,
    write_statics,
    write_stories,
)

MODULES = ("draws", "telling")

PARTING = "parting"
"""The module of stories that do not return."""

STATES = 6
"""Drawn states for each phase: Miri is slow, and what they are is the native test's matter."""


def modules(story: Story) -> tuple[str, ...]:
    """The modules of the runtime that the program has beside it."""
    return MODULES if all(each.returns for each in story.blocks) else (*MODULES, PARTING)


def write_told(story: Story) -> Listing:
    """The program's `main.rs`."""
    rust = Listing()
    rust.add(f"#![allow({ALLOWED})]")
    for module in modules(story):
        rust.add(f"mod {module};")
    rust.add("mod open { pub use crate::telling::{any, any_where}; }")
    write_statics(story, rust)
    write_stories(story, rust)
    if story.program:
        write_program(story, rust, "told")
    for block in story.blocks:
        if block.is_drawable:
            _write_driver(story, block, rust)
    _write_main(story, rust)
    return rust


def _write_driver(story: Story, block: Block, rust: Listing) -> None:
    """`drive_NAME`: one drawn state in one phase; how the story broke a promise, if it did."""
    types = {static.name: static for static in story.statics}
    head = f"unsafe fn drive_{block.name}(phase: telling::Phase, draws: &mut draws::Draws)"
    rust.add(f"{head} -> Result<(), &'static str> {{")
    pointed = [each for each in block.inputs if each.memory]
    for each in block.inputs:
        _write_input(each, rust)
    seen = [f"({each.name} as *mut u8, {each.memory.size})" for each in pointed if each.memory]
    own = [
        f"((&raw mut statics::{name}).cast::<u8>(), size_of::<{types[name].rust_type}>())"
        for name in block.touches
    ]
    rust.add(f"let seen: &[telling::Place] = &[{', '.join((*seen, *own))}];")
    rust.add(f"let own: &[telling::Place] = &[{', '.join(own)}];")
    call = f"told::{block.name}({', '.join(each.name for each in block.inputs)})"
    looks = "".join(
        f"telling::look(&reference_{each.name}[..]);"
        for each in pointed
        if each.memory and each.memory.borrow is not Borrow.RAW
    )
    frees = "".join(f"memory_{each.name}.free();" for each in pointed)
    names = [f"first_{each.name}" for each in block.outputs]
    again = [f"again_{each.name}" for each in block.outputs]
    rust.add(
        "match phase {\n"
        f"telling::Phase::Plain => {{ {call}; {looks} {frees} }}\n"
        f"telling::Phase::Readonly => {{\n"
        f"telling::beside_reads(seen, || {{ {call}; }}); {frees} }}\n"
        f"telling::Phase::Nomem => {{\n"
        f"{frees} telling::beside_writes(own, || {{ {call}; }}); }}\n"
        "telling::Phase::Pure => {\n"
        f"let {tuple_of(names)} = {call};\nlet {tuple_of(again)} = {call};\n{frees}"
    )
    for each in block.outputs:
        rust.add(
            f"if !telling::same(&first_{each.name}, &again_{each.name}) "
            f'{{ return Err("{each.name} differs for the same inputs"); }}'
        )
    rust.add("} }\nOk(())\n}")


def _write_input(operand: Operand, rust: Listing) -> None:
    """A drawn value, or a pointer to drawn memory that was borrowed as the case says."""
    name, type_, memory = operand.name, operand.type, operand.memory
    if memory is None:
        drawn = f"telling::take(&draws.operand({ranges(operand)}))"
        rust.add(f"let {name}: {type_} = {drawn};")
        return
    is_drawn = "true" if memory.initialised else "false"
    arguments = f"{memory.size}, {memory.align}, {is_drawn}, draws"
    rust.add(f"let memory_{name} = telling::Memory::new({arguments});")
    array = f"memory_{name}.start.cast::<[std::mem::MaybeUninit<u8>; {memory.size}]>()"
    match memory.borrow:
        case Borrow.RAW:
            rust.add(f"let {name}: {type_} = memory_{name}.start.cast();")
        case Borrow.SHARED:
            rust.add(f"let reference_{name} = &*{array};")
            rust.add(f"let {name} = (&raw const *reference_{name}).cast_mut().cast();")
        case Borrow.EXCLUSIVE:
            rust.add(f"let reference_{name} = &mut *{array};")
            rust.add(f"let {name} = (&raw mut *reference_{name}).cast();")
    if memory.borrow is not Borrow.RAW:
        rust.add(f"let {name}: *mut {operand.pointee} = {name};\nlet {name}: {type_} = {name};")


def enforced(block: Block) -> list[str]:
    """The phases that a story has to come through, by their names in the runtime."""
    phases = ["Plain"]
    if Option.PURE in block.options:
        phases.append("Pure")
    if Option.NOMEM in block.options:
        phases.append("Nomem")
    elif Option.READONLY in block.options:
        phases.append("Readonly")
    return phases


def advised(block: Block) -> list[tuple[str, str]]:
    """The phases that would show what could be promised besides, with what that is.

    Each rests on those before it: a story that one of them ends keeps what came before.
    """
    if block.function or not shows_all(block):
        return []
    options = block.options
    found = []
    if not options & {Option.NOMEM, Option.READONLY}:
        found.append(("Readonly", "readonly"))
    if Option.PURE not in options and block.outputs:
        found.append(("Pure", "pure"))
    if Option.NOMEM not in options:
        found.append(("Nomem", "nomem"))
    return found


def _write_main(story: Story, rust: Listing) -> None:
    rust.add("fn main() {")
    for block in story.blocks:
        if not block.returns:
            for phase in enforced(block):
                rust.add(
                    f'if parting::step() == "{block.name} {phase}" '
                    f"{{ parting::tell(telling::Phase::{phase}, drive_{block.name}); }}"
                )
    if story.program:
        rust.add('telling::phase("Plain");\nprogram();')
    drawn = [block for block in story.blocks if block.is_drawable and block.returns]
    for block in drawn:
        for phase in enforced(block):
            if phase != "Plain" or not story.program:
                rust.add(_call(block, phase) + "telling::broken(phase, said); }")
    rust.add("telling::held();")
    for block in drawn if not story.litmus else ():
        # Once one of them is not kept, the next would say no more.
        rust.add("'advice: {")
        for phase, option in advised(block):
            rust.add(_call(block, phase) + "let _ = said; break 'advice; }")
            rust.add(f'telling::advise("{block.name}: {option}");')
        rust.add("}")
    rust.add("}")


def _call(block: Block, phase: str) -> str:
    """The start of a phase, up to what becomes of a promise that was broken."""
    return (
        f'let phase = telling::Phase::{phase};\ntelling::phase("{phase}");\n'
        f"if let Err(said) = unsafe {{ telling::repeat({STATES}, phase, drive_{block.name}) }} {{ "
    )
