"""The machine: executes a pointer program, statement by statement, and judges it.

Each statement does what its line of Rust does when it is compiled without optimisation: which
pointers are retagged, what is accessed, in which order things are checked. Where several rules
are broken at once the first one checked is reported, in Miri's order:

- an access: bounds and liveness, then the borrow model, then alignment, then initialisation;
- a reference: bounds and liveness, the borrow model, then the validity of the value;
- a copy: both ranges' bounds, the source's read, the destination's write, then overlap;
- a deallocation: the pointer, the kind of memory, the layout, then the borrow model.

Source: `rustc_mir_transform/src/add_retag.rs` and `rustc_const_eval/src/interpret/step.rs` for
what is retagged; the operations name theirs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.errors import HarnessFault
from harness.mode import Aliasing, Provenance
from harness.model.borrows import Access, Broken, Referrer, Retag
from harness.model.judgement import Judgement
from harness.model.memory import ADDRESS_MASK, AllocationKind
from harness.model.no_borrows import NoBorrows
from harness.model.operations import Operations, Stop, signed
from harness.model.provenance import Exposed, Pointer
from harness.model.stacked_borrows import StackedBorrows
from harness.model.tree_borrows import TreeBorrows
from harness.model.variables import REFERENCES, Frame, Integer, Kind, Place
from harness.outcome import (
    Location,
    Outcome,
    Panicked,
    Ran,
    TrapKind,
    Trapped,
    UndefinedBehaviour,
    Unsupported,
    UnsupportedKind,
)
from harness.pointer import program as p

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from harness.mode import Mode
    from harness.model.borrows import Borrows

_MUT = Retag(referrer=Referrer.MUT)
_TWO_PHASE = Retag(referrer=Referrer.MUT, two_phase=True)
_BOX = Retag(referrer=Referrer.BOX)
_RAW_MUT = Retag(referrer=Referrer.RAW_MUT)

_STRICT_CAST = (
    "unsupported operation: integer-to-pointer casts and `ptr::with_exposed_provenance` are not "
    "supported with `-Zmiri-strict-provenance`"
)


def judge(program: p.PointerProgram, mode: Mode) -> Outcome:
    """What `program` does in `mode`: it runs, traps, panics, is undefined or unsupported.

    The program must be well-formed (`harness.pointer.validate`).
    """
    return examine(program, mode).outcome


def examine(program: p.PointerProgram, mode: Mode) -> Judgement:
    """As `judge`, with the broken rule and all that is known of it."""
    return Machine(mode).run(program)


def _borrows(aliasing: Aliasing) -> Borrows:
    match aliasing:
        case Aliasing.STACKED:
            return StackedBorrows()
        case Aliasing.TREE:
            return TreeBorrows()
        case Aliasing.TREE_WRITES:
            return TreeBorrows(implicit_writes=True)
        case Aliasing.NONE:
            return NoBorrows()


class _Halt(Exception):
    """The run ends for a reason that is no fault: unsupported, or a panic."""

    def __init__(self, outcome: Outcome) -> None:
        self.outcome = outcome
        super().__init__()


class _Trap(Exception):
    """A guard failed: every open call is left on the way up."""

    def __init__(self, guard: p.Guard) -> None:
        self.guard = guard
        super().__init__()


def _as_reference(kind: Kind) -> Retag:
    """The retag that makes a reference of `kind`."""
    referrer = Referrer.MUT if kind is Kind.MUT else Referrer.SHARED
    return Retag(referrer=referrer, interior=kind.interior)


def _as_argument(kind: Kind) -> Retag:
    """The retag of a parameter of `kind`, on function entry."""
    if kind is Kind.BOX:
        return Retag(referrer=Referrer.BOX, function_entry=True)
    referrer = Referrer.MUT if kind is Kind.MUT else Referrer.SHARED
    return Retag(referrer=referrer, interior=kind.interior, function_entry=True)


def _as_raw_const(kind: Kind) -> Retag:
    return Retag(referrer=Referrer.RAW_CONST, interior=kind.interior)


_REFERENCE = {kind: _as_reference(kind) for kind in REFERENCES}
_ARGUMENT = {kind: _as_argument(kind) for kind in (*REFERENCES, Kind.BOX)}
_RAW_CONST = {kind: _as_raw_const(kind) for kind in Kind}

_ARGUMENT_KIND = {
    "mut": Kind.MUT,
    "shared": Kind.SHARED,
    "cell": Kind.CELL,
    "mix": Kind.MIX,
    "boxed": Kind.BOX,
}


class Machine:
    """One run of one program."""

    def __init__(self, mode: Mode) -> None:
        self.strict = mode.provenance is Provenance.STRICT
        borrows = _borrows(mode.aliasing)
        self.memory = Operations(borrows, tracked=mode.aliasing is not Aliasing.NONE)
        self.casts = 0

    def run(self, program: p.PointerProgram) -> Judgement:
        frame = Frame(None, ())
        try:
            trap = self._run_to_end(frame, program)
            memory = self._result(frame, program)
        except Stop as stop:
            return self._undefined(stop)
        except _Halt as halt:
            return Judgement(outcome=halt.outcome)
        if trap is not None:
            location = Location(instruction=trap.instruction, operand=trap.operand)
            return Judgement(
                outcome=Trapped(kind=TrapKind(trap.trap), location=location, memory=memory, steps=0)
            )
        checksum = None if frame.address_read else frame.checksum
        return Judgement(outcome=Ran(checksum=checksum, memory=memory))

    def _run_to_end(self, frame: Frame, program: p.PointerProgram) -> p.Guard | None:
        """Run all statements, or up to the guard that fails."""
        try:
            self._run_body(frame, program.statements)
        except _Trap as trap:
            return trap.guard
        self.memory.at = (len(program.statements),)
        return None

    def _undefined(self, stop: Stop) -> Judgement:
        reason = stop.reason
        broken = reason if isinstance(reason, Broken) else None
        created = invalidated = None
        if broken is not None:
            created, invalidated = broken.created_at, broken.invalidated_at
        return Judgement(
            outcome=UndefinedBehaviour(
                kind=reason.kind,
                message=reason.message,
                location=Location(path=self.memory.at),
                created=None if created is None else Location(path=created),
                invalidated=None if invalidated is None else Location(path=invalidated),
            ),
            rule=reason.rule,
            sentence=reason.sentence,
            broken=broken,
        )

    def _result(self, frame: Frame, program: p.PointerProgram) -> bytes | None:
        """Read the program's final memory through the variable that holds it. Raises: Stop."""
        if program.result is None:
            return None
        place = self._place(frame, program.result)
        target = self.memory.access(place.pointer, place.size, Access.READ)
        if target is None:
            return b""
        self.memory.require_initialised(target, place.size)
        return bytes(target.allocation.bytes[target.offset : target.offset + place.size])

    def _run_body(self, frame: Frame, body: Sequence[p.AnyStatement]) -> None:
        memory = self.memory
        prefix = frame.prefix
        for index, statement in enumerate(body):
            memory.at = (*prefix, index)
            _EXECUTE[type(statement)](self, frame, statement)

    # Variables

    def _place(self, frame: Frame, name: str) -> Place:
        at: Frame | None = frame
        while at is not None:
            place = at.places.get(name)
            if place is not None:
                return place
            at = at.caller
        raise HarnessFault(f"{self.memory.at}: no variable {name!r}: the program is ill-formed")

    def _integer(self, frame: Frame, operand: p.IntOperand) -> Integer:
        if isinstance(operand, int):
            return Integer(operand, False)
        at: Frame | None = frame
        while at is not None:
            integer = at.integers.get(operand)
            if integer is not None:
                return integer
            at = at.caller
        raise HarnessFault(f"{self.memory.at}: no integer {operand!r}: the program is ill-formed")

    # Allocations

    def _allocate(
        self,
        kind: AllocationKind,
        statement: p.Local | p.Static | p.Heap | p.Box,
        size: int,
        init: int | str | None,
    ) -> Pointer:
        align = 1 if isinstance(statement, p.Box) else statement.align
        pointer = self.memory.allocate(kind, size, align, statement.to)
        if init is not None:
            allocation = self.memory.memory.allocations[-1]
            content = (
                bytes.fromhex(init) if isinstance(init, str) else bytes([init]) * statement.size
            )
            allocation.bytes[: len(content)] = content
            allocation.initialised[: len(content)] = b"\x01" * len(content)
        return pointer

    def _local(self, frame: Frame, s: p.Local) -> None:
        size = -(-s.size // s.align) * s.align
        pointer = self._allocate(AllocationKind.LOCAL, s, size, s.init)
        frame.locals.append(self.memory.memory.allocations[-1])
        frame.places[s.to] = Place(Kind.LOCAL, pointer, s.size, s.align)

    def _static(self, frame: Frame, s: p.Static) -> None:
        size = -(-s.size // s.align) * s.align
        pointer = self._allocate(AllocationKind.STATIC, s, size, s.init)
        frame.places[s.to] = Place(Kind.RAW, pointer, s.size)

    def _heap(self, frame: Frame, s: p.Heap) -> None:
        pointer = self._allocate(AllocationKind.HEAP, s, s.size, None)
        frame.places[s.to] = Place(Kind.RAW, pointer, s.size)

    def _box(self, frame: Frame, s: p.Box) -> None:
        """`Box::new` makes a box of what it allocated, `into_raw` a raw pointer of the box.

        An empty one has no allocation.
        """
        pointer = Pointer(1, None)
        if s.size:
            pointer = self._allocate(AllocationKind.HEAP, s, s.size, s.init)
            pointer = self._box_from_raw(pointer, s.size)
            pointer = self.memory.reborrow(pointer, s.size, _RAW_MUT, "")
        frame.places[s.to] = Place(Kind.RAW, pointer, s.size)

    def _free(self, frame: Frame, s: p.Free) -> None:
        self.memory.deallocate(self._place(frame, s.ptr).pointer, s.size, s.align)

    def _drop_box(self, frame: Frame, s: p.DropBox) -> None:
        """`Box::from_raw` retags, and so does `drop` on entry; then the box frees its memory."""
        place = self._place(frame, s.ptr)
        memory = self.memory
        name = Kind.BOX.type_name(place.size)
        pointer = self._box_from_raw(place.pointer, place.size)
        memory.borrows.enter_call()
        pointer = memory.reborrow(pointer, place.size, _ARGUMENT[Kind.BOX], name)
        if place.size:
            memory.deallocate(pointer, place.size, 1)
        self._leave()

    def _box_from_raw(self, pointer: Pointer, size: int) -> Pointer:
        name = Kind.BOX.type_name(size)
        self.memory.require_valid(pointer, size, name)
        return self.memory.reborrow(pointer, size, _BOX, name)

    # Borrows

    def _referent(
        self, frame: Frame, s: p.RawMut | p.RawConst | p.RefMut | p.RefShared | p.RefCell
    ) -> tuple[Place, Pointer, int]:
        """What is borrowed: PLACE, where the part begins, and its size."""
        place = self._place(frame, s.of)
        pointer = self._place_pointer(place)
        if s.at is None:
            return place, pointer, place.size
        at = self._integer(frame, s.at).value
        size = 1 if s.size is None else s.size
        if isinstance(s.at, str) and at >= place.size:
            raise self._index_panic(at, place.size)
        return place, self.memory.offset_inbounds(pointer, at), size

    def _place_pointer(self, place: Place) -> Pointer:
        """The pointer to PLACE. A reference is copied to dereference it, so it must be valid.

        Source: `rustc_mir_transform/src/deref_separator.rs`; a copy's validity is checked.
        """
        if place.kind in REFERENCES:
            name = place.kind.type_name(place.size)
            self.memory.require_valid(place.pointer, place.size, name, place.align)
        return place.pointer

    def _raw_mut(self, frame: Frame, s: p.RawMut) -> None:
        place, pointer, size = self._referent(frame, s)
        if place.kind is not Kind.RAW:
            pointer = self.memory.reborrow(pointer, size, _RAW_MUT, "")
        frame.places[s.to] = Place(Kind.RAW, pointer, size)

    def _raw_const(self, frame: Frame, s: p.RawConst) -> None:
        place, pointer, size = self._referent(frame, s)
        if place.kind is not Kind.RAW:
            pointer = self.memory.reborrow(pointer, size, _RAW_CONST[place.kind], "")
        frame.places[s.to] = Place(Kind.RAW, pointer, size)

    def _ref_mut(self, frame: Frame, s: p.RefMut) -> None:
        place, pointer, size = self._referent(frame, s)
        pointer = self._borrow(place, pointer, size, Kind.MUT, s.align)
        frame.places[s.to] = Place(Kind.MUT, pointer, size, s.align)

    def _ref_shared(self, frame: Frame, s: p.RefShared) -> None:
        place, pointer, size = self._referent(frame, s)
        pointer = self._borrow(place, pointer, size, Kind.SHARED, s.align)
        frame.places[s.to] = Place(Kind.SHARED, pointer, size, s.align)

    def _ref_cell(self, frame: Frame, s: p.RefCell) -> None:
        place, pointer, size = self._referent(frame, s)
        kind = Kind.UNSAFE_CELL if s.unsafe_cell else Kind.CELL
        if place.kind in (Kind.LOCAL, Kind.MUT):
            pointer = self._cell_from_mut(place, pointer, kind, s.align)
        else:
            pointer = self._borrow(place, pointer, size, kind, s.align)
        frame.places[s.to] = Place(kind, pointer, size, s.align)

    def _cell_from_mut(self, place: Place, pointer: Pointer, kind: Kind, align: int) -> Pointer:
        """`Cell::from_mut(&mut PLACE)`: a call whose argument is cast and reborrowed."""
        pointer = self._mut_argument(place, pointer)
        self.memory.borrows.enter_call()
        pointer = self._enter_argument(pointer, Kind.MUT, place.size)
        pointer = self.memory.reborrow(
            pointer, place.size, _REFERENCE[kind], kind.type_name(place.size), align
        )
        self._leave()
        return pointer

    def _ref_mix(self, frame: Frame, s: p.RefMix) -> None:
        place = self._place(frame, s.of)
        pointer = self._borrow(place, self._place_pointer(place), 3, Kind.MIX, 1)
        frame.places[s.to] = Place(Kind.MIX, pointer, 3)

    def _borrow(self, place: Place, pointer: Pointer, size: int, kind: Kind, align: int) -> Pointer:
        """A reference to `size` bytes at `pointer`, in PLACE; of a local by way of `&raw`."""
        memory = self.memory
        if place.kind is Kind.LOCAL:
            raw = _RAW_MUT if kind is Kind.MUT else _RAW_CONST[Kind.LOCAL]
            pointer = memory.reborrow(pointer, size, raw, "")
        return memory.reborrow(pointer, size, _REFERENCE[kind], kind.type_name(size), align)

    def _as_mut_ptr(self, frame: Frame, s: p.AsMutPtr) -> None:
        self._slice_pointer(frame, s, _TWO_PHASE, Kind.MUT, _RAW_MUT)

    def _as_ptr(self, frame: Frame, s: p.AsPtr) -> None:
        self._slice_pointer(frame, s, _REFERENCE[Kind.SHARED], Kind.SHARED, _RAW_CONST[Kind.SHARED])

    def _slice_pointer(
        self, frame: Frame, s: p.AsMutPtr | p.AsPtr, receiver: Retag, kind: Kind, raw: Retag
    ) -> None:
        place = self._place(frame, s.of)
        memory = self.memory
        size = place.size
        pointer = self._place_pointer(place)
        pointer = memory.reborrow(pointer, size, receiver, kind.type_name(size))
        memory.borrows.enter_call()
        pointer = self._enter_argument(pointer, kind, size)
        pointer = memory.reborrow(pointer, size, raw, "")
        self._leave()
        frame.places[s.to] = Place(Kind.RAW, pointer, size)

    def _two_phase(self, frame: Frame, s: p.TwoPhase) -> None:
        """The receiver is borrowed first, the argument read next, and then the call writes."""
        place = self._place(frame, s.of)
        memory = self.memory
        size = place.size
        name = Kind.MUT.type_name(size)
        receiver = memory.reborrow(self._place_pointer(place), size, _TWO_PHASE, name)
        source = self._place(frame, s.from_)
        value, of_address = memory.read_integer(self._element(source, s.at), 1)
        memory.borrows.enter_call()
        parameter = self._enter_argument(receiver, Kind.MUT, size)
        memory.write_integer(parameter, 1, value, of_address)
        self._leave()

    # Pointer arithmetic and provenance

    def _sub(self, frame: Frame, s: p.Sub) -> None:
        pointer = self._place(frame, s.of).pointer
        offset = signed(self._integer(frame, s.offset).value & ADDRESS_MASK)
        if s.inbounds:
            pointer = self.memory.offset_inbounds(pointer, offset)
        else:
            pointer = self.memory.offset(pointer, offset)
        frame.places[s.to] = Place(Kind.RAW, pointer, s.size)

    def _expose(self, frame: Frame, s: p.Expose) -> None:
        pointer = self._place(frame, s.of).pointer
        if not self.strict:
            self.memory.expose(pointer)
        frame.integers[s.to] = Integer(pointer.address, True)

    def _addr(self, frame: Frame, s: p.Addr | p.TransmuteAddr) -> None:
        frame.integers[s.to] = Integer(self._place(frame, s.of).pointer.address, True)

    def _address(self, frame: Frame, s: p.FromExposed | p.WithAddr | p.Transmute) -> int:
        base = self._integer(frame, s.int_).value
        return (base + self._integer(frame, s.offset).value) & ADDRESS_MASK

    def _from_exposed(self, frame: Frame, s: p.FromExposed) -> None:
        if self.strict:
            raise _Halt(
                Unsupported(
                    kind=UnsupportedKind.INT_TO_PTR,
                    message=_STRICT_CAST,
                    location=Location(path=self.memory.at),
                )
            )
        provenance = Exposed(self.casts, 0)
        self.casts += 1
        pointer = Pointer(self._address(frame, s), provenance)
        frame.places[s.to] = Place(Kind.RAW, pointer, s.size)

    def _with_addr(self, frame: Frame, s: p.WithAddr) -> None:
        provenance = self._place(frame, s.of).pointer.provenance
        pointer = Pointer(self._address(frame, s), provenance)
        frame.places[s.to] = Place(Kind.RAW, pointer, s.size)

    def _transmute(self, frame: Frame, s: p.Transmute) -> None:
        frame.places[s.to] = Place(Kind.RAW, Pointer(self._address(frame, s), None), s.size)

    # Accesses

    def _element(self, place: Place, at: int) -> Pointer:
        """The place of one element of the array that PLACE is, within its type's bounds."""
        if at >= place.size:
            raise self._index_panic(at, place.size)
        if place.kind is Kind.LOCAL:
            return self.memory.offset(place.pointer, at)
        return self.memory.offset_inbounds(place.pointer, at)

    def _index_panic(self, at: int, size: int) -> _Halt:
        message = f"index out of bounds: the len is {size} but the index is {at}"
        return _Halt(Panicked(message=message, location=Location(path=self.memory.at)))

    def _accessed(self, frame: Frame, s: p.Read | p.Write, place: Place) -> Pointer:
        """Where a read or write goes: an element, or wherever a wide one's pointer points."""
        at = self._integer(frame, s.at).value
        if s.width == 1:
            return self._element(place, at)
        return self.memory.offset(place.pointer, at)

    def _read(self, frame: Frame, s: p.Read) -> None:
        place = self._place(frame, s.ptr)
        pointer = self._accessed(frame, s, place)
        if place.kind is Kind.LOCAL and s.width > 1:
            value, of_address = self._read_bytes(pointer, s.width)
        else:
            align = s.width if s.aligned else 1
            if place.kind in (Kind.CELL, Kind.UNSAFE_CELL) or (place.kind, s.at) == (Kind.MIX, 1):
                pointer = self._borrowed_cell(pointer, s.width, align)
            value, of_address = self.memory.read_integer(pointer, s.width, align)
        frame.note_read(value, of_address)
        if s.to is not None:
            frame.integers[s.to] = Integer(value, of_address)

    def _read_bytes(self, pointer: Pointer, width: int) -> tuple[int, bool]:
        """A local's bytes are read one by one, the lowest first."""
        value, any_of_address = 0, False
        for index in range(width):
            byte, of_address = self.memory.read_integer(self.memory.offset(pointer, index), 1)
            value |= byte << (8 * index)
            any_of_address = any_of_address or of_address
        return value, any_of_address

    def _write(self, frame: Frame, s: p.Write) -> None:
        place = self._place(frame, s.ptr)
        pointer = self._accessed(frame, s, place)
        memory = self.memory
        value, of_address = self._integer(frame, s.value)
        value &= (1 << (8 * s.width)) - 1
        align = s.width if s.aligned else 1
        if place.kind is Kind.LOCAL and s.width > 1:
            for index, byte in enumerate(value.to_bytes(s.width, "little")):
                memory.write_integer(memory.offset(pointer, index), 1, byte, of_address)
        elif place.kind in (Kind.CELL, Kind.MIX):
            pointer = self._borrowed_cell(pointer, s.width, align)
            self._set_cell(pointer, s.width, value, of_address, align)
        elif place.kind is Kind.UNSAFE_CELL:
            pointer = self._borrowed_cell(pointer, s.width, align)
            memory.write_integer(pointer, s.width, value, of_address, align)
        else:
            memory.write_integer(pointer, s.width, value, of_address, align)

    def _borrowed_cell(self, pointer: Pointer, width: int, align: int) -> Pointer:
        """The receiver of `get` and `set`: a `&Cell` to the bytes alone."""
        name = Kind.CELL.type_name(width)
        return self.memory.reborrow(pointer, width, _REFERENCE[Kind.CELL], name, align)

    def _set_cell(
        self, pointer: Pointer, width: int, value: int, of_address: bool, align: int
    ) -> None:
        """`Cell::set` is `mem::replace(&mut *cell.get(), value)`: it reads the old value too."""
        memory = self.memory
        name = Kind.MUT.type_name(width)
        pointer = memory.reborrow(pointer, width, _MUT, name, align)
        memory.borrows.enter_call()
        pointer = self._enter_argument(pointer, Kind.MUT, width)
        memory.read_integer(pointer, width)
        memory.write_integer(pointer, width, value, of_address)
        self._leave()

    def _copy(self, frame: Frame, s: p.Copy) -> None:
        source = self._place(frame, s.from_).pointer
        to = self._place(frame, s.to_ptr).pointer
        self.memory.copy(source, to, s.size, s.overlapping)

    def _store_ptr(self, frame: Frame, s: p.StorePtr) -> None:
        value = self._place(frame, s.of).pointer
        self.memory.write_pointer(self._place(frame, s.ptr).pointer, value)

    def _load_ptr(self, frame: Frame, s: p.LoadPtr) -> None:
        pointer = self.memory.read_pointer(self._place(frame, s.ptr).pointer)
        frame.places[s.to] = Place(Kind.RAW, pointer, s.size)

    # Integers

    def _int(self, frame: Frame, s: p.Int) -> None:
        frame.integers[s.to] = Integer(s.value, False)

    def _arithmetic(self, frame: Frame, s: p.Arithmetic) -> None:
        bits = 8 * s.width
        mask = (1 << bits) - 1
        left, left_of_address = self._integer(frame, s.left)
        right, right_of_address = self._integer(frame, s.right)
        value = _OPERATE[s.operator](left & mask, right & mask, bits) & mask
        frame.integers[s.to] = Integer(value, left_of_address or right_of_address)

    def _guard(self, frame: Frame, s: p.Guard) -> None:
        left = self._integer(frame, s.left).value
        right = self._integer(frame, s.right).value
        if not _COMPARE[s.comparison](left, right):
            raise _Trap(s)

    # Calls

    def _call(self, frame: Frame, s: p.Call) -> None:
        """Arguments are made in the caller, in order; then each is retagged with a protector.

        What fails on entering or leaving has the call's own path.
        """
        memory = self.memory
        here = memory.at
        callee = Frame(frame, here)
        arguments = [self._argument(frame, argument) for argument in s.args]
        memory.borrows.enter_call()
        for argument, place in zip(s.args, arguments, strict=True):
            pointer = self._enter_argument(place.pointer, place.kind, place.size)
            callee.places[argument.to] = place._replace(pointer=pointer)
            if place.kind is Kind.BOX:
                callee.boxes.append(argument.to)
        try:
            self._run_body(callee, s.body)
            self._forget_boxes(callee, len(s.body))
        except _Trap:
            memory.at = here
            self._end_frame(callee)
            raise
        memory.at = here
        values = self._returned(callee, s.returns)
        self._end_frame(callee)
        for returned, value in zip(s.returns, self._retag_all(values), strict=True):
            if isinstance(value, Integer):
                frame.integers[returned.to] = value
            else:
                frame.places[returned.to] = value
        frame.note_read(callee.checksum, callee.address_read)

    def _argument(self, frame: Frame, argument: p.Argument) -> Place:
        place = self._place(frame, argument.of)._replace(size=argument.size)
        kind = _ARGUMENT_KIND[argument.as_]
        pointer = self._place_pointer(place)
        if kind is Kind.BOX:
            pointer = self._box_from_raw(pointer, argument.size)
        elif kind is Kind.MUT:
            pointer = self._mut_argument(place, pointer)
        else:
            pointer = self._borrow(place, pointer, argument.size, kind, 1)
        return Place(kind, pointer, argument.size)

    def _mut_argument(self, place: Place, pointer: Pointer) -> Pointer:
        """`&mut PLACE` as an argument is reborrowed once more, in two phases.

        Source: rustc, `rustc_hir_typeck` (arguments are coerced with two-phase borrows allowed).
        """
        pointer = self._borrow(place, pointer, place.size, Kind.MUT, 1)
        return self.memory.reborrow(pointer, place.size, _TWO_PHASE, Kind.MUT.type_name(place.size))

    def _enter_argument(self, pointer: Pointer, kind: Kind, size: int) -> Pointer:
        return self.memory.reborrow(pointer, size, _ARGUMENT[kind], kind.type_name(size))

    def _forget_boxes(self, callee: Frame, index: int) -> None:
        """Hand each box to `std::mem::forget`, at the statement after the body's last."""
        memory = self.memory
        for name in callee.boxes:
            memory.at = (*callee.prefix, index)
            place = callee.places[name]
            memory.require_valid(place.pointer, place.size, Kind.BOX.type_name(place.size))
            memory.borrows.enter_call()
            self._enter_argument(place.pointer, Kind.BOX, place.size)
            self._leave()

    def _end_frame(self, callee: Frame) -> None:
        for allocation in callee.locals:
            self.memory.end(allocation)
        self._leave()

    def _leave(self) -> None:
        broken = self.memory.borrows.leave_call()
        if broken is not None:
            raise Stop(broken)

    def _returned(self, callee: Frame, returns: tuple[p.Return, ...]) -> list[Place | Integer]:
        """The values that a body returns, its references reborrowed and put together.

        Putting them together retags each once more, after the last was reborrowed.
        """
        values: list[Place | Integer] = []
        for returned in returns:
            integer = callee.integers.get(returned.of)
            values.append(self._place(callee, returned.of) if integer is None else integer)
        return self._retag_all(self._retag_all(values))

    def _retag_all(self, values: list[Place | Integer]) -> list[Place | Integer]:
        return [
            self._retagged(value)
            if isinstance(value, Place) and value.kind in REFERENCES
            else value
            for value in values
        ]

    def _retagged(self, place: Place) -> Place:
        """A reference after it was moved: its value must be valid, and it is retagged."""
        name = place.kind.type_name(place.size)
        self.memory.require_valid(place.pointer, place.size, name, place.align)
        pointer = self.memory.reborrow(
            place.pointer, place.size, _REFERENCE[place.kind], name, place.align
        )
        return place._replace(pointer=pointer)


_OPERATE: dict[str, Callable[[int, int, int], int]] = {
    "add": lambda left, right, bits: left + right,
    "sub": lambda left, right, bits: left - right,
    "mul": lambda left, right, bits: left * right,
    "and": lambda left, right, bits: left & right,
    "or": lambda left, right, bits: left | right,
    "xor": lambda left, right, bits: left ^ right,
    "shl": lambda left, right, bits: left << (right % bits),
    "shr": lambda left, right, bits: left >> (right % bits),
}

_COMPARE: dict[str, Callable[[int, int], bool]] = {
    "eq": lambda left, right: left == right,
    "ne": lambda left, right: left != right,
    "lt": lambda left, right: left < right,
    "le": lambda left, right: left <= right,
    "gt": lambda left, right: left > right,
    "ge": lambda left, right: left >= right,
}

_EXECUTE: dict[type[p.Statement], Callable[..., None]] = {
    p.Local: Machine._local,
    p.Heap: Machine._heap,
    p.Static: Machine._static,
    p.Box: Machine._box,
    p.Free: Machine._free,
    p.DropBox: Machine._drop_box,
    p.RawMut: Machine._raw_mut,
    p.RawConst: Machine._raw_const,
    p.RefMut: Machine._ref_mut,
    p.RefShared: Machine._ref_shared,
    p.RefCell: Machine._ref_cell,
    p.RefMix: Machine._ref_mix,
    p.AsMutPtr: Machine._as_mut_ptr,
    p.AsPtr: Machine._as_ptr,
    p.TwoPhase: Machine._two_phase,
    p.Sub: Machine._sub,
    p.Expose: Machine._expose,
    p.Addr: Machine._addr,
    p.TransmuteAddr: Machine._addr,
    p.FromExposed: Machine._from_exposed,
    p.WithAddr: Machine._with_addr,
    p.Transmute: Machine._transmute,
    p.Read: Machine._read,
    p.Write: Machine._write,
    p.Copy: Machine._copy,
    p.StorePtr: Machine._store_ptr,
    p.LoadPtr: Machine._load_ptr,
    p.Int: Machine._int,
    p.Arithmetic: Machine._arithmetic,
    p.Guard: Machine._guard,
    p.Call: Machine._call,
}
