"""Bytecode programs: instructions over one static memory.

Source: the opcodes of the users' forum thread that the project starts from
(`WriteConstU8 { addr, value }`, `AddU16 { addr_op1, addr_op2, addr_res }`, …).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from harness.bytecode.operands import (
    ADDRESS_LIMIT,
    AT_OP,
    AT_RES,
    Touch,
    Touching,
    Width,
    check_range,
    reads,
    writes,
)
from harness.bytecode.pointers import OnPointers

STEP_LIMIT = 2_000
"""Instructions that a program may execute where it says nothing else."""

MEMORY_ALIGNMENT = 16
"""The memory's base address is a multiple of this, in bytes."""

GROWTH_LIMIT = 1 << 20
"""Bytes up to which a program's memory may grow."""

CALL_DEPTH_LIMIT = 64
"""How often the host may have entered the VM without leaving it."""


class UnaryOperator(StrEnum):
    """What is made of one value, at the instruction's width."""

    MOVE = "move"
    NOT = "not"


class BinaryOperator(StrEnum):
    """What is made of two values, at the instruction's width; sums and the like wrap.

    DIV, REM: unsigned; SDIV, SREM: in two's complement, rounded towards zero. Both trap where
    the second value is zero, the signed ones also where the quotient does not fit.
    SHL, SHR, SAR: by the second value modulo the number of bits; SAR keeps the sign.
    The comparisons give 1 or 0; SLT and SLE are those of two's complement.
    """

    ADD = "add"
    SUB = "sub"
    MUL = "mul"
    DIV = "div"
    REM = "rem"
    SDIV = "sdiv"
    SREM = "srem"
    AND = "and"
    OR = "or"
    XOR = "xor"
    SHL = "shl"
    SHR = "shr"
    SAR = "sar"
    EQ = "eq"
    NE = "ne"
    LT = "lt"
    LE = "le"
    SLT = "slt"
    SLE = "sle"

    @property
    def divides(self) -> bool:
        return self in (
            BinaryOperator.DIV,
            BinaryOperator.REM,
            BinaryOperator.SDIV,
            BinaryOperator.SREM,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteConst(Touching):
    """Store `value` at `addr`."""

    touches: ClassVar[tuple[Touch, ...]] = (writes("addr"),)
    width: Width
    addr: int
    value: int

    def __post_init__(self) -> None:
        check_range("value", self.value, self.width.limit)
        super(WriteConst, self).__post_init__()


@dataclass(frozen=True, slots=True, kw_only=True)
class Unary(Touching):
    """Store what `operator` makes of the value at `addr_op` at `addr_res`."""

    touches: ClassVar[tuple[Touch, ...]] = (reads("addr_op"), writes("addr_res"))
    operator: UnaryOperator
    width: Width
    addr_op: int
    addr_res: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Binary(Touching):
    """Store what `operator` makes of the values at `addr_op1` and `addr_op2` at `addr_res`."""

    touches: ClassVar[tuple[Touch, ...]] = (
        reads("addr_op1"),
        reads("addr_op2"),
        writes("addr_res"),
    )
    operator: BinaryOperator
    width: Width
    addr_op1: int
    addr_op2: int
    addr_res: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Jump(Touching):
    """Go on with the instruction `target`; as many as there are is the program's end."""

    targets: ClassVar[tuple[str, ...]] = ("target",)
    target: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Branch(Touching):
    """Go on with `target` if the value at `addr` is not zero; if it is, `on_zero`."""

    touches: ClassVar[tuple[Touch, ...]] = (reads("addr"),)
    targets: ClassVar[tuple[str, ...]] = ("target",)
    on_zero: bool
    width: Width
    addr: int
    target: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Assert(Touching):
    """Trap if the value at `addr` is zero."""

    touches: ClassVar[tuple[Touch, ...]] = (reads("addr"),)
    width: Width
    addr: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Load(Touching):
    """Store the value at the address that the `u64` at `addr_op` is at `addr_res`."""

    touches: ClassVar[tuple[Touch, ...]] = (reads("addr_op", Width.U64), writes("addr_res"))
    computes: ClassVar[tuple[str, ...]] = (AT_OP,)
    width: Width
    addr_op: int
    addr_res: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Store(Touching):
    """Store the value at `addr_op` at the address that the `u64` at `addr_res` is."""

    touches: ClassVar[tuple[Touch, ...]] = (reads("addr_op"), reads("addr_res", Width.U64))
    computes: ClassVar[tuple[str, ...]] = (AT_RES,)
    width: Width
    addr_op: int
    addr_res: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy(Touching):
    """Copy bytes from the address at `addr_op` to that at `addr_res`, as many as at `addr_size`.

    overlapping: the two ranges may have bytes in common; else that traps.
    """

    touches: ClassVar[tuple[Touch, ...]] = (
        reads("addr_op", Width.U64),
        reads("addr_size", Width.U64),
        reads("addr_res", Width.U64),
    )
    computes: ClassVar[tuple[str, ...]] = (AT_OP, AT_RES)
    overlapping: bool
    addr_op: int
    addr_size: int
    addr_res: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Fill(Touching):
    """Store the byte at `addr_op` from the address at `addr_res` on, as often as at `addr_size`."""

    touches: ClassVar[tuple[Touch, ...]] = (
        reads("addr_op", Width.U8),
        reads("addr_size", Width.U64),
        reads("addr_res", Width.U64),
    )
    computes: ClassVar[tuple[str, ...]] = (AT_RES,)
    addr_op: int
    addr_size: int
    addr_res: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Grow(Touching):
    """Let the memory grow by as many bytes as the `u64` at `addr_op` says.

    At `addr_res` is then the size that it had, or the largest number if it did not grow.
    """

    touches: ClassVar[tuple[Touch, ...]] = (
        reads("addr_op", Width.U64),
        writes("addr_res", Width.U64),
    )
    addr_op: int
    addr_res: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HostRead(Touching):
    """Let the host read the byte at the address at `addr_op`; what it says goes to `addr_res`."""

    touches: ClassVar[tuple[Touch, ...]] = (
        reads("addr_op", Width.U64),
        writes("addr_res", Width.U8),
    )
    computes: ClassVar[tuple[str, ...]] = (AT_OP,)
    addr_op: int
    addr_res: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HostWrite(Touching):
    """Let the host write the byte at `addr_op` to the address at `addr_res`."""

    touches: ClassVar[tuple[Touch, ...]] = (
        reads("addr_op", Width.U8),
        reads("addr_res", Width.U64),
    )
    computes: ClassVar[tuple[str, ...]] = (AT_RES,)
    addr_op: int
    addr_res: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HostSteps(Touching):
    """Let the host say how many instructions have been begun, this one included."""

    touches: ClassVar[tuple[Touch, ...]] = (writes("addr_res", Width.U64),)
    addr_res: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HostEnter(Touching):
    """Let the host enter the VM at `target`, and read the byte at the address at `addr_op`.

    It reads once a `Return` has left the VM again; what it says goes to `addr_res`.
    """

    touches: ClassVar[tuple[Touch, ...]] = (
        reads("addr_op", Width.U64),
        writes("addr_res", Width.U8),
    )
    targets: ClassVar[tuple[str, ...]] = ("target",)
    computes: ClassVar[tuple[str, ...]] = (AT_OP,)
    addr_op: int
    addr_res: int
    target: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Return(Touching):
    """Leave the VM, which the host has entered; the program, if it has not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Halt(Touching):
    """End the program here."""


Computing = Load | Store | Copy | Fill | Grow | HostRead | HostWrite | HostSteps | HostEnter
"""What computes an address or calls the host; the operands are compiled one by one."""

Instruction = (
    WriteConst | Unary | Binary | Jump | Branch | Assert | Computing | OnPointers | Return | Halt
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """Instructions, and the memory's initial bytes (its size is their number).

    step_limit: how many instructions may be executed; the next one traps.

    Raises: ValueError, for a target behind the program's end, or a limit that is none.
    """

    instructions: tuple[Instruction, ...]
    memory: bytes
    step_limit: int = STEP_LIMIT

    def __post_init__(self) -> None:
        check_range("step_limit", self.step_limit, ADDRESS_LIMIT)
        for instruction in self.instructions:
            for name in instruction.targets:
                check_range(name, getattr(instruction, name), len(self.instructions) + 1)
