"""Settled results: those of a case by one engine, as one record.

Judging a run anew costs more than all else where nothing changed, and comes to the same. What
is settled rests on records alone, or on the abstract machine; what ran just now never is.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import msgspec

from harness.errors import Place
from harness.evidence.record import decode_outcome, encode_outcome
from harness.mode import Mode, parse_mode
from harness.outcome import Outcome
from harness.result import Evidence, Form, Recording, Result, Run, Verdict


def is_settled(result: Result) -> bool:
    """Whether the result is the same until something changes that it depends on."""
    if result.fault or result.verdict is Verdict.MISMATCH:
        return False
    # An engine that refuses a program will do so again.
    return result.evidence in (Evidence.RECORDED, Evidence.PREDICTED) or result.outcome is None


def encode(results: Sequence[Result]) -> bytes:
    """Results of one case by one engine, as a line of JSON."""
    outcomes: dict[bytes, int] = {}
    recordings: dict[Recording, int] = {}

    def number(outcome: Outcome | None) -> int | None:
        if outcome is None:
            return None
        return outcomes.setdefault(msgspec.json.encode(encode_outcome(outcome)), len(outcomes))

    rows = [
        _Row(
            variant=result.run.variant,
            form=result.run.form,
            mode=None if result.run.mode is None else str(result.run.mode),
            target=result.run.target,
            expected=number(result.expected),
            predicted=number(result.predicted),
            outcome=number(result.outcome),
            evidence=result.evidence,
            verdict=result.verdict,
            reason=result.reason,
            place=result.place,
            recording=None
            if result.recording is None
            else recordings.setdefault(result.recording, len(recordings)),
        )
        for result in results
    ]
    return msgspec.json.encode(
        _Settled(
            run=results[0].run if results else None,
            outcomes=[msgspec.Raw(text) for text in outcomes],
            recordings=list(recordings),
            rows=rows,
        )
    )


def decode(text: bytes) -> list[Result]:
    """The results that `encode` made the line of. Raises: msgspec.DecodeError."""
    read = _decoder.decode(text)
    first = read.run
    if first is None:
        return []
    outcomes: list[Outcome | None] = [decode_outcome(bytes(each)) for each in read.outcomes]
    # None is the index of nothing.
    outcomes.append(None)
    nothing = len(outcomes) - 1
    recordings = [_recording(each) for each in read.recordings]
    return [
        Result(
            run=Run(
                case=first.case,
                kind=first.kind,
                engine=first.engine,
                variant=row.variant,
                form=row.form,
                mode=None if row.mode is None else _mode(row.mode),
                target=row.target,
            ),
            expected=outcomes[nothing if row.expected is None else row.expected],
            predicted=outcomes[nothing if row.predicted is None else row.predicted],
            outcome=outcomes[nothing if row.outcome is None else row.outcome],
            evidence=row.evidence,
            verdict=row.verdict,
            reason=row.reason,
            place=row.place,
            recording=None if row.recording is None else recordings[row.recording],
        )
        for row in read.rows
    ]


class _Row(msgspec.Struct, frozen=True, array_like=True, kw_only=True):
    """A result; outcomes and recordings by their numbers."""

    variant: str | None
    form: Form | None
    mode: str | None
    target: str | None
    expected: int | None
    predicted: int | None
    outcome: int | None
    evidence: Evidence | None
    verdict: Verdict
    reason: str
    place: Place | None
    recording: int | None


class _Settled(msgspec.Struct, frozen=True, array_like=True, kw_only=True):
    """run: the first one, which has the case and the engine of all."""

    run: Run | None
    outcomes: list[msgspec.Raw]
    recordings: list[Recording]
    rows: list[_Row]


_decoder: msgspec.json.Decoder[_Settled] = msgspec.json.Decoder(_Settled)


@lru_cache
def _recording(recording: Recording) -> Recording:
    """The same object for the same recording, as many results have it."""
    return recording


@lru_cache
def _mode(text: str) -> Mode:
    try:
        return parse_mode(text)
    except ValueError as error:
        raise msgspec.ValidationError(str(error)) from None
