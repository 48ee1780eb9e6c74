"""`harness bench`: how fast things are, measured side by side."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Parameter

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from harness.bench.miri import Bench
    from harness.bench.vm import Cost
    from harness.engines.engine import Job

SIZES = (100, 1_000, 10_000)
"""The numbers of cases by which growth is measured."""

bench_command = App(
    name="bench", help="Measure how fast things are, side by side.", help_format="plaintext"
)


@bench_command.command(name="miri")
def bench_miri(
    *,
    toolchain: Annotated[str | None, Parameter("--toolchain")] = None,
    jobs: Annotated[int | None, Parameter(["-j", "--jobs"])] = None,
    single: Annotated[int, Parameter("--single")] = 12,
    growth: Annotated[bool, Parameter("--growth", negative=())] = False,
) -> int:
    """Run the same cases under Miri by cargo, by Miri's driver, and in batches.

    Nothing compiled before is used, but for Miri's own standard library.

    Parameters
    ----------
    toolchain
        rustup's name of the toolchain with Miri (default: $HARNESS_MIRI_TOOLCHAIN, or nightly).
    jobs
        Processes at once in batches (default: one for each processor).
    single
        How many of the runs are done one by one.
    growth
        Instead, the time and the memory of 100, 1,000 and 10,000 random pointer programs.
    """
    from rich.console import Console

    from harness.bench.miri import Bench
    from harness.cli.exit_code import ExitCode
    from harness.cli.options import read_jobs, read_limit
    from harness.toolchain.miri import toolchain_name

    # Eight columns need that much, and a pipe has no width.
    console = Console(width=max(Console().width, 100))
    with tempfile.TemporaryDirectory(prefix="harness-bench-") as folder:
        bench = Bench(
            toolchain=toolchain_name(toolchain), cache=Path(folder), workers=read_jobs(jobs)
        )
        if growth:
            _print_growth(console, bench)
        else:
            _print_timings(console, bench, read_limit("--single", single))
    return ExitCode.AGREE


@bench_command.command(name="vm")
def bench_vm(
    *paths: Path,
    variant: Annotated[list[str] | None, Parameter("--variant")] = None,
    rounds: Annotated[int, Parameter("--rounds")] = 5,
    json: Annotated[Path | None, Parameter("--json")] = None,
    svg: Annotated[Path | None, Parameter("--svg")] = None,
) -> int:
    """What soundness costs: the time of an instruction in each variant, natively, side by side.

    Parameters
    ----------
    paths
        Case files or folders of them (default: the corpus); those that execute few instructions
        are left out.
    variant
        Only this variant, beside safe indexing; repeatable.
    rounds
        How often each variant has its turn; the least disturbed one counts.
    json
        Write every measurement to this file, for programs.
    svg
        Draw the costs to this file.
    """
    from rich.console import Console

    from harness.bench.vm import BASELINE, VmBench, costs, noise, worth_measuring
    from harness.bench.vm_json import encode
    from harness.bench.vm_plot import plot
    from harness.cases.load import load
    from harness.cli.exit_code import ExitCode
    from harness.cli.options import read_limit, read_variants
    from harness.errors import InputError
    from harness.lowering.variants import VARIANTS
    from harness.report.report_file import ReportFile
    from harness.resources import corpus_dir, rust_vm_dir
    from harness.toolchain.environment import cache_folder
    from harness.toolchain.missing import Missing
    from harness.toolchain.process import Launcher
    from harness.toolchain.rust import find_rust

    variants = tuple(dict.fromkeys((BASELINE, *read_variants(variant))))
    report = None if json is None else ReportFile(option="--json", path=json)
    picture = None if svg is None else ReportFile(option="--svg", path=svg)
    read_limit("--rounds", rounds)
    loaded = load(paths or (corpus_dir(),), variants=VARIANTS)
    if loaded.errors:
        raise loaded.errors[0]
    cases = worth_measuring(loaded.cases)
    if not cases:
        message = "no bytecode program here executes enough instructions to be measured"
        raise InputError(None, message, "name programs with a loop")
    launcher = Launcher()
    rust = find_rust(launcher)
    if isinstance(rust, Missing):
        raise rust.error()
    bench = VmBench(
        launcher=launcher,
        compiler=rust.compiler,
        vm_folder=rust_vm_dir(),
        cache=cache_folder(),
        rounds=rounds,
    )
    measured, wrong = bench.measure(cases, variants)
    found = costs(measured, wrong, variants)
    disturbed = noise(measured)
    _print_costs(Console(), found, len(cases), rounds, disturbed)
    if report is not None:
        report.write(encode(measured, found, rust.compiler, disturbed))
    if picture is not None:
        subtitle = f"{len(cases)} programs of bytecode, best of {rounds}; {rust.compiler.version}"
        picture.write(plot(found, subtitle))
    return ExitCode.AGREE


def _print_costs(
    console: Console, found: Sequence[Cost], programs: int, rounds: int, disturbed: float
) -> None:
    from rich.box import SIMPLE
    from rich.table import Table

    title = f"{programs} programs, best of {rounds} rounds; safe indexing is 1.0"
    table = Table(title=title, title_justify="left", box=SIMPLE, pad_edge=False)
    for column in ("variant", "sound"):
        table.add_column(column, no_wrap=True)
    for column in ("ns an instruction", "cost", "from", "to", "programs"):
        table.add_column(column, justify="right", no_wrap=True)
    for cost in found:
        table.add_row(
            cost.variant.name,
            "yes" if cost.variant.sound else "no",
            f"{cost.nanoseconds:.2f}",
            f"{cost.ratio:.2f}",
            f"{cost.least:.2f}",
            f"{cost.most:.2f}",
            f"{cost.programs}",
        )
    console.print(table)
    for cost in found:
        if cost.wrong:
            what = ", ".join(cost.wrong)
            console.print(f"{cost.variant.name} computes wrongly, and is left out: {what}")
    console.print(
        f"from, to: the programs in which it costs least and most. A round of the baseline is "
        f"{100 * disturbed:.0f}% from its best in the middle: what differs by less is the same.",
        soft_wrap=True,
    )


def _print_timings(console: Console, bench: Bench, single: int) -> None:
    from rich.box import SIMPLE
    from rich.table import Table

    from harness.bench.miri import LONGEST, pointer_jobs, vm_jobs
    from harness.campaign.oracle import Oracle
    from harness.cases.load import load
    from harness.lowering.variants import VARIANTS
    from harness.resources import corpus_dir

    cases = load((corpus_dir(),), variants=VARIANTS).cases
    oracle = Oracle()
    by_id = {case.id: case for case in cases}

    def foresee(job: Job) -> Job:
        return oracle.foreseen(by_id[job.case], job)

    groups = {
        "pointer cases": pointer_jobs(cases),
        f"form vm, up to {LONGEST} instructions": vm_jobs(cases),
    }
    for title, jobs in groups.items():
        title = f"{title}; batches: {bench.workers} at once; times: ms of a run"
        table = Table(title=title, title_justify="left", box=SIMPLE, pad_edge=False)
        table.add_column("way", no_wrap=True)
        for column in ("runs", "a second", "ratio", "start-up", "compiling", "interpreting"):
            table.add_column(column, justify="right", no_wrap=True)
        slowest: float | None = None
        for timing in bench.timings(jobs, foresee, single=single):
            slowest = slowest or timing.rate
            parts = (timing.start_up, timing.compiling, timing.interpreting)
            table.add_row(
                timing.way,
                f"{timing.runs:,}",
                f"{timing.rate:,.1f}",
                f"{timing.rate / slowest:,.0f}x",
                *("" if part is None else f"{1000 * part / timing.runs:.2f}" for part in parts),
            )
        console.print(table)
    console.print(
        "a second: once compiled. start-up, compiling, interpreting: wall-clock time shared among "
        "all runs; one by one, compiling is part of interpreting.",
        soft_wrap=True,
    )


def _print_growth(console: Console, bench: Bench) -> None:
    from rich.table import Table

    mebibyte = 1 << 20
    table = Table(title="random pointer programs, a mode each, held against the model")
    for column in ("cases", "seconds", "a case", "harness", "one Miri", "disagree"):
        table.add_column(column, justify="right")
    for row in bench.growth(SIZES):
        table.add_row(
            f"{row.cases:,}",
            f"{row.seconds:.1f}",
            f"{1000 * row.seconds / row.cases:.2f} ms",
            f"{row.peak // mebibyte} MiB",
            f"{row.peak_of_child // mebibyte} MiB",
            f"{row.disagreeing}",
        )
    console.print(table)
