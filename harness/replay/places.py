"""Places in a user's code as they stay the same: wherever his crate lies, whatever runs it."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

from harness.diagnostics.failure import Failure
from harness.outcome import Location, Outcome, Span

_STANDARD = re.compile(r"^(?:RUST_SRC/|/rustc/|.*/rustlib/src/rust/)")
_REGISTRY = re.compile(r"^.*/registry/src/[^/]+/")


def placed(failure: Failure, root: Path) -> Outcome:
    """The failure's outcome, at the innermost place that is not the standard library's.

    root: the user's crate; places in it are told relative to it, those of a registry's crate
    begin with that one's name and version.
    """
    changes: dict[str, Any] = {}
    for name in ("location", "created", "invalidated"):
        place = getattr(failure.outcome, name, None)
        if isinstance(place, Location) and place.span is not None:
            changes[name] = replace(place, span=kept(place.span, root))
    own = next((frame.span for frame in failure.frames if not _is_standard(frame.span)), None)
    if own is not None and "location" in changes:
        changes["location"] = Location(span=kept(own, root))
    return replace(failure.outcome, **changes)


def _is_standard(span: Span) -> bool:
    return _STANDARD.match(span.file) is not None


def kept(span: Span, root: Path) -> Span:
    """The place as it is told; see `placed`."""
    if span.file.startswith(f"{root}/"):
        return replace(span, file=span.file.removeprefix(f"{root}/"))
    if _is_standard(span):
        return replace(span, file=_STANDARD.sub("RUST_SRC/", span.file, count=1))
    return replace(span, file=_REGISTRY.sub("", span.file))
