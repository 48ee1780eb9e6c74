"""Cases: one program each, and what must come of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from harness.cases.pointer_case import PointerCase
from harness.cases.story_case import StoryCase
from harness.outcome import Location, Meaning, Outcome, Trapped
from harness.result import CaseKind

if TYPE_CHECKING:
    from pathlib import Path

    from harness.bytecode.program import Program
    from harness.errors import Place
    from harness.mode import Mode

FILE_LIMIT = 1 << 20
"""The largest case file, in bytes, and the largest memory in one, unless another limit is asked
for; a large memory is written as a fill and pieces."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """What one variant must show under Miri in one mode, as the case itself says."""

    variant: str
    mode: Mode
    outcome: Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class BytecodeCase:
    """A bytecode program with its final memory, its trap, or what it does wrong.

    id: names the case in reports and on the command line, such as `bytecode/add-u16-wraps`;
        printable text, never a path to open.
    source: where the case comes from.
    expected: what the program means, for every variant; `steps` is None where the case does
        not count them.
    expectations: what Miri must show where the case says so, at most one for each variant
        and mode.
    place: where its program stands; None where no file has it.
    """

    kind: ClassVar[CaseKind] = CaseKind.BYTECODE
    id: str
    path: Path
    description: str
    source: str
    program: Program
    expected: Meaning
    expectations: tuple[Expectation, ...] = ()
    place: Place | None = None

    def place_of(self, location: Location) -> Place | None:
        """Where in its file an outcome arose: the program, whichever instruction it was."""
        return self.place

    def expected_in(self, variant: str, mode: Mode) -> Outcome | None:
        """What the case itself says of `variant` under Miri in `mode`; None if nothing.

        A trap of compiling is found before any memory is touched, so that it is the same in all
        of them.
        """
        if isinstance(self.expected, Trapped) and self.expected.in_compiling:
            return self.expected
        for expectation in self.expectations:
            if (expectation.variant, expectation.mode) == (variant, mode):
                return expectation.outcome
        return None


ProgramCase = BytecodeCase | PointerCase
"""A case of a program that the abstract machine can run."""

Case = ProgramCase | StoryCase
"""Any case: the union of the kinds."""
