"""`python -m harness.mutation`: prints the score of the mutation check."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

from cyclopts import App, CycloptsError, Parameter
from rich.console import Console

from harness.cli.exit_code import ExitCode
from harness.errors import HarnessFault, InputError
from harness.mutation.catalogue import matches, mutants, reasons
from harness.mutation.check import check
from harness.mutation.score import Score, print_reasons, print_score
from harness.mutation.trials import case_trials, other_trials
from harness.resources import corpus_dir

app = App(name="python -m harness.mutation", help_format="plaintext")


@app.default
def mutation_command(
    *names: str,
    sets: Path = Path("tests/data/miri-verdicts"),
    random: int = 3000,
    jobs: Annotated[int | None, Parameter(["-j", "--jobs"])] = None,
    verbose: Annotated[bool, Parameter(["-v", "--verbose"], negative=())] = False,
) -> int:
    """Alter each rule of the abstract machine in turn: does a pointer case object?

    Exit codes: 0 every mutant that changes a verdict is caught, and of each other one it is
    known why it changes none; 1 it is not so; 2 bad usage; 4 a fault of the harness itself.

    Parameters
    ----------
    names
        Only mutants whose name or subject is one of these, or matches one as a glob.
    sets
        The folder of the recorded sets, which measure whether a mutant changes a verdict.
    random
        How many random programs measure it besides.
    jobs
        Processes at once (default: one for each processor).
    verbose
        Also list the mutants that change no verdict, with the reason.
    """
    every = mutants()
    chosen = [
        mutant
        for mutant in every
        if not names or any(name == mutant.subject or matches(mutant.name, name) for name in names)
    ]
    if not chosen:
        return _bad_usage(
            f"no mutant is called {' or '.join(names)}\n"
            "  a name is a row of the score, such as child_read, or a glob, such as '*Frozen*'"
        )
    if not list(sets.glob("*.jsonl.xz")):
        return _bad_usage(f"no recorded sets in {sets}\n  --sets says where they are")
    score = Score(
        findings=check(
            chosen,
            [*case_trials(corpus_dir()), *other_trials(sets, random)],
            jobs=jobs or os.cpu_count() or 1,
            progress=_progress if sys.stderr.isatty() else None,
        ),
        names={mutant.name for mutant in every},
        reasons=reasons(),
    )
    console = Console()
    print_score(console, score)
    if verbose:
        print_reasons(console, score)
    return ExitCode.AGREE if score.passed else ExitCode.MISMATCH


def _bad_usage(what: str) -> int:
    print(f"harness: error: {what}", file=sys.stderr)
    return ExitCode.BAD_INPUT


def _progress(done: int, total: int) -> None:
    print(f"\r{done} of {total}", end="\n" if done == total else "", file=sys.stderr, flush=True)


def main() -> int:
    """The exit code. Prints what is wrong instead of a traceback."""
    try:
        code = app(sys.argv[1:], exit_on_error=False, result_action="return_value")
    except CycloptsError:
        return ExitCode.BAD_INPUT
    except InputError as error:
        return _bad_usage(str(error))
    except HarnessFault as fault:
        print(f"harness: a fault of the harness itself: {fault}", file=sys.stderr)
        return ExitCode.FAULT
    return code if isinstance(code, int) else ExitCode.AGREE


if __name__ == "__main__":
    sys.exit(main())
