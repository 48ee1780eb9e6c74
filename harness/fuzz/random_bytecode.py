"""Random bytecode programs: well-formed, mostly within their memory, mostly soon at an end.

Instructions are made by the table of all instructions, so that a new one that takes operands of
the known kinds comes up by itself. A fifth of the programs has pointers of its own; some of
these are undefined.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.bytecode.instruction_set import FORMS, Form, Kind
from harness.bytecode.pointers import Allocate, Point
from harness.bytecode.program import Instruction, Program

if TYPE_CHECKING:
    import random

    from harness.fuzz.settings import Settings

STEPS = 200
"""Of a program, before it traps: a loop that does not end is cut off."""

LEAST_MEMORY = 8
"""Bytes of memory, so that every operand finds room."""

_REGISTERS = 3
"""Pointers that a program uses, few so that instructions meet in them."""

_BLOCKS: tuple[tuple[Instruction, ...], ...] = tuple(
    (Allocate(addr_size=0, ptr_res=register), Point(addr_op=0, ptr_res=register))
    for register in range(_REGISTERS)
)
"""What makes a pointer that is not null, for each register."""

_NUMBER = 8
"""Bytes of a number in the memory that an instruction without a width takes, and of an address."""


def generate_bytecode(source: random.Random, settings: Settings) -> Program:
    """A program; the same state of `source` gives the same one."""
    count = source.randrange(1, settings.instructions + 1)
    memory = bytearray(
        source.randrange(256) if source.randrange(3) else 0
        for _ in range(source.randrange(LEAST_MEMORY, settings.memory + 1))
    )
    with_pointers = source.randrange(5) == 0
    forms = [form for form in FORMS if with_pointers or not form.has_register]
    weights = [settings.families.get(form.family.name, 1) for form in forms]
    begin = list(map(source.choice, _BLOCKS)) if with_pointers else []
    count += len(begin)
    made = begin + [
        _instruction(source, form, memory, index, count, settings.far)
        for index, form in enumerate(
            source.choices(forms, weights, k=count - len(begin)), start=len(begin)
        )
    ]
    return Program(instructions=tuple(made), memory=bytes(memory), step_limit=STEPS)


def _instruction(
    source: random.Random, form: Form, memory: bytearray, index: int, count: int, far: int
) -> Instruction:
    """An instruction; an address that it takes from the memory is mostly put there, too."""
    size = len(memory)
    width = _NUMBER if form.width is None else int(form.width)
    values: dict[str, Any] = dict(form.family.fixed)
    if form.width is not None:
        values["width"] = form.width
    for field in form.written:
        match field.kind:
            case Kind.MEMORY:
                values[field.name] = _address(source, size, width, far)
                if form.width is None:
                    _put(source, memory, values[field.name], source.randrange(LEAST_MEMORY))
            case Kind.POINTER:
                values[field.name] = _address(source, size, _NUMBER, far)
                _put(source, memory, values[field.name], _address(source, size, width, far))
            case Kind.REGISTER | Kind.POINTED:
                values[field.name] = source.randrange(_REGISTERS)
            case Kind.CONSTANT:
                in_frame = source.randrange(3 * _NUMBER)
                values[field.name] = _constant(source, width) if form.width else in_frame
            case Kind.TARGET:
                # Mostly ahead, so that most programs come to their end.
                low = index + 1 if source.randrange(4) else 0
                values[field.name] = source.randrange(low, count + 1)
    return form.family.instruction(**values)


def _put(source: random.Random, memory: bytearray, address: int, number: int) -> None:
    """Let the program mostly begin with a number at an address, if that is in its memory."""
    if address + _NUMBER <= len(memory) and source.randrange(32):
        memory[address : address + _NUMBER] = number.to_bytes(_NUMBER, "little")


def _address(source: random.Random, size: int, width: int, far: int) -> int:
    if source.randrange(far) == 0:
        return source.choice((size, size + 1, 1 << 32, (1 << 64) - width))
    address = source.randrange(size - width + 1)
    return address - (address % width if source.randrange(far) else 0)


def _constant(source: random.Random, width: int) -> int:
    limit = 1 << (8 * width)
    edge = source.choice((0, 1, limit - 1, limit >> 1, (limit >> 1) - 1))
    return edge if source.randrange(2) else source.randrange(limit)
