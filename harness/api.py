"""The typed API under the command line: cases and programs in, verdicts out, as values.

>>> import harness
>>> program = harness.program("const.u16 2 -> [2]", memory=bytes(4))
>>> harness.run_reference(program).memory
b'\\x00\\x00\\x02\\x00'
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from harness.bytecode.assembly import parse
from harness.bytecode.program import Program
from harness.campaign.assemble import assemble
from harness.campaign.selection import Selection
from harness.cases.case import BytecodeCase, Case
from harness.cases.load import load as load_cases
from harness.errors import HarnessError, HarnessFault, InputError, MissingTool
from harness.mode import MODES, Mode, parse_mode
from harness.outcome import Outcome, Ran, Trapped
from harness.reference.vm import run as run_reference
from harness.result import EngineName, Evidence, Form, Result, Run, Verdict
from harness.toolchain.environment import processors
from harness.toolchain.miri import toolchain_name

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "MODES",
    "BytecodeCase",
    "Case",
    "EngineName",
    "Evidence",
    "Form",
    "HarnessError",
    "HarnessFault",
    "InputError",
    "MissingTool",
    "Mode",
    "Outcome",
    "Program",
    "Ran",
    "Result",
    "Run",
    "Trapped",
    "Verdict",
    "check",
    "load",
    "parse_mode",
    "program",
    "run_reference",
]


def load(path: Path | str) -> tuple[Case, ...]:
    """The cases of a file or folder.

    Raises: InputError, for the first file that is malformed.
    """
    loaded = load_cases((path,))
    if loaded.errors:
        raise loaded.errors[0]
    return loaded.cases


def program(assembly: str, *, memory: bytes) -> Program:
    """The bytecode program that `assembly` writes out.

    memory: its initial bytes. Raises: InputError, with line and column in `assembly`.
    """
    return Program(instructions=parse(assembly), memory=memory)


def check(
    cases: Case | Iterable[Case],
    *,
    variants: Iterable[str] | None = None,
    modes: Iterable[Mode | str] = MODES,
    forms: Iterable[Form] = tuple(Form),
    engines: Iterable[EngineName | str] | None = None,
    toolchain: str | None = None,
    live: bool = False,
) -> Iterator[Result]:
    """Run cases and yield each result, with its verdict, as soon as it is there.

    variants, engines: None for all there are; an engine named here must not be missing.
    toolchain: rustup's name of the toolchain with Miri; None for the environment's choice.
    live: whether everything has to run now, and no recorded outcome will do.

    Raises: MissingTool; ValueError for a mode or engine that does not exist.
    """
    selection = Selection(
        variants=None if variants is None else tuple(variants),
        modes=tuple(parse_mode(mode) if isinstance(mode, str) else mode for mode in modes),
        forms=tuple(forms),
        engines=None if engines is None else tuple(EngineName(engine) for engine in engines),
        toolchain=toolchain_name(toolchain),
        live=live,
        jobs=processors(),
    )
    chosen = (cases,) if isinstance(cases, Case) else tuple(cases)
    setup = assemble(chosen, selection)
    for engine, missing in setup.missing().items():
        if selection.insists_on(engine):
            raise missing.error()
    yield from setup.campaign.results()
