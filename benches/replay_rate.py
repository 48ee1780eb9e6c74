"""`harness replay` beside one `cargo miri run` for each input, on a real interpreter.

The subject is `rbpf`, behind the function in `benches/replay`; the inputs are random eBPF
programs, the same for the same seed. It needs a Miri, and a network the first time:

    python benches/replay_rate.py [--inputs N] [--single N] [--mode MODE] [--seed N]
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

from rich.console import Console
from rich.table import Table

from harness.bench.miri import BY_CARGO, Timing, spread
from harness.diagnostics.failure import read_failure
from harness.diagnostics.message import read_json
from harness.engines.miri_command import Miri
from harness.evidence.store import Store
from harness.mode import Mode, parse_mode
from harness.replay.inputs import Input
from harness.replay.replay_screen import column
from harness.replay.runs import LARGEST_BATCH, Replayer, Trial
from harness.replay.subject import Choice, prepare
from harness.toolchain.command import Command
from harness.toolchain.environment import clean_environment, processors
from harness.toolchain.miri import find_miri, mode_flags, prepare_sysroot, toolchain_name
from harness.toolchain.missing import Missing
from harness.toolchain.process import Launcher, Limits

SUBJECT = Path(__file__).parent / "replay"

EXIT = bytes([0x95, 0, 0, 0, 0, 0, 0, 0])

ALU = (0x07, 0x0F, 0x17, 0x1F, 0x27, 0x2F, 0x47, 0x4F, 0x57, 0x5F, 0x67, 0x77, 0xA7, 0xAF, 0xB7)
"""Additions to moves, of 64 bits, by immediates and by registers."""

LOADS = (0x71, 0x69, 0x61, 0x79)
STORES = (0x73, 0x6B, 0x63, 0x7B)
JUMPS = (0x15, 0x25, 0x35, 0x55)


def program(source: random.Random) -> bytes:
    """Five to twenty instructions that compute, jump ahead, load and now and then store."""
    length = source.randint(5, 20)
    # Register 1 points to the memory, and stays where it is.
    made = [_instruction(0xB7, register, 0, 0, register) for register in (0, 2, 3)]
    while len(made) < length:
        to = source.choice((0, 2, 3))
        by = source.choice((0, 2, 3))
        immediate = source.randint(0, 63)
        match source.choices(("alu", "load", "store", "jump"), (60, 25, 5, 10))[0]:
            case "alu":
                made.append(_instruction(source.choice(ALU), to, by, 0, immediate))
            case "load":
                made.append(_instruction(source.choice(LOADS), to, 1, source.randint(0, 56), 0))
            case "store":
                made.append(_instruction(source.choice(STORES), 1, by, source.randint(0, 56), 0))
            case _:
                ahead = source.randint(0, max(0, length - len(made) - 1))
                made.append(_instruction(source.choice(JUMPS), to, 0, min(ahead, 5), immediate))
    return b"".join(made) + EXIT * 6


def _instruction(code: int, to: int, of: int, offset: int, immediate: int) -> bytes:
    return (
        bytes([code, of << 4 | to])
        + offset.to_bytes(2, "little", signed=True)
        + immediate.to_bytes(4, "little", signed=True)
    )


def by_cargo(
    launcher: Launcher, miri: Miri, folder: Path, mode: Mode, inputs: list[Input]
) -> tuple[Timing, list[str]]:
    """One `cargo miri run` for each input, one after the other, and what each came to."""
    sources = folder / "crate"
    shutil.copytree(SUBJECT, sources)
    empty = folder / "empty"
    empty.write_bytes(b"")
    seconds, found = [], []
    for path in [empty] * 4 + [each.path for each in inputs]:
        command = Command(
            argv=(
                *("cargo", f"+{miri.toolchain.name}", "miri", "run", "--quiet", "--bin", "one"),
                *("--target-dir", str(folder / "target"), "--", str(path)),
            ),
            cwd=sources,
            environment=clean_environment(
                {
                    "MIRIFLAGS": " ".join(
                        (*mode_flags(mode), "-Zmiri-disable-isolation", "--error-format=json")
                    ),
                    "MIRI_SYSROOT": str(miri.sysroot),
                }
            ),
        )
        done = launcher.run(command, limits=Limits(seconds=600.0))
        failure = read_failure(read_json(done.stderr), done.exit_code)
        seconds.append(done.seconds)
        found.append("no UB found" if failure is None else column(failure.outcome))
    start_up = min(seconds[1:4])
    timing = Timing(
        way=BY_CARGO,
        runs=len(inputs),
        start_up=start_up * len(inputs),
        # The first run builds the crate.
        compiling=seconds[0] - start_up,
        interpreting=max(0.0, sum(seconds[4:]) - start_up * len(inputs)),
    )
    return timing, found[4:]


def by_replay(
    launcher: Launcher, miri: Miri, folder: Path, mode: Mode, inputs: list[Input]
) -> tuple[Timing, dict[Path, str]]:
    """All inputs in batches, and what each came to."""
    started = time.perf_counter()
    subject = prepare(
        launcher, replace(miri, cache=folder / "cache"), Choice(path=SUBJECT, entry="run")
    )
    compiling = time.perf_counter() - started
    workers = processors()
    replayer = Replayer(
        launcher=launcher,
        miri=miri,
        subject=subject,
        limits=Limits(seconds=60.0),
        workers=workers,
        store=Store(folder / "records.log"),
        live=True,
    )
    empty = [Trial(input=Input(path=Path("empty"), data=b""), mode=mode)]
    start_up = min(_seconds(replayer, empty)[0] for _ in range(4))
    # Its one input is also confirmed, by a process of its own.
    start_up /= 2
    total, found = _seconds(replayer, [Trial(input=each, mode=mode) for each in inputs])
    batches = -(-len(inputs) // min(LARGEST_BATCH, -(-len(inputs) // workers)))
    of_batches = min(total, start_up * batches / min(workers, batches))
    timing = Timing(
        way=f"replay, {workers} at once",
        runs=len(inputs),
        start_up=of_batches,
        compiling=compiling,
        interpreting=total - of_batches,
    )
    return timing, found


def _seconds(replayer: Replayer, trials: list[Trial]) -> tuple[float, dict[Path, str]]:
    started = time.perf_counter()
    found = {run.trial.input.path: column(run.outcome) for run in replayer.run(trials)}
    return time.perf_counter() - started, found


def main() -> None:
    """Print the table, and what the runs came to."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--inputs", type=int, default=1000)
    parser.add_argument("--single", type=int, default=20, help="how many by cargo")
    parser.add_argument("--mode", type=parse_mode, default=parse_mode("stacked-permissive"))
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    launcher = Launcher()
    found = find_miri(launcher, toolchain_name(None))
    sysroot = found if isinstance(found, Missing) else prepare_sysroot(launcher, found)
    if isinstance(found, Missing) or isinstance(sysroot, Missing):
        sys.exit(f"not checked: {found if isinstance(found, Missing) else sysroot}")
    source = random.Random(options.seed)
    with tempfile.TemporaryDirectory(prefix="harness-bench-") as name:
        folder = Path(name)
        inputs = []
        for number in range(options.inputs):
            path = folder / f"{number:05}.ebpf"
            path.write_bytes(program(source))
            inputs.append(Input(path=path, data=path.read_bytes()))
        few = spread(inputs, options.single)
        miri = Miri(toolchain=found, sysroot=sysroot, cache=folder / "cache")
        single, of_few = by_cargo(launcher, miri, folder, options.mode, few)
        batches, of_all = by_replay(launcher, miri, folder, options.mode, inputs)
    _print(options.mode, [single, batches])
    print("came to:", ", ".join(f"{n} {name}" for name, n in Counter(of_all.values()).items()))
    differing = [
        each.path.name for each, one in zip(few, of_few, strict=True) if of_all[each.path] != one
    ]
    print(f"of the {len(few)} by cargo, {len(few) - len(differing)} came to the same")
    sys.exit(1 if differing else os.EX_OK)


def _print(mode: Mode, timings: list[Timing]) -> None:
    table = Table(title=f"rbpf 0.4.1, {mode}; ms of a run, compiling in seconds")
    for name in ("way", "runs", "a second", "ratio", "start-up", "interpreting", "compiling"):
        table.add_column(name, justify="left" if name == "way" else "right", no_wrap=True)
    for timing in timings:
        table.add_row(
            timing.way,
            f"{timing.runs:,}",
            f"{timing.rate:,.1f}",
            f"{timing.rate / timings[0].rate:,.0f}x",
            f"{1000 * timing.start_up / timing.runs:.2f}",
            f"{1000 * timing.interpreting / timing.runs:.2f}",
            f"{timing.compiling or 0:.1f}",
        )
    Console(width=120).print(table)


if __name__ == "__main__":
    main()
