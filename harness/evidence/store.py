"""The store: a file of records on this machine that any number of processes append to.

A record is a line: the checksum of what follows, a key, and the record itself. It is written
by one call, under a lock, so that what a killed process leaves is at worst one line without
its end. A line whose checksum is wrong is dropped; all others stand.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

MEBIBYTE = 1 << 20

LARGEST = 128 * MEBIBYTE
"""A file that has grown beyond this is cut to half of it: the newest records stay.

All that is known of the whole corpus is 30 MiB, and all of it is new after an update.
"""

_CHECKSUM_LENGTH = 16
_CONTENT = slice(_CHECKSUM_LENGTH + 1, None)


class Store:
    """Records by their keys, which are words without a space; a key may have several.

    path: the file; it and its folder come into being with the first record.
    notes: what is wrong with the file, a sentence each; it never keeps anybody from working.
    """

    def __init__(self, path: Path, *, largest: int = LARGEST) -> None:
        self._path = path
        self._largest = largest
        self._records: dict[bytes, list[bytes]] | None = None
        self.notes: list[str] = []

    def find(self, key: str) -> list[bytes]:
        """The key's records, the newest first."""
        if self._records is None:
            self._records = self._read()
        return self._records.get(key.encode(), [])[::-1]

    def add(self, key: str, record: bytes) -> None:
        """Keep a record, which has no line feed in it; it is on file when this returns."""
        if record in self.find(key):
            return
        assert self._records is not None
        self._records.setdefault(key.encode(), []).append(record)
        # A line that somebody was killed over ends here, before the record begins.
        line = b"\n" + _line(key.encode(), record) + b"\n"
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._locked(fcntl.LOCK_EX), self._path.open("ab", buffering=0) as file:
                file.write(line)
        except OSError as error:
            self._note(f"{self._path} cannot be written ({error.strerror}): nothing new is kept")

    def _read(self) -> dict[bytes, list[bytes]]:
        try:
            with self._locked(fcntl.LOCK_SH):
                data = self._path.read_bytes()
        except FileNotFoundError:
            return {}
        except OSError as error:
            self._note(f"{self._path} cannot be read ({error.strerror}): nothing in it is used")
            return {}
        lines, damaged = _check(data)
        if damaged:
            self._note(f"{self._path} was damaged: {damaged} records in it are dropped")
        if damaged or len(data) > self._largest:
            with contextlib.suppress(OSError):
                self._rewrite()
        records: dict[bytes, list[bytes]] = {}
        for line in lines:
            key, _, record = line[_CONTENT].partition(b" ")
            records.setdefault(key, []).append(record)
        return records

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
                scratch.write_bytes(b"".join(b"\n" + line + b"\n" for line in lines))
                scratch.replace(self._path)
            finally:
                scratch.unlink(missing_ok=True)

    @contextlib.contextmanager
    def _locked(self, how: int) -> Iterator[bool]:
        """Hold the lock on the file, if its folder lets one; whether it does."""
        # A file of its own: the records' file is replaced now and then.
        try:
            descriptor = os.open(self._path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT, 0o644)
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


def _checksum(content: bytes) -> bytes:
    return hashlib.blake2b(content, digest_size=_CHECKSUM_LENGTH // 2).hexdigest().encode()


def _check(data: bytes) -> tuple[list[bytes], int]:
    """The lines that are whole, each once, and the number of those that are not."""
    lines: dict[bytes, None] = {}
    damaged = 0
    for line in data.split(b"\n"):
        if not line:
            continue
        if _checksum(line[_CONTENT]) == line[:_CHECKSUM_LENGTH]:
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
