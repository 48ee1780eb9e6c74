"""What a linker does not find of a foreign function: the machine lacks it, and not the story."""

from __future__ import annotations

import re
from collections.abc import Sequence

from harness.diagnostics.message import Message
from harness.outcome import Unsupported, UnsupportedKind
from harness.story.block import Story

_LINKING = "linking with "
_MISSING = re.compile(
    r"(?:unable to find library -l|cannot find -l|undefined symbol: |undefined reference to [`'])"
    r"([\w-]+)"
)


def read_link_error(messages: Sequence[Message], story: Story) -> Unsupported | None:
    """What the linker does not find of the story's foreign functions; None if it is not that."""
    sought = {each for block in story.blocks for each in (block.function, block.library)}
    for message in messages:
        if not message.text.startswith(_LINKING):
            continue
        for note in message.notes:
            for found in _MISSING.finditer(note.text):
                if found[1] in sought:
                    said = f"the linker says: {found[0]}"
                    return Unsupported(kind=UnsupportedKind.FOREIGN_FUNCTION, message=said)
    return None
