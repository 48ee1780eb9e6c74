"""Case files written: a program as the text of a case that `harness.cases.load` reads."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, assert_never

from harness.bytecode import assembly
from harness.bytecode.program import STEP_LIMIT, Program
from harness.errors import printable
from harness.mode import MODES, Mode
from harness.outcome import (
    Leaked,
    Meaning,
    Outcome,
    Panicked,
    Ran,
    TimedOut,
    ToolFailed,
    Trapped,
    UndefinedBehaviour,
    Unsupported,
)
from harness.pointer import listing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.pointer.program import Path, PointerProgram

NO_RULE = "none is broken, by prediction"

_BYTES_TO_A_LINE = 16


def pointer_case_text(
    program: PointerProgram,
    *,
    description: str,
    source: str,
    rule: str,
    expected: Mapping[Mode, Outcome] | None = None,
    remarks: Sequence[str] = (),
) -> str:
    """The text of a pointer case. expected: what each mode must show; None for no `[expect]`.

    rule: the one that it is about, empty if there is none.
    remarks: comments, a line each, at the head.
    """
    lines = [
        *(f"# {printable(each)}" for each in remarks),
        'kind = "pointer"',
        f"description = {_string(description)}",
        f"source = {_string(source)}",
        f"rule = {_string(rule or NO_RULE)}",
        "program = '''",
        f"{listing.format(program)}'''",
    ]
    if expected:
        lines += ["", "[expect]", *_expectations(expected)]
    return "\n".join(lines) + "\n"


def bytecode_case_text(
    program: Program,
    *,
    description: str,
    source: str,
    expected: Meaning,
    remarks: Sequence[str] = (),
) -> str:
    """The text of a bytecode case. expected: what the program comes to on the reference VM."""
    lines = [
        *(f"# {printable(each)}" for each in remarks),
        f"description = {_string(description)}",
        f"source = {_string(source)}",
        "program = '''",
        f"{assembly.format(program.instructions)}'''",
    ]
    if program.step_limit != STEP_LIMIT:
        lines.append(f"step_limit = {program.step_limit}")
    lines += ["", "[memory]", f"size = {len(program.memory)}"]
    if any(program.memory):
        lines.append(f"bytes = {_pieces(bytes(len(program.memory)), program.memory)}")
    lines += ["", "[expect]"]
    if isinstance(expected, Trapped):
        lines.append(f'trap = "{expected.kind}"')
    if isinstance(expected, UndefinedBehaviour):
        lines.append(f'undefined = "{expected.kind}"')
    if isinstance(expected, Trapped | UndefinedBehaviour):
        lines.append(f"instruction = {expected.location.instruction}")
        lines.append(f"operand = {_string(expected.location.operand or '')}")
    if isinstance(expected, Unsupported):
        lines.append("undetermined = true")
    if isinstance(expected, Ran | Trapped) and expected.memory and not _unmoved(expected):
        size = len(expected.memory)
        if size != len(program.memory):
            lines.append(f"size = {size}")
        before = program.memory.ljust(size, b"\0")
        lines.append(f"memory = {_pieces(before, expected.memory)}")
    if isinstance(expected, Ran) and expected.steps is not None:
        lines.append(f"steps = {expected.steps}")
    return "\n".join(lines) + "\n"


def _unmoved(expected: Ran | Trapped) -> bool:
    """Whether the case needs no memory: a trap of compiling comes before any is touched."""
    return isinstance(expected, Trapped) and expected.in_compiling


def _expectations(expected: Mapping[Mode, Outcome]) -> list[str]:
    words = {mode: f'"{expectation_words(outcome)}"' for mode, outcome in expected.items()}
    if set(words) == set(MODES) and len(set(words.values())) == 1:
        return [f"all = {words[MODES[0]]}"]
    return [f"{mode} = {outcome}" for mode, outcome in words.items()]


def expectation_words(outcome: Outcome) -> str:
    """The outcome as `[expect]` of a pointer case has it.

    Raises: ValueError, for one that no case can state.
    """
    match outcome:
        case Ran(checksum=None):
            return "ran"
        case Ran(checksum=checksum):
            return f"ran {checksum}"
        case Trapped(kind=kind, location=place):
            return f"trapped {kind} {place.instruction} {place.operand}"
        case UndefinedBehaviour(kind=kind) | Unsupported(kind=kind):
            return f"{outcome.name} {kind} @{_path(outcome.location.path)}"
        case Panicked(location=place):
            return f"panicked @{_path(place.path)}"
        case Leaked() | TimedOut() | ToolFailed():
            raise ValueError(f"no case states {outcome.name}")
        case _:
            assert_never(outcome)


def _path(path: Path | None) -> str:
    return ".".join(map(str, path or ()))


def _string(text: str) -> str:
    """A TOML string; of JSON's escapes all are TOML's, once nothing unprintable is left."""
    return json.dumps(printable(text), ensure_ascii=False)


def _pieces(before: bytes, after: bytes) -> str:
    """The bytes that differ, as a table by address."""
    pieces = []
    for start in range(0, len(after), _BYTES_TO_A_LINE):
        part = after[start : start + _BYTES_TO_A_LINE]
        if part != before[start : start + len(part)]:
            pieces.append(f'{start} = "{part.hex(" ")}"')
    return "{ " + ", ".join(pieces) + " }" if pieces else "{}"
