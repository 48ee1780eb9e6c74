"""How the abstract machine's time grows with a program's length.

Judges programs of 1,000, 10,000 and 100,000 statements in four families, and prints the
seconds with the factor over the row before; ten times the statements should cost about ten
times the time. Run it from a checkout: `python benches/model_growth.py [LENGTH…]`.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator

from harness.mode import MODES, Mode
from harness.model.machine import judge
from harness.outcome import Ran
from harness.pointer import program as p

LENGTHS = (1_000, 10_000, 100_000)


def reuse(length: int) -> Iterator[p.AnyStatement]:
    """A few pointers used over and over: the number of live tags is bounded."""
    yield p.Local(to="x", size=16, init=0)
    yield p.RawMut(to="p", of="x")
    yield p.RefMut(to="m", of="p", at=8, size=8)
    yield p.RefMut(to="n", of="m", at=4, size=4)
    yield p.RefShared(to="s", of="p", at=0, size=4)
    yield p.RefShared(to="t", of="s")
    turn = (
        p.Read(ptr="t", at=1, width=1),
        p.Write(ptr="n", at=0, width=1, value=7),
        p.Read(ptr="s", at=0, width=2),
        p.Write(ptr="p", at=4, width=4, value=9),
        p.Read(ptr="p", at=0, width=4),
        p.Write(ptr="m", at=0, width=1, value=1),
    )
    for index in range(length - 6):
        yield turn[index % len(turn)]


def chain(length: int) -> Iterator[p.AnyStatement]:
    """Each reborrows the one before and writes through it: a chain as deep as the program."""
    yield p.Heap(to="m0", size=8)
    for index in range(1, length // 2 + 1):
        yield p.RefMut(to=f"m{index}", of=f"m{index - 1}")
        yield p.Write(ptr=f"m{index}", at=index % 8, width=1, value=index % 256)


def siblings(length: int) -> Iterator[p.AnyStatement]:
    """Ever more pointers from one, all of them live; an old and a new one are used each time."""
    yield p.Local(to="x", size=8, init=0)
    for index in range(length // 3):
        yield p.RefShared(to=f"s{index}", of="x")
        yield p.Read(ptr=f"s{index}", at=index % 8, width=1)
        yield p.Read(ptr=f"s{index // 2}", at=0, width=1)


def cells(length: int) -> Iterator[p.AnyStatement]:
    """Cells of their own for each byte, set and got one after the other."""
    yield p.Local(to="x", size=64, init=0)
    yield p.RefMut(to="m", of="x")
    yield p.RefCell(to="c", of="m")
    for index in range(length // 2 - 1):
        yield p.Write(ptr="c", at=index % 64, width=1, value=index % 256)
        yield p.Read(ptr="c", at=index * 7 % 64, width=1)


Family = Callable[[int], Iterator[p.AnyStatement]]

FAMILIES: tuple[Family, ...] = (reuse, chain, siblings, cells)


def seconds(family: Family, length: int, mode: Mode) -> float:
    """The processor time that judging a program of the family takes."""
    program = p.PointerProgram(statements=tuple(family(length)))
    started = time.process_time()
    outcome = judge(program, mode)
    taken = time.process_time() - started
    if not isinstance(outcome, Ran):
        raise SystemExit(f"{family.__name__}, {length} statements: {outcome}")
    return taken


def main() -> None:
    """Print the table."""
    lengths = tuple(map(int, sys.argv[1:])) or LENGTHS
    print(f"{'family':10}{'mode':20}" + "".join(f"{length:>20,}" for length in lengths))
    for family in FAMILIES:
        for mode in MODES[::2]:
            cells, before = "", None
            for length in lengths:
                taken = seconds(family, length, mode)
                factor = f" (x{taken / before:.1f})" if before else ""
                cells += f"{f'{taken:.2f} s{factor}':>20}"
                before = taken
            print(f"{family.__name__:10}{mode!s:20}{cells}", flush=True)


if __name__ == "__main__":
    main()
