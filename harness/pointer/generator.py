"""Random pointer programs: well-formed, and otherwise free to do anything.

Every statement of the language comes up. Sizes are small, offsets mostly lie within what a
pointer was made for, and memory is mostly initialised, so that programs get far enough to
break the rules of the borrow models rather than those of memory.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.pointer import program as p
from harness.pointer.choices import Choices
from harness.pointer.kinds import LocalArray
from harness.pointer.random_statements import more_statements
from harness.pointer.scope import Scope

if TYPE_CHECKING:
    import random
    from collections.abc import Mapping


def generate(
    source: random.Random, length: int, weights: Mapping[str, int] | None = None
) -> p.PointerProgram:
    """A well-formed program of about `length` statements, those in bodies not counted.

    source: where all choices come from; the same state gives the same program.
    weights: how often kinds of statements are tried, by the names in `random_statements.KINDS`.
    """
    choices = Choices(source=source, weights=weights or {})
    scope = Scope()
    statements: list[p.AnyStatement] = []
    while len(statements) < length:
        statements += more_statements(choices, scope, 0)
    result = _result(choices, scope, statements)
    return p.PointerProgram(statements=tuple(statements), result=result)


def _result(choices: Choices, scope: Scope, statements: list[p.AnyStatement]) -> str | None:
    """Sometimes a variable whose bytes are the result."""
    if not choices.chance(8) or any(map(_has_guard, statements)):
        return None
    fitting = choices.variables(scope, lambda k: isinstance(k, LocalArray))
    return choices.pick(fitting) if fitting else None


def _has_guard(statement: p.AnyStatement) -> bool:
    if isinstance(statement, p.Call):
        return any(map(_has_guard, statement.body))
    return isinstance(statement, p.Guard)
