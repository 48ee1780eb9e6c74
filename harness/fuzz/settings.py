"""What random programs are made of, and how they are judged: every number in one place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """undefined: the share of programs that are to be undefined in some mode, by prediction.

    candidates: programs that are made for each that is judged; the one that exercises what was
    exercised least is taken.
    length: statements of a pointer program, about. statements: how often each kind is tried,
    other than by default (`harness.pointer.random_statements.KINDS`).
    instructions: of a bytecode program, at most. memory: its bytes, at most. far: one in so many
    addresses lies outside, and one in so many is not aligned.
    families: how often each family of instructions is tried, other than once.
    variants: in how many each bytecode program runs.
    round: programs that are judged together. levels: at which compiled code is optimised; calls
    are left as calls at level 1, which shows what inlining them hides.
    """

    undefined: float = 0.5
    candidates: int = 3
    length: int = 12
    statements: Mapping[str, int] = field(default_factory=lambda: {"loose_pointer": 1, "free": 2})
    instructions: int = 12
    memory: int = 24
    far: int = 60
    families: Mapping[str, int] = field(
        default_factory=lambda: {"const": 12, "move": 6, "jump_if": 2, "jump_unless": 2}
    )
    variants: int = 2
    round: int = 100
    levels: tuple[int, ...] = (0, 1, 3)


SETTINGS = Settings()
