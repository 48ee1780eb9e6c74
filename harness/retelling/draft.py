"""A pointer program as it is written: its statements, and where in the story each comes from."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from harness.pointer import program as p
from harness.pointer.limits import ALIGN_LIMIT, SIZE_LIMIT
from harness.retelling.values import Address, Atomic, CannotSay, Number
from harness.story.block import SCALARS

if TYPE_CHECKING:
    from harness.outcome import Span

_FURTHEST = 1 << 63

_WIDEST = 16
"""Bytes of the largest access that is one statement of the pointer language."""


@dataclass(slots=True)
class Draft:
    """statements: so far. spans: of each, its place in a story; None where it is in none.

    span: of the statements that come next.
    wrote, used_static: where in a story memory was first written, and where a static used.
    """

    statements: list[p.AnyStatement] = field(default_factory=list)
    spans: list[Span | None] = field(default_factory=list)
    span: Span | None = None
    wrote: Span | None = None
    used_static: Span | None = None
    _names: int = 0

    def name(self, stem: str) -> str:
        """A name that no variable has yet."""
        self._names += 1
        return f"{stem}{self._names}"

    def add(self, statement: p.AnyStatement) -> None:
        self.statements.append(statement)
        self.spans.append(self.span)

    def program(self) -> p.PointerProgram:
        return p.PointerProgram(statements=tuple(self.statements))

    # Pointers

    def move(self, address: Address, offset: int, *, inbounds: bool) -> Address:
        """A pointer some bytes further on. Raises: CannotSay."""
        if not -_FURTHEST <= offset < _FURTHEST:
            raise CannotSay("so long a way")
        to = self.name("p")
        self.add(
            p.Sub(to=to, of=address.variable, offset=offset, size=address.size, inbounds=inbounds)
        )
        return replace(address, variable=to)

    def view(self, address: Address, size: int) -> Address:
        """The same pointer, to so many bytes."""
        if address.size == size:
            return address
        to = self.name("p")
        self.add(p.Sub(to=to, of=address.variable, offset=0, size=size, inbounds=False))
        return replace(address, variable=to, size=size)

    def expose(self, address: Address) -> Number:
        """The address, as an integer from which the pointer can be had again."""
        to = self.name("address")
        self.add(p.Expose(to=to, of=address.variable))
        return _address(to)

    def address_of(self, address: Address) -> Number:
        """The address, as an integer and no more."""
        to = self.name("address")
        self.add(p.Addr(to=to, of=address.variable))
        return _address(to)

    def from_exposed(self, number: Number, pointee: str | None) -> Address:
        """Raises: CannotSay."""
        to, int_ = self.name("p"), self._variable(number)
        size = SCALARS.get(pointee or "", 0)
        self.add(p.FromExposed(to=to, int_=int_, offset=0, size=size))
        return Address(variable=to, size=size, pointee=pointee)

    def without_provenance(self, number: Number, pointee: str | None) -> Address:
        """Raises: CannotSay."""
        to, int_ = self.name("p"), self._variable(number)
        size = SCALARS.get(pointee or "", 0)
        self.add(p.Transmute(to=to, int_=int_, offset=0, size=size))
        return Address(variable=to, size=size, pointee=pointee)

    def _variable(self, number: Number) -> str:
        if number.variable is not None:
            return number.variable
        if number.exact is None:
            raise CannotSay("an address that may be any number")
        to = self.name("address")
        self.add(p.Int(to=to, value=number.exact % (1 << 64)))
        return to

    # Accesses

    def read(self, address: Address, *, aligned: bool) -> None:
        """Read a value of the type that the pointer is to. Raises: CannotSay."""
        size = pointee_size(address)
        seen = self.view(address, size)
        self._note(address, size, writes=False)
        if size <= _WIDEST:
            self.add(p.Read(ptr=seen.variable, at=0, width=size, aligned=aligned and size > 1))
            return
        source = seen.variable
        if aligned:
            # No integer is that wide, but a type of that alignment can be borrowed: a reborrow
            # is a read of all its bytes, and what is read through it a read of the same.
            source = self.name("whole")
            self.add(p.RefShared(to=source, of=seen.variable, align=size))
        for at in range(0, size, _WIDEST):
            self.add(p.Read(ptr=source, at=at, width=_WIDEST))

    def write(self, address: Address, number: int, *, aligned: bool) -> None:
        """Write a value of that type. Raises: CannotSay."""
        size = pointee_size(address)
        if size > _WIDEST:
            raise CannotSay(f"a write of {size} bytes at once")
        seen = self.view(address, size)
        self._note(address, size, writes=True)
        number %= 1 << min(8 * size, 64)
        self.add(
            p.Write(ptr=seen.variable, at=0, width=size, value=number, aligned=aligned and size > 1)
        )

    def fill(self, address: Address, byte: int, size: int) -> None:
        """Raises: CannotSay."""
        _check_size(size)
        self._note(address, size, writes=True)
        self.add(p.Fill(ptr=address.variable, value=byte & 0xFF, size=size))

    def copy(self, source: Address, target: Address, size: int, *, overlapping: bool) -> None:
        """Raises: CannotSay."""
        _check_size(size)
        self._note(source, size, writes=False)
        self._note(target, size, writes=True)
        self.add(
            p.Copy(
                from_=source.variable,
                to_ptr=target.variable,
                size=size,
                overlapping=overlapping,
            )
        )

    def atomic(self, address: Address, type_: str) -> Atomic:
        """A reference to the memory as to an atomic integer."""
        size = SCALARS[type_]
        seen = self.view(address, size)
        to = self.name("atomic")
        self.add(p.RefCell(to=to, of=seen.variable, align=size, unsafe_cell=True))
        return Atomic(variable=to, type=type_, is_static=address.is_static)

    def access_atomic(self, atomic: Atomic, *, reads: bool, writes: bool) -> None:
        width = SCALARS[atomic.type]
        if reads:
            self._note(atomic, width, writes=False)
            self.add(p.Read(ptr=atomic.variable, at=0, width=width))
        if writes:
            self._note(atomic, width, writes=True)
            self.add(p.Write(ptr=atomic.variable, at=0, width=width, value=0))

    def _note(self, address: Address | Atomic, size: int, *, writes: bool) -> None:
        if size == 0:
            return
        if writes and self.wrote is None:
            self.wrote = self.span
        if address.is_static and self.used_static is None:
            self.used_static = self.span


def pointee_size(address: Address) -> int:
    """Bytes of what the pointer is to. Raises: CannotSay."""
    if address.pointee is None:
        raise CannotSay("memory of a type that is not said")
    if address.pointee not in SCALARS:
        raise CannotSay(f"memory of the type {address.pointee}")
    return SCALARS[address.pointee]


def is_alignment(number: int) -> bool:
    """Whether it is an alignment that the pointer language has."""
    return 1 <= number <= ALIGN_LIMIT and not number & (number - 1)


def _check_size(size: int) -> None:
    if not 0 <= size <= SIZE_LIMIT:
        raise CannotSay(f"an access to {size} bytes")


def _address(variable: str) -> Number:
    return Number(type="usize", low=0, high=(1 << 64) - 1, variable=variable)
