"""Outcomes: what one run of one program did, whoever ran it.

The reference VM, the abstract machine, a native process and Miri all answer with one of
these classes, so that a verdict can hold them against each other.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar


class TrapKind(StrEnum):
    """Why a bytecode program stopped: the program's own fault, which the VM must catch."""

    OUT_OF_BOUNDS = "out-of-bounds"
    MISALIGNED = "misaligned"
    DIVISION_BY_ZERO = "division-by-zero"
    DIVISION_OVERFLOW = "division-overflow"
    ASSERTION_FAILED = "assertion-failed"
    OVERLAP = "overlap"
    CALL_DEPTH = "call-depth"
    FOREIGN_FREE = "foreign-free"
    STEP_LIMIT = "step-limit"
    DIVERGED = "diverged"

    def arises_in_compiling(self, operand: str | None) -> bool:
        """Whether it arises before any instruction runs, being the trap of this operand.

        The name of one that only running finds begins with `at`.
        """
        found = self in (TrapKind.OUT_OF_BOUNDS, TrapKind.MISALIGNED)
        return found and not (operand or "").startswith("at_")


class FaultKind(StrEnum):
    """Kinds of undefined behaviour: those of Rust, named as in `docs/pointer-language.md`, and
    what else a block of assembly must not do, as in `docs/stories.md`."""

    ALIASING = "aliasing"
    PROTECTOR = "protector"
    DANGLING = "dangling"
    OUT_OF_BOUNDS = "out-of-bounds"
    UNINITIALISED = "uninitialised"
    NO_PROVENANCE = "no-provenance"
    NULL = "null"
    MISALIGNED = "misaligned"
    OVERLAP = "overlap"
    DEALLOCATION = "deallocation"
    INVALID_VALUE = "invalid-value"
    UNREACHABLE = "unreachable"
    DATA_RACE = "data-race"
    OTHER = "other"

    REACHES_OUT = "reaches-out"
    IN_OPERAND = "in-operand"
    OUT_OPERAND = "out-operand"
    NOMEM = "nomem"
    READONLY = "readonly"
    PURE = "pure"
    NORETURN = "noreturn"
    OUTPUT = "output"
    MEMORY = "memory"
    REGISTER = "register"
    FLAGS = "flags"
    DIRECTION_FLAG = "direction-flag"
    MXCSR = "mxcsr"
    X87_CONTROL = "x87-control"
    X87_STACK = "x87-stack"
    STACK_POINTER = "stack-pointer"
    STACK = "stack"
    RED_ZONE = "red-zone"
    PANIC = "panic"
    CRASH = "crash"
    HANG = "hang"
    ENDING = "ending"
    PROGRAM = "program"


FAULTS_OF_RUST = tuple(FaultKind)[: tuple(FaultKind).index(FaultKind.OTHER) + 1]
"""Those that any program can have; the others only a story."""


class UnsupportedKind(StrEnum):
    """What an engine cannot run, though the program may be right."""

    INT_TO_PTR = "int-to-ptr"
    INLINE_ASSEMBLY = "inline-assembly"
    FOREIGN_FUNCTION = "foreign-function"
    NOT_EXPRESSED = "not-expressed"
    OTHER = "other"


DEPENDS_ON_ADDRESSES = "the result depends on addresses"
"""How the message begins where nothing can be said of what a program comes to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A place in generated or user source; line and column count from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Location:
    """Where in the program an outcome arose; what does not apply is None.

    instruction: index into the bytecode program.
    operand: the operand's name in its opcode (`addr`, `addr_op1`, `addr_op2`, `addr_res`).
    path: a pointer program's statement: its index, then the index in the called body, …
    span: the place in the Rust source that ran.
    """

    instruction: int | None = None
    operand: str | None = None
    path: tuple[int, ...] | None = None
    span: Span | None = None


NOWHERE = Location()


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """The program came to its end.

    memory: the final bytes of the bytecode program's memory.
    checksum: of a pointer program's reads; None where it depends on addresses.
    steps: instructions executed, where the engine counts them.
    advice: what a story's block could promise besides; None if there is nothing.
    """

    name: ClassVar[str] = "ran"
    memory: bytes | None = None
    checksum: int | None = None
    steps: int | None = None
    advice: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Trapped:
    """The VM refused the program: no undefined behaviour, a defined error.

    memory: as it was when the program stopped. steps: instructions executed before that, where
    the engine counts them.
    """

    name: ClassVar[str] = "trapped"
    kind: TrapKind
    location: Location = NOWHERE
    memory: bytes | None = None
    steps: int | None = None

    @property
    def in_compiling(self) -> bool:
        """Whether no instruction ran."""
        return self.kind.arises_in_compiling(self.location.operand)


@dataclass(frozen=True, slots=True, kw_only=True)
class UndefinedBehaviour:
    """An interpreter or the abstract machine found the program undefined.

    created, invalidated: where the offending tag was made and where it died.
    rule: which of the three rules of `docs/stories.md` a story breaks; None for other programs.
    """

    name: ClassVar[str] = "ub"
    kind: FaultKind
    message: str
    location: Location = NOWHERE
    created: Location | None = None
    invalidated: Location | None = None
    rule: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsupported:
    name: ClassVar[str] = "unsupported"
    kind: UnsupportedKind
    message: str
    location: Location = NOWHERE


@dataclass(frozen=True, slots=True, kw_only=True)
class Panicked:
    name: ClassVar[str] = "panicked"
    message: str
    location: Location = NOWHERE


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaked:
    """The program ended with memory that nothing can free any more."""

    name: ClassVar[str] = "leaked"
    message: str
    location: Location = NOWHERE


@dataclass(frozen=True, slots=True, kw_only=True)
class TimedOut:
    """The run did not come to its end.

    by_limit: whether a limit ended it, and not the tool, which names a deadlock or what ran out.
    """

    name: ClassVar[str] = "timed-out"
    message: str
    by_limit: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolFailed:
    """The tool, not the program, failed: a crash, a compile error, output that cannot be read."""

    name: ClassVar[str] = "tool-failed"
    message: str
    location: Location = NOWHERE


Meaning = Ran | Trapped | UndefinedBehaviour | Unsupported
"""What a bytecode program can come to by itself, whatever runs it: it may be undefined, through
its own pointers, or depend on addresses, which nothing supports."""

Outcome = (
    Ran | Trapped | UndefinedBehaviour | Unsupported | Panicked | Leaked | TimedOut | ToolFailed
)
