"""Story cases: blocks of assembly or foreign functions with their stories, read from files.

Reference: `docs/stories.md`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING, Annotated, ClassVar

from msgspec import Meta, Struct

from harness.cases.mode_keys import MODE_KEYS
from harness.cases.story_block import BlockReader
from harness.cases.toml_document import nearest
from harness.errors import InputError, Place, quoted
from harness.mode import EVERY_MODE, Provenance
from harness.outcome import (
    NOWHERE,
    FaultKind,
    Location,
    Outcome,
    Ran,
    UndefinedBehaviour,
    Unsupported,
    UnsupportedKind,
)
from harness.result import CaseKind
from harness.story.block import PROGRAM, Static, Story
from harness.story.rules import is_promise

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

    from harness.cases.files import CaseFile
    from harness.cases.toml_document import Document
    from harness.mode import Mode

ARCHITECTURES = ("x86_64", "aarch64", "riscv64", "arm")
"""As `target_arch` has them; blocks of the first run natively."""

MOST_ROUNDS = 10_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class StoryCase:
    """A story, and which rule it breaks, if any.

    broken: what breaks; None where all three rules hold. modes: those in which it shows under
    Miri, where the rule is the second. unsupported: those in which Miri cannot run it, as it
    makes pointers out of exposed addresses.
    place: where its first block stands. lines: of each of its texts, where every line begins;
    None for one that is nobody's.
    """

    kind: ClassVar[CaseKind] = CaseKind.STORY
    id: str
    path: Path
    description: str
    source: str
    program: Story
    broken: UndefinedBehaviour | None
    modes: tuple[Mode, ...] = ()
    unsupported: tuple[Mode, ...] = ()
    place: Place | None = None
    lines: Mapping[str, tuple[Place | None, ...]] = field(default_factory=dict)

    def place_of(self, location: Location) -> Place | None:
        """Where in its file an outcome arose: in one of its texts, or at its first block."""
        span = location.span
        lines = self.lines.get(span.file, ()) if span else ()
        if span is None or not 1 <= span.line <= len(lines):
            return self.place
        start = lines[span.line - 1]
        if start is None:
            return self.place
        return Place(file=start.file, line=start.line, column=start.column + span.column - 1)

    def expected_in(self, mode: Mode) -> Outcome:
        """What Miri has to show in `mode`."""
        if mode in self.unsupported:
            return Unsupported(kind=UnsupportedKind.INT_TO_PTR, message="")
        if self.broken is None or self.broken.rule == 3 or mode not in self.modes:
            return Ran()
        return self.broken

    @property
    def expected_natively(self) -> Outcome:
        """What the blocks have to show when they run."""
        if self.broken is None or self.broken.rule == 2:
            return Ran()
        return self.broken

    @property
    def is_defined(self) -> bool:
        """Whether a native run is evidence: no permissive mode finds the story undefined.

        Whoever breaks a promise may still compute what the story says.
        """
        broken = self.broken
        if broken is None or broken.rule != 2 or is_promise(broken.kind):
            return True
        return all(mode.provenance is not Provenance.PERMISSIVE for mode in self.modes)


class StoryFile(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A whole file."""

    kind: str
    description: Annotated[str, Meta(description='description = "What the case shows."')]
    source: Annotated[str, Meta(description='source = "where the case comes from"')]
    arch: Annotated[str, Meta(description='arch = "x86_64"')] = "x86_64"
    features: Annotated[list[object], Meta(description='features = ["avx2"]')] = []
    program: Annotated[str, Meta(description="program = '''…''', Rust that calls the blocks")] = ""
    rounds: Annotated[int, Meta(description="rounds = 1000")] = 1
    litmus: Annotated[bool, Meta(description="litmus = true")] = False
    unrunnable: Annotated[str, Meta(description='unrunnable = "why it cannot run natively"')] = ""
    statics: Annotated[
        dict[str, object], Meta(description="[statics.NAME] with a type and an initial number")
    ] = {}
    block: Annotated[
        dict[str, object], Meta(description="[block.NAME] with a template and its story below it")
    ]
    expect: Annotated[
        dict[str, object], Meta(description='[expect] with holds = true or breaks = "rule 2 nomem"')
    ]


class StaticTable(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[statics.NAME]`."""

    type: Annotated[str, Meta(description='type = "u64"')]
    initial: Annotated[int, Meta(description="initial = 0")] = 0


class ExpectTable(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[expect]`."""

    holds: Annotated[bool | None, Meta(description="holds = true")] = None
    breaks: Annotated[str | None, Meta(description='breaks = "rule 2 nomem"')] = None
    modes: Annotated[list[object] | None, Meta(description='modes = ["stacked", "tree"]')] = None
    unsupported: Annotated[list[object], Meta(description='unsupported = ["strict"]')] = []


_FEATURE = re.compile(r"[a-z0-9][a-z0-9.\-_]*")
_STATIC_NAME = re.compile(r"[A-Z][A-Z0-9_]*")
_INTEGER = re.compile(r"[ui](?:8|16|32|64|size)")
_ARRAY = re.compile(r"\[([ui](?:8|16|32|64|size)); (\d{1,4})\]")
_ATOMIC = re.compile(r"Atomic[UI](?:8|16|32|64|size)")


def read_story_case(
    document: Document, file: CaseFile, variants: Collection[str] | None
) -> StoryCase:
    """The story case that `document`, read from `file`, describes; it knows no variants.

    Raises: InputError.
    """
    whole = document.table((), StoryFile)
    document.check_one_of(("arch",), whole.arch, ARCHITECTURES, "architecture")
    statics = tuple(_read_static(document, name) for name in whole.statics)
    features = tuple(_read_feature(document, *each) for each in enumerate(whole.features))
    if not whole.block:
        message = "a story without a block"
        raise document.error(("block",), message, "write [block.NAME] with a template and a story")
    reader = BlockReader(
        document=document, statics=[each.name for each in statics], arch=whole.arch
    )
    blocks = tuple(reader.read(name) for name in whole.block)
    if whole.program:
        reader.check_rust(("program",), whole.program)
    if not 1 <= whole.rounds <= MOST_ROUNDS:
        message = f"{whole.rounds} rounds"
        raise document.error(("rounds",), message, f"write 1 to {MOST_ROUNDS}")
    if whole.litmus and not whole.program:
        message = "a litmus test without a program"
        raise document.key_error(("litmus",), message, "write program = '''…''' with its threads")
    if whole.program and any(not each.returns for each in blocks):
        message = "a program beside a block that does not return"
        remedy = "leave out the program: such a block runs on drawn states alone"
        raise document.key_error(("program",), message, remedy)
    story = Story(
        arch=whole.arch,
        blocks=blocks,
        statics=statics,
        features=features,
        program=whole.program,
        rounds=whole.rounds,
        litmus=whole.litmus,
        unrunnable=document.prose(("unrunnable",), whole.unrunnable) if whole.unrunnable else "",
    )
    table = document.table(("expect",), ExpectTable)
    broken = _read_broken(document, table)
    return StoryCase(
        id=file.id,
        path=file.path,
        description=document.prose(("description",), whole.description),
        source=document.prose(("source",), whole.source),
        program=story,
        broken=broken,
        modes=_read_modes(document, "modes", table.modes) if table.modes else EVERY_MODE,
        unsupported=_read_modes(document, "unsupported", table.unsupported),
        place=document.key_place(("block", blocks[0].name)),
        lines={**reader.lines, PROGRAM: reader.lines_of(("program",), whole.program)},
    )


def _read_static(document: Document, name: str) -> Static:
    path = ("statics", name)
    if not _STATIC_NAME.fullmatch(name):
        message = f"{quoted(name)} is no name of a static"
        raise document.key_error(path, message, "write it in capitals, such as COUNTER")
    table = document.table(path, StaticTable)
    number = str(table.initial)
    if _INTEGER.fullmatch(table.type):
        initial = number
    elif found := _ARRAY.fullmatch(table.type):
        initial = f"[{number}; {found[2]}]"
    elif _ATOMIC.fullmatch(table.type):
        initial = f"std::sync::atomic::{table.type}::new({number})"
    else:
        message = f"a static cannot be a {quoted(table.type)}"
        remedy = "integers (u64), arrays of them ([u8; 16]) and atomic ones (AtomicU64) can be"
        raise document.error((*path, "type"), message, remedy)
    return Static(name=name, type=table.type, initial=initial)


def _read_feature(document: Document, number: int, name: object) -> str:
    if not isinstance(name, str) or not _FEATURE.fullmatch(name):
        message = "not the name of a feature"
        raise document.error(("features", number), message, 'write features = ["avx2"]')
    return name


def _read_broken(document: Document, table: ExpectTable) -> UndefinedBehaviour | None:
    path = ("expect",)
    if (table.holds is None) == (table.breaks is None) or table.holds is False:
        message = "it has to be said whether the story holds"
        raise document.error(path, message, 'write holds = true, or breaks = "rule 2 nomem"')
    broken = None if table.breaks is None else _read_breach(document, table.breaks)
    if table.modes is not None and (broken is None or broken.rule != 2):
        said = "a story that holds" if broken is None else f"rule {broken.rule}"
        message = f"{said} is the same in every mode"
        raise document.key_error((*path, "modes"), message, "leave out modes")
    return broken


def _read_modes(document: Document, name: str, keys: list[object]) -> tuple[Mode, ...]:
    known = {key: modes for group in MODE_KEYS for key, modes in group.items()}
    for number, key in enumerate(keys):
        if not isinstance(key, str) or key not in known:
            message = f"there is no mode {quoted(str(key))}"
            raise document.error(("expect", name, number), message, nearest(str(key), known))
    return tuple(dict.fromkeys(chain(*(known[str(key)] for key in keys))))


def _read_breach(document: Document, text: str) -> UndefinedBehaviour:
    path = ("expect", "breaks")
    found = re.fullmatch(r"rule ([123]) ([a-z0-9-]+)", text)
    if found is None:
        message = f"no breach: {quoted(text)}"
        raise document.error(path, message, 'write a rule and a kind, such as "rule 2 nomem"')
    kinds = [str(each) for each in FaultKind]
    if found[2] not in kinds:
        message = f"there is no kind {quoted(found[2])}"
        raise InputError(
            document.locate_in(path)(found.start(2)), message, nearest(found[2], kinds)
        )
    return UndefinedBehaviour(
        kind=FaultKind(found[2]), message="", location=NOWHERE, rule=int(found[1])
    )
