"""A pair of a user's own, of `asm!` and story, as the block that `harness run` would check.

Nothing is guessed: what cannot be told from the source is a reason, with its place in it.
Reference: `docs/stories.md`, "In your own crate".
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from harness.story.block import Access, Block, Borrow, Memory, Operand, Option, Story
from harness.story.registers import CLASSES, NO_OPERANDS, allocate, full_name
from harness.story.rules import names
from harness.story.rust_types import Held, hold

if TYPE_CHECKING:
    from harness._native import AsmOperand, RustExpr, RustPair, RustVariable

_RESERVED = (
    "any", "any_where", "bits", "draws", "own", "phase", "program", "seen", "self", "super",
)  # fmt: skip
"""Names that the program around a story has for itself."""

_C_ABIS = ("C", "C-unwind", "system", "system-unwind", "sysv64", "sysv64-unwind")

_NAME = re.compile(r"[A-Za-z_]\w*", re.ASCII)

_PLACEHOLDER = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")

_LIBRARY = ("core", "std", "alloc")


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What a user says beside the source, by `function.variable`.

    memory: bytes behind a pointer, and their alignment, None for that of the type.
    values: what a number is drawn from.
    """

    memory: Mapping[str, tuple[int, int | None]] = field(default_factory=dict)
    values: Mapping[str, tuple[tuple[int, int], ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unread:
    """Why a block is not checked; line and column count from 1.

    elsewhere: it is for other machines than this one, so that it was never asked for.
    """

    function: str
    line: int
    column: int
    reason: str
    elsewhere: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """A pair that is understood.

    lines: where each line of the story begins in the file; None for one that is not from there.
    assumed: what was taken for granted of pointers, in words.
    locals: the variables around it, which a story that is none of their operands must not read.
    """

    story: Story
    lines: tuple[tuple[int, int] | None, ...]
    assumed: tuple[str, ...]
    locals: frozenset[str]

    @property
    def block(self) -> Block:
        return self.story.blocks[0]


class _NotUnderstood(Exception):
    """line, column: 0 for the place of the `asm!`."""

    def __init__(self, reason: str, line: int = 0, column: int = 0) -> None:
        self.reason, self.line, self.column = reason, line, column
        super().__init__(reason)


def read_pair(
    pair: RustPair,
    *,
    imports: Sequence[tuple[str, str]] = (),
    items: Sequence[str] = (),
    given: Given | None = None,
) -> Read | Unread:
    """The pair as a story of one block.

    imports, items: what names the file's story may use beside variables.
    Raises: RustError, if the story is not Rust by itself.
    """
    try:
        return _Reader(pair, given or Given()).read(imports, items)
    except _NotUnderstood as why:
        return Unread(
            function=pair.function,
            line=why.line or pair.block.line,
            column=why.column or pair.block.column,
            reason=why.reason,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Read:
    """A variable that goes into the block: in which operand, and what of it is held there."""

    variable: str
    operand: str
    held: Held


class _Reader:
    """Reads one pair.

    operands: those of the block so far. reads: the story's variables that come in, by name.
    writes: those that it has to assign, with the operand of each.
    """

    def __init__(self, pair: RustPair, given: Given) -> None:
        self.pair = pair
        self.given = given
        self.name = _block_name(pair.function)
        self.operands: list[Operand] = []
        self.clobbers: list[str] = []
        self.reads: dict[str, _Read] = {}
        self.writes: dict[str, str] = {}
        self.types: dict[str, str] = {}
        self.assumed: list[str] = []
        self.template_names: list[str] = []

    def read(self, imports: Sequence[tuple[str, str]], items: Sequence[str]) -> Read:
        pair = self.pair
        written = [each.target.variable for each in pair.block.operands if each.target]
        twice = {name for name in written if name is not None and written.count(name) > 1}
        if twice:
            raise _NotUnderstood(f"`{min(twice)}` comes out of two operands")
        for number, operand in enumerate(pair.block.operands):
            self._read_operand(number, operand)
        self._check_gives()
        template = self._template()
        text, lines = self._story(imports, items)
        block = Block(
            name=self.name,
            template=template,
            operands=tuple(self.operands),
            options=self._options(),
            clobbers=(*self.clobbers, *self._abis()),
            story=text,
        )
        try:
            allocate(block, 0)
        except OverflowError:
            raise _NotUnderstood("there are not enough registers for the operands") from None
        if not block.is_drawable:
            self._ask_for_memory()
        return Read(
            story=Story(arch="x86_64", blocks=(block,), features=tuple(pair.features)),
            lines=lines,
            assumed=tuple(self.assumed),
            locals=frozenset({"self", *(each.name for each in pair.variables)}),
        )

    def _ask_for_memory(self) -> None:
        of_operand = {each.operand: each.variable for each in self.reads.values()}
        for each in self.operands:
            if not each.is_drawable:
                variable = of_operand.get(each.name, each.name)
                key = f"{self.pair.function}.{variable}"
                raise _NotUnderstood(
                    f"how many bytes lie behind `{variable}` is not said: --memory {key}=BYTES"
                )

    # Operands

    def _read_operand(self, number: int, operand: AsmOperand) -> None:
        if operand.access == "const":
            assert operand.source is not None
            if operand.source.literal is None:
                said = f"the value of the constant `{operand.source.text}` is not read"
                raise _NotUnderstood(said, operand.line, operand.column)
            self.template_names.append(operand.source.literal)
            return
        if operand.access in ("sym", "label"):
            raise _NotUnderstood(
                f"it has a `{operand.access}` operand", operand.line, operand.column
            )
        self._check_register(operand)
        access = Access(operand.access)
        dropped = operand.dropped
        target = self._target(operand) if operand.target else None
        if target is not None and self._is_dropped(target):
            target, dropped = None, True
        if dropped and operand.explicit and not access.is_read:
            self.template_names.append("")
            self.clobbers.append(operand.register)
            return
        if operand.source is None:
            self._add_output(number, operand, access, target)
        else:
            self._add_input(number, operand, access, target, dropped)

    def _check_register(self, operand: AsmOperand) -> None:
        register = operand.register
        if operand.explicit and operand.dropped and operand.source is None:
            # A clobber: what is compared is not in such a register, if it is none of these.
            return
        known = full_name(register) is not None if operand.explicit else register in CLASSES
        if not known:
            said = f"operands in `{register}` are not understood"
            raise _NotUnderstood(said, operand.line, operand.column)
        if operand.explicit and full_name(register) in NO_OPERANDS:
            said = f"{register} cannot be an operand"
            raise _NotUnderstood(said, operand.line, operand.column)

    def _target(self, operand: AsmOperand) -> str:
        target = operand.target
        assert target is not None
        if target.variable is None or target.casts:
            raise _not_a_variable("comes out into", target)
        return target.variable

    def _is_dropped(self, target: str) -> bool:
        """Whether nothing becomes of a variable that is written: the block alone has it."""
        if target in (self.pair.gives or ()):
            return False
        variable = self._find(target)
        is_own = variable is not None and variable.inner
        return is_own or self.pair.parameters is not None

    def _add_output(
        self, number: int, operand: AsmOperand, access: Access, target: str | None
    ) -> None:
        if target is None:
            name = self._fresh(operand.name or f"scratch_{number}")
            type_ = _SCRATCH.get(operand.register, "u64")
            self._add(operand, Operand(
                name=name, access=access, register=operand.register, type=type_, dropped=True
            ))  # fmt: skip
            return
        assert operand.target is not None
        held = self._held(target, (), operand.target)
        name = self._fresh(target)
        self.writes[target] = name
        self.types[target] = held.operand
        self._add(operand, Operand(
            name=name, access=access, register=operand.register, type=held.operand
        ))  # fmt: skip

    def _add_input(
        self,
        number: int,
        operand: AsmOperand,
        access: Access,
        target: str | None,
        dropped: bool,
    ) -> None:
        source = operand.source
        assert source is not None
        variable, casts, literal = self._resolve(source)
        if literal is not None:
            type_ = casts[-1] if casts else self._literal_type(target)
            value = int(literal)
            held = Held(story=type_, operand=type_, ranges=((value, value),))
            base = operand.name or f"in_{number}"
        elif variable is not None:
            held = self._drawn(variable, self._held(variable, casts, source))
            base = variable
            if variable in self.reads:
                said = f"`{variable}` goes into two operands"
                raise _NotUnderstood(said, operand.line, operand.column)
        else:
            raise _not_a_variable("goes in as", source)
        if target is not None:
            if target != variable:
                base = f"{base}_to_{target}"
            self.types[target] = held.operand
        name = self._fresh(base)
        if target is not None:
            self.writes[target] = name
        if variable is not None:
            self.reads[variable] = _Read(variable=variable, operand=name, held=held)
        self._add(operand, Operand(
            name=name, access=access, register=operand.register, type=held.operand,
            ranges=held.ranges, memory=held.memory, dropped=dropped,
        ))  # fmt: skip

    def _add(self, operand: AsmOperand, made: Operand) -> None:
        self.operands.append(made)
        self.template_names.append("" if operand.explicit else made.name)

    def _fresh(self, base: str) -> str:
        taken = {each.name for each in self.operands}
        name = f"{base}_operand" if base in _RESERVED or not _NAME.fullmatch(base) else base
        if name in taken:
            name = f"{base}_out"
        number = 2
        while name in taken:
            name, number = f"{base}_{number}", number + 1
        return name

    def _literal_type(self, target: str | None) -> str:
        """Of a number without a suffix: what it becomes, or else Rust's own choice."""
        if target is None:
            return "i32"
        return self._type_of(target) or "i32"

    # Variables and their types

    def _find(self, name: str) -> RustVariable | None:
        found = (each for each in reversed(self.pair.variables) if each.name == name)
        return next(found, None)

    def _resolve(self, expr: RustExpr) -> tuple[str | None, tuple[str, ...], str | None]:
        """The story's variable behind an expression, with its casts; or a number."""
        casts = tuple(expr.casts)
        name, literal = expr.variable, expr.literal
        variables = list(self.pair.variables)
        while name is not None:
            index = _last(variables, name)
            if index is None or not variables[index].inner:
                break
            variable = variables[index]
            if variable.value is None:
                break
            if variable.value.variable is None and variable.value.literal is None:
                said = f"`{name}` is computed for the block alone"
                raise _NotUnderstood(said, variable.line, variable.column)
            if variable.value.variable is None and variable.declared and not casts:
                casts = (variable.declared,)
            casts = (*variable.value.casts, *casts)
            name, literal = variable.value.variable, variable.value.literal
            variables = variables[:index]
        return name, casts, literal

    def _type_of(self, name: str, before: int | None = None) -> str | None:
        """The type of a variable; None if it is not said."""
        variables = list(self.pair.variables[:before])
        index = _last(variables, name)
        if index is None:
            return None
        found = variables[index].declared or self._type_of_value(variables[index].value, index)
        if found is None and before is None:
            gives, returns = self.pair.gives or [], self.pair.returns or []
            if name in gives and len(gives) == len(returns):
                return returns[gives.index(name)]
        return found if found != "_" else None

    def _type_of_value(self, value: RustExpr | None, index: int) -> str | None:
        if value is None:
            return None
        casts = [each for each in value.casts if each[0] not in "&" and not each.startswith("as_")]
        if value.casts:
            return casts[-1].replace("*_", "*mut") if casts == value.casts else None
        return None if value.variable is None else self._type_of(value.variable, index)

    def _held(self, name: str, casts: Sequence[str], expr: RustExpr) -> Held:
        type_ = self._type_of(name)
        if type_ is None:
            said = f"the type of `{name}` is not said"
            raise _NotUnderstood(said, expr.line, expr.column)
        held = hold(type_, casts)
        if isinstance(held, str):
            raise _NotUnderstood(f"`{expr.text}`: {held}", expr.line, expr.column)
        return held

    def _drawn(self, name: str, held: Held) -> Held:
        """What is held, with what the user says of it."""
        key = f"{self.pair.function}.{name}"
        if held.memory is not None and self._must_stay_raw(held.memory.borrow):
            held = replace(held, story=held.operand, back="")
        if key in self.given.values:
            if held.is_pointer:
                raise _NotUnderstood(f"--values {key}: `{name}` is a pointer")
            held = replace(held, ranges=self.given.values[key])
        if key in self.given.memory:
            held = self._with_memory(name, held, *self.given.memory[key])
        elif held.assumed and held.memory is not None:
            size, align = held.memory.size, held.memory.align
            self.assumed.append(f"{name} points to {size} bytes, aligned to {align}")
        return held

    def _must_stay_raw(self, borrow: Borrow) -> bool:
        """Whether the story sees a pointer in a reference's place.

        Making the reference anew would be an access that the block does not make.
        """
        options = self.pair.block.options
        if borrow is Borrow.RAW:
            return False
        return "nomem" in options or ("readonly" in options and borrow is Borrow.EXCLUSIVE)

    def _with_memory(self, name: str, held: Held, size: int, align: int | None) -> Held:
        key = f"{self.pair.function}.{name}"
        if not held.is_pointer or held.story.startswith("&"):
            raise _NotUnderstood(f"--memory {key}: `{name}` is no raw pointer")
        operand = Operand(name=name, access=Access.IN, register="reg", type=held.operand)
        known = hold(f"*mut {operand.pointee}", ())
        least = 1 if isinstance(known, str) or known.memory is None else known.memory.align
        return replace(held, memory=Memory(size=size, align=align or least), assumed=False)

    # What the block says of itself

    def _options(self) -> frozenset[Option]:
        found = set()
        for word in self.pair.block.options:
            if word in list(Option):
                found.add(Option(word))
            elif word != "raw":
                raise _NotUnderstood(f"the option {word} is not understood")
        return frozenset(found)

    def _abis(self) -> tuple[str, ...]:
        for abi in self.pair.block.clobber_abi:
            if abi not in _C_ABIS:
                raise _NotUnderstood(f'clobber_abi("{abi}") is not understood')
        return ("C",) if self.pair.block.clobber_abi else ()

    def _template(self) -> str:
        """The template, in which every placeholder names an operand."""
        text = "\n".join(self.pair.block.templates)
        if '"###' in text:
            raise _NotUnderstood('its template has `"###` in it')
        if "raw" in self.pair.block.options:
            return text.replace("{", "{{").replace("}", "}}")
        by_name = {
            each.name: self.template_names[number]
            for number, each in enumerate(self.pair.block.operands)
            if each.name is not None
        }
        ahead = iter(self.template_names)

        def replaced(found: re.Match[str]) -> str:
            if found[0] in ("{{", "}}"):
                return found[0]
            word, colon, modifier = (found[1] or "").strip().partition(":")
            if not word:
                name = next(ahead, "")
            elif word.isdecimal():
                name = dict(enumerate(self.template_names)).get(int(word), "")
            else:
                name = by_name.get(word, "")
            if found[1] is None or not name:
                raise _NotUnderstood(f"its template has `{found[0]}`, which is no operand")
            if name.lstrip("-").isdecimal():
                return name
            return f"{{{name}{colon}{modifier.strip()}}}"

        return _PLACEHOLDER.sub(replaced, text)

    # The story

    def _check_gives(self) -> None:
        gives = self.pair.gives
        for name in gives or ():
            if name not in self.writes:
                raise _NotUnderstood(f"it gives `{name}`, which does not come out of the `asm!`")
        others = [name for name in self.writes if name not in (gives or ())]
        if gives and others:
            raise _NotUnderstood(f"it gives a value, and `{others[0]}` beside it")

    def _story(
        self, imports: Sequence[tuple[str, str]], items: Sequence[str]
    ) -> tuple[str, tuple[tuple[int, int] | None, ...]]:
        """The story over the operands, and where each of its lines is from."""
        pair = self.pair
        before = self._imports(imports, items)
        after = "; "
        if pair.gives is None and pair.parameters is None:
            for name in dict.fromkeys((*self.reads, *self.writes)):
                before += self._bind(name)
            after += "".join(
                f"{operand} = {name};" for name, operand in self.writes.items() if operand != name
            )
        else:
            before += [line for name in self.reads for line in self._bind_input(name)]
            result = ""
            if pair.gives:
                targets = ", ".join(self.writes[name] for name in pair.gives)
                types = ", ".join(self.types[name] for name in pair.gives)
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
        return text, (*(None for _ in before), *starts)

    def _bind(self, name: str) -> list[str]:
        """What makes a variable of the story out of operands."""
        read, operand = self.reads.get(name), self.writes.get(name)
        if read is None:
            return [] if operand in (name, None) else [f"let {name}: {self.types[name]};"]
        if operand is None:
            return self._bind_input(name)
        return [] if operand == name else [f"let mut {name}: {read.held.story} = {read.operand};"]

    def _bind_input(self, name: str) -> list[str]:
        read = self.reads[name]
        back = read.held.back.replace("{}", read.operand) or read.operand
        return [] if back == name else [f"let {name}: {read.held.story} = {back};"]

    def _parameters(self) -> list[str]:
        """The parameters of a story that is a function of its own."""
        found = [
            (f"mut {told}" if mutable else told, name)
            for told, name, mutable in self.pair.parameters or ()
            if name in self.reads and (mutable or told != name)
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
                raise _NotUnderstood(said, line, each.column + shift)
        return list(dict.fromkeys(found))


_SCRATCH = {"reg_byte": "u8", "xmm_reg": "__m128i", "ymm_reg": "__m256i"}
"""Types of what nobody looks at, by the class of its register."""


def _last(variables: Sequence[RustVariable], name: str) -> int | None:
    found = (each for each in reversed(range(len(variables))) if variables[each].name == name)
    return next(found, None)


def _block_name(function: str) -> str:
    fine = _NAME.fullmatch(function) and function not in _RESERVED
    return function if fine else "block"


def _not_a_variable(does: str, expr: RustExpr) -> _NotUnderstood:
    said = f"what {does} `{expr.text}` is no plain variable"
    return _NotUnderstood(said, expr.line, expr.column)
