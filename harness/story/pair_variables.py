"""The variables around a user's pair: which one an expression means, and of which type.

Nothing is guessed: what cannot be told from the source is a reason, with its place in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.story.rust_types import Held, hold

if TYPE_CHECKING:
    from harness._native import RustExpr, RustPair, RustVariable


class NotUnderstood(Exception):
    """Why a pair cannot be checked. line, column: 0 for the place of its `asm!`."""

    def __init__(self, reason: str, line: int = 0, column: int = 0) -> None:
        self.reason, self.line, self.column = reason, line, column
        super().__init__(reason)


@dataclass(frozen=True, slots=True, kw_only=True)
class Meant:
    """What an expression means: a variable that the story sees as well, or a number.

    before: the number of variables in scope where it stands. casts: what becomes of it.
    """

    variable: str | None
    literal: str | None
    casts: tuple[str, ...]
    before: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """The variables of a pair."""

    pair: RustPair

    def find(self, name: str) -> RustVariable | None:
        """The variable of that name; None if it is none of the function's."""
        index = self._index(name, len(self.pair.variables))
        return None if index is None else self.pair.variables[index]

    def meaning(self, expr: RustExpr) -> Meant:
        """What the expression means. Raises: NotUnderstood."""
        casts = tuple(expr.casts)
        name, literal, before = expr.variable, expr.literal, len(self.pair.variables)
        while name is not None:
            index = self._index(name, before)
            if index is None or not self.pair.variables[index].inner:
                break
            variable = self.pair.variables[index]
            value = variable.value
            if value is None:
                break
            if value.variable is None and value.literal is None:
                said = f"`{name}` is computed for the block alone"
                raise NotUnderstood(said, variable.line, variable.column)
            if value.literal is not None and variable.declared and not casts:
                casts = (variable.declared,)
            casts = (*value.casts, *casts)
            name, literal, before = value.variable, value.literal, index
        return Meant(variable=name, literal=literal, casts=casts, before=before)

    def meaning_of_place(self, name: str) -> Meant:
        """The variable of that name, as what is assigned to."""
        return Meant(variable=name, literal=None, casts=(), before=len(self.pair.variables))

    def held(self, meant: Meant, expr: RustExpr) -> Held:
        """What a register holds of a variable. Raises: NotUnderstood."""
        assert meant.variable is not None
        type_ = self.type_of(meant.variable, meant.before)
        if type_ is None:
            said = f"the type of `{meant.variable}` is not said"
            raise NotUnderstood(said, expr.line, expr.column)
        held = hold(type_, meant.casts)
        if isinstance(held, str):
            raise NotUnderstood(f"`{expr.text}`: {held}", expr.line, expr.column)
        return held

    def type_of(self, name: str, before: int | None = None) -> str | None:
        """The type of a variable, as far as `before` of them are in scope; None if not said."""
        index = self._index(name, len(self.pair.variables) if before is None else before)
        found = None
        if index is not None:
            variable = self.pair.variables[index]
            found = variable.declared or self._type_of_value(variable.value, index)
        if found is None:
            gives, returns = self.pair.gives or [], self.pair.returns or []
            if name in gives and len(gives) == len(returns):
                found = returns[gives.index(name)]
        return None if found == "_" else found

    def _type_of_value(self, value: RustExpr | None, index: int) -> str | None:
        if value is None:
            return None
        if value.casts:
            last = value.casts[-1]
            is_type = not last.startswith(("&raw", "as_", "from_"))
            return last.replace("*_", "*mut") if is_type else None
        return None if value.variable is None else self.type_of(value.variable, index)

    def _index(self, name: str, before: int) -> int | None:
        variables: Sequence[RustVariable] = self.pair.variables
        found = (each for each in reversed(range(before)) if variables[each].name == name)
        return next(found, None)
