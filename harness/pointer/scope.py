"""The variables of a pointer program that are in reach of a statement."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from harness.pointer.kinds import Integer, Kind, Placed, RawPointer, place_text
from harness.pointer.limits import WORD_LIMIT, UnfitError, UnknownError, check_range

if TYPE_CHECKING:
    from harness.pointer import program as p

WORDS = frozenset(
    (
        *("align", "aligned", "alloc", "as", "Box", "call", "cell", "const", "copy"),
        *("copy_nonoverlapping", "dealloc", "drop", "else", "guard", "load_ptr", "local", "mix"),
        *("mut", "raw", "read", "result", "return", "static", "store_ptr", "transmute", "uninit"),
        *("unsafe_cell", "with_exposed_provenance_mut", "write", "write_bytes"),
    )
)
"""Words of the text form, which no variable can be called."""

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}", re.ASCII)


@dataclass(slots=True, kw_only=True)
class Scope:
    """The variables in reach of the next statement.

    kinds: what the body's own variables are, its parameters included.
    unknown: bound by a statement that is itself at fault, so that nothing is said of them.
    caller: the scope in which the call stands, of which a body sees raw pointers and integers.
    boxed: whether this or an outer call has a boxed argument, which a panic would drop.
    no_guard: None where a guard may stand, and otherwise what is wrong and what would be right.
    """

    kinds: dict[str, Kind] = field(default_factory=dict)
    unknown: set[str] = field(default_factory=set)
    caller: Scope | None = None
    depth: int = 0
    no_guard: tuple[str, str] | None = None
    boxed: bool = False

    def copy(self) -> Scope:
        """A scope of its own with the same variables, under the same caller."""
        return replace(self, kinds=dict(self.kinds), unknown=set(self.unknown))

    def kind(self, name: str) -> Kind:
        """What the variable `name` is. Raises: UnfitError."""
        scope: Scope | None = self
        while scope is not None:
            if name in scope.unknown:
                raise UnknownError
            kind = scope.kinds.get(name)
            if kind is not None:
                if scope is self or isinstance(kind, RawPointer | Integer):
                    return kind
                raise UnfitError(
                    f"{name} is {kind} of the caller, out of the body's reach",
                    "make it an argument; only raw pointers and integers are passed unasked",
                )
            scope = scope.caller
        raise UnfitError(f"there is no variable {name}", "bind it in a statement above this one")

    def placed(self, name: str) -> Placed:
        """What the variable `name` is, which must have a PLACE. Raises: UnfitError."""
        kind = self.kind(name)
        if isinstance(kind, Integer):
            raise UnfitError(f"{name} is an integer", "name a local, a pointer or a reference")
        return kind

    def raw(self, name: str) -> RawPointer:
        """What the variable `name` is, which must be a raw pointer. Raises: UnfitError."""
        kind = self.kind(name)
        if not isinstance(kind, RawPointer):
            raise UnfitError(
                f"{name} is {kind}, and a raw pointer must stand here",
                f"make one of it first: p = &raw const {place_text(name, kind)}",
            )
        return kind

    def integer(self, operand: p.IntOperand, low: int = 0, high: int = WORD_LIMIT - 1) -> None:
        """Check that `operand` is an integer variable, or a number from `low` to `high`.

        Raises: UnfitError.
        """
        if not isinstance(operand, str):
            check_range("the number", operand, low, high)
            return
        kind = self.kind(operand)
        if not isinstance(kind, Integer):
            raise UnfitError(
                f"{operand} is {kind}, and an integer must stand here",
                "write a number, or an integer variable as addr() or a read gives one",
            )

    def index(self, name: str) -> None:
        """Check that `name` is an integer by which a place may be indexed. Raises: UnfitError."""
        self.integer(name)
        if self.boxed:
            raise UnfitError(
                "an index that could panic, in a call with a boxed argument",
                "the box would be dropped: write a number, or pass a reference",
            )

    def bind(self, name: str, kind: Kind) -> None:
        """Add a variable. Raises: UnfitError."""
        if not _NAME.fullmatch(name) or name in WORDS:
            raise UnfitError(
                f"{name!r} cannot be a variable",
                "a name has letters, digits and _, up to 64, and is no word of the language",
            )
        scope: Scope | None = self
        while scope is not None:
            if name in scope.kinds or name in scope.unknown:
                raise UnfitError(f"{name} is bound already", "give each variable its own name")
            scope = scope.caller
        self.kinds[name] = kind
