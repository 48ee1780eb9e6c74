"""Foretelling: what is predicted of many cases, found by several processes side by side.

The abstract machine takes a minute for the whole corpus, all of it in Python. Each process has
some of the cases, and says on standard output what it would have put into the archive, a record
a line; whoever started it puts that in. So what is predicted is the same as without them, and if
one of them fails it is found where it is wanted.
"""

from __future__ import annotations

import pickle
import sys
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from harness.campaign.judging import Judging
from harness.campaign.oracle import Oracle
from harness.campaign.plan import plan_model, variants_run
from harness.engines.task_pool import Task, run_tasks
from harness.evidence.archive import Archive
from harness.evidence.settled import encode, is_settled
from harness.ledger import Ledger
from harness.outcome import UndefinedBehaviour, Unsupported
from harness.resources import rust_vm_dir
from harness.result import EngineName
from harness.toolchain.command import Command
from harness.toolchain.process import Limits

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from harness.campaign.selection import Selection
    from harness.cases.case import Case
    from harness.toolchain.process import Launcher

WORTH = 50
"""So few cases are predicted sooner than processes have started."""

_COMPILED = (EngineName.IN_PROCESS, EngineName.NATIVE)
"""The engines for which it has to be known whether a program is defined."""

_RESULTS = b"results"
"""Begins the last line of a case; nothing follows where they are not settled."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Foretold:
    """All that was found of one case.

    records: keys and records of the archive. results: the model's, as a record if they are
    settled.
    """

    case: Case
    records: Sequence[tuple[str, bytes]]
    results: bytes | None


def foretell(
    launcher: Launcher,
    cases: Sequence[Case],
    variants: tuple[str, ...],
    selection: Selection,
) -> Iterator[Foretold]:
    """Predict all that the selection wants of the cases, in `selection.jobs` processes.

    Cases that a process has not come to, because it failed, are left out.
    """
    launcher = launcher.fork()
    count = min(selection.jobs, len(cases))
    tasks = [_task(launcher, cases[n::count], variants, selection) for n in range(count)]
    yield from run_tasks(launcher, tasks, count)


def _task(
    launcher: Launcher,
    cases: Sequence[Case],
    variants: tuple[str, ...],
    selection: Selection,
) -> Task[Foretold]:
    # -P: nothing that lies in the folder where somebody works is a module of ours.
    command = Command(argv=(sys.executable, "-P", "-m", __name__))

    def task(tell: Callable[[Foretold], None]) -> Sequence[Task[Foretold]]:
        records: list[tuple[str, bytes]] = []
        numbers = iter(range(len(cases)))
        read = 0

        def listen(output: bytes | bytearray, _errors: bytearray) -> None:
            nonlocal read
            while (end := output.find(b"\n", read)) >= 0:
                key, _, record = bytes(output[read:end]).partition(b" ")
                read = end + 1
                if key == _RESULTS:
                    case = cases[next(numbers)]
                    tell(Foretold(case=case, records=tuple(records), results=record or None))
                    records.clear()
                else:
                    records.append((key.decode(), record))

        stdin = pickle.dumps((tuple(cases), variants, selection))
        # Where Python is embedded in another program, it may not know an executable of its own.
        with suppress(FileNotFoundError):
            completed = launcher.run(
                command, stdin=stdin, limits=Limits(seconds=None, output=None), listener=listen
            )
            listen(completed.stdout, bytearray())
        return ()

    return task


@dataclass(slots=True)
class _Told:
    """Records as they are found; implements `harness.evidence.archive.Records`."""

    notes: list[str] = field(default_factory=list)
    known: dict[str, bytes] = field(default_factory=dict)

    def find(self, key: str) -> list[bytes]:
        return [self.known[key]] if key in self.known else []

    def add(self, key: str, record: bytes) -> None:
        if key not in self.known:
            self.known[key] = record
            sys.stdout.buffer.write(key.encode() + b" " + record + b"\n")


def _tell(cases: Sequence[Case], variants: tuple[str, ...], selection: Selection) -> None:
    oracle = Oracle(Archive(_Told(), vm_folder=rust_vm_dir()))
    judging = Judging(oracle=oracle, ledger=Ledger(entries=(), version=lambda _: None))
    compiled = any(map(selection.wants_engine, _COMPILED))
    for case in cases:
        planned = plan_model(case, variants, selection, oracle)
        results = [judging.prediction(case, *each) for each in planned]
        # Where the program itself is wrong, nobody asks what a compiler owes its variants.
        asked = compiled and not isinstance(
            oracle.reference(case), UndefinedBehaviour | Unsupported
        )
        for variant in variants_run(case, variants, selection) if asked else ():
            if oracle.refusal(case, variant) is None:
                oracle.is_defined(case, variant)
        settled = encode(results) if all(map(is_settled, results)) else b""
        sys.stdout.buffer.write(_RESULTS + b" " + settled + b"\n")
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    _tell(*pickle.load(sys.stdin.buffer))
