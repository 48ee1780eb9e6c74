"""`harness run`: cases through every engine, held against each other."""

from __future__ import annotations

import os
import sys
from contextlib import ExitStack
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from harness.cli.exit_code import ExitCode, weightiest
from harness.errors import InputError
from harness.outcome import DEPENDS_ON_ADDRESSES, TimedOut
from harness.result import CaseKind, EngineName, Form, Result, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from harness.campaign.assemble import Setup
    from harness.campaign.own_variants import AbsentCrate
    from harness.campaign.selection import Selection
    from harness.cases.case import Case
    from harness.cases.load import Loaded
    from harness.engines.own_crate import OwnCrate
    from harness.report.report import Report
    from harness.report.report_file import ReportFile
    from harness.report.tally import Tally

    Files = Mapping[ReportFile, Callable[[Report], bytes]]


def run_command(
    *paths: Path,
    case: Annotated[str | None, Parameter("--case")] = None,
    variant: Annotated[list[str] | None, Parameter("--variant")] = None,
    mode: Annotated[list[str] | None, Parameter("--mode")] = None,
    target: Annotated[list[str] | None, Parameter("--target")] = None,
    form: Annotated[list[str] | None, Parameter("--form")] = None,
    engine: Annotated[list[str] | None, Parameter("--engine")] = None,
    toolchain: Annotated[str | None, Parameter("--toolchain")] = None,
    evidence: Annotated[Literal["any", "live"], Parameter("--evidence")] = "any",
    jobs: Annotated[int | None, Parameter(["-j", "--jobs"])] = None,
    shard: Annotated[str | None, Parameter("--shard")] = None,
    quick: Annotated[bool, Parameter("--quick", negative=())] = False,
    seeds: Annotated[int, Parameter("--seeds")] = 1,
    timeout: Annotated[float, Parameter("--timeout")] = 60.0,
    memory_limit: Annotated[int, Parameter("--memory-limit")] = 4096,
    input_limit: Annotated[int, Parameter("--input-limit")] = 1,
    json: Annotated[Path | None, Parameter("--json")] = None,
    junit: Annotated[Path | None, Parameter("--junit")] = None,
    sarif: Annotated[Path | None, Parameter("--sarif")] = None,
    html: Annotated[Path | None, Parameter("--html")] = None,
    github: Annotated[bool | None, Parameter("--github", negative="--no-github")] = None,
    compare: Annotated[str | None, Parameter("--compare")] = None,
    reduce: Annotated[Path | None, Parameter("--reduce")] = None,
    verbose: Annotated[bool, Parameter(["-v", "--verbose"], negative=())] = False,
) -> int:
    """Run cases and hold all sides against each other.

    Exit codes: 0 all agrees; 1 a mismatch; 2 bad input or usage; 3 something asked for by name
    could not be checked; 4 a fault of the harness itself.

    Parameters
    ----------
    paths
        Case files, folders of them, or .jsonl sets (default: the corpus).
    case
        Only cases whose name matches this glob, such as 'bytecode/add-*'.
    variant
        Only this variant: a name, or the path of a crate or a .rs file with variants of your
        own; repeatable.
    mode
        Only this mode, such as tree-strict, or all; repeatable.
    target
        Only for this target, such as s390x-unknown-linux-gnu, or host; repeatable. Miri alone
        runs for others than the host.
    form
        Only this form: vm or unrolled; repeatable.
    engine
        Only this engine: reference, model, in-process, native, const or miri; repeatable.
    toolchain
        rustup's name of the toolchain with Miri (default: $HARNESS_MIRI_TOOLCHAIN, or nightly).
    evidence
        Whether recorded outcomes will do (any) or everything has to run now (live).
    jobs
        Processes at once (default: one for each processor).
    shard
        Only part I of N of the cases, written I/N, counted from 1.
    quick
        For daily use: predict, compile and interpret every case in two variants, or in those that
        are named, and only once in each, every time in another mode and form. Long programs are
        not unrolled.
    seeds
        Interpret every case under so many seeds of Miri, draw the states of a story as often, and
        say where they differ.
    timeout
        Seconds that one run under Miri may take.
    memory_limit
        MiB of memory that one run under Miri may use.
    input_limit
        MiB that a case file, the memory in it, or a line of a set may have.
    json
        Write every result to this file, for programs.
    junit
        Write every result to this file as JUnit XML, for what shows tests.
    sarif
        Write what fails to this file as SARIF, for what shows findings in the source.
    html
        Write all of it to this file as one page for a browser, with every mismatch drawn.
    github
        Annotate what fails and add to the step's summary, as GitHub Actions reads it (default:
        if $GITHUB_ACTIONS is true).
    compare
        Only under Miri, by this toolchain's too; only what they differ in is shown.
    reduce
        With --compare, write a smaller case of each change to this folder.
    verbose
        Show every result, not only those that do not agree.
    """
    from harness.campaign.assemble import assemble
    from harness.campaign.own_variants import prepare_own
    from harness.campaign.selection import Selection
    from harness.campaign.whole import scope_of
    from harness.cases.load import load
    from harness.cases.sources import look_at
    from harness.cli.options import (
        choose_variants,
        read_choices,
        read_jobs,
        read_limit,
        read_modes,
        read_shard,
        require_forms,
    )
    from harness.lowering.variants import VARIANTS
    from harness.report.report_file import ReportFile
    from harness.resources import corpus_dir
    from harness.toolchain.miri import toolchain_name
    from harness.toolchain.process import Launcher
    from harness.toolchain.targets import find_targets

    chosen = choose_variants(variant)
    name = toolchain_name(toolchain)
    selection = Selection(
        cases=case,
        variants=chosen.table,
        modes=read_modes(mode),
        targets=find_targets(Launcher(), name, tuple(target or ())),
        forms=read_choices("--form", Form, form) or tuple(Form),
        engines=read_choices("--engine", EngineName, engine),
        toolchain=name,
        live=evidence == "live",
        jobs=read_jobs(jobs),
        shard=read_shard(shard),
        quick=quick,
        seeds=read_limit("--seeds", seeds),
        seconds=read_limit("--timeout", timeout),
        memory=read_limit("--memory-limit", memory_limit) << 20,
    )
    require_forms(chosen.table or (), selection.forms)
    wanted = (
        ("--json", json, "json_report"),
        ("--junit", junit, "junit"),
        ("--sarif", sarif, "sarif"),
        ("--html", html, "html_report"),
    )
    # Only those that are asked for: a page alone brings templates along.
    files = {
        ReportFile(option=option, path=path): import_module(f"harness.report.{module}").encode
        for option, path, module in wanted
        if path is not None
    }
    given = paths or (corpus_dir(),)
    largest = read_limit("--input-limit", input_limit) << 20
    if github is None:
        github = os.environ.get("GITHUB_ACTIONS") == "true"
    if compare is not None:
        options = (("--engine", engine), ("--junit", junit), ("--sarif", sarif), ("--html", html))
        _demand_none_of(options, seeds=seeds)
    elif reduce is not None:
        raise InputError(None, "--reduce goes with --compare", "`harness reduce` takes a case")
    own = prepare_own(chosen.on_demand, chosen.paths, selection)
    if compare is not None:
        report = next(iter(files), None)
        loaded = load(given, variants=VARIANTS, limit=largest)
        return _compare(loaded, selection, own, compare, reduce=reduce, report=report)
    setup = assemble((), selection, own=own)
    sources = look_at(given, largest)
    # Tools are asked for it, which is a part of the run where that is to be reported on.
    scope = None if sources is None or own else cache(lambda: scope_of(setup, sources))
    counted = None if files or github or verbose else _recall(setup, scope)
    if counted is not None:
        return _tell_again(setup, counted)
    loaded = load(given, variants=VARIANTS, limit=largest)
    if loaded.errors or look_at(given, largest) != sources:
        scope = None
    return _run(loaded, setup, files, scope=scope, github=github, verbose=verbose)


def _demand_none_of(options: Iterable[tuple[str, object]], *, seeds: int) -> None:
    given = [option for option, value in options if value]
    if given:
        message = f"--compare does not go with {', '.join(given)}"
        raise InputError(
            None, message, "it runs every case under either Miri; --json FILE tells it"
        )
    if seeds > 1:
        remedy = (
            "a seed does not lead two Miris to the same choices; `harness run --seeds` asks one"
        )
        raise InputError(None, "--compare does not go with --seeds", remedy)


def _compare(
    loaded: Loaded,
    selection: Selection,
    own: Sequence[OwnCrate | AbsentCrate],
    other: str,
    *,
    reduce: Path | None,
    report: ReportFile | None,
) -> int:
    from harness.cli.comparing import compare_toolchains

    cases = _selected(loaded, selection, own=bool(own))
    for error in loaded.errors:
        print(f"error: {error}", file=sys.stderr)
    code = compare_toolchains(cases, selection, other, own=own, reduced=reduce, report=report)
    return weightiest({code, *([ExitCode.BAD_INPUT] if loaded.errors else ())})


def _selected(loaded: Loaded, selection: Selection, *, own: bool) -> list[Case]:
    if not loaded.errors and not any(selection.names_case(case.id) for case in loaded.cases):
        raise InputError(None, "no case was selected", "`harness list` names them all")
    # A shard may be empty: few cases fall into many parts as they may.
    cases = [case for case in loaded.cases if selection.wants_case(case.id)]
    if own and not selection.variants:
        # Pointer cases run in no variant, so that they say nothing of the user's.
        return [case for case in cases if case.kind is CaseKind.BYTECODE]
    return cases


def _recall(setup: Setup, scope: Callable[[], str] | None) -> Tally | None:
    """What was counted in a run in which everything was settled."""
    from msgspec import DecodeError

    from harness.report.tally import decode

    settled = None if scope is None else setup.campaign.archive.settled_run(scope())
    try:
        return None if settled is None else decode(settled)
    except (DecodeError, LookupError):
        return None


def _tell_again(setup: Setup, counted: Tally) -> int:
    """Tell of a run in which nothing would be done and nothing come out otherwise."""
    from rich.console import Console

    from harness.report.screen import print_counted

    print_counted(
        Console(),
        counted,
        missing=tuple(setup.left_out(counted.unseen()).values()),
        notes=setup.campaign.archive.notes(),
    )
    return weightiest(_codes(setup, counted))


def _run(
    loaded: Loaded,
    setup: Setup,
    files: Files,
    *,
    scope: Callable[[], str] | None,
    github: bool,
    verbose: bool,
) -> int:
    """scope: all that decides what the whole comes to; None if more does."""
    from rich.console import Console

    from harness.campaign.again import Again
    from harness.report.github import tell_github
    from harness.report.progress import watched
    from harness.report.report import Report
    from harness.report.screen import print_report
    from harness.report.tally import encode, tally

    selection = setup.campaign.selection
    cases = _selected(loaded, selection, own=bool(setup.campaign.own))
    setup = setup.on(cases)
    campaign = setup.campaign
    again = Again()
    results: list[Result] = []
    finished = False
    try:
        for result in watched(campaign.results(again), total=campaign.size()):
            results.append(result)
        finished = True
    finally:
        # An interrupted run shows and keeps what it has.
        report = Report(
            results=results,
            errors=loaded.errors,
            missing=(
                *setup.left_out({r.run.engine for r in results if r.outcome is None}).values(),
                *setup.absent,
            ),
            notes=campaign.archive.notes(),
            environment=setup.environment(),
            finished=finished,
            cases=cases,
        )
        with ExitStack() as stack:
            # Each is written whatever becomes of the screen and of the others.
            for file, encode_report in files.items():
                stack.callback(_write, file, encode_report, report)
            if github:
                stack.callback(tell_github, report)
            print_report(Console(), report, verbose=verbose)
    if scope is not None and again.holds:
        campaign.archive.settle_run(scope(), encode(tally(again.results())))
    codes = _codes(setup, report.tally)
    if loaded.errors:
        codes.add(ExitCode.BAD_INPUT)
    return weightiest(codes)


def _write(file: ReportFile, encode: Callable[[Report], bytes], report: Report) -> None:
    file.write(encode(report))


def _codes(setup: Setup, counted: Tally) -> set[ExitCode]:
    codes = set()
    if any(kind.fault for kind in counted.counts):
        codes.add(ExitCode.FAULT)
    if any(kind.verdict is Verdict.MISMATCH for kind in counted.counts):
        codes.add(ExitCode.MISMATCH)
    selection = setup.campaign.selection
    if setup.absent or any(selection.insists_on(engine) for engine in setup.missing()):
        codes.add(ExitCode.NOT_CHECKED)
    for kind in counted.counts:
        if not kind.reason or kind.outcome not in (None, TimedOut.name):
            continue
        if kind.reason.startswith(DEPENDS_ON_ADDRESSES):
            # Nothing was to be checked.
            continue
        is_of_miri = kind.engine is EngineName.MIRI and selection.insists_on(kind.engine)
        # What runs on the host alone may have been asked for by name.
        elsewhere = kind.target is not None and kind.engine in (selection.engines or ())
        if is_of_miri or elsewhere:
            codes.add(ExitCode.NOT_CHECKED)
    return codes
