"""The machine: executes a pointer program, statement by statement, and judges it.

Each statement does what its line of Rust does when it is compiled without optimisation: which
pointers are retagged, what is accessed, in which order things are checked. Where several rules
are broken at once the first one checked is reported, in Miri's order:

- an access: bounds and liveness, then the borrow model, then alignment, then initialisation;
- a reference: bounds and liveness, the borrow model, then the validity of the value;
- a copy: both ranges' bounds, the source's read, the destination's write, then overlap;
- a deallocation: the pointer, the kind of memory, the layout, then the borrow model.

Source: `rustc_const_eval/src/interpret/`; the operations name their files.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, assert_never

from harness.mode import Aliasing, Provenance
from harness.model.borrows import Access, Broken
from harness.model.exposure import NoExposure, WildcardExposure
from harness.model.judgement import Judgement
from harness.model.no_borrows import NoBorrows
from harness.model.operations import Halt, Operations, Stop, Trap
from harness.model.stacked_borrows import StackedBorrows
from harness.model.statements import accesses, allocations, borrows, calls, integers, pointers
from harness.model.tree_borrows import TreeBorrows
from harness.model.variables import Frame
from harness.outcome import Location, Outcome, Ran, TrapKind, Trapped, UndefinedBehaviour
from harness.pointer import program as p

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from harness.mode import Mode
    from harness.model.borrows import Borrows
    from harness.model.exposure import Exposure
    from harness.model.memory import Memory
    from harness.target import ByteOrder

_EXECUTE: dict[type[p.Statement], Callable[[Operations, Frame, Any], None]] = {
    p.Local: allocations.local,
    p.Heap: allocations.heap,
    p.Static: allocations.static,
    p.Box: allocations.box,
    p.Free: allocations.free,
    p.DropBox: allocations.drop_box,
    p.RawMut: borrows.raw_mut,
    p.RawConst: borrows.raw_const,
    p.RefMut: borrows.ref_mut,
    p.RefShared: borrows.ref_shared,
    p.RefCell: borrows.ref_cell,
    p.RefMix: borrows.ref_mix,
    p.AsMutPtr: borrows.as_mut_ptr,
    p.AsPtr: borrows.as_ptr,
    p.TwoPhase: borrows.two_phase,
    p.Sub: pointers.sub,
    p.Expose: pointers.expose,
    p.Addr: pointers.addr,
    p.TransmuteAddr: pointers.addr,
    p.FromExposed: pointers.from_exposed,
    p.WithAddr: pointers.with_addr,
    p.Transmute: pointers.transmute,
    p.Read: accesses.read,
    p.Write: accesses.write,
    p.Copy: accesses.copy,
    p.Fill: accesses.fill,
    p.StorePtr: accesses.store_ptr,
    p.LoadPtr: accesses.load_ptr,
    p.Int: integers.integer,
    p.Arithmetic: integers.arithmetic,
    p.Guard: integers.guard,
}
"""What each statement does; a call is the machine's own."""


def judge(program: p.PointerProgram, mode: Mode, byte_order: ByteOrder = "little") -> Outcome:
    """What `program` does in `mode`: it runs, traps, panics, is undefined or unsupported.

    The program must be well-formed (`harness.pointer.validate`).
    """
    return examine(program, mode, byte_order).outcome


def examine(program: p.PointerProgram, mode: Mode, byte_order: ByteOrder = "little") -> Judgement:
    """As `judge`, with the broken rule and all that is known of it."""
    return Machine(mode, exposure_of(mode), byte_order).run(program)


def exposure_of(mode: Mode) -> Callable[[Memory], Exposure]:
    """How Miri reads exposed provenance in `mode`."""
    return NoExposure if mode.provenance is Provenance.STRICT else WildcardExposure


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
        case _:
            assert_never(aliasing)


class Machine:
    """One run of one program. expose: makes the reading of exposed provenance."""

    def __init__(
        self,
        mode: Mode,
        expose: Callable[[Memory], Exposure],
        byte_order: ByteOrder = "little",
    ) -> None:
        tracked = mode.aliasing is not Aliasing.NONE
        self.memory = Operations(_borrows(mode.aliasing), expose, byte_order, tracked=tracked)

    def run(self, program: p.PointerProgram) -> Judgement:
        frame = Frame(None, ())
        try:
            trap = self._run_to_end(frame, program)
            memory = self._result(frame, program)
        except Stop as stop:
            return self._undefined(stop)
        except Halt as halt:
            return self._judgement(halt.outcome)
        if trap is None:
            checksum = None if frame.address_read else frame.checksum
            return self._judgement(Ran(checksum=checksum, memory=memory))
        kind = TrapKind(trap.trap)
        location = Location(instruction=trap.instruction, operand=trap.operand)
        return self._judgement(Trapped(kind=kind, location=location, memory=memory))

    def _judgement(self, outcome: Outcome) -> Judgement:
        return Judgement(outcome=outcome, hangs_on_addresses=self.memory.hangs_on_addresses)

    def _undefined(self, stop: Stop) -> Judgement:
        reason = stop.reason
        broken = reason if isinstance(reason, Broken) else None
        created = broken.created_at if broken else None
        invalidated = broken.invalidated_at if broken else None
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
            allocation=reason.allocation,
            broken=broken,
            hangs_on_addresses=self.memory.hangs_on_addresses,
        )

    def _run_to_end(self, frame: Frame, program: p.PointerProgram) -> p.Guard | None:
        """Run all statements, or up to the guard that fails."""
        try:
            self._run_body(frame, program.statements)
        except Trap as trap:
            return trap.guard
        self.memory.at = (len(program.statements),)
        return None

    def _run_body(self, frame: Frame, body: Sequence[p.AnyStatement]) -> None:
        """Run the statements of the program or of a call. Raises: Stop, Halt, Trap."""
        memory = self.memory
        prefix = frame.prefix
        for index, statement in enumerate(body):
            memory.at = (*prefix, index)
            if isinstance(statement, p.Call):
                calls.call(memory, frame, statement, self._run_body)
            else:
                _EXECUTE[type(statement)](memory, frame, statement)

    def _result(self, frame: Frame, program: p.PointerProgram) -> bytes | None:
        """Read the program's final memory through the variable that holds it.

        None if there is none, or if it depends on addresses. Raises: Stop.
        """
        if program.result is None:
            return None
        place = frame.place(program.result)
        target = self.memory.access(place.pointer, place.size, Access.READ)
        if target is None:
            return b""
        self.memory.require_initialised(target, place.size)
        value, origin = target.allocation.read_integer(target.offset, place.size)
        order = target.allocation.byte_order
        return value.to_bytes(place.size, order) if origin is None else None
