"""Instructions on pointers, along the way that the reference VM took.

A register is the variable that holds its pointer, so that moving a pointer is no statement.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, assert_never

from harness.bytecode.operands import AT_OP, AT_RES, FRAME, REGISTERS, Width
from harness.bytecode.pointers import (
    ARGUMENT,
    BLOCK_LIMIT,
    Allocate,
    Free,
    IsNull,
    MovePointer,
    OffCalls,
    Offset,
    OnPointers,
    Point,
    Read,
    ReadPointer,
    Write,
    WritePointer,
)
from harness.bytecode.program import MEMORY_ALIGNMENT
from harness.lowering.computed import found_operand
from harness.pointer import program as p

if TYPE_CHECKING:
    from harness.bytecode.pointers import Call
    from harness.bytecode.program import Program
    from harness.lowering.builder import Builder
    from harness.lowering.design import Design

NULL = "null"

_FURTHEST = (1 << 63) - 1
"""What `sub` can take; the lowest number is one further, and no less beyond any block."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """A call that has not been left. before: what the frame's register held."""

    block: str
    size: int
    register: int
    before: str


@dataclass(slots=True, kw_only=True)
class Registers:
    """Which variable holds which pointer."""

    held: list[str] = field(default_factory=lambda: [NULL] * REGISTERS)

    def step(
        self, design: Design, builder: Builder, instruction: OffCalls, number: int | None
    ) -> None:
        """One instruction of the run phase. number: what the reference VM found, in `Trace`."""
        match instruction:
            case Allocate(ptr_res=ptr_res):
                assert number is not None, "it allocates some bytes or none"
                (size,) = instruction.operands()
                builder.of_operand(size)
                _guard_size(builder, design.load(builder, size), number, size.name)
                self.held[ptr_res] = _allocated(builder, "block", number) if number else NULL
            case Free(ptr_op=ptr_op):
                self._free(builder, self.held[ptr_op], number)
            case Offset(ptr_op=ptr_op, ptr_res=ptr_res):
                assert number is not None, "it moves by some bytes or none"
                (distance,) = instruction.operands()
                builder.of_operand(distance)
                value = design.load(builder, distance)
                builder.guard(value, "eq", number % Width.U64.limit, "diverged", distance.name)
                builder.of("ptr_op")
                moved = builder.result("moved")
                of = self.held[ptr_op]
                by = max(number, -_FURTHEST)
                builder.add(p.Sub(to=moved, of=of, offset=by, size=1, inbounds=True))
                self.held[ptr_res] = moved
            case MovePointer(ptr_op=ptr_op, ptr_res=ptr_res):
                self.held[ptr_res] = self.held[ptr_op]
            case IsNull(ptr_op=ptr_op):
                (res,) = instruction.operands()
                builder.of_operand(res)
                is_null = _is_null(builder, self.held[ptr_op])
                design.store(builder, res, is_null)
            case ReadPointer(ptr_op=ptr_op, ptr_res=ptr_res):
                builder.of(AT_OP)
                loaded = builder.result("loaded")
                design.read_pointer(builder, loaded, self.held[ptr_op])
                self.held[ptr_res] = loaded
            case WritePointer(ptr_op=ptr_op, ptr_res=ptr_res):
                builder.of(AT_RES)
                design.write_pointer(builder, self.held[ptr_res], self.held[ptr_op])
            case Point(ptr_res=ptr_res):
                (addr,) = instruction.operands()
                builder.of_operand(addr)
                operand = found_operand(builder, AT_OP, design.load(builder, addr), Width.U8)
                builder.check(operand)
                self.held[ptr_res] = design.pointer_to(builder, operand)
            case Read(width=width, ptr_op=ptr_op):
                (res,) = instruction.operands()
                builder.of(AT_OP)
                value = builder.result("read")
                of, aligned = self.held[ptr_op], width > 1
                builder.add(p.Read(ptr=of, at=0, width=width, to=value, aligned=aligned))
                builder.of_operand(res)
                design.store(builder, res, value)
            case Write(width=width, ptr_res=ptr_res):
                (op,) = instruction.operands()
                builder.of_operand(op)
                value = design.load(builder, op)
                builder.of(AT_RES)
                to, aligned = self.held[ptr_res], width > 1
                builder.add(p.Write(ptr=to, at=0, width=width, value=value, aligned=aligned))
            case _:
                assert_never(instruction)

    def call(self, builder: Builder, call: Call, argument: str) -> Frame:
        """The frame of a call, which holds its argument."""
        size = ARGUMENT + call.size
        block = _allocated(builder, "frame", size)
        builder.add(p.Write(ptr=block, at=0, width=ARGUMENT, value=argument, aligned=True))
        before = self.held[call.ptr_res]
        self.held[call.ptr_res] = block
        return Frame(block=block, size=size, register=call.ptr_res, before=before)

    def leave(self, builder: Builder, frame: Frame) -> None:
        """The end of a call."""
        builder.of(FRAME)
        builder.add(p.Free(ptr=frame.block, size=frame.size, align=MEMORY_ALIGNMENT))
        self.held[frame.register] = frame.before

    def _free(self, builder: Builder, pointer: str, size: int | None) -> None:
        builder.of("ptr_op")
        if size is None:
            # The reference VM has not come so far.
            builder.guard(0, "eq", 1, "foreign-free", "ptr_op")
        elif size:
            builder.add(p.Free(ptr=pointer, size=size, align=MEMORY_ALIGNMENT))
        else:
            builder.guard(_is_null(builder, pointer), "eq", 1, "diverged", "ptr_op")


def set_up(builder: Builder, program: Program) -> None:
    """The pointer that is in every register at the beginning, if the program has any."""
    if any(isinstance(each, OnPointers) for each in program.instructions):
        builder.add(p.Int(to="zero", value=0))
        builder.add(p.Transmute(to=NULL, int_="zero", offset=0, size=1))


def _allocated(builder: Builder, prefix: str, size: int) -> str:
    block = builder.result(prefix)
    builder.add(p.Heap(to=block, size=size, align=MEMORY_ALIGNMENT))
    return block


def _guard_size(builder: Builder, value: str, size: int, operand: str) -> None:
    if size:
        builder.guard(value, "eq", size, "diverged", operand)
        return
    less = builder.result("less")
    builder.add(p.Arithmetic(to=less, operator="sub", left=value, right=1, width=8))
    builder.guard(less, "ge", BLOCK_LIMIT, "diverged", operand)


def _is_null(builder: Builder, pointer: str) -> str:
    address, is_null = builder.result("address"), builder.result("is_null")
    builder.add(p.Addr(to=address, of=pointer))
    builder.add(p.Arithmetic(to=is_null, operator="eq", left=address, right=0, width=8))
    return is_null
