"""Blocks, pointers and calls: the reference VM, and the model on what a program is lowered to."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from harness.bytecode import assembly
from harness.bytecode.program import Program
from harness.campaign.way import way_along
from harness.lowering.variants import VARIANTS, lower
from harness.mode import parse_mode
from harness.model.machine import judge
from harness.outcome import FaultKind, Ran, Trapped, UndefinedBehaviour, Unsupported
from harness.reference import vm
from harness.reference.block import NULL, Block, Fault, Pointer, Undetermined

NUMBERS = (8, 16, 1, 0, 2**64 - 8, 40, 3, 2**64 - 1)
"""What lies in the memory, a `u64` each."""

MEMORY = b"".join(number.to_bytes(8, "little") for number in NUMBERS)


def program(text: str) -> Program:
    return Program(instructions=assembly.parse(text), memory=MEMORY, step_limit=100)


FAULTS = {
    Fault.NULL: "read.u8 [p1] -> [0]",
    Fault.DANGLING: "allocate [0] -> p1\nfree p1\nread.u8 [p1] -> [0]",
    Fault.FREED_TWICE: "allocate [0] -> p1\nfree p1\nfree p1",
    Fault.INVALID_FREE: "allocate [0] -> p1\noffset p1, [16] -> p1\nfree p1",
    Fault.OUT_OF_BOUNDS: "allocate [0] -> p1\noffset p1, [0] -> p1\nread.u8 [p1] -> [0]",
    Fault.MISALIGNED: "allocate [0] -> p1\noffset p1, [16] -> p1\nread.u16 [p1] -> [0]",
    Fault.UNINITIALISED: "allocate [0] -> p1\nread.u8 [p1] -> [0]",
    Fault.NO_POINTER: (
        "allocate [0] -> p1\nwrite.u64 [0] -> [p1]\nread_pointer [p1] -> p2\nread.u8 [p2] -> [0]"
    ),
    Fault.POINTER_ARITHMETIC: "allocate [0] -> p1\noffset p1, [8] -> p2",
}


@pytest.mark.parametrize("fault", Fault)
def test_each_fault_has_a_name_of_its_own(fault: Fault) -> None:
    outcome = vm.run(program(FAULTS[fault]))
    assert isinstance(outcome, UndefinedBehaviour)
    assert outcome.message == f"{fault}: {fault.sentence}"
    assert outcome.kind is fault.kind


LINES = st.one_of(
    st.builds("allocate [{}] -> p{}".format, st.sampled_from((0, 8, 24)), st.integers(1, 3)),
    st.builds("free p{}".format, st.integers(0, 3)),
    st.builds(
        "offset p{}, [{}] -> p{}".format,
        st.integers(0, 3),
        st.sampled_from((0, 8, 16, 24, 32, 56)),
        st.integers(1, 3),
    ),
    st.builds("move_pointer p{} -> p{}".format, st.integers(0, 3), st.integers(1, 3)),
    st.builds("is_null p{} -> [48]".format, st.integers(0, 3)),
    st.builds("read_pointer [p{}] -> p{}".format, st.integers(0, 3), st.integers(1, 3)),
    st.builds("write_pointer p{} -> [p{}]".format, st.integers(0, 3), st.integers(0, 3)),
    st.builds("point [[{}]] -> p{}".format, st.sampled_from((0, 8, 40)), st.integers(1, 3)),
    st.builds(
        "read.{} [p{}] -> [48]".format, st.sampled_from(("u8", "u16", "u64")), st.integers(0, 3)
    ),
    st.builds(
        "write.{} [{}] -> [p{}]".format,
        st.sampled_from(("u8", "u32", "u64")),
        st.sampled_from((0, 32)),
        st.integers(0, 3),
    ),
    st.builds("call end, [0], {} -> p{}".format, st.integers(0, 9), st.integers(1, 3)),
    st.just("grow [0] -> [48]"),
    st.just("const.u64 0 -> [40]"),
    st.just("return"),
)


@pytest.mark.parametrize("mode", ["none-strict", "stacked-permissive", "tree-strict"])
@given(st.lists(LINES, max_size=12))
def test_the_model_finds_what_the_reference_vm_finds(mode: str, lines: list[str]) -> None:
    """Two accounts of the same: on blocks of bytes, and on what Rust does for `raw`."""
    source = program("\n".join(["allocate [8] -> p1", "point [[0]] -> p2", *lines, "end:"]))
    seen = vm.trace(source)
    if isinstance(seen.outcome, Unsupported):
        return
    lowered = lower(source, VARIANTS["raw"], way_along(seen))
    found = lowered.locate(judge(lowered.program, parse_mode(mode)))
    assert type(found) is type(seen.outcome)
    match found, seen.outcome:
        case Ran(), Ran():
            assert found.memory == seen.outcome.memory
        case (Trapped(kind=kind, location=place), Trapped(kind=wanted, location=there)) | (
            UndefinedBehaviour(kind=kind, location=place),
            UndefinedBehaviour(kind=wanted, location=there),
        ):
            assert kind == wanted
            assert (place.instruction, place.operand) == (there.instruction, there.operand)


def test_a_pointer_moves_with_its_bytes() -> None:
    block, other = Block.of(bytes(24)), Block.uninitialised(8)
    pointer = Pointer(block=other, offset=3)
    block.store_pointer(1, pointer)
    block.move(1, 12, 8)
    assert block.load_pointer(12) is pointer
    assert block.load_pointer(1) is pointer
    block.move(12, 13, 8)
    assert block.load_pointer(13) is pointer
    assert block.load_pointer(12) == Pointer(block=None, offset=None)


def test_a_byte_over_a_pointer_leaves_none() -> None:
    block = Block.of(bytes(16))
    block.store_pointer(4, Pointer(block=Block.uninitialised(8), offset=0))
    with pytest.raises(Undetermined):
        block.load(8, 8)
    block.store(11, 1, 0)
    assert block.load_pointer(4) == Pointer(block=None, offset=None)
    assert block.load(11, 1) == 0
    for byte in range(4, 11):
        block.store(byte, 1, 0)
    assert block.load_pointer(4) == NULL
    assert not block.pointers


def test_an_address_is_stored_as_the_number_that_it_is() -> None:
    block = Block.of(bytes(8))
    block.store_pointer(0, Pointer(block=None, offset=0x1234))
    assert block.load(0, 8) == 0x1234


@pytest.mark.parametrize("name", ["cell", "cell-slice", "index"])
def test_safe_code_says_which_instruction_it_cannot_express(name: str) -> None:
    source = program("halt\nmove_pointer p0 -> p1")
    refusal = VARIANTS[name].refuses(source)
    assert refusal is not None
    assert refusal.startswith(f"{name} cannot express move_pointer (instruction 1): safe code")
    assert not VARIANTS[name].tells(source)


def test_a_variant_that_stores_addresses_owes_an_undefined_program_nothing() -> None:
    source = program(FAULTS[Fault.DANGLING])
    outcome = vm.run(source)
    assert isinstance(outcome, UndefinedBehaviour)
    assert outcome.kind is FaultKind.DANGLING
    mode = parse_mode("tree-permissive")
    assert VARIANTS["exposed"].promises(source, outcome, mode) is None
    assert VARIANTS["raw"].promises(source, outcome, mode) == outcome
