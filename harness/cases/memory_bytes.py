"""Memory in case files: all bytes as one string, or pieces at their addresses."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING

from harness.bytecode.tokens import Locate, parse_integer
from harness.errors import InputError, quoted

if TYPE_CHECKING:
    from harness.cases.toml_document import Document, Path

_WHOLE_BYTES = re.compile(r"(?:\s*[0-9a-fA-F]{2})*\s*", re.ASCII)


def parse_hex(text: str, locate: Locate) -> bytes:
    """The bytes that `text` writes as pairs of hexadecimal digits, with blanks between them.

    Raises: InputError, placed by `locate`.
    """
    try:
        return bytes.fromhex(text)
    except ValueError:
        pass
    match = _WHOLE_BYTES.match(text)
    at = match.end() if match else 0
    half = text[at] in "0123456789abcdefABCDEF"
    if half and (at + 1 == len(text) or text[at + 1].isspace()):
        message = f"{quoted(text[at])} is half a byte"
        raise InputError(locate(at), message, f"a byte is two digits: 0{text[at]}")
    at += half
    remedy = 'bytes are pairs of hexadecimal digits: "2a 00"'
    if text[at] in "xX" and text[at - 1 : at] == "0":
        remedy = 'bytes are written without 0x: "2a 00"'
    elif text[at] in ",_:":
        remedy = 'bytes are separated by blanks or by nothing: "2a 00"'
    raise InputError(locate(at), f"{quoted(text[at])} is not a hexadecimal digit", remedy)


def read_memory(
    document: Document, path: Path, value: str | dict[str, object], base: bytes
) -> bytes:
    """The memory that `value`, which stands at `path`, writes.

    A string is all of it; a table has pieces by address, laid over `base`. The memory has
    the size of `base`.

    Raises: InputError.
    """
    if isinstance(value, str):
        whole = parse_hex(value, document.locate_in(path))
        if len(whole) != len(base):
            message = f"{_bytes(len(whole))} for a memory of {_bytes(len(base))}"
            remedy = 'write all of them, or only some by their address: { 2 = "2a 00" }'
            raise document.error(path, message, remedy)
        return whole
    pieces = sorted(
        (*_piece(document, (*path, key), piece, len(base)), key) for key, piece in value.items()
    )
    for (before, content, _), (start, _, key) in pairwise(pieces):
        if start < before + len(content):
            message = f"address {start} is also written by the bytes at {before}"
            raise document.key_error((*path, key), message, "write each byte once")
    memory = bytearray(base)
    for start, content, _ in pieces:
        memory[start : start + len(content)] = content
    return bytes(memory)


def _piece(document: Document, path: Path, piece: object, size: int) -> tuple[int, bytes]:
    """The address of one piece, and its bytes."""
    key = str(path[-1])
    try:
        start = parse_integer(key)
    except InputError as error:
        message = f"{quoted(key)} is not an address"
        raise document.key_error(path, message, error.remedy) from None
    if not isinstance(piece, str):
        message = "bytes are written as a string of hexadecimal digits"
        raise document.error(path, message, f'write {key} = "2a 00"')
    content = parse_hex(piece, document.locate_in(path))
    if not content:
        raise document.error(path, f"no bytes at {key}", f'write {key} = "2a"')
    if not 0 <= start <= size - len(content):
        message = f"{_bytes(len(content))} at {key} are not within a memory of {_bytes(size)}"
        remedy = f"the last byte is at {size - 1}" if size else "an empty memory has no bytes"
        raise document.key_error(path, message, remedy)
    return start, content


def _bytes(count: int) -> str:
    return "1 byte" if count == 1 else f"{count} bytes"
