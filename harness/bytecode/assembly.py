"""Assembly text: bytecode programs as people write them.

One instruction a line; its mnemonic with the width of its operands, then what it takes,
then `->` and where the result goes. A memory operand is an address in square brackets, or in
two pairs of them where the address itself lies in the memory; a pointer is `p0` to `p15`, and
`[p0]` what it points to. A comment runs from `#` to the end of its line. A label is a name and
a colon, alone or before an instruction:

    again:
    add.u16 [2], [4] -> [2]     # memory[2..4] += memory[4..6]
    lt.u16 [2], [6] -> [8]
    jump_if.u16 [8], again

Reference: `docs/bytecode.md`. What instructions there are stands in `instruction_set.py`.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.bytecode.instruction_set import (
    BY_MNEMONIC,
    FAMILIES,
    FORMS,
    Field,
    Form,
    Kind,
    form_of,
)
from harness.bytecode.operands import ADDRESS_LIMIT, REGISTERS
from harness.bytecode.pointers import FRAME_LIMIT
from harness.bytecode.program import Instruction
from harness.bytecode.tokens import Locate, Token, TokenKind, locate_in, parse_integer, tokens
from harness.errors import InputError, quoted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence


def parse(text: str, locate: Locate | None = None) -> tuple[Instruction, ...]:
    """The instructions that `text` writes.

    locate: finds the place of an offset in `text`; by default `text` is a file of its own.

    Raises: InputError, at the first mistake.
    """
    return tuple(_instructions(text, locate or locate_in(text, "<assembly>")))


def format(instructions: Sequence[Instruction]) -> str:
    """The text of `instructions`, a line each and one for each label; `parse` gives them back."""
    targets = {getattr(each, name) for each in instructions for name in each.targets}
    lines = []
    for index, instruction in enumerate(instructions):
        if index in targets:
            lines.append(f"{_label(index)}:")
        lines.append(format_instruction(instruction))
    if len(instructions) in targets:
        lines.append(f"{_label(len(instructions))}:")
    return "".join(f"{line}\n" for line in lines)


def format_instruction(instruction: Instruction) -> str:
    """The text of one instruction, without a line end; a label says which index it stands for."""

    def show(field: Field) -> object:
        value: int = getattr(instruction, field.name)
        return _label(value) if field.kind is Kind.TARGET else value

    return form_of(instruction).write(show)


def _label(index: int) -> str:
    return f"at_{index}"


def _instructions(text: str, locate: Locate) -> Iterator[Instruction]:
    lines: list[list[Token]] = []
    labels: dict[str, int] = {}
    offset = 0
    for line in text.split("\n"):
        found = list(tokens(line.removesuffix("\r"), offset, locate))
        while len(found) > 1 and found[1].kind is TokenKind.COLON:
            _bind(found[0], len(lines), labels, locate)
            del found[:2]
        if found:
            lines.append(found)
        offset += len(line) + 1
    for found in lines:
        yield _Line(found, locate, labels).instruction()


def _bind(label: Token, index: int, labels: dict[str, int], locate: Locate) -> None:
    """Note what the label stands for. Raises: InputError."""
    if label.kind is not TokenKind.WORD or "." in label.text:
        message = f"{quoted(label.text)} is no label"
        raise InputError(locate(label.offset), message, "a label is a name, such as again:")
    if label.text in labels:
        message = f"the label {quoted(label.text)} is there already"
        raise InputError(locate(label.offset), message, "give each label a name of its own")
    labels[label.text] = index


_REGISTERS = {f"p{number}": number for number in range(REGISTERS)}
_WHAT = {
    Kind.MEMORY: "a memory operand",
    Kind.POINTER: "a memory operand whose address is in the memory",
    Kind.REGISTER: "a pointer",
    Kind.POINTED: "a memory operand to which a pointer points",
    Kind.CONSTANT: "a constant",
    Kind.TARGET: "a target",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Operand:
    """One operand as it stands in the text. offset: of its first character."""

    kind: Kind
    token: Token
    offset: int


class _Line:
    """The tokens of one line that has some, taken one after the other."""

    def __init__(self, found: list[Token], locate: Locate, labels: Mapping[str, int]) -> None:
        self.found = found
        self.locate = locate
        self.labels = labels
        self.next = 0

    def instruction(self) -> Instruction:
        form = self._form()
        takes = self._operands(form)
        arrow = self._take(TokenKind.ARROW)
        gives = self._operands(form) if arrow else []
        if (rest := self._peek()) is not None:
            raise self._unexpected(rest, form)
        if arrow is None and form.family.gives:
            raise self._error(self._end(), f"{form.mnemonic} without '->'", f"write {form.usage}")
        if arrow is not None and not form.family.gives:
            message = f"{form.mnemonic} has no result"
            raise self._error(arrow.offset, message, f"write {form.usage}")
        end_of_takes = arrow.offset if arrow else self._end()
        self._check_count(form, "before '->'", takes, form.family.takes, end_of_takes)
        self._check_count(form, "after '->'", gives, form.family.gives, self._end())
        return form.make(
            {
                field.name: self._number(operand, field, form)
                for field, operand in zip(form.written, takes + gives, strict=True)
            }
        )

    def _form(self) -> Form:
        token = self.found[0]
        if token.kind is not TokenKind.WORD:
            message = f"{quoted(token.text)} where a mnemonic is wanted"
            remedy = "a line is one instruction and begins with its mnemonic, such as add.u16"
            raise self._error(token.offset, message, remedy)
        if token.text not in BY_MNEMONIC:
            message = f"there is no instruction {quoted(token.text)}"
            raise self._error(token.offset, message, _nearest_mnemonic(token.text))
        self.next = 1
        return BY_MNEMONIC[token.text]

    def _operands(self, form: Form) -> list[_Operand]:
        """Operands up to the arrow or the end, with commas between them."""
        operands: list[_Operand] = []
        while (token := self._peek()) is not None and token.kind is not TokenKind.ARROW:
            if operands and self._take(TokenKind.COMMA) is None:
                is_label = token.kind is TokenKind.WORD and form.has_target
                if token.kind not in (TokenKind.NUMBER, TokenKind.OPEN) and not is_label:
                    break
                message = f"no comma before {quoted(token.text)}"
                remedy = f"operands are separated by commas: {form.usage}"
                raise self._error(token.offset, message, remedy)
            operands.append(self._operand(form))
        return operands

    def _operand(self, form: Form) -> _Operand:
        if opened := self._take(TokenKind.OPEN):
            if self._is_pointed(form) and (register := self._take(TokenKind.WORD)):
                self._want_close(Field(name="", kind=Kind.MEMORY).show(register.text))
                return _Operand(kind=Kind.POINTED, token=register, offset=opened.offset)
            kind = Kind.POINTER if self._take(TokenKind.OPEN) else Kind.MEMORY
            number = self._want_number(form, "an address")
            for _ in "]]" if kind is Kind.POINTER else "]":
                self._want_close(Field(name="", kind=kind).show(number.text))
            return _Operand(kind=kind, token=number, offset=opened.offset)
        if word := self._take(TokenKind.WORD):
            # Or a register: what is wanted decides.
            return _Operand(kind=Kind.TARGET, token=word, offset=word.offset)
        number = self._want_number(form, "an operand")
        return _Operand(kind=Kind.CONSTANT, token=number, offset=number.offset)

    def _is_pointed(self, form: Form) -> bool:
        token = self._peek()
        is_register = token is not None and token.text in _REGISTERS
        return is_register or any(field.kind is Kind.POINTED for field in form.written)

    def _want_close(self, whole: str) -> None:
        if self._take(TokenKind.CLOSE) is None:
            end = self.found[self.next - 1].end
            raise self._error(end, "no ']' after the address", f"write {whole}")

    def _want_number(self, form: Form, what: str) -> Token:
        if number := self._take(TokenKind.NUMBER):
            return number
        if token := self._peek():
            message = f"{quoted(token.text)} where {what} is wanted"
            raise self._error(token.offset, message, f"write {form.usage}")
        message = f"the line ends where {what} is wanted"
        raise self._error(self._end(), message, f"write {form.usage}")

    def _unexpected(self, token: Token, form: Form) -> InputError:
        if token.kind is TokenKind.ARROW:
            return self._error(token.offset, "a second '->' in one line", f"write {form.usage}")
        remedy = f"write {form.usage}"
        if token.text in BY_MNEMONIC:
            remedy = "one instruction a line: begin a new line here"
        return self._error(token.offset, f"unexpected {quoted(token.text)}", remedy)

    def _check_count(
        self, form: Form, where: str, got: list[_Operand], want: tuple[Field, ...], end: int
    ) -> None:
        if len(got) == len(want):
            return
        offset = got[len(want)].offset if len(got) > len(want) else end
        operands = "operand" if len(want) == 1 else "operands"
        message = f"{form.mnemonic} has {len(want)} {operands} {where}, not {len(got)}"
        raise self._error(offset, message, f"write {form.usage}")

    def _number(self, operand: _Operand, field: Field, form: Form) -> int:
        token = operand.token
        if field.kind is Kind.REGISTER and operand.kind is Kind.TARGET:
            return self._register(token)
        if operand.kind is not field.kind:
            message = f"{field.name} of {form.mnemonic} is {_WHAT[field.kind]}"
            is_number = {operand.kind, field.kind} <= {Kind.MEMORY, Kind.POINTER, Kind.CONSTANT}
            shown = field.show(token.text) if is_number else form.usage
            remedy = f"write {shown}"
            if field.kind is Kind.TARGET:
                remedy = f"write a label: {form.usage}, and target: before an instruction"
            raise self._error(operand.offset, message, remedy)
        if field.kind is Kind.TARGET:
            return self._target(token)
        if field.kind is Kind.POINTED:
            return self._register(token)
        try:
            number = parse_integer(token.text)
        except InputError as error:
            raise self._error(token.offset, error.message, error.remedy) from None
        if field.kind is not Kind.CONSTANT:
            self._check_address(number, token)
        else:
            self._check_constant(number, token, form)
        return number

    def _target(self, token: Token) -> int:
        if token.text in self.labels:
            return self.labels[token.text]
        near = difflib.get_close_matches(token.text[:40], self.labels, n=1)
        remedy = f"did you mean {near[0]}?" if near else f"write {token.text}: where it stands for"
        message = f"there is no label {quoted(token.text)}"
        raise self._error(token.offset, message, remedy)

    def _register(self, token: Token) -> int:
        if token.text in _REGISTERS:
            return _REGISTERS[token.text]
        message = f"there is no pointer {quoted(token.text)}"
        raise self._error(token.offset, message, f"pointers are p0 to p{REGISTERS - 1}")

    def _check_address(self, number: int, token: Token) -> None:
        if number < 0:
            message = f"the address {quoted(token.text)} is negative"
            remedy = "an address counts bytes from the memory's first, which is [0]"
            raise self._error(token.offset, message, remedy)
        if number >= ADDRESS_LIMIT:
            message = f"the address {quoted(token.text)} does not fit into 64 bits"
            remedy = f"the largest address is 0x{ADDRESS_LIMIT - 1:x}"
            raise self._error(token.offset, message, remedy)

    def _check_constant(self, number: int, token: Token, form: Form) -> None:
        if form.width is None:
            if not 0 <= number <= FRAME_LIMIT:
                message = f"a frame cannot have {quoted(token.text)} bytes behind its argument"
                raise self._error(token.offset, message, f"write 0 to {FRAME_LIMIT}")
            return
        limit = form.width.limit
        if -limit // 2 <= number < 0:
            message = f"{quoted(token.text)} is negative, but a constant is unsigned"
            remedy = f"in two's complement it is {number + limit} (0x{number + limit:x})"
            raise self._error(token.offset, message, remedy)
        if not 0 <= number < limit:
            name = form.width.name.lower()
            message = f"{quoted(token.text)} does not fit into {name}"
            fitting = (each for each in form.family.widths if each and number < each.limit)
            wider = min(fitting, default=None)
            remedy = f"a {name} is from 0 to {limit - 1}"
            if wider is not None and number >= 0:
                remedy += f"; {Form(family=form.family, width=wider).mnemonic} takes this value"
            raise self._error(token.offset, message, remedy)

    def _peek(self) -> Token | None:
        return self.found[self.next] if self.next < len(self.found) else None

    def _take(self, kind: TokenKind) -> Token | None:
        token = self._peek()
        if token is None or token.kind is not kind:
            return None
        self.next += 1
        return token

    def _end(self) -> int:
        """The offset behind the line's last token."""
        return self.found[-1].end

    def _error(self, offset: int, message: str, remedy: str) -> InputError:
        return InputError(self.locate(offset), message, remedy)


def _nearest_mnemonic(word: str) -> str:
    lower = word.lower()
    if lower in BY_MNEMONIC:
        return f"mnemonics are in lower case: {lower}"
    name = lower.partition(".")[0]
    if any(family.name == name for family in FAMILIES):
        forms = " or ".join(form.mnemonic for form in FORMS if form.family.name == name)
        return f"{name} has the width of its operands in its name: {forms}"
    near = difflib.get_close_matches(lower[:40], BY_MNEMONIC, n=1)
    if near:
        return f"did you mean {near[0]}?"
    names = ", ".join(family.name for family in FAMILIES[:8])
    return f"docs/bytecode.md has every instruction: {names}, …; most have a width: add.u16"
