"""The wire form: a bytecode program as bytes, the input of the Rust VM (`rust/vm`).

    u64     memory size
    bytes   the memory, as many
    …       instructions, to the end of the input:
            opcode byte, then its operands in the order of the instruction's fields: an
            address as u64, a constant at the instruction's width

All integers are little-endian. `decode` takes exactly what `encode` makes.
"""

from __future__ import annotations

from enum import StrEnum

from harness.bytecode.instruction_set import BY_OPCODE, Field, Form, Kind, form_of
from harness.bytecode.program import Instruction, Program
from harness.errors import InputError, Place

_U64 = 8


class Malformation(StrEnum):
    """Why bytes are not a program's wire form."""

    NO_SIZE = "no-size"
    MEMORY_CUT_SHORT = "memory-cut-short"
    UNKNOWN_OPCODE = "unknown-opcode"
    INSTRUCTION_CUT_SHORT = "instruction-cut-short"


class WireError(InputError):
    """Bytes that are not the wire form of any program.

    offset: of the field that is wrong, in bytes from the beginning of the input.
    """

    def __init__(
        self, file: str, reason: Malformation, offset: int, message: str, remedy: str
    ) -> None:
        self.reason = reason
        self.offset = offset
        super().__init__(Place(file=file), f"at byte {offset}: {message}", remedy)


def encode(program: Program) -> bytes:
    """The wire form of `program`."""
    wire = bytearray(len(program.memory).to_bytes(_U64, "little"))
    wire += program.memory
    for instruction in program.instructions:
        form = form_of(instruction)
        wire.append(form.opcode)
        for field in form.encoded:
            number: int = getattr(instruction, field.name)
            wire += number.to_bytes(_size(field, form), "little")
    return bytes(wire)


def decode(wire: bytes, file: str = "<wire>") -> Program:
    """The program whose wire form is `wire`.

    file: names the input in messages.

    Raises: WireError.
    """
    if len(wire) < _U64:
        raise WireError(
            file,
            Malformation.NO_SIZE,
            0,
            f"the memory's size takes {_U64} bytes, and there are {len(wire)}",
            "a program begins with its memory's size as a little-endian u64",
        )
    size = int.from_bytes(wire[:_U64], "little")
    end_of_memory = _U64 + size
    if end_of_memory > len(wire):
        raise WireError(
            file,
            Malformation.MEMORY_CUT_SHORT,
            _U64,
            f"the memory is to have {size} bytes, and {len(wire) - _U64} follow",
            "the memory's bytes follow its size, as many as the size says",
        )
    instructions: list[Instruction] = []
    at = end_of_memory
    while at < len(wire):
        instruction, at = _instruction(wire, at, file)
        instructions.append(instruction)
    memory = bytes(wire[_U64:end_of_memory])
    return Program(instructions=tuple(instructions), memory=memory)


def _instruction(wire: bytes, at: int, file: str) -> tuple[Instruction, int]:
    """The instruction whose opcode is at `at`, and the offset behind it."""
    form = BY_OPCODE.get(wire[at])
    if form is None:
        known = ", ".join(f"0x{opcode:02x}" for opcode in BY_OPCODE)
        message = f"there is no opcode 0x{wire[at]:02x}"
        raise WireError(file, Malformation.UNKNOWN_OPCODE, at, message, f"the opcodes are {known}")
    values: dict[str, int] = {}
    next_field = at + 1
    for field in form.encoded:
        end = next_field + _size(field, form)
        if end > len(wire):
            raise WireError(
                file,
                Malformation.INSTRUCTION_CUT_SHORT,
                next_field,
                f"{field.name} of the {form.mnemonic} at byte {at} takes "
                f"{end - next_field} bytes, and there are {len(wire) - next_field}",
                "the input ends with the last byte of an instruction",
            )
        values[field.name] = int.from_bytes(wire[next_field:end], "little")
        next_field = end
    return form.make(values), next_field


def _size(field: Field, form: Form) -> int:
    """How many bytes the operand takes in the wire form."""
    return form.width if field.kind is Kind.CONSTANT else _U64
