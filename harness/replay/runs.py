"""Runs: every input in every mode, in an interpreter of its own, many of them to a process.

What is on record is not done again, and every outcome is on record as soon as it was seen. What
cannot be attributed in a batch has a process of its own.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice

import msgspec

from harness.diagnostics.failure import Failure, read_failure, read_panic
from harness.diagnostics.message import read_json
from harness.engines.confirmation import contradiction
from harness.engines.miri_command import Miri
from harness.engines.miri_items import Batch, Item
from harness.engines.miri_segments import BEGIN, Attributed, Stopped, stopped
from harness.engines.task_pool import Task, run_tasks
from harness.evidence.digests import emission
from harness.evidence.record import decode_record, encode_record, lasting, lasts, record_now
from harness.evidence.store import Store
from harness.mode import Mode
from harness.outcome import Outcome, Ran, TimedOut, ToolFailed
from harness.replay.inputs import Input
from harness.replay.places import placed
from harness.replay.returns import ReturnReader, draw_mark
from harness.replay.subject import Subject
from harness.result import Evidence, Tool
from harness.toolchain.command import Command
from harness.toolchain.miri import mode_flags
from harness.toolchain.process import Completed, Ending, Launcher, Limits
from harness.toolchain.workspace import digest

LARGEST_BATCH = 500
"""Inputs to a process: its start is small beside them."""

CONFIRM_EVERY = 100
"""One of so many inputs is run once more, in a process of its own."""

PLAIN_SEEDS = 1 << 30
"""From here on count the seeds of inputs that no batch began, where each has several."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """An input that is to be run in a mode."""

    input: Input
    mode: Mode


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """What one run of an input came to. seed: of the interpreter; None for its default.

    A recorded one has none: it counts for any.
    """

    trial: Trial
    outcome: Outcome
    seed: int | None
    evidence: Evidence = Evidence.LIVE


@dataclass(frozen=True, slots=True, kw_only=True)
class Plainly:
    """One run in a process of its own. failure: None if nothing went wrong."""

    done: Completed
    failure: Failure | None
    outcome: Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayer:
    """limits: of one run. workers: processes at once. seeds: under how many each input is run.

    store: where outcomes are kept. live: whether nothing on record will do.
    """

    launcher: Launcher
    miri: Miri
    subject: Subject
    limits: Limits
    workers: int
    store: Store
    seeds: int = 1
    live: bool = False
    _mark: bytes = field(default_factory=draw_mark)

    def run(self, trials: Sequence[Trial]) -> Iterator[Replayed]:
        """Do all trials, under every seed, and yield what each came to, in any order.

        Raises: KeyboardInterrupt or Cancelled, after every child process was ended.
        """
        left = []
        for trial in trials:
            known = self._recall(trial)
            if known is not None:
                yield known
            else:
                left += [trial] * self.seeds
        launcher = self.launcher.fork()
        tasks = [self._batch(launcher, chunk) for chunk in self._chunks(left)]
        for replayed in run_tasks(launcher, tasks, self.workers):
            self._keep(replayed)
            yield replayed

    def run_plainly(
        self, trial: Trial, seed: int | None, launcher: Launcher | None = None
    ) -> Plainly:
        """Run an input in a process of its own."""
        stdin = self._item(trial.input.data).encode(0)
        command = self._command(trial, seed)
        done = (launcher or self.launcher).run(command, stdin=stdin, limits=self.limits)
        failure = self._failure(done)
        outcome = Ran() if failure is None else self._lasting(failure)
        return Plainly(done=done, failure=failure, outcome=outcome)

    def repeat(self, trial: Trial, seed: int | None) -> str:
        """The shell line that does the same."""
        # What stands before the input.
        head = replace(self._item(trial.input.data), data=b"").encode(0)[:-8]
        octal = "".join(
            f"\\{byte:03o}" for byte in head + len(trial.input.data).to_bytes(8, "little")
        )
        path = shlex.quote(str(trial.input.path.absolute()))
        return f"{{ printf '{octal}'; cat {path}; }} | {self._command(trial, seed).shell()}"

    def _command(self, trial: Trial, seed: int | None) -> Command:
        flags = (
            *mode_flags(trial.mode),
            *(() if seed is None else (f"-Zmiri-seed={seed}",)),
            # Standard input is outside.
            "-Zmiri-disable-isolation",
        )
        subject = self.subject
        return self.miri.driver_command(subject.folder, flags, (), externs=subject.externs)

    def _item(self, data: bytes) -> Item:
        return Item(choice=int.from_bytes(self._mark, "little"), data=data)

    def _failure(self, done: Completed) -> Failure | None:
        match done.ending:
            case Ending.TIME | Ending.SILENCE | Ending.MEMORY:
                return Failure(outcome=TimedOut(message=done.describe_ending()))
            case Ending.OUTPUT:
                return Failure(outcome=ToolFailed(message=done.describe_ending()))
            case Ending.EXITED:
                pass
        transcript = read_json(done.stderr)
        error = next((message for message in transcript.messages if message.is_error), None)
        if error is not None:
            said = stopped(transcript, error)
            return said.failure if said else read_failure(transcript, done.exit_code)
        if done.exit_code >= 0 and BEGIN in transcript.text:
            # It came back, or has ended the process itself, as it likes.
            return read_panic(transcript.text) if done.exit_code else None
        return read_failure(transcript, done.exit_code) or Failure(
            outcome=ToolFailed(message="Miri has not begun to interpret the function")
        )

    def _lasting(self, failure: Failure) -> Outcome:
        return lasting(placed(failure, self.subject.root), shared_source=False)

    def _chunks(self, trials: Sequence[Trial]) -> Iterator[list[Trial]]:
        """Trials of one mode each; no more than a process takes, and something for everybody."""
        by_mode: dict[Mode, list[Trial]] = {}
        for trial in trials:
            by_mode.setdefault(trial.mode, []).append(trial)
        share = -(-len(trials) // self.workers)
        for of_mode in by_mode.values():
            rest = iter(of_mode)
            while chunk := list(islice(rest, min(LARGEST_BATCH, share))):
                yield chunk

    def _batch(self, launcher: Launcher, trials: Sequence[Trial]) -> Task[Replayed]:
        """A process for trials of one mode."""

        def task(tell: Callable[[Replayed], None]) -> Sequence[Task[Replayed]]:
            batch = Batch(
                launcher=launcher,
                miri=self.miri,
                folder=self.subject.folder,
                externs=self.subject.externs,
                flags=mode_flags(trials[0].mode),
                limits=self.limits,
                inherits=True,
                records=lambda: ReturnReader(self._mark),
            )
            left = dict(enumerate(trials))
            doubted: list[Replayed] = []

            def hear(seen: Attributed) -> None:
                trial = left.pop(seen.item)
                said = seen.said
                outcome = self._lasting(said.failure) if isinstance(said, Stopped) else Ran()
                replayed = Replayed(trial=trial, outcome=outcome, seed=seen.seed)
                if seen.item % CONFIRM_EVERY:
                    tell(replayed)
                else:
                    doubted.append(replayed)

            batch.interpret(
                {number: self._item(trial.input.data) for number, trial in left.items()}, hear
            )
            alone = [
                self._plain(launcher, trial, batch.begun.get(number, PLAIN_SEEDS + number))
                for number, trial in left.items()
            ]
            return [*alone, *(self._confirming(launcher, each) for each in doubted)]

        return task

    def _plain(self, launcher: Launcher, trial: Trial, seed: int) -> Task[Replayed]:
        def task(tell: Callable[[Replayed], None]) -> Sequence[Task[Replayed]]:
            chosen = None if self.seeds == 1 else seed
            seen = self.run_plainly(trial, chosen, launcher)
            tell(Replayed(trial=trial, outcome=seen.outcome, seed=chosen))
            return ()

        return task

    def _confirming(self, launcher: Launcher, replayed: Replayed) -> Task[Replayed]:
        def task(tell: Callable[[Replayed], None]) -> Sequence[Task[Replayed]]:
            again = self.run_plainly(replayed.trial, replayed.seed, launcher)
            tell(replace(replayed, outcome=agreed(replayed.outcome, again.outcome)))
            return ()

        return task

    def _key(self, trial: Trial) -> str:
        return f"replay-{trial.mode}-{digest(emission(), self.subject.digest, trial.input.data)}"

    def _recall(self, trial: Trial) -> Replayed | None:
        if self.live or self.seeds > 1:
            return None
        for text in self.store.find(self._key(trial)):
            try:
                record = decode_record(text)
            except msgspec.DecodeError:
                continue
            if record.recording.tool == self.tool:
                return Replayed(
                    trial=trial, outcome=record.outcome, seed=None, evidence=Evidence.RECORDED
                )
        return None

    def _keep(self, replayed: Replayed) -> None:
        if lasts(replayed.outcome):
            record = record_now(replayed.outcome, self.tool)
            self.store.add(self._key(replayed.trial), encode_record(record))

    @property
    def tool(self) -> Tool:
        return self.miri.toolchain.tool


def agreed(batch: Outcome, plain: Outcome) -> Outcome:
    """What a batch saw, if a run of its own under the same seed says the same.

    Where it does not, nobody knows which is right: a function that draws from the system, as a
    `HashMap` does, may come to either.
    """
    if differing := contradiction(batch, plain):
        return ToolFailed(message=f"two runs of it differ: {differing}")
    return batch
