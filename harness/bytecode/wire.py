"""The wire form: a bytecode program as bytes, the input of the Rust VM (`rust/vm`).

    u64     memory size
    u64     step limit
    bytes   the memory, as many
    …       instructions, to the end of the input:
            opcode byte, then its operands in the order of the instruction's fields: an
            address, a target, a register's number or a frame's size as u64, a
            constant at the instruction's width

All integers are little-endian. `decode` takes exactly what `encode` makes.
"""

from __future__ import annotations

from enum import StrEnum

from harness.bytecode.instruction_set import BY_OPCODE, Field, Form, Kind, form_of
from harness.bytecode.operands import REGISTERS
from harness.bytecode.pointers import FRAME_LIMIT
from harness.bytecode.program import Instruction, Program
from harness.errors import InputError, Place

_U64 = 8
_HEAD = 2 * _U64


class Malformation(StrEnum):
    """Why bytes are not a program's wire form."""

    NO_HEAD = "no-head"
    MEMORY_CUT_SHORT = "memory-cut-short"
    UNKNOWN_OPCODE = "unknown-opcode"
    INSTRUCTION_CUT_SHORT = "instruction-cut-short"
    TARGET_OUTSIDE = "target-outside"
    REGISTER_OUTSIDE = "register-outside"
    FRAME_TOO_LARGE = "frame-too-large"


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
    head = (word.to_bytes(_U64, "little") for word in (len(program.memory), program.step_limit))
    return b"".join((*head, program.memory, *map(encode_instruction, program.instructions)))


def encode_instruction(instruction: Instruction) -> bytes:
    """The part of the wire form that is this instruction."""
    form = form_of(instruction)
    wire = bytearray((form.opcode,))
    for field in form.encoded:
        number: int = getattr(instruction, field.name)
        wire += number.to_bytes(_size(field, form), "little")
    return bytes(wire)


def decode(wire: bytes, file: str = "<wire>") -> Program:
    """The program whose wire form is `wire`.

    file: names the input in messages.

    Raises: WireError.
    """
    if len(wire) < _HEAD:
        raise WireError(
            file,
            Malformation.NO_HEAD,
            0,
            f"the memory's size and the step limit take {_HEAD} bytes, and there are {len(wire)}",
            "a program begins with both, each a little-endian u64",
        )
    size = int.from_bytes(wire[:_U64], "little")
    step_limit = int.from_bytes(wire[_U64:_HEAD], "little")
    end_of_memory = _HEAD + size
    if end_of_memory > len(wire):
        raise WireError(
            file,
            Malformation.MEMORY_CUT_SHORT,
            _HEAD,
            f"the memory is to have {size} bytes, and {len(wire) - _HEAD} follow",
            "the memory's bytes follow the step limit, as many as the size says",
        )
    instructions: list[Instruction] = []
    ends: list[int] = []
    at = end_of_memory
    while at < len(wire):
        instruction, at = _instruction(wire, at, file)
        instructions.append(instruction)
        ends.append(at)
    for instruction, end in zip(instructions, ends, strict=True):
        # A target stands last in its instruction.
        target = max((getattr(instruction, name) for name in instruction.targets), default=0)
        if target > len(instructions):
            raise WireError(
                file,
                Malformation.TARGET_OUTSIDE,
                end - _U64,
                f"the target is {target}, and there are {len(instructions)} instructions",
                "a target is an instruction's index, or their number for the program's end",
            )
    memory = bytes(wire[_HEAD:end_of_memory])
    return Program(instructions=tuple(instructions), memory=memory, step_limit=step_limit)


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
        number = int.from_bytes(wire[next_field:end], "little")
        if field.kind in (Kind.REGISTER, Kind.POINTED) and number >= REGISTERS:
            raise WireError(
                file,
                Malformation.REGISTER_OUTSIDE,
                next_field,
                f"{field.name} is {number}, and there are {REGISTERS} pointers",
                f"a pointer's number is from 0 to {REGISTERS - 1}",
            )
        if field.kind is Kind.CONSTANT and form.width is None and number > FRAME_LIMIT:
            raise WireError(
                file,
                Malformation.FRAME_TOO_LARGE,
                next_field,
                f"the frame is to have {number} bytes behind its argument",
                f"it has {FRAME_LIMIT} at most",
            )
        values[field.name] = number
        next_field = end
    return form.make(values), next_field


def _size(field: Field, form: Form) -> int:
    """How many bytes the operand takes in the wire form."""
    return form.width if field.kind is Kind.CONSTANT and form.width else _U64
