"""Tells people whether their Rust code over raw memory is sound.

The names below are those of `harness.api`, imported when they are first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.api import *  # noqa: F403


def __getattr__(name: str) -> object:
    if name.startswith("_"):
        raise AttributeError(name)
    from harness import api

    if name not in api.__all__:
        raise AttributeError(f"module 'harness' has no attribute {name!r}")
    return getattr(api, name)


def __dir__() -> list[str]:
    from harness import api

    return [*globals(), *api.__all__]
