"""`python -m harness.fuzz`: plants faults, and prints how they were found and shrunk."""

from __future__ import annotations

import sys
from typing import Annotated

from cyclopts import App, CycloptsError, Parameter

from harness.cli.exit_code import ExitCode
from harness.engines.miri import MiriEngine
from harness.errors import HarnessFault, InputError
from harness.fuzz.planted import (
    MOST_PROGRAMS,
    Caught,
    VmFault,
    altered_prediction,
    hunt_model_faults,
    hunt_vm_faults,
    table,
)
from harness.fuzz.settings import SETTINGS
from harness.mode import Mode
from harness.model.machine import judge
from harness.mutation.altered_model import Model
from harness.pointer.program import PointerProgram
from harness.reduce.symptom import sight
from harness.repro.check import UnderMiri
from harness.repro.reproducer import NotReproduced, Wanted, reproduce
from harness.resources import rust_vm_dir
from harness.toolchain.environment import cache_folder
from harness.toolchain.miri import toolchain_name
from harness.toolchain.process import Launcher

MOST_STATEMENTS = 6
"""What a planted fault must shrink to."""

app = App(name="python -m harness.fuzz", help_format="plaintext")


@app.default
def planted_command(
    *,
    only: Annotated[str | None, Parameter("--only")] = None,
    first: Annotated[int, Parameter("--first")] = 0,
    count: Annotated[int, Parameter("--count")] = 20,
    toolchain: Annotated[str | None, Parameter("--toolchain")] = None,
    most: Annotated[int, Parameter("--most")] = MOST_PROGRAMS,
) -> int:
    """Plant faults in copies of the abstract machine and of the Rust VM: are they found?

    Exit codes: 0 each is found, shrinks to at most 6 statements, and no reproducer fails; 1 it
    is not so; 2 bad usage; 4 a fault of the harness itself.

    Parameters
    ----------
    only
        model or vm.
    first, count
        Which of each, counted from 0, and how many.
    toolchain
        rustup's name of the toolchain with Miri, which confirms reproducers where it is here.
    most
        Programs after which a fault counts as not found.
    """
    if only not in (None, "model", "vm"):
        raise InputError(None, f"--only: there is no {only!r}", "write model or vm")
    planted, caught = table(), []
    there = len(planted["model"])
    if count < 1 or not 0 <= first < there:
        message = f"--first {first} --count {count} are none of the {there} of each"
        raise InputError(None, message, f"write --first 0 to {there - 1}, --count 1 or more")
    launcher = Launcher()
    if only != "vm":
        names = planted["model"][first : first + count]
        confirm = _Confirm(launcher, toolchain_name(toolchain))
        for each in hunt_model_faults(names, SETTINGS, confirm, most):
            caught.append(each)
            _progress(each)
    if only != "model":
        faults = [VmFault(**each) for each in planted["vm"][first : first + count]]
        hunted = hunt_vm_faults(
            faults, SETTINGS, launcher, vm_folder=rust_vm_dir(), cache=cache_folder(), most=most
        )
        for each in hunted:
            caught.append(each)
            _progress(each)
    _print(caught)
    return ExitCode.AGREE if all(map(_is_well, caught)) else ExitCode.MISMATCH


class _Confirm:
    """Runs reproducers under Miri, where it is here."""

    def __init__(self, launcher: Launcher, toolchain: str) -> None:
        self._launcher = launcher
        self._engine = MiriEngine(
            launcher, toolchain=toolchain, vm_folder=rust_vm_dir(), cache=cache_folder()
        )
        self._toolchain = toolchain

    def __call__(self, program: PointerProgram, mode: Mode, model: Model) -> bool | None:
        """Whether Miri sees what the real machine says, which the altered one does not."""
        if self._engine.missing() or self._engine.toolchain.lacks(mode):
            return None
        prediction = altered_prediction(model)(program, mode, "little")
        wanted = Wanted(
            case="a planted fault",
            mode=mode,
            expected=prediction.outcome,
            rule=prediction.rule,
            seen=sight(judge(program, mode)),
            disagrees=True,
        )
        tool = UnderMiri(
            toolchain=self._toolchain,
            mode=mode,
            miri=self._engine.miri(),
            launcher=self._launcher,
        )
        try:
            reproduce(program, wanted, tool, command=tool.command("planted.rs"))
        except NotReproduced as error:
            print(f"harness: {error}", file=sys.stderr)
            return False
        return True


def _is_well(caught: Caught) -> bool:
    small = caught.size is not None and caught.size <= MOST_STATEMENTS
    return small and caught.confirmed is not False


def _progress(caught: Caught) -> None:
    print(f"{caught.name}: {caught.programs} programs, to {caught.size}", file=sys.stderr)


def _print(caught: list[Caught]) -> None:
    width = max((len(each.name) for each in caught), default=0)
    print(f"{'fault':{width}}  programs  seconds  tries  batches  size  confirmed")
    for each in caught:
        line = f"{each.name:{width}}  {each.programs:8}  {each.seconds:7.1f}"
        if each.size is None:
            print(f"{line}  not found")
            continue
        confirmed = {True: "yes", False: "NO", None: "not checked"}[each.confirmed]
        print(f"{line}  {each.tries:5}  {each.batches:7}  {each.size:4}  {confirmed}")
    found = sum(each.size is not None for each in caught)
    small = sum(map(_is_well, caught))
    print(f"{found} of {len(caught)} found, {small} shrunk to at most {MOST_STATEMENTS} statements")


def main() -> int:
    """The exit code. Prints what is wrong instead of a traceback."""
    try:
        code = app(sys.argv[1:], exit_on_error=False, result_action="return_value")
    except CycloptsError:
        return ExitCode.BAD_INPUT
    except InputError as error:
        print(f"harness: error: {error}", file=sys.stderr)
        return ExitCode.BAD_INPUT
    except HarnessFault as fault:
        print(f"harness: a fault of the harness itself: {fault}", file=sys.stderr)
        return ExitCode.FAULT
    return code if isinstance(code, int) else ExitCode.AGREE


if __name__ == "__main__":
    sys.exit(main())
