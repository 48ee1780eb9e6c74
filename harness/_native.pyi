"""
What the Python package leaves to Rust: the Rust VM in process, TOML with the place of every
key and value, and the names in a piece of Rust.
"""

from typing import final

__all__ = ["Ran", "RustName", "TomlPlace", "Trapped", "parse_toml", "run", "rust_names", "variants"]

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

def variants() -> list[str]:
    """
    The names of the Rust VM's variants, in the order of their table.
    """
