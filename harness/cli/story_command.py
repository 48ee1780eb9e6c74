"""`harness story`: assembly in code of the user's own, held against the stories beside it."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from harness.cli.exit_code import ExitCode, weightiest
from harness.errors import InputError, quoted

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from harness.campaign.assemble import Setup
    from harness.campaign.own_stories import OwnVerdict
    from harness.campaign.selection import Selection
    from harness.cases.own_story import OwnStories
    from harness.report.report_file import ReportFile
    from harness.result import Result
    from harness.story.pair_operands import Given
    from harness.toolchain.missing import Missing


def story_command(
    path: Path,
    *,
    function: Annotated[str | None, Parameter("--function")] = None,
    memory: Annotated[list[str] | None, Parameter("--memory")] = None,
    values: Annotated[list[str] | None, Parameter("--values")] = None,
    mode: Annotated[list[str] | None, Parameter("--mode")] = None,
    engine: Annotated[list[str] | None, Parameter("--engine")] = None,
    toolchain: Annotated[str | None, Parameter("--toolchain")] = None,
    evidence: Annotated[Literal["any", "live"], Parameter("--evidence")] = "any",
    jobs: Annotated[int | None, Parameter(["-j", "--jobs"])] = None,
    timeout: Annotated[float, Parameter("--timeout")] = 60.0,
    memory_limit: Annotated[int, Parameter("--memory-limit")] = 4096,
    json: Annotated[Path | None, Parameter("--json")] = None,
    verbose: Annotated[bool, Parameter(["-v", "--verbose"], negative=())] = False,
) -> int:
    """Hold inline assembly of your own against the Rust that stands for it under Miri.

    The pairs are `#[cfg(miri)]` beside `#[cfg(not(miri))]`, and `if cfg!(miri)`. The files are
    only read. Exit codes: 0 no rule found broken; 1 a rule is broken; 2 bad input or usage;
    3 a block could not be checked; 4 a fault of the harness itself.

    Parameters
    ----------
    path
        A .rs file, or a crate's folder.
    function
        Only pairs in functions whose name matches this glob.
    memory
        How many bytes lie behind a raw pointer, such as fill.p=64 for p in the function fill, or
        fill.p=64/16 with their alignment; repeatable.
    values
        What a number is drawn from, such as fill.len=0..=64; repeatable.
    mode
        Only this mode, such as tree-strict, or all; repeatable.
    engine
        Only this engine: native (rules 1 and 3) or miri (rules 1 and 2); repeatable.
    toolchain
        rustup's name of the toolchain with Miri (default: $HARNESS_MIRI_TOOLCHAIN, or nightly).
    evidence
        Whether outcomes on record will do (any) or everything has to run now (live).
    jobs
        Processes at once (default: one for each processor).
    timeout
        Seconds that one run under Miri may take.
    memory_limit
        MiB of memory that one run under Miri may use.
    json
        Write every pair, rule and run to this file, for programs.
    verbose
        Also show assembly that is for other machines.
    """
    from harness.campaign.selection import Selection
    from harness.cases.own_story import find_own_stories
    from harness.cli.options import read_choices, read_jobs, read_limit, read_modes
    from harness.report.report_file import ReportFile
    from harness.result import EngineName
    from harness.toolchain.miri import toolchain_name

    engines = read_choices("--engine", EngineName, engine)
    for each in engines or ():
        if each not in (EngineName.NATIVE, EngineName.MIRI):
            message = f"--engine: no story is checked by {each}"
            raise InputError(None, message, "there are native and miri")
    selection = Selection(
        modes=read_modes(mode),
        engines=engines,
        # Without types, which only the crate has, little of a user's own story can be retold.
        without=(EngineName.MODEL,),
        toolchain=toolchain_name(toolchain),
        live=evidence == "live",
        jobs=read_jobs(jobs),
        seconds=read_limit("--timeout", timeout),
        memory=read_limit("--memory-limit", memory_limit) << 20,
    )
    given = read_given(memory or (), values or ())
    file = None if json is None else ReportFile(option="--json", path=json)
    found = find_own_stories(path, given)
    for key in (*given.memory, *given.values):
        if key not in found.operands:
            message = f"no block has an operand {quoted(key)}"
            raise InputError(None, message, "write FUNCTION.VARIABLE, as in fill.len")
    if function is not None:
        found.stories = [s for s in found.stories if fnmatchcase(s.read.block.name, function)]
        found.left_out = [each for each in found.left_out if fnmatchcase(each.function, function)]
    if not (found.stories or found.left_out or found.errors):
        message = "there is no `asm!` in it" if function is None else "no such function has `asm!`"
        raise InputError(None, f"{quoted(str(path), 200)}: {message}", "name other Rust")
    words = [
        f"{option}={each}"
        for option, said in (("--memory", memory), ("--values", values))
        for each in said or ()
    ]
    return _run(found, selection, file, words, verbose=verbose)


_KEY = r"([\w]+\.[\w]+)"
_MEMORY = re.compile(_KEY + r"=(\d{1,4})(?:/(\d{1,4}))?")
_VALUES = re.compile(_KEY + r"=(-?\d{1,20})(?:\.\.=(-?\d{1,20}))?")

LARGEST_MEMORY = 4096


def read_given(memory: Iterable[str], values: Iterable[str]) -> Given:
    """What `--memory` and `--values` say. Raises: InputError."""
    from harness.story.pair_operands import Given

    sizes: dict[str, tuple[int, int | None]] = {}
    for word in memory:
        found = _MEMORY.fullmatch(word)
        align = None if found is None or found[3] is None else int(found[3])
        fits = found is not None and 1 <= int(found[2]) <= LARGEST_MEMORY
        if found is None or not fits or align not in (None, *(1 << each for each in range(13))):
            remedy = (
                f"write fill.p=64, or fill.p=64/16 with the alignment; {LARGEST_MEMORY} at most"
            )
            raise InputError(None, f"--memory: {quoted(word)} says no size", remedy)
        sizes[found[1]] = (int(found[2]), align)
    ranges: dict[str, list[tuple[int, int]]] = {}
    for word in values:
        found = _VALUES.fullmatch(word)
        if found is None or int(found[3] or found[2]) < int(found[2]):
            remedy = "write fill.len=0..=64, both ends included, or fill.len=8"
            raise InputError(None, f"--values: {quoted(word)} is no range of numbers", remedy)
        ranges.setdefault(found[1], []).append((int(found[2]), int(found[3] or found[2])))
    return Given(memory=sizes, values={key: tuple(each) for key, each in ranges.items()})


def _run(
    found: OwnStories,
    selection: Selection,
    file: ReportFile | None,
    given: Sequence[str],
    *,
    verbose: bool,
) -> int:
    from rich.console import Console

    from harness.campaign.assemble import assemble
    from harness.campaign.own_stories import judge_pair
    from harness.report.progress import watched
    from harness.report.story_report import StoryReport, encode, render_report

    setup = assemble([each.case for each in found.stories], selection)
    results: dict[str, list[Result]] = {each.case.id: [] for each in found.stories}
    verdicts: list[OwnVerdict] = []
    missing: Sequence[Missing] = ()
    finished = False
    try:
        for result in watched(setup.campaign.results(), total=setup.campaign.size()):
            results[result.run.case].append(result)
        finished = True
    finally:
        # An interrupted run shows and keeps what it has.
        verdicts = [judge_pair(story, results[story.case.id]) for story in found.stories]
        every = (result for of_case in results.values() for result in of_case)
        unseen = {result.run.engine for result in every if result.outcome is None}
        missing = tuple(setup.left_out(unseen).values()) if found.stories else ()
        report = StoryReport(
            verdicts=verdicts,
            left_out=found.left_out,
            errors=found.errors,
            missing=missing,
            environment=setup.environment(),
            finished=finished,
            given=given,
        )
        if file is not None:
            file.write(encode(report))
        console = Console(highlight=False)
        for line in render_report(report, verbose=verbose):
            console.print(line, soft_wrap=True, markup=False)
    return weightiest(_codes(setup, found, verdicts))


def _codes(setup: Setup, found: OwnStories, verdicts: Sequence[OwnVerdict]) -> set[ExitCode]:
    from harness.campaign.own_stories import State
    from harness.result import EngineName

    codes = set()
    selection = setup.campaign.selection
    if found.errors:
        codes.add(ExitCode.BAD_INPUT)
    if any(not each.elsewhere for each in found.left_out):
        codes.add(ExitCode.NOT_CHECKED)
    missing = setup.missing() if found.stories else {}
    if any(selection.insists_on(engine) for engine in missing):
        codes.add(ExitCode.NOT_CHECKED)
    for verdict in verdicts:
        if any(result.fault for result in verdict.results):
            codes.add(ExitCode.FAULT)
        if verdict.state is State.BROKEN:
            codes.add(ExitCode.MISMATCH)
        asked = (result for result in verdict.results if result.run.engine not in missing)
        if any(_could_not(result) for result in asked):
            codes.add(ExitCode.NOT_CHECKED)
    if verdicts and {EngineName.NATIVE, EngineName.MIRI} <= set(missing):
        codes.add(ExitCode.NOT_CHECKED)
    return codes


def _could_not(result: Result) -> bool:
    """Whether the run was to be done, could be, and says nothing."""
    from harness.result import Verdict
    from harness.verdict import NATIVE_IS_NO_EVIDENCE

    return result.verdict is Verdict.NOT_CHECKED and result.reason != NATIVE_IS_NO_EVIDENCE
