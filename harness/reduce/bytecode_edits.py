"""What may be tried on a bytecode program, and what comes of it.

Instructions are taken apart by the table of all instructions, so that a new one needs nothing
here.
"""

from __future__ import annotations

from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any, assert_never

from harness.bytecode.instruction_set import Kind, form_of
from harness.bytecode.operands import Width
from harness.bytecode.program import Instruction, Program
from harness.reduce.edits import BytecodeEdit, DropInstruction, Memory, ReplaceInstruction

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


def instruction_drops(program: Program) -> list[BytecodeEdit]:
    """Every instruction left out."""
    return [DropInstruction(index=index) for index in range(len(program.instructions))]


def smaller_instructions(program: Program) -> list[BytecodeEdit]:
    """Narrower widths, lower addresses, smaller constants."""
    return [
        ReplaceInstruction(index=index, instruction=smaller)
        for index, instruction in enumerate(program.instructions)
        for smaller in _smaller(instruction)
    ]


def smaller_memories(program: Program) -> list[BytecodeEdit]:
    """Less memory, and memory of zeros."""
    memory = program.memory
    sizes = [size for size in (1, 2, 4, 8, 16, 32, 64, 128) if size < len(memory)]
    found: list[BytecodeEdit] = [Memory(memory=memory[:size]) for size in sizes]
    if any(memory):
        found.append(Memory(memory=bytes(len(memory))))
    return found


def _smaller(instruction: Instruction) -> Iterator[Instruction]:
    form = form_of(instruction)
    if form.width not in (None, Width.U8):
        changes: dict[str, Any] = {"width": Width.U8}
        for field in form.written:
            if field.kind is Kind.CONSTANT:
                changes[field.name] = getattr(instruction, field.name) % Width.U8.limit
        yield from _replaced(instruction, changes)
    for field in form.written:
        if field.kind is Kind.TARGET:
            continue
        value: int = getattr(instruction, field.name)
        for smaller in dict.fromkeys((0, value // 2)):
            if smaller < value:
                yield from _replaced(instruction, {field.name: smaller})


def _replaced(instruction: Instruction, changes: dict[str, Any]) -> Iterator[Instruction]:
    try:
        yield replace(instruction, **changes)
    except ValueError:
        # No instruction holds that.
        return


def apply(program: Program, edits: Sequence[BytecodeEdit]) -> Program:
    """What comes of the program by all of the edits together; targets follow what they name."""
    gone: set[int] = set()
    replaced: dict[int, list[Instruction]] = {}
    memory = program.memory
    for edit in edits:
        match edit:
            case DropInstruction():
                gone.add(edit.index)
            case ReplaceInstruction():
                replaced.setdefault(edit.index, []).append(edit.instruction)
            case Memory():
                memory = edit.memory if len(edit.memory) <= len(memory) else memory
            case _:
                assert_never(edit)
    # Where each instruction stands once those before it are gone; the end has a number too.
    places: list[int] = []
    for index in range(len(program.instructions) + 1):
        places.append(index - sum(1 for each in gone if each < index))
    kept: list[Instruction] = []
    for index, instruction in enumerate(program.instructions):
        if index not in gone:
            merged = _merged(instruction, replaced.get(index, []))
            kept.append(_retargeted(merged, places))
    return replace(program, instructions=tuple(kept), memory=memory)


def _merged(instruction: Instruction, others: Sequence[Instruction]) -> Instruction:
    """The instruction with the changes of several replacements, as far as they fit together.

    Of two that change the same field the one that was proposed first, the bolder, holds.
    """
    merged = instruction
    for other in reversed(others):
        changes = {
            field.name: getattr(other, field.name)
            for field in fields(other)
            if getattr(other, field.name) != getattr(instruction, field.name)
        }
        merged = next(_replaced(merged, changes), merged)
    return merged


def _retargeted(instruction: Instruction, places: Sequence[int]) -> Instruction:
    changes: dict[str, Any] = {
        field.name: places[getattr(instruction, field.name)]
        for field in form_of(instruction).written
        if field.kind is Kind.TARGET
    }
    return replace(instruction, **changes) if changes else instruction
