"""The reading of a story case's blocks: template, operands, promises, and the Rust for it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Annotated

from msgspec import Meta, Struct

from harness.cases.toml_document import nearest
from harness.errors import InputError, RustError, quoted
from harness.story.block import PROGRAM, SCALARS, Access, Block, Borrow, Memory, Operand, Option
from harness.story.registers import (
    C_ARGUMENTS,
    CLASSES,
    NO_OPERANDS,
    PLACEHOLDER,
    VECTOR,
    allocate,
    full_name,
)
from harness.story.rules import names

if TYPE_CHECKING:
    from harness.cases.toml_document import Document, Path as TomlPath
    from harness.errors import Place

LARGEST_MEMORY = 4096
"""Bytes behind a pointer: a page, which has one before and one behind it that nothing may touch."""


class BlockTable(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[block.NAME]`."""

    template: Annotated[str | None, Meta(description="template = '''…''', assembly")] = None
    function: Annotated[str | None, Meta(description='function = "strlen"')] = None
    library: Annotated[str | None, Meta(description='library = "m"')] = None
    operands: Annotated[
        dict[str, object], Meta(description='[block.NAME.operands] with x = { in = "reg", … }')
    ] = {}
    options: Annotated[list[object], Meta(description='options = ["nomem", "nostack"]')] = []
    clobbers: Annotated[list[object], Meta(description='clobbers = ["rcx"]')] = []
    touches: Annotated[list[object], Meta(description='touches = ["COUNTER"]')] = []
    story: Annotated[str, Meta(description="story = '''…''', Rust over the operands")]


class OperandTable(
    Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename={"in_": "in"}
):
    """An operand in `[block.NAME.operands]`; one of the first five says which register."""

    in_: Annotated[str | None, Meta(description='in = "reg"')] = None
    out: Annotated[str | None, Meta(description='out = "reg"')] = None
    lateout: Annotated[str | None, Meta(description='lateout = "reg"')] = None
    inout: Annotated[str | None, Meta(description='inout = "reg"')] = None
    inlateout: Annotated[str | None, Meta(description='inlateout = "reg"')] = None
    type: Annotated[str, Meta(description='type = "u64"')]
    values: Annotated[list[object] | None, Meta(description='values = ["1..=64", "-1"]')] = None
    memory: Annotated[int | None, Meta(description="memory = 16, in bytes")] = None
    align: Annotated[int | None, Meta(description="align = 8, in bytes")] = None
    borrow: Annotated[str | None, Meta(description='borrow = "shared"')] = None
    initialised: Annotated[bool | None, Meta(description="initialised = false")] = None


_IDENTIFIER = re.compile(r"[a-z][a-z0-9_]*")
_LIBRARY = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]*")
_FUNCTION = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")

_KEYWORDS = """
as async await break const continue crate dyn else enum extern false fn for gen if impl in let loop
match mod move mut pub ref return self static struct super trait true type unsafe use where while
abstract become box do final macro override priv try typeof unsized virtual yield
"""

_RESERVED = {*_KEYWORDS.split(), "any", "any_where", PROGRAM}
"""What no block or operand can be called."""


@dataclass(slots=True, kw_only=True)
class BlockReader:
    """Reads the blocks of one case.

    statics: the names of the case's. lines: of each story read, where every line begins.
    """

    document: Document
    statics: list[str]
    arch: str
    lines: dict[str, tuple[Place, ...]] = field(default_factory=dict)

    def read(self, name: str) -> Block:
        """The block in `[block.name]`. Raises: InputError."""
        path = ("block", name)
        self._check_name(path, name, "block")
        table = self.document.table(path, BlockTable)
        if (table.template is None) == (table.function is None):
            message = "a block is either assembly or a foreign function"
            raise self.document.error(path, message, 'write a template, or function = "strlen"')
        self._check_library(path, table)
        operands = tuple(self._operand((*path, "operands"), each) for each in table.operands)
        clobbers = self._names((*path, "clobbers"), table.clobbers)
        if table.function is not None:
            self._check_function(path, table)
            operands = self._as_arguments(path, operands)
            clobbers = ("C",)
        block = Block(
            name=name,
            template=table.template or "",
            function=table.function or "",
            library=table.library or "",
            operands=operands,
            options=frozenset(self._options((*path, "options"), table.options)),
            clobbers=clobbers,
            touches=self._names((*path, "touches"), table.touches),
            story=table.story,
        )
        for number, touched in enumerate(block.touches):
            if touched not in self.statics:
                message = f"there is no static {quoted(touched)}"
                remedy = nearest(touched, self.statics) if self.statics else "write [statics.NAME]"
                raise self.document.error((*path, "touches", number), message, remedy)
        if not block.returns:
            self._check_unreturning(path, table, block)
        self._check_registers(path, block)
        if table.template is not None:
            self._check_template((*path, "template"), block)
        self.check_rust((*path, "story"), table.story)
        self.lines[name] = self.lines_of((*path, "story"), table.story)
        return block

    def check_rust(self, path: TomlPath, text: str) -> None:
        """Complain if the text is not Rust. Raises: InputError."""
        try:
            names(text)
        except RustError as error:
            lines = text.split("\n")
            before = sum(len(line) + 1 for line in lines[: error.line - 1])
            column = min(error.column - 1, len(lines[error.line - 1]))
            place = self.document.locate_in(path)(before + column)
            remedy = "write statements of Rust, as they stand in a function"
            raise InputError(place, f"not Rust: {error.message}", remedy) from None

    def lines_of(self, path: TomlPath, text: str) -> tuple[Place, ...]:
        """Where each line of a text begins; none of an empty one."""
        if not text:
            return ()
        locate = self.document.locate_in(path)
        starts = [0, *(found.end() for found in re.finditer("\n", text))]
        return tuple(locate(start) for start in starts)

    def _check_name(self, path: TomlPath, name: str, what: str) -> None:
        if not _IDENTIFIER.fullmatch(name) or name in _RESERVED:
            message = f"{quoted(name)} cannot be the name of a{'n' * (what[0] in 'aeiou')} {what}"
            raise self.document.key_error(path, message, "write a name as Rust has it, such as out")

    def _names(self, path: TomlPath, values: list[object]) -> tuple[str, ...]:
        for number, value in enumerate(values):
            if not isinstance(value, str) or not _FUNCTION.fullmatch(value):
                raise self.document.error((*path, number), "not a name", 'write ["rcx", "r11"]')
        return tuple(str(value) for value in values)

    def _options(self, path: TomlPath, values: list[object]) -> list[Option]:
        known = [str(each) for each in Option]
        for number, value in enumerate(values):
            self.document.check_one_of((*path, number), str(value), known, "option")
        return [Option(str(value)) for value in values]

    def _operand(self, path: TomlPath, name: str) -> Operand:
        path = (*path, name)
        self._check_name(path, name, "operand")
        table = self.document.table(path, OperandTable)
        given = {each: getattr(table, each if each != "in" else "in_") for each in Access}
        accesses = {access: register for access, register in given.items() if register is not None}
        if len(accesses) != 1:
            message = "an operand has one direction"
            raise self.document.error(path, message, 'write in = "reg", or out, inout, lateout')
        ((access, register),) = accesses.items()
        self._check_register((*path, str(access)), register)
        operand = Operand(
            name=name,
            access=access,
            register=register,
            type=table.type,
            ranges=self._ranges((*path, "values"), table.values),
        )
        if operand.pointee is None and table.type not in SCALARS:
            message = f"an operand cannot be a {quoted(table.type)}"
            remedy = f"raw pointers can be, and {', '.join(SCALARS)}"
            raise self.document.error((*path, "type"), message, remedy)
        memory = self._memory(path, table, operand)
        return replace(operand, memory=memory)

    def _memory(self, path: TomlPath, table: OperandTable, operand: Operand) -> Memory | None:
        """What the operand points to; None if nothing is drawn behind it."""
        if table.memory is None:
            for key in ("align", "borrow", "initialised"):
                if getattr(table, key) is not None:
                    message = f"{key} without memory"
                    raise self.document.key_error((*path, key), message, "write memory = 16")
            return None
        if operand.pointee is None or not operand.access.is_read:
            message = "memory behind what is no pointer that comes in"
            raise self.document.key_error((*path, "memory"), message, 'write type = "*mut u8"')
        if not 1 <= table.memory <= LARGEST_MEMORY:
            message = f"{table.memory} bytes of memory"
            raise self.document.error((*path, "memory"), message, f"write 1 to {LARGEST_MEMORY}")
        align = SCALARS.get(operand.pointee, 1) if table.align is None else table.align
        if align not in (1 << power for power in range(13)):
            message = f"{align} is no alignment"
            raise self.document.error((*path, "align"), message, "write a power of two up to 4096")
        borrow = str(Borrow.RAW) if table.borrow is None else table.borrow
        if table.borrow is not None:
            known = [str(each) for each in Borrow]
            self.document.check_one_of((*path, "borrow"), borrow, known, "way to borrow")
        return Memory(
            size=table.memory,
            align=align,
            borrow=Borrow(borrow),
            initialised=table.initialised is not False,
        )

    def _ranges(
        self, path: TomlPath, values: list[object] | None
    ) -> tuple[tuple[int, int], ...] | None:
        if values is None:
            return None
        found = []
        for number, value in enumerate(values):
            parts = re.fullmatch(r"(-?\d{1,20})(?:\.\.=(-?\d{1,20}))?", str(value))
            if parts is None or int(parts[2] or parts[1]) < int(parts[1]):
                message = f"no range of numbers: {quoted(str(value))}"
                remedy = 'write values = ["0", "1..=64"], both ends included'
                raise self.document.error((*path, number), message, remedy)
            found.append((int(parts[1]), int(parts[2] or parts[1])))
        return tuple(found)

    def _check_register(self, path: TomlPath, register: str) -> None:
        if self.arch != "x86_64":
            if not _FUNCTION.fullmatch(register):
                raise self.document.error(path, "no register", 'write in = "reg"')
            return
        if register in CLASSES:
            return
        name = full_name(register)
        if name is None:
            message = f"there is no register or class of registers {quoted(register)}"
            raise self.document.error(path, message, nearest(register, CLASSES))
        if name in NO_OPERANDS:
            message = f"{register} cannot be an operand: the compiler keeps it to itself"
            raise self.document.error(path, message, 'write in = "reg", and move it in the block')

    def _check_unreturning(self, path: TomlPath, table: BlockTable, block: Block) -> None:
        """Complain about what has no meaning where nothing comes after the block."""
        if block.outputs:
            message = "an output of a block that does not return"
            place = (*path, "operands", block.outputs[0].name)
            raise self.document.key_error(place, message, 'write in = "reg", or leave out noreturn')
        if table.clobbers:
            message = "clobbers of a block that does not return"
            raise self.document.key_error((*path, "clobbers"), message, "leave them out")
        if Option.PURE in block.options:
            message = "pure and noreturn exclude each other"
            raise self.document.key_error((*path, "options"), message, "leave out one of them")
        undrawn = next((each for each in block.operands if not each.is_drawable), None)
        if undrawn is not None:
            message = "a block that does not return is never called by a program"
            place = (*path, "operands", undrawn.name)
            raise self.document.key_error(place, message, "write memory = 16")

    def _check_registers(self, path: TomlPath, block: Block) -> None:
        if self.arch != "x86_64":
            return
        # A function's result may come back in the register of an argument.
        together = block.inputs if block.function else block.operands
        explicit = [each.register for each in together if each.register not in CLASSES]
        named = [full_name(each) for each in explicit]
        if len(set(named)) < len(named):
            message = "one register for two operands"
            raise self.document.error((*path, "operands"), message, "write inout for both ways")
        for number, clobber in enumerate(block.clobbers):
            if clobber == "C":
                continue
            name = full_name(clobber)
            if name is None or name in NO_OPERANDS:
                message = f"{quoted(clobber)} cannot be clobbered"
                raise self.document.error(
                    (*path, "clobbers", number), message, "write registers, or C for a C call"
                )
        try:
            allocate(block, 0)
        except OverflowError:
            message = "there are not enough registers for the operands"
            raise self.document.error((*path, "operands"), message, "clobber fewer") from None

    def _check_template(self, path: TomlPath, block: Block) -> None:
        locate = self.document.locate_in(path)
        if '"###' in block.template:
            place = locate(block.template.index('"###'))
            raise InputError(place, 'a template with `"###` in it', "write it otherwise")
        known = [each.name for each in block.operands if each.register in CLASSES or not each]
        known += block.touches
        for found in PLACEHOLDER.finditer(block.template):
            if found[0] in ("{{", "}}"):
                continue
            if found[1] is None:
                message = f"a lone {found[0]}"
                raise InputError(locate(found.start()), message, "write {{ or }}")
            if found[1] not in known:
                message = f"the template has no operand {quoted(found[1])}"
                remedy = nearest(found[1], known) if known else "it has none at all"
                raise InputError(locate(found.start()), message, remedy)

    def _check_function(self, path: TomlPath, table: BlockTable) -> None:
        if table.function is None or not _FUNCTION.fullmatch(table.function):
            message = "not the name of a function"
            raise self.document.error((*path, "function"), message, 'write function = "strlen"')
        for key in ("clobbers", "options"):
            if key == "clobbers" and table.clobbers:
                message = "a foreign function clobbers what the C ABI lets it"
                raise self.document.key_error((*path, key), message, "leave it out")

    def _check_library(self, path: TomlPath, table: BlockTable) -> None:
        if table.library is None:
            return
        if table.function is None:
            message = "a library without a function of it"
            raise self.document.key_error((*path, "library"), message, 'write function = "cbrt"')
        if not _LIBRARY.fullmatch(table.library):
            message = f"{quoted(table.library)} is not the name of a library"
            remedy = 'write it as a linker has it, such as "m": letters, digits, _ and -'
            raise self.document.error((*path, "library"), message, remedy)

    def _as_arguments(self, path: TomlPath, operands: tuple[Operand, ...]) -> tuple[Operand, ...]:
        """The operands in the registers of the System V ABI."""
        found = []
        general = iter(C_ARGUMENTS)
        vectors = iter(VECTOR)
        for each in operands:
            if each.access not in (Access.IN, Access.OUT) or each.register not in CLASSES:
                message = "a function has arguments (in) and a result (out)"
                raise self.document.key_error(
                    (*path, "operands", each.name), message, 'write in = "reg" or out = "reg"'
                )
            in_vector = each.register == "xmm_reg"
            if each.access is Access.OUT:
                register = "xmm0" if in_vector else "rax"
            else:
                register = next(vectors if in_vector else general, "")
            if not register:
                message = "more arguments than registers for them"
                raise self.document.error((*path, "operands"), message, "six integers at most")
            found.append(replace(each, register=register))
        return tuple(found)
