"""Reads and writes of the pointer language as Rust.

Each is one access with the tag of the pointer or reference that it goes through. To that end
a wide access through a reference takes the reference's bits as a raw pointer, since any
borrow, even `&raw mut`, would retag.
"""

from __future__ import annotations

from harness.pointer import program as p
from harness.pointer.kinds import Borrow, Integer, LocalArray, Reference
from harness.pointer.rust_types import Access, Frame, array, borrowed, referent

_CELLS = frozenset((Borrow.CELL, Borrow.UNSAFE_CELL, Borrow.MIX))
"""References that are read and written by the methods of a cell."""

COUNT = "sum = sum.wrapping_mul(31).wrapping_add({} as u64);"
"""How a value that was read joins the checksum."""


def read_line(read: p.Read, frame: Frame) -> str:
    """A read, and what it adds to the checksum; its variable joins `frame`."""
    value = _read(read, frame)
    if read.to is None:
        return COUNT.format(f"({value})")
    to = frame.add(read.to, Integer())
    return f"let mut {to} = ({value}) as usize; {COUNT.format(to)}"


def _read(read: p.Read, frame: Frame) -> str:
    kind = frame.placed(read.ptr)
    if isinstance(kind, Reference) and kind.borrow in _CELLS:
        return _cell_read(read, kind.borrow, frame)
    if isinstance(kind, LocalArray) and read.width > 1:
        assert isinstance(read.at, int)
        place = frame.local(read.ptr)
        single = ", ".join(f"{place}[{read.at + index}]" for index in range(read.width))
        return f"u{8 * read.width}::from_ne_bytes([{single}])"
    return _accessed(read, frame)


def write_expression(write: p.Write, frame: Frame) -> str:
    kind = frame.placed(write.ptr)
    value = _value(write, frame)
    if isinstance(kind, Reference) and kind.borrow in _CELLS:
        return _cellwrite(write, kind.borrow, value, frame)
    if isinstance(kind, LocalArray) and write.width > 1:
        assert isinstance(write.at, int)
        place = frame.local(write.ptr)
        single = "; ".join(
            f"{place}[{write.at + index}] = bytes[{index}]" for index in range(write.width)
        )
        return f"let bytes = ({value}).to_ne_bytes(); {single}"
    return f"{_accessed(write, frame)} = {value}"


def _value(write: p.Write, frame: Frame) -> str:
    type_ = f"u{8 * write.width}"
    if isinstance(write.value, str):
        return f"{frame.rust(write.value)} as {type_}"
    return f"{write.value % (1 << (8 * write.width))}{type_}"


def _at(access: p.Read | p.Write, frame: Frame) -> str:
    return frame.rust(access.at) if isinstance(access.at, str) else str(access.at)


def _accessed(access: p.Read | p.Write, frame: Frame) -> str:
    """The place that is read or written, of an integer's type."""
    kind = frame.placed(access.ptr)
    integer = f"u{8 * access.width}"
    if access.width == 1:
        way: Access = "mut" if isinstance(access, p.Write) else "const"
        return f"{direct(access.ptr, frame, way)}[{_at(access, frame)}]"
    if access.at == 0 and access.aligned and referent(kind) == integer:
        return f"(*{frame.rust(access.ptr)})"
    return _wide(access, frame, integer)


def _wide(access: p.Read | p.Write, frame: Frame, integer: str, wrap: str = "{}") -> str:
    """The place of several bytes behind a pointer, of type `wrap` of `integer`."""
    address = f"{frame.address(access.ptr)}.wrapping_add({_at(access, frame)})"
    if access.aligned:
        return f"(*({address} as *mut {wrap.format(integer)}))"
    field = "" if wrap != "{}" else ".0"
    return f"(*({address} as *mut {wrap.format(f'Packed<{integer}>')})){field}"


def _cell_read(read: p.Read, borrow: Borrow, frame: Frame) -> str:
    if borrow is Borrow.MIX:
        place = f"(*{frame.rust(read.ptr)})"
        return (f"{place}.a", f"{place}.c.get()", f"{place}.b")[int(read.at)]
    packed = read.width > 1 and not read.aligned
    got = f"{_cell_place(read, borrow, frame)}.get()"
    if borrow is Borrow.UNSAFE_CELL:
        got = f"(*{got})"
    return f"{got}.0" if packed else got


def _cellwrite(write: p.Write, borrow: Borrow, value: str, frame: Frame) -> str:
    if borrow is Borrow.MIX:
        return f"(*{frame.rust(write.ptr)}).c.set({value})"
    packed = write.width > 1 and not write.aligned
    place = _cell_place(write, borrow, frame)
    if borrow is Borrow.UNSAFE_CELL:
        return f"(*{place}.get()){'.0' if packed else ''} = {value}"
    return f"{place}.set({f'Packed({value})' if packed else value})"


def _cell_place(access: p.Read | p.Write, borrow: Borrow, frame: Frame) -> str:
    wrap = "Cell<{}>" if borrow is Borrow.CELL else "UnsafeCell<{}>"
    kind = frame.placed(access.ptr)
    integer = f"u{8 * access.width}"
    if access.width == 1:
        bytes_ = f"[{wrap.format('u8')}; {kind.size}]"
        return f"{frame.target(access.ptr, 'const', bytes_)}[{_at(access, frame)}]"
    exact = access.at == 0 and access.aligned and kind.size == access.width
    if exact and referent(kind) == borrowed(borrow, access.width, access.width):
        return f"(*{frame.rust(access.ptr)})"
    return _wide(access, frame, integer, wrap)


def direct(name: str, frame: Frame, access: Access = "const") -> str:
    """PLACE as something to index, of type `[u8; size]`."""
    kind = frame.placed(name)
    if isinstance(kind, LocalArray):
        return frame.local(name)
    if referent(kind) == array(kind.size):
        return f"(*{frame.rust(name)})"
    return frame.target(name, access, array(kind.size))
