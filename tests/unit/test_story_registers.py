"""Registers: what stands for an operand, and which a compiler may choose."""

from __future__ import annotations

import pytest

from harness.story.block import Access, Block, Operand
from harness.story.native_rust import WAYS
from harness.story.registers import (
    CLASSES,
    GENERAL,
    NO_OPERANDS,
    VECTOR,
    allocate,
    fill,
    full_name,
)


def operand(name: str, access: Access, register: str = "reg", type_: str = "u64") -> Operand:
    return Operand(name=name, access=access, register=register, type=type_)


def block(template: str, *operands: Operand, clobbers: tuple[str, ...] = ()) -> Block:
    return Block(name="b", template=template, operands=operands, clobbers=clobbers, story="")


@pytest.mark.parametrize(
    ("part", "whole"),
    [
        ("al", "rax"),
        ("ah", "rax"),
        ("cx", "rcx"),
        ("esi", "rsi"),
        ("dil", "rdi"),
        ("r9d", "r9"),
        ("r10b", "r10"),
        ("ymm3", "xmm3"),
        ("rbp", "rbp"),
        ("rex", None),
        ("xmm16", None),
    ],
)
def test_a_part_belongs_to_its_register(part: str, whole: str | None) -> None:
    assert full_name(part) == whole


@pytest.mark.parametrize(
    ("placeholder", "register", "written"),
    [
        ("{x}", "rcx", "rcx"),
        ("{x:e}", "rcx", "ecx"),
        ("{x:x}", "rcx", "cx"),
        ("{x:l}", "rcx", "cl"),
        ("{x:h}", "rcx", "ch"),
        ("{x:e}", "r9", "r9d"),
        ("{x:x}", "rsi", "si"),
        ("{{x}}", "rcx", "{{x}}"),
    ],
)
def test_a_modifier_picks_a_part(placeholder: str, register: str, written: str) -> None:
    assert fill(block(placeholder, operand("x", Access.IN)), (register,), {}) == written


def test_the_class_decides_without_a_modifier() -> None:
    byte = operand("x", Access.IN, "reg_byte", "u8")
    assert fill(block("{x}", byte), ("rcx",), {}) == "cl"
    wide = operand("x", Access.IN, "ymm_reg", "__m256i")
    assert fill(block("{x} {x:x}", wide), ("xmm4",), {}) == "ymm4 xmm4"


def test_a_static_stays_for_the_assembler() -> None:
    assert fill(block("[rip + {N}]"), (), {"N": "{N}"}) == "[rip + {N}]"


def test_only_a_late_output_shares_and_only_with_an_input() -> None:
    shared = set()
    for turn in range(WAYS):
        chosen = allocate(block("", *(operand(str(access), access) for access in Access)), turn)
        names = dict(zip(map(str, Access), chosen, strict=True))
        shared.add(names["lateout"] == names["in"])
        assert len({names[name] for name in names if name != "lateout"}) == len(names) - 1
        assert names["lateout"] not in {names["out"], names["inout"], names["inlateout"]}
    assert shared == {False, True}


def test_clobbers_and_named_registers_are_given_to_nobody_else() -> None:
    for turn in range(WAYS):
        named = operand("n", Access.IN, "rdi")
        chosen = allocate(block("", named, operand("x", Access.IN), clobbers=("esi", "rcx")), turn)
        assert chosen[0] == "rdi"
        assert chosen[1] not in {"rdi", "rsi", "rcx"}


def test_no_class_has_a_register_of_the_compilers() -> None:
    for names in CLASSES.values():
        assert set(names) <= {*GENERAL, *VECTOR} - set(NO_OPERANDS)


def test_a_part_that_is_named_takes_its_whole_register() -> None:
    found = block("", operand("x", Access.INOUT, "eax", "u32"), operand("y", Access.IN))
    for turn in range(2 * len(CLASSES["reg"])):
        x, y = allocate(found, turn)
        assert (x, full_name(y) == "rax") == ("eax", False), turn
