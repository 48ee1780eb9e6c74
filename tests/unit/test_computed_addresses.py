"""Addresses that are values in the memory: the reference VM, and what they are lowered to."""

from __future__ import annotations

import pytest
from hypothesis import given, settings, strategies as st

from harness.bytecode.assembly import parse
from harness.bytecode.program import Program
from harness.campaign.way import way_of
from harness.lowering.variants import VARIANTS, lower
from harness.mode import MODES, Provenance, parse_mode
from harness.model.machine import judge
from harness.outcome import Location, Outcome, Ran, TrapKind, Trapped
from harness.pointer import program as p
from harness.pointer.listing import statement_lines
from harness.pointer.validate import faults
from harness.reference.vm import run, trace

SIZE = 40


def memory(*words: int) -> bytes:
    """Each word in eight bytes, and zeros behind them."""
    return b"".join(word.to_bytes(8, "little") for word in words).ljust(SIZE, b"\0")


def program(text: str, *words: int) -> Program:
    return Program(instructions=parse(text), memory=memory(*words))


def test_what_an_instruction_reads_it_reads_before_it_writes() -> None:
    outcome = run(program("load.u64 [[0]] -> [0]", 8, 7))
    assert outcome == Ran(memory=memory(7, 7), steps=1)
    outcome = run(program("store.u64 [8] -> [[0]]", 0, 7))
    assert outcome == Ran(memory=memory(7, 7), steps=1)


@pytest.mark.parametrize(
    ("text", "words", "kind", "operand"),
    [
        ("load.u16 [[0]] -> [8]", (SIZE - 1,), TrapKind.OUT_OF_BOUNDS, "at_op"),
        ("load.u16 [[0]] -> [8]", (7,), TrapKind.MISALIGNED, "at_op"),
        ("store.u32 [8] -> [[0]]", (SIZE - 2,), TrapKind.OUT_OF_BOUNDS, "at_res"),
        ("store.u32 [8] -> [[0]]", (2,), TrapKind.MISALIGNED, "at_res"),
        ("copy [[0]], [8] -> [[16]]", (SIZE, 1, SIZE), TrapKind.OUT_OF_BOUNDS, "at_op"),
        ("copy [[0]], [8] -> [[16]]", (0, 1, SIZE), TrapKind.OUT_OF_BOUNDS, "at_res"),
        ("copy_nonoverlapping [[0]], [8] -> [[16]]", (2, 2, 1), TrapKind.OVERLAP, "at_res"),
        ("copy_nonoverlapping [[0]], [8] -> [[16]]", (1, 2, 2), TrapKind.OVERLAP, "at_res"),
        ("fill [0], [8] -> [[16]]", (0, SIZE, 1), TrapKind.OUT_OF_BOUNDS, "at_res"),
    ],
)
def test_traps_in_running(text: str, words: tuple[int, ...], kind: TrapKind, operand: str) -> None:
    source = program(f"const.u8 7 -> [39]\n{text}", *words)
    changed = source.memory[:-1] + b"\x07"
    location = Location(instruction=1, operand=operand)
    trapped = Trapped(kind=kind, location=location, memory=changed, steps=1)
    assert run(source) == trapped
    assert not trapped.in_compiling
    assert operand in source.instructions[1].computes


def test_an_operand_in_the_program_traps_in_compiling() -> None:
    outcome = run(program("const.u8 7 -> [0]\nload.u8 [[4]] -> [0]"))
    assert isinstance(outcome, Trapped)
    assert (outcome.kind, outcome.location.operand) == (TrapKind.MISALIGNED, "addr_op")
    assert outcome.in_compiling


def test_the_trace_says_what_was_moved() -> None:
    text = """
    copy [[0]], [8] -> [[16]]
    fill [0], [8] -> [[16]]
    copy [[16]], [8] -> [[0]]
    fill [0], [32] -> [[32]]
    copy [[8]], [0] -> [[8]]
    """
    blocks = trace(program(text, 24, 3, 26)).blocks
    moved = {position: (block.size, block.backwards) for position, block in blocks.items()}
    assert moved == {0: (3, True), 1: (3, False), 2: (3, False), 3: (0, False), 4: (24, False)}


RUN_PHASES = {
    "raw": [
        "value_op_0 = read p_op_0[0]: aligned u64",
        "guard value_op_0 <= 38 else out-of-bounds 0 at_op",
        "rest_at_op_0 = value_op_0 & 1: u64",
        "guard rest_at_op_0 == 0 else misaligned 0 at_op",
        "p_at_op_0 = base.add(value_op_0) as [u8; 2]",
        "value_at_op_0 = read p_at_op_0[0]: aligned u16",
        "write p_res_0[0]: aligned u16 = value_at_op_0",
    ],
    "reborrow": [
        "value_op_0 = read p_op_0[0]: aligned u64",
        "guard value_op_0 <= 38 else out-of-bounds 0 at_op",
        "rest_at_op_0 = value_op_0 & 1: u64",
        "guard rest_at_op_0 == 0 else misaligned 0 at_op",
        "p_at_op_0 = call(memory_0_3 = &mut *owner) {",
        "base_at_op_0 = memory_0_3.as_mut_ptr()",
        "q_at_op_0 = base_at_op_0.add(value_op_0) as [u8; 2]",
        "value_at_op_0 = read p_at_op_0[0]: aligned u16",
        "write p_res_0[0]: aligned u16 = value_at_op_0",
    ],
}


def run_phase(variant: str, source: Program) -> list[str]:
    lowered = lower(source, VARIANTS[variant], way_of(source))
    return [
        line
        for path, line in statement_lines(lowered.program)
        if lowered.origins[path].phase == "run"
    ]


@pytest.mark.parametrize("variant", RUN_PHASES)
def test_what_a_load_does(variant: str) -> None:
    assert run_phase(variant, program("load.u16 [[0]] -> [8]", 16)) == RUN_PHASES[variant]


def test_a_second_time_everything_has_another_name() -> None:
    text = "again:\nload.u16 [[0]] -> [8]\njump_unless.u16 [8], done\nstore.u8 [16] -> [[0]]\n"
    source = Program(
        instructions=parse(f"{text}jump again\ndone:\n"), memory=memory(24, 0, 0, 0xFF)
    )
    for variant in VARIANTS.values():
        lowered = lower(source, variant, way_of(source))
        assert faults(lowered.program) == ()


@pytest.mark.parametrize("variant", ["raw", "owner", "slice-ptr", "wrapped", "index", "cell-slice"])
def test_pointers_move_as_many_bytes_as_the_program_says(variant: str) -> None:
    text = "copy [[0]], [8] -> [[16]]\nfill [0], [8] -> [[16]]"
    lowered = lower(program(text, 24, 3, 26), VARIANTS[variant], way_of(program(text, 24, 3, 26)))
    sizes = [
        each.size
        for each in _all(lowered.program.statements)
        if isinstance(each, p.Copy | p.Fill) and isinstance(each.size, str)
    ]
    assert len(sizes) == 2


def _all(statements: tuple[p.AnyStatement, ...]) -> list[p.AnyStatement]:
    inner = [_all(each.body) for each in statements if isinstance(each, p.Call)]
    return [*statements, *(each for body in inner for each in body)]


def test_cells_move_byte_by_byte_in_the_order_that_the_trace_has() -> None:
    lines = run_phase("cell", program("copy [[0]], [8] -> [[16]]", 24, 2, 25))
    assert "guard value7_size_0 == 2 else diverged 0 addr_size" in lines
    moved = [line for line in lines if "cells[index" in line]
    assert moved == [
        "byte1_at_op_0 = read cells[index1_at_op_0]: u8",
        "write cells[index1_at_res_0]: u8 = byte1_at_op_0",
        "byte0_at_op_0 = read cells[index0_at_op_0]: u8",
        "write cells[index0_at_res_0]: u8 = byte0_at_op_0",
    ]


TEXTS = (
    "load.u{bits} [[{word}]] -> [{addr}]",
    "store.u{bits} [{addr}] -> [[{word}]]",
    "copy [[{word}]], [{size}] -> [[{to}]]",
    "copy_nonoverlapping [[{word}]], [{size}] -> [[{to}]]",
    "fill [{byte}], [{size}] -> [[{to}]]",
)
WORDS = st.sampled_from((0, 8, 16, 24, 32))
ADDRESSES = st.integers(0, SIZE + 1) | WORDS | st.integers(0, (1 << 64) - 1)


@st.composite
def programs(draw: st.DrawFn) -> Program:
    lines = []
    for _ in range(draw(st.integers(1, 3))):
        width = draw(st.sampled_from((1, 2, 4, 8)))
        lines.append(
            draw(st.sampled_from(TEXTS)).format(
                bits=8 * width,
                addr=draw(st.integers(0, SIZE // width - 1)) * width,
                byte=draw(st.integers(0, SIZE - 1)),
                word=draw(WORDS),
                size=draw(WORDS),
                to=draw(WORDS),
            )
        )
    words = draw(st.lists(ADDRESSES, min_size=5, max_size=5))
    return program("\n".join(lines), *words)


def second_reading(source: Program) -> tuple[str, bytes]:
    """How the program ends and what is then in memory, byte by byte on a list."""
    cells = list(source.memory)

    def number(addr: int, width: int) -> int:
        return sum(cells[addr + at] << 8 * at for at in range(width))

    for instruction in source.instructions:
        form = type(instruction).__name__
        if form in ("Load", "Store"):
            width = int(instruction.width)  # type: ignore[union-attr]
            pointer = instruction.operands()[0 if form == "Load" else 1].addr
            other = instruction.operands()[1 if form == "Load" else 0].addr
            address = number(pointer, 8)
            if not 0 <= address <= len(cells) - width:
                return "out-of-bounds", bytes(cells)
            if address % width:
                return "misaligned", bytes(cells)
            from_, to = (address, other) if form == "Load" else (other, address)
            value = [cells[from_ + at] for at in range(width)]
            cells[to : to + width] = value
            continue
        first, size, result = instruction.operands()
        length, target = number(size.addr, 8), number(result.addr, 8)
        source_at = number(first.addr, 8) if form == "Copy" else 0
        if length == 0:
            continue
        reach = (*((source_at,) if form == "Copy" else ()), target)
        if any(length > len(cells) or at > len(cells) - length for at in reach):
            return "out-of-bounds", bytes(cells)
        if form == "Fill":
            cells[target : target + length] = [cells[first.addr]] * length
            continue
        ranges = (set(range(at, at + length)) for at in reach)
        if not instruction.overlapping and set.intersection(*ranges):  # type: ignore[union-attr]
            return "overlap", bytes(cells)
        cells[target : target + length] = cells[source_at : source_at + length]
    return "ran", bytes(cells)


@given(programs())
def test_against_a_second_reading(source: Program) -> None:
    outcome = run(source)
    assert isinstance(outcome, Ran | Trapped)
    kind = str(outcome.kind) if isinstance(outcome, Trapped) else outcome.name
    assert (kind, outcome.memory) == second_reading(source)


@settings(max_examples=30)
@given(programs())
def test_every_variant_is_lowered_to_what_the_reference_does(source: Program) -> None:
    reference = run(source)
    for variant in VARIANTS.values():
        if not (variant.sound or variant.aliasing):
            continue
        lowered = lower(source, variant, way_of(source))
        assert faults(lowered.program) == ()
        modes = MODES if variant.sound else (parse_mode("none-permissive"),)
        for mode in modes:
            if variant.strict or mode.provenance is Provenance.PERMISSIVE:
                seen = judge(lowered.program, mode)
                assert _end(seen) == _end(reference), (variant.name, mode)


def _end(outcome: Outcome) -> tuple[object, ...]:
    assert isinstance(outcome, Ran | Trapped)
    if isinstance(outcome, Ran):
        return (outcome.memory,)
    where = outcome.location
    return (outcome.memory, outcome.kind, where.instruction, where.operand)
