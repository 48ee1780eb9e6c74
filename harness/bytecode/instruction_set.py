"""The table of all instructions: how each is written as text and encoded for the Rust VM.

A new instruction is a class in `program.py`, one entry in `FAMILIES`, and its meaning in
the reference VM.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from enum import Enum
from typing import TYPE_CHECKING

from harness.bytecode.operands import Width
from harness.bytecode.pointers import (
    Allocate,
    Call,
    Free,
    IsNull,
    MovePointer,
    Offset,
    Point,
    Read,
    ReadPointer,
    Write,
    WritePointer,
)
from harness.bytecode.program import (
    Assert,
    Binary,
    BinaryOperator,
    Branch,
    Copy,
    Fill,
    Grow,
    Halt,
    HostEnter,
    HostRead,
    HostSteps,
    HostWrite,
    Instruction,
    Jump,
    Load,
    Return,
    Store,
    Unary,
    UnaryOperator,
    WriteConst,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


class Kind(Enum):
    """What an operand is. A target is an instruction, by its index; in the text, by a label.

    POINTER: what lies at the address that the value in the memory is.
    REGISTER: a pointer. POINTED: what it points to.
    """

    MEMORY = "memory"
    POINTER = "pointer"
    REGISTER = "register"
    POINTED = "pointed"
    CONSTANT = "constant"
    TARGET = "target"


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One operand. name: the field that it fills in the instruction's class."""

    name: str
    kind: Kind

    def show(self, operand: object) -> str:
        """The operand as it is written."""
        match self.kind:
            case Kind.MEMORY:
                return f"[{operand}]"
            case Kind.POINTER:
                return f"[[{operand}]]"
            case Kind.REGISTER:
                return f"p{operand}" if isinstance(operand, int) else str(operand)
            case Kind.POINTED:
                return f"[p{operand}]" if isinstance(operand, int) else f"[{operand}]"
            case Kind.CONSTANT | Kind.TARGET:
                return str(operand)


def _memory(name: str) -> Field:
    return Field(name=name, kind=Kind.MEMORY)


def _pointer(name: str) -> Field:
    return Field(name=name, kind=Kind.POINTER)


def _register(name: str) -> Field:
    return Field(name=name, kind=Kind.REGISTER)


def _pointed(name: str) -> Field:
    return Field(name=name, kind=Kind.POINTED)


def _constant(name: str) -> Field:
    return Field(name=name, kind=Kind.CONSTANT)


_TARGET = Field(name="target", kind=Kind.TARGET)


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """One instruction at every width that it has; the width None is that of one without values.

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
    widths: tuple[Width | None, ...] = tuple(Width)


def _unary(operator: UnaryOperator, opcode: int) -> Family:
    return Family(
        name=operator.value,
        opcode=opcode,
        instruction=Unary,
        takes=(_memory("addr_op"),),
        gives=(_memory("addr_res"),),
        fixed={"operator": operator},
    )


def _branch(name: str, opcode: int, *, on_zero: bool) -> Family:
    return Family(
        name=name,
        opcode=opcode,
        instruction=Branch,
        takes=(_memory("addr"), _TARGET),
        gives=(),
        fixed={"on_zero": on_zero},
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


def _copy(name: str, opcode: int, *, overlapping: bool) -> Family:
    return Family(
        name=name,
        opcode=opcode,
        instruction=Copy,
        takes=(_pointer("addr_op"), _memory("addr_size")),
        gives=(_pointer("addr_res"),),
        fixed={"overlapping": overlapping},
        widths=(None,),
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
    Family(name="jump", opcode=0x61, instruction=Jump, takes=(_TARGET,), gives=(), widths=(None,)),
    Family(name="halt", opcode=0x62, instruction=Halt, takes=(), gives=(), widths=(None,)),
    Family(name="assert", opcode=0x65, instruction=Assert, takes=(_memory("addr"),), gives=()),
    _branch("jump_if", 0x69, on_zero=False),
    _branch("jump_unless", 0x6D, on_zero=True),
    Family(
        name="load",
        opcode=0x71,
        instruction=Load,
        takes=(_pointer("addr_op"),),
        gives=(_memory("addr_res"),),
    ),
    Family(
        name="store",
        opcode=0x75,
        instruction=Store,
        takes=(_memory("addr_op"),),
        gives=(_pointer("addr_res"),),
    ),
    _copy("copy", 0x79, overlapping=True),
    _copy("copy_nonoverlapping", 0x7A, overlapping=False),
    Family(
        name="fill",
        opcode=0x7B,
        instruction=Fill,
        takes=(_memory("addr_op"), _memory("addr_size")),
        gives=(_pointer("addr_res"),),
        widths=(None,),
    ),
    Family(
        name="grow",
        opcode=0x81,
        instruction=Grow,
        takes=(_memory("addr_op"),),
        gives=(_memory("addr_res"),),
        widths=(None,),
    ),
    Family(
        name="host_read",
        opcode=0x82,
        instruction=HostRead,
        takes=(_pointer("addr_op"),),
        gives=(_memory("addr_res"),),
        widths=(None,),
    ),
    Family(
        name="host_write",
        opcode=0x83,
        instruction=HostWrite,
        takes=(_memory("addr_op"),),
        gives=(_pointer("addr_res"),),
        widths=(None,),
    ),
    Family(
        name="host_steps",
        opcode=0x84,
        instruction=HostSteps,
        takes=(),
        gives=(_memory("addr_res"),),
        widths=(None,),
    ),
    Family(
        name="host_enter",
        opcode=0x85,
        instruction=HostEnter,
        takes=(_TARGET, _pointer("addr_op")),
        gives=(_memory("addr_res"),),
        widths=(None,),
    ),
    Family(name="return", opcode=0x86, instruction=Return, takes=(), gives=(), widths=(None,)),
    Family(
        name="allocate",
        opcode=0x91,
        instruction=Allocate,
        takes=(_memory("addr_size"),),
        gives=(_register("ptr_res"),),
        widths=(None,),
    ),
    Family(
        name="free",
        opcode=0x92,
        instruction=Free,
        takes=(_register("ptr_op"),),
        gives=(),
        widths=(None,),
    ),
    Family(
        name="offset",
        opcode=0x93,
        instruction=Offset,
        takes=(_register("ptr_op"), _memory("addr_op")),
        gives=(_register("ptr_res"),),
        widths=(None,),
    ),
    Family(
        name="move_pointer",
        opcode=0x94,
        instruction=MovePointer,
        takes=(_register("ptr_op"),),
        gives=(_register("ptr_res"),),
        widths=(None,),
    ),
    Family(
        name="is_null",
        opcode=0x95,
        instruction=IsNull,
        takes=(_register("ptr_op"),),
        gives=(_memory("addr_res"),),
        widths=(None,),
    ),
    Family(
        name="read_pointer",
        opcode=0x96,
        instruction=ReadPointer,
        takes=(_pointed("ptr_op"),),
        gives=(_register("ptr_res"),),
        widths=(None,),
    ),
    Family(
        name="write_pointer",
        opcode=0x97,
        instruction=WritePointer,
        takes=(_register("ptr_op"),),
        gives=(_pointed("ptr_res"),),
        widths=(None,),
    ),
    Family(
        name="point",
        opcode=0x98,
        instruction=Point,
        takes=(_pointer("addr_op"),),
        gives=(_register("ptr_res"),),
        widths=(None,),
    ),
    Family(
        name="call",
        opcode=0x99,
        instruction=Call,
        takes=(_TARGET, _memory("addr_op"), _constant("size")),
        gives=(_register("ptr_res"),),
        widths=(None,),
    ),
    Family(
        name="read",
        opcode=0xA1,
        instruction=Read,
        takes=(_pointed("ptr_op"),),
        gives=(_memory("addr_res"),),
    ),
    Family(
        name="write",
        opcode=0xA5,
        instruction=Write,
        takes=(_memory("addr_op"),),
        gives=(_pointed("ptr_res"),),
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """A family at one width: what one mnemonic or one opcode means."""

    family: Family
    width: Width | None

    @property
    def mnemonic(self) -> str:
        name = self.family.name
        return name if self.width is None else f"{name}.{self.width.name.lower()}"

    @property
    def opcode(self) -> int:
        return self.family.opcode + (0 if self.width is None else self.width.bit_length() - 1)

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
    def has_register(self) -> bool:
        """Whether it is about pointers."""
        return any(field.kind in (Kind.REGISTER, Kind.POINTED) for field in self.written)

    @property
    def has_target(self) -> bool:
        return any(field.kind is Kind.TARGET for field in self.written)

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
        width = {} if self.width is None else {"width": self.width}
        return build(**width, **self.family.fixed, **values)


FORMS: tuple[Form, ...] = tuple(
    Form(family=family, width=width) for family in FAMILIES for width in family.widths
)
BY_MNEMONIC: dict[str, Form] = {form.mnemonic: form for form in FORMS}
BY_OPCODE: dict[int, Form] = {form.opcode: form for form in FORMS}
_BY_INSTRUCTION = {
    (form.family.instruction, *form.family.fixed.values(), form.width): form for form in FORMS
}
_FIXED = {family.instruction: tuple(family.fixed) for family in FAMILIES}


def form_of(instruction: Instruction) -> Form:
    """The form that `instruction` has."""
    kind = type(instruction)
    fixed = (getattr(instruction, name) for name in _FIXED[kind])
    return _BY_INSTRUCTION[kind, *fixed, getattr(instruction, "width", None)]
