"""Result lines: the one line that a run of generated Rust ends with.

    ran STEPS MEMORY                            the Rust VM
    ran CHECKSUM MEMORY                         a pointer program
    trapped KIND INSTRUCTION OPERAND MEMORY     either
    trapped not-expressed …                     the Rust VM, of a variant that cannot run it

Memory is hexadecimal, and `-` where there is none.
"""

from __future__ import annotations

import re

from harness.outcome import (
    Location,
    Ran,
    ToolFailed,
    TrapKind,
    Trapped,
    Unsupported,
    UnsupportedKind,
)

_MEMORY = r"((?:[0-9a-f]{2})+|-)"
_RAN = re.compile(rf"ran (\d{{1,20}}) {_MEMORY}")
_NOT_EXPRESSED = re.compile(rf"trapped not-expressed (\d{{1,20}}) (\w+) {_MEMORY}")
_TRAPPED = re.compile(rf"trapped ({'|'.join(TrapKind)}) (\d{{1,20}}) (\w+) {_MEMORY}")


def read_vm_result(line: str) -> Ran | Trapped | Unsupported | ToolFailed:
    """What the Rust VM says of a bytecode program."""
    if ran := _RAN.fullmatch(line):
        return Ran(steps=int(ran[1]), memory=_memory(ran[2]))
    if refused := _NOT_EXPRESSED.fullmatch(line):
        return not_expressed(Location(instruction=int(refused[1]), operand=refused[2]))
    return _read_trap(line)


def not_expressed(location: Location) -> Unsupported:
    """What a variant comes to that says it cannot run the program."""
    message = "the variant says that it has no such pointers (`POINTERS`, `pointer`)"
    return Unsupported(kind=UnsupportedKind.NOT_EXPRESSED, message=message, location=location)


def read_pointer_result(line: str, *, has_memory: bool) -> Ran | Trapped | ToolFailed:
    """What a pointer program written out as Rust says of itself.

    has_memory: whether the program has a result; without one it has a checksum alone.
    """
    if ran := _RAN.fullmatch(line):
        memory = _memory(ran[2]) if has_memory else None
        return Ran(checksum=int(ran[1]), memory=memory)
    return _read_trap(line)


def _read_trap(line: str) -> Trapped | ToolFailed:
    trapped = _TRAPPED.fullmatch(line)
    if trapped is None:
        return ToolFailed(message=f"not a result: {line[:200]!r}")
    return Trapped(
        kind=TrapKind(trapped[1]),
        location=Location(instruction=int(trapped[2]), operand=trapped[3]),
        memory=_memory(trapped[4]),
    )


def _memory(text: str) -> bytes:
    return b"" if text == "-" else bytes.fromhex(text)
