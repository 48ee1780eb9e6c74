"""`harness list`: cases, variants or modes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from harness.cli.exit_code import ExitCode


def list_command(
    *paths: Path,
    what: Annotated[Literal["cases", "variants", "modes"], Parameter("--what")] = "cases",
) -> int:
    """List cases (default), variants or modes, one a line, with what each is about.

    Parameters
    ----------
    paths
        Case files, folders of them, or .jsonl sets (default: the corpus).
    what
        What to list.
    """
    if what == "modes":
        return _print_modes()
    if what == "variants":
        return _print_variants()
    return _print_cases(paths)


def _print_modes() -> int:
    from harness.mode import EVERY_MODE

    for mode in EVERY_MODE:
        print(mode)
    return ExitCode.AGREE


def _print_variants() -> int:
    from harness.lowering.variants import ON_DEMAND, VARIANTS

    every = VARIANTS | ON_DEMAND
    width = max(map(len, every))
    for name, variant in every.items():
        print(f"{name:{width}}  {variant.description}")
    return ExitCode.AGREE


def _print_cases(paths: tuple[Path, ...]) -> int:
    import sys

    from harness.cases.load import load
    from harness.lowering.variants import VARIANTS
    from harness.resources import corpus_dir

    loaded = load(paths or (corpus_dir(),), variants=VARIANTS)
    width = max((len(case.id) for case in loaded.cases), default=0)
    for case in loaded.cases:
        summary = " ".join(case.description.split())
        print(f"{case.id:{width}}  {summary}")
    for error in loaded.errors:
        print(f"harness: error: {error}", file=sys.stderr)
    return ExitCode.BAD_INPUT if loaded.errors else ExitCode.AGREE
