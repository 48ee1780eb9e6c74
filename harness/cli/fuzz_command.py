"""`harness fuzz`: random programs, or all small ones, through every side."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from harness.cli.exit_code import ExitCode, weightiest
from harness.errors import InputError
from harness.result import EngineName

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from harness.engines.own_crate import OwnCrate
    from harness.fuzz.campaign import Fuzzer, Side
    from harness.fuzz.findings import State
    from harness.fuzz.generation import Kind
    from harness.fuzz.settings import Settings


def fuzz_command(
    *,
    count: Annotated[int | None, Parameter("--count")] = None,
    time_: Annotated[float | None, Parameter("--time")] = None,
    seed: Annotated[int, Parameter("--seed")] = 0,
    kind: Annotated[Literal["pointer", "bytecode", "both"] | None, Parameter("--kind")] = None,
    exhaustive: Annotated[int | None, Parameter("--exhaustive")] = None,
    variant: Annotated[list[str] | None, Parameter("--variant")] = None,
    mode: Annotated[list[str] | None, Parameter("--mode")] = None,
    engine: Annotated[list[str] | None, Parameter("--engine")] = None,
    level: Annotated[list[int] | None, Parameter("--level")] = None,
    toolchain: Annotated[str | None, Parameter("--toolchain")] = None,
    folder: Annotated[Path, Parameter("--folder")] = Path("harness-fuzz"),
    jobs: Annotated[int | None, Parameter(["-j", "--jobs"])] = None,
    compare: Annotated[str | None, Parameter("--compare")] = None,
) -> int:
    """Judge random programs, or all small ones, and keep every disagreement.

    The same seed makes the same programs. The folder has how far the campaign is, and a case
    for each finding, which `harness run`, `reduce`, `repro` and `explain` take; the same command
    goes on from there, whatever ended it.

    Exit codes: 0 no disagreement; 1 there are findings; 2 bad input; 3 an engine that was asked
    for by name is missing; 4 a fault of the harness itself.

    Parameters
    ----------
    count
        Programs to judge, those of earlier calls in this folder included, in whole rounds of 100.
    time_
        Seconds after which no new round begins (default: 60, if --count is not given).
    seed
        What decides all programs.
    kind
        pointer, bytecode, or both in turn (default: both; with --variant, bytecode).
    exhaustive
        Instead of random ones every pointer program of up to so many statements over
        allocations of one byte, up to renaming.
    variant
        Only in this variant, or in those of a crate of your own, by its path; repeatable
        (default: two of the table for each round, in turn).
    mode
        Only in this mode, such as tree-strict; repeatable.
    engine
        Only by this engine: reference, in-process, native, const or miri (default: all but
        const, and Miri where it is here); repeatable.
    level
        Optimisation level of compiled code, 0 to 3; repeatable (default: 0, 1 and 3).
    toolchain
        rustup's name of the toolchain with Miri (default: $HARNESS_MIRI_TOOLCHAIN, or nightly).
    folder
        Where the campaign is kept.
    jobs
        Processes at once (default: one for each processor).
    compare
        The pointer programs of the campaign (default: 1000 of them) only under Miri, by this
        toolchain's too; only what they differ in is shown, and a smaller case of it kept.
    """
    from dataclasses import replace

    from harness.cli.options import read_level
    from harness.fuzz.campaign import Fuzzer
    from harness.fuzz.findings import Folder
    from harness.fuzz.generation import Kind
    from harness.fuzz.settings import SETTINGS

    if count is not None and count < 1:
        raise InputError(None, f"--count: {count} programs are none", "write --count 1000")
    if time_ is not None and not 0 < time_ < 1 << 30:
        raise InputError(None, f"--time: nothing can run in {time_} seconds", "write --time 600")
    if exhaustive is not None and not 1 <= exhaustive <= _MOST_STATEMENTS:
        message = f"--exhaustive: {exhaustive} statements"
        raise InputError(None, message, f"write 1 to {_MOST_STATEMENTS}")
    for each in level or ():
        read_level(each)
    if compare is not None:
        others = (("--time", time_), ("--exhaustive", exhaustive), ("--engine", engine))
        given = [name for name, value in (*others, ("--level", level)) if value is not None]
        if variant:
            given.append("--variant")
        if kind == "bytecode":
            given.append("--kind bytecode")
        if given:
            message = f"--compare does not go with {', '.join(given)}"
            remedy = "it runs --count pointer programs under either Miri, and nothing else"
            raise InputError(None, message, remedy)
        return _compare(
            compare, count or _COMPARED, seed, folder, mode=mode, toolchain=toolchain, jobs=jobs
        )
    if exhaustive is not None and kind == "bytecode":
        remedy = "leave out one of them: every small program is a pointer program"
        raise InputError(None, "--exhaustive does not go with --kind bytecode", remedy)
    if variant and (exhaustive is not None or kind in ("pointer", "both")):
        what = "--exhaustive" if exhaustive is not None else f"--kind {kind}"
        remedy = "leave out one of them: pointer programs run in no variant"
        raise InputError(None, f"--variant does not go with {what}", remedy)
    settings = replace(SETTINGS, levels=tuple(level)) if level else SETTINGS
    kinds: Sequence[Kind] = tuple(Kind) if kind in (None, "both") else (Kind(kind),)
    if variant:
        kinds = (Kind.BYTECODE,)
    if exhaustive is not None:
        kinds = (Kind.POINTER,)
    _demand_something_to_compare(engine, kinds)
    if level and engine and EngineName.NATIVE not in engine:
        message = "--level is of compiled code, and nobody asked for that"
        raise InputError(None, message, "name it as well: --engine native")
    sides, crates = _sides(
        settings, variants=variant, modes=mode, engines=engine, toolchain=toolchain, jobs=jobs
    )
    fuzzer = Fuzzer(
        seed=seed,
        settings=settings,
        kinds=kinds,
        judged_by=sides,
        folder=Folder(path=folder),
        told=lambda symptom, reason: print(f"finding: {symptom}\n  {reason}", flush=True),
        crates=crates,
    )
    wants_more = _limit(count, time_ if time_ or count or exhaustive else 60.0)
    try:
        if exhaustive is not None:
            from harness.fuzz.exhaustive_campaign import run_exhaustively

            if exhaustive > _SOON_COUNTED:
                print("counting the programs first", file=sys.stderr, flush=True)
            state, total = run_exhaustively(fuzzer, exhaustive, wants_more)
            done = state.tallies["programs"]
            print(f"{done} of {total} programs of up to {exhaustive} statements")
        else:
            state = fuzzer.run(wants_more)
    except KeyboardInterrupt:
        print(f"{folder} has all rounds that ended; the same command goes on", file=sys.stderr)
        raise
    _tell(fuzzer, state, random=exhaustive is None)
    codes = {ExitCode.MISMATCH} if fuzzer.folder.findings() else set()
    return weightiest(codes | ({ExitCode.FAULT} if state.tallies["faults"] else set()))


_MOST_STATEMENTS = 8
"""The number of programs grows about thirtyfold with each."""

_SOON_COUNTED = 4
"""Statements up to which all programs are counted within seconds."""

_MOST_SHOWN = 10

_SECONDS_OF_SILENCE = 15.0

_DEFAULT = (EngineName.IN_PROCESS, EngineName.NATIVE, EngineName.REFERENCE, EngineName.MIRI)


_COMPARED = 1000


def _compare(
    other: str,
    count: int,
    seed: int,
    folder: Path,
    *,
    mode: list[str] | None,
    toolchain: str | None,
    jobs: int | None,
) -> int:
    """The first pointer programs of a campaign under two Miris. Raises: InputError; MissingTool."""
    from harness.campaign.selection import Selection
    from harness.cli.comparing import compare_toolchains
    from harness.cli.options import read_jobs, read_modes
    from harness.fuzz.generation import first_programs
    from harness.fuzz.settings import SETTINGS
    from harness.reduce.sides import as_case
    from harness.toolchain.miri import toolchain_name

    selection = Selection(
        modes=read_modes(mode),
        engines=(EngineName.MIRI,),
        toolchain=toolchain_name(toolchain),
        jobs=read_jobs(jobs),
    )
    cases = [
        as_case(made.program, f"seed-{seed}-pointer-{made.index}")
        for made in first_programs(seed, SETTINGS, count)
    ]
    return compare_toolchains(cases, selection, other, own=(), reduced=folder, report=None)


def _limit(count: int | None, seconds: float | None) -> Callable[[State], bool]:
    end = None if seconds is None else time.monotonic() + seconds
    told = time.monotonic()

    def wants_more(state: State) -> bool:
        nonlocal told
        now = time.monotonic()
        if now - told >= _SECONDS_OF_SILENCE:
            told = now
            tallies = state.tallies
            done = f"{tallies['programs']} programs, {tallies['comparisons']} comparisons"
            print(done, file=sys.stderr, flush=True)
        in_time = end is None or now < end
        return in_time and (count is None or state.tallies["programs"] < count)

    return wants_more


def _demand_something_to_compare(engines: list[str] | None, kinds: Sequence[Kind]) -> None:
    """Raises: InputError, if nobody who is named runs any program."""
    from harness.fuzz.generation import Kind

    running = [EngineName.NATIVE, EngineName.CONST, EngineName.MIRI]
    if Kind.BYTECODE in kinds:
        running.insert(0, EngineName.IN_PROCESS)
    if engines and not {*engines} & {*running} and {*engines} <= {*EngineName}:
        programs = "pointer programs" if kinds == (Kind.POINTER,) else "programs"
        message = f"--engine: none of {', '.join(dict.fromkeys(engines))} runs {programs}"
        raise InputError(None, message, f"name one that does: {', '.join(running)}")


def _sides(
    settings: Settings,
    *,
    variants: list[str] | None,
    modes: list[str] | None,
    engines: list[str] | None,
    toolchain: str | None,
    jobs: int | None,
) -> tuple[list[Side], Sequence[OwnCrate]]:
    """Who judges, and the crates of the user's own that are judged.

    Raises: InputError; MissingTool, for an engine named that is not here.
    """
    from dataclasses import replace

    from harness.campaign.assemble import assemble
    from harness.campaign.selection import Selection
    from harness.cli.options import choose_variants, read_choices, read_jobs, read_modes
    from harness.cli.reducing import crates_of
    from harness.fuzz.campaign import Side
    from harness.reduce.sides import Sides
    from harness.toolchain.miri import toolchain_name

    named = read_choices("--engine", EngineName, engines)
    chosen = choose_variants(variants)
    selection = Selection(
        variants=chosen.table,
        modes=read_modes(modes),
        engines=named or _DEFAULT,
        toolchain=toolchain_name(toolchain),
        live=True,
        jobs=read_jobs(jobs),
    )
    own = crates_of(chosen, selection)
    setup = assemble((), selection, own=own)
    missing = setup.missing()
    for engine in named or ():
        if engine in missing:
            raise missing[engine].error()
    for engine, what in missing.items():
        print(f"{engine} is not here: {what.message}\n  {what.remedy}")
    here = [engine for engine in named or _DEFAULT if engine not in missing]
    rest = tuple(engine for engine in here if engine is not EngineName.NATIVE)
    sides = [Side(sides=Sides(campaign=setup.campaign), selection=replace(selection, engines=rest))]
    if EngineName.NATIVE in here:
        only = replace(selection, engines=(EngineName.NATIVE,))
        for level in settings.levels:
            campaign = assemble((), only, own=own, level=level).campaign
            sides.append(Side(sides=Sides(campaign=campaign, level=level), selection=only))
    return sides, own


def _tell(fuzzer: Fuzzer, state: State, *, random: bool) -> None:
    from harness.fuzz.coverage import Coverage
    from harness.fuzz.findings import MISSED
    from harness.fuzz.generation import Kind

    tallies = state.tallies
    if random:
        print(f"{tallies['programs']} programs")
        coverage = Coverage(counts=state.counts)
        if Kind.POINTER in fuzzer.kinds:
            undefined = f"{tallies['undefined programs']} pointer programs are undefined behaviour"
            print(f"{undefined} in some mode by prediction")
            print("programs that broke each rule:")
            for rule, count in coverage.rules().items():
                print(f"{count:8}  {rule}")
        unused = coverage.missing(
            pointer=Kind.POINTER in fuzzer.kinds, bytecode=Kind.BYTECODE in fuzzer.kinds
        )
        shown = ", ".join(unused[:_MOST_SHOWN]) + (", …" if len(unused) > _MOST_SHOWN else "")
        print(f"not exercised: {shown or 'no statement and no instruction'}")
    print(f"{tallies['comparisons']} comparisons:")
    for name, count in sorted(tallies.items()):
        if name.split()[0] in ("verdict", *EngineName):
            print(f"{count:8}  {name}")
    if missed := fuzzer.folder.findings(MISSED):
        print(f"{len(missed)} kinds of run that Miri's wildcard lets pass:")
        for path in missed:
            print(f"  harness repro {path}")
    findings = fuzzer.folder.findings()
    print(f"{len(findings)} findings in {fuzzer.folder.path}")
    for path in findings:
        print(f"  harness reduce {path}")
