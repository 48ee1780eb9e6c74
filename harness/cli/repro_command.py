"""`harness repro`: one Rust file that shows what a case shows, run again before it is written."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from harness.cli.exit_code import ExitCode
from harness.errors import InputError
from harness.result import EngineName

if TYPE_CHECKING:
    from harness.repro.check import Tool
    from harness.repro.reproducer import Reproducer


def repro_command(
    case: str,
    *,
    variant: Annotated[str | None, Parameter("--variant")] = None,
    mode: Annotated[list[str] | None, Parameter("--mode")] = None,
    engine: Annotated[str | None, Parameter("--engine")] = None,
    toolchain: Annotated[str | None, Parameter("--toolchain")] = None,
    in_: Annotated[list[Path] | None, Parameter("--in")] = None,
    output: Annotated[Path | None, Parameter(["-o", "--output"])] = None,
    project: Annotated[Path | None, Parameter("--project")] = None,
    whole: Annotated[bool, Parameter("--whole", negative=())] = False,
    issue: Annotated[bool, Parameter("--issue", negative=())] = False,
    playground: Annotated[bool, Parameter("--playground", negative=())] = False,
) -> int:
    """Write one self-contained Rust file that shows what a case shows.

    It is as small as the fault allows, and its head has the command that runs it, the rule that
    is broken, and what was seen. It is run again before it is written.

    Exit codes: 0 it shows what it should, or nothing is here that could run it and nothing was
    asked for by name; 1 it does not show it; 2 bad input; 3 an engine that was asked for by name
    is missing; 4 a fault of the harness itself.

    Parameters
    ----------
    case
        A case file, such as a finding of `harness fuzz`, or the name of a case.
    variant
        How bytecode touches its memory (default: the first that is undefined behaviour).
    mode
        Only in this mode, such as tree-strict, or all; repeatable (default: all, of which the
        first in which something is wrong is taken).
    engine
        What has to show it: miri (default), or native, for what rustc compiles wrongly.
    toolchain
        rustup's name of the toolchain with Miri (default: $HARNESS_MIRI_TOOLCHAIN, or nightly).
    in_
        Case files, folders or .jsonl sets in which the name is looked for; repeatable.
    output
        The file (default: NAME.rs here).
    project
        Write a cargo project to this folder instead.
    whole
        Leave the program as it is, however much of it the fault does not need.
    issue
        Print the body of a bug report besides.
    playground
        Print a link that opens the file in the Rust playground besides.
    """
    from harness.cli.reducing import gather
    from harness.explain.choice import find_program
    from harness.repro.choice import choose, tool_for
    from harness.repro.reproducer import NotReproduced, reproduce

    if engine not in (None, EngineName.MIRI, EngineName.NATIVE):
        raise InputError(None, f"--engine: {engine!r} runs no file", "name miri or native")
    found = find_program(case, in_ or ())
    target = _Target(name=found.id.rsplit("/", 1)[-1], output=output, project=project)
    target.check()
    engines = None if engine is None else [engine]
    sides, selection = gather(
        found,
        variants=None if variant is None else [variant],
        modes=mode,
        forms=["unrolled"],
        engines=engines,
        toolchain=toolchain,
        jobs=None,
    )
    program, wanted = choose(found, sides, selection, whole=whole)
    tool, unchecked = tool_for(wanted.mode, selection.toolchain)
    try:
        made = reproduce(program, wanted, tool, command=target.command(tool), unchecked=unchecked)
    except NotReproduced as error:
        print(f"harness: not reproduced: {error}", file=sys.stderr)
        return ExitCode.MISMATCH
    target.write(made.text)
    _tell(made, target, issue=issue, playground=playground, toolchain=selection.toolchain)
    return ExitCode.AGREE


@dataclass(frozen=True, slots=True, kw_only=True)
class _Target:
    """Where the reproducer goes."""

    name: str
    output: Path | None
    project: Path | None

    @property
    def path(self) -> Path:
        if self.project is not None:
            return self.project / "src" / "main.rs"
        return self.output or Path(f"{self.name}.rs")

    def command(self, tool: Tool) -> str:
        """As the head has it: with names that are no machine's, and nothing a shell would read."""
        import re

        safe = re.sub(r"[^A-Za-z0-9._-]+", "-", (self.project or self.path).name) or "repro.rs"
        return tool.command(safe) if self.project is None else tool.project_command(safe)

    def check(self) -> None:
        """Raises: InputError, if it cannot be written."""
        from harness.report.report_file import ReportFile

        if self.project is None:
            ReportFile(option="--output", path=self.path)
            return
        if self.output is not None:
            raise InputError(None, "--output and --project", "name one of them")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(None, f"--project: {error}", "name another folder") from None

    def write(self, text: str) -> None:
        from harness.report.report_file import ReportFile
        from harness.toolchain.cargo import package_files

        if self.project is None:
            ReportFile(option="--output", path=self.path).write(text.encode())
            return
        for name, data in package_files("repro", {"main": text}).items():
            ReportFile(option="--project", path=self.project / name).write(data)


def _tell(
    made: Reproducer, target: _Target, *, issue: bool, playground: bool, toolchain: str
) -> None:
    import re

    from harness.repro.head import expectation, issue as bug_report, playground as link, sighting

    story = made.story
    print(f"{story.case}: {expectation(story)}" + (f" in mode {story.mode}" if story.mode else ""))
    print(f"seen: {story.other or sighting(story)}")
    print(f"wrote {target.path}")
    if issue:
        # Compiled code is the default toolchain's.
        linked = story.mode is not None and not re.match(r"(nightly|beta|stable|\d)", toolchain)
        print()
        print(bug_report(story, target.path.name, made.text, distributed=not linked), end="")
    if playground:
        try:
            print(link(made.text))
        except ValueError as error:
            message = f"--playground: {error}"
            raise InputError(None, message, "open the playground and paste the file") from None
