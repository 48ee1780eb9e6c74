"""What a story does with the allocator."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from harness.pointer import program as p
from harness.pointer.limits import SIZE_LIMIT
from harness.retelling.draft import is_alignment
from harness.retelling.values import Address, CannotSay, Layout, Unit

if TYPE_CHECKING:
    from harness._native import RustTerm
    from harness.retelling.draft import Draft
    from harness.retelling.values import Value

_LAYOUT = "Layout::from_size_align"
_FUNCTIONS = {_LAYOUT: 2, "alloc": 1, "alloc_zeroed": 1, "dealloc": 2, "realloc": 3}
"""Of `std::alloc`, with the number of their arguments."""


class Telling(Protocol):
    """What the arguments come to."""

    draft: Draft

    def address(self, term: RustTerm) -> Address: ...

    def number(self, term: RustTerm) -> int: ...

    def layout(self, term: RustTerm) -> Layout: ...


def is_memory_call(name: str) -> bool:
    library, _, function = name.partition("::alloc::")
    return library in ("std", "alloc") and function in _FUNCTIONS


def call_of_memory(telling: Telling, name: str, term: RustTerm) -> Value:
    """A function of `std::alloc`. Raises: CannotSay."""
    draft, arguments = telling.draft, term.parts
    function = name.partition("::alloc::")[2]
    if len(arguments) != _FUNCTIONS[function]:
        raise CannotSay(f"the function {name} of so much", term)
    match function:
        case "alloc" | "alloc_zeroed":
            layout = telling.layout(arguments[0])
            found = _allocate(draft, layout)
            if function == "alloc_zeroed":
                draft.add(p.Fill(ptr=found.variable, value=0, size=layout.size))
            return found
        case "dealloc":
            address, layout = telling.address(arguments[0]), telling.layout(arguments[1])
            _free(draft, address, layout)
            return Unit()
        case "realloc":
            address, layout = telling.address(arguments[0]), telling.layout(arguments[1])
            size = telling.number(arguments[2])
            found = _allocate(draft, Layout(size=size, align=layout.align))
            kept = min(size, layout.size)
            draft.add(
                p.Copy(
                    from_=address.variable,
                    to_ptr=found.variable,
                    size=kept,
                    overlapping=False,
                )
            )
            _free(draft, address, layout)
            return found
    return Layout(size=telling.number(arguments[0]), align=telling.number(arguments[1]))


def method_of_layout(name: str, layout: Layout) -> Value:
    """A method of a layout, or of the result that one comes in. Raises: CannotSay."""
    if name != "unwrap":
        raise CannotSay(f"the method {name} of a layout")
    return layout


def _free(draft: Draft, address: Address, layout: Layout) -> None:
    _check(layout, "the end")
    draft.add(p.Free(ptr=address.variable, size=layout.size, align=layout.align))


def _allocate(draft: Draft, layout: Layout) -> Address:
    _check(layout, "an allocation")
    to = draft.name("allocated")
    draft.add(p.Heap(to=to, size=layout.size, align=layout.align))
    return Address(variable=to, size=layout.size, pointee="u8")


def _check(layout: Layout, what: str) -> None:
    """Whether the pointer language has such memory. Raises: CannotSay."""
    if not 1 <= layout.size <= SIZE_LIMIT or not is_alignment(layout.align):
        raise CannotSay(f"{what} of {layout.size} bytes, aligned to {layout.align}")
