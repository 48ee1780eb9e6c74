"""Report files: refused up front where they cannot be written, then written whole or not at all."""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from harness.errors import InputError, printable


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportFile:
    """A file that an option such as `--json` asks for; a pipe or a device will do.

    Raises: InputError, if it is clear already that it cannot be written.
    """

    option: str
    path: Path

    def __post_init__(self) -> None:
        folder = self._replaced().parent
        fine = folder.is_dir() and os.access(folder, os.W_OK)
        if self._is_special():
            fine = not self.path.is_dir() and os.access(self.path, os.W_OK)
        if not fine:
            raise self._error("cannot be written")

    def write(self, data: bytes) -> None:
        """Put `data` in the file's place, or leave what is there. Raises: InputError."""
        target = self._replaced()
        partial = target.with_name(f".{secrets.token_hex(8)}.partial")
        try:
            if self._is_special():
                self.path.write_bytes(data)
            else:
                partial.write_bytes(data)
                partial.replace(target)
        except OSError as error:
            raise self._error(f"cannot be written: {error.strerror}") from error
        finally:
            partial.unlink(missing_ok=True)

    def _is_special(self) -> bool:
        """Whether it is a pipe or a device, which can be written to, but never replaced."""
        try:
            return self.path.exists() and not self.path.is_file()
        except OSError:
            return False

    def _replaced(self) -> Path:
        """The file whose place a new one takes: what the path leads to where it is a link."""
        return Path(os.path.realpath(self.path))

    def _error(self, what: str) -> InputError:
        remedy = "name a file in a folder that is there and that you may write to"
        return InputError(None, f"{self.option}: {printable(str(self.path))} {what}", remedy)
