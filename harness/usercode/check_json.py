"""What `harness check` tells, for programs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from harness.evidence.record import encode_outcome
from harness.usercode.check import Checked, ModeVerdict, Seen


def encode(title: str, tool: str, checked: Sequence[Checked]) -> bytes:
    """Everything as JSON: for each program or test, each mode with what its runs came to."""
    value = {
        "schema": 1,
        "subject": title,
        "tool": tool,
        "checked": [
            {
                "test": None if each.test is None else each.test.name,
                "target": None if each.test is None else " ".join(each.test.words),
                "skipped": each.test is not None and each.test.skipped,
                "modes": [_mode(verdict) for verdict in each.verdicts],
            }
            for each in checked
        ],
    }
    return (json.dumps(value, indent=1) + "\n").encode()


def _mode(verdict: ModeVerdict) -> dict[str, Any]:
    return {
        "mode": str(verdict.mode),
        "refused": verdict.refused or None,
        "runs": [_run(seen, seeds) for seen, seeds in verdict.seen],
    }


def _run(seen: Seen, seeds: tuple[int, ...]) -> dict[str, Any]:
    account = seen.account
    return {
        "seeds": list(seeds),
        "outcome": encode_outcome(seen.outcome),
        "status": seen.status,
        "rule": account.rule_name if account else None,
        "points": [
            {
                "what": point.what, "file": point.span.file, "line": point.span.line,
                "column": point.span.column, "source": point.line,
            }
            for point in (account.points if account else ())
        ],
        "command": seen.command,
    }  # fmt: skip
