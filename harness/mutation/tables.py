"""The tables: functions over few values, each entry of which is given every other result."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import product
from typing import TYPE_CHECKING, Any

from harness.model import permissions, stack, stacked_borrows, tree_borrows
from harness.model.borrows import Access, Protector, Referrer, Retag
from harness.model.permissions import Permission, Relation
from harness.mutation.mutant import Mutant, Override

if TYPE_CHECKING:
    from harness.mutation.altered_model import Decorator


RETAGS: Mapping[str, Retag] = {
    "&mut": Retag(referrer=Referrer.MUT),
    "two-phase &mut": Retag(referrer=Referrer.MUT, two_phase=True),
    "argument &mut": Retag(referrer=Referrer.MUT, function_entry=True),
    "argument &mut not written": Retag(referrer=Referrer.MUT, function_entry=True, may_write=False),
    "Box": Retag(referrer=Referrer.BOX),
    "argument Box": Retag(referrer=Referrer.BOX, function_entry=True),
    "argument Box not written": Retag(referrer=Referrer.BOX, function_entry=True, may_write=False),
    "&": Retag(referrer=Referrer.SHARED),
    "argument &": Retag(referrer=Referrer.SHARED, function_entry=True),
    "*mut": Retag(referrer=Referrer.RAW_MUT),
    "*const": Retag(referrer=Referrer.RAW_CONST),
}
"""The retags that statements come to, whatever their interior."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A function over few values.

    name: with its module. arguments: of each entry, by name. words: for arguments.
    results: by words, all that there are, as expressions in the names of the module and
    `result`, what there is without the alteration.
    """

    name: str
    function: Callable[..., object]
    arguments: tuple[Mapping[str, Any], ...]
    words: Callable[..., str]
    results: Mapping[str, str]

    def mutants(self) -> Iterator[Mutant]:
        """Each entry with each other result."""
        module, _, function = self.name.rpartition(".")
        names = vars(sys.modules[f"harness.model.{module.partition('.')[0]}"])
        for arguments in self.arguments:
            words = self.words(**arguments)
            actual = self.function(**arguments)
            for result, expression in self.results.items():
                if eval(expression, names, {"result": actual}) != actual:
                    yield Mutant(
                        name=f"{function}({words}) = {result}",
                        subject=function,
                        alteration=Override(table=self.name, arguments=words, result=expression),
                    )


def override(alteration: Override) -> Decorator:
    """What gives a table's function another result for one entry."""
    words = cache(TABLES[alteration.table].words)

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        names = function.__globals__

        def altered(*arguments: Any, **named: Any) -> Any:
            result = function(*arguments, **named)
            if words(*arguments, **named) == alteration.arguments:
                result = eval(alteration.result, names, {"result": result})
            return result

        return altered

    return decorate


# Which entries a run looks up

Entry = tuple[str, str]
"""The table's name, and the arguments in words."""

THOROUGH: Mapping[str, Decorator] = {
    "permissions.is_lost": lambda is_lost: lambda state, access: False,
    "permissions.minds": lambda minds: lambda state, access, protected: True,
    "tree.Location.settle": lambda settle: lambda location, node, access: None,
}
"""Takes away the devices that spare visits to nodes, which rest on the rules as they are."""


def noting(found: set[Entry]) -> Mapping[str, Decorator]:
    """What adds the entries that a run looks up to `found`.

    The transitions of Tree Borrows are looked up in tables that are made once, by `_table`.
    """

    def called(table: Table) -> Decorator:
        words = cache(table.words)

        def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
            def noted(*arguments: Any, **named: Any) -> Any:
                found.add((table.name, words(*arguments, **named)))
                return function(*arguments, **named)

            return noted

        return decorate

    def tabulated(function: Callable[..., Any]) -> Callable[..., Any]:
        def noted(access: Access, relation: Relation, protected: bool) -> Any:
            rule = (
                f"permissions.{'foreign' if relation else 'child'}_{'write' if access else 'read'}"
            )
            entries = [(rule, _at_a_node(p, protected)) for p in permissions.PERMISSION]
            return _Noting(function(access, relation, protected), entries, found)

        return noted

    direct = [table for table in TABLES.values() if table.name not in TRANSITIONS]
    return {
        **THOROUGH,
        **{table.name: called(table) for table in direct},
        "permissions._table": tabulated,
    }


class _Noting(tuple[int, ...]):
    """A row of a table that notes the entries that are looked up in it."""

    def __new__(cls, row: Iterable[int], *_: object) -> _Noting:
        return super().__new__(cls, row)

    def __init__(self, row: Iterable[int], entries: list[Entry], found: set[Entry]) -> None:
        self._entries = entries
        self._found = found

    def __getitem__(self, code: Any) -> Any:
        self._found.add(self._entries[code])
        return super().__getitem__(code)


# Tree Borrows


def _at_a_node(permission: Permission, protected: bool) -> str:
    return f"{permission}, {'protected' if protected else 'unprotected'}"


def _retag_words(retag: Retag) -> str:
    return next(
        words
        for words, each in RETAGS.items()
        if (retag.referrer.value, retag.function_entry, retag.two_phase, retag.may_write)
        == (each.referrer.value, each.function_entry, each.two_phase, each.may_write)
    )


def _initial_words(retag: Retag, *, frozen: bool, outside: bool, implicit_writes: bool) -> str:
    words = [_retag_words(retag)]
    words += [] if frozen else ["in a cell"]
    words += ["outside"] if outside else []
    if implicit_writes and retag.function_entry and retag.referrer.name != "SHARED":
        words += ["implicit writes"]
    return ", ".join(words)


_PERMISSIONS = {str(each): f"Permission.{each.name}" for each in Permission}

_TRANSITIONS = tuple(
    Table(
        name=f"permissions.{rule.__name__}",
        function=rule,
        arguments=tuple(
            {"permission": permission, "protected": protected}
            for permission, protected in product(Permission, (False, True))
        ),
        words=_at_a_node,
        results={**_PERMISSIONS, "undefined behaviour": "None"},
    )
    for rule in (
        permissions.child_read,
        permissions.child_write,
        permissions.foreign_read,
        permissions.foreign_write,
    )
)

TRANSITIONS = frozenset(table.name for table in _TRANSITIONS)

_ACCESSES = {"no access": "None", **{str(each): f"Access.{each.name}" for each in Access}}

_RELEASE = Table(
    name="permissions.release_access",
    function=permissions.release_access,
    arguments=tuple({"permission": permission} for permission in Permission),
    words=lambda permission: f"{permission}",
    results=_ACCESSES,
)

_INITIAL = Table(
    name="tree_borrows.initial_permission",
    function=tree_borrows.initial_permission,
    arguments=tuple(
        {"retag": retag, "frozen": frozen, "outside": outside, "implicit_writes": implicit_writes}
        for retag, frozen, outside, implicit_writes in product(
            RETAGS.values(), (True, False), (False, True), (False, True)
        )
        if retag.referrer not in (Referrer.RAW_MUT, Referrer.RAW_CONST)
        and not (
            implicit_writes and (not retag.function_entry or retag.referrer is Referrer.SHARED)
        )
    ),
    words=_initial_words,
    results=_PERMISSIONS,
)


# Stacked Borrows


_GRANT = Table(
    name="stacked_borrows.grant_of",
    function=stacked_borrows.grant_of,
    arguments=tuple(
        {"retag": retag, "frozen": frozen}
        for retag, frozen in product(RETAGS.values(), (True, False))
    ),
    words=lambda retag, frozen: _retag_words(retag) + ("" if frozen else ", in a cell"),
    results={
        **{
            str(each): f"result._replace(permission=Permission.{each.name})"
            for each in stack.Permission
            if each is not stack.Permission.DISABLED
        },
        **{
            words: f"result._replace(access={expression})"
            for words, expression in _ACCESSES.items()
        },
        "unprotected": "result._replace(protector=None)",
        **{str(each): f"result._replace(protector=Protector.{each.name})" for each in Protector},
    },
)

_GRANTS = Table(
    name="stack.Permission.grants",
    function=stack.Permission.grants,
    arguments=tuple(
        {"self": permission, "access": access}
        for permission, access in product(stack.Permission, Access)
    ),
    words=lambda self, access: f"{self}, {access}",
    results={"allowed": "True", "forbidden": "False"},
)

TABLES: Mapping[str, Table] = {
    table.name: table for table in (*_TRANSITIONS, _RELEASE, _INITIAL, _GRANT, _GRANTS)
}
"""By name, every function of the abstract machine that is altered entry by entry."""
