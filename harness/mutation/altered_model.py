"""Copies of the abstract machine that can be altered.

A copy executes all modules of `harness.model` anew, and they import each other there. So what
they compute from a rule when they are loaded is computed from the altered one, and nothing
outside of the copy changes.
"""

from __future__ import annotations

import builtins
import re
from dataclasses import dataclass
from functools import cache
from importlib.abc import InspectLoader
from importlib.util import find_spec
from types import CodeType, MappingProxyType, ModuleType
from typing import TYPE_CHECKING, Any

from harness.errors import HarnessFault
from harness.model import exposed, machine

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from harness.model.exposed import ExactReading
    from harness.model.judgement import Judgement
    from harness.mutation.mutant import Edit

    Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]

PACKAGE = "harness.model"


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """A copy of the abstract machine. The functions are those of the same names there."""

    examine: Callable[..., Judgement]
    missed_by_wildcard: Callable[..., ExactReading | None]


def altered_model(
    decorators: Mapping[str, Decorator] = MappingProxyType({}), edits: Sequence[Edit] = ()
) -> Model:
    """A copy with functions decorated and pieces of source replaced.

    decorators: by function, with its module, such as `tree.Location.settle`.

    Raises: HarnessFault, if there is no such function or piece; whatever an altered module
    raises when it is executed.
    """
    copy = _Copy(decorators, edits)
    return Model(
        examine=copy.load(machine.__name__).examine,
        missed_by_wildcard=copy.load(exposed.__name__).missed_by_wildcard,
    )


class _Copy:
    def __init__(self, decorators: Mapping[str, Decorator], edits: Sequence[Edit]) -> None:
        self._decorators = decorators
        self._edits = edits
        self._modules: dict[str, ModuleType] = {}
        self._builtins = {**vars(builtins), "__import__": self._import}

    def load(self, name: str) -> ModuleType:
        module = self._modules.get(name)
        if module is None:
            module = self._modules[name] = ModuleType(name)
            vars(module).update(__builtins__=self._builtins, decorators=self._decorators)
            exec(self._code(name.removeprefix(PACKAGE).lstrip(".")), vars(module))
        return module

    def _import(
        self,
        name: str,
        importer: Mapping[str, object] | None = None,
        local: Mapping[str, object] | None = None,
        wanted: Sequence[str] | None = None,
        level: int = 0,
    ) -> ModuleType:
        """What `from … import` calls; all imports of the model are absolute."""
        if not f"{name}.".startswith(f"{PACKAGE}."):
            return __import__(name, importer, local, wanted or (), level)
        module = self.load(name)
        for each in wanted or ():
            if each not in vars(module):
                setattr(module, each, self.load(f"{name}.{each}"))
        return module

    def _code(self, module: str) -> CodeType:
        edits = tuple(edit for edit in self._edits if edit.module == module)
        names = tuple(
            name.removeprefix(f"{module}.")
            for name in self._decorators
            if name.startswith(f"{module}.")
        )
        return compiled(module, edits, names)


@cache
def compiled(module: str, edits: tuple[Edit, ...], decorated: tuple[str, ...] = ()) -> CodeType:
    """The code of a module with pieces replaced and functions decorated.

    Raises: HarnessFault, if there is no such function or piece.
    """
    name = f"{PACKAGE}.{module}".rstrip(".")
    spec = find_spec(name)
    assert spec is not None
    assert isinstance(spec.loader, InspectLoader)
    source = spec.loader.get_source(name) or ""
    for edit in edits:
        count = source.count(edit.old)
        if count != 1:
            raise HarnessFault(f"{name} has {count} times, not once: {edit.old!r}")
        source = source.replace(edit.old, edit.new)
    for function in decorated:
        definition = re.compile(rf"^( *)(?=def {function.rpartition('.')[2]}\()", re.MULTILINE)
        decorator = rf"\1@decorators['{module}.{function}']\n\1"
        source, count = definition.subn(decorator, source)
        if count != 1:
            raise HarnessFault(f"{name} defines {function} {count} times, not once")
    return compile(source, name, "exec", dont_inherit=True)
