"""Where in a JSON text a value stands that a validator names by its path."""

from __future__ import annotations

import json
import re
from json.decoder import scanstring  # type: ignore[attr-defined] # not in the stubs
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_SPACE = re.compile(r"[ \t\n\r]*")
_STEP = re.compile(r"\.(?P<key>[^.\[\]]+)|\[(?P<index>\d+)\]|\[\.\.\.\]")

Step = str | int
"""An object's key, or an array's index."""

_scan: Callable[[str, int], tuple[str, int]] = scanstring
# Python converts no number of more than 4,300 digits; none is needed here.
_decoder = json.JSONDecoder(parse_int=str)
_decode = _decoder.raw_decode


def parse_path(path: str) -> tuple[Step, ...]:
    """The steps of a path as msgspec writes it, such as `$.program[3].args[0].size`.

    They end where the path does not say which of several values it means.
    """
    steps: list[Step] = []
    for match in _STEP.finditer(path):
        if match["key"] is not None:
            steps.append(match["key"])
        elif match["index"] is not None:
            steps.append(int(match["index"]))
        else:
            break
    return tuple(steps)


def first_malformed(text: str) -> int | None:
    """The index in `text` at which it is no JSON; None if it is one value.

    msgspec passes over values on its way to a tag, and may complain of one behind a malformed one.
    """
    try:
        _decoder.decode(text)
    except json.JSONDecodeError as malformed:
        return malformed.pos
    except RecursionError:
        return 0
    return None


def find_value(text: str, steps: tuple[Step, ...]) -> int:
    """The index in `text`, which is JSON, at which the value stands; of its last part there is."""
    at = _skip(text, 0)
    for step in steps:
        entry = _entry(text, at, step)
        if entry is None:
            return at
        at = entry
    return at


def _skip(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    return match.end() if match else at


def _entry(text: str, at: int, step: Step) -> int | None:
    """Where the value under one key or index of the value at `at` begins."""
    if text[at] != ("{" if isinstance(step, str) else "["):
        return None
    at = _skip(text, at + 1)
    index = 0
    while text[at] not in "}]":
        key: Step = index
        if isinstance(step, str):
            key, at = _scan(text, at + 1)
            at = _skip(text, _skip(text, at) + 1)
        if key == step:
            return at
        _, at = _decode(text, at)
        at = _skip(text, at)
        if text[at] == ",":
            at = _skip(text, at + 1)
        index += 1
    return None
