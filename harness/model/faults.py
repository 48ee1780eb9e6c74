"""Faults of memory itself, whatever the borrow model, in our words and in Miri's.

`message` is what Miri prints, with tags, addresses and allocation numbers scrubbed, as in the
recorded verdicts: `_` for a tag or an address, `ALLOC` for an allocation.

Source: `rustc_const_eval/src/errors.rs` (messages), and `rustc_middle`'s `interpret/error.rs`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from harness.outcome import FaultKind

if TYPE_CHECKING:
    from harness.model.memory import Allocation


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """rule: a stable name. sentence: for a person. allocation: the one it is about, if any."""

    kind: FaultKind
    rule: str
    sentence: str
    message: str
    allocation: Allocation | None = None


class Purpose(Enum):
    """Why a pointer is checked against its allocation; the value begins Miri's message."""

    ACCESS = "memory access failed"
    ARITHMETIC = "in-bounds pointer arithmetic failed"
    DEREFERENCEABLE = "pointer not dereferenceable"

    def wanted(self, size: int) -> str:
        amount = "1 byte" if size == 1 else f"{size} bytes"
        match self:
            case Purpose.ACCESS:
                return f"attempting to access {amount}"
            case Purpose.ARITHMETIC:
                return f"attempting to offset pointer by {amount}"
            case Purpose.DEREFERENCEABLE if size == 0:
                return "pointer must point to some allocation"
            case Purpose.DEREFERENCEABLE:
                return f"pointer must be dereferenceable for {amount}"


_RULE_OF = {
    Purpose.ACCESS: "memory/access",
    Purpose.ARITHMETIC: "memory/in-bounds-arithmetic",
    Purpose.DEREFERENCEABLE: "memory/dereferenceable",
}


def freed(purpose: Purpose, allocation: Allocation) -> Fault:
    return Fault(
        kind=FaultKind.DANGLING,
        rule=f"{_RULE_OF[purpose]}-of-live-memory",
        sentence=f"`{allocation.name}` was freed before this",
        message=f"Undefined Behavior: {purpose.value}: "
        "ALLOC has been freed, so this pointer is dangling",
        allocation=allocation,
    )


def out_of_bounds(purpose: Purpose, allocation: Allocation, offset: int, size: int) -> Fault:
    """`size` bytes from `offset` on, negative if before the allocation, are not all inside."""
    if offset < 0:
        where = "points to before the beginning of the allocation"
    elif offset >= allocation.size:
        total = "1 byte" if allocation.size == 1 else f"{allocation.size} bytes"
        where = f"is at or beyond the end of the allocation of size {total}"
    else:
        left = allocation.size - offset
        rest = "1 byte" if left == 1 else f"{left} bytes"
        where = f"is only {rest} from the end of the allocation"
    shown = "ALLOC" if offset == 0 else f"ALLOC{'-' if offset < 0 else '+'}{abs(offset):#x}"
    return Fault(
        kind=FaultKind.OUT_OF_BOUNDS,
        rule=f"{_RULE_OF[purpose]}-within-bounds",
        sentence=f"bytes {min(offset, offset + size)}..{max(offset, offset + size)} are not all "
        f"within the {'1 byte' if allocation.size == 1 else f'{allocation.size} bytes'} of "
        f"`{allocation.name}`",
        message=f"Undefined Behavior: {purpose.value}: {purpose.wanted(size)}, "
        f"but got {shown} which {where}",
        allocation=allocation,
    )


def no_provenance(purpose: Purpose, address: int, size: int) -> Fault:
    if address == 0:
        return Fault(
            kind=FaultKind.NULL,
            rule=f"{_RULE_OF[purpose]}-not-null",
            sentence="the pointer is null",
            message=f"Undefined Behavior: {purpose.value}: {purpose.wanted(size)}, "
            "but got null pointer",
        )
    return Fault(
        kind=FaultKind.NO_PROVENANCE,
        rule=f"{_RULE_OF[purpose]}-needs-provenance",
        sentence="the pointer has no provenance that reaches any live memory at its address",
        message=f"Undefined Behavior: {purpose.value}: {purpose.wanted(size)}, but got "
        "_[noalloc] which is a dangling pointer (it has no provenance)",
    )


def uninitialised(allocation: Allocation, offset: int, size: int, first: int) -> Fault:
    """`first`: offset of the first uninitialised byte."""
    end = offset + size
    last = allocation.initialised.find(1, first, end)
    last = end if last < 0 else last
    return Fault(
        kind=FaultKind.UNINITIALISED,
        rule="memory/read-of-initialised-bytes",
        sentence=f"byte {first} of `{allocation.name}` was never written",
        message=f"Undefined Behavior: reading memory at ALLOC[{offset:#x}..{end:#x}], but memory "
        f"is uninitialized at [{first:#x}..{last:#x}], and this operation requires "
        "initialized memory",
        allocation=allocation,
    )


def misaligned(align: int) -> Fault:
    return Fault(
        kind=FaultKind.MISALIGNED,
        rule="memory/aligned-access",
        sentence=f"the address need not be a multiple of {align}",
        message="Undefined Behavior: accessing memory based on pointer with alignment _, "
        f"but alignment {align} is required",
    )


def overlapping() -> Fault:
    return Fault(
        kind=FaultKind.OVERLAP,
        rule="memory/copy-without-overlap",
        sentence="the two ranges of `copy_nonoverlapping` have bytes in common",
        message="Undefined Behavior: `copy_nonoverlapping` called on overlapping ranges",
    )


def too_long(function: str) -> Fault:
    return Fault(
        kind=FaultKind.OTHER,
        rule="memory/length-in-bounds",
        sentence=f"no allocation is as long as `{function}` is to go",
        message=f"Undefined Behavior: overflow computing total size of `{function}`",
    )


# References that may not exist


def _invalid(
    kind: FaultKind,
    rule: str,
    type_name: str,
    why: str,
    sentence: str,
    allocation: Allocation | None = None,
) -> Fault:
    return Fault(
        kind=kind,
        rule=f"validity/{rule}",
        sentence=f"a `{type_name}` may not exist here: {sentence}",
        message=f"Undefined Behavior: constructing invalid value of type {type_name}: "
        f"encountered {why}",
        allocation=allocation,
    )


def _word(type_name: str) -> str:
    return "box" if type_name.startswith("std::boxed") else "reference"


def invalid_reference(fault: Fault, type_name: str) -> Fault:
    """The fault of a reference's check, as the validity of its value has it."""
    word = _word(type_name)
    match fault.kind:
        case FaultKind.DANGLING:
            why = f"a dangling {word} (use-after-free)"
            return _invalid(
                fault.kind, "live-referent", type_name, why, fault.sentence, fault.allocation
            )
        case FaultKind.OUT_OF_BOUNDS:
            why = f"a dangling {word} (going beyond the bounds of its allocation)"
            rule = "referent-within-bounds"
            return _invalid(fault.kind, rule, type_name, why, fault.sentence, fault.allocation)
        case FaultKind.NULL:
            return _invalid(fault.kind, "not-null", type_name, f"a null {word}", fault.sentence)
        case _:
            # Miri counts it among the bounds here, see `docs/pointer-language.md`.
            why = f"a dangling {word} (_[noalloc] has no provenance)"
            return _invalid(
                FaultKind.OUT_OF_BOUNDS, "referent-provenance", type_name, why, fault.sentence
            )


def null_box(size: int) -> Fault:
    """The fault of `Box::from_raw(null)`, which comes before there is a box.

    Source: `Unique::new_unchecked`; `interpret/validity.rs`, the valid range of a `NonNull`.
    """
    return _invalid(
        FaultKind.INVALID_VALUE,
        "not-null",
        f"std::ptr::NonNull<[u8; {size}]>",
        "0, but expected something greater or equal to 1",
        "the pointer is null",
    )


def unaligned_reference(type_name: str, align: int) -> Fault:
    return _invalid(
        FaultKind.MISALIGNED,
        "aligned",
        type_name,
        f"an unaligned {_word(type_name)} (required {align} byte alignment but found _)",
        f"its address need not be a multiple of {align}",
    )


# Deallocation


def not_at_start(allocation: Allocation, offset: int) -> Fault:
    return Fault(
        kind=FaultKind.DEALLOCATION,
        rule="deallocation/from-the-start",
        sentence=f"the pointer is {offset} bytes from the start of `{allocation.name}`",
        message="Undefined Behavior: deallocating _[ALLOC]_ which does not point to the "
        "beginning of an object",
        allocation=allocation,
    )


def wrong_kind(allocation: Allocation) -> Fault:
    return Fault(
        kind=FaultKind.DEALLOCATION,
        rule="deallocation/of-heap-memory",
        sentence=f"`{allocation.name}` is {allocation.kind.value} memory, not heap memory",
        message=f"Undefined Behavior: deallocating ALLOC, which is {allocation.kind.value} "
        "memory, using Rust heap deallocation operation",
        allocation=allocation,
    )


def wrong_layout(allocation: Allocation, size: int, align: int) -> Fault:
    return Fault(
        kind=FaultKind.DEALLOCATION,
        rule="deallocation/with-its-layout",
        sentence=f"`{allocation.name}` was allocated with size {allocation.size} and alignment "
        f"{allocation.align}, not {size} and {align}",
        message=f"Undefined Behavior: incorrect layout on deallocation: ALLOC has size "
        f"{allocation.size} and alignment {allocation.align}, but gave size {size} and "
        f"alignment {align}",
        allocation=allocation,
    )


def empty_allocation() -> Fault:
    return Fault(
        kind=FaultKind.OTHER,
        rule="allocation/not-empty",
        sentence="the allocator may not be asked for no bytes",
        message="Undefined Behavior: creating allocation with size 0",
    )
