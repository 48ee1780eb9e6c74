"""`harness doctor`: what is installed, what is not, and the one command that mends it."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from harness.cli.exit_code import ExitCode


def doctor_command(*, toolchain: Annotated[str | None, Parameter("--toolchain")] = None) -> int:
    """Say what is installed, what is not, and the one command that mends it.

    Exits with 0, whatever is missing: a missing Miri is no mistake.

    Parameters
    ----------
    toolchain
        rustup's name of the toolchain with Miri (default: $HARNESS_MIRI_TOOLCHAIN, or nightly).
    """
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from harness.toolchain.doctor import examine
    from harness.toolchain.miri import toolchain_name
    from harness.toolchain.process import Launcher

    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True, style="bold")
    table.add_column(overflow="fold")
    checks = examine(Launcher(), toolchain_name(toolchain))
    for check in checks:
        mark = Text("ok", style="green") if check.passed else Text("missing", style="yellow")
        table.add_row(mark, check.name, Text(check.found))
        if check.remedy is not None:
            table.add_row("", "", Text(f"needed for: {check.purpose}", style="dim"))
            table.add_row("", "", Text(f"to mend it: {check.remedy}"))
    Console().print(table)
    return ExitCode.AGREE
