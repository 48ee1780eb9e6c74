"""Result lines: read strictly, as the program that prints them may be undefined."""

from __future__ import annotations

import pytest

from harness.engines.result_line import read_pointer_result, read_vm_result
from harness.outcome import Location, Ran, ToolFailed, TrapKind, Trapped


def test_the_vm_counts_steps() -> None:
    assert read_vm_result("ran 3 00ff") == Ran(steps=3, memory=b"\x00\xff")
    assert read_vm_result("ran 0 -") == Ran(steps=0, memory=b"")


def test_the_vm_names_a_trap() -> None:
    assert read_vm_result("trapped misaligned 2 addr_op1 0a") == Trapped(
        kind=TrapKind.MISALIGNED,
        location=Location(instruction=2, operand="addr_op1"),
        memory=b"\x0a",
    )


def test_a_pointer_program_has_a_checksum_and_perhaps_memory() -> None:
    largest = 2**64 - 1
    assert read_pointer_result(f"ran {largest} -", has_memory=False) == Ran(checksum=largest)
    assert read_pointer_result("ran 7 -", has_memory=True) == Ran(checksum=7, memory=b"")
    assert read_pointer_result("ran 7 0102", has_memory=True) == Ran(checksum=7, memory=b"\1\2")
    trapped = read_pointer_result("trapped out-of-bounds 0 addr -", has_memory=True)
    assert trapped == Trapped(
        kind=TrapKind.OUT_OF_BOUNDS, location=Location(instruction=0, operand="addr"), memory=b""
    )


@pytest.mark.parametrize(
    "line",
    [
        "",
        "ran",
        "ran 3",
        "ran 3 ",
        "ran 3 0",
        "ran 3 0g",
        "ran 3 00 ",
        " ran 3 00",
        "ran 3 00\n",
        "ran -1 00",
        "ran 3 AB",
        "ran 000000000000000000000 00",
        "trapped 3 addr 00",
        "trapped upside-down 3 addr 00",
        "trapped misaligned 3 addr",
        "panicked",
    ],
)
def test_anything_else_is_no_result(line: str) -> None:
    for outcome in (read_vm_result(line), read_pointer_result(line, has_memory=True)):
        assert isinstance(outcome, ToolFailed)
        assert repr(line) in outcome.message
