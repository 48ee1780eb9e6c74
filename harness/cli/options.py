"""What several commands take from the command line, checked into values of the domain."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from harness.errors import InputError
from harness.mode import EVERY_MODE, MODES, Mode

if TYPE_CHECKING:
    from harness.campaign.selection import Shard
    from harness.result import Form

Choice = TypeVar("Choice", bound=StrEnum)
Number = TypeVar("Number", int, float)


def read_modes(names: Iterable[str] | None) -> tuple[Mode, ...]:
    """The modes that `names` stand for; `all` and nothing at all are the six of every Miri.

    Raises: InputError.
    """
    found: dict[Mode, None] = {}
    for name in names or ("all",):
        wanted = MODES if name == "all" else [mode for mode in EVERY_MODE if str(mode) == name]
        if not wanted:
            known = ", ".join(["all", *map(str, EVERY_MODE)])
            raise InputError(None, f"--mode: there is no mode {name!r}", f"the modes are {known}")
        found |= dict.fromkeys(wanted)
    return tuple(found)


def read_variants(names: Iterable[str] | None) -> tuple[str, ...]:
    """The variants that `names` stand for, or all there are. Raises: InputError."""
    from harness.lowering.variants import VARIANTS

    for name in names or ():
        if name not in VARIANTS:
            known = ", ".join(VARIANTS)
            raise InputError(
                None, f"--variant: there is no variant {name!r}", f"the variants are {known}"
            )
    return tuple(dict.fromkeys(names or VARIANTS))


@dataclass(frozen=True, slots=True, kw_only=True)
class VariantChoice:
    """Which variants are to run: those of the table, those had on demand, paths of the user's.

    table: None for all of it, where nothing was named.
    """

    table: tuple[str, ...] | None
    on_demand: tuple[str, ...] = ()
    paths: tuple[Path, ...] = ()


def choose_variants(words: Iterable[str] | None) -> VariantChoice:
    """The variants that `words` name.

    A word that is a variant's name is none of a path, whatever lies there. Raises: InputError.
    """
    from harness.lowering.variants import ON_DEMAND, VARIANTS

    given = list(dict.fromkeys(words or ()))
    on_demand = [word for word in given if word in ON_DEMAND]
    others = [word for word in given if word not in ON_DEMAND]
    paths = [word for word in others if word not in VARIANTS and _is_path(word)]
    names = [word for word in others if word not in paths]
    return VariantChoice(
        table=(read_variants(names) if names else ()) if given else None,
        on_demand=tuple(on_demand),
        paths=tuple(map(Path, paths)),
    )


def _is_path(word: str) -> bool:
    return "/" in word or word.endswith(".rs") or os.path.lexists(word)


def read_choices(
    option: str, kind: type[Choice], names: Iterable[str] | None
) -> tuple[Choice, ...] | None:
    """The members of `kind` that `names` stand for; None for no names. Raises: InputError."""
    if not names:
        return None
    for name in names:
        if name not in set(kind):
            known = ", ".join(kind)
            raise InputError(None, f"{option}: there is no {name!r}", f"there are {known}")
    return tuple(dict.fromkeys(kind(name) for name in names))


def require_forms(variants: Iterable[str], forms: Iterable[Form]) -> None:
    """Each of the variants has one of the forms. Raises: InputError."""
    from harness.lowering.variants import VARIANTS

    for name in variants:
        if not set(forms) & set(VARIANTS[name].forms):
            known = ", ".join(VARIANTS[name].forms)
            message = f"--form: the variant {name} has the form {known} alone"
            raise InputError(None, message, "leave --form out, or name another variant")


def read_shard(text: str | None) -> Shard:
    """The part `I/N` of the cases, counted from 1. Raises: InputError."""
    from harness.campaign.selection import WHOLE, Shard

    if text is None:
        return WHOLE
    index, slash, total = text.partition("/")
    if slash and index.isdecimal() and total.isdecimal() and 1 <= int(index) <= int(total):
        return Shard(index=int(index), total=int(total))
    raise InputError(
        None, f"--shard: {text!r} is no part of a whole", "write I/N with 1 ≤ I ≤ N, such as 1/4"
    )


def read_limit(option: str, limit: Number) -> Number:
    """The limit, if it lets anything run. Raises: InputError."""
    if not 0 < limit < 1 << 40:
        raise InputError(None, f"{option}: nothing can run with {limit}", "write 1 or more")
    return limit


def read_level(level: int | None) -> int | None:
    """The level of optimisation, if there is such a one. Raises: InputError."""
    if level is not None and level not in range(4):
        raise InputError(None, f"--level: there is no level {level}", "write 0, 1, 2 or 3")
    return level


def read_jobs(jobs: int | None) -> int:
    """The number of processes at once; as many as there are processors by default.

    Raises: InputError.
    """
    from harness.toolchain.environment import processors

    if jobs is None:
        return processors()
    if jobs < 1:
        raise InputError(None, f"-j: {jobs} processes do nothing", "write -j 1 or more")
    return jobs
