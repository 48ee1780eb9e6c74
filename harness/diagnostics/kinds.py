"""Kinds of undefined behaviour and of unsupported operations, by Miri's words for them.

Source: the messages in `tests/data/`, all printed by a real Miri; the few kinds that these
do not show (`unreachable` of an uninhabited value, the layout of a deallocation) have their
words from `tests/fail` of rust-lang/miri.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from harness.outcome import FaultKind, UnsupportedKind

UNDEFINED = "Undefined Behavior: "
UNSUPPORTED = "unsupported operation: "

# The first that is found in the message decides, so that the order is part of the meaning.
_FAULTS: tuple[tuple[str, FaultKind], ...] = (
    (r"which is (strongly|weakly) protected", FaultKind.PROTECTOR),
    (r"^deallocating while item .* is (strongly|weakly) protected", FaultKind.PROTECTOR),
    (r"^trying to retag from ", FaultKind.ALIASING),
    (r"^attempting (a read access|a write access|deallocation) using ", FaultKind.ALIASING),
    (r"^(read access|write access|reborrow|deallocation) through .* is forbidden$",
     FaultKind.ALIASING),
    (r"has been freed, so this pointer is dangling", FaultKind.DANGLING),
    (r"encountered a dangling .* \(use-after-free\)", FaultKind.DANGLING),
    # A reference without provenance points to nothing: for the validity of the value that is
    # one with a reference that goes beyond its allocation.
    (r"encountered a dangling .* has no provenance\)", FaultKind.OUT_OF_BOUNDS),
    (r"going beyond the bounds of its allocation", FaultKind.OUT_OF_BOUNDS),
    (r"it has no provenance\)", FaultKind.NO_PROVENANCE),
    (r"but got (a )?null pointer|encountered a null (reference|box)|dereferencing a null ",
     FaultKind.NULL),
    (r"with alignment \d+, but alignment \d+ is required", FaultKind.MISALIGNED),
    (r"encountered an unaligned (reference|box)", FaultKind.MISALIGNED),
    (r"memory is uninitialized|uninitialized (memory|data)", FaultKind.UNINITIALISED),
    (r"called on overlapping ranges", FaultKind.OVERLAP),
    (r"^deallocating |^incorrect layout on deallocation", FaultKind.DEALLOCATION),
    (r"(end|beginning) of the allocation", FaultKind.OUT_OF_BOUNDS),
    (r"^overflowing pointer arithmetic", FaultKind.OUT_OF_BOUNDS),
    (r"^(Data race|Race condition) detected", FaultKind.DATA_RACE),
    (r"^entering unreachable code", FaultKind.UNREACHABLE),
    (r"constructing invalid value|has invalid tag|^interpreting an invalid|uninhabited",
     FaultKind.INVALID_VALUE),
)  # fmt: skip

_UNSUPPORTED: tuple[tuple[str, UnsupportedKind], ...] = (
    (r"^integer-to-pointer casts", UnsupportedKind.INT_TO_PTR),
    (r"^inline assembly", UnsupportedKind.INLINE_ASSEMBLY),
    (r"foreign function|extern static", UnsupportedKind.FOREIGN_FUNCTION),
)

_FAULT_PATTERNS = tuple((re.compile(pattern), kind) for pattern, kind in _FAULTS)
_UNSUPPORTED_PATTERNS = tuple((re.compile(pattern), kind) for pattern, kind in _UNSUPPORTED)


def fault_kind(message: str, details: Iterable[str] = ()) -> FaultKind:
    """The kind that Miri's message names.

    details: the texts of the helps under it. Tree Borrows has the same headline whether a
    protector forbids the access or the tag's own state; only the helps name the protected tag.
    """
    stated = message.removeprefix(UNDEFINED)
    for pattern, kind in _FAULT_PATTERNS:
        if pattern.search(stated):
            if kind is FaultKind.ALIASING and any("protected tag" in text for text in details):
                return FaultKind.PROTECTOR
            return kind
    return FaultKind.OTHER


def unsupported_kind(message: str) -> UnsupportedKind:
    """What it is that Miri's message says it cannot run."""
    stated = message.removeprefix(UNSUPPORTED)
    for pattern, kind in _UNSUPPORTED_PATTERNS:
        if pattern.search(stated):
            return kind
    return UnsupportedKind.OTHER
