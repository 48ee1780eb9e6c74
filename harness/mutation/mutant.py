"""Mutants as data: the abstract machine with one rule altered."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """One entry of a table, which is a function over few values.

    table: its name, see `tables.TABLES`. arguments: in words. result: what the function gives
    for them instead, as an expression, see `tables.Table`.
    """

    table: str
    arguments: str
    result: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """A piece of a module's source, which occurs there once, replaced.

    module: below `harness.model.`, such as `statements.calls`.
    """

    module: str
    old: str
    new: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """name: unique. subject: the row of the score that it counts in."""

    name: str
    subject: str
    alteration: Override | Edit
