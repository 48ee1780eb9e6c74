"""What it means that the same program does one thing in one mode and another in the next."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from harness.mode import Aliasing, Mode, Provenance
from harness.outcome import (
    FaultKind,
    Outcome,
    Ran,
    UndefinedBehaviour,
    Unsupported,
    UnsupportedKind,
)

_BORROWING = (FaultKind.ALIASING, FaultKind.PROTECTOR)


def differences(outcomes: Mapping[Mode, Outcome]) -> Iterator[str]:
    """Sentences on what the modes show together, the most telling first.

    outcomes: of the modes that were run; where the seeds of one differ, one that fails.
    """
    if all(isinstance(outcome, Ran) for outcome in outcomes.values()):
        yield "No undefined behaviour was found in any of these modes."
        return
    yield from _on_aliasing(outcomes)
    yield from _on_provenance(outcomes)
    yield from _on_all(outcomes)


def _on_aliasing(outcomes: Mapping[Mode, Outcome]) -> Iterator[str]:
    found = {
        aliasing: _broken(outcomes, aliasing)
        for aliasing in Aliasing
        if any(mode.aliasing is aliasing for mode in outcomes)
    }
    stacked, tree = found.get(Aliasing.STACKED), found.get(Aliasing.TREE)
    if stacked and tree is False:
        yield (
            "Undefined under Stacked Borrows alone: Tree Borrows, the later model, gives a pointer "
            "its rights at its first use and lets this pass. Rust has settled on neither."
        )
    if tree and stacked is False:
        yield (
            "Undefined under Tree Borrows alone: Stacked Borrows lets this pass, most often since "
            "it spares raw pointers where their reference is only read over. Rust has settled on "
            "neither."
        )
    if stacked and tree:
        yield (
            "Undefined under both borrow models: a pointer is used after another one took its "
            "right, and the compiler may rely on that this does not happen."
        )
    if (stacked or tree) and found.get(Aliasing.NONE) is False:
        none = [each for mode, each in outcomes.items() if mode.aliasing is Aliasing.NONE]
        if all(isinstance(each, Ran) for each in none):
            yield (
                "Without a borrow model nothing is found: the memory is alive, large enough and "
                "aligned. It is about aliasing alone."
            )


def _broken(outcomes: Mapping[Mode, Outcome], aliasing: Aliasing) -> bool:
    return any(
        isinstance(outcome, UndefinedBehaviour) and outcome.kind in _BORROWING
        for mode, outcome in outcomes.items()
        if mode.aliasing is aliasing
    )


def _on_provenance(outcomes: Mapping[Mode, Outcome]) -> Iterator[str]:
    casts = [
        mode
        for mode, outcome in outcomes.items()
        if isinstance(outcome, Unsupported) and outcome.kind is UnsupportedKind.INT_TO_PTR
    ]
    if not casts:
        return
    lenient = [each for mode, each in outcomes.items() if mode.provenance is Provenance.PERMISSIVE]
    if not lenient:
        yield (
            "An integer becomes a pointer, which strict provenance has no way for: run the "
            "permissive modes too, to see what follows."
        )
    elif all(isinstance(each, Ran) for each in lenient):
        yield (
            "An integer becomes a pointer. With permissive provenance, where such a pointer may "
            "have the provenance of any that was exposed, nothing is found; with strict "
            "provenance there is no such cast. So it hangs on exposed provenance, as it says."
        )
    elif any(
        isinstance(each, UndefinedBehaviour) and each.kind is FaultKind.NO_PROVENANCE
        for each in lenient
    ):
        yield (
            "An integer becomes a pointer, and with permissive provenance too the pointer may not "
            "be used: nothing at that address was ever exposed."
        )


def _on_all(outcomes: Mapping[Mode, Outcome]) -> Iterator[str]:
    faults = [each for each in outcomes.values() if isinstance(each, UndefinedBehaviour)]
    if len(faults) == len(outcomes) and not any(each.kind in _BORROWING for each in faults):
        yield (
            "Undefined in every mode that was run: no borrow model and no reading of provenance "
            "makes it defined."
        )
    plain = {type(each) for each in outcomes.values()}
    if len(plain) == 1 and not faults:
        yield "The same in every mode that was run: it hangs on none of the models."
