"""Selections: what a call of `harness run` asks for, checked once and then frozen."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from fnmatch import fnmatchcase

from harness.mode import MODES, Mode
from harness.result import EngineName, Form
from harness.target import Target

MEBIBYTE = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Shard:
    """One of `total` complete and disjoint parts of the cases; index counts from 1."""

    index: int
    total: int

    def holds(self, case: str) -> bool:
        """Whether the case belongs to this part: by the hash of its name."""
        return case_number(case) % self.total == self.index - 1


WHOLE = Shard(index=1, total=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """What to run.

    cases: a glob over the names of cases; None for all.
    variants: names; None for all. targets: what programs run for; None is the host.
    engines: None for whatever this machine has; named, a
    missing one is an error. without: those that are never asked.
    jobs: processes at once. seeds: how many Miri does each run under.
    seconds: wall-clock time that one run under Miri may take. memory: bytes that it may use.
    quick: each engine does only a few runs of a case; `harness.campaign.plan` says which.
    """

    cases: str | None = None
    variants: tuple[str, ...] | None = None
    modes: tuple[Mode, ...] = MODES
    targets: tuple[Target | None, ...] = (None,)
    forms: tuple[Form, ...] = tuple(Form)
    engines: tuple[EngineName, ...] | None = None
    without: tuple[EngineName, ...] = ()
    toolchain: str
    live: bool = False
    jobs: int
    shard: Shard = WHOLE
    quick: bool = False
    seeds: int = 1
    seconds: float = 60.0
    memory: int = 4096 * MEBIBYTE

    def names_case(self, case: str) -> bool:
        """Whether the case is selected by name, in whichever shard it is."""
        return self.cases is None or fnmatchcase(case, self.cases)

    def wants_case(self, case: str) -> bool:
        """Whether the case is selected by name and shard."""
        return self.names_case(case) and self.shard.holds(case)

    def wants_engine(self, engine: EngineName) -> bool:
        """Whether results of the engine are asked for."""
        return engine not in self.without and (self.engines is None or engine in self.engines)

    def insists_on(self, engine: EngineName) -> bool:
        """Whether the engine is asked for by name, or nothing but live runs will do."""
        named = self.engines is not None and engine in self.engines
        return named or (self.live and self.wants_engine(engine))


def case_number(case: str) -> int:
    """A number that the case's name alone decides, the same on every machine."""
    digest = hashlib.sha256(case.encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:8], "big")
