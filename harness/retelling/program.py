"""The program around blocks, each with its story in its place, in the pointer language.

Its variables that are borrowed, or that are bytes, lie in memory; the others are values. That it
does not panic, by an assertion or a sum, is for who runs it: of those only what they read and
write is told.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from harness.pointer import program as p
from harness.retelling import arithmetic, values as v
from harness.retelling.draft import is_alignment
from harness.retelling.expressions import number_of, terms
from harness.retelling.statements import Statements
from harness.retelling.story import tell
from harness.retelling.values import Address, Bytes, CannotSay, Number, Place, Reference, Unit
from harness.story.block import PROGRAM, SCALARS

if TYPE_CHECKING:
    from harness._native import RustTerm
    from harness.retelling.draft import Draft
    from harness.retelling.values import Value
    from harness.story.block import Block, Operand

_ASSERTIONS = (
    "assert", "assert_eq", "assert_ne", "debug_assert", "debug_assert_eq", "debug_assert_ne",
)  # fmt: skip

_BYTES = re.compile(r"\[u8; (\d{1,6})\]")

_UNTYPED = "i32"
"""What an integer is of which nothing says more."""

_WIDTHS = (16, 8, 4, 2, 1)


def tell_program(
    text: str, blocks: Mapping[str, Block], statics: Mapping[str, Address], draft: Draft
) -> None:
    """Tell the program, and in it the blocks that it calls. Raises: CannotSay, Breach."""
    statements = terms(text)
    borrowed = set(_borrowed(statements))
    scope = _Scope(
        text=PROGRAM, draft=draft, statics=statics, known={}, blocks=blocks, borrowed=borrowed
    )
    for each in statements:
        if scope.statement(each):
            return


def _borrowed(found: Sequence[RustTerm]) -> Iterator[str]:
    """The names of variables that something points to."""
    for term in found:
        if term.kind == "borrow" or (term.kind == "method" and term.text in _SLICES):
            base = term.parts[0]
            while base.kind in ("field", "index"):
                base = base.parts[0]
            if base.kind == "name":
                yield base.text
        yield from _borrowed(term.parts)


_SLICES = ("as_ptr", "as_mut_ptr")


@dataclass(slots=True, kw_only=True)
class _Scope(Statements):
    """blocks: by their names. borrowed: which variables lie in memory.

    structs: of one array of bytes each, as what they look like when they are made.
    """

    blocks: Mapping[str, Block]
    borrowed: set[str]
    structs: dict[str, Bytes] = field(default_factory=dict)

    def statement_of(self, term: RustTerm) -> bool:
        if term.kind == "struct":
            found = _BYTES.fullmatch(term.written or "")
            align = number_of(term.parts[0])
            if found is None or not is_alignment(align) or int(found[1]) % align:
                raise CannotSay("such a struct")
            self.structs[term.text] = Bytes(type=term.text, size=int(found[1]), byte=0, align=align)
            return False
        return Statements.statement_of(self, term)

    # Variables

    def declared(self, term: RustTerm, value: Value) -> Value:
        name = term.text
        if isinstance(value, Number) and value.type is None:
            value = v.typed(value, _UNTYPED)
        if not isinstance(value, Bytes) and name not in self.borrowed:
            return value
        if self.depth:
            raise CannotSay("memory that lasts as long as its block")
        to = self.draft.name("local")
        if isinstance(value, Bytes):
            self.draft.add(p.Local(to=to, size=value.size, init=value.byte, align=value.align))
            return Place(
                variable=to, size=value.size, align=value.align, type=value.type, is_local=True
            )
        if not isinstance(value, Number) or value.exact is None or value.type not in SCALARS:
            raise CannotSay("memory that begins as this")
        size = SCALARS[value.type]
        init = (value.exact % (1 << 8 * size)).to_bytes(size, "little").hex()
        self.draft.add(p.Local(to=to, size=size, init=init, align=size))
        return Place(variable=to, size=size, align=size, type=value.type, is_local=True)

    def assign_variable(self, term: RustTerm, value: Value) -> None:
        name = term.parts[0].text
        held = self.known.get(name)
        if isinstance(held, Place):
            self._change_place(held, term.text, value)
        elif name in self.locals and not term.text:
            self.known[name] = value
        elif held is not None and name in self.locals:
            self.known[name] = arithmetic.binary(term.text, held, value)
        else:
            raise CannotSay(f"the name {name}", term)

    def value(self, term: RustTerm) -> Value:
        found = self._raw_value(term)
        return self._read(found) if isinstance(found, Place) else found

    def _raw_value(self, term: RustTerm) -> Value:
        """As `value`, where a place stays one."""
        return Statements.value(self, term)

    # Places

    def _place(self, term: RustTerm) -> Place:
        """The place that an expression names, without looking at it. Raises: CannotSay."""
        match term.kind:
            case "name" if isinstance(held := self.known.get(term.text), Place):
                return held
            case "field" if term.text == "0":
                base = self._base(term.parts[0])
                if base.type in self.structs and base.at is None:
                    return base
            case "index":
                base = self._place(term.parts[0])
                at = self.number(term.parts[1])
                if base.type in self.structs and base.at is None and 0 <= at < base.size:
                    return replace(base, at=at)
            case "unary" if term.text == "*":
                return self._base(term.parts[0])
        raise CannotSay("such a place", term)

    def _base(self, term: RustTerm) -> Place:
        """The place of a variable, or of what a reference that is one refers to."""
        if term.kind == "name" and isinstance(held := self.known.get(term.text), Reference):
            return held.place
        return self._place(term)

    def part(self, term: RustTerm) -> Value:
        return self._read(self._place(term))

    def dereferenced(self, value: Value, term: RustTerm) -> Value:
        if not isinstance(value, Reference):
            return Statements.dereferenced(self, value, term)
        return self._read(value.place)

    def assign_elsewhere(self, place: RustTerm, operator: str, value: Value) -> None:
        self._change_place(self._place(place), operator, value)

    def _read(self, place: Place) -> Value:
        memory = frozenset((v.Cause.MEMORY,))
        if place.at is not None:
            self.draft.add(p.Read(ptr=place.variable, at=place.at, width=1))
            return v.any_of("u8", memory)
        if place.type is None or place.type not in SCALARS:
            raise CannotSay("a copy of all its bytes")
        aligned = not place.is_local and place.size > 1
        self.draft.add(p.Read(ptr=place.variable, at=0, width=place.size, aligned=aligned))
        return v.any_of(place.type, memory)

    def _change_place(self, place: Place, operator: str, value: Value) -> None:
        if operator:
            value = replace(self._read(place), hangs_on=value.hangs_on)
        if isinstance(value, Bytes):
            self._write_all(place, value)
            return
        if not place.is_unique:
            raise CannotSay("an assignment through a shared reference")
        exact = value.exact if isinstance(value, Number) else None
        if place.at is not None:
            at, width, aligned = place.at, 1, False
        elif place.type in SCALARS:
            at, width, aligned = 0, place.size, not place.is_local and place.size > 1
        else:
            raise CannotSay("an assignment of several bytes to such a place")
        number = (exact or 0) % (1 << 8 * width)
        self.draft.add(
            p.Write(ptr=place.variable, at=at, width=width, value=number, aligned=aligned)
        )

    def _write_all(self, place: Place, value: Bytes) -> None:
        if place.type != value.type or place.at is not None or not place.is_local:
            raise CannotSay("an assignment of several bytes to such a place")
        word = value.byte * 0x0101_0101_0101_0101
        at = 0
        while at < place.size:
            width = next(each for each in _WIDTHS if at + each <= place.size)
            number = word % (1 << min(8 * width, 64))
            self.draft.add(p.Write(ptr=place.variable, at=at, width=width, value=number))
            at += width

    # Borrows

    def borrow(self, term: RustTerm) -> Value:
        draft, to = self.draft, self.draft.name("borrow")
        is_mut = term.text.endswith("mut")
        place = self._borrowed_place(term.parts[0])
        if term.text.startswith("&raw"):
            make_raw = p.RawMut if is_mut else p.RawConst
            draft.add(make_raw(to=to, of=place.variable))
            return Address(variable=to, size=place.size, pointee=place.type)
        make = p.RefMut if is_mut else p.RefShared
        draft.add(make(to=to, of=place.variable, align=place.align))
        return Reference(place=replace(place, variable=to, is_local=False, is_unique=is_mut))

    def _borrowed_place(self, of: RustTerm) -> Place:
        """The place that is borrowed, a raw pointer's too. Raises: CannotSay."""
        if of.kind == "unary" and of.text == "*":
            found = self._raw_value(of.parts[0])
            if isinstance(found, Address):
                return self._pointed(found, of)
        place = self._place(of)
        if place.at is not None:
            raise CannotSay("a borrow of a part", of)
        return place

    def _pointed(self, address: Address, term: RustTerm) -> Place:
        """What a raw pointer is to."""
        made = self.structs.get(address.pointee or "")
        if made is not None:
            size, align = made.size, made.align
        elif address.pointee in SCALARS:
            size = align = SCALARS[address.pointee]
        else:
            raise CannotSay("a reference to memory of such a type", term)
        seen = self.draft.view(address, size)
        return Place(
            variable=seen.variable, size=size, align=align, type=address.pointee, is_local=False
        )

    # Calls

    def method(self, term: RustTerm) -> Value:
        """Beside the methods of values those of a slice, which is borrowed for them."""
        of = term.parts[0]
        if term.text not in _SLICES or of.kind != "field":
            return Statements.method(self, term)
        place = self._place(of)
        to = self.draft.name("p")
        make = p.AsMutPtr if term.text == "as_mut_ptr" else p.AsPtr
        self.draft.add(make(to=to, of=place.variable))
        return Address(variable=to, size=place.size, pointee="u8")

    def macro(self, term: RustTerm) -> Value:
        if term.text not in _ASSERTIONS:
            return Statements.macro(self, term)
        for each in term.parts:
            self.value(each)
        return Unit()

    def call_other(self, term: RustTerm) -> Value:
        made = self.structs.get(term.text)
        if made is not None and len(term.parts) == 1 and term.parts[0].kind == "repeat":
            byte, count = (self.number(each) for each in term.parts[0].parts)
            if count != made.size or not 0 <= byte <= 0xFF:
                raise CannotSay("such bytes", term)
            return replace(made, byte=byte)
        block = self.blocks.get(term.text)
        if block is None:
            return Statements.call_other(self, term)
        given = [self.value(each) for each in term.parts]
        if len(given) != len(block.inputs):
            raise CannotSay("a call with other operands", term)
        inputs = {
            operand.name: self._passed(operand, value, term)
            for operand, value in zip(block.inputs, given, strict=True)
        }
        statics = {name: each for name, each in self.statics.items() if name in block.touches}
        outputs = tell(block, inputs, statics, self.draft).outputs
        return outputs[0] if len(outputs) == 1 else Unit()

    def _passed(self, operand: Operand, value: Value, term: RustTerm) -> Value:
        """A value as an operand. Raises: CannotSay."""
        if operand.pointee is None:
            if isinstance(value, Address | Reference):
                raise CannotSay(f"what is passed as {operand.name}", term)
            return self.wanted(value, operand.type, term)
        if isinstance(value, Reference):
            to = self.draft.name("borrow")
            place = value.place
            make = p.RawMut if place.is_unique else p.RawConst
            self.draft.add(make(to=to, of=place.variable))
            value = Address(variable=to, size=place.size, pointee=place.type)
        if not isinstance(value, Address):
            raise CannotSay(f"what is passed as {operand.name}", term)
        if value.pointee not in (None, operand.pointee):
            raise CannotSay(f"the type of what {operand.name} points to", term)
        return replace(value, pointee=operand.pointee)
