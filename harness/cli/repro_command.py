"""`harness repro`: the Rust that shows what a case shows, run again before it is written."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, assert_never

from cyclopts import Parameter

from harness.cli.exit_code import ExitCode
from harness.errors import InputError, Place, printable
from harness.result import EngineName, Form

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.cli.reducing import Asked, Gathered
    from harness.repro.check import Tool
    from harness.repro.choice import InVm, Straight
    from harness.repro.reproducer import Reproducer


def repro_command(
    case: str,
    *,
    variant: Annotated[str | None, Parameter("--variant")] = None,
    mode: Annotated[list[str] | None, Parameter("--mode")] = None,
    form: Annotated[str | None, Parameter("--form")] = None,
    engine: Annotated[str | None, Parameter("--engine")] = None,
    level: Annotated[int | None, Parameter("--level")] = None,
    toolchain: Annotated[str | None, Parameter("--toolchain")] = None,
    in_: Annotated[list[Path] | None, Parameter("--in")] = None,
    output: Annotated[Path | None, Parameter(["-o", "--output"])] = None,
    project: Annotated[Path | None, Parameter("--project")] = None,
    whole: Annotated[bool, Parameter("--whole", negative=())] = False,
    issue: Annotated[bool, Parameter("--issue", negative=())] = False,
    playground: Annotated[bool, Parameter("--playground", negative=())] = False,
) -> int:
    """Write one self-contained Rust file, or a cargo project, that shows what a case shows.

    It is as small as the fault allows, and its head has the command that runs it, the rule that
    is broken, and what was seen. It is run again before it is written. What only the Rust VM
    itself shows becomes a project with the VM in it.

    Exit codes: 0 it shows what it should, or nothing is here that could run it and nothing was
    asked for by name; 1 it does not show it; 2 bad input; 3 an engine that was asked for by name
    is missing; 4 a fault of the harness itself.

    Parameters
    ----------
    case
        A case file, or the name of a case. Of a finding of `harness fuzz` the run that disagreed
        is shown, unless options name another.
    variant
        How bytecode touches its memory, or the path of a crate with a variant of your own
        (default: the first of the table that is undefined behaviour).
    mode
        Only in this mode, such as tree-strict, or all; repeatable (default: all, of which the
        first in which something is wrong is taken).
    form
        unrolled, a file of straight-line Rust, or vm, a project with the Rust VM (default: the
        file, if it shows it).
    engine
        What has to show it: miri (default), or native, for what rustc compiles wrongly.
    level
        At which compiled code is optimised, 0 to 3 (default: 3).
    toolchain
        rustup's name of the toolchain with Miri (default: $HARNESS_MIRI_TOOLCHAIN, or nightly).
    in_
        Case files, folders or .jsonl sets in which the name is looked for; repeatable.
    output
        The file (default: NAME.rs here).
    project
        Write a cargo project to this folder instead (default, for one with the VM: NAME here).
    whole
        Leave the program as it is, however much of it the fault does not need.
    issue
        Print the body of a bug report besides.
    playground
        Print a link that opens the file in the Rust playground besides.
    """
    from harness.cli.reducing import Asked, as_found, gather
    from harness.explain.choice import find_program
    from harness.repro.choice import InVm, choose
    from harness.repro.reproducer import NotReproduced

    found = find_program(case, in_ or ())
    options = Asked(
        variants=[variant] if variant else (),
        modes=mode or (),
        forms=[form] if form else (),
        engines=[engine] if engine else (),
        level=level,
    )
    asked = _by_what_runs_it(as_found(found, options))
    target = _Target(name=found.id.rsplit("/", 1)[-1], output=output, project=project)
    target.check()
    gathered = gather(found, asked, toolchain=toolchain, jobs=None)
    try:
        chosen = choose(found, gathered.sides, gathered.selection, whole=whole)
        if playground and isinstance(chosen, InVm):
            message = "--playground: the Rust VM is a crate of its own"
            remedy = "leave --playground out; --form unrolled writes one file, if that shows it"
            raise InputError(None, message, remedy)
        target, made, files = _make(chosen, target, gathered)
    except NotReproduced as error:
        print(f"harness: not reproduced: {error}", file=sys.stderr)
        return ExitCode.MISMATCH
    target.write(files)
    _tell(made, target, issue=issue, playground=playground, toolchain=gathered.selection.toolchain)
    return ExitCode.AGREE


def _by_what_runs_it(asked: Asked) -> Asked:
    """With an engine that runs what is written. Raises: InputError."""
    from dataclasses import replace

    if tuple(asked.engines) == (EngineName.IN_PROCESS,):
        # A process of its own does what this one did.
        return replace(asked, engines=(EngineName.NATIVE,), forms=(Form.VM,))
    if EngineName.CONST in asked.engines:
        remedy = "harness run CASE --engine const says the command that repeats what it sees"
        raise InputError(None, "--engine: const evaluates programs, and runs none", remedy)
    for engine in asked.engines:
        if engine not in (EngineName.MIRI, EngineName.NATIVE):
            message = f"--engine: {engine!r} runs no file"
            raise InputError(None, message, "name miri or native")
    return asked


def _make(
    chosen: Straight | InVm, target: _Target, gathered: Gathered
) -> tuple[_Target, Reproducer, Mapping[str, bytes]]:
    """What is written to where, by the target's paths. Raises: InputError; NotReproduced."""
    from harness.repro.choice import InVm, Straight, tool_for
    from harness.repro.reproducer import reproduce, reproduce_in_vm
    from harness.repro.vm_project import PACKAGE, project_files, write_main
    from harness.toolchain.cargo import package_files

    in_vm = isinstance(chosen, InVm)
    if in_vm:
        target = target.of_project()
    tool, unchecked = tool_for(
        chosen.wanted.mode,
        gathered.selection.toolchain,
        level=gathered.sides.level,
        leaks=in_vm,
    )
    command = target.command(tool)
    match chosen:
        case InVm():
            own = next((each for each in gathered.own if chosen.variant in each.names), None)
            main = write_main(chosen.program, chosen.variant, own, chosen.place)
            made = reproduce_in_vm(
                main,
                chosen.wanted,
                tool,
                files=lambda text: project_files(text, own),
                command=command,
                unchecked=unchecked,
            )
            return target, made, project_files(made.text, own)
        case Straight():
            if target.project is None:
                made = reproduce(
                    chosen.program, chosen.wanted, tool, command=command, unchecked=unchecked
                )
                return target, made, {target.path.name: made.text.encode()}

            def files(text: str) -> Mapping[str, bytes]:
                return package_files(PACKAGE, {"main": text})

            made = reproduce(
                chosen.program,
                chosen.wanted,
                tool,
                command=command,
                unchecked=unchecked,
                run=lambda text: tool.run_project(files(text)),
            )
            return target, made, files(made.text)
        case _:
            assert_never(chosen)


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

    def of_project(self) -> _Target:
        """A target for what takes a project. Raises: InputError, if a file was asked for."""
        if self.output is not None:
            message = "--output: the Rust VM is a crate of its own, and no one file shows this"
            raise InputError(None, message, "name a folder for a cargo project: --project FOLDER")
        made = _Target(name=self.name, output=None, project=self.project or Path(self.name))
        made.check()
        return made

    def check(self) -> None:
        """Raises: InputError, if it cannot be written."""
        from harness.report.report_file import ReportFile

        if self.project is None:
            ReportFile(option="--output", path=self.path)
            return
        if self.output is not None:
            raise InputError(None, "--output and --project", "name one of them")
        self._spare_crates(self.project)
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(None, f"--project: {error}", "name another folder") from None

    def _spare_crates(self, folder: Path) -> None:
        """Raises: InputError, if a crate is there that no reproducer is."""
        from harness.repro.vm_project import PACKAGES

        manifest = folder / "Cargo.toml"
        try:
            there = manifest.read_text(encoding="utf-8", errors="replace")
        except OSError:
            return
        if not any(f'name = "{name}"' in there for name in PACKAGES):
            place = Place(file=printable(str(manifest)))
            message = "there is a crate in this folder already, which would be replaced"
            raise InputError(place, message, "name another folder with --project")

    def write(self, files: Mapping[str, bytes]) -> None:
        """Put the files there: of a project by their paths in it. Raises: InputError."""
        from harness.report.report_file import ReportFile

        if self.project is None:
            (text,) = files.values()
            ReportFile(option="--output", path=self.path).write(text)
            return
        for name, data in files.items():
            path = self.project / name
            path.parent.mkdir(parents=True, exist_ok=True)
            ReportFile(option="--project", path=path).write(data)


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
