"""Random choices that a pointer program is made of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from harness.pointer import program as p
from harness.pointer.kinds import (
    Borrow,
    BoxParameter,
    Integer,
    Kind,
    LocalArray,
    RawPointer,
    Reference,
)
from harness.pointer.limits import UnfitError

if TYPE_CHECKING:
    import random

    from harness.pointer.scope import Scope

Item = TypeVar("Item")

_OWNING = (LocalArray, RawPointer, BoxParameter)


@dataclass(slots=True, kw_only=True)
class Choices:
    """used: how many names are taken. addresses: for integers that are addresses, how many bytes
    there are. numbers: the other integers whose value is known.
    weights: how often kinds of statements are tried, where not as often as by default."""

    source: random.Random
    weights: Mapping[str, int] = field(default_factory=dict)
    used: int = 0
    addresses: dict[str, int] = field(default_factory=dict)
    numbers: dict[str, int] = field(default_factory=dict)
    alignments: dict[str, int] = field(default_factory=dict)

    def pick(self, items: tuple[Item, ...] | list[Item]) -> Item:
        return items[self.source.randrange(len(items))]

    def chance(self, one_in: int) -> bool:
        return self.source.randrange(one_in) == 0

    def name(self, prefix: str) -> str:
        self.used += 1
        return f"{prefix}{self.used}"

    def variables(self, scope: Scope, fits: Callable[[Kind], bool]) -> list[str]:
        """What is in reach of `scope` and fits, the youngest last."""
        found = [name for name, kind in scope.kinds.items() if fits(kind)]
        caller = scope.caller
        while caller is not None:
            found += [
                name
                for name, kind in caller.kinds.items()
                if isinstance(kind, RawPointer | Integer) and fits(kind)
            ]
            caller = caller.caller
        return found

    def variable(self, scope: Scope, fits: Callable[[Kind], bool]) -> str:
        """One of them. Raises: UnfitError, if there is none."""
        found = self.variables(scope, fits)
        if not found:
            raise UnfitError("nothing fits", "")
        return self.pick(found)

    def raw(self, scope: Scope, least: int = 0) -> str:
        return self.variable(scope, lambda k: isinstance(k, RawPointer) and k.size >= least)

    def borrowable(self, scope: Scope, *borrows: Borrow, owned: bool = True) -> str:
        """A variable of which a `&mut`, a `&` or the like can be had."""
        owning = _OWNING if owned else (RawPointer,)
        return self.variable(
            scope,
            lambda k: k.borrow in borrows if isinstance(k, Reference) else isinstance(k, owning),
        )

    def index(self, scope: Scope, size: int) -> str:
        """An integer that is mostly below `size`. Raises: UnfitError."""
        found = self.variables(scope, lambda k: isinstance(k, Integer))
        low = [name for name in found if self.numbers.get(name, size) < size]
        if not low or self.chance(12):
            return self.variable(scope, lambda k: isinstance(k, Integer))
        return self.pick(low)

    def init(self, size: int) -> int | str:
        if self.chance(3):
            return bytes(self.source.randrange(256) for _ in range(size)).hex()
        return self.source.randrange(256)

    def note(self, statement: p.AnyStatement, scope: Scope) -> None:
        """Remember what later choices depend on."""
        match statement:
            case p.Expose() | p.Addr() | p.TransmuteAddr():
                self.addresses[statement.to] = scope.raw(statement.of).size
            case p.Int():
                self.numbers[statement.to] = statement.value
            case p.Local() | p.Heap() | p.Static():
                self.alignments[statement.to] = statement.align
            case p.WithAddr():
                pass
            case p.Call():
                for returned in statement.returns:
                    self._derive(returned.to, returned.of)
            case _:
                to, of = getattr(statement, "to", None), getattr(statement, "of", None)
                if isinstance(to, str) and isinstance(of, str):
                    self._derive(to, of)

    def _derive(self, to: str, of: str) -> None:
        if of in self.alignments:
            self.alignments[to] = self.alignments[of]
