"""Repairs: what kinds of them there are for a fault, with a case of the corpus that shows each."""

from __future__ import annotations

from dataclasses import dataclass

from harness.outcome import (
    FaultKind,
    Leaked,
    Outcome,
    UndefinedBehaviour,
    Unsupported,
    UnsupportedKind,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Repair:
    """words: what to do, in one sentence. case: one that does it, in the corpus."""

    words: str
    case: str


_ONE_BASE = Repair(
    words="Make one raw pointer and derive every other from it; take no new reference and call no "
    "`as_mut_ptr()` on the owner as long as they are in use.",
    case="pointer/sound/operands-from-one-base",
)
_RAW_EQUALS = Repair(
    words="Make both pointers as `&raw mut` from the same reference: raw pointers of one origin "
    "may take turns.",
    case="pointer/sound/raw-pointers-of-one-mut-take-turns",
)
_CELLS = Repair(
    words="Share the memory as `Cell` (or behind `UnsafeCell`): those may be written by turns.",
    case="pointer/sound/cells-take-turns",
)
_IN_ORDER = Repair(
    words="Use a reborrow up before its parent is used again, and make a new one afterwards.",
    case="pointer/sound/mut-used-after-its-child",
)
_DISJOINT = Repair(
    words="Borrow only the bytes that are needed, so that the two do not overlap.",
    case="pointer/sound/disjoint-muts-from-one-raw",
)
_AFTER_CALL = Repair(
    words="Make the other access once the call with the reference argument has returned.",
    case="pointer/sound/protector-ends-with-its-call",
)
_RAW_ARGUMENT = Repair(
    words="Pass a raw pointer in place of the reference: it has no protector.",
    case="pointer/sound/raw-pointers-of-one-mut-take-turns",
)
_CELL_ARGUMENT = Repair(
    words="Pass `&Cell` in place of `&mut`: others may write around it.",
    case="pointer/sound/cell-argument-may-be-written-around",
)
_CHECK = Repair(
    words="Check address and length before the access.",
    case="pointer/sound/guard-stops-before-the-access",
)
_INDEX = Repair(
    words="Index a slice, which panics where the pointer would leave it.",
    case="pointer/sound/index-out-of-bounds-panics",
)
_WRAPPING = Repair(
    words="Compute with `wrapping_add`, which may leave the allocation as long as nothing is "
    "accessed there.",
    case="pointer/sound/wrapping-offset-out-and-back",
)
_UNALIGNED = Repair(
    words="Use `read_unaligned` and `write_unaligned` where the address may be odd.",
    case="pointer/sound/every-width-unaligned",
)
_ALIGNED = Repair(
    words="Give the memory the alignment of its widest value, and check each address.",
    case="pointer/sound/guard-holds",
)
_INITIALISE = Repair(
    words="Write every byte before it is read.", case="pointer/sound/late-initialised-local"
)
_COPY_BYTES = Repair(
    words="Copy bytes that may be uninitialised as `MaybeUninit`, without using their value.",
    case="pointer/sound/copy-of-uninitialised-bytes",
)
_WITH_ADDR = Repair(
    words="Keep a pointer and move it by `with_addr` or `map_addr`, in place of casting an "
    "integer.",
    case="pointer/provenance/with-addr-keeps-provenance",
)
_STORE_POINTERS = Repair(
    words="Store pointers as pointers, not as integers.",
    case="pointer/provenance/pointer-stored-and-loaded",
)
_EXPOSE = Repair(
    words="Call `expose_provenance` on the pointer before `with_exposed_provenance` gets its "
    "address (permissive provenance alone).",
    case="pointer/provenance/exposed-address",
)
_MOVE = Repair(
    words="Use `ptr::copy`, which lets the ranges overlap.",
    case="pointer/sound/overlapping-copy-is-a-move",
)
_LAYOUT = Repair(
    words="Free by the pointer and the layout that the allocator gave, once.",
    case="pointer/sound/box-of-allocated-memory",
)
_ROUND_TRIP = Repair(
    words="Hand the owner out with `into_raw` and take it back with `from_raw` exactly once.",
    case="pointer/sound/box-round-trip",
)
_UNUSED = Repair(
    words="Let the pointer be dead: it does no harm as long as nothing is accessed through it.",
    case="pointer/sound/dead-references-are-not-used",
)
_PLACE = Repair(
    words="Name the place with `&raw` in place of making a reference to it.",
    case="pointer/sound/place-of-dangling-pointer",
)

_BY_KIND: dict[FaultKind, tuple[Repair, ...]] = {
    FaultKind.ALIASING: (_ONE_BASE, _RAW_EQUALS, _CELLS, _IN_ORDER, _DISJOINT),
    FaultKind.PROTECTOR: (_AFTER_CALL, _RAW_ARGUMENT, _CELL_ARGUMENT),
    FaultKind.DANGLING: (_ROUND_TRIP, _UNUSED, _PLACE),
    FaultKind.OUT_OF_BOUNDS: (_CHECK, _INDEX, _WRAPPING),
    FaultKind.UNINITIALISED: (_INITIALISE, _COPY_BYTES),
    FaultKind.NO_PROVENANCE: (_WITH_ADDR, _STORE_POINTERS, _EXPOSE),
    FaultKind.NULL: (_CHECK,),
    FaultKind.MISALIGNED: (_UNALIGNED, _ALIGNED),
    FaultKind.OVERLAP: (_MOVE,),
    FaultKind.DEALLOCATION: (_LAYOUT, _ROUND_TRIP),
    # What these need is not a matter of pointers, and the corpus has no case for it.
    FaultKind.INVALID_VALUE: (),
    FaultKind.UNREACHABLE: (),
    FaultKind.DATA_RACE: (),
    FaultKind.OTHER: (),
}


def repairs(outcome: Outcome) -> tuple[Repair, ...]:
    """The kinds of repair for an outcome, the most usual first; none where the corpus has none."""
    match outcome:
        case UndefinedBehaviour(kind=kind):
            return _BY_KIND[kind]
        case Unsupported(kind=UnsupportedKind.INT_TO_PTR):
            return (_WITH_ADDR, _STORE_POINTERS)
        case Leaked():
            return (_ROUND_TRIP,)
        case _:
            return ()


EVERY_REPAIR: tuple[Repair, ...] = tuple(
    dict.fromkeys((*(each for found in _BY_KIND.values() for each in found),))
)
