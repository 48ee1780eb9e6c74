"""Bytecode programs: instructions over one static memory.

Source: the opcodes of the users' forum thread that the project starts from
(`WriteConstU8 { addr, value }`, `AddU16 { addr_op1, addr_op2, addr_res }`, …).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, StrEnum

STEP_LIMIT = 2_000
"""Instructions that a program may execute where it says nothing else."""

MEMORY_ALIGNMENT = 16
"""The memory's base address is a multiple of this, in bytes."""

GROWTH_LIMIT = 1 << 20
"""Bytes up to which a program's memory may grow."""

CALL_DEPTH_LIMIT = 64
"""How often the host may have entered the VM without leaving it."""

ADDRESS_LIMIT = 1 << 64
"""One past the largest address that an instruction can hold."""


class Width(IntEnum):
    """Width of an operand in bytes; a value is unsigned and little-endian in memory."""

    U8 = 1
    U16 = 2
    U32 = 4
    U64 = 8

    @property
    def limit(self) -> int:
        """One past the largest value."""
        return 1 << (8 * self)


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
class Operand:
    """A memory operand that stands in the program: `width` bytes from `addr` on.

    name: the field's name in the opcode, as it stands in reports.
    addr: bytes from the memory's base.
    """

    name: str
    addr: int
    width: Width
    writes: bool


AT_OP = "at_op"
"""The name of the operand that lies at the address that the value at `addr_op` is."""

AT_RES = "at_res"
"""Likewise of the one that is written, with `addr_res`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteConst:
    """Store `value` at `addr`.

    Raises: ValueError, for an address or a value that no instruction can hold.
    """

    width: Width
    addr: int
    value: int

    def __post_init__(self) -> None:
        _check_range("value", self.value, self.width.limit)
        _check_range("addr", self.addr, ADDRESS_LIMIT)

    def operands(self) -> tuple[Operand, ...]:
        """The memory operands in the order in which they are compiled."""
        return (Operand(name="addr", addr=self.addr, width=self.width, writes=True),)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unary:
    """Store what `operator` makes of the value at `addr_op` at `addr_res`.

    Raises: ValueError, for an address that no instruction can hold.
    """

    operator: UnaryOperator
    width: Width
    addr_op: int
    addr_res: int

    def __post_init__(self) -> None:
        _check_range("addr_op", self.addr_op, ADDRESS_LIMIT)
        _check_range("addr_res", self.addr_res, ADDRESS_LIMIT)

    def operands(self) -> tuple[Operand, ...]:
        """The memory operands in the order in which they are compiled."""
        return (
            Operand(name="addr_op", addr=self.addr_op, width=self.width, writes=False),
            Operand(name="addr_res", addr=self.addr_res, width=self.width, writes=True),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Binary:
    """Store what `operator` makes of the values at `addr_op1` and `addr_op2` at `addr_res`.

    Raises: ValueError, for an address that no instruction can hold.
    """

    operator: BinaryOperator
    width: Width
    addr_op1: int
    addr_op2: int
    addr_res: int

    def __post_init__(self) -> None:
        _check_range("addr_op1", self.addr_op1, ADDRESS_LIMIT)
        _check_range("addr_op2", self.addr_op2, ADDRESS_LIMIT)
        _check_range("addr_res", self.addr_res, ADDRESS_LIMIT)

    def operands(self) -> tuple[Operand, ...]:
        """The memory operands in the order in which they are compiled."""
        return (
            Operand(name="addr_op1", addr=self.addr_op1, width=self.width, writes=False),
            Operand(name="addr_op2", addr=self.addr_op2, width=self.width, writes=False),
            Operand(name="addr_res", addr=self.addr_res, width=self.width, writes=True),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Jump:
    """Go on with the instruction `target`; as many as there are is the program's end.

    Raises: ValueError, for a number that no instruction can hold.
    """

    target: int

    def __post_init__(self) -> None:
        _check_range("target", self.target, ADDRESS_LIMIT)

    def operands(self) -> tuple[Operand, ...]:
        """The memory operands in the order in which they are compiled."""
        return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Branch:
    """Go on with `target` if the value at `addr` is not zero; if it is, `on_zero`.

    Raises: ValueError, for a number or an address that no instruction can hold.
    """

    on_zero: bool
    width: Width
    addr: int
    target: int

    def __post_init__(self) -> None:
        _check_range("addr", self.addr, ADDRESS_LIMIT)
        _check_range("target", self.target, ADDRESS_LIMIT)

    def operands(self) -> tuple[Operand, ...]:
        """The memory operands in the order in which they are compiled."""
        return (Operand(name="addr", addr=self.addr, width=self.width, writes=False),)


@dataclass(frozen=True, slots=True, kw_only=True)
class Assert:
    """Trap if the value at `addr` is zero.

    Raises: ValueError, for an address that no instruction can hold.
    """

    width: Width
    addr: int

    def __post_init__(self) -> None:
        _check_range("addr", self.addr, ADDRESS_LIMIT)

    def operands(self) -> tuple[Operand, ...]:
        """The memory operands in the order in which they are compiled."""
        return (Operand(name="addr", addr=self.addr, width=self.width, writes=False),)


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """Store the value at the address that the `u64` at `addr_op` is at `addr_res`.

    Raises: ValueError, for an address that no instruction can hold.
    """

    width: Width
    addr_op: int
    addr_res: int

    def __post_init__(self) -> None:
        _check_range("addr_op", self.addr_op, ADDRESS_LIMIT)
        _check_range("addr_res", self.addr_res, ADDRESS_LIMIT)

    def operands(self) -> tuple[Operand, ...]:
        """The memory operands in the order in which they are compiled."""
        return (
            Operand(name="addr_op", addr=self.addr_op, width=Width.U64, writes=False),
            Operand(name="addr_res", addr=self.addr_res, width=self.width, writes=True),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    """Store the value at `addr_op` at the address that the `u64` at `addr_res` is.

    Raises: ValueError, for an address that no instruction can hold.
    """

    width: Width
    addr_op: int
    addr_res: int

    def __post_init__(self) -> None:
        _check_range("addr_op", self.addr_op, ADDRESS_LIMIT)
        _check_range("addr_res", self.addr_res, ADDRESS_LIMIT)

    def operands(self) -> tuple[Operand, ...]:
        """The memory operands in the order in which they are compiled."""
        return (
            Operand(name="addr_op", addr=self.addr_op, width=self.width, writes=False),
            Operand(name="addr_res", addr=self.addr_res, width=Width.U64, writes=False),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """Copy bytes from the address at `addr_op` to that at `addr_res`, as many as at `addr_size`.

    overlapping: the two ranges may have bytes in common; else that traps.

    Raises: ValueError, for an address that no instruction can hold.
    """

    overlapping: bool
    addr_op: int
    addr_size: int
    addr_res: int

    def __post_init__(self) -> None:
        _check_range("addr_op", self.addr_op, ADDRESS_LIMIT)
        _check_range("addr_size", self.addr_size, ADDRESS_LIMIT)
        _check_range("addr_res", self.addr_res, ADDRESS_LIMIT)

    def operands(self) -> tuple[Operand, ...]:
        """The memory operands in the order in which they are compiled."""
        return (
            Operand(name="addr_op", addr=self.addr_op, width=Width.U64, writes=False),
            Operand(name="addr_size", addr=self.addr_size, width=Width.U64, writes=False),
            Operand(name="addr_res", addr=self.addr_res, width=Width.U64, writes=False),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Fill:
    """Store the byte at `addr_op` from the address at `addr_res` on, as often as at `addr_size`.

    Raises: ValueError, for an address that no instruction can hold.
    """

    addr_op: int
    addr_size: int
    addr_res: int

    def __post_init__(self) -> None:
        _check_range("addr_op", self.addr_op, ADDRESS_LIMIT)
        _check_range("addr_size", self.addr_size, ADDRESS_LIMIT)
        _check_range("addr_res", self.addr_res, ADDRESS_LIMIT)

    def operands(self) -> tuple[Operand, ...]:
        """The memory operands in the order in which they are compiled."""
        return (
            Operand(name="addr_op", addr=self.addr_op, width=Width.U8, writes=False),
            Operand(name="addr_size", addr=self.addr_size, width=Width.U64, writes=False),
            Operand(name="addr_res", addr=self.addr_res, width=Width.U64, writes=False),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Grow:
    """Let the memory grow by as many bytes as the `u64` at `addr_op` says.

    At `addr_res` is then the size that it had, or the largest number if it did not grow.

    Raises: ValueError, for an address that no instruction can hold.
    """

    addr_op: int
    addr_res: int

    def __post_init__(self) -> None:
        _check_range("addr_op", self.addr_op, ADDRESS_LIMIT)
        _check_range("addr_res", self.addr_res, ADDRESS_LIMIT)

    def operands(self) -> tuple[Operand, ...]:
        """The memory operands in the order in which they are compiled."""
        return (
            Operand(name="addr_op", addr=self.addr_op, width=Width.U64, writes=False),
            Operand(name="addr_res", addr=self.addr_res, width=Width.U64, writes=True),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class HostRead:
    """Let the host read the byte at the address at `addr_op`; what it says goes to `addr_res`.

    Raises: ValueError, for an address that no instruction can hold.
    """

    addr_op: int
    addr_res: int

    def __post_init__(self) -> None:
        _check_range("addr_op", self.addr_op, ADDRESS_LIMIT)
        _check_range("addr_res", self.addr_res, ADDRESS_LIMIT)

    def operands(self) -> tuple[Operand, ...]:
        """The memory operands in the order in which they are compiled."""
        return (
            Operand(name="addr_op", addr=self.addr_op, width=Width.U64, writes=False),
            Operand(name="addr_res", addr=self.addr_res, width=Width.U8, writes=True),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class HostWrite:
    """Let the host write the byte at `addr_op` to the address at `addr_res`.

    Raises: ValueError, for an address that no instruction can hold.
    """

    addr_op: int
    addr_res: int

    def __post_init__(self) -> None:
        _check_range("addr_op", self.addr_op, ADDRESS_LIMIT)
        _check_range("addr_res", self.addr_res, ADDRESS_LIMIT)

    def operands(self) -> tuple[Operand, ...]:
        """The memory operands in the order in which they are compiled."""
        return (
            Operand(name="addr_op", addr=self.addr_op, width=Width.U8, writes=False),
            Operand(name="addr_res", addr=self.addr_res, width=Width.U64, writes=False),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class HostSteps:
    """Let the host say how many instructions have been begun, this one included.

    Raises: ValueError, for an address that no instruction can hold.
    """

    addr_res: int

    def __post_init__(self) -> None:
        _check_range("addr_res", self.addr_res, ADDRESS_LIMIT)

    def operands(self) -> tuple[Operand, ...]:
        """The memory operands in the order in which they are compiled."""
        return (Operand(name="addr_res", addr=self.addr_res, width=Width.U64, writes=True),)


@dataclass(frozen=True, slots=True, kw_only=True)
class HostEnter:
    """Let the host enter the VM at `target`, and read the byte at the address at `addr_op`.

    It reads once a `Return` has left the VM again; what it says goes to `addr_res`.

    Raises: ValueError, for a number or an address that no instruction can hold.
    """

    addr_op: int
    addr_res: int
    target: int

    def __post_init__(self) -> None:
        _check_range("addr_op", self.addr_op, ADDRESS_LIMIT)
        _check_range("addr_res", self.addr_res, ADDRESS_LIMIT)
        _check_range("target", self.target, ADDRESS_LIMIT)

    def operands(self) -> tuple[Operand, ...]:
        """The memory operands in the order in which they are compiled."""
        return (
            Operand(name="addr_op", addr=self.addr_op, width=Width.U64, writes=False),
            Operand(name="addr_res", addr=self.addr_res, width=Width.U8, writes=True),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Return:
    """Leave the VM, which the host has entered; the program, if it has not."""

    def operands(self) -> tuple[Operand, ...]:
        """The memory operands in the order in which they are compiled."""
        return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Halt:
    """End the program here."""

    def operands(self) -> tuple[Operand, ...]:
        """The memory operands in the order in which they are compiled."""
        return ()


Computing = Load | Store | Copy | Fill | Grow | HostRead | HostWrite | HostSteps | HostEnter
"""What computes an address or calls the host; the operands are compiled one by one."""

Instruction = WriteConst | Unary | Binary | Jump | Branch | Assert | Computing | Return | Halt


def computed_operands(instruction: Instruction) -> tuple[str, ...]:
    """The names of the operands whose addresses are found in running, in order."""
    match instruction:
        case Load() | HostRead() | HostEnter():
            return (AT_OP,)
        case Store() | Fill() | HostWrite():
            return (AT_RES,)
        case Copy():
            return (AT_OP, AT_RES)
        case _:
            return ()


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
        _check_range("step_limit", self.step_limit, ADDRESS_LIMIT)
        for instruction in self.instructions:
            if isinstance(instruction, Jump | Branch | HostEnter):
                _check_range("target", instruction.target, len(self.instructions) + 1)


def _check_range(name: str, number: int, limit: int) -> None:
    if not 0 <= number < limit:
        raise ValueError(f"{name} is {number}; it has to be from 0 to {limit - 1}")
