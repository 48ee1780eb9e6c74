"""The table of all instructions: how each is written as text and encoded for the Rust VM.

A new instruction is a class in `program.py`, one entry in `FAMILIES`, and its meaning in
the reference VM.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from enum import Enum
from typing import TYPE_CHECKING

from harness.bytecode.program import (
    Binary,
    BinaryOperator,
    Instruction,
    Unary,
    UnaryOperator,
    Width,
    WriteConst,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


class Kind(Enum):
    """What an operand is; the value shows how it is written."""

    MEMORY = "[{}]"
    CONSTANT = "{}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One operand. name: the field that it fills in the instruction's class."""

    name: str
    kind: Kind

    def show(self, operand: object) -> str:
        """The operand as it is written."""
        return self.kind.value.format(operand)


def _memory(name: str) -> Field:
    return Field(name=name, kind=Kind.MEMORY)


def _constant(name: str) -> Field:
    return Field(name=name, kind=Kind.CONSTANT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """One instruction at every width that it has.

    opcode: its first byte in the wire form at 8 bits; each doubling of the width adds 1.
    takes, gives: the operands before the arrow and after it, in the order of the text.
    fixed: the fields of the class that are the same for the whole family.
    """

    name: str
    opcode: int
    instruction: type[Instruction]
    takes: tuple[Field, ...]
    gives: tuple[Field, ...]
    fixed: Mapping[str, object] = field(default_factory=dict)
    widths: tuple[Width, ...] = tuple(Width)


def _unary(operator: UnaryOperator, opcode: int) -> Family:
    return Family(
        name=operator.value,
        opcode=opcode,
        instruction=Unary,
        takes=(_memory("addr_op"),),
        gives=(_memory("addr_res"),),
        fixed={"operator": operator},
    )


def _binary(operator: BinaryOperator, opcode: int) -> Family:
    return Family(
        name=operator.value,
        opcode=opcode,
        instruction=Binary,
        takes=(_memory("addr_op1"), _memory("addr_op2")),
        gives=(_memory("addr_res"),),
        fixed={"operator": operator},
    )


FAMILIES: tuple[Family, ...] = (
    Family(
        name="const",
        opcode=0x01,
        instruction=WriteConst,
        takes=(_constant("value"),),
        gives=(_memory("addr"),),
    ),
    _unary(UnaryOperator.MOVE, 0x05),
    _unary(UnaryOperator.NOT, 0x09),
    *(_binary(operator, 0x11 + 4 * index) for index, operator in enumerate(BinaryOperator)),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """A family at one width: what one mnemonic or one opcode means."""

    family: Family
    width: Width

    @property
    def mnemonic(self) -> str:
        return f"{self.family.name}.{self.width.name.lower()}"

    @property
    def opcode(self) -> int:
        return self.family.opcode + self.width.bit_length() - 1

    @property
    def written(self) -> tuple[Field, ...]:
        """The operands in the order of the text."""
        return self.family.takes + self.family.gives

    @property
    def encoded(self) -> tuple[Field, ...]:
        """The operands in the order of the wire form, which is that of the class's fields."""
        by_name = {field.name: field for field in self.written}
        names = (field.name for field in fields(self.family.instruction))
        return tuple(by_name[name] for name in names if name in by_name)

    @property
    def usage(self) -> str:
        """How the instruction is written, with its fields' names for the operands."""
        return self.write(lambda field: field.name)

    def write(self, operand: Callable[[Field], object]) -> str:
        """The instruction's text, with what `operand` gives for each field."""
        takes = ", ".join(field.show(operand(field)) for field in self.family.takes)
        gives = ", ".join(field.show(operand(field)) for field in self.family.gives)
        return " ".join(part for part in (self.mnemonic, takes, gives and f"-> {gives}") if part)

    def make(self, values: dict[str, int]) -> Instruction:
        """The instruction whose fields, besides the width, are `values`."""
        build: Callable[..., Instruction] = self.family.instruction
        return build(width=self.width, **self.family.fixed, **values)


FORMS: tuple[Form, ...] = tuple(
    Form(family=family, width=width) for family in FAMILIES for width in family.widths
)
BY_MNEMONIC: dict[str, Form] = {form.mnemonic: form for form in FORMS}
BY_OPCODE: dict[int, Form] = {form.opcode: form for form in FORMS}
_BY_INSTRUCTION = {
    (form.family.instruction, form.family.fixed.get("operator"), form.width): form for form in FORMS
}


def form_of(instruction: Instruction) -> Form:
    """The form that `instruction` has."""
    operator = getattr(instruction, "operator", None)
    return _BY_INSTRUCTION[type(instruction), operator, instruction.width]
