"""`harness explain`: a case step by step, or a log of Miri's, and the rule that is broken."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from harness.cli.exit_code import ExitCode
from harness.errors import InputError, Place, printable

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

WIDTH_OF_A_PIPE = 100
"""Columns that stacks are wrapped to where nobody's terminal is asked."""


def explain_command(
    case: str | None = None,
    *,
    miri_log: Annotated[Path | None, Parameter("--miri-log", allow_leading_hyphen=True)] = None,
    variant: Annotated[str | None, Parameter("--variant")] = None,
    mode: Annotated[list[str] | None, Parameter("--mode")] = None,
    html: Annotated[Path | None, Parameter("--html")] = None,
    in_: Annotated[list[Path] | None, Parameter("--in")] = None,
    last: Annotated[int | None, Parameter("--last")] = None,
    verbose: Annotated[bool, Parameter(["-v", "--verbose"], negative=())] = False,
) -> int:
    """Show, step by step, the borrow stacks or trees and the step that breaks the rules.

    With --miri-log, explain what Miri said of any program instead; nothing is run.
    Exits with 0 whatever the outcome is: it is explained, not judged.

    Parameters
    ----------
    case
        A case file, or the name of a case or a glob that fits one alone.
    miri_log
        Miri's output, in its human or its JSON form, from this file, or from standard input
        for -.
    variant
        How the bytecode touches its memory (default: the first that is undefined behaviour).
    mode
        A mode, such as tree-strict, or all; repeatable (default: the first in which it is
        undefined behaviour).
    html
        Write one self-contained page to this file, and only the summary to the screen.
    in_
        Case files, folders or .jsonl sets in which the name is looked for (default: the
        corpus); repeatable.
    last
        Only so many steps, counted from the last (default: 400; 0: all of them).
    verbose
        Show every range of bytes after every step, not only what the step changed.
    """
    from rich.console import Console

    if miri_log is not None:
        for option, given in (
            ("case", case), ("--variant", variant), ("--mode", mode), ("--html", html),
            ("--in", in_), ("--last", last), ("--verbose", verbose or None),
        ):  # fmt: skip
            if given is not None:
                message = f"--miri-log explains a log alone, and takes no {option} beside it"
                raise InputError(None, message, "leave one of them out")
        return _explain_log(miri_log)
    if case is None:
        message = "there is nothing to explain"
        raise InputError(None, message, "name a case, or a log of Miri's by --miri-log FILE")
    from harness.cli.options import read_modes, read_variants
    from harness.explain.choice import find_case
    from harness.explain.explanation import explain
    from harness.explain.recording import MOST_STEPS
    from harness.explain.screen import render, summary
    from harness.report.report_file import ReportFile

    page = ReportFile(option="--html", path=html) if html is not None else None
    modes = read_modes(mode) if mode else ()
    if variant is not None:
        read_variants([variant])
    if last is not None and last < 0:
        raise InputError(None, f"--last: {last} steps cannot be shown", "write --last 20")
    most_steps = MOST_STEPS if last is None else last or 1 << 62
    found = find_case(case, in_ or ())
    explanation = explain(found, variant=variant, modes=modes, most_steps=most_steps)
    console = Console(highlight=False)
    if page is None:
        width = console.width if console.is_terminal else WIDTH_OF_A_PIPE
        for line in render(explanation, width=width, verbose=verbose):
            _print(console, line)
        return ExitCode.AGREE
    from harness.explain.page import write_page

    page.write(write_page(explanation, verbose=verbose).encode())
    for line in summary(explanation):
        _print(console, line)
    _print(console, f"\nwrote {html}")
    return ExitCode.AGREE


def _explain_log(path: Path) -> int:
    from dataclasses import replace

    from rich.console import Console

    from harness.usercode.account import account_of
    from harness.usercode.account_screen import render_log
    from harness.usercode.log import read_log

    name = printable(str(path))
    try:
        data = sys.stdin.buffer.read() if str(path) == "-" else path.read_bytes()
    except OSError as error:
        message = f"--miri-log: {name} cannot be read: {error.strerror}"
        raise InputError(None, message, "name the file that Miri's output is in") from error
    log = read_log(data)
    if log.stranger:
        remedy = (
            "pass on all that Miri printed, as in `cargo miri test 2>&1 | harness explain "
            "--miri-log -`; a run in which it finds nothing may print nothing"
        )
        raise InputError(Place(file=name), log.stranger, remedy)
    # The log quotes most lines; for the rest the files are where Miri was started.
    sources = replace(log.sources, roots=(Path(),))
    console = Console(highlight=False)
    for line in render_log(log, tuple(account_of(each, sources) for each in log.failures)):
        _print(console, line)
    return ExitCode.AGREE


def _print(console: Console, line: Text | str) -> None:
    console.print(line, soft_wrap=True, markup=False)
