"""What statements are made of: accesses, reborrows, copies, deallocations, each fully checked.

An operation on memory that breaks a rule raises `Stop`, which the machine turns into a value.

Source: `rustc_const_eval/src/interpret/` (`memory.rs`, `place.rs`, `validity.rs`); Miri,
`src/alloc_addresses/mod.rs`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.model import faults
from harness.model.borrows import Access, Broken, Referrer, Retag
from harness.model.faults import Purpose
from harness.model.memory import ADDRESS_MASK, POINTER_SIZE, AllocationKind, Memory
from harness.model.provenance import Concrete, Integer, Pointer, Target

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.model.borrows import Borrows
    from harness.model.exposure import Exposure
    from harness.model.faults import Fault
    from harness.model.memory import Allocation
    from harness.outcome import Outcome
    from harness.pointer.program import Guard, Path
    from harness.target import ByteOrder

_SIGN = 1 << 63
_LONGEST = (1 << 63) - 1
"""Bytes of the largest value that there can be."""


# The three ways out of nested calls; the machine makes values of them.


class Stop(Exception):
    """The program is undefined: a rule of memory or of the borrow model is broken."""

    def __init__(self, reason: Fault | Broken) -> None:
        self.reason = reason
        super().__init__(reason.message)


class Halt(Exception):
    """The run ends for a reason that is no fault: something unsupported, or a panic."""

    def __init__(self, outcome: Outcome) -> None:
        self.outcome = outcome
        super().__init__()


class Trap(Exception):
    """A guard failed: every open call is left on the way up."""

    def __init__(self, guard: Guard) -> None:
        self.guard = guard
        super().__init__()


def signed(word: int) -> int:
    """A 64-bit word as a signed number."""
    return word - (1 << 64) if word & _SIGN else word


class Operations:
    """Memory under a borrow model.

    expose: makes the reading of exposed provenance. tracked: whether references are retagged
    at all. at: the statement being executed. hangs_on_addresses: whether anything was decided by
    a number that would be another if allocations lay elsewhere.
    """

    __slots__ = ("_at", "borrows", "exposure", "hangs_on_addresses", "memory", "tracked")

    def __init__(
        self,
        borrows: Borrows,
        expose: Callable[[Memory], Exposure],
        byte_order: ByteOrder,
        *,
        tracked: bool,
    ) -> None:
        self.memory = Memory(byte_order)
        self.exposure = expose(self.memory)
        self.borrows = borrows
        self.tracked = tracked
        self.hangs_on_addresses = False
        self._at: Path = ()

    @property
    def at(self) -> Path:
        return self._at

    @at.setter
    def at(self, path: Path) -> None:
        self._at = path
        self.borrows.at = path

    def allocate(
        self, kind: AllocationKind, size: int, align: int, name: str
    ) -> tuple[Pointer, Allocation]:
        """A new allocation, and a pointer to it with its root tag."""
        allocation = self.memory.allocate(kind, size, align, name, self._at)
        tag = self.borrows.new_allocation(allocation)
        base = Pointer(allocation.base, Concrete(allocation, tag), allocation.number)
        return base, allocation

    # Where a pointer points to

    def locate(self, pointer: Pointer, size: int = 0) -> Target | None:
        """The allocation that the pointer may access, dead or alive, in bounds or not.

        A negative `size` means the bytes to its left.
        """
        provenance = pointer.provenance
        if isinstance(provenance, Concrete):
            allocation, tag = provenance
            offset = (pointer.address - allocation.base) & ADDRESS_MASK
            return Target(allocation, offset - (1 << 64) if offset & _SIGN else offset, tag)
        if provenance is None:
            return None
        return self.exposure.resolve(provenance, pointer.address, size)

    def check(self, pointer: Pointer, size: int, purpose: Purpose) -> Target | Fault | None:
        """Where `size` bytes at the pointer are, all of them live and in bounds.

        A negative size means the bytes to its left. None for a size of 0, which any pointer has.

        Source: `interpret/memory.rs`, `check_and_deref_ptr`.
        """
        if size == 0:
            return None
        target = self.locate(pointer, size)
        if target is None:
            return faults.no_provenance(purpose, pointer.address, size)
        allocation, offset, _ = target
        if allocation.freed_at is not None:
            return faults.freed(purpose, allocation)
        low, high = (offset, offset + size) if size > 0 else (offset + size, offset)
        if low < 0 or high > allocation.size:
            return faults.out_of_bounds(purpose, allocation, offset, size)
        return target

    def require(self, pointer: Pointer, size: int, purpose: Purpose) -> Target | None:
        """As `check`. Raises: Stop, on a fault."""
        target = self.check(pointer, size, purpose)
        if target is None or type(target) is Target:
            return target
        # Not a Target, hence a fault: `type(…) is` is quicker than what mypy can follow.
        raise Stop(target)  # type: ignore[arg-type]

    def is_aligned(self, pointer: Pointer, align: int) -> bool:
        """Whether the address is a multiple of `align` wherever its allocation may lie.

        Miri looks at the address that it picked, so that an allocation that is aligned less may
        pass there by chance.
        """
        if align == 1:
            return True
        target = self.locate(pointer)
        if target is None:
            return pointer.address % align == 0
        return target.allocation.align % align == 0 and target.offset % align == 0

    def offset(self, pointer: Pointer, offset: int) -> Pointer:
        """`wrapping_add`, of any signed number of bytes."""
        # Not by `_replace`, which takes four times as long.
        address, provenance, origin = pointer
        return Pointer((address + offset) & ADDRESS_MASK, provenance, origin)

    def offset_inbounds(self, pointer: Pointer, offset: int) -> Pointer:
        """`add`, or an element's place in an array: what is passed over must be in bounds."""
        self.require(pointer, offset, Purpose.ARITHMETIC)
        return self.offset(pointer, offset)

    def decide_by(self, number: Integer) -> int:
        """The number, which decides what the program does next."""
        if number.origin is not None:
            self.hangs_on_addresses = True
        return number.value

    # Accesses

    def access(self, pointer: Pointer, size: int, access: Access) -> Target | None:
        """One access. None for a size of 0. Raises: Stop."""
        target = self.require(pointer, size, Purpose.ACCESS)
        if target is not None:
            allocation, offset, tag = target
            broken = self.borrows.access(allocation, tag, offset, size, access)
            if broken is not None:
                raise Stop(broken)
        return target

    def read_integer(self, pointer: Pointer, size: int, align: int = 1) -> Integer:
        """Read an unsigned integer. Raises: Stop."""
        target = self.access(pointer, size, Access.READ)
        assert target is not None
        if align != 1 and not self.is_aligned(pointer, align):
            raise Stop(faults.misaligned(align))
        self.require_initialised(target, size)
        return target.allocation.read_integer(target.offset, size)

    def write_integer(self, pointer: Pointer, size: int, number: Integer, align: int = 1) -> None:
        """Raises: Stop."""
        target = self.access(pointer, size, Access.WRITE)
        assert target is not None
        if align != 1 and not self.is_aligned(pointer, align):
            raise Stop(faults.misaligned(align))
        target.allocation.write_integer(target.offset, size, number)

    def read_pointer(self, pointer: Pointer) -> Pointer:
        """Load a stored pointer. Raises: Stop."""
        target = self.access(pointer, POINTER_SIZE, Access.READ)
        assert target is not None
        self.require_initialised(target, POINTER_SIZE)
        address, origin = target.allocation.read_integer(target.offset, POINTER_SIZE)
        return Pointer(address, target.allocation.stored_provenance(target.offset), origin)

    def write_pointer(self, pointer: Pointer, value: Pointer) -> None:
        """Raises: Stop."""
        target = self.access(pointer, POINTER_SIZE, Access.WRITE)
        assert target is not None
        target.allocation.write_pointer(target.offset, value)

    def require_initialised(self, target: Target, size: int) -> None:
        """Raises: Stop."""
        first = target.allocation.uninitialised_at(target.offset, size)
        if first is not None:
            raise Stop(faults.uninitialised(target.allocation, target.offset, size, first))

    def copy(self, source: Pointer, to: Pointer, size: int, overlapping: bool) -> None:
        """Copy bytes, initialised or not, with their provenance.

        Ranges that must not overlap are looked at last, and only if a byte is initialised.

        Source: `interpret/memory.rs`, `mem_copy_repeatedly`. Raises: Stop.
        """
        self._require_length(size, "copy" if overlapping else "copy_nonoverlapping")
        source_target = self.require(source, size, Purpose.ACCESS)
        to_target = self.require(to, size, Purpose.ACCESS)
        if source_target is None or to_target is None:
            return
        for (allocation, offset, tag), access in (
            (source_target, Access.READ),
            (to_target, Access.WRITE),
        ):
            broken = self.borrows.access(allocation, tag, offset, size, access)
            if broken is not None:
                raise Stop(broken)
        start, offset = source_target.offset, to_target.offset
        source_allocation = source_target.allocation
        if (
            not overlapping
            and source_allocation is to_target.allocation
            and abs(start - offset) < size
            and 1 in source_allocation.initialised[start : start + size]
        ):
            raise Stop(faults.overlapping())
        to_target.allocation.copy_from(source_allocation, start, offset, size)

    def fill(self, to: Pointer, size: int, byte: Integer) -> None:
        """Write the same byte `size` times, in one access.

        Source: `interpret/intrinsics.rs`, `write_bytes_intrinsic`. Raises: Stop.
        """
        self._require_length(size, "write_bytes")
        target = self.access(to, size, Access.WRITE)
        if target is not None:
            target.allocation.fill(target.offset, size, byte)

    def _require_length(self, size: int, function: str) -> None:
        """Source: `interpret/operator.rs`, `compute_size_in_bytes`. Raises: Stop."""
        if size > _LONGEST:
            raise Stop(faults.too_long(function))

    # Reborrows

    def reborrow(
        self, pointer: Pointer, size: int, retag: Retag, type_name: str, align: int = 1
    ) -> Pointer:
        """Make a reference, box or raw pointer to the `size` bytes at `pointer`.

        type_name: of the reference or box, whose value must be valid. align: of its referent.

        Source: `interpret/step.rs` (`Rvalue::Ref`, `Rvalue::RawPtr`); Miri, `sb_reborrow` and
        `tb_reborrow`. Raises: Stop.
        """
        raw = retag.referrer in (Referrer.RAW_MUT, Referrer.RAW_CONST)
        if self.tracked and not (raw and not self.borrows.retags_raw_pointers):
            pointer = self._retag(pointer, size, retag)
        if not raw:
            self.require_valid(pointer, size, type_name, align)
        return pointer

    def _retag(self, pointer: Pointer, size: int, retag: Retag) -> Pointer:
        self.require(pointer, size, Purpose.DEREFERENCEABLE)
        target = self.locate(pointer)
        if target is None or target.allocation.freed_at is not None:
            # A reference to no bytes may point anywhere; it grants nothing that it had not.
            return pointer
        allocation, offset, tag = target
        new = self.borrows.retag(allocation, tag, offset, size, retag)
        if type(new) is Broken:
            raise Stop(new)
        # Not Broken, hence a tag, as in `require`.
        provenance = Concrete(allocation, new)  # type: ignore[arg-type]
        return Pointer(pointer.address, provenance, pointer.origin)

    def forget(self, temporary: Pointer, source: Pointer) -> None:
        """A reference that was made of `source` for a moment is gone, and none was made of it."""
        provenance = temporary.provenance
        if type(provenance) is Concrete and provenance != source.provenance:
            self.borrows.forget(*provenance)

    def require_valid(self, pointer: Pointer, size: int, type_name: str, align: int = 1) -> None:
        """Check the value of a reference or box: it must point to live memory, aligned.

        Source: `interpret/validity.rs`, `check_safe_pointer`. Raises: Stop.
        """
        target = self.check(pointer, size, Purpose.DEREFERENCEABLE)
        if target is not None and type(target) is not Target:
            # A fault, as in `require`.
            raise Stop(faults.invalid_reference(target, type_name))  # type: ignore[arg-type]
        if align != 1 and not self.is_aligned(pointer, align):
            raise Stop(faults.unaligned_reference(type_name, align))
        if pointer.address == 0:
            # One to no bytes is dereferenceable all the same.
            null = faults.no_provenance(Purpose.DEREFERENCEABLE, 0, size)
            raise Stop(faults.invalid_reference(null, type_name))

    # Exposing and freeing

    def expose(self, pointer: Pointer) -> None:
        """Expose the pointer's provenance. What is dead, or exposed before, stays as it is.

        Source: Miri, `alloc_addresses/mod.rs`, `expose_provenance`.
        """
        provenance = pointer.provenance
        if type(provenance) is Concrete and provenance.allocation.freed_at is None:
            self.exposure.expose(provenance)
            self.borrows.expose(provenance.allocation, provenance.tag)

    def deallocate(self, pointer: Pointer, size: int, align: int) -> None:
        """Give heap memory back. Source: `interpret/memory.rs`, `deallocate_ptr`. Raises: Stop."""
        target = self.locate(pointer)
        if target is None:
            raise Stop(faults.no_provenance(Purpose.DEREFERENCEABLE, pointer.address, 0))
        allocation, offset, tag = target
        if offset != 0:
            raise Stop(faults.not_at_start(allocation, offset))
        if allocation.freed_at is not None:
            raise Stop(faults.freed(Purpose.ACCESS, allocation))
        if allocation.kind is not AllocationKind.HEAP:
            raise Stop(faults.wrong_kind(allocation))
        if size != allocation.size or align != allocation.align:
            raise Stop(faults.wrong_layout(allocation, size, align))
        broken = self.borrows.deallocate(allocation, tag)
        if broken is not None:
            raise Stop(broken)
        self.end(allocation)

    def end(self, allocation: Allocation) -> None:
        """The allocation is dead from here on."""
        allocation.freed_at = self._at
