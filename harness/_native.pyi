"""
What the Python package leaves to Rust: TOML with the place of every key and value.
"""

from typing import final

__all__ = ["TomlPlace", "parse_toml"]

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

def parse_toml(text: "str") -> "tuple[dict[str, object], dict[tuple[str | int, ...], TomlPlace]]":
    """
    Read `text` as a TOML document: its values, and where each of them stands.

    The values are those that `tomllib` would give. The places go by the path of a value: its
    keys, and its indices in arrays, from the outside in; `()` is the document itself.

    Raises: harness.errors.TomlError for the first mistake in the text.
    """
