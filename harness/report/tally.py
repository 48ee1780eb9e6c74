"""The tally of a run: how many results there are of each kind.

All that the screen says of results follows from it, but for the few that have a row of their own;
so it is also what is kept of a run, where everything is settled.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import msgspec

from harness.evidence import settled
from harness.mode import Mode
from harness.outcome import TimedOut
from harness.result import CaseKind, EngineName, Evidence, Recording, Result, Verdict


class Kind(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """What is counted of a result. outcome: its class; None where nothing ran."""

    engine: EngineName
    case_kind: CaseKind
    variant: str | None
    mode: Mode | None
    target: str | None
    outcome: str | None
    verdict: Verdict
    evidence: Evidence | None
    reason: str
    fault: bool
    recording: Recording | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """cases: how many different ones. notable: the results that deserve a row of their own."""

    cases: int
    counts: Mapping[Kind, int]
    notable: tuple[Result, ...]

    @property
    def size(self) -> int:
        """How many results there are."""
        return sum(self.counts.values())

    def unseen(self) -> set[EngineName]:
        """The engines with results of which nothing ran."""
        return {kind.engine for kind in self.counts if kind.outcome is None}


def is_notable(result: Result) -> bool:
    """Whether a result deserves a row of its own, because it does not agree or did not end."""
    notable = (Verdict.MISMATCH, Verdict.MIRI_MISSES, Verdict.SPEC_OPEN)
    return result.verdict in notable or isinstance(result.outcome, TimedOut)


@dataclass(slots=True)
class _Alike:
    """Results of which nothing that is counted differs. first: one of them."""

    first: Result
    is_notable: bool
    count: int = 0


def tally(results: Iterable[Result]) -> Tally:
    """Count results, in the order in which they come."""
    # By identity, where that is quicker than looking; `first` keeps what is looked at alive.
    found: dict[tuple[object, ...], _Alike] = {}
    notable: list[Result] = []
    cases: set[str] = set()
    for result in results:
        run = result.run
        cases.add(run.case)
        key = (
            run.variant,
            run.target,
            result.reason,
            result.fault,
            result.outcome.__class__,
            id(run.kind),
            id(run.engine),
            id(run.mode),
            id(result.verdict),
            id(result.evidence),
            id(result.recording),
        )
        try:
            alike = found[key]
        except KeyError:
            alike = found[key] = _Alike(result, is_notable(result))
        alike.count += 1
        if alike.is_notable:
            notable.append(result)
    counts: dict[Kind, int] = {}
    for alike in found.values():
        kind = _kind(alike.first)
        counts[kind] = counts.get(kind, 0) + alike.count
    return Tally(cases=len(cases), counts=counts, notable=tuple(notable))


def encode(counted: Tally) -> bytes:
    """The tally as a line of JSON."""
    return msgspec.json.encode(
        _Encoded(
            cases=counted.cases,
            counts=list(counted.counts.items()),
            notable=[msgspec.Raw(settled.encode([result])) for result in counted.notable],
        )
    )


def decode(text: bytes) -> Tally:
    """The tally that `encode` made the line of. Raises: msgspec.DecodeError."""
    read = _decoder.decode(text)
    return Tally(
        cases=read.cases,
        counts=dict(read.counts),
        notable=tuple(result for each in read.notable for result in settled.decode(bytes(each))),
    )


class _Encoded(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    cases: int
    counts: list[tuple[Kind, int]]
    notable: list[msgspec.Raw]


_decoder: msgspec.json.Decoder[_Encoded] = msgspec.json.Decoder(_Encoded)


def _kind(result: Result) -> Kind:
    run = result.run
    return Kind(
        engine=run.engine,
        case_kind=run.kind,
        variant=run.variant,
        mode=run.mode,
        target=run.target,
        outcome=None if result.outcome is None else result.outcome.name,
        verdict=result.verdict,
        evidence=result.evidence,
        reason=result.reason,
        fault=result.fault,
        recording=result.recording,
    )
