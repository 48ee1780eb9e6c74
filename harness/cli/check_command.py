"""`harness check`: code of the user's own under Miri, in every mode."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from harness.cli.exit_code import ExitCode, weightiest
from harness.errors import InputError, quoted

if TYPE_CHECKING:
    from harness.usercode.check import Checked
    from harness.usercode.target import RustTest


def check_command(
    path: Path,
    *,
    package: Annotated[str | None, Parameter("--package")] = None,
    bin_: Annotated[str | None, Parameter("--bin")] = None,
    example: Annotated[str | None, Parameter("--example")] = None,
    test: Annotated[list[str] | None, Parameter("--test")] = None,
    features: Annotated[str | None, Parameter("--features")] = None,
    edition: Annotated[str, Parameter("--edition")] = "2021",
    mode: Annotated[list[str] | None, Parameter("--mode")] = None,
    seeds: Annotated[int, Parameter("--seeds")] = 1,
    miri_flag: Annotated[
        list[str] | None, Parameter("--miri-flag", allow_leading_hyphen=True)
    ] = None,
    toolchain: Annotated[str | None, Parameter("--toolchain")] = None,
    jobs: Annotated[int | None, Parameter(["-j", "--jobs"])] = None,
    timeout: Annotated[float, Parameter("--timeout")] = 60.0,
    memory_limit: Annotated[int, Parameter("--memory-limit")] = 4096,
    json: Annotated[Path | None, Parameter("--json")] = None,
    sarif: Annotated[Path | None, Parameter("--sarif")] = None,
) -> int:
    """Ask Miri about a Rust file or a crate of your own, in every mode.

    The crate is only read; builds go to a folder of the harness's own. Exit codes: 0 nothing
    found; 1 a failure in some mode; 2 it does not build, or bad usage; 3 not checked.

    Parameters
    ----------
    path
        A .rs file, or a folder with Cargo.toml.
    package
        The package of a workspace.
    bin_
        The binary (default: the crate's only one).
    example
        An example in place of a binary.
    test
        A test by its full name, or a glob such as '*' for several; each is run alone; repeatable.
        Those that are marked #[ignore] are run by their full names alone.
    features
        cargo's features, separated by commas.
    edition
        The edition of a file; a crate says its own.
    mode
        Only this mode, such as tree-strict, or all; repeatable.
    seeds
        Run every mode under so many seeds of Miri, and say where they differ.
    miri_flag
        A flag that is passed on to Miri, such as -Zmiri-disable-isolation; repeatable.
    toolchain
        rustup's name of the toolchain with Miri (default: $HARNESS_MIRI_TOOLCHAIN, or nightly).
    jobs
        Processes at once (default: one for each processor).
    timeout
        Seconds that one run may take.
    memory_limit
        MiB of memory that one run may use.
    json
        Write every verdict, with its places in the source, to this file, for programs.
    sarif
        Write what fails as SARIF 2.1.0 to this file, for what shows findings in the source.
    """
    from rich.console import Console
    from rich.text import Text

    from harness.cli.options import read_jobs, read_limit, read_modes
    from harness.report import check_sarif
    from harness.report.report_file import ReportFile
    from harness.toolchain.environment import cache_folder
    from harness.toolchain.miri import need_miri
    from harness.toolchain.process import Launcher, Limits
    from harness.toolchain.workspace import discard_old
    from harness.usercode.check import Plan, check
    from harness.usercode.check_json import encode
    from harness.usercode.check_screen import render_checked
    from harness.usercode.miri_call import MiriCall, NotBuilt
    from harness.usercode.target import EDITIONS, Choice, find_target, match_tests

    if edition not in EDITIONS:
        known = ", ".join(EDITIONS)
        raise InputError(None, f"--edition: there is no {quoted(edition)}", f"there are {known}")
    for flag in miri_flag or ():
        if not flag.startswith("-") or any(each.isspace() for each in flag):
            message = f"--miri-flag: {quoted(flag)} cannot be passed on"
            raise InputError(None, message, "a flag begins with - and has no space in it")
    if sum(each is not None for each in (bin_, example, test)) > 1:
        message = "--bin, --example and --test exclude each other"
        raise InputError(None, message, "leave one of them")
    plan = Plan(
        modes=read_modes(mode),
        seeds=read_limit("--seeds", seeds),
        limits=Limits(
            seconds=read_limit("--timeout", timeout),
            memory=read_limit("--memory-limit", memory_limit) << 20,
        ),
        workers=read_jobs(jobs),
    )
    report = None if json is None else ReportFile(option="--json", path=json)
    findings = None if sarif is None else ReportFile(option="--sarif", path=sarif)
    if not path.exists():
        raise InputError(None, f"{quoted(str(path), 200)} is not there", "name a file or a crate")
    launcher = Launcher()
    found, sysroot = need_miri(launcher, toolchain)
    choice = Choice(
        package=package,
        binary=bin_,
        example=example,
        tests=test is not None,
        features=("--features", features) if features else (),
    )
    cache = cache_folder()
    discard_old(cache)
    target = find_target(launcher, found.name, path, choice, edition=edition, cache=cache)
    call = MiriCall(toolchain=found, sysroot=sysroot, target=target, extra=tuple(miri_flag or ()))
    console = Console(highlight=False)
    tool = f"{found.version} ({found.compiler.version})"
    codes = set()
    told = []
    try:
        call.build(launcher)
        tests: tuple[RustTest, ...] = ()
        if test:
            listed, silent = call.tests(launcher)
            tests = match_tests(listed, test)
            if not set(test) <= {each.name for each in listed}:
                # A glob may mean tests of theirs as well.
                for each in silent:
                    print(f"harness: not checked: {each}", file=sys.stderr)
                    codes.add(ExitCode.NOT_CHECKED)
        for number, checked in enumerate(check(launcher, call, plan, tests)):
            if not number:
                console.print(Text(f"{target.title}; {tool}"), soft_wrap=True)
            for line in render_checked(checked):
                console.print(line, soft_wrap=True, markup=False)
            codes |= _codes(checked, by_name=bool(mode))
            told.append(checked)
            if report is not None:
                # Whoever is ended has what is finished.
                report.write(encode(target.title, tool, told))
            if findings is not None:
                folder = _from_here(target.source)
                findings.write(check_sarif.encode(target.title, tool, folder, told))
    except NotBuilt as error:
        sys.stderr.write(error.said)
        raise
    if all(each.test is not None and each.test.skipped for each in told):
        codes.add(ExitCode.NOT_CHECKED)
    return weightiest(codes)


def _from_here(folder: Path) -> Path:
    """As SARIF has it, relative to where the harness was started, if it lies below."""
    here = Path.cwd()
    return folder.relative_to(here) if folder.is_relative_to(here) else folder


def _codes(checked: Checked, *, by_name: bool) -> set[ExitCode]:
    """by_name: whether the modes were asked for by their names."""
    from harness.outcome import Ran, TimedOut, ToolFailed, Unsupported

    codes = set()
    outcomes = [seen.outcome for verdict in checked.verdicts for seen, _ in verdict.seen]
    if checked.verdicts and all(isinstance(outcome, Unsupported) for outcome in outcomes):
        # No mode has anything to say.
        codes.add(ExitCode.NOT_CHECKED)
    for verdict in checked.verdicts:
        if verdict.refused and by_name:
            codes.add(ExitCode.NOT_CHECKED)
        for seen, _ in verdict.seen:
            match seen.outcome:
                case Ran():
                    pass
                case Unsupported() if not by_name:
                    pass
                case Unsupported() | ToolFailed():
                    codes.add(ExitCode.NOT_CHECKED)
                case TimedOut(by_limit=True):
                    codes.add(ExitCode.NOT_CHECKED)
                case _:
                    codes.add(ExitCode.MISMATCH)
    return codes
