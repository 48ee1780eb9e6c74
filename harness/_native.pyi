"""
What the Python package leaves to Rust: the Rust VM in process, TOML with the place of every
key and value, the names in a piece of Rust and what it does, and the assembly in a file of it.
"""

from typing import final

__all__ = ["AsmBlock", "AsmOperand", "Ran", "RustExpr", "RustName", "RustPair", "RustStories", "RustTerm", "RustText", "RustUnread", "RustVariable", "TomlPlace", "Trapped", "parse_toml", "run", "rust_names", "rust_stories", "rust_terms", "variants"]

@final
class AsmBlock:
    """
    One call of `asm!`. Lines and columns count from 1, columns in code points.
    """
    @property
    def clobber_abi(self, /) -> list[str]:
        """
        The functions' conventions whose registers are clobbered.
        """
    @property
    def column(self, /) -> int: ...
    @property
    def line(self, /) -> int: ...
    @property
    def operands(self, /) -> list[AsmOperand]: ...
    @property
    def options(self, /) -> list[str]: ...
    @property
    def templates(self, /) -> list[str]:
        """
        The templates, which the assembler sees as one, with a line for each.
        """

@final
class AsmOperand:
    """
    One operand. Lines and columns count from 1, columns in code points.
    """
    @property
    def access(self, /) -> str:
        """
        `in`, `out`, `inout`, `lateout`, `inlateout`, `const`, `sym` or `label`.
        """
    @property
    def column(self, /) -> int: ...
    @property
    def dropped(self, /) -> bool:
        """
        Whether something comes out that goes nowhere, as with `_`.
        """
    @property
    def explicit(self, /) -> bool:
        """
        Whether `register` is the name of one register.
        """
    @property
    def line(self, /) -> int: ...
    @property
    def name(self, /) -> str | None:
        """
        What the template calls it; None where it goes by its number.
        """
    @property
    def register(self, /) -> str:
        """
        A class such as `reg`, or the name of one register; empty for a constant or a symbol.
        """
    @property
    def source(self, /) -> RustExpr | None:
        """
        What goes in: of `in`, `inout`, `const` and `sym`.
        """
    @property
    def target(self, /) -> RustExpr | None:
        """
        What comes out; None for `_`, and where nothing does.
        """

@final
class Ran:
    """
    Every instruction of the program was executed.
    """
    @property
    def memory(self, /) -> bytes:
        """
        The final bytes of the program's memory.
        """
    @property
    def steps(self, /) -> int:
        """
        Instructions executed.
        """

@final
class RustExpr:
    """
    An expression. Lines and columns count from 1, columns in code points.
    """
    @property
    def casts(self, /) -> list[str]:
        """
        What it is cast to, one after the other; a literal's suffix is the first, and of what is
        neither a variable nor a literal only the last cast is known. `as_ptr`,
        `as_mut_ptr`, `from_ref` and `from_mut` stand for the functions, `&raw const` and
        `&raw mut` for a borrow of its place.
        """
    @property
    def column(self, /) -> int: ...
    @property
    def line(self, /) -> int: ...
    @property
    def literal(self, /) -> str | None:
        """
        The integer that it is, before any cast, in decimal digits.
        """
    @property
    def text(self, /) -> str:
        """
        As it stands there, for people.
        """
    @property
    def variable(self, /) -> str | None:
        """
        The plain variable that it is, before any cast.
        """

@final
class RustName:
    """
    A name in a piece of Rust. Lines and columns count from 1, columns in code points.
    """
    @property
    def column(self, /) -> int: ...
    @property
    def kind(self, /) -> str:
        """
        `path`; `macro`; `opaque` for a macro whose arguments are no expressions; or for an item
        that is more than a definition: `static`, `extern`, `mod`.
        """
    @property
    def line(self, /) -> int: ...
    @property
    def name(self, /) -> str:
        """
        A path has its segments with `::` between them.
        """

@final
class RustPair:
    """
    A block of assembly and its story. Lines and columns count from 1, columns in code points.
    """
    @property
    def block(self, /) -> AsmBlock: ...
    @property
    def ends(self, /) -> bool:
        """
        Whether its function ends with it, so that nobody sees its variables any more.
        """
    @property
    def features(self, /) -> list[str]:
        """
        What `target_feature` enables there.
        """
    @property
    def function(self, /) -> str:
        """
        The function that it is in; empty outside of any.
        """
    @property
    def gives(self, /) -> list[str] | None:
        """
        The operands' variables that the pair's value is made of; None if it has no value.
        """
    @property
    def parameters(self, /) -> list[tuple[str, str, bool]] | None:
        """
        The story's parameters, where it is a function of its own: what it calls each, what the
        block's function calls it, and whether it can be assigned to.
        """
    @property
    def returns(self, /) -> list[str] | None:
        """
        The types of that value, where they are said.
        """
    @property
    def story(self, /) -> RustText: ...
    @property
    def variables(self, /) -> list[RustVariable]:
        """
        What is in scope where the block stands, and what is declared for it, in that order.
        """

@final
class RustStories:
    """
    What a Rust file has of assembly.
    """
    @property
    def elsewhere(self, /) -> list[str]:
        """
        Modules in files of their own that are for other machines, as `outer/inner`.
        """
    @property
    def imports(self, /) -> list[tuple[str, str]]:
        """
        Names that `use` brings in, with their paths.
        """
    @property
    def items(self, /) -> list[str]:
        """
        Names of the file's own items.
        """
    @property
    def pairs(self, /) -> list[RustPair]: ...
    @property
    def unread(self, /) -> list[RustUnread]: ...

@final
class RustTerm:
    """
    A statement or an expression. Line and column count from 1, columns in code points.

    Which parts there are goes by the kind: `let` (a value), `assign` (a place and a value; the
    text is the operator before `=`), `name`, `number`, `float`, `method` (the receiver, then the
    arguments), `call`, `macro` (arguments), `cast`, `unary`, `binary`, `borrow` (the text says
    which), `field`, `index`, `array`, `repeat`, `tuple`, `block` (statements), `if` (a condition
    and one block or two), `loop` (statements), `closure` (names in it), `struct` (of one field, whose type is `written`; its
    alignment), `use` and `unsaid`.
    """
    @property
    def column(self, /) -> int: ...
    @property
    def kind(self, /) -> str: ...
    @property
    def line(self, /) -> int: ...
    @property
    def parts(self, /) -> list[RustTerm]: ...
    @property
    def text(self, /) -> str:
        """
        A name, an operator, the digits of a number; of what is `unsaid`, what it is, in words.
        """
    @property
    def written(self, /) -> str | None:
        """
        The type that is written there: a cast's, a literal's suffix, one in `::<…>`.
        """

@final
class RustText:
    """
    A piece of the file as it stands there. Line and column of its start count from 1.
    """
    @property
    def column(self, /) -> int: ...
    @property
    def line(self, /) -> int: ...
    @property
    def text(self, /) -> str: ...

@final
class RustUnread:
    """
    Assembly that is not read as one half of a pair. Line and column count from 1.
    """
    @property
    def column(self, /) -> int: ...
    @property
    def elsewhere(self, /) -> bool:
        """
        Whether it is for other machines alone.
        """
    @property
    def function(self, /) -> str: ...
    @property
    def line(self, /) -> int: ...
    @property
    def reason(self, /) -> str: ...

@final
class RustVariable:
    """
    A variable. Lines and columns count from 1, columns in code points.
    """
    @property
    def column(self, /) -> int: ...
    @property
    def declared(self, /) -> str | None:
        """
        The type as it is written; None where it is not.
        """
    @property
    def inner(self, /) -> bool:
        """
        Whether it is there for the assembly alone, so that the story does not see it.
        """
    @property
    def line(self, /) -> int: ...
    @property
    def mutable(self, /) -> bool:
        """
        Whether it can be assigned to anew.
        """
    @property
    def name(self, /) -> str: ...
    @property
    def value(self, /) -> RustExpr | None:
        """
        What it begins as; None for a parameter, and where nothing says so in one expression.
        """

@final
class TomlPlace:
    """
    Where a key and its value stand. Lines and columns count from 1, columns in code points.
    """
    @property
    def key(self, /) -> tuple[int, int] | None:
        """
        Line and column of the key; None for the document and for an element of an array.
        """
    @property
    def raw(self, /) -> str | None:
        """
        The source text of a string, with its quotation marks; None for any other value.
        """
    @property
    def value(self, /) -> tuple[int, int]:
        """
        Line and column of the value's first character; a table that a header opens begins
        at the header's bracket, one that only a dotted key implies at that part of the key.
        """

@final
class Trapped:
    """
    An operand could not be compiled: no instruction was executed.
    """
    @property
    def instruction(self, /) -> int:
        """
        Index of the instruction.
        """
    @property
    def kind(self, /) -> str:
        """
        `out-of-bounds` or `misaligned`.
        """
    @property
    def memory(self, /) -> bytes:
        """
        The bytes of the program's memory, which are the initial ones.
        """
    @property
    def operand(self, /) -> str:
        """
        The operand's name in its opcode.
        """

def parse_toml(text: "str") -> "tuple[dict[str, object], dict[tuple[str | int, ...], TomlPlace]]":
    """
    Read `text` as a TOML document: its values, and where each of them stands.

    The values are those that `tomllib` would give. The places go by the path of a value: its
    keys, and its indices in arrays, from the outside in; `()` is the document itself.

    Raises: harness.errors.TomlError for the first mistake in the text.
    """

def run(variant: str, wire: bytes) -> Ran | Trapped:
    """
    Run a program in a variant of the Rust VM, in this process and without the interpreter lock.

    `wire` is the program's wire form, as `harness.bytecode.wire` writes it.

    Some variants are undefined behaviour by design: `reborrow` and `owner` for nearly every
    program, `deref-mut` where operands alias each other. What such a run returns is no evidence
    of anything, and no promise is possible that it returns at all; the caller decides which
    programs may run here and what the result is worth.

    Raises: ValueError if there is no such variant, or `wire` is not a program.
    """

def rust_names(text: "str") -> "list[RustName]":
    """
    The names in `text`, statements as they stand in a function, in their order.

    Raises: harness.errors.RustError, if it is not Rust.
    """

def rust_stories(text: "str") -> "RustStories":
    """
    The blocks of assembly in `text`, a whole file, with the stories beside them.

    Raises: harness.errors.RustError, if it is not Rust.
    """

def rust_terms(text: "str") -> "list[RustTerm]":
    """
    The statements of `text`, as they stand in a function.

    Raises: harness.errors.RustError, if it is not Rust.
    """

def variants() -> list[str]:
    """
    The names of the Rust VM's variants, in the order of their table.
    """
