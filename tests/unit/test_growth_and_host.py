"""A memory that grows, and a host that is called: the reference VM and the lowering."""

from __future__ import annotations

import pytest
from hypothesis import given, settings, strategies as st

from harness.bytecode.assembly import parse
from harness.bytecode.program import CALL_DEPTH_LIMIT, GROWTH_LIMIT, Program
from harness.campaign.way import way_of
from harness.lowering.variants import VARIANTS, lower
from harness.mode import MODES, parse_mode
from harness.model.machine import judge
from harness.outcome import FaultKind, Ran, TrapKind, Trapped, UndefinedBehaviour
from harness.pointer import program as p
from harness.pointer.validate import faults
from harness.reference.vm import run, trace

SIZE = 40


def program(text: str, *words: int, step_limit: int = 2_000) -> Program:
    memory = b"".join(word.to_bytes(8, "little") for word in words).ljust(SIZE, b"\0")
    return Program(instructions=parse(text), memory=memory, step_limit=step_limit)


def word(outcome: Ran | Trapped, addr: int) -> int:
    assert outcome.memory is not None
    return int.from_bytes(outcome.memory[addr : addr + 8], "little")


@pytest.mark.parametrize(
    ("more", "result", "size"),
    [
        (0, SIZE, SIZE),
        (1, SIZE, SIZE + 1),
        (GROWTH_LIMIT - SIZE, SIZE, GROWTH_LIMIT),
        (GROWTH_LIMIT - SIZE + 1, 2**64 - 1, SIZE),
        (2**64 - 1, 2**64 - 1, SIZE),
    ],
)
def test_growing(more: int, result: int, size: int) -> None:
    outcome = run(program("grow [0] -> [8]", more))
    assert isinstance(outcome, Ran)
    assert outcome.memory is not None
    assert (word(outcome, 8), len(outcome.memory)) == (result, size)
    assert not any(outcome.memory[16:])


def test_the_trace_has_the_sizes_but_where_it_could_not_grow() -> None:
    text = "grow [0] -> [16]\ngrow [8] -> [16]\ngrow [24] -> [16]"
    assert trace(program(text, 3, 2**63)).sizes == {0: SIZE + 3, 2: SIZE + 3}


def test_a_return_ends_the_program_or_what_the_host_has_entered() -> None:
    text = "host_enter inside, [[0]] -> [8]\nreturn\ninside: host_steps -> [16]\nreturn\nhalt"
    seen = trace(program(text, 16))
    assert seen.path == (0, 2, 3, 1)
    assert isinstance(seen.outcome, Ran)
    assert (word(seen.outcome, 8), word(seen.outcome, 16)) == (2, 2)


def test_the_host_enters_only_so_deep() -> None:
    outcome = run(program("again: host_enter again, [[0]] -> [8]", 9))
    assert isinstance(outcome, Trapped)
    assert (outcome.kind, outcome.location.operand) == (TrapKind.CALL_DEPTH, "target")
    assert outcome.steps == CALL_DEPTH_LIMIT


def test_what_has_grown_is_lowered_to_allocations_that_are_given_back() -> None:
    source = program("grow [0] -> [8]\ngrow [0] -> [8]", 3)
    lowered = lower(source, VARIANTS["raw"], way_of(source)).program
    sizes = [each.size for each in lowered.statements if isinstance(each, p.Heap)]
    freed = [each.ptr for each in lowered.statements if isinstance(each, p.Free)]
    assert sizes == [SIZE, SIZE + 3, SIZE + 6]
    assert freed == ["memory", "memory_g1"]
    assert lowered.result == "memory_g2"


CONTROL = {
    "cached-base": ("grow [0] -> [8]", FaultKind.DANGLING, MODES),
    "kept-borrow": (
        "const.u8 1 -> [16]\nhost_write [16] -> [[24]]\nconst.u8 1 -> [16]",
        FaultKind.ALIASING,
        [mode for mode in MODES if mode.aliasing == "stacked"],
    ),
    "lent-borrow": (
        "host_enter inside, [[24]] -> [8]\nhalt\ninside: const.u8 1 -> [0]\nreturn",
        FaultKind.ALIASING,
        [mode for mode in MODES if mode.aliasing != "none"],
    ),
}


@pytest.mark.parametrize("variant", CONTROL)
def test_what_is_wrong_on_purpose_is_predicted_and_its_repair_is_clean(variant: str) -> None:
    text, kind, modes = CONTROL[variant]
    source = program(text, 8)
    assert VARIANTS[variant].tells(source)
    for mode in modes:
        outcome = judge(lower(source, VARIANTS[variant], way_of(source)).program, mode)
        assert isinstance(outcome, UndefinedBehaviour)
        assert outcome.kind is kind
        assert isinstance(judge(lower(source, VARIANTS["raw"], way_of(source)).program, mode), Ran)


def test_a_variant_is_not_run_where_it_is_raw() -> None:
    source = program("const.u8 1 -> [0]")
    told = {name for name, variant in VARIANTS.items() if not variant.tells(source)}
    assert told == {*CONTROL, "non-null-as-integer"}


TEXTS = (
    "grow [{word}] -> [{other}]",
    "host_read [[{word}]] -> [{byte}]",
    "host_write [{byte}] -> [[{word}]]",
    "host_steps -> [{word}]",
    "host_enter l{label}, [[{word}]] -> [{byte}]",
    "return",
    "jump_if.u8 [{byte}], l{label}",
    "store.u16 [{word}] -> [[{other}]]",
)
WORDS = st.sampled_from((0, 8, 16, 24, 32))


@st.composite
def programs(draw: st.DrawFn) -> Program:
    count = draw(st.integers(1, 5))
    lines = [
        f"l{number}: "
        + draw(st.sampled_from(TEXTS)).format(
            word=draw(WORDS),
            other=draw(WORDS),
            byte=draw(st.integers(0, SIZE - 1)),
            label=draw(st.integers(0, count - 1)),
        )
        for number in range(count)
    ]
    words = draw(st.lists(st.integers(0, SIZE + 5), min_size=5, max_size=5))
    return program("\n".join(lines), *words, step_limit=12)


@settings(max_examples=25)
@given(programs())
def test_every_variant_is_lowered_to_what_the_reference_does(source: Program) -> None:
    reference = run(source)
    for variant in VARIANTS.values():
        lowered = lower(source, variant, way_of(source))
        assert faults(lowered.program) == ()
        if variant.sound or variant.aliasing:
            names = ("none-permissive", *(("tree-permissive",) if variant.sound else ()))
            for name in names:
                seen = judge(lowered.program, parse_mode(name))
                assert type(seen) is type(reference), variant.name
                assert isinstance(seen, Ran | Trapped)
                assert isinstance(reference, Ran | Trapped)
                assert seen.memory == reference.memory, variant.name
