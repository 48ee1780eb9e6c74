"""`harness run`: cases through every engine, held against each other."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from harness.cli.exit_code import ExitCode, weightiest
from harness.errors import InputError
from harness.result import EngineName, Form, Result, Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from harness.campaign.assemble import Setup
    from harness.campaign.campaign import Campaign
    from harness.campaign.selection import Selection
    from harness.cases.load import Loaded


def run_command(
    *paths: Path,
    case: Annotated[str | None, Parameter("--case")] = None,
    variant: Annotated[list[str] | None, Parameter("--variant")] = None,
    mode: Annotated[list[str] | None, Parameter("--mode")] = None,
    form: Annotated[list[str] | None, Parameter("--form")] = None,
    engine: Annotated[list[str] | None, Parameter("--engine")] = None,
    toolchain: Annotated[str | None, Parameter("--toolchain")] = None,
    evidence: Annotated[Literal["any", "live"], Parameter("--evidence")] = "any",
    jobs: Annotated[int | None, Parameter(["-j", "--jobs"])] = None,
    shard: Annotated[str | None, Parameter("--shard")] = None,
    json: Annotated[Path | None, Parameter("--json")] = None,
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
        Only this variant; repeatable.
    mode
        Only this mode, such as tree-strict, or all; repeatable.
    form
        Only this form: vm or unrolled; repeatable.
    engine
        Only this engine: reference, model, in-process, native or miri; repeatable.
    toolchain
        rustup's name of the toolchain with Miri (default: $HARNESS_MIRI_TOOLCHAIN, or nightly).
    evidence
        Whether recorded outcomes will do (any) or everything has to run now (live).
    jobs
        Processes at once (default: one for each processor).
    shard
        Only part I of N of the cases, written I/N, counted from 1.
    json
        Write every result to this file.
    verbose
        Show every result, not only those that do not agree.
    """
    from rich.console import Console

    from harness.campaign.selection import Selection
    from harness.cases.load import load
    from harness.cli.options import (
        read_choices,
        read_jobs,
        read_modes,
        read_shard,
        read_variants,
    )
    from harness.lowering.variants import VARIANTS
    from harness.resources import corpus_dir
    from harness.toolchain.miri import toolchain_name

    selection = Selection(
        cases=case,
        variants=read_variants(variant),
        modes=read_modes(mode),
        forms=read_choices("--form", Form, form) or tuple(Form),
        engines=read_choices("--engine", EngineName, engine),
        toolchain=toolchain_name(toolchain),
        live=evidence == "live",
        jobs=read_jobs(jobs),
        shard=read_shard(shard),
    )
    if json is not None:
        _check_writable(json)
    loaded = load(paths or (corpus_dir(),), variants=VARIANTS)
    return _run(Console(), loaded, selection, json=json, verbose=verbose)


def _run(
    console: Console, loaded: Loaded, selection: Selection, *, json: Path | None, verbose: bool
) -> int:
    from harness.campaign.assemble import assemble
    from harness.report.json_report import encode
    from harness.report.screen import print_errors, print_missing, print_results

    cases = [case for case in loaded.cases if selection.wants_case(case.id)]
    setup = assemble(cases, selection)
    results: list[Result] = []
    finished = False
    try:
        _collect(setup.campaign, results)
        finished = True
    finally:
        # An interrupted run shows and keeps what it has.
        print_results(console, results, verbose=verbose)
        print_errors(console, loaded.errors)
        if results:
            print_missing(console, setup.missing().values())
        if json is not None:
            environment = setup.environment()
            _write(
                json,
                encode(
                    results=results,
                    errors=loaded.errors,
                    environment=environment,
                    finished=finished,
                ),
            )
    if not cases and not loaded.errors:
        raise InputError(None, "no case was selected", "`harness list` names them all")
    return weightiest(_codes(setup, loaded, results))


def _collect(campaign: Campaign, results: list[Result]) -> None:
    """Run the campaign into `results`, with a progress bar where a person watches."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    if not console.is_terminal:
        for result in campaign.results():
            results.append(result)
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TimeElapsedColumn(), console=console, transient=True) as progress:
        task = progress.add_task("running", total=campaign.size())
        for result in campaign.results():
            results.append(result)
            progress.update(task, advance=1, description=str(result.run.engine))


def _codes(setup: Setup, loaded: Loaded, results: Sequence[Result]) -> set[ExitCode]:
    codes = set()
    if loaded.errors:
        codes.add(ExitCode.BAD_INPUT)
    if any(result.fault for result in results):
        codes.add(ExitCode.FAULT)
    if any(result.verdict is Verdict.MISMATCH for result in results):
        codes.add(ExitCode.MISMATCH)
    selection = setup.campaign.selection
    if any(selection.insists_on(engine) for engine in setup.missing()):
        codes.add(ExitCode.NOT_CHECKED)
    refused = (r for r in results if r.reason and r.outcome is None)
    if any(r.run.engine is EngineName.MIRI and selection.insists_on(r.run.engine) for r in refused):
        codes.add(ExitCode.NOT_CHECKED)
    return codes


def _check_writable(path: Path) -> None:
    """Refuse at once what could only fail after everything ran. Raises: InputError."""
    folder = path.resolve().parent
    if path.is_dir() or not folder.is_dir() or not os.access(folder, os.W_OK):
        raise InputError(
            None, f"--json: {path} cannot be written", "name a file in a folder of yours"
        )


def _write(path: Path, data: bytes) -> None:
    """Write the file whole or not at all."""
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    try:
        partial.write_bytes(data)
        partial.replace(path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise InputError(None, f"--json: {path}: {error.strerror}", "name another file") from error
