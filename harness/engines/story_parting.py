"""Stories that do not return, under Miri: a process for each phase of a block, in which every
interpreter tells the story once, in a state that its seed draws.

How the story ends is the third rule's matter; here it has only to be defined until then.
"""

from __future__ import annotations

from harness.diagnostics.failure import Failure, read_error
from harness.diagnostics.message import Transcript
from harness.engines.miri_command import MAIN_FILE
from harness.engines.story_miri import read_fault
from harness.engines.story_native import read_compile_errors
from harness.outcome import Outcome, Panicked, Ran, ToolFailed
from harness.story.block import Story
from harness.story.listing import Listing
from harness.story.miri_rust import STATES, enforced

MANY = ("-Zmiri-many-seeds-keep-going", "-Zthreads=1")


def partings(story: Story) -> list[tuple[str, str]]:
    """The blocks that do not return, each with every phase that it is told in."""
    blocks = [block for block in story.blocks if not block.returns]
    return [(block.name, phase) for block in blocks for phase in enforced(block)]


def parting_flags(seed: int | None) -> tuple[str, ...]:
    """Miri's flags for the interpreters of one phase. seed: which of their groups they are."""
    first = (seed or 0) * STATES
    return (f"-Zmiri-many-seeds={first}..{first + STATES}", *MANY)


def read_parting(
    output: str, transcript: Transcript, failure: Failure | None, listing: Listing, phase: str
) -> Outcome:
    """What one phase of a story that does not return comes to."""
    begun = output.splitlines().count(f"phase {phase}")
    errors = tuple(each for each in transcript.messages if each.is_error)
    if not begun and failure is not None:
        return read_compile_errors(errors, listing, MAIN_FILE) or failure.outcome
    for error in errors:
        found = read_fault(read_error(error), listing, MAIN_FILE, phase)
        # An abort is how a story may end.
        if not isinstance(found, Panicked):
            return found
    if begun != STATES:
        said = transcript.text.strip()[-500:]
        return ToolFailed(message=f"told {begun} times of {STATES}: {said}")
    return Ran()
