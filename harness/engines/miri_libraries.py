"""Libraries of many pieces for Miri, of which one that does not compile costs no other."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

Piece = TypeVar("Piece")
Library = TypeVar("Library")


def compile_together(
    pieces: Sequence[Piece], compile_library: Callable[[Sequence[Piece]], Library | set[int]]
) -> Iterator[Library]:
    """Compile all pieces in as few libraries as can be.

    compile_library: gives the library of some pieces, or the places of those that are to blame;
    none where nobody knows who is, which halves tell.

    A piece that does not compile is in no library: it has to be run on its own, which says what
    is wrong with it.
    """
    compiled = compile_library(pieces)
    if not isinstance(compiled, set):
        yield compiled
        return
    rest = [piece for number, piece in enumerate(pieces) if number not in compiled]
    if compiled:
        parts = [rest]
    else:
        middle = len(rest) // 2
        parts = [rest[:middle], rest[middle:]] if middle else []
    for part in parts:
        if part:
            yield from compile_together(part, compile_library)
