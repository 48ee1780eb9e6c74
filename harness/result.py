"""Results: one run of one program, its outcome, and what it is worth."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

import msgspec

from harness.errors import Place
from harness.mode import Mode
from harness.outcome import Outcome
from harness.target import Target


class Form(StrEnum):
    """How a bytecode program becomes Rust.

    VM: the Rust VM with the bytecode as its input. UNROLLED: the same accesses as
    straight-line Rust.
    """

    VM = "vm"
    UNROLLED = "unrolled"


class CaseKind(StrEnum):
    BYTECODE = "bytecode"
    POINTER = "pointer"
    STORY = "story"


class EngineName(StrEnum):
    """Each way to come to an outcome."""

    REFERENCE = "reference"
    MODEL = "model"
    IN_PROCESS = "in-process"
    NATIVE = "native"
    CONST = "const"
    MIRI = "miri"


class Evidence(StrEnum):
    """Where an outcome comes from: seen now, seen before and recorded, or the model alone."""

    LIVE = "live"
    RECORDED = "recorded"
    PREDICTED = "predicted"


class Verdict(StrEnum):
    """All sides of one run held against each other.

    MIRI_MISSES: exact exposed provenance is undefined by a documented rule, Miri's wildcard
    lets it pass. SPEC_OPEN: the same, where the specification is not settled.
    """

    AGREE = "agree"
    MISMATCH = "mismatch"
    NOT_CHECKED = "not_checked"
    MIRI_MISSES = "miri-misses"
    SPEC_OPEN = "spec-open"


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """What is run: one program by one engine. What does not apply is None.

    target: rustc's name of it; None is the host.
    """

    case: str
    kind: CaseKind
    engine: EngineName
    variant: str | None = None
    form: Form | None = None
    mode: Mode | None = None
    target: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """What runs programs: its own version, its compiler's, and the target that it runs for."""

    version: str
    compiler: str
    target: str

    def on(self, target: Target | None) -> Tool:
        """The same tool where it runs programs for a target; None is the host."""
        return self if target is None else replace(self, target=target.triple)

    def __str__(self) -> str:
        return (
            self.version if self.version == self.compiler else f"{self.version} ({self.compiler})"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """What a recorded outcome rests on. seen: the day, as in 2026-11-21, UTC."""

    tool: Tool
    seen: str


# A struct: there are hundreds of thousands, and a frozen dataclass takes long to make.
class Result(msgspec.Struct, frozen=True, kw_only=True):
    """One run with all that is known of it.

    expected: what the case says of this run; predicted: what the abstract machine says;
    outcome: what the engine saw, None where nothing ran.
    reason: why the verdict is not `agree`, in one sentence; empty where it is.
    seconds: wall-clock time of the run, None where many runs shared one process.
    seeds: those that an interpreter ran under; empty for its default, or where there are none.
    command: the shell line that repeats the run; empty where there is none.
    place: where in the case's file the outcome arose, or its program stands.
    fault: the harness contradicted itself about this run, as `reason` says.
    recording: what the outcome rests on where it is recorded; else None.
    """

    run: Run
    expected: Outcome | None
    predicted: Outcome | None
    outcome: Outcome | None
    evidence: Evidence | None
    verdict: Verdict
    reason: str = ""
    seconds: float | None = None
    seeds: tuple[int, ...] = ()
    command: str = ""
    place: Place | None = None
    fault: bool = False
    recording: Recording | None = None
