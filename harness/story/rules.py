"""The three rules, as far as names alone decide them, and what breaks which.

Source: the essays in `docs/stories.md`.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

from harness.outcome import FaultKind, Location, Span, UndefinedBehaviour
from harness.story.block import Block, Option, Story

if TYPE_CHECKING:
    from harness._native import RustName

PROMISES = (FaultKind.NOMEM, FaultKind.READONLY, FaultKind.PURE)
"""What only the second rule knows: Rust that breaks one of them is defined as such."""

_LIBRARY = ("std", "core", "alloc")

_MODULES = (
    "alloc", "any", "array", "borrow", "boxed", "cell", "clone", "cmp", "convert", "default",
    "hint", "iter", "marker", "mem", "num", "ops", "option", "primitive", "ptr", "result", "slice",
    "sync", "thread", "vec",
    *(f"{sign}{bits}" for sign in "ui" for bits in (8, 16, 32, 64, 128, "size")), "f32", "f64",
)  # fmt: skip
"""Of the library: what has no state of its own and knows nothing of the world outside."""

_FUNCTIONS = ("std::process::abort",)

_LAST_WORDS = ("std::process::exit",)
"""What only a story may name that does not return: it ends all that there is to reach."""

_MACROS = (
    "assert", "assert_eq", "assert_ne", "debug_assert", "debug_assert_eq", "debug_assert_ne",
    "matches", "panic", "unreachable", "vec",
)  # fmt: skip

_OUTSIDE = ("crate", "super", "self")

_UNSEEN = re.compile(r"(?:.*::)?(?:fence|compiler_fence|alloc|alloc_zeroed|dealloc|realloc|spawn)")
"""What has an effect that no access shows: a fence orders accesses, an allocation begins or ends
the life of memory, a thread goes on."""

_BRANCHES = re.compile(
    r"\b(?:if|match|while|for|loop|then|then_some|compare_exchange\w*|fetch_update)\b|&&|\|\|"
)
"""What a few drawn states may not go into. It may be found where there is none, in a comment."""

NAME_ERRORS = (
    "E0405",
    "E0412",
    "E0422",
    "E0423",
    "E0424",
    "E0425",
    "E0432",
    "E0433",
    "E0434",
    "E0531",
)
"""rustc's codes for a name that is not there."""

_COMPILER_RULES: dict[str, tuple[int, FaultKind]] = {
    **dict.fromkeys(NAME_ERRORS, (1, FaultKind.REACHES_OUT)),
    **dict.fromkeys(("E0384", "E0594", "E0596"), (2, FaultKind.IN_OPERAND)),
    "E0381": (2, FaultKind.OUT_OPERAND),
}


def is_promise(kind: FaultKind) -> bool:
    """Whether it is a declaration that is broken, by Rust that is otherwise defined."""
    return kind in PROMISES


def breach_of_compiling(code: str | None) -> tuple[int, FaultKind] | None:
    """The rule that a story breaks which rustc refuses; None if it is Rust that is wrong."""
    return _COMPILER_RULES.get(code or "")


def breach_by_name(story: Story) -> UndefinedBehaviour | None:
    """The first rule that a block's story breaks by what it names; None if none."""
    for block in story.blocks:
        for name in names(block.story):
            if said := _reaches_out(name, [static.name for static in story.statics], block):
                return _breach(1, FaultKind.REACHES_OUT, said, block, name)
        for name in names(block.story):
            if _UNSEEN.fullmatch(name.name) and name.kind == "path":
                for option in (Option.NOMEM, Option.READONLY):
                    if option in block.options:
                        said = f"{name.name} has an effect on memory, in spite of {option}"
                        return _breach(2, FaultKind(option), said, block, name)
    return None


@cache
def names(text: str) -> tuple[RustName, ...]:
    """What a story names. Raises: RustError."""
    from harness._native import rust_names

    return tuple(rust_names(text))


def shows_all(block: Block) -> bool:
    """Whether a few runs show every effect of the story: no branch, nothing that goes unseen."""
    if _BRANCHES.search(block.story):
        return False
    return not any(_UNSEEN.fullmatch(each.name) for each in names(block.story))


def _breach(
    rule: int, kind: FaultKind, said: str, block: Block, name: RustName
) -> UndefinedBehaviour:
    span = Span(file=block.name, line=name.line, column=name.column)
    return UndefinedBehaviour(
        rule=rule, kind=kind, message=f"{block.name}: {said}", location=Location(span=span)
    )


def _reaches_out(name: RustName, statics: list[str], block: Block) -> str | None:
    """What the name reaches beside operands and the block's statics; None if nothing."""
    match name.kind:
        case "macro":
            known = name.name in _MACROS
            return None if known else f"the macro {name.name}! may reach anything"
        case "opaque":
            return f"what {name.name}! is given cannot be read"
        case "static":
            return f"the static {name.name} lasts from one call to the next"
        case "extern":
            return "it declares foreign functions"
        case "mod":
            return f"it has a module {name.name}"
    path = name.name.removeprefix("::").split("::")
    if len(path) == 1:
        if path[0] in statics and path[0] not in block.touches:
            return f"the static {path[0]} is not among those that it touches"
        return None
    if path[0] in _OUTSIDE:
        return f"{name.name} lies outside of it"
    functions = _FUNCTIONS if block.returns else (*_FUNCTIONS, *_LAST_WORDS)
    whole = "::".join(path)
    if path[0] in _LIBRARY and path[1] not in _MODULES and whole not in functions:
        return f"{name.name} is neither an operand nor a static that it touches"
    return None
