"""Instructions whose addresses are values in the memory: checked, then touched as a design does."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from harness.bytecode.operands import AT_OP, AT_RES, Operand, Width
from harness.bytecode.program import Copy, Fill, HostRead, HostWrite, Load, Store
from harness.lowering.way import Block, Move
from harness.pointer import program as p

if TYPE_CHECKING:
    from harness.lowering.builder import Builder
    from harness.lowering.design import Design


def lower_computed(
    design: Design,
    builder: Builder,
    instruction: Load | Store | Copy | Fill | HostRead | HostWrite,
    block: Block | None,
) -> None:
    """One instruction of the run phase. block: what it moves; None if it traps or moves none."""
    match instruction:
        case Load(width=width):
            pointer, res = instruction.operands()
            value = design.load(builder, _access(design, builder, pointer, AT_OP, width))
            builder.of_operand(res)
            design.store(builder, res, value)
        case Store(width=width):
            op, pointer = instruction.operands()
            builder.of_operand(op)
            value = design.load(builder, op)
            design.store(builder, _access(design, builder, pointer, AT_RES, width), value)
        case HostRead():
            pointer, res = instruction.operands()
            byte = design.host_read(builder, _found_at(design, builder, pointer, AT_OP, Width.U8))
            builder.of_operand(res)
            design.store(builder, res, byte)
        case HostWrite():
            op, pointer = instruction.operands()
            value = _value(design, builder, op)
            operand = _found_at(design, builder, pointer, AT_RES, Width.U8)
            design.host_write(builder, operand, value)
        case Copy():
            _lower_copy(design, builder, instruction, block)
        case Fill():
            _lower_fill(design, builder, instruction, block)
        case _:
            assert_never(instruction)


def _access(design: Design, builder: Builder, pointer: Operand, name: str, width: Width) -> Operand:
    """The operand to which the value at `pointer` points, checked and made."""
    operand = _found_at(design, builder, pointer, name, width)
    design.compile(builder, (operand,))
    builder.of_operand(operand)
    return operand


def _found_at(
    design: Design, builder: Builder, pointer: Operand, name: str, width: Width
) -> Operand:
    """The operand to which the value at `pointer` points, checked."""
    operand = found_operand(builder, name, _value(design, builder, pointer), width)
    builder.check(operand)
    return operand


def found_operand(builder: Builder, name: str, address: str, width: Width) -> Operand:
    """The operand of the instruction that lies at the address that the variable has."""
    # The address in it counts for nothing: that of a found operand is the variable.
    operand = Operand(name=name, addr=0, width=width, writes=name == AT_RES)
    builder.found[name] = address
    builder.of_operand(operand)
    return operand


def _lower_copy(design: Design, builder: Builder, instruction: Copy, block: Block | None) -> None:
    source, length, target = (
        _value(design, builder, operand) for operand in instruction.operands()
    )
    if not _moves(builder, instruction, length, block):
        return
    from_ = found_operand(builder, AT_OP, source, Width.U8)
    _check_range(builder, from_, length)
    to = found_operand(builder, AT_RES, target, Width.U8)
    _check_range(builder, to, length)
    if not instruction.overlapping:
        for left, right in ((source, target), (target, source)):
            # Of the two, the one that is less than zero is very large.
            distance = builder.name("behind" if left == source else "before", to)
            builder.add(p.Arithmetic(to=distance, operator="sub", left=left, right=right, width=8))
            builder.guard(distance, "ge", length, "overlap", AT_RES)
    if block is not None:
        move = Move(size=length, overlapping=instruction.overlapping, block=block)
        design.copy(builder, from_, to, move)


def _lower_fill(design: Design, builder: Builder, instruction: Fill, block: Block | None) -> None:
    byte, length, target = (_value(design, builder, operand) for operand in instruction.operands())
    if not _moves(builder, instruction, length, block):
        return
    to = found_operand(builder, AT_RES, target, Width.U8)
    _check_range(builder, to, length)
    if block is not None:
        design.fill(builder, to, byte, Move(size=length, overlapping=False, block=block))


def _value(design: Design, builder: Builder, operand: Operand) -> str:
    builder.of_operand(operand)
    return design.load(builder, operand)


def _moves(builder: Builder, instruction: Copy | Fill, length: str, block: Block | None) -> bool:
    """Whether any byte is to be moved, as the reference VM has it; which is asserted."""
    moves = block is None or block.size > 0
    _, size, _ = instruction.operands()
    builder.of_operand(size)
    builder.guard(length, "ne" if moves else "eq", 0, "diverged", size.name)
    return moves


def _check_range(builder: Builder, operand: Operand, length: str) -> None:
    """The check that as many bytes as the variable `length` says are within the memory."""
    builder.of_operand(operand)
    builder.guard(length, "le", builder.size, "out-of-bounds", operand.name)
    last = builder.name("last", operand)
    builder.add(p.Arithmetic(to=last, operator="sub", left=builder.size, right=length, width=8))
    builder.guard(builder.address(operand), "le", last, "out-of-bounds", operand.name)


def each_byte(builder: Builder, operand: Operand, move: Move) -> None:
    """The guard of a design that moves one byte after the other."""
    builder.of_operand(operand)
    builder.guard(move.size, "eq", move.block.size, "diverged", "addr_size")
