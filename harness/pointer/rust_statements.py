"""Each statement of the pointer language as one line of Rust.

`Packed`, `Split`, `Align…`, `Uninit`, `Mix` and `poke` are in the prelude of
`harness.pointer.rust`. Where a line takes a detour through raw pointers, it does so to
retag and access exactly what `harness.pointer.program` says, and nothing else.
"""

from __future__ import annotations

from typing import assert_never

from harness.pointer import program as p
from harness.pointer.kinds import (
    Borrow,
    LocalArray,
    Reference,
    bound_kind,
    part_size,
)
from harness.pointer.rust_accesses import direct, read_line, write_expression
from harness.pointer.rust_types import Access, Frame, array, bare, valued

_OPERATORS = {"and": "&", "or": "|", "xor": "^"}
_METHODS = {"add": "wrapping_add", "sub": "wrapping_sub", "mul": "wrapping_mul"}
_SHIFTS = {"shl": "wrapping_shl", "shr": "wrapping_shr", "sar": "wrapping_shr"}
_DIVISIONS = {
    "div": "wrapping_div",
    "sdiv": "wrapping_div",
    "rem": "wrapping_rem",
    "srem": "wrapping_rem",
}
_SIGNED = frozenset(("sar", "sdiv", "srem", "slt", "sle"))
_COMPARISONS = {"eq": "==", "ne": "!=", "lt": "<", "le": "<=", "gt": ">", "ge": ">="}

Borrowing = p.RawMut | p.RawConst | p.RefMut | p.RefShared | p.RefCell


def statement_line(statement: p.AnyStatement, frame: Frame) -> str:
    """The Rust of a statement that is neither a call nor a guard; its variable joins `frame`."""
    if isinstance(statement, p.Read):
        return read_line(statement, frame)
    if isinstance(statement, p.Local):
        value = _local_value(statement)
    else:
        value = _expression(statement, frame)
    kind = bound_kind(statement, frame.kind)
    to: str | None = getattr(statement, "to", None)
    if kind is None or to is None:
        return f"{value};"
    return f"let mut {frame.add(to, kind)} = {value};"


def condition(guard: p.Guard, frame: Frame) -> str:
    """What a guard asks for, as a `bool`."""
    left, right = frame.integer(guard.left), frame.integer(guard.right)
    return f"{left} {_COMPARISONS[guard.comparison]} {right}"


def argument_expression(argument: p.Argument, frame: Frame) -> str:
    """An argument that is a reference or a box."""
    of, bytes_ = argument.of, array(argument.size)
    match argument.as_:
        case "mut":
            return f"&mut {_mutable_place(of, frame, bytes_)}"
        case "mut_cell":
            return f"&mut {_mutable_place(of, frame, f'Cell<{bytes_}>')}"
        case "shared":
            return f"&{_shared_place(of, frame, bytes_)}"
        case "cell":
            return f"&{frame.target(of, 'const', f'Cell<{bytes_}>')}"
        case "mix":
            return f"&{frame.target(of, 'const', 'Mix')}"
        case "boxed":
            return f"Box::from_raw({frame.rust(of)} as *mut {bytes_})"


def result_expression(name: str, frame: Frame) -> str:
    """All bytes of PLACE, by value."""
    kind = frame.placed(name)
    if isinstance(kind, LocalArray):
        return frame.local(name)
    return frame.target(name, "const", array(kind.size))


def _expression(statement: p.AnyStatement, frame: Frame) -> str:
    match statement:
        case p.Local() | p.Read() | p.Call() | p.Guard():
            raise AssertionError(statement)
        case p.Heap():
            return f"alloc({_layout(statement)}) as *mut {array(statement.size)}"
        case p.Static():
            return _static(statement)
        case p.Box():
            return f"Box::into_raw(Box::new({_bytes(statement.init, statement.size)}))"
        case p.Free():
            return f"dealloc({frame.rust(statement.ptr)} as *mut u8, {_layout(statement)})"
        case p.DropBox():
            return f"drop(Box::from_raw({frame.rust(statement.ptr)}))"
        case p.RawMut():
            return _raw_mut(statement, frame)
        case p.RawConst():
            return _raw_const(statement, frame)
        case p.RefMut():
            return _ref_mut(statement, frame)
        case p.RefShared():
            return _ref_shared(statement, frame)
        case p.RefCell():
            return _ref_cell(statement, frame)
        case p.RefMix():
            return f"&{frame.target(statement.of, 'const', 'Mix')}"
        case p.AsMutPtr():
            pointer = f"{_receiver(statement.of, frame, 'mut')}.as_mut_ptr()"
            return f"{pointer} as *mut {_place_type(statement.of, frame)}"
        case p.AsPtr():
            pointer = f"{_receiver(statement.of, frame, 'const')}.as_ptr()"
            return f"{pointer} as *mut {_place_type(statement.of, frame)}"
        case p.TwoPhase():
            return _two_phase(statement, frame)
        case p.Sub():
            return f"{_moved(statement, frame)} as *mut {array(statement.size)}"
        case p.Expose():
            return f"{frame.rust(statement.of)}.expose_provenance()"
        case p.Addr():
            return f"{frame.rust(statement.of)}.addr()"
        case p.TransmuteAddr():
            of = statement.of
            return f"transmute::<*mut {_place_type(of, frame)}, usize>({frame.rust(of)})"
        case p.FromExposed():
            bytes_ = array(statement.size)
            return f"ptr::with_exposed_provenance_mut::<{bytes_}>({_sum(statement, frame)})"
        case p.WithAddr():
            address = f"({frame.rust(statement.of)} as *mut u8).with_addr({_sum(statement, frame)})"
            return f"{address} as *mut {array(statement.size)}"
        case p.Transmute():
            return f"transmute::<usize, *mut {array(statement.size)}>({_sum(statement, frame)})"
        case p.Write():
            return write_expression(statement, frame)
        case p.Copy():
            function = "copy" if statement.overlapping else "copy_nonoverlapping"
            source = f"{frame.rust(statement.from_)} as *const u8"
            target = f"{frame.rust(statement.to_ptr)} as *mut u8"
            return f"ptr::{function}({source}, {target}, {_length(statement.size, frame)})"
        case p.Fill():
            target, value = f"{frame.rust(statement.ptr)} as *mut u8", f"{statement.value}u8"
            if isinstance(statement.value, str):
                value = f"{frame.rust(statement.value)} as u8"
            return f"ptr::write_bytes({target}, {value}, {_length(statement.size, frame)})"
        case p.StorePtr():
            pointer = f"*mut {_place_type(statement.of, frame)}"
            place = f"(*({frame.rust(statement.ptr)} as *mut Packed<{pointer}>)).0"
            return f"{place} = {frame.rust(statement.of)}"
        case p.LoadPtr():
            pointer = f"*mut {array(statement.size)}"
            return f"(*({frame.rust(statement.ptr)} as *mut Packed<{pointer}>)).0"
        case p.Int():
            return f"{statement.value}usize"
        case p.Arithmetic():
            return _arithmetic(statement, frame)
        case _:
            assert_never(statement)


def _length(size: p.IntOperand, frame: Frame) -> str:
    return frame.rust(size) if isinstance(size, str) else str(size)


# Allocations


def _local_value(local: p.Local) -> str:
    value = _bytes(local.init, local.size)
    return f"Align{local.align}({value})" if local.align > 1 else value


def _static(static: p.Static) -> str:
    type_, value, place = array(static.size), _bytes(static.init, static.size), "G"
    if static.align > 1:
        type_, value, place = (
            f"Align{static.align}<{type_}>",
            f"Align{static.align}({value})",
            "G.0",
        )
    return f"{{ static mut G: {type_} = {value}; &raw mut {place} }}"


def _bytes(init: int | str | None, size: int) -> str:
    if init is None:
        return f"Uninit::<{size}> {{ nothing: () }}"
    if isinstance(init, int):
        return f"[{init}u8; {size}]"
    escaped = "".join(f"\\x{byte:02x}" for byte in bytes.fromhex(init))
    return f'*b"{escaped}"'


def _layout(statement: p.Heap | p.Free) -> str:
    return f"Layout::from_size_align_unchecked({statement.size}, {statement.align})"


# Borrows


def _place_type(name: str, frame: Frame) -> str:
    return array(frame.placed(name).size)


def _receiver(name: str, frame: Frame, access: Access) -> str:
    """PLACE as what a method is called on, which borrows it by itself."""
    kind = frame.placed(name)
    if isinstance(kind, LocalArray):
        return frame.local(name)
    return frame.target(name, access, array(kind.size))


def _two_phase(statement: p.TwoPhase, frame: Frame) -> str:
    of, value = statement.of, statement.value
    receiver = _receiver(of, frame, "mut")
    if statement.cell:
        receiver = f"({_mutable_place(of, frame, f'Cell<{_place_type(of, frame)}>')})"
    if value is None:
        return f"{receiver}.poke({direct(statement.from_, frame)}[{statement.at}])"
    byte = f"{direct(statement.from_, frame, 'mut')}[{statement.at}]"
    return f"{receiver}.poke({{ {byte} = {value}u8; {value}u8 }})"


def _mutable_place(name: str, frame: Frame, type_: str) -> str:
    """A place of `type_` for `&mut`; a local is reached by a raw pointer to it."""
    if not isinstance(frame.kind(name), LocalArray):
        return frame.target(name, "mut", type_)
    return _through(f"&raw mut {frame.local(name)}", "mut", type_, _place_type(name, frame))


def _shared_place(name: str, frame: Frame, type_: str) -> str:
    """A place of `type_` for `&`, as `_mutable_place`."""
    if not isinstance(frame.kind(name), LocalArray):
        return frame.target(name, "const", type_)
    return _through(f"&raw const {frame.local(name)}", "const", type_, _place_type(name, frame))


def _through(pointer: str, access: Access, type_: str, own: str) -> str:
    return f"*({pointer})" if type_ == own else f"*(({pointer}) as *{access} {type_})"


def _element(statement: Borrowing, frame: Frame) -> str:
    """One byte of a local: `x[at]`."""
    assert statement.at is not None
    at = statement.at
    return f"{frame.local(statement.of)}[{frame.rust(at) if isinstance(at, str) else at}]"


def _part(statement: Borrowing, frame: Frame, access: Access, wrap: str = "{}") -> str:
    """The part of a pointer's PLACE that is borrowed, of type `wrap` of `[u8; its size]`."""
    whole, size = frame.placed(statement.of).size, part_size(statement)
    assert size is not None
    type_ = wrap.format(array(size))
    if isinstance(statement.at, str):
        place = frame.target(statement.of, access, f"[{type_}; {whole}]")
        return f"{place}[{frame.rust(statement.at)}]"
    assert statement.at is not None
    split = f"Split<{statement.at}, {type_}, {whole - statement.at - size}>"
    return f"{frame.target(statement.of, access, split)}.1"


def _raw_mut(statement: p.RawMut, frame: Frame) -> str:
    local = isinstance(frame.kind(statement.of), LocalArray)
    if statement.at is None:
        if local:
            return f"&raw mut {frame.local(statement.of)}"
        return f"&raw mut {frame.target(statement.of, 'mut', _place_type(statement.of, frame))}"
    if local:
        return f"(&raw mut {_element(statement, frame)}) as *mut {array(1)}"
    return f"&raw mut {_part(statement, frame, 'mut')}"


def _raw_const(statement: p.RawConst, frame: Frame) -> str:
    kind = frame.placed(statement.of)
    local = isinstance(kind, LocalArray)
    size = part_size(statement)
    if local:
        place = frame.local(statement.of) if size is None else _element(statement, frame)
    elif size is None:
        place = frame.target(statement.of, "const")
    else:
        place = _part(statement, frame, "const", _cell_wrap(kind))
    return f"(&raw const {place}) as *mut {array(kind.size if size is None else size)}"


def _cell_wrap(kind: object) -> str:
    if isinstance(kind, Reference) and kind.borrow in (Borrow.CELL, Borrow.MUT_CELL):
        return "Cell<{}>"
    if isinstance(kind, Reference) and kind.borrow is Borrow.UNSAFE_CELL:
        return "UnsafeCell<{}>"
    return "{}"


def _ref_mut(statement: p.RefMut, frame: Frame) -> str:
    kind = frame.placed(statement.of)
    wrap = "Cell<{}>" if statement.cell else "{}"
    if statement.at is None:
        type_ = wrap.format(valued(kind.size, statement.align))
        return f"&mut {_mutable_place(statement.of, frame, type_)}"
    if isinstance(kind, LocalArray):
        one = wrap.format(array(1))
        return f"&mut *((&raw mut {_element(statement, frame)}) as *mut {one})"
    return f"&mut {_part(statement, frame, 'mut', wrap)}"


def _ref_shared(statement: p.RefShared, frame: Frame) -> str:
    kind = frame.placed(statement.of)
    if statement.at is None:
        type_ = valued(kind.size, statement.align)
        return f"&{_shared_place(statement.of, frame, type_)}"
    if isinstance(kind, LocalArray):
        return f"&*((&raw const {_element(statement, frame)}) as *const {array(1)})"
    return f"&{_part(statement, frame, 'const')}"


def _ref_cell(statement: p.RefCell, frame: Frame) -> str:
    kind = frame.placed(statement.of)
    wrapper = "UnsafeCell" if statement.unsafe_cell else "Cell"
    if statement.at is not None:
        return f"&{_part(statement, frame, 'const', f'{wrapper}<{{}}>')}"
    type_ = valued(kind.size, statement.align)
    owned = isinstance(kind, LocalArray)
    if owned or (isinstance(kind, Reference) and kind.borrow is Borrow.MUT):
        place = _mutable_place(statement.of, frame, type_)
        made = f"{wrapper}::from_mut(&mut {place})"
        # Of an `UnsafeCell` that is a `&mut`, which would not survive the owner's reads.
        return f"&*{made}" if statement.unsafe_cell else made
    return f"&{frame.target(statement.of, 'const', f'{wrapper}<{type_}>')}"


# Pointer arithmetic


def _moved(statement: p.Sub, frame: Frame) -> str:
    pointer, offset = frame.rust(statement.of), statement.offset
    if offset == 0 and not statement.inbounds:
        return pointer
    negative = isinstance(offset, int) and offset < 0
    method = ("" if statement.inbounds else "wrapping_") + ("sub" if negative else "add")
    distance = abs(offset) if isinstance(offset, int) else frame.rust(offset)
    return f"({pointer} as *mut u8).{method}({distance})"


def _sum(statement: p.FromExposed | p.WithAddr | p.Transmute, frame: Frame) -> str:
    address, offset = frame.rust(statement.int_), statement.offset
    if isinstance(offset, str):
        return f"{address}.wrapping_add({frame.rust(offset)})"
    if offset == 0:
        return address
    return f"{address}.wrapping_{'sub' if offset < 0 else 'add'}({abs(offset)})"


# Integers


def _arithmetic(statement: p.Arithmetic, frame: Frame) -> str:
    left, right = (
        _cut(operand, statement.width, frame) for operand in (statement.left, statement.right)
    )
    operator, unsigned = statement.operator, f"u{8 * statement.width}"
    if operator in _SIGNED:
        signed = f"i{8 * statement.width}"
        left, right = f"({left} as {signed})", f"({right} as {signed})"
    if operator in _OPERATORS:
        value = f"{left} {_OPERATORS[operator]} {right}"
    elif operator in _METHODS:
        value = f"{left}.{_METHODS[operator]}({bare(right)})"
    elif operator in _DIVISIONS:
        quotient = f"{left}.{_DIVISIONS[operator]}({bare(right)})"
        value = f"if {right} == 0 {{ 0 }} else {{ {quotient} }}"
    elif operator in _SHIFTS:
        value = f"{left}.{_SHIFTS[operator]}({right} as u32)"
    else:
        value = f"{left} {_COMPARISONS[operator.removeprefix('s')]} {right}"
    return f"({value}) as {unsigned} as usize" if operator in _SIGNED else f"({value}) as usize"


def _cut(operand: p.IntOperand, width: int, frame: Frame) -> str:
    type_ = f"u{8 * width}"
    if isinstance(operand, str):
        return f"({frame.rust(operand)} as {type_})"
    return f"{operand % (1 << (8 * width))}{type_}"
