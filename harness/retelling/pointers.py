"""What a story does with raw pointers: the methods and functions that the library has for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from harness.retelling.draft import Draft, pointee_size
from harness.retelling.values import Address, CannotSay, Number, Unit

if TYPE_CHECKING:
    from harness._native import RustTerm
    from harness.retelling.values import Value

_READS = {"read": True, "read_volatile": True, "read_unaligned": False}
_WRITES = {"write": True, "write_volatile": True, "write_unaligned": False}
"""Whether the pointer has to be aligned."""

_MOVES = {
    "add": (1, True),
    "sub": (-1, True),
    "offset": (1, True),
    "wrapping_add": (1, False),
    "wrapping_sub": (-1, False),
    "wrapping_offset": (1, False),
    "byte_add": (1, True),
    "byte_sub": (-1, True),
}
"""In which direction, and whether within the allocation."""

_COPIES = {
    "copy_from": (False, True),
    "copy_from_nonoverlapping": (False, False),
    "copy_to": (True, True),
    "copy_to_nonoverlapping": (True, False),
}
"""Whether the receiver is the source, and whether both may overlap."""

_FUNCTIONS = {
    **{name: name for name in (*_READS, *_WRITES, "write_bytes")},
    "copy": "copy_to",
    "copy_nonoverlapping": "copy_to_nonoverlapping",
}
"""Functions of `std::ptr`, and the method that each is."""


class Telling(Protocol):
    """What the expressions around a pointer come to."""

    draft: Draft

    def value(self, term: RustTerm) -> Value: ...

    def address(self, term: RustTerm) -> Address: ...

    def number(self, term: RustTerm) -> int: ...

    def load(self, address: Address, *, aligned: bool) -> Value: ...

    def store(self, address: Address, value: Value, *, aligned: bool) -> None: ...


_MAKERS = {
    **dict.fromkeys(("with_exposed_provenance", "with_exposed_provenance_mut"), True),
    **dict.fromkeys(("without_provenance", "without_provenance_mut"), False),
}
"""Functions of `std::ptr` that make a pointer of an address, and whether it was exposed."""


def is_pointer_call(name: str) -> bool:
    module, _, function = name.rpartition("::")
    return module in ("std::ptr", "core::ptr", "ptr") and function in {**_FUNCTIONS, **_MAKERS}


def call_of_pointers(telling: Telling, name: str, term: RustTerm) -> Value:
    """A function of `std::ptr`: its first argument is what a method's receiver is, or an address.

    Raises: CannotSay.
    """
    function = name.rpartition("::")[2]
    if not term.parts:
        raise CannotSay(f"the function {name} of nothing", term)
    if function in _MAKERS:
        number = telling.value(term.parts[0])
        if not isinstance(number, Number):
            raise CannotSay("what is no address there", term)
        draft = telling.draft
        make = draft.from_exposed if _MAKERS[function] else draft.without_provenance
        return make(number, term.written)
    receiver = telling.address(term.parts[0])
    return method_of_pointer(telling, _FUNCTIONS[function], receiver, term)


def method_of_pointer(telling: Telling, name: str, receiver: Address, term: RustTerm) -> Value:
    """A method of a raw pointer. term: its arguments are the parts after the first.

    Raises: CannotSay.
    """
    draft, arguments = telling.draft, term.parts[1:]
    match len(arguments):
        case 0 if name in _READS:
            return telling.load(receiver, aligned=_READS[name])
        case 0 if name in ("cast_mut", "cast_const"):
            return receiver
        case 0 if name == "cast":
            pointee = term.written
            return _to(receiver, None if pointee == "_" else pointee)
        case 0 if name == "addr":
            return draft.address_of(receiver)
        case 0 if name == "expose_provenance":
            return draft.expose(receiver)
        case 1 if name in _WRITES:
            telling.store(receiver, telling.value(arguments[0]), aligned=_WRITES[name])
            return Unit()
        case 1 if name in _MOVES:
            sign, inbounds = _MOVES[name]
            unit = 1 if name.startswith("byte") else pointee_size(receiver)
            steps = telling.number(arguments[0])
            return draft.move(receiver, sign * steps * unit, inbounds=inbounds)
        case 2 if name in _COPIES:
            is_source, overlapping = _COPIES[name]
            other = telling.address(arguments[0])
            size = telling.number(arguments[1]) * _bytes_alone(receiver, name)
            source, target = (receiver, other) if is_source else (other, receiver)
            draft.copy(source, target, size, overlapping=overlapping)
            return Unit()
        case 2 if name == "write_bytes":
            byte = telling.value(arguments[0])
            known = byte.exact if isinstance(byte, Number) else None
            size = telling.number(arguments[1]) * _bytes_alone(receiver, name)
            draft.fill(receiver, known or 0, size)
            return Unit()
    raise CannotSay(f"the method {name} of a pointer", term)


def _bytes_alone(address: Address, name: str) -> int:
    """The size of an element: a single byte, as larger ones would have to be aligned."""
    if pointee_size(address) != 1:
        raise CannotSay(f"{name} of elements larger than a byte")
    return 1


def _to(address: Address, pointee: str | None) -> Address:
    return Address(
        variable=address.variable,
        size=address.size,
        pointee=pointee,
        is_static=address.is_static,
        hangs_on=address.hangs_on,
    )
