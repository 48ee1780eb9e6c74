"""Types of a user's Rust as those of a block's operands: what a register holds, what lies behind.

Types are the texts that `harness._native.rust_stories` writes: `u64`, `*mut u8`, `&[u32; 4]`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from harness.story.block import SCALARS, Borrow, Memory

_POINTER = re.compile(r"\*(const|mut|_) (.+)")
_REFERENCE = re.compile(r"&(mut )?(.+)")
_ARRAY = re.compile(r"\[(\w+); (\d{1,5})\]")

_METHODS = ("as_ptr", "as_mut_ptr", "from_ref", "from_mut", "&raw const", "&raw mut")

_ADDRESSES = ("usize", "u64", "isize", "i64")
"""The integers that an address goes through unchanged."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What a register holds of a variable.

    story: the variable's type, as the story sees it. operand: the type of the block's operand.
    back: the Rust that makes the variable of the operand `{}`; empty where they are the same.
    memory: what a pointer points to; None for a number, and where its size is not said.
    """

    story: str
    operand: str
    back: str = ""
    ranges: tuple[tuple[int, int], ...] | None = None
    memory: Memory | None = None
    assumed: bool = False

    @property
    def is_pointer(self) -> bool:
        return self.operand.startswith("*")


def hold(type_: str, casts: Sequence[str]) -> Held | str:
    """What a register holds of a variable of that type after the casts; a sentence if not known."""
    pointer = _hold_pointer(type_)
    if isinstance(pointer, Held):
        for each in casts:
            if not each.startswith("*") and each not in (*_METHODS, *_ADDRESSES):
                return f"a pointer becomes a {each}"
        return pointer
    if pointer is not None:
        return pointer
    if type_ == "bool":
        return _hold_number(type_, casts, (0, 1), "{} != 0")
    if type_ not in SCALARS:
        return f"what a `{type_}` is, is not known"
    if not casts:
        return Held(story=type_, operand=type_)
    if not _is_integer(type_):
        return f"a {type_} becomes a {casts[-1]}"
    bits = 8 * SCALARS[type_]
    limits = (-(1 << bits - 1), (1 << bits - 1) - 1) if _is_signed(type_) else (0, (1 << bits) - 1)
    return _hold_number(type_, casts, limits, "{} as " + type_)


def _hold_number(
    type_: str, casts: Sequence[str], limits: tuple[int, int], back: str
) -> Held | str:
    """A number between `limits` that is cast to wider and wider integers."""
    operand, size = type_, SCALARS.get(type_, 1)
    for each in casts:
        if not _is_integer(each):
            return f"a {operand} becomes a {each}"
        if SCALARS[each] < size:
            return f"a {operand} is cut to a {each}, so that the story sees more of it"
        operand, size = each, SCALARS[each]
    if operand not in SCALARS:
        return f"what a `{type_}` is in a register is not said"
    if size == SCALARS.get(type_):
        # The same bits.
        return Held(story=type_, operand=type_)
    first, last = limits
    ranges: tuple[tuple[int, int], ...] = (limits,)
    if first < 0 and not _is_signed(operand):
        whole = 1 << 8 * size
        ranges = ((0, last), (whole + first, whole - 1))
    return Held(story=type_, operand=operand, back=back, ranges=ranges)


def _hold_pointer(type_: str) -> Held | str | None:
    """What is held of a pointer or a reference; None if the type is neither."""
    if found := _POINTER.fullmatch(type_):
        borrow, mutable, target = Borrow.RAW, found[1] != "const", found[2]
    elif found := _REFERENCE.fullmatch(type_):
        mutable, target = bool(found[1]), found[2]
        borrow = Borrow.EXCLUSIVE if mutable else Borrow.SHARED
    else:
        return None
    array = _ARRAY.fullmatch(target)
    element = array[1] if array else target
    if element not in SCALARS:
        return f"what lies behind a `{type_}` is not known"
    size = SCALARS[element] * (int(array[2]) if array else 1)
    word = "mut" if mutable else "const"
    is_raw = borrow is Borrow.RAW
    back = ""
    if not is_raw:
        back = "{}.cast::<" + target + ">()"
        back = f"unsafe {{ &{'mut ' if mutable else ''}*{back} }}"
    elif array:
        back = "{}.cast()"
    memory: Memory | None = Memory(size=size, align=min(SCALARS[element], 16), borrow=borrow)
    if size == 0 or (is_raw and size == 1):
        # Bytes are rarely alone, and a number of them stands in no type.
        memory = None
    return Held(
        story=type_.replace("*_", "*mut"),
        operand=f"*{word} {element}",
        back=back,
        memory=memory,
        assumed=is_raw and memory is not None,
    )


def _is_integer(type_: str) -> bool:
    return type_ in SCALARS and type_[0] in "iu"


def _is_signed(type_: str) -> bool:
    return type_[0] == "i"
