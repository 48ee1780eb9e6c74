"""The registers of x86-64, and what stands for an operand in a template."""

from __future__ import annotations

import re

from harness.story.block import Access, Block, Operand

GENERAL = (
    "rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
    *(f"r{number}" for number in range(8, 16)),
)  # fmt: skip
"""In the order of their numbers."""

VECTOR = tuple(f"xmm{number}" for number in range(16))

NO_OPERANDS = ("rbx", "rsp", "rbp")
"""LLVM keeps these to itself."""

C_CLOBBERS = ("rax", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", *VECTOR)
"""What a function of the System V ABI may overwrite."""

C_ARGUMENTS = ("rdi", "rsi", "rdx", "rcx", "r8", "r9")

_FREE = tuple(name for name in GENERAL if name not in NO_OPERANDS)

CLASSES: dict[str, tuple[str, ...]] = {
    "reg": (
        "rdi",
        "rsi",
        "rcx",
        "rdx",
        "r8",
        "r9",
        "r10",
        "r11",
        "rax",
        "r12",
        "r13",
        "r14",
        "r15",
    ),
    "reg_abcd": ("rcx", "rdx", "rax"),
    "reg_byte": ("rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "rax"),
    "xmm_reg": VECTOR,
    "ymm_reg": VECTOR,
}
"""The registers of each class, in the order in which they are given out."""

_LETTERED = {"rax": "a", "rbx": "b", "rcx": "c", "rdx": "d"}
_INDEXED = {"rsi": "si", "rdi": "di", "rbp": "bp", "rsp": "sp"}


def full_name(register: str) -> str | None:
    """The whole register that `register` names or is a part of; None if there is no such."""
    for name in (*GENERAL, *VECTOR):
        if register in (name, *(_sized(name, form) for form in _forms(name))):
            return name
    return None


def _forms(name: str) -> str:
    if name in VECTOR:
        return "xy"
    return "rexlh" if name in _LETTERED else "rexl"


def _sized(name: str, form: str) -> str:
    """The register as a modifier of `asm!` has it: `e` is 32 bits, `l` the lowest byte, …"""
    if name in VECTOR:
        return name.replace("xmm", f"{form}mm")
    if form == "r":
        return name
    if name in _LETTERED:
        letter = _LETTERED[name]
        return {"e": f"e{letter}x", "x": f"{letter}x", "l": f"{letter}l", "h": f"{letter}h"}[form]
    if name in _INDEXED:
        short = _INDEXED[name]
        return {"e": f"e{short}", "x": short, "l": f"{short}l"}[form]
    return name + {"e": "d", "x": "w", "l": "b"}[form]


def allocate(block: Block, turn: int) -> tuple[str, ...]:
    """A register for each operand, as a compiler might choose them.

    turn: another choice for each; in odd ones a `lateout` shares the register of an `in`, as
    long as there are such, which a compiler may do whenever it likes.
    """
    operands = block.operands
    chosen = {each.name: each.register for each in operands if each.register not in CLASSES}
    # A part of a register, such as `eax`, takes all of it.
    taken = {full_name(name) or name for name in (*chosen.values(), *block.clobbers)}
    lenders: list[tuple[str, str]] = []
    for each in operands:
        if each.register not in CLASSES or each.access is Access.LATEOUT:
            continue
        chosen[each.name] = _next_free(each.register, turn, taken)
        taken.add(chosen[each.name])
        if each.access is Access.IN:
            lenders.append((each.register, chosen[each.name]))
    for each in operands:
        if each.name in chosen:
            continue
        lent = next((pair for pair in lenders if pair[0] == each.register), None)
        if turn % 2 and lent:
            lenders.remove(lent)
            chosen[each.name] = lent[1]
        else:
            chosen[each.name] = _next_free(each.register, turn, taken)
            taken.add(chosen[each.name])
    return tuple(chosen[each.name] for each in operands)


def _next_free(class_: str, turn: int, taken: set[str]) -> str:
    names = CLASSES[class_]
    start = turn // 2 * 3 % len(names)
    free = [name for name in (*names[start:], *names[:start]) if name not in taken]
    if not free:
        raise OverflowError(class_)
    return free[0]


PLACEHOLDER = re.compile(r"\{\{|\}\}|\{([A-Za-z_]\w*)(?::([a-z]))?\}|[{}]")
"""A doubled brace, or an operand with its modifier, or a brace that is neither."""


def fill(block: Block, registers: tuple[str, ...], statics: dict[str, str]) -> str:
    """The template with a register for each operand, for a template of `global_asm!`.

    statics: what stands for each that the block touches.
    """
    of_name = {
        each.name: (each, register)
        for each, register in zip(block.operands, registers, strict=True)
    }

    def replace(found: re.Match[str]) -> str:
        name, modifier = found[1], found[2]
        if name is None:
            return found[0]
        if name in of_name:
            return written(*of_name[name], modifier)
        return statics[name]

    return PLACEHOLDER.sub(replace, block.template)


def written(operand: Operand, register: str, modifier: str | None) -> str:
    """The register as it stands in the block for `{operand:modifier}`."""
    if register in VECTOR:
        wide = "y" if operand.register == "ymm_reg" else "x"
        return _sized(register, modifier or wide)
    return _sized(register, modifier or ("l" if operand.register == "reg_byte" else "r"))
