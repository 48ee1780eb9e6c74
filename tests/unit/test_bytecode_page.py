"""`docs/bytecode.md` is complete: every instruction and every trap."""

from __future__ import annotations

import re
from pathlib import Path

from harness.bytecode import assembly
from harness.bytecode.instruction_set import FAMILIES, Form
from harness.bytecode.operands import Width
from harness.bytecode.wire import Malformation
from harness.outcome import TrapKind
from harness.reference.block import Fault

PAGE = (Path(__file__).parents[2] / "docs" / "bytecode.md").read_text(encoding="utf-8")


def section(title: str) -> str:
    return PAGE.partition(f"## {title}\n")[2].partition("\n## ")[0]


def test_every_instruction_has_its_line() -> None:
    lines = re.findall(
        r"^\| `(.+?)` \| `(0x..)` \| (.+) \|$", section("Instructions"), re.MULTILINE
    )
    wanted = []
    for family in FAMILIES:
        form = Form(family=family, width=family.widths[0])
        assert family.widths in (tuple(Width), (None,))
        wanted.append((form.usage.replace(".u8", ".W", 1), f"0x{form.opcode:02x}"))
    assert [(usage, opcode) for usage, opcode, _ in lines] == wanted
    meanings = [meaning for _, _, meaning in lines]
    assert len(set(meanings)) == len(meanings)


def test_every_trap_has_its_line() -> None:
    traps = re.findall(r"^\| `([a-z-]+)` \|", section("Running programs"), re.MULTILINE)
    assert traps == [str(kind) for kind in TrapKind]


def test_the_faults_are_those_of_the_reference_vm() -> None:
    rows = re.findall(r"^\| `([a-z-]+)` \| `([a-z-]+)` \|", section("Blocks and pointers"), re.M)
    assert rows == [(str(fault), str(fault.kind)) for fault in Fault]


def test_the_examples_are_programs() -> None:
    examples = re.findall(r"```text\n(.*?)```", PAGE, re.DOTALL)
    assert [len(assembly.parse(example)) for example in examples] == [2, 2, 3, 2]


def test_the_malformations_are_those_of_the_code() -> None:
    words = section("Wire form").partition("malformed: ")[2].partition(", each")[0]
    assert re.findall("`(.+?)`", words) == [str(each) for each in Malformation]
