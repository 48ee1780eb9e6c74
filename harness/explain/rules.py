"""The rules that a run can break: each in one sentence, with its source.

The names are those that the abstract machine gives; `tests/unit/test_explain_rules.py` holds
the table against them.
"""

from __future__ import annotations

from typing import NamedTuple


class Rule(NamedTuple):
    """sentence: what has to hold. source: where that is laid down."""

    sentence: str
    source: str


_STACKED = "Jung et al., “Stacked Borrows” (POPL 2020)"
_TREE = "Villani et al., “Tree Borrows” (PLDI 2025)"
_MIRI = "Miri, src/borrow_tracker"
_INTERPRETER = "rustc, rustc_const_eval/src/interpret"
_STD = "std::ptr, section Provenance"

_STACKED_RULES = {
    "read-needs-granting-item": Rule(
        "A read needs an item of its tag in the byte's stack, one that is not disabled.",
        f"{_STACKED}, section 3.3 (rule READ-1)",
    ),
    "write-needs-granting-item": Rule(
        "A write needs a Unique or SharedReadWrite item of its tag in the byte's stack.",
        f"{_STACKED}, section 3.3 (rule WRITE-1)",
    ),
    "retag-needs-granting-item": Rule(
        "A new pointer can only be made from one whose item in the stack grants the access that "
        "making it stands for.",
        f"{_STACKED}, section 3.4 (NEW-MUTABLE-REF and its kin)",
    ),
    "deallocation-needs-granting-item": Rule(
        "Memory is given back through a pointer that may write every byte of it.",
        f"{_STACKED}, section 3.6; {_MIRI}/stacked_borrows/mod.rs, dealloc",
    ),
    "access-keeps-protected-items": Rule(
        "No access may take away the item of a reference argument while its call is running.",
        f"{_STACKED}, section 3.6 (protectors)",
    ),
    "deallocation-keeps-protected-items": Rule(
        "Memory may not be given back while a reference argument of a running call has an item "
        "in it.",
        f"{_STACKED}, section 3.6; {_MIRI}/stacked_borrows/mod.rs, dealloc",
    ),
}

_TREE_RULES = {
    "read-needs-permission": Rule(
        "A read needs a permission other than Disabled at the pointer's node and at all of its "
        "ancestors.",
        f"{_TREE}, section 3.1",
    ),
    "write-needs-permission": Rule(
        "A write needs a permission other than Frozen and Disabled at the pointer's node and at "
        "all of its ancestors.",
        f"{_TREE}, section 3.2",
    ),
    "reborrow-needs-permission": Rule(
        "Making a reference counts as an access through the pointer that it is made from.",
        f"{_TREE}, section 3; {_MIRI}/tree_borrows/mod.rs, tb_reborrow",
    ),
    "deallocation-needs-permission": Rule(
        "Giving memory back counts as a write to all of it.",
        f"{_TREE}, section 3; {_MIRI}/tree_borrows/tree.rs, dealloc",
    ),
    "conflicted-is-not-written-while-protected": Rule(
        "A mutable reference argument may not be written through once others have read the byte "
        "during its call.",
        f"{_TREE}, section 4.2",
    ),
    "foreign-write-spares-protected": Rule(
        "No write through another pointer may disable a reference argument, for bytes accessed "
        "through it, while its call is running.",
        f"{_TREE}, section 4.2 (protectors)",
    ),
    "foreign-read-spares-protected": Rule(
        "No read through another pointer may disable a reference argument that was written "
        "through, while its call is running.",
        f"{_TREE}, section 4.2 (protectors)",
    ),
    "deallocation-spares-strongly-protected": Rule(
        "Memory may not be given back while a reference argument of a running call has accessed "
        "it.",
        f"{_TREE}, section 4.2; {_MIRI}/tree_borrows/tree.rs, dealloc",
    ),
    "wildcard-needs-exposed-permission": Rule(
        "An access of unknown provenance needs some exposed pointer that allows it.",
        f"{_MIRI}/tree_borrows/wildcard.rs",
    ),
}

_PURPOSES = {
    "access": ("An access", "memory.rs, check_and_deref_ptr"),
    "in-bounds-arithmetic": ("An offset by add or sub", "memory.rs, check_ptr_access_signed"),
    "dereferenceable": ("Making a reference or a box", "memory.rs, check_and_deref_ptr"),
}

_DEMANDS = {
    "of-live-memory": "needs memory that is alive: neither given back nor of a body that was left",
    "within-bounds": "needs all of its bytes inside of one allocation",
    "not-null": "needs a pointer that is not null",
    "needs-provenance": "needs a pointer with provenance for the memory at its address",
}

_MEMORY_RULES = {
    f"{purpose}-{demand}": Rule(
        f"{subject} {words}.",
        f"{_INTERPRETER}/{place}" + (f"; {_STD}" if demand == "needs-provenance" else ""),
    )
    for purpose, (subject, place) in _PURPOSES.items()
    for demand, words in _DEMANDS.items()
} | {
    "read-of-initialised-bytes": Rule(
        "An integer is read from bytes that were all written before.",
        f"{_INTERPRETER}/memory.rs; Rust reference, Behavior considered undefined",
    ),
    "aligned-access": Rule(
        "A typed access needs an address that is a multiple of the type's alignment.",
        f"{_INTERPRETER}/memory.rs, check_ptr_align",
    ),
    "copy-without-overlap": Rule(
        "The two ranges of copy_nonoverlapping have no byte in common.",
        f"{_INTERPRETER}/memory.rs, mem_copy_repeatedly",
    ),
    "length-in-bounds": Rule(
        "A copy or a fill is not longer than an allocation can be.",
        f"{_INTERPRETER}/operator.rs, compute_size_in_bytes",
    ),
}

_VALIDITY = f"{_INTERPRETER}/validity.rs, check_safe_pointer"
_VALIDITY_RULES = {
    "live-referent": Rule("A reference or a box points to live memory.", _VALIDITY),
    "referent-within-bounds": Rule(
        "All bytes that a reference or a box is for lie inside of one allocation.", _VALIDITY
    ),
    "not-null": Rule("A reference or a box is not null.", _VALIDITY),
    "referent-provenance": Rule(
        "A reference or a box has provenance for the memory that it points to.", _VALIDITY
    ),
    "aligned": Rule("A reference's address is a multiple of its referent's alignment.", _VALIDITY),
}

_DEALLOCATION = f"{_INTERPRETER}/memory.rs, deallocate_ptr"
_DEALLOCATION_RULES = {
    "from-the-start": Rule("Memory is given back by a pointer to its first byte.", _DEALLOCATION),
    "of-heap-memory": Rule("Only heap memory is given back.", _DEALLOCATION),
    "with-its-layout": Rule(
        "Memory is given back with the size and alignment that it was asked for with.",
        _DEALLOCATION,
    ),
}

_ALLOCATION_RULES = {
    "not-empty": Rule(
        "The allocator is asked for at least one byte.",
        "std::alloc::GlobalAlloc::alloc, section Safety",
    ),
}

RULES: dict[str, Rule] = {
    f"{family}/{name}": rule
    for family, rules in (
        ("stacked", _STACKED_RULES),
        ("tree", _TREE_RULES),
        ("memory", _MEMORY_RULES),
        ("validity", _VALIDITY_RULES),
        ("deallocation", _DEALLOCATION_RULES),
        ("allocation", _ALLOCATION_RULES),
    )
    for name, rule in rules.items()
}
"""Every rule by its name."""
