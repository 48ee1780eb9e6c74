"""Pointers and their provenance: which allocation, and which tag in its borrow state.

Source: the standard library's documentation of `std::ptr`, section Provenance.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from harness.model.memory import Allocation

Tag = int
"""Names one pointer in the borrow state; tags count up in the order of their making."""

WILDCARD_TAG: Tag = -1
"""Stands for "any exposed tag" where an access is made with unknown provenance.

Source: Miri, `borrow_tracker` (`ProvenanceExtra::Wildcard`).
"""


class Concrete(NamedTuple):
    """May access `allocation`, as far as `tag` allows."""

    allocation: Allocation
    tag: Tag


class Exposed(NamedTuple):
    """What `with_exposed_provenance` gives: one of the provenances exposed so far.

    cast: counts the casts of the run; each makes a choice of its own.
    exposed_before: how many provenances had been exposed when the cast was made.
    """

    cast: int
    exposed_before: int


Provenance = Concrete | Exposed | None


Origin = int | None
"""What a number has of addresses: None if nothing, an allocation's number if it is an address in
that allocation's terms, a known distance from its base, and `MIXED` if it is anything else."""

MIXED: Origin = -1


def added(left: Origin, right: Origin) -> Origin:
    """The origin of a sum."""
    if right is None:
        return left
    return right if left is None else MIXED


def subtracted(left: Origin, right: Origin) -> Origin:
    """The origin of a difference; that of two addresses in one allocation is a plain number."""
    if right is None:
        return left
    return None if left == right and left != MIXED else MIXED


def combined(left: Origin, right: Origin) -> Origin:
    """The origin of whatever else is made of two numbers."""
    return None if left is None and right is None else MIXED


class Integer(NamedTuple):
    """A number, and what it has of addresses."""

    value: int
    origin: Origin = None


class Pointer(NamedTuple):
    """A pointer's value: an address, and what it may access (None: nothing).

    origin: of the address.
    """

    address: int
    provenance: Provenance
    origin: Origin


class Target(NamedTuple):
    """Where a pointer points to: bytes from the allocation's start, and as whom."""

    allocation: Allocation
    offset: int
    tag: Tag
