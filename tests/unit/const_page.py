"""The lines of `docs/const.md`, by its sections' titles."""

from __future__ import annotations

import re
from pathlib import Path

from harness.cases.load import load
from harness.cases.pointer_case import PointerCase
from harness.resources import corpus_dir

PAGE = (Path(__file__).parents[2] / "docs" / "const.md").read_text(encoding="utf-8")

CHECKED = "What it checks as Miri does"
ONLY_MIRI = "What only Miri does"
REFUSED = "What a constant cannot say"


def lines(title: str) -> list[list[str]]:
    """The rows of the section that name a case, without what they say of it in words."""
    section = PAGE.partition(f"## {title}\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| .+ \| `(pointer/[a-z0-9/-]+)` \| (.+) \|$", section, re.MULTILINE)
    return [[case, *rest.split(" | ")] for case, rest in rows]


def case_of(name: str) -> PointerCase:
    """The case, which there has to be."""
    (case,) = load((corpus_dir() / f"{name}.toml",)).cases
    assert isinstance(case, PointerCase)
    return case
