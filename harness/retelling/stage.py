"""A story in its block's place: what its pointers point to, and who else uses that memory.

It is what `harness.story.miri_rust` writes in Rust: the same memory, borrowed in the same way,
the same phases, and the same uses of a reference once the story is told. Another thread, which
the pointer language does not have, is told by what it does before; that the story's accesses
come without an order to that is found in the story's own statements.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

from harness.outcome import FaultKind, Location, Span, UndefinedBehaviour
from harness.pointer import program as p
from harness.retelling import values as v
from harness.retelling.draft import Draft
from harness.retelling.program import tell_program
from harness.retelling.story import Told, tell
from harness.retelling.values import Address, CannotSay, Cause
from harness.story.block import SCALARS, Block, Borrow, Operand, Static, Story
from harness.story.miri_rust import advised, enforced

if TYPE_CHECKING:
    from harness.retelling.values import Value

MOST_STATES = 64
"""In how many states a story is told: each number that is drawn is taken at the ends of its
ranges."""

_DRAWN = 0x5A
"""What stands for a byte that is drawn."""

PROMISES = {
    "Plain": None,
    "Pure": FaultKind.PURE,
    "Readonly": FaultKind.READONLY,
    "Nomem": FaultKind.NOMEM,
}
"""What is broken if a phase, by its name in Miri's Rust, comes to no good end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """A story told in one state in one phase.

    spans: of each statement, its place in a story. breach: what the story breaks although the
    program is defined.
    advice: what the block could promise, if this and the trials with the same advice come to
    nothing bad; empty for what has to come to nothing bad.
    unsaid: what of it cannot be said; the program is empty then.
    """

    block: str
    promise: FaultKind | None
    program: p.PointerProgram
    spans: tuple[Span | None, ...]
    breach: UndefinedBehaviour | None = None
    advice: str = ""
    unsaid: CannotSay | None = None


def trials(story: Story) -> tuple[Trial, ...]:
    """Every trial of a story, in the order in which Miri has them. Raises: CannotSay, Breach."""
    if story.litmus:
        raise CannotSay("threads that meet")
    # What rustc refuses in one story keeps all of them from being told.
    required = [_of_program(story)] if story.program else []
    for block in story.blocks:
        for phase in enforced(block) if block.is_drawable else ():
            if phase != "Plain" or not story.program:
                required += _of_required(story, block, phase)
    return (*required, *_advice(story))


def _of_program(story: Story) -> Trial:
    """The program that calls the blocks. Raises: Breach."""
    draft = Draft()
    blocks = {block.name: block for block in story.blocks}
    try:
        statics = {each.name: _static(each, draft) for each in story.statics if _is_plain(each)}
        tell_program(story.program, blocks, statics, draft)
    except CannotSay as said:
        return Trial(block="", promise=None, program=Draft().program(), spans=(), unsaid=said)
    return Trial(block="", promise=None, program=draft.program(), spans=tuple(draft.spans))


def _of_required(story: Story, block: Block, phase: str) -> Iterator[Trial]:
    try:
        yield from _of_phase(story, block, phase)
    except CannotSay as said:
        promise = PROMISES[phase]
        yield Trial(
            block=block.name, promise=promise, program=Draft().program(), spans=(), unsaid=said
        )


def _advice(story: Story) -> Iterator[Trial]:
    """Trials of what is not promised; what cannot be decided is no advice."""
    for block in story.blocks:
        for phase, option in advised(block) if block.is_drawable and block.returns else ():
            try:
                yield from _of_phase(story, block, phase, f"{block.name}: {option}")
            except CannotSay:
                return


def _of_phase(story: Story, block: Block, phase: str, advice: str = "") -> Iterator[Trial]:
    for state in _states(block):
        yield _Stage(story=story, block=block, state=state, draft=Draft()).trial(phase, advice)


def _states(block: Block) -> Iterator[Mapping[str, int]]:
    """Numbers for the operands that are drawn from ranges. Raises: CannotSay."""
    ends = {
        each.name: sorted({end for range_ in each.ranges for end in range_})
        for each in block.inputs
        if each.ranges is not None and v.is_integer(each.type)
    }
    count = 1
    for each in ends.values():
        count *= len(each)
    if count > MOST_STATES:
        raise CannotSay(f"{count} states of its operands")
    return (dict(zip(ends, state, strict=True)) for state in product(*ends.values()))


def _is_plain(static: Static) -> bool:
    return v.is_integer(static.type)


def _static(static: Static, draft: Draft) -> Address:
    size = SCALARS[static.type]
    initial = int(static.initial) % (1 << 8 * size)
    to = draft.name("static")
    draft.add(p.Static(to=to, size=size, init=initial.to_bytes(size, "little").hex(), align=size))
    return Address(variable=to, size=size, pointee=static.type, is_static=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Lent:
    """Memory of an operand. pointer: the operand. reference: what it was made from, if any."""

    operand: Operand
    owner: str
    pointer: Address
    reference: str | None

    @property
    def size(self) -> int:
        assert self.operand.memory is not None
        return self.operand.memory.size

    @property
    def align(self) -> int:
        assert self.operand.memory is not None
        return self.operand.memory.align


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stage:
    """One state of one block: what is around the story there."""

    story: Story
    block: Block
    state: Mapping[str, int]
    draft: Draft

    def trial(self, phase: str, advice: str) -> Trial:
        """Raises: CannotSay, Breach."""
        draft = self.draft
        statics = {
            each.name: _static(each, draft)
            for each in self.story.statics
            if each.name in self.block.touches and _is_plain(each)
        }
        lent = {each.name: self._lend(each) for each in self.block.inputs if each.memory}
        inputs = {each.name: self._input(each, lent) for each in self.block.inputs}
        told: list[Told] = []

        def tell_it() -> None:
            told.append(tell(self.block, inputs, statics, draft))

        match phase:
            case "Plain":
                tell_it()
                if self.block.returns:
                    self._look(lent)
                    self._free(lent)
            case "Pure":
                tell_it()
                tell_it()
                self._free(lent)
            case "Readonly":
                self._visit([each.pointer for each in lent.values()], lent, writes=False)
                self._visit(list(statics.values()), lent, writes=False)
                tell_it()
            case "Nomem":
                self._free(lent)
                self._visit(list(statics.values()), lent, writes=True)
                tell_it()
            case _:
                raise AssertionError(f"there is no phase {phase}")
        return Trial(
            block=self.block.name,
            promise=PROMISES[phase],
            program=draft.program(),
            spans=tuple(draft.spans),
            breach=self._breach(phase, told),
            advice=advice,
        )

    # What the story is given

    def _lend(self, operand: Operand) -> _Lent:
        """The operand's memory, and the pointer to it that the block is given."""
        memory, draft = operand.memory, self.draft
        assert memory is not None
        owner = draft.name("memory")
        draft.add(p.Heap(to=owner, size=memory.size, align=memory.align))
        if memory.initialised:
            draft.add(p.Fill(ptr=owner, value=_DRAWN, size=memory.size))
        pointer, reference = owner, None
        match memory.borrow:
            case Borrow.RAW:
                pass
            case Borrow.SHARED:
                reference, pointer = draft.name("reference"), draft.name("p")
                draft.add(p.RefShared(to=reference, of=owner))
                draft.add(p.RawConst(to=pointer, of=reference))
            case Borrow.EXCLUSIVE:
                reference, pointer = draft.name("reference"), draft.name("p")
                draft.add(p.RefMut(to=reference, of=owner))
                draft.add(p.RawMut(to=pointer, of=reference))
        address = Address(variable=pointer, size=memory.size, pointee=operand.pointee)
        return _Lent(operand=operand, owner=owner, pointer=address, reference=reference)

    def _input(self, operand: Operand, lent: Mapping[str, _Lent]) -> Value:
        if operand.name in lent:
            return lent[operand.name].pointer
        drawn = v.any_of(operand.type)
        if operand.ranges is None or not isinstance(drawn, v.Number):
            return drawn
        return v.Number(
            type=operand.type,
            low=min(first for first, _ in operand.ranges),
            high=max(last for _, last in operand.ranges),
            exact=self.state.get(operand.name),
        )

    # What others do with it

    def _look(self, lent: Mapping[str, _Lent]) -> None:
        """A function reads all that a reference refers to, which is an argument of it."""
        for each in lent.values():
            if each.reference is not None:
                bytes_, source, copy = (self.draft.name(stem) for stem in ("bytes", "p", "copy"))
                body = (
                    p.RawConst(to=source, of=bytes_),
                    p.Heap(to=copy, size=each.size),
                    p.Copy(from_=source, to_ptr=copy, size=each.size, overlapping=False),
                    p.Free(ptr=copy, size=each.size),
                )
                lends = p.Argument(to=bytes_, as_="shared", of=each.reference, size=each.size)
                self.draft.add(p.Call(args=(lends,), body=body))

    def _free(self, lent: Mapping[str, _Lent]) -> None:
        for each in lent.values():
            self.draft.add(p.Free(ptr=each.owner, size=each.size, align=each.align))

    def _visit(self, places: list[Address], lent: Mapping[str, _Lent], *, writes: bool) -> None:
        """Copy what is in each place, and put it back if the visitor writes."""
        for place in places:
            size = place.size
            copy = self.draft.name("copy")
            self.draft.add(p.Heap(to=copy, size=size))
            self.draft.add(p.Copy(from_=place.variable, to_ptr=copy, size=size, overlapping=False))
            if writes:
                self.draft.add(
                    p.Copy(from_=copy, to_ptr=place.variable, size=size, overlapping=False)
                )

    # What no access shows to be undefined

    def _breach(self, phase: str, told: list[Told]) -> UndefinedBehaviour | None:
        """The promise that is broken by Rust that is defined. Raises: CannotSay."""
        draft = self.draft
        match phase:
            case "Pure":
                return self._difference(told[0])
            case "Readonly" if draft.wrote is not None:
                return self._race(FaultKind.READONLY, draft.wrote, "writes what others may read")
            case "Nomem" if draft.used_static is not None:
                return self._race(FaultKind.NOMEM, draft.used_static, "uses a static")
        return None

    def _difference(self, told: Told) -> UndefinedBehaviour | None:
        for operand, value in zip(self.block.outputs, told.outputs, strict=True):
            if Cause.CHOICE in value.hangs_on:
                said = f"{operand.name} differs for the same inputs"
                return UndefinedBehaviour(rule=2, kind=FaultKind.PURE, message=said)
            if Cause.SELECTION in value.hangs_on:
                raise CannotSay(f"whether {operand.name} can be more than one value")
            if Cause.MEMORY in value.hangs_on and self.draft.wrote is not None:
                raise CannotSay(f"whether {operand.name} is the same once memory was written")
        return None

    def _race(self, kind: FaultKind, span: Span, said: str) -> UndefinedBehaviour:
        message = f"in spite of {kind}: {self.block.name} {said}"
        return UndefinedBehaviour(rule=2, kind=kind, message=message, location=Location(span=span))
