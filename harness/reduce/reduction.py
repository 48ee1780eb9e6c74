"""Reductions: a case, the symptom that is chosen for it, and the search for a smaller one."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from harness.bytecode.program import Program
from harness.errors import HarnessFault, InputError
from harness.mode import EVERY_MODE, MODES
from harness.outcome import Trapped, UndefinedBehaviour
from harness.reduce.languages import BYTECODE, POINTER
from harness.reduce.search import Language, Search, Tally
from harness.reduce.sides import Sides, SymptomJudge
from harness.reduce.symptom import MISSES
from harness.result import EngineName, Form, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.campaign.selection import Selection
    from harness.mode import Mode
    from harness.outcome import Outcome
    from harness.pointer.program import PointerProgram
    from harness.reduce.symptom import Symptom

    AnyProgram = Program | PointerProgram


@dataclass(frozen=True, slots=True, kw_only=True)
class Reduced:
    """before, after: how many statements or instructions there were, and are."""

    program: AnyProgram
    before: int
    after: int
    tally: Tally


def language_of(program: AnyProgram) -> Language[Any, Any]:
    return BYTECODE if isinstance(program, Program) else POINTER


def choose_symptom(program: AnyProgram, sides: Sides, selection: Selection) -> Symptom:
    """The first way in which the program fails: a disagreement first, then undefined behaviour,
    then what Miri's wildcard misses, then what no engine can go on from.

    Of sides that agree, Miri's word comes before a mere prediction.

    Raises: InputError, if it fails in no way; HarnessFault, if the harness contradicts itself.
    """
    (seen,) = sides.look([program], selection, confirm=True)
    for result, _ in seen:
        if result.fault:
            raise HarnessFault(f"{result.run}: {result.reason}")
    found = [symptom for _, symptom in seen if symptom is not None]
    if not found:
        where = ", ".join(dict.fromkeys(str(result.run.engine) for result, _ in seen))
        raise InputError(
            None,
            f"it fails nowhere (looked at: {where or 'nothing'})",
            "name a mode, a variant or an engine in which it does, or another case",
        )
    return min(found, key=_order)


def _order(symptom: Symptom) -> tuple[bool, bool, bool, bool, bool, bool, int]:
    return (
        symptom.verdict is not Verdict.MISMATCH,
        symptom.seen.name == Trapped.name,
        symptom.seen.name != UndefinedBehaviour.name,
        symptom.verdict not in MISSES,
        symptom.engine is not EngineName.MIRI,
        # The Rust that a reproducer has is the unrolled one.
        symptom.form is Form.VM,
        len(EVERY_MODE) if symptom.mode is None else EVERY_MODE.index(symptom.mode),
    )


def reduce(
    program: AnyProgram,
    sides: Sides,
    symptom: Symptom,
    accept: Callable[[AnyProgram, str], None] = lambda program, step: None,
    *,
    start: AnyProgram | None = None,
) -> Reduced:
    """A smaller program with the same symptom.

    accept: told of every step. start: the last step of a reduction that was interrupted.
    """
    language = language_of(program)
    search = Search(language, SymptomJudge(sides, symptom), accept)
    reduced = search.reduce(program if start is None else start)
    return Reduced(
        program=reduced,
        before=language.size(program),
        after=language.size(reduced),
        tally=search.tally,
    )


def predictions(program: PointerProgram, sides: Sides) -> dict[Mode, Outcome]:
    """What the abstract machine says of a pointer program in every mode."""
    selection = replace(
        sides.campaign.selection, cases=None, engines=(EngineName.MODEL,), modes=MODES
    )
    (seen,) = sides.look([program], selection)
    return {
        result.run.mode: result.outcome
        for result, _ in seen
        if result.run.mode is not None and result.outcome is not None
    }
