"""`harness bless`: what a real Miri shows of cases, committed beside them."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from harness.cli.exit_code import ExitCode, weightiest
from harness.errors import InputError, printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.campaign.assemble import Setup
    from harness.result import Result

SHOWN = 40
"""Files and refusals named one by one; the version control shows all."""


def bless_command(
    *paths: Path,
    case: Annotated[str | None, Parameter("--case")] = None,
    toolchain: Annotated[str | None, Parameter("--toolchain")] = None,
    jobs: Annotated[int | None, Parameter(["-j", "--jobs"])] = None,
) -> int:
    """Write what a real Miri shows of cases beside them, for `harness run` where it is missing.

    Every variant, form and mode; only what changed runs. What does not agree is refused.

    Parameters
    ----------
    paths
        Case files, or folders of them (default: the corpus).
    case
        Only cases whose name matches this glob, such as 'bytecode/add-*'.
    toolchain
        rustup's name of the toolchain with Miri (default: $HARNESS_MIRI_TOOLCHAIN, or nightly).
    jobs
        Processes at once (default: one for each processor).
    """
    from harness.campaign.assemble import assemble
    from harness.campaign.selection import Selection
    from harness.cases.load import load
    from harness.cases.set_file import is_set
    from harness.cli.options import read_jobs
    from harness.lowering.variants import VARIANTS
    from harness.report.progress import watched
    from harness.resources import corpus_dir
    from harness.result import EngineName
    from harness.toolchain.miri import toolchain_name

    if sets := [path for path in paths if is_set(path)]:
        message = f"{printable(str(sets[0]))} is a set, whose lines say what Miri showed"
        raise InputError(None, message, "name case files, or folders of them")
    selection = Selection(
        cases=case,
        engines=(EngineName.MIRI,),
        toolchain=toolchain_name(toolchain),
        jobs=read_jobs(jobs),
    )
    loaded = load(paths or (corpus_dir(),), variants=VARIANTS)
    cases = [each for each in loaded.cases if selection.wants_case(each.id)]
    if not cases and not loaded.errors:
        raise InputError(None, "no case was selected", "`harness list` names them all")
    setup = assemble(cases, selection)
    for missing in setup.missing().values():
        raise missing.error()
    results = list(watched(setup.campaign.results(), total=setup.campaign.size()))
    for error in loaded.errors:
        print(f"error: {error}")
    return weightiest({*_write(setup, results), *(ExitCode.BAD_INPUT for _ in loaded.errors)})


def _write(setup: Setup, results: Sequence[Result]) -> set[ExitCode]:
    """Write the evidence and say what changes."""
    from harness.campaign.blessing import AGREEING, bless
    from harness.report.wording import repeat, way
    from harness.result import EngineName, Verdict

    tool = setup.campaign.tool(EngineName.MIRI)
    assert tool is not None, "it is not missing"
    changes: Counter[str] = Counter()
    for changed in bless(setup.campaign, results, tool):
        changes[changed.change] += 1
        if changes.total() <= SHOWN:
            print(f"{changed.change} {printable(str(changed.path))}")
    refused = [result for result in results if result.verdict not in AGREEING]
    for result in refused[:SHOWN]:
        print(f"refused {result.run.case} [{way(result.run)}] {result.reason}")
        print(f"    repeat: {result.command or repeat(result)}")
    counts = [f"{number} {change}" for change, number in changes.items()] or ["nothing changes"]
    print(
        f"{len(results) - len(refused)} results of {tool} in evidence, {len(refused)} refused; "
        f"files: {', '.join(counts)}."
    )
    for note in setup.campaign.archive.store.notes:
        print(f"evidence: {note}")
    codes = set()
    for result in refused:
        is_wrong = result.verdict is Verdict.MISMATCH
        codes.add(ExitCode.MISMATCH if is_wrong else ExitCode.NOT_CHECKED)
        if result.fault:
            codes.add(ExitCode.FAULT)
    return codes
