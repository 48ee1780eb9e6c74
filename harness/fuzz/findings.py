"""The folder of a campaign: how far it is, and every finding, each a case of its own.

Beside the findings lies, in the same way, what Miri is known to miss.

A finding is a folder with `case.toml`, which every command takes, and `finding.json`, which says
what disagreed. Two programs in which the same sides disagree about the same by the same rule are
one finding. All is written whole, as soon as it is known.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from harness.errors import InputError, Place
from harness.reduce.journal import case_text
from harness.report.report_file import ReportFile
from harness.toolchain.workspace import digest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.bytecode.program import Program
    from harness.pointer.program import PointerProgram
    from harness.reduce.symptom import Symptom

STATE = "campaign.json"
FINDINGS = "findings"
CASE, FINDING = "case.toml", "finding.json"

MISSED = "missed"
"""For what Miri's wildcard lets pass: known, and nothing that disagrees."""

MOST_INDICES = 20
"""Programs that a finding names."""


@dataclass(slots=True, kw_only=True)
class State:
    """How far a campaign is. identity: what would make it another one.

    next: the number of the program that comes next, by kind. counts: what was exercised how
    often. tallies: what came of it.
    """

    identity: str
    next: dict[str, int] = field(default_factory=dict)
    rounds: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    tallies: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True, kw_only=True)
class Folder:
    """The folder of a campaign."""

    path: Path

    def read(self, identity: str) -> State:
        """How far the campaign is; at its beginning if the folder is not there yet.

        Raises: InputError, if the folder holds another campaign, or something else.
        """
        file = self.path / STATE
        if not file.exists():
            return State(identity=identity)
        try:
            read: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
            state = State(
                identity=read["identity"],
                next=dict(read["next"]),
                rounds=int(read["rounds"]),
                counts=Counter(read["counts"]),
                tallies=Counter(read["tallies"]),
            )
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise self._error(f"{STATE} cannot be read: {error!r}") from None
        if state.identity != identity:
            other, this = _apart(state.identity, identity)
            raise self._error(f"it holds another campaign: {other}; not {this}")
        return state

    def write(self, state: State) -> None:
        data = {
            "identity": state.identity,
            "next": state.next,
            "rounds": state.rounds,
            "counts": dict(sorted(state.counts.items())),
            "tallies": dict(sorted(state.tallies.items())),
        }
        self._put(self.path / STATE, json.dumps(data, indent=1) + "\n")

    def begin(self) -> None:
        """Make the folder. Raises: InputError."""
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise self._error(f"it cannot be made: {error.strerror}") from None

    def keep(
        self,
        program: Program | PointerProgram,
        symptom: Symptom,
        name: str,
        *,
        reason: str,
        run: Mapping[str, str],
        where: str,
        under: str = FINDINGS,
    ) -> bool:
        """Keep a finding, or add the program to one that is there; whether it is new.

        name: the program's in its campaign. reason: why it is one, in words. run: the options
        that name the run which disagreed. where: the mode or the level that it was in.
        under: the folder.
        """
        folder = self.path / under / finding_name(symptom)
        file = folder / FINDING
        known: dict[str, Any] = {"programs": [], "modes": []}
        if file.exists():
            try:
                known |= msgspec.json.decode(file.read_bytes(), type=dict[str, Any])
            except (OSError, ValueError) as error:
                message, remedy = f"cannot be read: {error}", "remove the folder that it is in"
                raise InputError(Place(file=str(file)), message, remedy) from None
        new = not known["programs"]
        if new:
            folder.mkdir(parents=True, exist_ok=True)
            text = case_text(
                program,
                description=f"Found by fuzzing: {symptom}.",
                source=f"harness fuzz, {name}",
                rule=symptom.rule or "",
                remarks=(str(symptom), reason),
            )
            self._put(folder / CASE, text)
        if name not in known["programs"] and len(known["programs"]) < MOST_INDICES:
            known["programs"].append(name)
        known["modes"] = sorted({*known["modes"], where})
        # Of the program that was first: it is the case.
        first = {"symptom": str(symptom), "reason": reason, "run": dict(run)}
        known = {**first, **known}
        self._put(file, json.dumps(known, indent=1) + "\n")
        return new

    def findings(self, under: str = FINDINGS) -> list[Path]:
        """The cases of all findings, or of what lies under another folder."""
        return sorted((self.path / under).glob(f"*/{CASE}"))

    def _put(self, path: Path, text: str) -> None:
        ReportFile(option="--folder", path=path).write(text.encode())

    def _error(self, message: str) -> InputError:
        place = Place(file=str(self.path))
        return InputError(place, message, "name another folder with --folder, or remove this one")


def _apart(one: str, other: str) -> tuple[str, str]:
    """The parts in which two identities differ; all of both, where one has more of them."""
    pairs = list(zip(one.split(", "), other.split(", "), strict=False))
    if len(pairs) != max(one.count(", "), other.count(", ")) + 1:
        return one, other
    differing = [pair for pair in pairs if pair[0] != pair[1]]
    return ", ".join(each for each, _ in differing), ", ".join(each for _, each in differing)


def run_of_finding(case: Path) -> dict[str, str]:
    """The options that name the run which disagreed; none if the case is no finding.

    case: its file. Raises: InputError.
    """
    file = case.parent / FINDING
    if case.name != CASE or not file.is_file():
        return {}
    try:
        run = msgspec.json.decode(file.read_bytes(), type=_Finding).run
        int(run.get("--level", 0))
    except (OSError, ValueError) as error:
        message, remedy = f"cannot be read: {error}", "move the case out of this folder"
        raise InputError(Place(file=str(file)), message, remedy) from None
    return run


class _Finding(msgspec.Struct):
    """What is read of a finding again."""

    run: dict[str, str] = {}


def finding_name(symptom: Symptom) -> str:
    """The same for all programs in which the same disagrees by the same rule."""
    parts = (
        str(symptom.engine),
        "" if symptom.level is None else f"O{symptom.level}",
        symptom.variant or "",
        str(symptom.predicted or ""),
        str(symptom.seen),
        symptom.rule or "",
    )
    words = "-".join(each for each in parts if each)
    slug = re.sub(r"[^a-z0-9]+", "-", words.lower()).strip("-")[:80]
    return f"{slug}-{digest(*parts)[:6]}"
