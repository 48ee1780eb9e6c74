"""Sources and builds in the cache: written once, named after their content, never half done."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

KEPT_FOR = 14 * 24 * 3600.0
"""Seconds that what was made once stays in the cache after its last use."""

_NOT_SOURCE = ("target", ".git", "__pycache__")


def digest(*parts: str | bytes) -> str:
    """A short name for the content: the same for the same parts in the same order."""
    total = hashlib.sha256()
    for part in parts:
        data = part.encode("utf-8", "surrogatepass") if isinstance(part, str) else part
        total.update(len(data).to_bytes(8, "little"))
        total.update(data)
    return total.hexdigest()[:20]


def read_tree(folder: Path) -> dict[str, bytes]:
    """The files under `folder` by their relative paths, without what a build left there."""
    return {relative: path.read_bytes() for relative, path in _sources(folder)}


def digest_tree(folder: Path) -> str:
    """A short name for the content of all files of `read_tree`, without holding them at once."""
    parts: list[str | bytes] = []
    for relative, path in _sources(folder):
        with path.open("rb") as stream:
            parts += [relative, hashlib.file_digest(stream, "sha256").digest()]
    return digest(*parts)


def _sources(folder: Path) -> Iterator[tuple[str, Path]]:
    for path in sorted(folder.rglob("*")):
        relative = path.relative_to(folder)
        if path.is_file() and not any(part in _NOT_SOURCE for part in relative.parts):
            yield relative.as_posix(), path


def stage(files: Mapping[str, bytes], cache: Path) -> Path:
    """A folder in `cache` with exactly these files; the same one for the same files.

    The sources may lie where nothing can be written, such as in an installed package.
    """
    name = digest(*(part for path in sorted(files) for part in (path, files[path])))

    def write(folder: Path) -> None:
        for path, data in files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(data)

    return make_once(cache / name, write)


def make_once(folder: Path, make: Callable[[Path], None]) -> Path:
    """`folder`, which `make` fills if it is not there yet.

    It appears whole or not at all, however many processes make it at once.
    """
    try:
        # `discard_old` goes by the time of last use.
        os.utime(folder)
    except FileNotFoundError:
        pass
    else:
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(prefix=".new-", dir=folder.parent))
    try:
        make(scratch)
        scratch.chmod(0o755)
        try:
            os.rename(scratch, folder)  # noqa: PTH104 - Path.rename would be the same call
        except OSError:
            # Another process was faster, and what it made is the same.
            if not folder.is_dir():
                raise
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return folder


def discard_old(cache: Path) -> None:
    """Remove from the cache's folders what nobody has used for long."""
    oldest = time.time() - KEPT_FOR
    for entry in cache.glob("*/*"):
        try:
            is_old = entry.stat().st_mtime < oldest
        except FileNotFoundError:
            # Another process is at the same work.
            continue
        if is_old:
            shutil.rmtree(entry, ignore_errors=True)
