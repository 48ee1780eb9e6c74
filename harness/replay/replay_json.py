"""What `harness replay` tells, for programs: `docs/replay.schema.json` describes it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from harness.evidence.record import encode_outcome
from harness.replay.failures import Distinct, Explained
from harness.replay.runs import Replayed, Replayer

SCHEMA = 1


def encode(
    replayer: Replayer,
    replayed: Sequence[Replayed],
    failures: Sequence[tuple[Distinct, Explained, Path | None]],
    refused: Mapping[str, str],
) -> bytes:
    """All of it as JSON. refused: modes in which this Miri cannot judge, and why."""
    tool = replayer.tool
    value = {
        "schema": SCHEMA,
        "subject": replayer.subject.title,
        "tool": {"version": tool.version, "compiler": tool.compiler, "target": tool.target},
        "refused": dict(refused),
        "results": [
            {
                "input": each.trial.input.name,
                "mode": str(each.trial.mode),
                "seed": each.seed,
                "outcome": encode_outcome(each.outcome),
                "evidence": str(each.evidence),
            }
            for each in replayed
        ],
        "failures": [_failure(*each) for each in failures],
    }
    return (json.dumps(value, indent=1) + "\n").encode()


def _failure(failure: Distinct, explained: Explained, reduced: Path | None) -> dict[str, Any]:
    account = explained.account
    return {
        "symptom": str(failure.symptom),
        "modes": [str(mode) for mode in failure.modes],
        "inputs": [each.name for each in failure.inputs],
        "rule": account.rule_name if account else None,
        "points": [
            {
                "what": point.what, "file": point.span.file, "line": point.span.line,
                "column": point.span.column, "source": point.line,
            }
            for point in (account.points if account else ())
        ],
        "confirmed": encode_outcome(explained.outcome),
        "reduced": None if reduced is None else str(reduced),
        "command": explained.command,
    }  # fmt: skip
