"""Rust's types and places for the variables of a pointer program."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, assert_never

from harness.pointer.kinds import (
    Borrow,
    BoxParameter,
    Integer,
    Kind,
    LocalArray,
    Placed,
    RawPointer,
    Reference,
)

if TYPE_CHECKING:
    from harness.pointer import program as p

Access = Literal["mut", "const"]

_INTEGER_SIZES = (2, 4, 8, 16)


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """A variable, and its name in Rust, which is generated: no case's text gets there."""

    rust: str
    kind: Kind


@dataclass(slots=True, kw_only=True)
class Frame:
    """The variables in reach within one Rust function.

    used: how many names the program has used up, in all of its functions.
    """

    variables: dict[str, Variable] = field(default_factory=dict)
    used: list[int] = field(default_factory=lambda: [0])

    def add(self, name: str, kind: Kind) -> str:
        """Add a variable of the program; returns its name in Rust."""
        self.used[0] += 1
        rust = f"{_letter(kind)}{self.used[0]}"
        self.variables[name] = Variable(rust=rust, kind=kind)
        return rust

    def rust(self, name: str) -> str:
        return self.variables[name].rust

    def kind(self, name: str) -> Kind:
        return self.variables[name].kind

    def placed(self, name: str) -> Placed:
        kind = self.kind(name)
        assert not isinstance(kind, Integer)
        return kind

    def integer(self, operand: p.IntOperand) -> str:
        """`operand` as a `usize`."""
        return self.rust(operand) if isinstance(operand, str) else f"{operand}usize"

    def local(self, name: str) -> str:
        """The place of a local, of type `[u8; size]`."""
        kind = self.kind(name)
        assert isinstance(kind, LocalArray)
        aligned = ".0" if kind.align > 1 else ""
        return f"{self.rust(name)}{aligned}{'' if kind.initialised else '.bytes'}"

    def target(self, name: str, access: Access, type_: str | None = None) -> str:
        """PLACE of a pointer, seen as one of `type_` (its own type if None).

        A reference is looked at through a raw pointer to the variable itself, which gives a
        place without a tie to the variable's lifetime; the cast to another reference's type
        makes no reference, hence no retag.
        """
        rust, kind = self.rust(name), self.kind(name)
        own = referent(kind)
        seen = type_ or own
        if isinstance(kind, RawPointer):
            return f"(*{rust})" if seen == own else f"(*({rust} as *mut {seen}))"
        if seen == own:
            return f"(**(&raw {access} {rust}))"
        reference = "&mut " if access == "mut" else "&"
        return f"(**((&raw {access} {rust}) as *{access} {reference}{seen}))"

    def address(self, name: str) -> str:
        """The pointer that a variable holds, as a `*mut u8`, with the tag that it has."""
        rust = self.rust(name)
        if isinstance(self.kind(name), RawPointer):
            return f"({rust} as *mut u8)"
        return f"(*((&raw const {rust}) as *const *mut u8))"


def bare(expression: str) -> str:
    """`expression` without parentheses around the whole of it.

    Not for looks: rustc looks for such parentheses whatever lints are allowed, and copies the
    file up to each pair that it finds.
    """
    if not expression.startswith("("):
        return expression
    depth = 0
    for index, character in enumerate(expression):
        depth += (character == "(") - (character == ")")
        if depth == 0:
            return expression[1:-1] if index == len(expression) - 1 else expression
    raise ValueError(f"{expression!r} lacks a parenthesis")


def array(size: int) -> str:
    return f"[u8; {size}]"


def valued(size: int, align: int) -> str:
    """The type of `size` bytes with the alignment `align`."""
    if align == 1:
        return array(size)
    if align == size and size in _INTEGER_SIZES:
        return f"u{8 * size}"
    return f"Align{align}<{array(size)}>"


def referent(kind: Kind) -> str:
    """The type of PLACE."""
    match kind:
        case LocalArray() | RawPointer() | BoxParameter():
            return array(kind.size)
        case Reference():
            return borrowed(kind.borrow, kind.size, kind.align)
        case Integer():
            return "usize"
        case _:
            assert_never(kind)


def borrowed(borrow: Borrow, size: int, align: int = 1) -> str:
    """The type of what a reference refers to."""
    match borrow:
        case Borrow.MUT | Borrow.SHARED:
            return valued(size, align)
        case Borrow.CELL | Borrow.MUT_CELL:
            return f"Cell<{valued(size, align)}>"
        case Borrow.UNSAFE_CELL:
            return f"UnsafeCell<{valued(size, align)}>"
        case Borrow.MIX:
            return "Mix"


def variable_type(kind: Kind) -> str:
    """The type of a parameter or of a returned value."""
    match kind:
        case RawPointer():
            return f"*mut {array(kind.size)}"
        case Reference():
            reference = "&'static mut" if kind.borrow.is_unique else "&'static"
            return f"{reference} {referent(kind)}"
        case BoxParameter():
            return f"Box<{array(kind.size)}>"
        case Integer():
            return "usize"
        case LocalArray():
            return array(kind.size)
        case _:
            assert_never(kind)


def _letter(kind: Kind) -> str:
    match kind:
        case LocalArray():
            return "x"
        case RawPointer():
            return "p"
        case BoxParameter():
            return "b"
        case Integer():
            return "i"
        case Reference(borrow=Borrow.MUT | Borrow.MUT_CELL):
            return "m"
        case Reference(borrow=Borrow.SHARED):
            return "s"
        case _:
            return "c"
