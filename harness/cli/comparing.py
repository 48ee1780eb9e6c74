"""What `harness run --compare` does and tells: only the verdicts that two Miris differ in."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from harness.cli.exit_code import ExitCode

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from rich.text import Text

    from harness.campaign.assemble import Setup
    from harness.campaign.compare import Change, Comparison, Side
    from harness.campaign.own_variants import AbsentCrate
    from harness.campaign.selection import Selection
    from harness.cases.case import Case
    from harness.engines.own_crate import OwnCrate
    from harness.outcome import Outcome
    from harness.report.report_file import ReportFile


def compare_toolchains(
    cases: Sequence[Case],
    selection: Selection,
    other: str,
    *,
    own: Sequence[OwnCrate | AbsentCrate],
    reduced: Path | None,
    report: ReportFile | None,
) -> ExitCode:
    """Run the cases under the selection's Miri and under the other.

    own: crates with variants of their own. reduced: the folder for a smaller case of each change.
    Exit codes: 1 if something changed; 3 if that cannot be said.

    Raises: MissingTool.
    """
    from rich.console import Console
    from rich.text import Text

    from harness.campaign.assemble import assemble
    from harness.campaign.compare import Comparison
    from harness.campaign.own_variants import AbsentCrate
    from harness.engines.own_crate import OwnCrate
    from harness.report.progress import watched
    from harness.result import EngineName

    crates = [crate for crate in own if isinstance(crate, OwnCrate)]
    for crate in own:
        if isinstance(crate, AbsentCrate):
            raise crate.missing.error()
    chosen = replace(selection, engines=(EngineName.MIRI,))
    own_sysroot = _own_sysroot(chosen.toolchain, other)
    setups = (
        assemble(cases, chosen, own=crates),
        assemble(cases, replace(chosen, toolchain=other), own=crates, own_sysroot=own_sysroot),
    )
    before, after = (_side(setup, crates, live=chosen.live) for setup in setups)
    campaign = setups[0].campaign
    jobs = [*campaign.jobs(EngineName.MIRI), *campaign.own_jobs(EngineName.MIRI)]
    console = Console(highlight=False)
    for label, side in (("before", before), ("after ", after)):
        console.print(Text(f"{label}  {side.name}: {side.tool}"), soft_wrap=True)
    comparison = Comparison(before=before, after=after)
    for _ in watched(comparison.run(jobs), total=2 * len(jobs), fails=lambda job: False):
        pass
    smaller: dict[int, Path] = {}
    for number, change in enumerate(comparison.changes):
        console.print(_line(change), soft_wrap=True)
        if reduced is not None and (path := _reduce(change, comparison, reduced)) is not None:
            smaller[number] = path
            console.print(Text(f"  reduced: {path}", style="dim"), soft_wrap=True)
    console.print(Text(_summary(comparison), style="bold"), soft_wrap=True)
    for reason, number in comparison.refused.items():
        console.print(Text(f"{number} runs not compared: {reason}"), soft_wrap=True)
    if report is not None:
        report.write(_encode(comparison, smaller))
    if any(not change.unstable for change in comparison.changes):
        return ExitCode.MISMATCH
    unsettled = comparison.changes or comparison.open or not comparison.compared
    return ExitCode.NOT_CHECKED if unsettled else ExitCode.AGREE


def _own_sysroot(name: str, other: str) -> Path | None:
    """Where the other's standard library is to be; None for where the first one's is.

    All toolchains have it in one place, where it fits one compiler at a time.
    """
    from harness.toolchain.environment import cache_folder
    from harness.toolchain.miri import find_miri
    from harness.toolchain.missing import Missing
    from harness.toolchain.process import Launcher
    from harness.toolchain.workspace import digest

    compilers = []
    for each in (name, other):
        found = find_miri(Launcher(), each)
        if isinstance(found, Missing):
            raise found.error()
        compilers.append(found.compiler.version)
    if compilers[0] == compilers[1]:
        return None
    return cache_folder() / "sysroots" / digest(other)


def _side(setup: Setup, crates: Sequence[OwnCrate], *, live: bool) -> Side:
    from harness.campaign.compare import Crates, side_of
    from harness.result import EngineName
    from harness.toolchain.environment import cache_folder

    missing = setup.miri.missing()
    if missing is not None:
        raise missing.error()
    own = {
        name: engine
        for lane in setup.campaign.own
        for engine in lane.engines
        if engine.name is EngineName.MIRI
        for name in lane.names
    }
    return side_of(
        Crates(table=setup.miri, own=own),
        setup.miri.toolchain,
        cache_folder(),
        own={name: crate.digest for crate in crates for name in crate.names},
        live=live,
    )


def _line(change: Change) -> Text:
    from rich.text import Text

    from harness.errors import printable
    from harness.outcome import UndefinedBehaviour

    job = change.job
    where = ", ".join(str(each) for each in (job.mode, job.variant, job.form) if each is not None)
    line = Text(f"{printable(change.case.id)} ({where}): ")
    for outcome, after in ((change.before, " → "), (change.after, "")):
        style = "red" if isinstance(outcome, UndefinedBehaviour) else "green"
        line.append(_words(outcome), style=style).append(after)
    if change.unstable:
        line.append("; not confirmed: by itself one of them comes to something else", "yellow")
    return line


def _words(outcome: Outcome) -> str:
    """Class, kind, and what tells it from another one of these."""
    from harness.outcome import Ran
    from harness.reduce.symptom import sight

    place = getattr(outcome, "location", None)
    told = "" if place is None or place.path is None else f" at {'.'.join(map(str, place.path))}"
    if place is not None and place.instruction is not None:
        told = f" at instruction {place.instruction}"
    if isinstance(outcome, Ran) and outcome.memory:
        told = f" {outcome.memory[:16].hex(' ')}{'…' if len(outcome.memory) > 16 else ''}"
    return f"{sight(outcome)}{told}"


def _summary(comparison: Comparison) -> str:
    stable = sum(not change.unstable for change in comparison.changes)
    words = f"{comparison.compared} runs compared: {stable} changed"
    if unstable := len(comparison.changes) - stable:
        words += f", {unstable} differ and are not confirmed"
    if comparison.open:
        words += f"; {comparison.open} came to no end under either"
    return words


def _reduce(change: Change, comparison: Comparison, folder: Path) -> Path | None:
    """The file with the smaller case; None for what cannot be reduced, or hangs on the seed."""
    from harness.bytecode.program import Program
    from harness.pointer.program import PointerProgram
    from harness.reduce.change import reduce_change
    from harness.reduce.journal import case_text
    from harness.report.report_file import ReportFile
    from harness.story.block import Story

    if change.unstable or isinstance(change.case.program, Story):
        return None
    folder.mkdir(parents=True, exist_ok=True)
    job = change.job
    parts = (change.case.id.rsplit("/", 1)[-1], job.mode, job.variant, job.form)
    name = "-".join(str(part) for part in parts if part is not None)
    file = ReportFile(option="--reduce", path=folder / f"{re.sub(r'[^a-z0-9-]+', '-', name)}.toml")
    sides = f"{comparison.before.name}: {_words(change.before)}"
    remark = f"{sides}; {comparison.after.name}: {_words(change.after)}"

    def write(program: Program | PointerProgram, _: str = "") -> None:
        text = case_text(
            program,
            description=f"Reduced from {change.case.id}, of which two Miris say different things.",
            source="harness run --compare",
            rule="",
            remarks=(remark,),
        )
        file.write(text.encode())

    write(change.case.program)
    reduce_change(change, comparison.before.engine, comparison.after.engine, write)
    return file.path


def _encode(comparison: Comparison, smaller: Mapping[int, Path]) -> bytes:
    from harness.evidence.record import encode_outcome

    def side(each: Side) -> dict[str, str]:
        tool = each.tool
        return {
            "toolchain": each.name,
            "version": tool.version,
            "compiler": tool.compiler,
            "target": tool.target,
        }

    value: dict[str, Any] = {
        "schema": 1,
        "before": side(comparison.before),
        "after": side(comparison.after),
        "compared": comparison.compared,
        "open": comparison.open,
        "refused": dict(comparison.refused),
        "changes": [
            {
                "case": change.case.id,
                "variant": change.job.variant,
                "form": change.job.form,
                "mode": str(change.job.mode),
                "before": encode_outcome(change.before),
                "after": encode_outcome(change.after),
                "confirmed": not change.unstable,
                "reduced": str(smaller[number]) if number in smaller else None,
            }
            for number, change in enumerate(comparison.changes)
        ],
    }
    return (json.dumps(value, indent=1) + "\n").encode()
