"""The operands of a user's pair, as those of a block, and what the story has to do with each."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from harness.story.block import Access, Borrow, Memory, Operand
from harness.story.pair_variables import NotUnderstood, Scope
from harness.story.registers import CLASSES, NO_OPERANDS, full_name
from harness.story.rust_types import Held, hold

if TYPE_CHECKING:
    from harness._native import AsmOperand, RustExpr, RustPair

RESERVED = (
    "any", "any_where", "bits", "draws", "own", "phase", "program", "seen", "self", "super",
)  # fmt: skip
"""Names that the program around a story has for itself."""

NAME = re.compile(r"[A-Za-z_]\w*", re.ASCII)

_SCRATCH = {"reg_byte": "u8", "xmm_reg": "__m128i", "ymm_reg": "__m256i"}
"""Types of what nobody looks at, by the class of its register."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What a user says beside the source, by `function.variable`.

    memory: bytes behind a pointer, and their alignment, None for that of the type.
    values: what a number is drawn from.
    """

    memory: Mapping[str, tuple[int, int | None]] = field(default_factory=dict)
    values: Mapping[str, tuple[tuple[int, int], ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """A variable that goes into the block: in which operand, and what of it is held there."""

    operand: str
    held: Held


@dataclass(slots=True, kw_only=True)
class Bound:
    """The operands of a block.

    inputs: the story's variables that come in, by name. outputs: those that it has to assign,
    with the operand of each. types: theirs. placeholders: what stands in the template for each
    operand of the `asm!`, by its number: a name, a number, or nothing.
    assumed: what was taken for granted of pointers, in words.
    """

    operands: list[Operand] = field(default_factory=list)
    clobbers: list[str] = field(default_factory=list)
    inputs: dict[str, Input] = field(default_factory=dict)
    outputs: dict[str, str] = field(default_factory=dict)
    types: dict[str, str] = field(default_factory=dict)
    placeholders: list[str] = field(default_factory=list)
    assumed: list[str] = field(default_factory=list)


def bind(pair: RustPair, given: Given) -> Bound:
    """The operands of the pair's `asm!`. Raises: NotUnderstood."""
    written = [each.target.variable for each in pair.block.operands if each.target]
    twice = {name for name in written if name is not None and written.count(name) > 1}
    if twice:
        raise NotUnderstood(f"`{min(twice)}` comes out of two operands")
    binder = _Binder(pair=pair, given=given, scope=Scope(pair=pair), bound=Bound())
    for number, operand in enumerate(pair.block.operands):
        binder.read(number, operand)
    return binder.bound


@dataclass(frozen=True, slots=True, kw_only=True)
class _Binder:
    pair: RustPair
    given: Given
    scope: Scope
    bound: Bound

    def read(self, number: int, operand: AsmOperand) -> None:
        if operand.access == "const":
            assert operand.source is not None
            if operand.source.literal is None:
                said = f"the value of the constant `{operand.source.text}` is not read"
                raise NotUnderstood(said, operand.line, operand.column)
            self.bound.placeholders.append(operand.source.literal)
            return
        if operand.access in ("sym", "label"):
            raise NotUnderstood(
                f"it has a `{operand.access}` operand", operand.line, operand.column
            )
        self._check_register(operand)
        access = Access(operand.access)
        dropped = operand.dropped
        target = self._target(operand) if operand.target else None
        if target is not None and self._is_dropped(target):
            target, dropped = None, True
        if dropped and operand.explicit and not access.is_read:
            self.bound.placeholders.append("")
            self.bound.clobbers.append(operand.register)
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
            raise NotUnderstood(said, operand.line, operand.column)
        if operand.explicit and full_name(register) in NO_OPERANDS:
            said = f"{register} cannot be an operand"
            raise NotUnderstood(said, operand.line, operand.column)

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
        variable = self.scope.find(target)
        is_own = variable is not None and variable.inner
        return is_own or self.pair.ends

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
        held = self.scope.held(self.scope.meaning_of_place(target), operand.target)
        name = self._fresh(target)
        self.bound.outputs[target] = name
        self.bound.types[target] = held.operand
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
        meant = self.scope.meaning(source)
        variable = meant.variable
        if meant.literal is not None:
            type_ = meant.casts[-1] if meant.casts else self._literal_type(target)
            value = int(meant.literal)
            held = Held(story=type_, operand=type_, ranges=((value, value),))
            base = operand.name or f"in_{number}"
        elif variable is not None:
            held = self._drawn(variable, self.scope.held(meant, source))
            base = variable
            if variable in self.bound.inputs:
                said = f"`{variable}` goes into two operands"
                raise NotUnderstood(said, operand.line, operand.column)
        else:
            raise _not_a_variable("goes in as", source)
        if target is not None:
            if target != variable:
                base = f"{base}_to_{target}"
            self.bound.types[target] = held.operand
        name = self._fresh(base)
        if target is not None:
            self.bound.outputs[target] = name
        if variable is not None:
            self.bound.inputs[variable] = Input(operand=name, held=held)
        self._add(operand, Operand(
            name=name, access=access, register=operand.register, type=held.operand,
            ranges=held.ranges, memory=held.memory, dropped=dropped,
        ))  # fmt: skip

    def _add(self, operand: AsmOperand, made: Operand) -> None:
        self.bound.operands.append(made)
        self.bound.placeholders.append("" if operand.explicit else made.name)

    def _fresh(self, base: str) -> str:
        taken = {each.name for each in self.bound.operands}
        name = f"{base}_operand" if base in RESERVED or not NAME.fullmatch(base) else base
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
        return self.scope.type_of(target) or "i32"

    def _drawn(self, name: str, held: Held) -> Held:
        """What is held, with what the user says of it."""
        key = f"{self.pair.function}.{name}"
        if held.memory is not None and self._must_stay_raw(held.memory.borrow):
            held = replace(held, story=held.operand, back="")
        if key in self.given.values:
            if held.is_pointer:
                raise NotUnderstood(f"--values {key}: `{name}` is a pointer")
            held = replace(held, ranges=self.given.values[key])
        if key in self.given.memory:
            held = self._with_memory(name, held, *self.given.memory[key])
        elif held.assumed and held.memory is not None:
            size, align = held.memory.size, held.memory.align
            self.bound.assumed.append(f"{name} points to {size} bytes, aligned to {align}")
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
            raise NotUnderstood(f"--memory {key}: `{name}` is no raw pointer")
        operand = Operand(name=name, access=Access.IN, register="reg", type=held.operand)
        known = hold(f"*mut {operand.pointee}", ())
        least = 1 if isinstance(known, str) or known.memory is None else known.memory.align
        return replace(held, memory=Memory(size=size, align=align or least), assumed=False)


def _not_a_variable(does: str, expr: RustExpr) -> NotUnderstood:
    said = f"what {does} `{expr.text}` is no plain variable"
    return NotUnderstood(said, expr.line, expr.column)
