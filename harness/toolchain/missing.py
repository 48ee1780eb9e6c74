"""What is not here, as a value: a missing tool gives `not checked`, and is no failure."""

from __future__ import annotations

from dataclasses import dataclass

from harness.errors import MissingTool


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """A tool that is not installed, too old, or does not answer.

    message: what is wrong, in one sentence without its full stop.
    remedy: the one command that mends it.
    """

    message: str
    remedy: str

    def error(self) -> MissingTool:
        """The same as an exception, for a tool that was asked for by name."""
        return MissingTool(self.message, self.remedy)
