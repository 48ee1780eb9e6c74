"""Atomic accesses: to a story that is told alone they are reads and writes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Protocol

from harness.retelling.values import Atomic, CannotSay, Cause, Unit, any_of

if TYPE_CHECKING:
    from harness._native import RustTerm
    from harness.retelling.draft import Draft
    from harness.retelling.values import Address, Value

_FROM_POINTER = re.compile(
    r"(?:(?:std|core)::sync::atomic::)?Atomic([UI])(8|16|32|64|size)::from_ptr"
)

_METHODS = {
    "load": (1, True, False),
    "store": (2, False, True),
    **dict.fromkeys(
        ("swap", "fetch_add", "fetch_and", "fetch_max", "fetch_min", "fetch_nand", "fetch_or",
         "fetch_sub", "fetch_xor"),
        (2, True, True),
    ),
}  # fmt: skip
"""How many arguments each has, whether it reads, and whether it writes."""


class Telling(Protocol):
    """What the arguments come to."""

    draft: Draft

    def value(self, term: RustTerm) -> Value: ...

    def address(self, term: RustTerm) -> Address: ...


def is_atomic(name: str) -> bool:
    return _FROM_POINTER.fullmatch(name) is not None


def atomic_at(telling: Telling, name: str, term: RustTerm) -> Atomic:
    """`AtomicU64::from_ptr(p)`: a reference to memory that is interior mutable."""
    found = _FROM_POINTER.fullmatch(name)
    assert found is not None, "the caller has asked"
    if len(term.parts) != 1:
        raise CannotSay(f"the function {name} of so much", term)
    address = telling.address(term.parts[0])
    return telling.draft.atomic(address, f"{found[1].lower()}{found[2]}")


def method_of_atomic(telling: Telling, name: str, atomic: Atomic, term: RustTerm) -> Value:
    """An atomic access. Of its arguments the last is an ordering, which orders threads.

    Raises: CannotSay.
    """
    arguments = term.parts[1:]
    count, reads, writes = _METHODS.get(name, (-1, False, False))
    if len(arguments) != count:
        raise CannotSay(f"the atomic method {name}", term)
    for each in arguments[:-1]:
        telling.value(each)
    telling.draft.access_atomic(atomic, reads=reads, writes=writes)
    return any_of(atomic.type, frozenset((Cause.MEMORY,))) if reads else Unit()
