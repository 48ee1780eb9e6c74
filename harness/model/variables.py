"""Variables of the pointer language, and the frames of calls that hold them."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from harness.errors import HarnessFault
from harness.model.borrows import Interior
from harness.model.provenance import Integer

if TYPE_CHECKING:
    from harness.model.memory import Allocation
    from harness.model.provenance import Pointer
    from harness.pointer.program import IntOperand, Path


class Kind(Enum):
    """What a variable with a PLACE is; the value is its type in Rust, of `n` bytes."""

    LOCAL = "[u8; n]"
    RAW = "*mut [u8; n]"
    MUT = "&mut [u8; n]"
    MUT_CELL = "&mut std::cell::Cell<[u8; n]>"
    SHARED = "&[u8; n]"
    CELL = "&std::cell::Cell<[u8; n]>"
    UNSAFE_CELL = "&std::cell::UnsafeCell<[u8; n]>"
    MIX = "&Mix"
    BOX = "std::boxed::Box<[u8; n]>"

    def type_name(self, size: int) -> str:
        return self.value.replace("n]", f"{size}]")

    @property
    def interior(self) -> Interior:
        match self:
            case Kind.MUT_CELL | Kind.CELL | Kind.UNSAFE_CELL:
                return Interior.ALL
            case Kind.MIX:
                return Interior.MIDDLE
            case _:
                return Interior.NONE


UNIQUE_REFERENCES = frozenset((Kind.MUT, Kind.MUT_CELL))
REFERENCES = UNIQUE_REFERENCES | {Kind.SHARED, Kind.CELL, Kind.UNSAFE_CELL, Kind.MIX}


class Place(NamedTuple):
    """What a variable stands for: its own bytes if a local, else what it points to.

    size, align: of the place's type, in bytes.
    """

    kind: Kind
    pointer: Pointer
    size: int
    align: int = 1


class Frame:
    """One call's variables and checksum.

    caller: its raw pointers and integers are in reach too, since they are passed by value.
    prefix: the call's own path. locals: the allocations that die with the frame.
    boxes: parameters to forget at the end, in order. checksum: of the reads so far;
    address_read: whether it depends on addresses.
    """

    __slots__ = (
        "address_read",
        "boxes",
        "caller",
        "checksum",
        "integers",
        "locals",
        "places",
        "prefix",
    )

    def __init__(self, caller: Frame | None, prefix: Path) -> None:
        self.caller = caller
        self.prefix = prefix
        self.places: dict[str, Place] = {}
        self.integers: dict[str, Integer] = {}
        self.locals: list[Allocation] = []
        self.boxes: list[str] = []
        self.checksum = 0
        self.address_read = False

    def place(self, name: str) -> Place:
        """The variable `name`, of this frame or of one that calls it."""
        at: Frame | None = self
        while at is not None:
            place = at.places.get(name)
            if place is not None:
                return place
            at = at.caller
        raise HarnessFault(f"no variable {name!r}: the program is not well-formed")

    def value(self, name: str) -> Place | Integer:
        """The variable `name`, whatever it is."""
        at: Frame | None = self
        while at is not None:
            if name in at.integers:
                return at.integers[name]
            at = at.caller
        return self.place(name)

    def integer(self, operand: IntOperand) -> Integer:
        """The value of a literal or of an integer variable."""
        if isinstance(operand, int):
            return Integer(operand)
        at: Frame | None = self
        while at is not None:
            integer = at.integers.get(operand)
            if integer is not None:
                return integer
            at = at.caller
        raise HarnessFault(f"no integer {operand!r}: the program is not well-formed")

    def note_read(self, read: Integer) -> None:
        """Let a value that was read join the checksum."""
        self.checksum = (self.checksum * 31 + read.value) & 0xFFFF_FFFF_FFFF_FFFF
        if read.origin is not None:
            self.address_read = True
