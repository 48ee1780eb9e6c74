"""Text of a user's file."""

from __future__ import annotations

from harness.errors import InputError, Place


def decode_text(data: bytes, file: str) -> str:
    """`data`, the content of `file`, as text. Raises: InputError, if it is not UTF-8."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        at = error.start
    line_start = data.rfind(b"\n", 0, at) + 1
    before = data[line_start:at].decode("utf-8").removeprefix("\ufeff")
    place = Place(file=file, line=data.count(b"\n", 0, at) + 1, column=len(before) + 1)
    remedy = "save the file as UTF-8"
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        remedy += "; it looks like UTF-16"
    raise InputError(place, f"byte 0x{data[at]:02x} at offset {at} is not UTF-8", remedy)
