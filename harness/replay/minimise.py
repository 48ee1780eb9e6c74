"""Smaller inputs that fail in the same way: delta debugging over their bytes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.mode import Mode
from harness.reduce.search import Language, Pass, Search, Tally
from harness.replay.failures import Symptom, symptom_of
from harness.replay.inputs import Input
from harness.replay.runs import Replayer, Trial


@dataclass(frozen=True, slots=True, kw_only=True)
class ByteEdit:
    """Leave a byte out, or make it zero. at: its offset."""

    at: int
    drop: bool


def drops(data: bytes) -> list[ByteEdit]:
    """All bytes, which may be left out."""
    return [ByteEdit(at=at, drop=True) for at in range(len(data))]


def zeros(data: bytes) -> list[ByteEdit]:
    """All bytes that are not zero, which may become so."""
    return [ByteEdit(at=at, drop=False) for at, byte in enumerate(data) if byte]


def apply(data: bytes, edits: Sequence[ByteEdit]) -> bytes:
    """The bytes with the edits made, in whichever order."""
    dropped = {edit.at for edit in edits if edit.drop}
    zeroed = {edit.at for edit in edits if not edit.drop}
    return bytes(0 if at in zeroed else byte for at, byte in enumerate(data) if at not in dropped)


BYTES: Language[bytes, ByteEdit] = Language(
    passes=(
        Pass(name="fewer bytes", propose=drops),
        Pass(name="bytes that are zero", propose=zeros),
    ),
    apply=apply,
    size=len,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Judge:
    replayer: Replayer
    symptom: Symptom
    mode: Mode

    def rules_out(self, program: bytes) -> bool:
        return False

    def fail_alike(self, programs: Sequence[bytes]) -> Sequence[bool]:
        failing = {
            run.trial.input.data
            for run in self.replayer.run([self._trial(data) for data in programs])
            if symptom_of(run.outcome) == self.symptom
        }
        return [data in failing for data in programs]

    def _trial(self, data: bytes) -> Trial:
        return Trial(input=Input(path=Path("candidate"), data=data), mode=self.mode)


def minimise(
    replayer: Replayer, symptom: Symptom, mode: Mode, data: bytes, accept: Callable[[bytes], None]
) -> tuple[bytes, Tally]:
    """The smallest input found that fails so in the mode; `data` itself does.

    accept: is told of every step. Candidates go on record as any input does, so that a search
    that was interrupted comes back to where it was.
    """
    judge = _Judge(replayer=replayer, symptom=symptom, mode=mode)
    search = Search(BYTES, judge, lambda smaller, _: accept(smaller))
    return search.reduce(data), search.tally
