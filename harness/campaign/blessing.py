"""Blessing: what a real Miri showed of cases, written beside them for machines without one."""

from __future__ import annotations

import os
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from harness.campaign.judging import name_job
from harness.errors import InputError, Place, printable
from harness.evidence import committed
from harness.evidence.committed import Committed, Row
from harness.result import EngineName, Recording, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from harness.campaign.campaign import Campaign
    from harness.engines.engine import Job
    from harness.evidence.archive import Archive
    from harness.evidence.record import Record
    from harness.outcome import Outcome
    from harness.result import Form, Result, Tool

AGREEING = (Verdict.AGREE, Verdict.MIRI_MISSES, Verdict.SPEC_OPEN)
"""Miri's outcome is the one that was expected or predicted. No other is blessed."""


class Change(StrEnum):
    """What became of a file of evidence."""

    ADDED = "added"
    RENEWED = "renewed"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """A file of evidence that is not what it was."""

    path: Path
    change: Change


def bless(campaign: Campaign, results: Iterable[Result], tool: Tool) -> Iterator[Changed]:
    """Write the evidence of every case of the campaign, and yield each file that changes.

    results: all of Miri's. tool: that Miri.

    Raises: InputError, if a file cannot be written.
    """
    agreeing = {result.run for result in results if result.verdict in AGREEING}
    evidence: dict[Path, list[tuple[Job, Record]]] = {}
    for case, job in campaign.jobs(EngineName.MIRI):
        kept = evidence.setdefault(committed.path_of(case.path), [])
        if name_job(case, EngineName.MIRI, job) in agreeing:
            record = campaign.archive.recall(EngineName.MIRI, case.path, job, tool)
            if record is not None:
                kept.append((job, record))
    for path, kept in evidence.items():
        content = committed.encode(_gather(campaign.archive, kept)) if kept else None
        yield from _put(path, content)
    for folder in dict.fromkeys(path.parent for path in evidence):
        for path in sorted(folder.glob("*.json")):
            if not path.parent.with_name(f"{path.stem}.toml").exists():
                yield from _put(path, None)


def _gather(archive: Archive, kept: Sequence[tuple[Job, Record]]) -> Committed:
    """The evidence of one case."""
    outcomes: dict[tuple[str | None, Form | None], dict[str, Outcome]] = {}
    programs: dict[tuple[str | None, Form | None], str] = {}
    for job, record in kept:
        programs[job.variant, job.form] = archive.program(job)
        outcomes.setdefault((job.variant, job.form), {})[str(job.mode)] = record.outcome
    return Committed(
        recording=Recording(
            tool=kept[0][1].recording.tool,
            seen=max(record.recording.seen for _, record in kept),
        ),
        rows={key: Row(program=programs[key], outcomes=outcomes[key]) for key in outcomes},
    )


def _put(path: Path, content: bytes | None) -> Iterator[Changed]:
    """Make this the file's content; None for no file."""
    try:
        before = path.read_bytes() if path.exists() else None
        if content == before:
            return
        if content is None:
            path.unlink()
            yield Changed(path=path, change=Change.REMOVED)
            return
        path.parent.mkdir(exist_ok=True)
        partial = path.with_suffix(f".{os.getpid()}.partial")
        partial.write_bytes(content)
        partial.replace(path)
    except OSError as error:
        place = Place(file=printable(str(path)))
        message = f"evidence cannot be written: {error.strerror}"
        raise InputError(place, message, "bless a corpus in a folder of yours") from None
    yield Changed(path=path, change=Change.ADDED if before is None else Change.RENEWED)
