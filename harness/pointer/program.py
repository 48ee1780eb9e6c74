"""The pointer language: what Rust code does to memory, one statement for one line of Rust.

Reference: `docs/pointer-language.md`. A program is straight-line; a call holds its body.
Variables are bound once, by the `to` of a statement. Field names are those of the JSON
form, so that a program's JSON is its fields and nothing else; `to_ptr`, `of`, `ptr` and the
like name variables, an `IntOperand` is a literal or the name of an integer variable.
"""

from __future__ import annotations

from typing import Literal

from msgspec import Struct, field

IntOperand = int | str
"""A literal, or the name of an integer variable."""

ArgumentKind = Literal["mut", "shared", "cell", "mix", "boxed"]
ArithmeticOperator = Literal["add", "sub", "mul", "and", "or", "xor"]


class Statement(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="op"):
    """One line of Rust; the subclasses' tags are the `op` of the JSON form."""


# Allocations


class Local(Statement, frozen=True, kw_only=True, tag="local"):
    """`let mut to: [u8; size] = [init; size];`

    init: one byte for all; or hexadecimal bytes, `size` of them; or None: uninitialised.
    align: of the array, in bytes, a power of two.
    """

    to: str
    size: int
    init: int | str | None
    align: int = 1


class Heap(Statement, frozen=True, kw_only=True, tag="heap"):
    """`alloc(Layout(size, align))`: uninitialised; `to` is a raw pointer."""

    to: str
    size: int
    align: int = 1


class Static(Statement, frozen=True, kw_only=True, tag="static"):
    """A `static mut`, and `to` a raw pointer to it. init: as `Local.init`, but never None."""

    to: str
    size: int
    init: int | str
    align: int = 1


class Box(Statement, frozen=True, kw_only=True, tag="box"):
    """`Box::into_raw(Box::new([init; size]))`"""

    to: str
    size: int
    init: int | str


class Free(Statement, frozen=True, kw_only=True, tag="free"):
    """`dealloc(ptr, Layout(size, align))`"""

    ptr: str
    size: int
    align: int = 1


class DropBox(Statement, frozen=True, kw_only=True, tag="drop_box"):
    """`drop(Box::from_raw(ptr))`"""

    ptr: str


# Borrows of a place: a local itself, or what a pointer or reference points to


class RawMut(Statement, frozen=True, kw_only=True, tag="raw_mut"):
    """`&raw mut PLACE`"""

    to: str
    of: str


class RawConst(Statement, frozen=True, kw_only=True, tag="raw_const"):
    """`&raw const PLACE`, cast to `*mut`"""

    to: str
    of: str


class RefMut(Statement, frozen=True, kw_only=True, tag="ref_mut"):
    """`&mut PLACE`. align: alignment of the referent's type, in bytes."""

    to: str
    of: str
    align: int = 1


class RefShared(Statement, frozen=True, kw_only=True, tag="ref_shared"):
    """`&PLACE`. align: as in `RefMut`."""

    to: str
    of: str
    align: int = 1


class RefCell(Statement, frozen=True, kw_only=True, tag="ref_cell"):
    """`&PLACE` as a `&Cell<…>`, of a raw pointer or of another such reference.

    unsafe_cell: a `&UnsafeCell<…>` instead, which the borrow models treat alike.
    """

    to: str
    of: str
    align: int = 1
    unsafe_cell: bool = False


class RefMix(Statement, frozen=True, kw_only=True, tag="ref_mix"):
    """`&PLACE` as `&Mix`: three bytes of which only the middle one is in a `Cell`."""

    to: str
    of: str


class AsMutPtr(Statement, frozen=True, kw_only=True, tag="as_mut_ptr"):
    """`PLACE.as_mut_ptr()` of a slice: reborrows it as `&mut [u8]`, then makes a raw pointer."""

    to: str
    of: str


class AsPtr(Statement, frozen=True, kw_only=True, tag="as_ptr"):
    """`PLACE.as_ptr()` of a slice: reborrows it as `&[u8]`, then makes a raw pointer."""

    to: str
    of: str


class TwoPhase(Statement, frozen=True, kw_only=True, tag="two_phase"):
    """`PLACE.poke((*from_)[at])`: a two-phase borrow of `of`, a read of `from_`, then a write."""

    of: str
    from_: str = field(name="from")
    at: int


# Pointer arithmetic and provenance


class Sub(Statement, frozen=True, kw_only=True, tag="sub"):
    """`of.add(offset)` (`inbounds`) or `of.wrapping_add(offset)`, as a pointer to `size` bytes."""

    to: str
    of: str
    offset: IntOperand
    size: int
    inbounds: bool


class Expose(Statement, frozen=True, kw_only=True, tag="expose"):
    """`of.expose_provenance()`: an integer."""

    to: str
    of: str


class Addr(Statement, frozen=True, kw_only=True, tag="addr"):
    """`of.addr()`: an integer, and nothing exposed."""

    to: str
    of: str


class TransmuteAddr(Statement, frozen=True, kw_only=True, tag="transmute_addr"):
    """`transmute::<*mut _, usize>(of)`: an integer, and nothing exposed."""

    to: str
    of: str


class FromExposed(Statement, frozen=True, kw_only=True, tag="from_exposed"):
    """`with_exposed_provenance_mut::<[u8; size]>(int + offset)`"""

    to: str
    int_: str = field(name="int")
    offset: IntOperand
    size: int


class WithAddr(Statement, frozen=True, kw_only=True, tag="with_addr"):
    """`of.with_addr(int + offset)`, as a pointer to `size` bytes"""

    to: str
    of: str
    int_: str = field(name="int")
    offset: IntOperand
    size: int


class Transmute(Statement, frozen=True, kw_only=True, tag="transmute"):
    """`transmute::<usize, *mut [u8; size]>(int + offset)`: a pointer without provenance"""

    to: str
    int_: str = field(name="int")
    offset: IntOperand
    size: int


# Accesses


class Read(Statement, frozen=True, kw_only=True, tag="read"):
    """Read `width` bytes at `ptr` + `at` as an unsigned integer, which joins the checksum.

    to: an integer variable that keeps the value, or None.
    aligned: through a pointer to the integer type itself, so that the address must be
    a multiple of `width`; otherwise through a packed one.
    """

    ptr: str
    at: IntOperand
    width: int
    to: str | None = None
    aligned: bool = False


class Write(Statement, frozen=True, kw_only=True, tag="write"):
    """Write `value` (modulo its width) at `ptr` + `at`; `aligned` as in `Read`."""

    ptr: str
    at: IntOperand
    width: int
    value: IntOperand
    aligned: bool = False


class Copy(Statement, frozen=True, kw_only=True, tag="copy"):
    """`ptr::copy` (`overlapping`) or `ptr::copy_nonoverlapping` of `size` bytes"""

    from_: str = field(name="from")
    to_ptr: str
    size: int
    overlapping: bool


class StorePtr(Statement, frozen=True, kw_only=True, tag="store_ptr"):
    """Store the pointer `of` at `ptr`, unaligned, 8 bytes on a 64-bit target."""

    ptr: str
    of: str


class LoadPtr(Statement, frozen=True, kw_only=True, tag="load_ptr"):
    """Load a pointer to `size` bytes from `ptr`, unaligned."""

    to: str
    ptr: str
    size: int


# Integers


class Int(Statement, frozen=True, kw_only=True, tag="int"):
    """An integer variable with a literal value."""

    to: str
    value: int


class Arithmetic(Statement, frozen=True, kw_only=True, tag="arithmetic"):
    """`left operator right`, wrapping at `width` bytes."""

    to: str
    operator: ArithmeticOperator
    left: IntOperand
    right: IntOperand
    width: int


# Calls


class Argument(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One argument that is a reference or a box; its parameter is called `to`."""

    to: str
    as_: ArgumentKind = field(name="as")
    of: str
    size: int


class Return(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One returned value: the body's variable `of`, bound to `to` in the caller."""

    to: str
    of: str


class Call(Statement, frozen=True, kw_only=True, tag="call"):
    """A call whose body is run with its reference arguments protected.

    The raw pointers and integers that the body uses are passed by value besides. The call
    has a checksum of its own, which then counts as a value read by the caller.
    """

    args: tuple[Argument, ...]
    body: tuple[AnyStatement, ...]
    returns: tuple[Return, ...] = ()


AnyStatement = (
    Local
    | Heap
    | Static
    | Box
    | Free
    | DropBox
    | RawMut
    | RawConst
    | RefMut
    | RefShared
    | RefCell
    | RefMix
    | AsMutPtr
    | AsPtr
    | TwoPhase
    | Sub
    | Expose
    | Addr
    | TransmuteAddr
    | FromExposed
    | WithAddr
    | Transmute
    | Read
    | Write
    | Copy
    | StorePtr
    | LoadPtr
    | Int
    | Arithmetic
    | Call
)


class PointerProgram(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Statements in order, and the variables that hold the result, if any.

    result: names of variables whose bytes are the program's final memory, as a lowered
    bytecode program has them; pointer programs written by people have a checksum instead.
    """

    statements: tuple[AnyStatement, ...]
    result: str | None = None
