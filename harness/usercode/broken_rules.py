"""Which rule a diagnostic of Miri's says is broken, by its words."""

from __future__ import annotations

import re
from collections.abc import Sequence

from harness.diagnostics.kinds import UNDEFINED
from harness.explain.rules import RULES, Rule
from harness.outcome import (
    FaultKind,
    Leaked,
    Outcome,
    Panicked,
    TimedOut,
    ToolFailed,
    UndefinedBehaviour,
    Unsupported,
    UnsupportedKind,
)

_REFERENCE = "Rust reference, Behavior considered undefined"

BEYOND_THE_MODEL: dict[str, Rule] = {
    "race/accesses-are-ordered": Rule(
        "Two accesses of one byte from different threads, of which one writes and one is not "
        "atomic, have to be ordered by synchronisation.",
        f"{_REFERENCE}; Miri, src/concurrency/data_race.rs",
    ),
    "validity/bit-pattern": Rule(
        "A value has one of the bit patterns that its type allows, whenever it is read, written "
        "or passed on.",
        f"{_REFERENCE}; rustc_const_eval/src/interpret/validity.rs",
    ),
    "validity/initialised": Rule(
        "A value of a type other than MaybeUninit and the like is made of bytes that were all "
        "written before.",
        f"{_REFERENCE}; rustc_const_eval/src/interpret/validity.rs",
    ),
    "control-flow/unreachable-is-not-reached": Rule(
        "Code that was declared unreachable is never reached.",
        f"{_REFERENCE}; std::hint::unreachable_unchecked",
    ),
}
"""Rules that Miri checks and the abstract machine of this harness has no program for."""

_STACKED = (
    (r"^attempting a read access using ", "stacked/read-needs-granting-item"),
    (r"^attempting a write access using ", "stacked/write-needs-granting-item"),
    (r"^attempting deallocation using ", "stacked/deallocation-needs-granting-item"),
    (r"^trying to retag from ", "stacked/retag-needs-granting-item"),
    (r"^not granting access to tag ", "stacked/access-keeps-protected-items"),
    (r"^deallocating while item ", "stacked/deallocation-keeps-protected-items"),
)

_PURPOSES = {
    "memory access failed: ": "access",
    "in-bounds pointer arithmetic failed: ": "in-bounds-arithmetic",
    "overflowing pointer arithmetic": "in-bounds-arithmetic",
    "pointer not dereferenceable: ": "dereferenceable",
}

_DEMANDS = {
    FaultKind.DANGLING: "of-live-memory",
    FaultKind.OUT_OF_BOUNDS: "within-bounds",
    FaultKind.NULL: "not-null",
    FaultKind.NO_PROVENANCE: "needs-provenance",
}

_POINTER_VALIDITY = {
    FaultKind.DANGLING: "validity/live-referent",
    FaultKind.OUT_OF_BOUNDS: "validity/referent-within-bounds",
    FaultKind.NULL: "validity/not-null",
    FaultKind.MISALIGNED: "validity/aligned",
    FaultKind.UNINITIALISED: "validity/initialised",
    FaultKind.INVALID_VALUE: "validity/bit-pattern",
}

_OTHERS = {
    FaultKind.UNINITIALISED: "memory/read-of-initialised-bytes",
    FaultKind.MISALIGNED: "memory/aligned-access",
    FaultKind.OVERLAP: "memory/copy-without-overlap",
    FaultKind.DATA_RACE: "race/accesses-are-ordered",
    FaultKind.UNREACHABLE: "control-flow/unreachable-is-not-reached",
    FaultKind.INVALID_VALUE: "validity/bit-pattern",
}


def broken_rule(outcome: UndefinedBehaviour, notes: Sequence[str] = ()) -> str | None:
    """The rule's name, in `RULES` or in `BEYOND_THE_MODEL`; None for words that fit none.

    notes: the texts of the helps under the message. Those of Tree Borrows tell more than the
    headline; without them a conflicted `&mut` argument is told as a lost permission.
    """
    stated = outcome.message.removeprefix(UNDEFINED)
    for pattern, name in _STACKED:
        if re.search(pattern, stated):
            return name
    if tree := re.match(r"(read access|write access|reborrow|deallocation) through ", stated):
        wildcard = "through <wildcard> " in stated
        return _of_tree(tree[1], outcome.kind, "\n".join(notes), is_wildcard=wildcard)
    if stated.startswith("constructing invalid value") or "encountered an unaligned" in stated:
        if "has no provenance" in stated:
            return "validity/referent-provenance"
        if "expected something greater or equal to 1" in stated:
            # The range of a `NonNull`, which a box is made of.
            return "validity/not-null"
        return _POINTER_VALIDITY.get(outcome.kind)
    for beginning, purpose in _PURPOSES.items():
        if stated.startswith(beginning) and outcome.kind in _DEMANDS:
            return f"memory/{purpose}-{_DEMANDS[outcome.kind]}"
    if stated.startswith("overflow computing total size"):
        return "memory/length-in-bounds"
    if outcome.kind is FaultKind.DEALLOCATION:
        return _of_deallocation(stated)
    return _OTHERS.get(outcome.kind)


def rule_named(name: str) -> Rule:
    """The rule of that name, whether the abstract machine knows it or Miri alone."""
    return RULES.get(name) or BEYOND_THE_MODEL[name]


def _of_tree(what: str, kind: FaultKind, notes: str, *, is_wildcard: bool) -> str:
    if "(conflicted) which forbids" in notes:
        return "tree/conflicted-is-not-written-while-protected"
    if kind is FaultKind.PROTECTOR:
        if "strongly protected" in notes or (not notes and what == "deallocation"):
            return "tree/deallocation-spares-strongly-protected"
        writes = "foreign write" in notes or (not notes and what == "write access")
        return f"tree/foreign-{'write' if writes else 'read'}-spares-protected"
    if is_wildcard and "which forbids this child" not in notes:
        return "tree/wildcard-needs-exposed-permission"
    return f"tree/{what.removesuffix(' access')}-needs-permission"


def _of_deallocation(stated: str) -> str:
    if stated.startswith("incorrect layout"):
        return "deallocation/with-its-layout"
    if "does not point to the beginning" in stated:
        return "deallocation/from-the-start"
    return "deallocation/of-heap-memory"


def meaning(outcome: Outcome) -> str:
    """What an outcome that breaks no rule means, in a sentence or two."""
    match outcome:
        case Unsupported(kind=UnsupportedKind.INT_TO_PTR):
            return (
                "With strict provenance no integer becomes a pointer, so Miri stops here and sees "
                "nothing of what follows. It is no undefined behaviour by itself."
            )
        case Unsupported(kind=UnsupportedKind.INLINE_ASSEMBLY):
            return (
                "Miri interprets no assembly, so it stops here and sees nothing of what follows. "
                "It is no undefined behaviour by itself. With Rust that stands for it under "
                "cfg(miri) Miri goes on; `harness story` holds the two against each other."
            )
        case Unsupported():
            return (
                "Miri cannot do what the program asks for, so it stops here and sees nothing of "
                "what follows. It is no undefined behaviour by itself."
            )
        case Panicked():
            return "The program stopped itself. No undefined behaviour was found before that."
        case Leaked():
            return (
                "The program ended with memory that nothing can free any more. No undefined "
                "behaviour was found."
            )
        case TimedOut(by_limit=True):
            return (
                "A limit ended the run, so that it was not checked to its end. No undefined "
                "behaviour was found before."
            )
        case TimedOut():
            return "Miri cannot go on. No undefined behaviour was found before."
        case ToolFailed():
            return "Nothing was interpreted: this is an error of the compiler's or of Miri's call."
        case _:
            return ""
