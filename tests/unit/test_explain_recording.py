"""Traces: every step with what the borrow model was told, and its states before and after."""

from __future__ import annotations

import random
from functools import cache

import pytest

from harness.explain.finding import find
from harness.explain.recording import record
from harness.explain.trace import (
    Accessed,
    Allocated,
    Died,
    Entered,
    Left,
    Moment,
    RangeState,
    Retagged,
    Step,
    Trace,
)
from harness.mode import EVERY_MODE, Aliasing, Mode, Provenance, parse_mode
from harness.model.borrows import Access, Referrer, StackView, TreeView
from harness.model.machine import examine
from harness.outcome import Panicked, Ran, Trapped, UndefinedBehaviour
from harness.pointer import program as p
from harness.pointer.generator import generate
from harness.pointer.text import parse

PROTECTED = """
local x = [0; 4]
m = &mut x
p = &raw mut *m
call(a = &mut *m) {
    write a[0]: u8 = 7
    write p[0]: u8 = 1
}
read x[0]: u8
"""

OUTLIVED = """
local x = [0; 2]
p = &raw mut x
m = &mut *p
write p[1]: u8 = 1
read m[0]: u8
read m[1]: u8
"""


def traced(text: str, mode: str, **options: int) -> Trace:
    return record(parse(text).program, parse_mode(mode), **options)


def state(step: Step, offset: int) -> RangeState:
    """The state of one byte of the step's first block."""
    return next(each for each in step.blocks[0].ranges if each.start <= offset < each.end)


def items(view: object) -> list[tuple[int, str]]:
    assert isinstance(view, StackView)
    return [(item.tag, item.permission) for item in view.items]


def nodes(view: object) -> dict[int, str]:
    assert isinstance(view, TreeView)
    return {node.item.tag: node.item.permission for node in view.nodes}


def test_steps_are_the_statements_in_order_and_calls_are_entered_and_left() -> None:
    trace = traced(PROTECTED, "none-strict")
    assert [(step.path, step.moment) for step in trace.steps] == [
        ((0,), Moment.WHOLE),
        ((1,), Moment.WHOLE),
        ((2,), Moment.WHOLE),
        ((3,), Moment.ENTERED),
        ((3, 0), Moment.WHOLE),
        ((3, 1), Moment.WHOLE),
        ((3,), Moment.LEFT),
        ((4,), Moment.WHOLE),
    ]
    assert [step.number for step in trace.steps] == list(range(1, 9))
    assert trace.steps[4].text == "write a[0]: u8 = 7"
    assert trace.steps[4].rust is not None
    assert "= 7u8;" in trace.steps[4].rust
    assert trace.steps[3].events[-1] == Entered()
    assert trace.steps[6].events == (Left(),)


def test_an_empty_call_is_entered_and_left_as_well() -> None:
    trace = traced("local x = [0; 1]\ncall(a = &mut x) {\n}\n", "tree-strict")
    assert [step.moment for step in trace.steps] == [Moment.WHOLE, Moment.ENTERED, Moment.LEFT]


def test_a_write_shows_what_it_takes_off_the_stack_and_only_there() -> None:
    trace = traced(OUTLIVED, "stacked-strict")
    write = trace.steps[3]
    assert not state(write, 0).changed
    assert items(state(write, 1).before) == [
        (1, "Unique"),
        (2, "SharedReadWrite"),
        (3, "Unique"),
    ]
    assert items(state(write, 1).after) == [(1, "Unique"), (2, "SharedReadWrite")]


def test_the_broken_step_shows_the_state_that_it_found() -> None:
    trace = traced(OUTLIVED, "stacked-strict")
    last = trace.steps[-1]
    assert last.path == (5,)
    assert last.broke_event
    assert not any(each.changed for each in last.blocks[0].ranges)
    finding = find(trace)
    assert finding is not None
    assert finding.name == "stacked/read-needs-granting-item"
    assert (finding.offending, finding.conflicting, finding.offset) == (3, None, 1)
    assert finding.concerns(last, 0, state(last, 1))
    assert not finding.concerns(last, 0, state(last, 0))
    assert not finding.concerns(trace.steps[-2], 0, state(trace.steps[-2], 1))
    (story,) = finding.stories
    assert (story.made_at, story.made_in) == ((2,), 3)
    assert story.turn is not None
    assert (story.turn.what, story.turn.at, story.turn.step) == ("died", (3,), 4)


def test_an_access_that_fails_halfway_does_not_spoil_the_state_that_it_found() -> None:
    """At byte 0 the write takes an item away, before it meets a protected one at byte 1."""
    text = """
    local x = [0; 2]
    p = &raw mut x
    r = p.add(1) as [u8; 1]
    m = &mut *p
    call(a = &mut *r) {
        write p[0]: u16 = 1
    }
    """
    trace = traced(text, "stacked-strict")
    finding = find(trace)
    assert finding is not None
    assert (finding.name, finding.offset) == ("stacked/access-keeps-protected-items", 1)
    last = trace.steps[-1]
    assert last.path == (4, 0)
    assert trace.tags[items(state(last, 0).after)[-1][0]].names == ("m",)


def test_a_protector_fault_names_both_tags() -> None:
    trace = traced(PROTECTED, "tree-strict")
    finding = find(trace)
    assert finding is not None
    assert finding.name == "tree/foreign-write-spares-protected"
    assert trace.tags[finding.offending or 0].names == ("m", "p")
    assert trace.tags[finding.conflicting or 0].names == ("a",)
    offending, conflicting = finding.stories
    assert offending.turn is None
    assert conflicting.turn is not None
    assert (conflicting.turn.what, conflicting.turn.step) == ("became Unique", 5)
    assert conflicting.made_in == 4


def test_a_turn_on_leaving_a_call_is_found_in_the_step_that_leaves_it() -> None:
    text = """
    local x = [0; 2]
    p = &raw mut x
    f = call(a = &mut *p as [u8; 1]) {
        write a[0]: u8 = 42
        t = p.add(1) as [u8; 1]
        m = &mut *t
        q = &raw mut *m
        r = q.wrapping_sub(1) as [u8; 1]
        return r
    }
    read f[0]: u8
    """
    trace = traced(text, "tree-strict")
    finding = find(trace)
    assert finding is not None
    turn = finding.stories[0].turn
    assert turn is not None
    step = next(each for each in trace.steps if each.number == turn.step)
    assert (turn.what, step.path, step.moment) == ("died", (2,), Moment.LEFT)


@pytest.mark.parametrize("mode", ["stacked-strict", "tree-strict"])
def test_a_protector_ends_where_its_call_is_left(mode: str) -> None:
    text = (
        "local x = [0; 1]\nm = &mut x\ncall(a = &mut *m) {\nwrite a[0]: u8 = 1\n}\nread m[0]: u8\n"
    )
    trace = traced(text, mode)

    def protected(view: object) -> list[str]:
        assert isinstance(view, StackView | TreeView)
        found = view.items if isinstance(view, StackView) else [node.item for node in view.nodes]
        return [name for item in found if item.protected for name in trace.tags[item.tag].names]

    written, left = trace.steps[3], trace.steps[4]
    assert left.moment is Moment.LEFT
    assert protected(state(written, 0).after) == ["a"]
    assert protected(state(left, 0).before) == ["a"]
    assert protected(state(left, 0).after) == []


def test_names_stand_in_the_order_of_their_binding() -> None:
    """In the body, `t` is a pointer that has the tag of `x` itself."""
    text = "local x = [0; 2]\np = &raw mut x\ncall() {\nt = p.add(1) as [u8; 1]\n}\n"
    assert traced(text, "tree-strict").tags[1].names == ("x", "p", "t")


def test_a_frozen_tag_is_said_to_be_frozen() -> None:
    text = "local x = [0; 1]\nm = &mut x\nwrite m[0]: u8 = 1\nread x[0]: u8\nwrite m[0]: u8 = 2\n"
    finding = find(traced(text, "tree-strict"))
    assert finding is not None
    assert finding.stories[0].turn is not None
    assert finding.stories[0].turn.what == "frozen"


def test_a_tree_grows_and_a_write_changes_it() -> None:
    trace = traced(OUTLIVED, "tree-strict")
    made, write = trace.steps[2], trace.steps[3]
    assert nodes(state(made, 0).before) == {1: "Unique"}
    assert nodes(state(made, 0).after) == {1: "Unique", 2: "Reserved"}
    assert nodes(state(write, 1).after) == {1: "Unique", 2: "Disabled"}
    assert nodes(state(write, 0).after) == {1: "Unique", 2: "Reserved"}
    assert trace.tags[1].names == ("x", "p")


def test_events_are_what_the_model_was_told() -> None:
    text = "local x = [0; 4]\np = x.as_mut_ptr()\nwrite p[0]: u16 = 1\n"
    trace = traced(text, "stacked-strict")
    kinds = [type(event) for event in trace.steps[1].events]
    assert kinds == [Retagged, Entered, Retagged, Retagged, Left]
    receiver, _, parameter, raw, _ = trace.steps[1].events
    assert isinstance(receiver, Retagged)
    assert receiver.retag.two_phase
    assert isinstance(parameter, Retagged)
    assert parameter.retag.function_entry
    assert isinstance(raw, Retagged)
    assert raw.retag.referrer is Referrer.RAW_MUT
    assert raw.new is not None
    assert trace.tags[raw.new].names == ("p",)
    assert trace.tags[raw.new].parent == parameter.new
    (access,) = trace.steps[2].events
    assert isinstance(access, Accessed)
    assert (access.offset, access.size, access.access) == (0, 2, Access.WRITE)
    assert access.tag == raw.new


def test_locals_die_when_their_body_is_left() -> None:
    text = "q = call() {\n local y = [7; 1]\n p = &raw mut y\n return p\n}\nread q[0]: u8\n"
    trace = traced(text, "tree-strict")
    left = trace.steps[3]
    assert isinstance(left.events[-1], Died)
    assert left.events[-1].block.name == "y"
    assert not left.blocks[0].live
    finding = find(trace)
    assert finding is not None
    assert finding.memory is not None
    assert (finding.memory.made_in, finding.memory.died_in) == (2, 4)
    assert finding.memory.died_at == (0,)
    assert finding.stories == ()


def test_a_fault_of_memory_breaks_no_event() -> None:
    trace = traced("h = alloc(1)\ndealloc(h, 1)\ndealloc(h, 1)\n", "stacked-strict")
    assert not trace.steps[-1].broke_event
    assert trace.steps[-1].events == ()
    finding = find(trace)
    assert finding is not None
    assert finding.name == "memory/access-of-live-memory"


def test_only_the_last_steps_are_kept_when_asked_for() -> None:
    whole = traced(PROTECTED, "stacked-strict")
    part = traced(PROTECTED, "stacked-strict", most_steps=2)
    assert part.steps == whole.steps[-2:]
    assert part.left_out == len(whole.steps) - 2
    finding = find(part)
    assert finding is not None
    assert finding.stories[0].made_in is None
    ran = "local x = [0; 1]\nm = &mut x\nread m[0]: u8\n"
    assert [step.number for step in traced(ran, "tree-strict", most_steps=2).steps] == [2, 3]


def test_a_result_is_a_step_and_an_end_without_one_is_none() -> None:
    text = "local x = [0; 2]\nm = &mut x\n"
    assert len(traced(text, "tree-strict").steps) == 2
    with_result = traced(text + "result m\n", "tree-strict")
    assert with_result.steps[-1].text == "result m"
    assert isinstance(with_result.steps[-1].events[0], Accessed)


def test_the_mode_without_a_borrow_model_has_no_tags() -> None:
    trace = traced(PROTECTED, "none-strict")
    assert trace.tags == {}
    assert all(not block.ranges for step in trace.steps for block in step.blocks)
    assert find(trace) is None


def test_ends_that_are_no_fault_have_no_finding() -> None:
    trap = "local x = [0; 1]\ni = 3\nm = &mut x\nguard i < 1 else out-of-bounds 0 addr\nresult m\n"
    assert isinstance(traced(trap, "stacked-strict").judgement.outcome, Trapped)
    assert find(traced(trap, "stacked-strict")) is None
    panic = "local x = [0; 1]\ni = 3\nread x[i]: u8\n"
    assert isinstance(traced(panic, "stacked-strict").judgement.outcome, Panicked)
    assert find(traced(panic, "stacked-strict")) is None


# Laws, over random programs

LAW_MODES = [mode for mode in EVERY_MODE if mode.provenance is Provenance.PERMISSIVE]


@cache
def random_program(seed: int) -> p.PointerProgram:
    return generate(random.Random(f"explain {seed}"), 5 + seed % 25)


@pytest.mark.parametrize("mode", LAW_MODES, ids=str)
def test_watching_changes_no_verdict(mode: Mode) -> None:
    undefined = 0
    for seed in range(40):
        program = random_program(seed)
        trace = record(program, mode)
        judgement = examine(program, mode)
        assert trace.judgement.outcome == judgement.outcome, seed
        assert trace.judgement.rule == judgement.rule, seed
        undefined += isinstance(judgement.outcome, UndefinedBehaviour)
        if isinstance(judgement.outcome, Ran):
            assert not any(step.broke_event for step in trace.steps)
    assert undefined >= 5


@pytest.mark.parametrize("mode", LAW_MODES, ids=str)
def test_the_state_after_a_step_is_the_state_before_the_next(mode: Mode) -> None:
    for seed in range(25):
        trace = record(random_program(seed), mode)
        after: dict[int, tuple[RangeState, ...]] = {}
        for step in trace.steps:
            for block in step.blocks:
                number = block.block.number
                covered = [index for each in block.ranges for index in range(each.start, each.end)]
                if mode.aliasing is not Aliasing.NONE:
                    assert covered == list(range(block.block.size)), (seed, step.number)
                if number not in after:
                    assert any(
                        isinstance(event, Allocated) and event.block.number == number
                        for event in step.events
                    ), (seed, step.number)
                    assert all(each.before is None for each in block.ranges)
                else:
                    assert contents(block.ranges, "before") == contents(after[number], "after"), (
                        seed,
                        step.number,
                    )
                after[number] = block.ranges


def contents(ranges: tuple[RangeState, ...], side: str) -> list[object]:
    """What every byte's state is."""
    found: list[object] = []
    for each in ranges:
        view = getattr(each, side)
        said = (
            (view.items, view.unknown_below) if isinstance(view, StackView) else tuple(view.nodes)
        )
        found += [said] * (each.end - each.start)
    return found


@pytest.mark.parametrize("mode", LAW_MODES, ids=str)
def test_the_finding_leads_to_steps_that_are_there(mode: Mode) -> None:
    found = 0
    for seed in range(60):
        trace = record(random_program(seed), mode)
        finding = find(trace)
        if finding is None:
            continue
        found += 1
        assert trace.steps[-1].path == finding.at, seed
        for story in finding.stories:
            assert story.made_in is not None, seed
            made = next(step for step in trace.steps if step.number == story.made_in)
            assert made.path == story.made_at, seed
            if story.turn is not None:
                assert story.turn.step is not None, seed
    assert found >= 5
