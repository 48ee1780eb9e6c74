"""A pair of a user's own, of `asm!` and story, as the block that `harness run` would check.

Nothing is guessed: what cannot be told from the source is a reason, with its place in it.
Reference: `docs/stories.md`, "In your own crate".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.story.block import Block, Option, Story
from harness.story.pair_operands import NAME, RESERVED, Bound, Given, bind
from harness.story.pair_story import write_story, write_template
from harness.story.pair_variables import NotUnderstood
from harness.story.registers import allocate

if TYPE_CHECKING:
    from harness._native import RustPair

_C_ABIS = ("C", "C-unwind", "system", "system-unwind", "sysv64", "sysv64-unwind")
"""What a function of these may overwrite is the same on x86-64 Linux."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unread:
    """Why a block is not checked; line and column count from 1.

    elsewhere: it is for other machines than this one, so that it was never asked for.
    """

    function: str
    line: int
    column: int
    reason: str
    elsewhere: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """A pair that is understood.

    lines: where each line of the story begins in the file; None for one that is not from there.
    assumed: what was taken for granted of pointers, in words.
    locals: the variables around it, which a story that is none of their operands must not read.
    """

    story: Story
    lines: tuple[tuple[int, int] | None, ...]
    assumed: tuple[str, ...]
    locals: frozenset[str]

    @property
    def block(self) -> Block:
        return self.story.blocks[0]


def read_pair(
    pair: RustPair,
    *,
    imports: Sequence[tuple[str, str]] = (),
    items: Sequence[str] = (),
    given: Given | None = None,
) -> Read | Unread:
    """The pair as a story of one block.

    imports, items: what names the file's story may use beside variables.
    """
    try:
        return _read(pair, imports, items, given or Given())
    except NotUnderstood as why:
        return Unread(
            function=pair.function,
            line=why.line or pair.block.line,
            column=why.column or pair.block.column,
            reason=why.reason,
        )


def _read(
    pair: RustPair, imports: Sequence[tuple[str, str]], items: Sequence[str], given: Given
) -> Read:
    bound = bind(pair, given)
    story = write_story(pair, bound, imports, items)
    block = Block(
        name=_block_name(pair.function),
        template=write_template(pair, bound),
        operands=tuple(bound.operands),
        options=_options(pair),
        clobbers=(*bound.clobbers, *_abis(pair)),
        story=story.text,
    )
    try:
        allocate(block, 0)
    except OverflowError:
        raise NotUnderstood("there are not enough registers for the operands") from None
    _check_memory(pair, bound)
    return Read(
        story=Story(arch="x86_64", blocks=(block,), features=tuple(pair.features)),
        lines=story.lines,
        assumed=tuple(bound.assumed),
        locals=frozenset({"self", *(each.name for each in pair.variables)}),
    )


def _check_memory(pair: RustPair, bound: Bound) -> None:
    variables = {each.operand: name for name, each in bound.inputs.items()}
    for each in bound.operands:
        if not each.is_drawable:
            variable = variables[each.name]
            key = f"{pair.function}.{variable}"
            said = f"how many bytes lie behind `{variable}` is not said: --memory {key}=BYTES"
            raise NotUnderstood(said)


def _options(pair: RustPair) -> frozenset[Option]:
    found = set()
    for word in pair.block.options:
        if word in list(Option) and word != "noreturn":
            found.add(Option(word))
        elif word != "raw":
            raise NotUnderstood(f"the option {word} is not understood")
    return frozenset(found)


def _abis(pair: RustPair) -> tuple[str, ...]:
    for abi in pair.block.clobber_abi:
        if abi not in _C_ABIS:
            raise NotUnderstood(f'clobber_abi("{abi}") is not understood')
    return ("C",) if pair.block.clobber_abi else ()


def _block_name(function: str) -> str:
    fine = NAME.fullmatch(function) and function not in RESERVED
    return function if fine else "block"
