"""The store: a file of records on this machine that any number of processes append to.

A record is a line: the checksum of what follows, a key, and the record itself. It is written
by one call, under a lock, so that what a killed process leaves is at worst one line without
its end. A line whose checksum is wrong is dropped; all others stand.

Beside it lies its seal: how long the file was when all lines in it were last found whole, and the
digest of it up to there. While that is so, only the lines behind it are looked at one by one.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

MEBIBYTE = 1 << 20

LARGEST = 192 * MEBIBYTE
"""A file that has grown beyond this is cut to half of it: the newest records stay.

All that is known of the whole corpus is 68 MiB, and all of it is new after an update.
"""

WORTH_SEALING = 256 * 1024
"""Bytes that are looked at line by line sooner than a new seal is written."""

FEW = 4
"""Keys that are sooner searched for than all of them are listed."""

_CHECKSUM_LENGTH = 16
_CONTENT = slice(_CHECKSUM_LENGTH + 1, None)


class Store:
    """Records by their keys, which are words without a space; a key may have several.

    path: the file; it and its folder come into being with the first record.
    notes: what is wrong with the file, a sentence each; it never keeps anybody from working.
    """

    def __init__(self, path: Path, *, largest: int = LARGEST) -> None:
        self._path = path
        self._lock = path.with_suffix(".lock")
        self._largest = largest
        self._data: bytes | None = None
        self._searched = 0
        self._listed: dict[bytes, list[bytes]] | None = None
        self._added: dict[bytes, list[bytes]] = {}
        self.notes: list[str] = []

    def find(self, key: str) -> list[bytes]:
        """The key's records, the newest first."""
        name = key.encode()
        records = (*self._find_on_file(name), *self._added.get(name, ()))
        return list(dict.fromkeys(records))[::-1]

    def add(self, key: str, record: bytes) -> None:
        """Keep a record, which has no line feed in it; it is on file when this returns."""
        if record in self.find(key):
            return
        self._added.setdefault(key.encode(), []).append(record)
        # A line that somebody was killed over ends here, before the record begins.
        line = _framed(_line(key.encode(), record))
        try:
            try:
                self._append(line)
            except FileNotFoundError:
                self._path.parent.mkdir(parents=True, exist_ok=True)
                self._append(line)
        except OSError as error:
            self._note(f"{self._path} cannot be written ({error.strerror}): nothing new is kept")

    def _append(self, line: bytes) -> None:
        """Write the line at the file's end, wherever that is by now. Raises: OSError."""
        with self._locked(fcntl.LOCK_EX):
            # Opened every time: others may have replaced it.
            descriptor = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
            try:
                os.write(descriptor, line)
            finally:
                os.close(descriptor)

    def _find_on_file(self, key: bytes) -> Sequence[bytes]:
        """The key's records as they were on file at the first question, the oldest first."""
        if self._listed is not None:
            return self._listed.get(key, ())
        if self._data is None:
            self._data = self._read()
        self._searched += 1
        if self._searched <= FEW:
            return _search(self._data, key)
        self._listed = _list(self._data)
        self._data = b""
        return self._listed.get(key, ())

    def _read(self) -> bytes:
        """The file's lines, all of them whole."""
        try:
            with self._locked(fcntl.LOCK_SH):
                data = self._path.read_bytes()
        except FileNotFoundError:
            return b""
        except OSError as error:
            self._note(f"{self._path} cannot be read ({error.strerror}): nothing in it is used")
            return b""
        sealed = self._sealed(data)
        lines, damaged = _check(data[sealed:])
        if damaged:
            self._note(f"{self._path} was damaged: {damaged} records in it are dropped")
            data = data[:sealed] + b"".join(_framed(line) for line in lines)
        if damaged or len(data) > self._largest:
            with contextlib.suppress(OSError):
                self._rewrite()
        elif len(data) - sealed > WORTH_SEALING:
            self._seal(data)
        return data

    def _sealed(self, data: bytes) -> int:
        """How much of it, from its beginning, was found whole before and is as it was."""
        try:
            length, digest = self._path.with_suffix(".seal").read_bytes().split()
            size = int(length)
        except (OSError, ValueError):
            return 0
        return size if 0 < size <= len(data) and _digest(data, size) == digest else 0

    def _seal(self, data: bytes) -> None:
        """Say that these first bytes of the file were found whole."""
        scratch = self._path.with_suffix(f".{os.getpid()}.partial")
        with contextlib.suppress(OSError):
            scratch.write_bytes(b"%d %s\n" % (len(data), _digest(data, len(data))))
            scratch.replace(self._path.with_suffix(".seal"))

    def _rewrite(self) -> None:
        """Leave out what is damaged, and the oldest records of a file that is too large."""
        scratch = self._path.with_suffix(f".{os.getpid()}.partial")
        with self._locked(fcntl.LOCK_EX) as is_locked:
            if not is_locked:
                return
            # Others may have added to it since it was read.
            data = self._path.read_bytes()
            lines, _ = _check(data)
            if len(data) > self._largest:
                lines = _newest(lines, self._largest // 2)
            try:
                scratch.write_bytes(b"".join(map(_framed, lines)))
                scratch.replace(self._path)
            finally:
                scratch.unlink(missing_ok=True)

    @contextlib.contextmanager
    def _locked(self, how: int) -> Iterator[bool]:
        """Hold the lock on the file, if its folder lets one; whether it does."""
        # A file of its own: the records' file is replaced now and then.
        try:
            descriptor = os.open(self._lock, os.O_RDWR | os.O_CREAT, 0o644)
        except OSError:
            yield False
            return
        try:
            try:
                fcntl.flock(descriptor, how)
            except OSError:
                # Not every network's file system has locks.
                yield False
            else:
                yield True
        finally:
            os.close(descriptor)

    def _note(self, note: str) -> None:
        if note not in self.notes:
            self.notes.append(note)


def _line(key: bytes, record: bytes) -> bytes:
    content = key + b" " + record
    return _checksum(content) + b" " + content


def _framed(line: bytes) -> bytes:
    """The line as it stands in the file."""
    return b"\n" + line + b"\n"


def _list(data: bytes) -> dict[bytes, list[bytes]]:
    """Records by their keys, the oldest first, of lines that are whole."""
    records: dict[bytes, list[bytes]] = {}
    for line in data.split(b"\n"):
        if line:
            key, _, record = line[_CONTENT].partition(b" ")
            records.setdefault(key, []).append(record)
    return records


def _search(data: bytes, key: bytes) -> list[bytes]:
    """What `_list` has of the key."""
    records: list[bytes] = []
    wanted = b" " + key + b" "
    at = data.find(wanted)
    while at >= 0:
        # Farther from its line's beginning, the same bytes are part of a record.
        if data.rfind(b"\n", 0, at) == at - _CHECKSUM_LENGTH - 1:
            begin = at + len(wanted)
            end = data.find(b"\n", begin)
            records.append(data[begin:] if end < 0 else data[begin:end])
        at = data.find(wanted, at + 1)
    return records


def _digest(data: bytes, size: int) -> bytes:
    return hashlib.sha256(memoryview(data)[:size]).hexdigest().encode()


def _checksum(content: bytes) -> bytes:
    return hashlib.blake2b(content, digest_size=_CHECKSUM_LENGTH // 2).hexdigest().encode()


def _check(data: bytes) -> tuple[list[bytes], int]:
    """The lines that are whole, each once, and the number of those that are not."""
    lines: dict[bytes, None] = {}
    damaged = 0
    for line in data.split(b"\n"):
        if not line:
            continue
        content = line[_CONTENT]
        if line == _checksum(content) + b" " + content:
            lines[line] = None
        else:
            damaged += 1
    return list(lines), damaged


def _newest(lines: list[bytes], size: int) -> list[bytes]:
    """The last of the lines, together at most so many bytes."""
    kept: list[bytes] = []
    for line in reversed(lines):
        size -= len(line) + 2
        if size < 0:
            break
        kept.append(line)
    return kept[::-1]
