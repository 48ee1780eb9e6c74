"""All mutants, and why some of them change no verdict."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from importlib.resources import files
from typing import Any

from harness.mutation.mutant import Edit, Mutant
from harness.mutation.tables import TABLES


def mutants() -> list[Mutant]:
    """Every mutant: the tables' entry by entry, then the rules' by hand."""
    return [*(mutant for table in TABLES.values() for mutant in table.mutants()), *_rules()]


def reasons() -> Mapping[str, str]:
    """By name, or by a glob of names, why the mutants of these names change no verdict."""
    return {
        name: " ".join(entry["why"].split())
        for entry in _table("reasons.toml")["reason"]
        for name in entry["mutants"]
    }


def matches(name: str, glob: str) -> bool:
    return fnmatchcase(name, glob)


def _rules() -> Iterator[Mutant]:
    for module, rules in _table("rules.toml").items():
        for name, (old, new) in rules.items():
            alteration = Edit(module=module, old=old, new=new)
            yield Mutant(name=name, subject=module, alteration=alteration)


def _table(file: str) -> dict[str, Any]:
    return tomllib.loads(files("harness.mutation").joinpath(file).read_text(encoding="utf-8"))
