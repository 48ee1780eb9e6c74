"""The story of a user's pair over the operands of its block, and the template beside it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.errors import RustError
from harness.story.pair_operands import Bound
from harness.story.pair_variables import NotUnderstood
from harness.story.rules import names

if TYPE_CHECKING:
    from harness._native import RustPair

_PLACEHOLDER = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")

_LIBRARY = ("core", "std", "alloc")


@dataclass(frozen=True, slots=True, kw_only=True)
class StoryText:
    """lines: where each line begins in the file, from 1; None for one that is not from there."""

    text: str
    lines: tuple[tuple[int, int] | None, ...]


def write_template(pair: RustPair, bound: Bound) -> str:
    """The template, in which every placeholder names an operand. Raises: NotUnderstood."""
    text = "\n".join(pair.block.templates)
    if '"###' in text:
        raise NotUnderstood('its template has `"###` in it')
    if "raw" in pair.block.options:
        return text.replace("{", "{{").replace("}", "}}")
    by_name = {
        each.name: bound.placeholders[number]
        for number, each in enumerate(pair.block.operands)
        if each.name is not None
    }
    ahead = iter(bound.placeholders)

    def replaced(found: re.Match[str]) -> str:
        if found[0] in ("{{", "}}"):
            return found[0]
        word, colon, modifier = (found[1] or "").strip().partition(":")
        if not word:
            name = next(ahead, "")
        elif word.isdecimal():
            name = dict(enumerate(bound.placeholders)).get(int(word), "")
        else:
            name = by_name.get(word, "")
        if found[1] is None or not name:
            raise NotUnderstood(f"its template has `{found[0]}`, which is no operand")
        if name.lstrip("-").isdecimal():
            return name
        return f"{{{name}{colon}{modifier.strip()}}}"

    return _PLACEHOLDER.sub(replaced, text)


def write_story(
    pair: RustPair, bound: Bound, imports: Sequence[tuple[str, str]], items: Sequence[str]
) -> StoryText:
    """The story over the operands.

    imports, items: what names the file has beside variables. Raises: NotUnderstood.
    """
    return _Writer(pair=pair, bound=bound).write(imports, items)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Writer:
    pair: RustPair
    bound: Bound

    def write(self, imports: Sequence[tuple[str, str]], items: Sequence[str]) -> StoryText:
        pair, bound = self.pair, self.bound
        self._check_gives()
        before = self._imports(imports, items)
        after = "; "
        if pair.gives is None and not pair.ends:
            for name in dict.fromkeys((*bound.inputs, *bound.outputs)):
                before += self._bind(name)
            after += "".join(
                f"{operand} = {name};" for name, operand in bound.outputs.items() if operand != name
            )
        else:
            before += [line for name in bound.inputs for line in self._bind_input(name)]
            result = ""
            if pair.gives:
                targets = ", ".join(bound.outputs[name] for name in pair.gives)
                types = ", ".join(bound.types[name] for name in pair.gives)
                one = len(pair.gives) == 1
                before.append(f"{targets} =" if one else f"({targets}) =")
                result = f"-> {types}" if one else f"-> ({types})"
            # Called with nothing, so that a `return` in it is the story's own.
            before.append(f"(|(): ()| {result} {{ unsafe {{")
            before += self._parameters()
            after = " }})(());"
        own = pair.story.text.split("\n")
        starts = [
            (pair.story.line + number, 1 if number else pair.story.column)
            for number in range(len(own))
        ]
        text = "\n".join((*before, pair.story.text + after))
        try:
            names(text)
        except RustError as error:
            raise NotUnderstood(f"the story is no Rust by itself: {error.message}") from None
        return StoryText(text=text, lines=(*(None for _ in before), *starts))

    def _check_gives(self) -> None:
        gives = self.pair.gives
        for name in gives or ():
            if name not in self.bound.outputs:
                raise NotUnderstood(f"it gives `{name}`, which does not come out of the `asm!`")
        others = [name for name in self.bound.outputs if name not in (gives or ())]
        if gives and others:
            raise NotUnderstood(f"it gives a value, and `{others[0]}` beside it")

    def _bind(self, name: str) -> list[str]:
        """What makes a variable of the story out of operands."""
        read, operand = self.bound.inputs.get(name), self.bound.outputs.get(name)
        if read is None:
            return [] if operand in (name, None) else [f"let {name}: {self.bound.types[name]};"]
        if operand is None:
            return self._bind_input(name)
        return [] if operand == name else [f"let mut {name}: {read.held.story} = {read.operand};"]

    def _bind_input(self, name: str) -> list[str]:
        read = self.bound.inputs[name]
        back = read.held.back.replace("{}", read.operand) or read.operand
        return [] if back == name else [f"let {name}: {read.held.story} = {back};"]

    def _parameters(self) -> list[str]:
        """The variables that are the story's alone: parameters, or those of what ends with it."""
        pair = self.pair
        own = pair.parameters
        if own is None:
            variables = {each.name: each.mutable for each in pair.variables if not each.inner}
            own = [(name, name, pair.ends and mutable) for name, mutable in variables.items()]
        found = [
            (f"mut {told}" if mutable else told, name)
            for told, name, mutable in own
            if name in self.bound.inputs and (mutable or told != name)
        ]
        if not found:
            return []
        told, given = (", ".join(each[at] for each in found) for at in (0, 1))
        return [f"let ({told},) = ({given},);"]

    def _imports(self, imports: Sequence[tuple[str, str]], items: Sequence[str]) -> list[str]:
        """What the file's `use` brings from the library; complains of all else outside."""
        pair = self.pair
        known = {*(each.name for each in pair.variables)}
        known |= {told for told, _, _ in pair.parameters or ()}
        paths = dict(imports)
        found = []
        for each in names(pair.story.text):
            if each.kind != "path":
                continue
            first = each.name.removeprefix("::").split("::")[0]
            if first in known and "::" not in each.name:
                continue
            path = paths.get(first, "")
            root = path.split("::")[0]
            if root in _LIBRARY:
                if path.split("::")[1:2] != ["arch"]:
                    found.append(f"use std::{path.partition('::')[2]} as {first};")
                continue
            if path or first in items or first in ("crate", "super", "Self"):
                line = pair.story.line + each.line - 1
                shift = pair.story.column - 1 if each.line == 1 else 0
                said = f"the story uses `{each.name}`, which stands outside of it"
                raise NotUnderstood(said, line, each.column + shift)
        return list(dict.fromkeys(found))
