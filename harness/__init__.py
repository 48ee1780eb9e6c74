"""Tells people whether their Rust code over raw memory is sound.

Its names are those of `harness.api`, imported when one of them is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.api import *  # noqa: F403 (`__all__` there is the one list of the names)


def __getattr__(name: str) -> object:
    # A submodule such as `_native` is asked for here first; it needs no API.
    if not name.startswith("_"):
        api = import_module("harness.api")
        if name in api.__all__:
            return getattr(api, name)
    raise AttributeError(f"module 'harness' has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*globals(), *import_module("harness.api").__all__]
