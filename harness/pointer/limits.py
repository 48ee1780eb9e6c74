"""What a number or a word of the pointer language may be, and the error where it is not."""

from __future__ import annotations

import re

SIZE_LIMIT = 1 << 20
"""The largest array, in bytes: all locals of a program must fit on a stack."""

ALIGN_LIMIT = 1 << 12

WIDTHS = (1, 2, 4, 8, 16)
"""Widths of reads and writes, in bytes."""

WORD_LIMIT = 1 << 64
"""One past the largest integer."""


class UnfitError(Exception):
    """A statement that does not fit where it stands; never leaves this package."""

    def __init__(self, message: str, remedy: str) -> None:
        self.message = message
        self.remedy = remedy
        super().__init__(message)


class UnknownError(UnfitError):
    """A statement that cannot be judged, because one above it is at fault."""

    def __init__(self) -> None:
        super().__init__("", "")


def check_range(what: str, number: int, low: int, high: int) -> None:
    """Check that `number` lies between `low` and `high`. Raises: UnfitError."""
    if not low <= number <= high:
        raise UnfitError(f"{what} is {number}", f"it lies between {low} and {high}")


def check_size(size: int, low: int = 0) -> None:
    check_range("the size", size, low, SIZE_LIMIT)


def check_align(align: int) -> None:
    if not 1 <= align <= ALIGN_LIMIT or align & (align - 1):
        raise UnfitError(f"the alignment {align}", f"it is a power of two up to {ALIGN_LIMIT}")


def check_width(width: int, widths: tuple[int, ...]) -> None:
    if width not in widths:
        raise UnfitError(f"the width {width}", f"it is one of {', '.join(map(str, widths))} bytes")


def check_init(init: int | str | None, size: int) -> None:
    if isinstance(init, int):
        check_range("the byte", init, 0, 0xFF)
    elif init is not None and not re.fullmatch(rf"[0-9a-f]{{{2 * size}}}", init, re.ASCII):
        raise UnfitError(
            f"{len(init)} digits for {size} bytes",
            "bytes are written as two hexadecimal digits each, in lower case",
        )
