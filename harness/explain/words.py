"""Words: what the parts of a trace are called, the same on a screen and on a page."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from harness.errors import printable
from harness.explain.trace import (
    Accessed,
    Allocated,
    Block,
    Deallocated,
    Died,
    Entered,
    Event,
    Exposed,
    Left,
    Moment,
    Retagged,
    Step,
    TagNote,
    Trace,
)
from harness.lowering.lowered import Phase
from harness.model.borrows import Interior
from harness.model.memory import AllocationKind
from harness.model.provenance import WILDCARD_TAG
from harness.outcome import (
    Leaked,
    Outcome,
    Panicked,
    Ran,
    TimedOut,
    ToolFailed,
    Trapped,
    UndefinedBehaviour,
    Unsupported,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.explain.explanation import Explanation
    from harness.lowering.lowered import Origin
    from harness.model.borrows import Retag
    from harness.model.provenance import Tag
    from harness.pointer.program import Path

NOTHING_FOUND = "no undefined behaviour found by the model"
"""All that a run without a fault shows; it is never called sound."""

_MOST_SPANS = 4

_KIND_WORDS = {
    AllocationKind.LOCAL: "a local",
    AllocationKind.HEAP: "heap memory",
    AllocationKind.STATIC: "a static",
}

_INTERIOR_WORDS = {
    Interior.NONE: "",
    Interior.ALL: " to a cell",
    Interior.MIDDLE: " to a `Mix`, with a cell in its middle",
}


def path_words(path: Path) -> str:
    """`3.0` for the first statement in the body of statement 3."""
    return ".".join(map(str, path))


def bytes_words(start: int, end: int | None = None) -> str:
    """A range of bytes, whose end is not part of it; one byte without an end."""
    return f"byte {start}" if end in (None, start + 1) else f"bytes {start}..{end}"


def spans_words(spans: Sequence[tuple[int, int]]) -> str:
    """Several ranges of bytes, of which only the first few are named."""
    shown = " and ".join(bytes_words(start, end) for start, end in spans[:_MOST_SPANS])
    more = len(spans) - _MOST_SPANS
    return shown if more <= 0 else f"{shown} and {more} more ranges"


def size_words(size: int) -> str:
    return "1 byte" if size == 1 else f"{size} bytes"


def name_of(trace: Trace, tag: Tag) -> str:
    """The first variable that had the tag, or nothing."""
    note = trace.tags.get(tag)
    return note.names[0] if note is not None and note.names else ""


def tag_words(trace: Trace, tag: Tag | None) -> str:
    """`tag 3 (m)`"""
    if tag is None or tag == WILDCARD_TAG:
        return "unknown provenance"
    name = name_of(trace, tag)
    return f"tag {tag} ({name})" if name else f"tag {tag}"


def short_tag(trace: Trace, tag: Tag) -> str:
    """`3 m`, for stacks and trees."""
    return f"{tag} {name_of(trace, tag)}".rstrip()


def retag_words(retag: Retag) -> str:
    """The kind of pointer that a retag makes: `protected &mut`."""
    qualities = [
        *(["protected"] if retag.function_entry else []),
        *(["two-phase"] if retag.two_phase else []),
    ]
    return " ".join([*qualities, retag.referrer.value]) + _INTERIOR_WORDS[retag.interior]


def making_words(trace: Trace, note: TagNote) -> str:
    """How a tag was made: `as a two-phase &mut, from tag 3 (m)`."""
    if note.retag is None or note.parent is None:
        return f"as the root of {note.block.name}, {_KIND_WORDS[note.block.kind]}"
    return f"as {retag_words(note.retag)}, from {tag_words(trace, note.parent)}"


def event_words(trace: Trace, event: Event) -> str:
    """One event as a phrase."""
    match event:
        case Allocated(block=block, root=root):
            root_words = f"; its root is {tag_words(trace, root)}" if root in trace.tags else ""
            return f"{block_words(block)} comes to life{root_words}"
        case Accessed(block=block, offset=offset, size=size):
            where = f"{bytes_words(offset, offset + size)} of {block.name}"
            return f"{event.access}: {where}{_through(trace, event.tag)}"
        case Retagged(block=block, offset=offset, size=size):
            made = "a new tag" if event.new is None else tag_words(trace, event.new)
            where = bytes_words(offset, offset + size) if size else "no bytes"
            return (
                f"retag: {made}, {retag_words(event.retag)}, for {where} of {block.name}, "
                f"from {tag_words(trace, event.parent)}"
            )
        case Exposed(block=block, tag=tag):
            return f"exposed: the provenance of {tag_words(trace, tag)} in {block.name}"
        case Deallocated(block=block, tag=tag):
            return f"deallocation: {block.name}{_through(trace, tag)}"
        case Died(block=block):
            return f"{block.name} is dead from here on"
        case Entered():
            return "a function is entered"
        case Left():
            return "a function is left: its protectors end"
        case _:
            assert_never(event)


def _through(trace: Trace, tag: Tag) -> str:
    """The tag behind an access, where there are tags at all."""
    if tag == WILDCARD_TAG or tag in trace.tags:
        return f", through {tag_words(trace, tag)}"
    return ""


def block_words(block: Block) -> str:
    """`x, a local of 4 bytes`"""
    align = "" if block.align == 1 else f", aligned to {block.align}"
    return f"{block.name}, {_KIND_WORDS[block.kind]} of {size_words(block.size)}{align}"


def step_words(step: Step) -> str:
    """The statement's text, and which part of a call the step is."""
    if step.moment is Moment.WHOLE:
        return step.text or "the body ends"
    return f"{step.text.removesuffix('{').rstrip()} {step.moment.value}"


def origin_words(origin: Origin | None) -> str:
    """What of the bytecode a statement stands for: `instruction 1, addr_op2, run phase`."""
    if origin is None:
        return ""
    parts = [
        *([] if origin.instruction is None else [f"instruction {origin.instruction}"]),
        *([] if origin.operand is None else [origin.operand]),
    ]
    match origin.phase:
        case Phase.SET_UP:
            parts.append("set-up")
        case Phase.COMPILE | Phase.RUN:
            parts.append(f"{origin.phase} phase")
        case Phase.END:
            parts.append("the owner reads the memory")
        case _:
            assert_never(origin.phase)
    return ", ".join(parts)


def case_words(explanation: Explanation) -> tuple[str, str]:
    """The case with its variant, and its description, fit to be shown anywhere."""
    variant = "" if explanation.variant is None else f", variant {explanation.variant}"
    case = explanation.case
    return f"{printable(case.id)}{variant}", printable(" ".join(case.description.split()))


def outcome_words(outcome: Outcome) -> str:
    """What came of the run, in a line."""
    match outcome:
        case UndefinedBehaviour(kind=kind):
            return f"undefined behaviour: {kind}"
        case Ran(checksum=checksum, memory=memory):
            values = [
                *([] if memory is None else [f"memory {memory.hex(' ') or 'of no bytes'}"]),
                *([] if memory is not None or checksum is None else [f"checksum {checksum}"]),
            ]
            return "; ".join([f"ran: {NOTHING_FOUND}", *values])
        case Trapped(kind=kind, location=location):
            where = (
                "" if location.instruction is None else f" at instruction {location.instruction}"
            )
            operand = "" if location.operand is None else f", {location.operand}"
            return f"trapped ({kind}{where}{operand}): {NOTHING_FOUND}"
        case Unsupported(kind=kind):
            return f"unsupported: {kind}"
        case Panicked(message=message):
            return f"panicked ({message}): {NOTHING_FOUND}"
        case Leaked() | TimedOut() | ToolFailed():
            return f"{outcome.name}: {outcome.message}"
        case _:
            assert_never(outcome)
