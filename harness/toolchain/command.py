"""Commands as data: what is to be started, where, and with which environment."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A program with its arguments.

    argv: the program, by name or path, and its arguments; no shell ever reads them.
    cwd: the folder to start in; None is the caller's own.
    environment: every variable that the program sees; nothing else is inherited.
    """

    argv: tuple[str, ...]
    cwd: Path | None = None
    environment: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))

    def shell(self) -> str:
        """The line that repeats the command in a shell, from any folder.

        Only for showing: it has what differs from the caller's environment.
        """
        words: list[str] = []
        unset = sorted(os.environ.keys() - self.environment.keys())
        changed = {
            name: value
            for name, value in sorted(self.environment.items())
            if os.environ.get(name) != value
        }
        if unset:
            words += ["env", *(word for name in unset for word in ("-u", name))]
        words += [f"{name}={shlex.quote(value)}" for name, value in changed.items()]
        words += [shlex.quote(word) for word in self.argv]
        line = " ".join(words)
        return f"(cd {shlex.quote(str(self.cwd))} && {line})" if self.cwd else line
