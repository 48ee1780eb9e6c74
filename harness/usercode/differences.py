"""What it means that the same program does one thing in one mode and another in the next."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from harness.mode import Aliasing, Mode, Provenance
from harness.outcome import (
    FaultKind,
    Outcome,
    Ran,
    TimedOut,
    ToolFailed,
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
    if stacked and not tree and _passes(outcomes, Aliasing.TREE, where=Aliasing.STACKED):
        yield (
            "Undefined under Stacked Borrows alone: Tree Borrows, the later model, gives a pointer "
            "its rights at its first use and lets this pass. Rust has settled on neither."
        )
    if tree and not stacked and _passes(outcomes, Aliasing.STACKED, where=Aliasing.TREE):
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
    if stacked or tree:
        broken = {mode.provenance for mode in outcomes if _is_broken(outcomes[mode])}
        none = [
            outcome
            for mode, outcome in outcomes.items()
            if mode.aliasing is Aliasing.NONE and mode.provenance in broken
        ]
        if none and all(isinstance(each, Ran) for each in none):
            yield (
                "Without a borrow model nothing is found: the memory is alive, large enough and "
                "aligned. It is about aliasing alone."
            )


def _passes(outcomes: Mapping[Mode, Outcome], aliasing: Aliasing, *, where: Aliasing) -> bool:
    """Whether runs under a model came past what another one, `where`, breaks off at.

    A run that a limit ended may not have come so far.
    """
    return any(
        _is_broken(outcomes[other])
        and not isinstance(outcome, TimedOut | ToolFailed)
        and not _is_broken(outcome)
        for mode, outcome in outcomes.items()
        if mode.aliasing is aliasing
        for other in outcomes
        if other.aliasing is where and other.provenance is mode.provenance
    )


def _is_broken(outcome: Outcome) -> bool:
    return isinstance(outcome, UndefinedBehaviour) and outcome.kind in _BORROWING


def _broken(outcomes: Mapping[Mode, Outcome], aliasing: Aliasing) -> bool:
    return any(
        _is_broken(outcome) for mode, outcome in outcomes.items() if mode.aliasing is aliasing
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
    # One mode alone says nothing of the models.
    if len(outcomes) == 1:
        return
    faults = [each for each in outcomes.values() if isinstance(each, UndefinedBehaviour)]
    if len(faults) == len(outcomes) and not any(map(_is_broken, faults)):
        # What is undefined there is so everywhere.
        is_everywhere = any(
            mode.aliasing is Aliasing.NONE and mode.provenance is Provenance.PERMISSIVE
            for mode in outcomes
        )
        yield "Undefined in every mode that was run" + (
            ": no borrow model and no reading of provenance makes it defined."
            if is_everywhere
            else "."
        )
    if not faults and _is_one_failure(list(outcomes.values())):
        models = {mode.aliasing for mode in outcomes}
        is_everywhere = models >= {Aliasing.STACKED, Aliasing.TREE, Aliasing.NONE}
        yield "The same in every mode that was run" + (
            ": it hangs on none of the models." if is_everywhere else "."
        )


def _is_one_failure(outcomes: Sequence[Outcome]) -> bool:
    """Whether all are the same, and not only ended by the same limit."""
    if any(isinstance(each, TimedOut | ToolFailed) for each in outcomes):
        return False
    seen = {
        (each.name, getattr(each, "kind", None), getattr(each, "location", None))
        for each in outcomes
    }
    return len(seen) == 1
