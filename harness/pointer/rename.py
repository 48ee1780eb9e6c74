"""Renaming of a pointer program's variables, by the fields that name one."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from msgspec.structs import fields, replace

from harness.pointer import program as p

if TYPE_CHECKING:
    from collections.abc import Mapping

    from msgspec import Struct

Named = TypeVar("Named", p.Statement, p.Argument, p.Return)

_NO_VARIABLES = frozenset(("init", "operator", "comparison", "trap", "operand", "as_"))
"""Fields whose text is no variable's name."""


def renamed(statement: p.AnyStatement, names: Mapping[str, str]) -> p.AnyStatement:
    """The statement with other names, in the bodies of calls too. names: new ones by old ones."""
    if isinstance(statement, p.Call):
        return p.Call(
            args=tuple(_renamed(each, names) for each in statement.args),
            body=tuple(renamed(each, names) for each in statement.body),
            returns=tuple(_renamed(each, names) for each in statement.returns),
        )
    # mypy loses which statement it was.
    return _renamed(statement, names)  # type: ignore[return-value]


def renamed_program(program: p.PointerProgram, names: Mapping[str, str]) -> p.PointerProgram:
    """The program with other names. names: new ones by old ones."""
    result = program.result
    return p.PointerProgram(
        statements=tuple(renamed(each, names) for each in program.statements),
        result=None if result is None else names.get(result, result),
    )


def variable_fields(part: Struct) -> tuple[str, ...]:
    """The fields that hold the name of a variable in this statement, argument or return."""
    return tuple(
        field.name
        for field in fields(part)
        if field.name not in _NO_VARIABLES and isinstance(getattr(part, field.name), str)
    )


def _renamed(part: Named, names: Mapping[str, str]) -> Named:
    changes = {
        name: names[old] for name in variable_fields(part) if (old := getattr(part, name)) in names
    }
    return replace(part, **changes) if changes else part
