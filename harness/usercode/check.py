"""Code of the user's under Miri: every mode and seed a run of its own, one verdict a mode."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from harness.diagnostics.failure import Failure, read_failure
from harness.diagnostics.message import read_json
from harness.mode import Mode
from harness.outcome import Outcome, Ran, TimedOut, ToolFailed
from harness.toolchain.miri import mode_flags
from harness.toolchain.process import Completed, Ending, Launcher, Limits
from harness.usercode.account import Account, account_of
from harness.usercode.log import LoggedFailure, read_log
from harness.usercode.miri_call import MiriCall, in_words
from harness.usercode.source_lines import SourceLines
from harness.usercode.target import RustTest


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One run. account: of its failure; None where it has none.

    status: the program's own exit code, where it ended by itself.
    command: the shell line that repeats it, with Miri's words as people read them.
    """

    mode: Mode
    seed: int | None
    outcome: Outcome
    account: Account | None
    status: int
    command: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ModeVerdict:
    """What all runs of one mode came to. seen: those that differ, each with its seeds.

    refused: why this Miri cannot judge in the mode; empty if it can.
    """

    mode: Mode
    seen: tuple[tuple[Seen, tuple[int, ...]], ...] = ()
    refused: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """A program, or one test of it, in every mode. test: None for a program."""

    test: RustTest | None
    verdicts: tuple[ModeVerdict, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """modes, seeds: each is run with each. limits: of one run. workers: runs at once."""

    modes: tuple[Mode, ...]
    seeds: int
    limits: Limits
    workers: int


def check(
    launcher: Launcher, call: MiriCall, plan: Plan, tests: Sequence[RustTest] = ()
) -> Iterator[Checked]:
    """Run the program, or each of the tests, in every mode under every seed.

    A skipped test has no verdicts.

    Raises: NotBuilt.
    """
    seeds: tuple[int | None, ...] = (None,) if plan.seeds == 1 else tuple(range(plan.seeds))
    refused = {mode: call.toolchain.lacks(mode) for mode in plan.modes}
    inner = launcher.fork()
    pool = ThreadPoolExecutor(plan.workers)
    subjects: Sequence[RustTest | None] = tests or (None,)
    try:
        futures = {
            (test, mode, seed): pool.submit(_run, inner, call, plan.limits, test, mode, seed)
            for test in subjects
            if test is None or not test.skipped
            for mode in plan.modes
            if refused[mode] is None
            for seed in seeds
        }
        for test in subjects:
            if test is not None and test.skipped:
                yield Checked(test=test, verdicts=())
                continue
            verdicts = [
                ModeVerdict(mode=mode, refused=reason)
                if (reason := refused[mode]) is not None
                else _verdict(mode, [futures[test, mode, seed].result() for seed in seeds])
                for mode in plan.modes
            ]
            yield Checked(test=test, verdicts=tuple(verdicts))
    except BaseException:
        # Ctrl-C, or whoever iterates has had enough: what still runs is ended.
        inner.cancel()
        raise
    finally:
        pool.shutdown(cancel_futures=True)


def _run(
    launcher: Launcher,
    call: MiriCall,
    limits: Limits,
    test: RustTest | None,
    mode: Mode,
    seed: int | None,
) -> Seen:
    flags = (*mode_flags(mode), *(() if seed is None else (f"-Zmiri-seed={seed}",)))
    arguments: tuple[str, ...] = ()
    if test is not None:
        ignored = ("--include-ignored",) if test.ignored else ()
        arguments = ("--exact", test.name, "--nocapture", *ignored)
    of = test.words if test else ()
    done = launcher.run(call.command(flags, arguments, of=of), limits=limits)
    failure, account = _read(done, call)
    return Seen(
        mode=mode,
        seed=seed,
        outcome=Ran() if failure is None else failure.outcome,
        account=account,
        status=done.exit_code,
        command=call.command(flags, arguments, of=of, for_people=True).shell(),
    )


def _read(done: Completed, call: MiriCall) -> tuple[Failure | None, Account | None]:
    """What went wrong in a run, and the account of it."""
    failure: Failure | None
    match done.ending:
        case Ending.EXITED:
            transcript = read_json(done.stderr)
            failure = read_failure(transcript, done.exit_code)
            if failure is not None and isinstance(failure.outcome, ToolFailed):
                if any(message.is_error for message in transcript.messages):
                    raise call.not_built(in_words(done.errors), done.command)
                if done.exit_code > 0:
                    # The program's own status, which it may end with as it likes.
                    return None, None
        case Ending.TIME | Ending.SILENCE | Ending.MEMORY | Ending.OUTPUT:
            failure = Failure(outcome=TimedOut(message=done.describe_ending()))
    if failure is None:
        return None, None
    log = read_log(done.stderr)
    sources = SourceLines(quoted=log.sources.quoted, roots=(call.target.root,))
    for logged in log.failures:
        if logged.failure.outcome == failure.outcome:
            return failure, account_of(logged, sources)
    return failure, account_of(LoggedFailure(failure=failure, message=None), sources)


def _verdict(mode: Mode, runs: Sequence[Seen]) -> ModeVerdict:
    """The runs that differ, each once, with all seeds that came to the same."""
    found: dict[object, tuple[Seen, list[int]]] = {}
    for run in runs:
        outcome = run.outcome
        key = (
            outcome.name,
            getattr(outcome, "kind", None),
            getattr(outcome, "location", None),
            run.status if outcome.name == "ran" else None,
        )
        first = found.setdefault(key, (run, []))
        if run.seed is not None:
            first[1].append(run.seed)
    return ModeVerdict(
        mode=mode, seen=tuple((seen, tuple(seeds)) for seen, seeds in found.values())
    )
