"""A story case as a native program: each block between two looks at the whole processor.

Several such programs can be one, of which each is a module; the first argument says which runs.

The blocks stand twice in it: as `asm!`, for the compiler to accept and for the case's own
program to call, and with registers of the harness's choice in an entry that loads a drawn state
and stores what became of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from harness.story.block import Block, Operand, Option, Story
from harness.story.listing import Listing
from harness.story.registers import (
    C_CLOBBERS,
    CLASSES,
    GENERAL,
    VECTOR,
    allocate,
    fill,
    full_name,
)
from harness.story.rust import (
    ALLOWED,
    parameters,
    ranges,
    result,
    tuple_of,
    write_program,
    write_statics,
    write_stories,
)

RUNTIME = Path(__file__).parent / "runtime"

MODULES = ("arena", "draws", "leaving", "machine", "refine", "signals")

DRAWN_STATES = 10_000
"""In so many states a block runs beside its story, as `runtime/refine.rs` has it."""

WAYS = 4
"""Choices of registers for each block."""

BLOCK = "block"
"""What begins the name that places in a block's assembly go by."""

_PUSHED = ("rbx", "rbp", "r12", "r13", "r14", "r15")

_AREA = 192
_FLAGS = 128


def runtime_files(*names: str) -> dict[str, bytes]:
    """The modules of the runtime that a generated program has beside it."""
    return {f"src/{name}.rs": runtime_file(name) for name in names}


def runtime_file(name: str) -> bytes:
    """One of the files that stand around stories."""
    return (RUNTIME / f"{name}.rs").read_bytes()


def write_main(names: Sequence[str]) -> str:
    """The program's root, in which each of the modules named so is a story's."""
    modules = [f"mod {name};" for name in (*MODULES, *names)]
    arms = [f'        "{name}" => {name}::main(),' for name in names]
    return "\n".join(
        (
            "#![allow(dead_code)]",
            *modules,
            "mod open { pub use crate::refine::{any, any_where}; }",
            "fn main() {",
            "    match std::env::args().nth(1).unwrap_or_default().as_str() {",
            *arms,
            '        other => panic!("there is no story {other}"),',
            "    }",
            "}\n",
        )
    )


def write_native(story: Story, name: str) -> Listing:
    """The story's module, whose symbols begin with its name."""
    rust = Listing()
    rust.add(f"#![allow({ALLOWED})]")
    rust.add("use crate::refine::{any, any_where};\nuse crate::{draws, machine, refine, signals};")
    write_statics(story, rust)
    write_stories(story, rust)
    _write_blocks(story, rust)
    if story.program:
        write_program(story, rust, "blocks")
    drawn = [block for block in story.blocks if block.is_drawable]
    for block in drawn:
        _write_entries(name, block, rust)
        _write_table(story, name, block, rust)
    _write_main(story, drawn, rust)
    return rust


def _write_blocks(story: Story, rust: Listing) -> None:
    """The module `blocks`: each as the compiler has it."""
    rust.add("mod blocks {\nuse std::arch::{asm, x86_64::*};")
    for block in story.blocks:
        enabled = ",".join(story.features)
        attribute = f'#[target_feature(enable = "{enabled}")] ' if enabled else ""
        head = f"unsafe fn {block.name}({parameters(block)}) -> {result(block)}"
        if block.function:
            unnamed = ", ".join(f"{each.name}: {each.type}" for each in block.inputs)
            link = f'#[link(name = "{block.library}")] ' if block.library else ""
            rust.add(
                f'pub {head} {{ {link}unsafe extern "C" {{ fn {block.function}({unnamed}) '
                f"-> {result(block)}; }} {block.function}"
                f"({', '.join(each.name for each in block.inputs)}) }}"
            )
            continue
        rust.add(f"{attribute}#[inline(never)] pub {head} {{")
        for operand in block.outputs:
            if operand.access.is_read:
                rust.add(f"let mut {operand.name} = {operand.name};")
            else:
                rust.add(f"let {operand.name}: {operand.type};")
        rust.add("asm!(")
        rust.quote(f"{BLOCK} {block.name}", _literal(block.template))
        rust.add(", " + "".join(f"{part}, " for part in _arguments(story, block)) + ");")
        rust.add((tuple_of(each.name for each in block.outputs) if block.returns else "") + "\n}")
    rust.add("}")


def _literal(template: str) -> str:
    """The template as a raw string; the case's reader refuses `"###`."""
    return f'r###"{template}"###'


def _arguments(story: Story, block: Block) -> list[str]:
    """What stands behind the template in `asm!`."""
    found = []
    explicit = []
    for each in block.operands:
        if each.register in CLASSES:
            found.append(f"{each.name} = {each.access}({each.register}) {_places(each)}")
        else:
            explicit.append(f'{each.access}("{each.register}") {_places(each)}')
    found += [f"{name} = sym super::statics::{name}" for name in _mentioned(block)]
    found += explicit
    for name in block.clobbers:
        found.append('clobber_abi("C")' if name == "C" else f'out("{name}") _')
    if block.options:
        found.append(f"options({', '.join(sorted(block.options))})")
    return found


def _places(operand: Operand) -> str:
    """Where the operand's value comes from and goes to, as `asm!` has it."""
    if not operand.dropped:
        return operand.name
    return f"{operand.name} => _" if operand.access.is_read else "_"


def _mentioned(block: Block) -> list[str]:
    return [name for name in block.touches if f"{{{name}}}" in block.template]


def _write_entries(name: str, block: Block, rust: Listing) -> None:
    """`STORY_BLOCK_WAY`: loads `BEFORE`, runs the block, and stores `AFTER`."""
    for turn in range(WAYS):
        registers = allocate(block, turn)
        statics = {each: f"{{{each}}}" for each in block.touches}
        text = fill(block, registers, statics)
        arguments = [f"{each} = sym statics::{each}" for each in _mentioned(block)]
        if block.function:
            text = "call {harness_function}"
            rust.add(f'unsafe extern "C" {{ fn {block.function}(); }}' if not turn else "")
            arguments.append(f"harness_function = sym {block.function}")
        symbols = ("before", "after", "own")
        arguments += [f"harness_{each} = sym machine::{each.upper()}" for each in symbols]
        label = f"{name}_{block.name}_{turn}"
        rust.add("std::arch::global_asm!(")
        lines = [f".globl {label}", f"{label}:", *_LOAD]
        rust.add("".join(f'"{line}",\n' for line in lines))
        rust.add(_literal(text) + ",")
        rust.add("".join(f'"{line}",\n' for line in _STORE))
        rust.add("".join(f"{argument},\n" for argument in arguments) + ");")
        rust.add(f'unsafe extern "C" {{ fn {label}(); }}')


_LOAD = (
    *(f"push {name}" for name in _PUSHED),
    "mov [rip + {harness_own}], rsp",
    "mov eax, 7",
    "xor edx, edx",
    "xsave64 [rip + {harness_own} + 64]",
    f"xrstor64 [rip + {{harness_before}} + {_AREA}]",
    f"push qword ptr [rip + {{harness_before}} + {_FLAGS}]",
    "popfq",
    *(
        f"mov {name}, [rip + {{harness_before}} + {8 * number}]"
        for number, name in enumerate(GENERAL)
    ),
)

_STORE = (
    *(
        f"mov [rip + {{harness_after}} + {8 * number}], {name}"
        for number, name in enumerate(GENERAL)
    ),
    "mov rsp, [rip + {harness_own}]",
    "pushfq",
    f"pop qword ptr [rip + {{harness_after}} + {_FLAGS}]",
    "cld",
    "mov eax, 7",
    "xor edx, edx",
    f"xsave64 [rip + {{harness_after}} + {_AREA}]",
    "xrstor64 [rip + {harness_own} + 64]",
    *(f"pop {name}" for name in reversed(_PUSHED)),
    "ret",
)


def _write_table(story: Story, name: str, block: Block, rust: Listing) -> None:
    """`BLOCK_NAME`: what the runtime has to know of the block."""
    sizes = {static.name: static for static in story.statics}
    rust.add(f"fn tell_{block.name}(bits: &mut [draws::Bits]) {{ unsafe {{")
    numbers = {each.name: number for number, each in enumerate(block.operands)}
    taken = ", ".join(f"take(&bits[{numbers[each.name]}])" for each in block.inputs)
    # SAFETY (of the generated code): the operands are those that the block was given.
    names = tuple_of(f"out_{each.name}" for each in block.outputs)
    rust.add(f"let {names} = told::{block.name}({taken});")
    for each in block.outputs:
        rust.add(f"bits[{numbers[each.name]}] = put(out_{each.name});")
    rust.add("} }")
    ways = []
    for turn in range(WAYS):
        indices = ", ".join(str(_number(each)) for each in allocate(block, turn))
        label = f"{name}_{block.name}_{turn}"
        ways.append(f"refine::Way {{ entry: {label}, registers: &[{indices}] }}")
    statics = [
        f'refine::Static {{ name: "{each}", at: || (&raw mut statics::{each}).cast(), '
        f"size: size_of::<{sizes[each].rust_type}>() }}"
        for each in block.touches
    ]
    rust.add(
        f"static BLOCK_{block.name}: refine::Block = refine::Block {{\n"
        f'name: "{block.name}",\n'
        f"operands: &[{', '.join(map(_operand, block.operands))}],\n"
        f"ways: &[{', '.join(ways)}],\n"
        f"clobbered: {_clobbered(block):#x},\n"
        f"returns: {_bool(block.returns)},\n"
        f"nostack: {_bool(Option.NOSTACK in block.options)},\n"
        f"preserves_flags: {_bool(Option.PRESERVES_FLAGS in block.options)},\n"
        f"statics: &[{', '.join(statics)}],\n"
        f"story: tell_{block.name},\n}};"
    )


def _operand(operand: Operand) -> str:
    memory = operand.memory
    placed = f"Some(({memory.size}, {memory.align}))" if memory else "None"
    return (
        f'refine::Operand {{ name: "{operand.name}", read: {_bool(operand.access.is_read)}, '
        f"written: {_bool(operand.access.is_written)}, "
        f"given: {_bool(operand.is_output)}, vector: {_bool(_is_vector(operand))}, "
        f"float: {_bool(operand.is_float)}, bytes: {operand.size}, ranges: {ranges(operand)}, "
        f"memory: {placed} }}"
    )


def _is_vector(operand: Operand) -> bool:
    return operand.register in ("xmm_reg", "ymm_reg") or full_name(operand.register) in VECTOR


def _number(register: str) -> int:
    name = full_name(register)
    return VECTOR.index(name) if name in VECTOR else GENERAL.index(name or register)


def _clobbered(block: Block) -> int:
    bits = 0
    for clobber in block.clobbers:
        for name in C_CLOBBERS if clobber == "C" else (full_name(clobber),):
            if name is not None:
                bits |= 1 << (_number(name) + (16 if name in VECTOR else 0))
    return bits


def _bool(value: bool) -> str:
    return "true" if value else "false"


def _write_main(story: Story, drawn: list[Block], rust: Listing) -> None:
    needed = " && ".join(f'is_x86_feature_detected!("{each}")' for each in (*story.features, "avx"))
    rust.add(
        "unsafe fn take<T: Copy>(bits: &draws::Bits) -> T { "
        "unsafe { std::mem::transmute_copy(bits) } }\n"
        "fn put<T: Copy>(value: T) -> draws::Bits { let mut bits = [0; 4]; "
        "unsafe { (&raw mut bits).cast::<T>().write_unaligned(value) }; bits }"
    )
    rust.add("pub fn main() {")
    rust.add(f'if !({needed}) {{ refine::end("unsupported", "the processor lacks a feature"); }}')
    rust.add("signals::watch();\nlet mut found = Vec::new();")
    if story.program:
        rust.add(f"refine::run_program(program, {story.rounds});")
    for block in drawn:
        rust.add(f"refine::run_block(&BLOCK_{block.name}, &mut found);")
    rust.add("refine::holds(&found);\n}")
