"""Items: what the interpreters of one process take, each one, and what became of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import count, islice
from pathlib import Path

from harness.engines.miri_command import Miri
from harness.engines.miri_records import RecordReader
from harness.engines.miri_segments import BEGIN, Attributed, Records, SegmentReader
from harness.toolchain.command import Command
from harness.toolchain.environment import bare_environment
from harness.toolchain.process import Ending, Launcher, Limits
from harness.toolchain.workspace import stage

MAINS = Path(__file__).parent / "miri_mains"

_MANY = (
    "-Zmiri-many-seeds-keep-going",
    # Standard input is outside; and with one thread what stands between two seeds' lines
    # belongs to the first.
    "-Zmiri-disable-isolation",
    "-Zthreads=1",
    # As people would see an error nobody reads it here, and to draw its source takes Miri a tenth
    # of the run.
    "--json=diagnostic-short",
)

SINGLE_THREADED = ("-Zmiri-disable-data-race-detector",)
"""What a program of one thread, in which nothing can race, does without: a twelfth of the time."""

RUNS_TO_A_PROCESS = 10
"""How many runs at their limit of time a process may last: one that prints is never silent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """What an interpreter takes. choice: what to do, as a u64. data: what to do it with.

    place, count: what would take an interpreter long to find out: where the choice stands in a
    table, and how many things there are in the data.
    """

    choice: int
    data: bytes = b""
    place: int = 0
    count: int = 0

    def encode(self, number: int) -> bytes:
        """As `miri_mains/stream.rs` reads it; its first line is what it says as it begins."""
        numbers = (number, self.choice, self.place, self.count, len(self.data))
        head = b"".join(each.to_bytes(8, "little") for each in numbers)
        return f"{BEGIN}{number:017}\n".encode() + head + self.data


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """One way to interpret items: a program on top of a library, in one mode.

    folder: the program's package. externs: the libraries under it.
    flags: those of the mode. limits: of one plain run; an item may take as long, and a process
    as long as `RUNS_TO_A_PROCESS` of them.

    inherits: whether the programs may ask for variables of the environment.
    begun: the seed under which each item last began; no two interpreters of a batch have the
    same one. records: makes what reads how items of one process ended.
    """

    launcher: Launcher
    miri: Miri
    folder: Path
    externs: Mapping[str, Path]
    flags: Sequence[str]
    limits: Limits
    inherits: bool = False
    begun: dict[int, int] = field(default_factory=dict)
    records: Callable[[], Records] = RecordReader
    _seeds: count[int] = field(default_factory=count)

    def interpret(self, items: Mapping[int, Item], tell: Callable[[Attributed], None]) -> None:
        """Interpret every item and tell what is certain, as soon as it is.

        items: by number. A number that is not told of has to be run on its own.
        """
        left = dict(items)
        while left:
            before = len(left)
            reader, is_whole = self._start(left, tell)
            if not is_whole and reader.last_begun in left:
                # It was at work when the process was ended.
                del left[reader.last_begun]
            elif len(left) == before:
                if reader.count and len(left) > 1:
                    for half in _halves(left):
                        self.interpret(half, tell)
                return

    def command(self, seeds: str) -> Command:
        """The command of a process with interpreters for these seeds, such as `0..10`."""
        return self.miri.driver_command(
            self.folder,
            (*self.flags, f"-Zmiri-many-seeds={seeds}", *_MANY),
            (),
            externs=self.externs,
        )

    def repeater(self) -> Callable[[Attributed, Item], str]:
        """Makes the shell line that repeats one interpreter."""
        line = self.command("@first..@end").shell()

        def repeat(seen: Attributed, item: Item) -> str:
            octal = "".join(f"\\{byte:03o}" for byte in item.encode(seen.item))
            own = line.replace("@first..@end", f"{seen.seed}..{seen.seed + 1}")
            return f"printf '{octal}' | {own}"

        return repeat

    def _start(
        self, left: dict[int, Item], tell: Callable[[Attributed], None]
    ) -> tuple[SegmentReader, bool]:
        """Start one process, which goes as far through the items as it comes.

        left: loses each item that is told of. Returns what read the process's words, and
        whether it came to its own end.
        """
        seconds = self.limits.seconds
        of_process = None if seconds is None else RUNS_TO_A_PROCESS * seconds
        limits = replace(self.limits, seconds=of_process, silence=seconds)
        seeds = list(islice(self._seeds, len(left)))
        fed = b"".join(item.encode(number) for number, item in left.items())
        reader = SegmentReader(self.records())

        def pass_on(seen: Iterable[Attributed]) -> None:
            for each in seen:
                if left.pop(each.item, None):
                    tell(each)

        command = self.command(f"{seeds[0]}..{seeds[-1] + 1}")
        if not self.inherits:
            # Without isolation each interpreter copies all of it into its program's memory.
            command = replace(command, environment=bare_environment(command.environment))
        done = self.launcher.run(
            command,
            stdin=fed,
            limits=limits,
            listener=lambda stdout, stderr: pass_on(reader.hear(stdout, stderr)),
        )
        # A process that a signal ended has broken off in the middle, too.
        is_whole = done.ending is Ending.EXITED and done.exit_code >= 0
        pass_on(reader.end(done.stdout, done.stderr, is_whole=is_whole))
        self.begun.update(reader.begun)
        return reader, is_whole


def main_folder(miri: Miri, main: str) -> Path:
    """The staged package of one of the programs in `miri_mains`."""
    return stage(_main_files(main), miri.sources)


@cache
def _main_files(main: str) -> dict[str, bytes]:
    return {
        "src/main.rs": (MAINS / main).read_bytes(),
        "src/stream.rs": (MAINS / "stream.rs").read_bytes(),
    }


def _halves(items: Mapping[int, Item]) -> Iterator[dict[int, Item]]:
    numbers = list(items)
    middle = len(numbers) // 2
    for half in (numbers[:middle], numbers[middle:]):
        yield {number: items[number] for number in half}
