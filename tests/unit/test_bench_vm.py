"""What soundness costs: which programs count, how numbers become costs, and the picture."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree

import pytest

from harness.bench.vm import BASELINE, LEAST_STEPS, Measured, costs, noise, worth_measuring
from harness.bench.vm_plot import plot
from harness.cases.load import load
from harness.lowering.variants import VARIANTS
from harness.outcome import Ran
from harness.reference import vm as reference_vm
from harness.resources import corpus_dir


def measured(variant: str, case: str, *nanoseconds: float) -> Measured:
    return Measured(variant=variant, case=case, steps=99, nanoseconds=nanoseconds)


def test_programs_that_come_to_their_end_after_many_instructions_are_measured() -> None:
    cases = worth_measuring(load((corpus_dir(),), variants=VARIANTS).cases)
    assert len(cases) > 5
    for case in cases:
        outcome = reference_vm.run(case.program)
        assert isinstance(outcome, Ran)
        assert (outcome.steps or 0) >= LEAST_STEPS


def test_a_cost_is_the_mean_of_ratios_over_the_programs_that_are_shared() -> None:
    rows = [
        measured(BASELINE, "a", 8.0, 9.0),
        measured(BASELINE, "b", 4.0),
        measured("raw", "a", 3.0, 2.0),
        measured("raw", "b", 4.0),
        # Nothing to hold it against.
        measured("raw", "c", 1.0),
        measured("reborrow", "c", 1.0),
    ]
    base, raw = costs(rows, [("raw", "d")], (BASELINE, "raw", "reborrow"))
    assert (base.ratio, base.least, base.most, base.wrong) == (1.0, 1.0, 1.0, ())
    assert raw.ratio == pytest.approx(0.5)
    assert (raw.least, raw.most, raw.programs, raw.wrong) == (0.25, 1.0, 2, ("d",))
    assert raw.nanoseconds == pytest.approx(8**0.5)


def test_noise_is_how_far_the_baselines_rounds_are_from_its_best() -> None:
    rows = [measured(BASELINE, "a", 10.0, 11.0, 12.0), measured("raw", "a", 1.0, 99.0)]
    assert noise(rows) == pytest.approx(0.1)


def test_the_picture_is_one_file_with_a_bar_for_each_variant() -> None:
    rows = [measured(name, "a", 2.0 + number) for number, name in enumerate(VARIANTS)]
    found = costs(rows, [], tuple(VARIANTS))
    data = plot(found, "9 programs <& more>")
    root = ElementTree.fromstring(data)
    namespace = "{http://www.w3.org/2000/svg}"
    assert len(root.findall(f"{namespace}g")) == len(VARIANTS)
    shown = {text.text for text in root.iter(f"{namespace}text")}
    assert set(VARIANTS) <= shown
    assert "9 programs <& more>; red: not sound" in shown
    assert b"href" not in data
    x = {
        "".join(text.itertext()): float(text.attrib["x"]) for text in root.iter(f"{namespace}text")
    }
    assert x["0"] < x["0.5"] < x["1"] < x["1.5"]
