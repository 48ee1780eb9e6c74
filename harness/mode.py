"""Modes: which aliasing model judges a run, and what becomes of integers cast to pointers."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Aliasing(StrEnum):
    """The aliasing model. `TREE_WRITES` is Tree Borrows with implicit writes."""

    STACKED = "stacked"
    TREE = "tree"
    TREE_WRITES = "tree-writes"
    NONE = "none"


class Provenance(StrEnum):
    STRICT = "strict"
    PERMISSIVE = "permissive"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mode:
    aliasing: Aliasing
    provenance: Provenance

    def __str__(self) -> str:
        return f"{self.aliasing}-{self.provenance}"


def parse_mode(text: str) -> Mode:
    """The mode that `text` names, such as `stacked-strict`.

    Raises: ValueError, with the names that there are.
    """
    for mode in EVERY_MODE:
        if str(mode) == text:
            return mode
    names = ", ".join(str(mode) for mode in EVERY_MODE)
    raise ValueError(f"there is no mode {text!r}; the modes are {names}")


EVERY_MODE: tuple[Mode, ...] = tuple(
    Mode(aliasing=aliasing, provenance=provenance)
    for aliasing in (Aliasing.STACKED, Aliasing.TREE, Aliasing.NONE, Aliasing.TREE_WRITES)
    for provenance in Provenance
)
"""All modes, the six that every Miri has first."""

NONE_STRICT = Mode(aliasing=Aliasing.NONE, provenance=Provenance.STRICT)
"""What the compiler's own evaluation of constants knows: memory alone."""

MODES: tuple[Mode, ...] = EVERY_MODE[:6]
"""The six modes that every Miri has: what `--mode all` means."""
