"""The archive: what is known already of a run, from this machine's store or committed.

A record counts for exactly what ran: the same program, input, flags, mode and seed. Where the
tool itself is at hand, it has to be the record's own.
"""

from __future__ import annotations

import base64
import secrets
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any, Protocol

import msgspec

from harness.bytecode.program import Program
from harness.cases.case import Case
from harness.engines.engine import Job
from harness.evidence import committed, digests, settled
from harness.evidence.committed import Committed, Unusable
from harness.evidence.record import (
    Record,
    decode_outcome,
    decode_record,
    encode_outcome,
    encode_record,
    lasting,
    lasts,
    record_now,
)
from harness.mode import Mode
from harness.outcome import Outcome
from harness.pointer.program import PointerProgram
from harness.result import EngineName, Result, Tool
from harness.story.block import Story
from harness.target import ByteOrder
from harness.toolchain.workspace import digest
from harness.verdict import Prediction

RECORDED = (EngineName.IN_PROCESS, EngineName.NATIVE, EngineName.CONST, EngineName.MIRI)
"""The engines whose outcomes are kept: those that run programs."""


_UNSETTLED = "unsettled"
"""The key under which a word is added whenever what was settled may be so no longer."""


class Records(Protocol):
    """Where records are kept by their keys. notes: what is wrong with it, a sentence each."""

    notes: list[str]

    def find(self, key: str) -> list[bytes]:
        """The key's records, the newest first."""

    def add(self, key: str, record: bytes) -> None:
        """Keep a record, which has no line feed in it."""


class Archive:
    """Recalls outcomes and keeps new ones; remembers predictions, which take longest to find.

    store: this machine's. vm_folder: the Rust VM's crate.
    own: the digests of the sources of the user's own variants, by their names.
    live: take nothing of earlier runs, though everything new is kept. committed: whether what
    stands beside the cases counts.
    """

    def __init__(
        self,
        store: Records,
        *,
        vm_folder: Path,
        own: Mapping[str, str] | None = None,
        live: bool = False,
        committed: bool = True,
    ) -> None:
        self.store = store
        self._vm_folder = vm_folder
        self._own = own or {}
        self._live = live
        self._takes_committed = committed
        # By identity, as hashing a program takes longer than all else; each is kept alive here.
        self._programs: dict[
            tuple[int, str | None], tuple[Program | PointerProgram | Story, str]
        ] = {}
        self._texts: dict[int, tuple[PointerProgram, str]] = {}
        self._cases: dict[str, str] = {}
        # So that what is judged by is what was asked after, whatever becomes of the file.
        self._beside: dict[Path, bytes | Unusable | None] = {}
        self._committed: dict[Path, Committed | None] = {}
        self._unusable: list[str] = []
        self._foretold: dict[str, bytes] = {}
        self._stale = 0
        self._wavered = False

    def recall(self, engine: EngineName, case: Path, job: Job, tool: Tool | None) -> Record | None:
        """The record of the job; None if there is none that counts.

        case: the case's file. tool: what the engine would run it with; None if it is missing,
        so that a record of any will do.
        """
        if self._live or engine not in RECORDED:
            return None
        if engine is EngineName.MIRI and job.seed is None and job.target is None:
            found = self._recall_committed(case, job, tool)
            if found is not None:
                return found
        for text in self.store.find(self._key(engine, job)):
            try:
                record = decode_record(text)
            except msgspec.DecodeError:
                continue
            if tool in (None, record.recording.tool):
                return record
        return None

    def keep(
        self, engine: EngineName, job: Job, outcome: Outcome, tool: Tool, *, counts: bool = True
    ) -> Record | None:
        """Put the outcome on record, if it is one that lasts; the record, if so.

        counts: False if it is compared to nothing, so that whatever it is will do.
        """
        if engine not in RECORDED or (counts and not lasts(outcome)):
            return None
        shared = not isinstance(job.program, Program)
        record = record_now(lasting(outcome, shared_source=shared), tool)
        key, text = self._key(engine, job), encode_record(record)
        if not all(each == text for each in self.store.find(key)):
            # Something else is on record as well: what is settled may rest on that.
            self.store.add(_UNSETTLED, secrets.token_hex(8).encode())
            self._wavered = True
        self.store.add(key, text)
        return record

    def settled(self, scope: str) -> list[Result] | None:
        """The results that were settled in that scope; None if none were."""
        known = [] if self._live else self.store.find(self._settled_key(scope))
        try:
            return settled.decode(_unpacked(known[0])) if known else None
        except (msgspec.DecodeError, LookupError, ValueError, zlib.error):
            return None

    def settle(self, scope: str, results: Sequence[Result]) -> None:
        """Remember results that will be the same in that scope.

        scope: all that decides them, but for what has run since and for this package.
        """
        if not self._live:
            self.store.add(self._settled_key(scope), _packed(settled.encode(results)))

    def settled_run(self, scope: str) -> bytes | None:
        """What was kept of a whole run in which everything is settled; None if nothing was."""
        known = [] if self._live else self.store.find(self._settled_key(scope, "run"))
        return known[0] if known else None

    def settle_run(self, scope: str, run: bytes) -> None:
        """Remember of a whole run what will be the same in that scope. run: a line.

        Not if something else came on record in it: its earlier results may rest on what was there.
        """
        if not self._live and not self._wavered:
            self.store.add(self._settled_key(scope, "run"), run)

    def evidence_of(self, case: Path) -> str:
        """The digest of what is committed beside the case, as it was at the first question."""
        found = self._find_beside(case)
        return digest(found) if isinstance(found, bytes) else ""

    @property
    def doubts(self) -> int:
        """The number of records so far that are there and cannot be used."""
        return self._stale + len(self._unusable)

    def prediction(
        self,
        program: PointerProgram,
        mode: Mode,
        byte_order: ByteOrder,
        find: Callable[[], Prediction],
    ) -> Prediction:
        """What the model says of the program; found only if nobody has asked before."""
        key = f"prediction-{mode}-{byte_order}-{self._text(program)}"
        return _decode_prediction(self._once(key, lambda: _encode_prediction(find())))

    def expects(self, scope: str) -> bool:
        """Whether it has no predictions of that scope yet, or takes none of those."""
        return self._live or not self.store.find(_foretold_key(scope))

    def foretold(
        self, scope: str, records: Iterable[tuple[str, bytes]], results: bytes | None
    ) -> None:
        """Put in all predictions of a scope, which another archive has found now.

        results: those that are settled in it, encoded.
        """
        for key, record in records:
            self.store.add(key, record)
            if self._live:
                self._foretold[key] = record
        if results:
            self.store.add(self._settled_key(scope), _packed(results))
        self.store.add(_foretold_key(scope), b"yes")

    def is_defined(self, case: Case, variant: str | None, find: Callable[[], bool]) -> bool:
        """Whether the case is defined in a variant; found only if nobody has asked before."""
        key = f"defined-{digest(digests.package(), self.of_case(case), str(variant))}"
        known = self._once(key, lambda: b"yes" if find() else b"no")
        return known == b"yes"

    def of_case(self, case: Case) -> str:
        """The digest of all that a case says."""
        if case.id not in self._cases:
            self._cases[case.id] = digests.of_case(case)
        return self._cases[case.id]

    def notes(self) -> list[str]:
        """What has to be said of the evidence: a line for each."""
        notes = [*self.store.notes]
        if self._unusable:
            more = len(self._unusable) - 1
            others = f", nor {more} others" if more else ""
            notes.append(f"{self._unusable[0]}{others}: not used; `harness bless` renews it")
        if self._stale:
            notes.append(
                f"{self._stale} stale records, of programs that have changed: not used; "
                "`harness bless` renews them"
            )
        return notes

    def _recall_committed(self, case: Path, job: Job, tool: Tool | None) -> Record | None:
        found = self._read_committed(case) if self._takes_committed else None
        row = found.rows.get((job.variant, job.form)) if found else None
        outcome = row.outcomes.get(str(job.mode)) if row else None
        if found is None or row is None or outcome is None:
            return None
        if row.program != self.program(job):
            self._stale += 1
            return None
        if tool not in (None, found.recording.tool):
            return None
        return Record(outcome=outcome, recording=found.recording, committed=True)

    def _read_committed(self, case: Path) -> Committed | None:
        if case not in self._committed:
            self._committed[case] = None
            found = self._find_beside(case)
            try:
                if isinstance(found, Unusable):
                    raise found
                if found is not None:
                    self._committed[case] = committed.decode(committed.path_of(case), found)
            except Unusable as error:
                self._unusable.append(str(error))
        return self._committed[case]

    def _find_beside(self, case: Path) -> bytes | Unusable | None:
        """What is committed beside the case: the file's content; None if there is none."""
        if case not in self._beside:
            try:
                self._beside[case] = committed.find(committed.path_of(case))
            except Unusable as error:
                self._beside[case] = error
        return self._beside[case]

    def _key(self, engine: EngineName, job: Job) -> str:
        if engine is EngineName.MIRI:
            assert job.mode is not None, "Miri judges in a mode"
            seed = "any" if job.seed is None else job.seed
            target = "" if job.target is None else f"{job.target}-"
            return f"{engine}-{job.mode}-{seed}-{target}{self.program(job)}"
        # What Miri interprets of a story leaves out the blocks.
        blocks = f"-{digests.of_blocks(job.program)}" if isinstance(job.program, Story) else ""
        return f"{engine}-{digests.package()}-{self.program(job)}{blocks}"

    def program(self, job: Job) -> str:
        """The digest of what Miri interprets in the job, whatever the mode."""
        program = job.program
        key = (id(program), job.variant)
        if key not in self._programs:
            self._programs[key] = program, self._digest(program, job.variant)
        return self._programs[key][1]

    def _digest(self, program: Program | PointerProgram | Story, variant: str | None) -> str:
        if isinstance(program, Story):
            return digests.of_story(program)
        if not isinstance(program, Program):
            return self._rust(program)
        assert variant is not None, "bytecode runs in a variant"
        if variant in self._own:
            return digests.of_own(program, variant, self._own[variant])
        return digests.of_bytecode(program, variant, self._vm_folder)

    def _rust(self, program: PointerProgram) -> str:
        key = f"rust-{self._text(program)}"
        return self._once(key, lambda: digests.of_rust(program).encode()).decode()

    def _settled_key(self, scope: str, what: str = "settled") -> str:
        latest = b"".join(self.store.find(_UNSETTLED)[:1]).decode()
        vm = digests.rust_vm(self._vm_folder)
        return f"{what}-{digest(digests.package(), vm, latest, scope)}"

    def _text(self, program: PointerProgram) -> str:
        if id(program) not in self._texts:
            self._texts[id(program)] = program, digests.of_text(program)
        return self._texts[id(program)][1]

    def _once(self, key: str, find: Callable[[], bytes]) -> bytes:
        """What was foretold or the store has, or else what is found and then stored."""
        if key in self._foretold:
            return self._foretold[key]
        known = [] if self._live else self.store.find(key)
        if known:
            return known[0]
        found = find()
        self.store.add(key, found)
        return found


def _packed(results: bytes) -> bytes:
    """Settled results as a record, a tenth as long: they say the same again and again."""
    return base64.b64encode(zlib.compress(results, level=1))


def _unpacked(record: bytes) -> bytes:
    """Raises: ValueError, zlib.error."""
    return zlib.decompress(base64.b64decode(record, validate=True))


def _foretold_key(scope: str) -> str:
    return f"foretold-{digest(digests.package(), scope)}"


class _Prediction(msgspec.Struct, frozen=True, kw_only=True):
    """rest: the fields that are no outcomes."""

    outcome: msgspec.Raw
    exact: msgspec.Raw = msgspec.Raw()
    rest: dict[str, Any]


_decoder = msgspec.json.Decoder(_Prediction)


def _encode_prediction(prediction: Prediction) -> bytes:
    values = {field.name: getattr(prediction, field.name) for field in fields(prediction)}
    outcomes = {"outcome": values.pop("outcome"), "exact": values.pop("exact")}
    encoded = {name: encode_outcome(each) for name, each in outcomes.items() if each is not None}
    return msgspec.json.encode({**encoded, "rest": values})


def _decode_prediction(text: bytes) -> Prediction:
    read = _decoder.decode(text)
    exact = bytes(read.exact)
    return Prediction(
        outcome=decode_outcome(bytes(read.outcome)),
        exact=decode_outcome(exact) if exact else None,
        **read.rest,
    )
