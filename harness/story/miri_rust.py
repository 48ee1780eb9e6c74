"""A story case as a program for Miri: each story in its block's place, held to what it promises.

It says on standard output what it begins (`phase NAME`), then `holds` or `broken KIND TEXT`, and
after that what could be promised besides (`advise TEXT`). Where Miri stops it, the phase says
which promise was broken.
"""

from __future__ import annotations

from collections.abc import Sequence

from harness.story.block import Block, Borrow, Operand, Option, Story
from harness.story.listing import Listing
from harness.story.native_rust import runtime_file, runtime_files
from harness.story.rules import shows_all
from harness.story.rust import (
    ALLOWED,
    ranges,
    tuple_of,
    write_program,
    write_statics,
    write_stories,
)

MODULES = ("draws", "saying", "telling", "threads")

PARTING = "parting"
"""The module of stories that do not return."""

SAYING_IN_BATCH = "saying_batch"
"""What stands for the module `saying` where many are told in one process."""

BATCH_MAIN = "batch_main"
"""The program of such a process."""

_OPEN = "mod open { pub use crate::telling::{any, any_where}; }"

STATES = 6
"""Drawn states for each phase: Miri is slow, and what they are is the native test's matter."""


def modules(story: Story) -> tuple[str, ...]:
    """The modules of the runtime that the program has beside it."""
    return MODULES if all(each.returns for each in story.blocks) else (*MODULES, PARTING)


def module_file(number: int) -> str:
    """Of a library of several stories, the file of one."""
    return f"src/story_{number}.rs"


def library_files(listings: Sequence[Listing]) -> dict[str, bytes]:
    """A library of stories, whose `start` tells the one with a number."""
    names = [f"story_{number}" for number in range(len(listings))]
    lines = (
        "#![allow(dead_code)]",
        *(f"mod {name};" for name in ("draws", "telling", "threads", *names)),
        "pub mod saying;",
        _OPEN,
        "pub fn start(choice: usize) {",
        "match choice {",
        *(f"{number} => {name}::main()," for number, name in enumerate(names)),
        "_ => unreachable!(),",
        "}\n}\n",
    )
    return {
        **runtime_files(*MODULES),
        "src/saying.rs": runtime_file(SAYING_IN_BATCH),
        "src/lib.rs": "\n".join(lines).encode(),
        **{module_file(number): each.text().encode() for number, each in enumerate(listings)},
    }


def batch_files(stream: bytes) -> dict[str, bytes]:
    """The program on top of such a library. stream: what reads its items."""
    return {"src/main.rs": runtime_file(BATCH_MAIN), "src/stream.rs": stream}


def write_told(story: Story, *, in_library: bool = False) -> Listing:
    """The program's `main.rs`, or the story's module in a library of several."""
    rust = Listing()
    rust.add(f"#![allow({ALLOWED})]")
    if in_library:
        rust.add("use crate::{draws, telling};")
    else:
        rust.add("\n".join(f"mod {module};" for module in modules(story)))
        rust.add(_OPEN)
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
        first, second = f"first_{each.name}", f"again_{each.name}"
        # Which pattern a NaN has is nobody's promise.
        nan = f" && !({first}.is_nan() && {second}.is_nan())" if each.is_float else ""
        rust.add(
            f"if !telling::same(&{first}, &{second}){nan} "
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
    rust.add("pub fn main() {")
    for block in story.blocks:
        if not block.returns:
            for phase in enforced(block):
                rust.add(
                    f'if parting::is_for("{block.name}", "{phase}") '
                    f'{{ parting::tell(telling::Phase::{phase}, "{phase}", drive_{block.name}); }}'
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
