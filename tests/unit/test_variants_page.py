"""`docs/variants.md` has a section for each variant, in the order of the table."""

from __future__ import annotations

import re
from pathlib import Path

from harness import _native
from harness.lowering.variants import VARIANTS

PAGE = (Path(__file__).parents[2] / "docs" / "variants.md").read_text(encoding="utf-8")


def test_every_variant_has_its_section() -> None:
    assert re.findall(r"^## (.+)$", PAGE, re.MULTILINE) == list(VARIANTS)


def test_both_sides_have_the_same_variants() -> None:
    assert list(VARIANTS) == _native.variants()
