"""Case files of bytecode programs. Reference: `docs/cases.md`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from msgspec import Meta, Struct

from harness.bytecode import assembly
from harness.bytecode.operands import FRAME
from harness.bytecode.program import GROWTH_LIMIT, STEP_LIMIT, Program, Return
from harness.cases.case import BytecodeCase, Expectation
from harness.cases.expectations import ExpectationReader, read_location
from harness.cases.files import describe_limit
from harness.cases.memory_bytes import parse_hex, read_memory
from harness.outcome import (
    DEPENDS_ON_ADDRESSES,
    FAULTS_OF_RUST,
    FaultKind,
    Meaning,
    Ran,
    TrapKind,
    Trapped,
    UndefinedBehaviour,
    Unsupported,
    UnsupportedKind,
)

if TYPE_CHECKING:
    from collections.abc import Collection

    from harness.cases.files import CaseFile
    from harness.cases.toml_document import Document

Bytes = str | dict[str, Any]
"""All bytes of a memory, or pieces of it by address."""


class BytecodeFile(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A whole file."""

    kind: str = "bytecode"
    description: Annotated[str, Meta(description='description = "What the case shows."')]
    source: Annotated[str, Meta(description='source = "where the case comes from"')]
    program: Annotated[str, Meta(description="program = '''…''', an instruction a line")]
    step_limit: Annotated[int | None, Meta(description="step_limit = 100")] = None
    memory: Annotated[dict[str, Any], Meta(description="[memory] with size = 16 below it")]
    expect: Annotated[
        dict[str, Any],
        Meta(description="[expect] with memory = { … } (the bytes that change) or a trap below it"),
    ]


class MemoryTable(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[memory]`: the memory before the program runs."""

    size: Annotated[int | None, Meta(description="size = 16, in bytes")] = None
    fill: Annotated[int | None, Meta(description="fill = 0xff, one byte")] = None
    bytes: Annotated[Bytes | None, Meta(description='bytes = { 2 = "2a 00" }')] = None


class ExpectTable(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[expect]`: what the program comes to, and exceptions of single variants."""

    memory: Annotated[Bytes | None, Meta(description='memory = { 2 = "2a 00" }')] = None
    size: Annotated[int | None, Meta(description="size = 24, where the memory has grown")] = None
    steps: Annotated[int | None, Meta(description="steps = 3")] = None
    trap: Annotated[str | None, Meta(description='trap = "out-of-bounds"')] = None
    instruction: Annotated[int | None, Meta(description="instruction = 0, counted from 0")] = None
    operand: Annotated[str | None, Meta(description='operand = "addr_res"')] = None
    undefined: Annotated[str | None, Meta(description='undefined = "dangling"')] = None
    undetermined: Annotated[bool, Meta(description="undetermined = true")] = False
    miri: Annotated[
        dict[str, Any] | None,
        Meta(description="[expect.miri.VARIANT], a table of modes"),
    ] = None


def read_bytecode_case(
    document: Document, file: CaseFile, variants: Collection[str] | None
) -> BytecodeCase:
    """The bytecode case that `document`, read from `file`, describes.

    variants: the names that `[expect.miri]` may have; None for any.

    Raises: InputError.
    """
    whole = document.table((), BytecodeFile)
    memory = _initial_memory(document, file.limit)
    instructions = assembly.parse(whole.program, document.locate_in(("program",)))
    step_limit = STEP_LIMIT if whole.step_limit is None else whole.step_limit
    if not 0 <= step_limit <= STEP_LIMIT:
        message = f"the step limit is {step_limit}"
        raise document.error(("step_limit",), message, f"write 0 to {STEP_LIMIT}")
    program = Program(instructions=instructions, memory=memory, step_limit=step_limit)
    table = document.table(("expect",), ExpectTable)
    expected = _expected(document, table, program)
    expectations: tuple[Expectation, ...] = ()
    if table.miri is not None:
        if not isinstance(expected, Ran):
            how = "traps" if isinstance(expected, Trapped) else "comes to no result"
            message = f"exceptions of a program that {how}"
            raise document.key_error(("expect", "miri"), message, "leave out [expect.miri]")
        reader = ExpectationReader(
            document=document, program=program, ran=expected, variants=variants
        )
        expectations = reader.read(("expect", "miri"), table.miri)
    return BytecodeCase(
        id=file.id,
        path=file.path,
        description=document.prose(("description",), whole.description),
        source=document.prose(("source",), whole.source),
        program=program,
        expected=expected,
        expectations=expectations,
        place=document.place(("program",)),
    )


def _initial_memory(document: Document, limit: int) -> bytes:
    path = ("memory",)
    table = document.table(path, MemoryTable)
    size = table.size
    if size is None and isinstance(table.bytes, str):
        whole = parse_hex(table.bytes, document.locate_in((*path, "bytes")))
        size = len(whole)
        _check_size(document, (*path, "bytes"), size, limit)
    elif size is None:
        message = "the memory has no size"
        raise document.error(path, message, "write size = 16, in bytes")
    else:
        _check_size(document, (*path, "size"), size, limit)
    if table.fill is not None:
        if isinstance(table.bytes, str):
            message = "a fill beside all the bytes"
            remedy = 'leave out fill, or write only some bytes by their address: { 2 = "2a 00" }'
            raise document.key_error((*path, "fill"), message, remedy)
        if not 0 <= table.fill <= 0xFF:
            raise document.error((*path, "fill"), "the fill is no byte", "write 0 to 255")
    base = bytes([table.fill or 0]) * size
    if table.bytes is None:
        return base
    return read_memory(document, (*path, "bytes"), table.bytes, base)


def _check_size(document: Document, path: tuple[str, ...], size: int, limit: int) -> None:
    if size < 0:
        raise document.error(path, "the memory's size is negative", "an empty memory has size = 0")
    if size > limit:
        message = "the memory is larger than a case may have"
        raise document.error(path, message, describe_limit(limit))


def _expected(document: Document, table: ExpectTable, program: Program) -> Meaning:
    path = ("expect",)
    if table.trap is not None:
        return _expected_trap(document, table, table.trap, program)
    if table.undefined is not None:
        return _expected_fault(document, table, table.undefined, program)
    for name in ("instruction", "operand"):
        if getattr(table, name) is not None:
            message = f"{name} without a trap"
            remedy = 'they say where a trap is: write trap = "out-of-bounds"'
            raise document.key_error((*path, name), message, remedy)
    if table.undetermined:
        return Unsupported(kind=UnsupportedKind.OTHER, message=DEPENDS_ON_ADDRESSES)
    if table.memory is None:
        message = "neither a memory nor a trap is expected"
        remedy = "write memory = { … }, the bytes that change ({} if none does), or a trap"
        raise document.error(path, message, remedy)
    if table.steps is not None and table.steps < 0:
        message = "the number of steps is negative"
        raise document.error((*path, "steps"), message, "steps are the instructions executed")
    base = _grown(document, table, program)
    memory = read_memory(document, (*path, "memory"), table.memory, base)
    return Ran(memory=memory, steps=table.steps)


def _grown(document: Document, table: ExpectTable, program: Program) -> bytes:
    """The initial memory, with zeros up to the size that it is to have grown to."""
    size = len(program.memory) if table.size is None else table.size
    if not len(program.memory) <= size <= GROWTH_LIMIT:
        message = f"the memory cannot grow from {len(program.memory)} bytes to {size}"
        remedy = f"it grows up to {GROWTH_LIMIT} bytes, and never shrinks"
        raise document.error(("expect", "size"), message, remedy)
    return program.memory.ljust(size, b"\0")


def _expected_fault(
    document: Document, table: ExpectTable, kind: str, program: Program
) -> UndefinedBehaviour:
    """What the program does wrong with a pointer; where it ends no memory counts."""
    path = ("expect",)
    kinds = [str(each) for each in FAULTS_OF_RUST]
    document.check_one_of((*path, "undefined"), kind, kinds, "kind")
    for name in ("memory", "size", "steps"):
        if getattr(table, name) is not None:
            message = f"{name} of a program that is undefined"
            raise document.key_error((*path, name), message, f"leave out {name}")
    _check_place(document, table, "undefined", "a fault")
    location = read_location(
        document, path, program, table.instruction, table.operand, _names(table, program)
    )
    return UndefinedBehaviour(kind=FaultKind(kind), message="", location=location)


def _names(table: ExpectTable, program: Program) -> tuple[str, ...]:
    """What the operand may be, if not one of the instruction's: what a return gives back."""
    at, instructions = table.instruction, program.instructions
    if at is None or not 0 <= at < len(instructions):
        return ()
    return (FRAME,) if isinstance(instructions[at], Return) else ()


def _check_place(document: Document, table: ExpectTable, key: str, what: str) -> None:
    for name, example in (("instruction", "0, counted from 0"), ("operand", '"addr_res"')):
        if getattr(table, name) is None:
            message = f"{what} without its {name}"
            raise document.error(("expect", key), message, f"write {name} = {example}")


def _expected_trap(document: Document, table: ExpectTable, kind: str, program: Program) -> Trapped:
    path = ("expect",)
    document.check_one_of((*path, "trap"), kind, [str(each) for each in TrapKind], "trap")
    trap = TrapKind(kind)
    in_compiling = trap.arises_in_compiling(table.operand)
    for name in ("memory", "size", "steps"):
        if in_compiling and getattr(table, name) is not None:
            message = f"{name} beside a trap of compiling"
            remedy = "it leaves the memory as it was and runs no instruction: leave it out"
            raise document.key_error((*path, name), message, remedy)
    _check_place(document, table, "trap", "a trap")
    named = {TrapKind.STEP_LIMIT: ("step",), TrapKind.CALL_DEPTH: ("target",)}
    names = named.get(trap, ())
    location = read_location(document, path, program, table.instruction, table.operand, names)
    memory = _grown(document, table, program)
    if table.memory is not None:
        memory = read_memory(document, (*path, "memory"), table.memory, memory)
    steps = 0 if in_compiling else table.steps
    return Trapped(kind=trap, location=location, memory=memory, steps=steps)
