"""`harness replay`: a function of the user's own under Miri, once for every input file."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from harness.cli.exit_code import ExitCode, weightiest
from harness.errors import InputError, quoted

if TYPE_CHECKING:
    from harness.outcome import Outcome
    from harness.replay.failures import Distinct
    from harness.replay.runs import Replayer


def replay_command(
    *inputs: Path,
    crate: Annotated[Path, Parameter("--crate")],
    entry: Annotated[str, Parameter("--entry")],
    package: Annotated[str | None, Parameter("--package")] = None,
    features: Annotated[str | None, Parameter("--features")] = None,
    mode: Annotated[list[str] | None, Parameter("--mode")] = None,
    seeds: Annotated[int, Parameter("--seeds")] = 1,
    shard: Annotated[str | None, Parameter("--shard")] = None,
    reduce: Annotated[Path | None, Parameter("--reduce")] = None,
    evidence: Annotated[Literal["any", "live"], Parameter("--evidence")] = "any",
    toolchain: Annotated[str | None, Parameter("--toolchain")] = None,
    jobs: Annotated[int | None, Parameter(["-j", "--jobs"])] = None,
    timeout: Annotated[float, Parameter("--timeout")] = 60.0,
    memory_limit: Annotated[int, Parameter("--memory-limit")] = 4096,
    json: Annotated[Path | None, Parameter("--json")] = None,
) -> int:
    """Run a function that takes &[u8] under Miri, once for every input, in every mode.

    The crate is compiled once and is only read. Exit codes: 0 nothing found; 1 a failure in some
    mode; 2 it does not build, or bad usage; 3 not checked.

    Parameters
    ----------
    inputs
        Files, or folders of them.
    crate
        A folder with Cargo.toml.
    entry
        The function's path in the crate, such as parse or vm::run.
    package
        The package of a workspace.
    features
        cargo's features, separated by commas.
    mode
        Only this mode, such as tree-strict, or all; repeatable.
    seeds
        Run every input under so many seeds of Miri.
    shard
        Only part I of N of the inputs, written I/N, counted from 1.
    reduce
        Write the smallest input found for each distinct failure to this folder.
    evidence
        Whether recorded outcomes will do (any) or everything has to run now (live).
    toolchain
        rustup's name of the toolchain with Miri (default: $HARNESS_MIRI_TOOLCHAIN, or nightly).
    jobs
        Processes at once (default: one for each processor).
    timeout
        Seconds that one run may take.
    memory_limit
        MiB of memory that one run may use.
    json
        Write every outcome and every failure to this file, for programs.
    """
    from rich.console import Console
    from rich.text import Text

    from harness.cli.options import read_jobs, read_limit, read_modes, read_shard
    from harness.engines.miri_command import Miri
    from harness.evidence.store import Store
    from harness.replay import replay_json
    from harness.replay.failures import distinct, explain
    from harness.replay.inputs import read_inputs
    from harness.replay.replay_screen import render_failure, render_table
    from harness.replay.runs import Replayer, Trial
    from harness.replay.subject import Choice, prepare
    from harness.report.progress import watched
    from harness.report.report_file import ReportFile
    from harness.toolchain.environment import cache_folder
    from harness.toolchain.miri import need_miri
    from harness.toolchain.process import Launcher, Limits
    from harness.toolchain.workspace import discard_old
    from harness.usercode.miri_call import NotBuilt

    modes = read_modes(mode)
    limits = Limits(
        seconds=read_limit("--timeout", timeout),
        memory=read_limit("--memory-limit", memory_limit) << 20,
    )
    seeds = read_limit("--seeds", seeds)
    workers = read_jobs(jobs)
    part = read_shard(shard)
    report = None if json is None else ReportFile(option="--json", path=json)
    if reduce is not None:
        _demand_folder(reduce)
    chosen = [each for each in read_inputs(inputs) if part.holds(each.name)]
    launcher = Launcher()
    found, sysroot = need_miri(launcher, toolchain)
    cache = cache_folder()
    discard_old(cache)
    miri = Miri(toolchain=found, sysroot=sysroot, cache=cache)
    choice = Choice(
        path=crate,
        entry=entry,
        package=package,
        features=tuple(filter(None, (features or "").split(","))),
    )
    try:
        subject = prepare(launcher, miri, choice)
    except NotBuilt as error:
        sys.stderr.write(error.said)
        raise
    replayer = Replayer(
        launcher=launcher,
        miri=miri,
        subject=subject,
        limits=limits,
        workers=workers,
        store=Store(cache / "evidence" / "replay.log"),
        seeds=seeds,
        live=evidence == "live",
    )
    console = Console(highlight=False)
    refused = {each: why for each in modes if (why := found.lacks(each)) is not None}
    trials = [Trial(input=each, mode=of) for of in modes if of not in refused for each in chosen]
    many = "1 input" if len(chosen) == 1 else f"{len(chosen)} inputs"
    console.print(Text(f"{subject.title}; {many}; {replayer.tool}"), soft_wrap=True)
    replayed = list(
        watched(
            replayer.run(trials),
            total=len(trials) * seeds,
            fails=lambda each: code_of(each.outcome, by_name=False) is not None,
        )
    )
    replayed.sort(key=lambda each: (modes.index(each.trial.mode), each.trial.input.path))
    for line in render_table(replayed, modes, refused):
        console.print(line, soft_wrap=True, markup=False)
    told = []
    known: set[object] = set()
    for failure in distinct(replayed, modes):
        explained = explain(replayer, failure.smallest)
        smaller = None if reduce is None else _reduce(replayer, failure, reduce)
        repairs = explained.account.repairs if explained.account else ()
        for line in render_failure(failure, explained, smaller, repairs_are_known=repairs in known):
            console.print(line, soft_wrap=True, markup=False)
        known.add(repairs)
        told.append((failure, explained, smaller))
    for note in replayer.store.notes:
        print(f"harness: {note}", file=sys.stderr)
    if report is not None:
        reasons = {str(each): reason for each, reason in refused.items()}
        report.write(replay_json.encode(replayer, replayed, told, reasons))
    by_name = bool(mode)
    codes = {code_of(each.outcome, by_name=by_name) for each in replayed}
    codes |= {code_of(explained.outcome, by_name=by_name) for _, explained, _ in told}
    spoken_of = {each.trial.input.path for each in replayed if tells(each.outcome)}
    if (refused and by_name) or any(each.path not in spoken_of for each in chosen):
        codes.add(ExitCode.NOT_CHECKED)
    return weightiest({code for code in codes if code is not None})


def tells(outcome: Outcome) -> bool:
    """Whether a run that came to this says something of its input.

    A mode in which Miri cannot run it says nothing, but another one may.
    """
    from harness.outcome import Unsupported

    return not isinstance(outcome, Unsupported)


def code_of(outcome: Outcome, *, by_name: bool) -> ExitCode | None:
    """What one outcome makes of the exit code. by_name: whether its mode was asked for so."""
    from harness.outcome import Ran, Unsupported
    from harness.replay.failures import is_unchecked

    match outcome:
        case Ran():
            return None
        case Unsupported():
            return ExitCode.NOT_CHECKED if by_name else None
        case _ if is_unchecked(outcome):
            return ExitCode.NOT_CHECKED
        case _:
            return ExitCode.MISMATCH


def _demand_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        message = f"--reduce: {quoted(str(folder), 200)} cannot be made: {error.strerror}"
        raise InputError(None, message, "name a folder") from None


def _reduce(replayer: Replayer, failure: Distinct, folder: Path) -> Path | None:
    """The file with the smallest input found; None where there is nothing to be had."""
    from dataclasses import replace

    from harness.replay.failures import is_unchecked
    from harness.replay.minimise import minimise
    from harness.report.report_file import ReportFile
    from harness.toolchain.workspace import digest

    smallest = failure.smallest
    if is_unchecked(smallest.outcome):
        return None
    symptom, mode = failure.symptom, smallest.trial.mode
    words = [symptom.name, *([symptom.kind] if symptom.kind else ())]
    name = "-".join((str(mode), *words, digest(str(symptom))[:8]))
    file = ReportFile(option="--reduce", path=folder / name)
    data = smallest.trial.input.data
    file.write(data)
    # Candidates go on record even where the inputs are all to run now.
    quick = replace(replayer, live=False)
    minimise(quick, symptom, mode, data, file.write)
    return file.path
