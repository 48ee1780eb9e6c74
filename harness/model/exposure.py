"""What becomes of exposed provenance when an integer is cast to a pointer.

The standard library says that `with_exposed_provenance` gives the pointer one of the
provenances exposed before, whichever makes the program defined. No interpreter can look ahead
like that. There are three readings here:

- `NoExposure`, strict provenance: there are no such pointers;
- `WildcardExposure`, as Miri has it: the pointer has unknown provenance for good, and the borrow
  model is told of accesses that may be anyone's;
- `ChosenExposure`: a choice is made and tried, and `harness.model.exposed` tries them all.

Source: the documentation of `std::ptr::with_exposed_provenance`; Miri,
`src/alloc_addresses/mod.rs`.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Protocol

from harness.model.provenance import WILDCARD_TAG, Concrete, Exposed, Target

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.model.memory import Memory


class Exposure(Protocol):
    """A reading of exposed provenance, for one run."""

    def expose(self, provenance: Concrete) -> None:
        """The provenance may be picked from now on."""

    def cast(self) -> Exposed | None:
        """The provenance of a pointer cast from an integer now; None if there are no such."""

    def resolve(self, provenance: Exposed, address: int, size: int) -> Target | None:
        """Where the pointer points to; a negative `size` means the bytes to its left."""


class NoExposure:
    """Strict provenance: exposing has no effect, and no pointer comes of an integer."""

    def __init__(self, memory: Memory) -> None:
        pass

    def expose(self, provenance: Concrete) -> None:
        pass

    def cast(self) -> Exposed | None:
        return None

    def resolve(self, provenance: Exposed, address: int, size: int) -> Target | None:
        return None


class WildcardExposure:
    """The exposed allocation at the address, whoever may access it; found anew at each use.

    Source: Miri, `alloc_addresses/mod.rs`, `ptr_get_alloc`.
    """

    def __init__(self, memory: Memory) -> None:
        self._memory = memory

    def expose(self, provenance: Concrete) -> None:
        provenance.allocation.exposed = True

    def cast(self) -> Exposed | None:
        return Exposed(0, 0)

    def resolve(self, provenance: Exposed, address: int, size: int) -> Target | None:
        allocation = self._memory.at(address - (size < 0))
        if allocation is None or not allocation.exposed:
            return None
        return Target(allocation, address - allocation.base, WILDCARD_TAG)


class ChosenExposure:
    """One provenance out of those exposed before the cast and live at the address.

    A cast's choice is made at the pointer's first use: it could not have been told before
    which choice it was.

    script: which of the possible choices to take, in the order in which they come up, and the
    first where it ends. for_good: whether a choice holds for all uses of a cast's pointer,
    rather than for one. taken: by choice that came up, the one taken and how many there were.
    """

    def __init__(self, memory: Memory, script: Sequence[int], *, for_good: bool) -> None:
        self._memory = memory
        self._script = script
        self._for_good = for_good
        self._exposed: dict[Concrete, None] = {}
        self._casts = 0
        self._chosen: dict[int, Concrete] = {}
        self.taken: list[tuple[int, int]] = []

    def expose(self, provenance: Concrete) -> None:
        self._exposed.setdefault(provenance)

    def cast(self) -> Exposed | None:
        self._casts += 1
        return Exposed(self._casts, len(self._exposed))

    def resolve(self, provenance: Exposed, address: int, size: int) -> Target | None:
        chosen = self._chosen.get(provenance.cast)
        if chosen is None:
            chosen = self._choose(provenance, address - (size < 0))
            if chosen is None:
                return None
            if self._for_good:
                self._chosen[provenance.cast] = chosen
        return Target(chosen.allocation, address - chosen.allocation.base, chosen.tag)

    def _choose(self, provenance: Exposed, address: int) -> Concrete | None:
        there = self._memory.at(address)
        possible = [
            exposed
            for exposed in islice(self._exposed, provenance.exposed_before)
            if exposed.allocation is there
        ]
        if not possible:
            return None
        if len(possible) == 1:
            return possible[0]
        number = len(self.taken)
        taken = self._script[number] if number < len(self._script) else 0
        self.taken.append((taken, len(possible)))
        return possible[taken]
