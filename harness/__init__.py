"""Tells people whether their Rust code over raw memory is sound.

The names below are those of `harness.api`, imported when they are first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.api import (
        MODES as MODES,
    )
    from harness.api import (
        BytecodeCase as BytecodeCase,
    )
    from harness.api import (
        Case as Case,
    )
    from harness.api import (
        EngineName as EngineName,
    )
    from harness.api import (
        Evidence as Evidence,
    )
    from harness.api import (
        Form as Form,
    )
    from harness.api import (
        HarnessError as HarnessError,
    )
    from harness.api import (
        HarnessFault as HarnessFault,
    )
    from harness.api import (
        InputError as InputError,
    )
    from harness.api import (
        MissingTool as MissingTool,
    )
    from harness.api import (
        Mode as Mode,
    )
    from harness.api import (
        Outcome as Outcome,
    )
    from harness.api import (
        Program as Program,
    )
    from harness.api import (
        Ran as Ran,
    )
    from harness.api import (
        Result as Result,
    )
    from harness.api import (
        Run as Run,
    )
    from harness.api import (
        Trapped as Trapped,
    )
    from harness.api import (
        Verdict as Verdict,
    )
    from harness.api import (
        check as check,
    )
    from harness.api import (
        load as load,
    )
    from harness.api import (
        parse_mode as parse_mode,
    )
    from harness.api import (
        program as program,
    )
    from harness.api import (
        run_reference as run_reference,
    )

_NAMES = frozenset(
    (
        "MODES",
        "BytecodeCase",
        "Case",
        "EngineName",
        "Evidence",
        "Form",
        "HarnessError",
        "HarnessFault",
        "InputError",
        "MissingTool",
        "Mode",
        "Outcome",
        "Program",
        "Ran",
        "Result",
        "Run",
        "Trapped",
        "Verdict",
        "check",
        "load",
        "parse_mode",
        "program",
        "run_reference",
    )
)


def __getattr__(name: str) -> object:
    if name in _NAMES:
        return getattr(import_module("harness.api"), name)
    raise AttributeError(f"module 'harness' has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*globals(), *_NAMES]
