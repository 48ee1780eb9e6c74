"""The pointer language: what Rust code does to memory, one statement for one line of Rust.

Reference, with the Rust of every statement: `docs/pointer-language.md`. A program is
straight-line; a call holds its body. Variables are bound once, by the `to` of a statement.
Field names are those of the JSON form, so that a program's JSON is its fields and nothing
else; `to_ptr`, `of`, `ptr` and the like name variables, an `IntOperand` is a literal or the
name of an integer variable. A pointer has 8 bytes, a value the target's byte order.

What the docstrings say of borrows is meant literally, since the abstract machine and the Rust
writer are both written from it:

- PLACE of a variable is a local's own bytes, or what a raw pointer, reference or box points
  to. Naming it neither retags nor accesses anything.
- A *retag* is what the borrow model does where Rust makes a reference or, from anything but
  a raw pointer, a raw pointer. `&raw mut` and `&raw const` of a raw pointer's PLACE give that
  pointer back.
- References to a local, and arguments that are, are made in two steps, `&mut *(&raw mut x)`
  and `&*(&raw const x)`: a retag as a raw pointer, then one as a reference.
- `at` and `size` of a borrow choose a part of PLACE: bytes `at` to `at + size`, of which
  alone the retag speaks. Getting there is pointer arithmetic that must stay in bounds of the
  allocation, as by `add`. An `at` that is a variable makes it `&mut PLACE[at]`, with `size` 1
  and a bounds check that panics.

A statement is named by its *path*: its index in the program, then in the called body, and so
on. What fails on entering or leaving a call has the call's own path; the hand-over of a boxed
parameter at a body's end, and the reading of a program's result, have the path of a statement
that would follow the last one.
"""

from __future__ import annotations

from typing import Literal

from msgspec import Struct, field

IntOperand = int | str
"""A literal, or the name of an integer variable."""

Path = tuple[int, ...]
"""A statement's place: its index in the program, then in the called body, and so on."""

ArgumentKind = Literal["mut", "mut_cell", "shared", "cell", "mix", "boxed"]
ArithmeticOperator = Literal[
    "add",
    "sub",
    "mul",
    "div",
    "rem",
    "sdiv",
    "srem",
    "and",
    "or",
    "xor",
    "shl",
    "shr",
    "sar",
    "eq",
    "ne",
    "lt",
    "le",
    "slt",
    "sle",
]
Comparison = Literal["eq", "ne", "lt", "le", "gt", "ge"]
GuardTrap = Literal[
    "out-of-bounds",
    "misaligned",
    "division-by-zero",
    "division-overflow",
    "assertion-failed",
    "overlap",
    "call-depth",
    "foreign-free",
    "step-limit",
    "diverged",
]


class Statement(
    Struct,
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
    omit_defaults=True,
    tag_field="op",
):
    """One line of Rust; the subclasses' tags are the `op` of the JSON form."""


# Allocations


class Local(Statement, frozen=True, kw_only=True, tag="local"):
    """`let mut to: [u8; size] = [init; size];`, which dies at the end of its body.

    init: one byte for all; or hexadecimal bytes, `size` of them; or None: uninitialised.
    align: in bytes, a power of two. The size of a Rust type is a multiple of its alignment,
    so the allocation is `size` rounded up to `align`; what follows PLACE is uninitialised.
    """

    to: str
    size: int
    init: int | str | None
    align: int = 1


class Heap(Statement, frozen=True, kw_only=True, tag="heap"):
    """`alloc(Layout(size, align))`: exactly `size` uninitialised bytes; `to` is a raw pointer."""

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
    """`Box::into_raw(Box::new([init; size]))`: `to` is a raw pointer. init: as in `Static`."""

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


# Borrows of PLACE or of a part of it


class RawMut(Statement, frozen=True, kw_only=True, tag="raw_mut"):
    """`&raw mut PLACE`

    Of a local, a raw pointer, a `&mut` or a boxed parameter. A part of a local is one byte.
    """

    to: str
    of: str
    at: IntOperand | None = None
    size: int | None = None


class RawConst(Statement, frozen=True, kw_only=True, tag="raw_const"):
    """`&raw const PLACE`, cast to `*mut`; of a variable of any kind but an integer."""

    to: str
    of: str
    at: IntOperand | None = None
    size: int | None = None


class RefMut(Statement, frozen=True, kw_only=True, tag="ref_mut"):
    """`&mut PLACE`, of a local, a raw pointer, a `&mut`, a `&mut Cell` or a boxed parameter.

    align: alignment of the referent's type, in bytes, a power of two that divides the size;
    a reference to an address that is no multiple of it is misaligned. 1 for a part.
    cell: a `&mut Cell<…>` instead: unique, and every byte of the referent interior mutable.
    """

    to: str
    of: str
    align: int = 1
    cell: bool = False
    at: IntOperand | None = None
    size: int | None = None


class RefShared(Statement, frozen=True, kw_only=True, tag="ref_shared"):
    """`&PLACE`, of what `RefMut` takes or of a `&`. align: as in `RefMut`."""

    to: str
    of: str
    align: int = 1
    at: IntOperand | None = None
    size: int | None = None


class RefCell(Statement, frozen=True, kw_only=True, tag="ref_cell"):
    """`&PLACE` as a `&Cell<…>`: every byte of the referent is interior mutable.

    Of a raw pointer, another such reference or a `&mut Cell`; of a `&mut` or a local it is
    `Cell::from_mut(&mut PLACE)`: a retag as `&mut`, one as a protected argument, one as a
    `&Cell`, the end of the protector. align: as in `RefMut`.
    unsafe_cell: a `&UnsafeCell<…>` instead, which the borrow models treat alike.
    """

    to: str
    of: str
    align: int = 1
    unsafe_cell: bool = False
    at: IntOperand | None = None
    size: int | None = None


class RefMix(Statement, frozen=True, kw_only=True, tag="ref_mix"):
    """`&PLACE` as `&Mix`: three bytes of which only the middle one is in a `Cell`.

    Of a raw pointer or another such reference.
    """

    to: str
    of: str


class AsMutPtr(Statement, frozen=True, kw_only=True, tag="as_mut_ptr"):
    """`PLACE.as_mut_ptr()` of a slice; `to` is a raw pointer to all of PLACE.

    A two-phase retag as `&mut [u8]` (of what `RefMut` takes), then a call: its parameter
    `self` is retagged as a protected `&mut`, a raw pointer is made from `self`, the protector
    ends. Of a local, the first retag is of the local itself, with no raw pointer in between.
    """

    to: str
    of: str


class AsPtr(Statement, frozen=True, kw_only=True, tag="as_ptr"):
    """`PLACE.as_ptr()` of a slice: as `AsMutPtr`, with `&` and, last, a `*const` from `self`."""

    to: str
    of: str


class TwoPhase(Statement, frozen=True, kw_only=True, tag="two_phase"):
    """`PLACE.poke((*from)[at])`, where `fn poke(&mut self, v: u8) { self[0] = v }`

    A two-phase retag of `of`, a read of one byte of `from`, then the call.

    value: if given, the argument is `{ (*from)[at] = value; value }` instead: that byte of
    `from`, a raw pointer or a `&mut`, is written while `of` is borrowed.
    cell: `of` is borrowed as a `&mut Cell<…>`, in which `poke` writes to what the cell holds.
    """

    of: str
    from_: str = field(name="from")
    at: int
    value: int | None = None
    cell: bool = False


# Pointer arithmetic and provenance


class Sub(Statement, frozen=True, kw_only=True, tag="sub"):
    """`of.add(offset)` (`inbounds`) or `of.wrapping_add(offset)`, as a pointer to `size` bytes.

    of: a raw pointer. offset: bytes; a negative literal gives `.sub` and `.wrapping_sub`.
    An offset of 0 that is not `inbounds` is a mere cast.
    """

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
    """`with_exposed_provenance_mut::<[u8; size]>(int + offset)`, the sum wrapping"""

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

    to: an integer variable that keeps the value (`width` up to 8), or None.
    aligned: through a pointer to the integer type itself, so that the address must be
    a multiple of `width`; otherwise through a packed one.

    One access through the pointer's own tag, whatever its kind: a reference is not reborrowed.
    Exceptions: a local's bytes are read one by one, directly; a `&Cell` is read by `get`, whose
    retags change no verdict. Width 1 is `PLACE[at]`: an `at` outside PLACE is rejected as a
    literal and panics as a variable. Wider reads compute their address by `wrapping_add` and are
    checked by nobody but the memory.
    """

    ptr: str
    at: IntOperand
    width: int
    to: str | None = None
    aligned: bool = False


class Write(Statement, frozen=True, kw_only=True, tag="write"):
    """Write `value` (modulo its width) at `ptr` + `at`; all else as in `Read`.

    value: a literal below 2**64, or a variable; zero-extended at `width` 16.

    A `&Cell` is written by `Cell::set`, which reads the old value first (it is
    `Cell::replace`), so that the bytes must be initialised; a `&UnsafeCell` through its `get`,
    which does not.
    """

    ptr: str
    at: IntOperand
    width: int
    value: IntOperand
    aligned: bool = False


class Copy(Statement, frozen=True, kw_only=True, tag="copy"):
    """`ptr::copy` (`overlapping`) or `ptr::copy_nonoverlapping` of `size` bytes

    Both are raw pointers. Provenance is copied with the bytes.
    """

    from_: str = field(name="from")
    to_ptr: str
    size: IntOperand
    overlapping: bool


class Fill(Statement, frozen=True, kw_only=True, tag="fill"):
    """`ptr::write_bytes(ptr, value, size)`: `size` bytes, each the low byte of `value`"""

    ptr: str
    value: IntOperand
    size: IntOperand


class StorePtr(Statement, frozen=True, kw_only=True, tag="store_ptr"):
    """Store the raw pointer `of` at the raw pointer `ptr`: 8 bytes, unaligned."""

    ptr: str
    of: str


class LoadPtr(Statement, frozen=True, kw_only=True, tag="load_ptr"):
    """Load a pointer to `size` bytes from the raw pointer `ptr`: 8 bytes, unaligned."""

    to: str
    ptr: str
    size: int


# Integers


class Int(Statement, frozen=True, kw_only=True, tag="int"):
    """An integer variable (64 bits, unsigned) with a literal value."""

    to: str
    value: int


class Arithmetic(Statement, frozen=True, kw_only=True, tag="arithmetic"):
    """`left operator right`, in unsigned integers of `width` bytes (1, 2, 4 or 8), wrapping.

    Both sides are cut to `width` first; a shift's distance is taken modulo the bits. `sar`,
    `sdiv`, `srem`, `slt` and `sle` read them in two's complement. Where there is no quotient
    the result is 0; the largest negative number divided by -1 is itself. A comparison gives 1
    or 0.
    """

    to: str
    operator: ArithmeticOperator
    left: IntOperand
    right: IntOperand
    width: int


class Guard(Statement, frozen=True, kw_only=True, tag="guard"):
    """End the program as trapped unless `left comparison right`: a check that a VM makes.

    Where it fails, the calls that are open are left from the inside out, which ends their
    protectors; the program's result is read; the outcome is `trapped` with the kind `trap`.
    instruction, operand: the bytecode operand that the check is for.
    """

    left: IntOperand
    comparison: Comparison
    right: IntOperand
    trap: GuardTrap
    instruction: int
    operand: str


# Calls


class Argument(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One argument that is a reference or a box; its parameter is called `to`.

    The argument is a borrow as by `RefMut` (`mut_cell`: of its `cell`), `RefShared`, `RefCell`
    (never `from_mut`) or `RefMix`, or a `Box::from_raw(of)`; the parameter is retagged again,
    with a protector.
    size: of the referent; other than that of `of` only where `of` is a raw pointer.
    """

    to: str
    as_: ArgumentKind = field(name="as")
    of: str
    size: int


class Return(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One returned value: the body's variable `of`, bound to `to` in the caller.

    A raw pointer, an integer, or a reference, which is retagged before and after the
    protectors end. A `&mut` is moved: it is returned at most once.
    """

    to: str
    of: str


class Call(Statement, frozen=True, kw_only=True, tag="call"):
    """A call whose body is run with its reference arguments protected.

    The raw pointers and integers that the body uses are passed by value besides; references
    and locals of the caller are out of its reach. The call has a checksum of its own, which
    then counts as a value read by the caller. A boxed parameter that still lives at the
    body's end is handed to `std::mem::forget`; its body has no guard and no index that panics.
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
    | Fill
    | StorePtr
    | LoadPtr
    | Int
    | Arithmetic
    | Guard
    | Call
)


class PointerProgram(
    Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True
):
    """Statements in order, and the variable that holds the result, if any.

    result: a local, raw pointer, `&mut` or `&` bound before the first guard. When the program
    ends, all bytes of its PLACE are read, in one access through its own tag, and are the
    program's final memory, as a lowered bytecode program has it; they must be initialised.
    Pointer programs written by people have a checksum instead.
    """

    statements: tuple[AnyStatement, ...]
    result: str | None = None
