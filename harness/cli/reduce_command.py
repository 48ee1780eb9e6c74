"""`harness reduce`: a failing case made smaller, so that it fails in the same way."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from harness.cli.exit_code import ExitCode
from harness.errors import InputError
from harness.result import EngineName

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.cases.case import Case
    from harness.engines.own_crate import OwnCrate
    from harness.reduce.reduction import Reduced
    from harness.reduce.sides import Sides
    from harness.reduce.symptom import Symptom


def reduce_command(
    case: str,
    *,
    variant: Annotated[list[str] | None, Parameter("--variant")] = None,
    mode: Annotated[list[str] | None, Parameter("--mode")] = None,
    form: Annotated[list[str] | None, Parameter("--form")] = None,
    engine: Annotated[list[str] | None, Parameter("--engine")] = None,
    level: Annotated[int | None, Parameter("--level")] = None,
    toolchain: Annotated[str | None, Parameter("--toolchain")] = None,
    in_: Annotated[list[Path] | None, Parameter("--in")] = None,
    steps: Annotated[Path | None, Parameter("--steps")] = None,
    output: Annotated[Path | None, Parameter(["-o", "--output"])] = None,
    jobs: Annotated[int | None, Parameter(["-j", "--jobs"])] = None,
) -> int:
    """Make a failing case smaller, so that it still fails in the same way.

    The same way: the same engine sees the same class and kind, the same is predicted by the
    same rule. A disagreement is reduced before undefined behaviour that all agree on. What was
    accepted stands in the folder of steps; the same command goes on from there.

    Exit codes: 0 it is reduced; 2 bad input, or nothing fails; 3 an engine that was asked for
    by name is missing; 4 a fault of the harness itself.

    Parameters
    ----------
    case
        A case file, or the name of a case. Of a finding of `harness fuzz` the run that disagreed
        is reduced, unless options name another.
    variant
        How bytecode touches its memory, or the path of a crate with a variant of your own;
        repeatable (default: all of the table, of which the first that fails is taken).
    mode
        Only in this mode, such as tree-strict; repeatable.
    form
        Only in this form: vm or unrolled; repeatable.
    engine
        Only what this engine sees: model, in-process, native, const or miri (default: the model,
        and Miri where it is here; of a variant of your own compiled code, too); repeatable.
    level
        At which compiled code is optimised, 0 to 3 (default: that of a release).
    toolchain
        rustup's name of the toolchain with Miri (default: $HARNESS_MIRI_TOOLCHAIN, or nightly).
    in_
        Case files, folders or .jsonl sets in which the name is looked for; repeatable.
    steps
        The folder of the accepted steps (default: NAME.steps here).
    output
        The file for the reduced case (default: NAME.reduced.toml here); a file of that name is
        replaced.
    jobs
        Processes at once (default: one for each processor).
    """
    from harness.cli.reducing import Asked, as_found, gather
    from harness.explain.choice import find_program
    from harness.reduce.journal import Journal
    from harness.reduce.reduction import choose_symptom, reduce
    from harness.report.report_file import ReportFile

    found = find_program(case, in_ or ())
    name = found.id.rsplit("/", 1)[-1]
    written = ReportFile(option="--output", path=output or Path(f"{name}.reduced.toml"))
    asked = Asked(
        variants=variant or (),
        modes=mode or (),
        forms=form or (),
        engines=engine or (),
        level=level,
    )
    gathered = gather(found, as_found(found, asked), toolchain=toolchain, jobs=jobs)
    sides = gathered.sides
    try:
        symptom = choose_symptom(found.program, sides, gathered.selection)
    except InputError as error:
        raise InputError(found.place, error.message, error.remedy) from None
    print(f"{found.id}: {symptom}")
    journal = Journal(folder=steps or Path(f"{name}.steps"), original=found.id, symptom=symptom)
    start = journal.last(found.program)
    journal.begin(found.program)
    reduced = reduce(found.program, sides, symptom, journal.add, start=start)
    written.write(_text(found, reduced, sides, symptom).encode())
    tally, what = reduced.tally, "instructions" if found.kind == "bytecode" else "statements"
    print(f"from {reduced.before} {what} to {reduced.after}")
    print(
        f"{tally.tries} tries, {tally.ruled_out} of them ruled out by the model alone, "
        f"{tally.batches} batches; {tally.accepted} steps in {journal.folder}"
    )
    print(f"wrote {written.path}")
    if symptom.engine is not EngineName.CONST:
        options = _repro_options(symptom, gathered.own)
        print(shlex.join(("harness", "repro", str(written.path), *options)))
    return ExitCode.AGREE


def _repro_options(symptom: Symptom, own: Sequence[OwnCrate]) -> Iterator[str]:
    """What names the same run of the reduced case."""
    from harness.campaign.own_variants import paths_of

    # With a slash it is a path, whatever it is called.
    paths = {n: str(p) if "/" in str(p) else f"./{p}" for n, p in paths_of(own).items()}
    for option, value in symptom.options(paths).items():
        # A prediction runs nothing; Miri does, where it is here.
        if value != EngineName.MODEL:
            yield from (option, value)


def _text(case: Case, reduced: Reduced, sides: Sides, symptom: Symptom) -> str:
    """The reduced case; where the sides agree, with what is predicted as its expectations."""
    from harness.bytecode.program import Program
    from harness.cases.write import pointer_case_text
    from harness.reduce.journal import case_text
    from harness.reduce.reduction import predictions
    from harness.result import Verdict

    description = f"Reduced from {case.id}: {symptom}."
    rule, program = symptom.rule or "", reduced.program
    if isinstance(program, Program):
        return case_text(program, description=description, source=case.source, rule=rule)
    if symptom.verdict is Verdict.MISMATCH:
        remark = "The sides disagree: find out which is wrong before you state what must come."
        return case_text(
            program,
            description=description,
            source=case.source,
            rule=rule,
            remarks=(remark,),
        )
    return pointer_case_text(
        program,
        description=description,
        source=case.source or "harness reduce",
        rule=rule,
        expected=predictions(program, sides),
    )
