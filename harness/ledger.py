"""The ledger: outcomes that are known to be wrong, each with its reason and its source.

`ledger.toml` beside this file holds the entries. It is part of the package, not of a user's
input, so that a mistake in it is a fault of the harness.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import msgspec
from msgspec.structs import replace

from harness.result import EngineName, Result, Verdict


class Entry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One known divergence.

    release: how the version line of the tool begins under which it was seen.
    seen: what happens. reason: why that is wrong, and whose fault it is. source: where it is
    on record.
    """

    engine: EngineName
    case: str
    release: str
    seen: str
    reason: str
    source: str


class _Ledger(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    entry: tuple[Entry, ...]


@cache
def entries() -> tuple[Entry, ...]:
    """The entries that the package comes with."""
    text = Path(__file__).with_suffix(".toml").read_bytes()
    return msgspec.toml.decode(text, type=_Ledger).entry


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """Entries, and who knows which tool is at hand.

    version: the version line of the tool behind an engine; None where there is none.
    """

    entries: tuple[Entry, ...]
    version: Callable[[EngineName], str | None]

    def apply(self, result: Result) -> Result:
        """The result as it counts: a known divergence is no mismatch, a vanished one is."""
        entry = self._find(result)
        if entry is None:
            return result
        if result.verdict is Verdict.MISMATCH:
            known = f"known: {entry.seen}; {entry.reason}; {entry.source}"
            return replace(result, verdict=Verdict.NOT_CHECKED, reason=known)
        if result.verdict is Verdict.AGREE and self._is_of(entry, result):
            gone = f"the ledger's entry is no longer true: {entry.seen}"
            return replace(result, verdict=Verdict.MISMATCH, reason=gone)
        return result

    def _find(self, result: Result) -> Entry | None:
        run = result.run
        wanted = (run.engine, run.case)
        return next((e for e in self.entries if (e.engine, e.case) == wanted), None)

    def _is_of(self, entry: Entry, result: Result) -> bool:
        recording = result.recording
        version = recording.tool.version if recording else self.version(result.run.engine)
        return (version or "").startswith(entry.release)
