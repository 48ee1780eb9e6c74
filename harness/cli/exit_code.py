"""Exit codes of the command line. Several at once: 4 over 2 over 1 over 3."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """What the process's exit code says."""

    AGREE = 0
    MISMATCH = 1
    BAD_INPUT = 2
    NOT_CHECKED = 3
    FAULT = 4
    INTERRUPTED = 130


_ORDER = (ExitCode.FAULT, ExitCode.BAD_INPUT, ExitCode.MISMATCH, ExitCode.NOT_CHECKED)


def weightiest(codes: set[ExitCode]) -> ExitCode:
    """The one code to exit with where several apply."""
    return next((code for code in _ORDER if code in codes), ExitCode.AGREE)
