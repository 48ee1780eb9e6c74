"""The cache: named after content, whole or not at all, and not for ever."""

from __future__ import annotations

import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from harness.toolchain.workspace import (
    KEPT_FOR,
    digest,
    discard_old,
    make_once,
    read_tree,
    stage,
)


def test_the_same_files_are_the_same_folder(tmp_path: Path) -> None:
    files = {"Cargo.toml": b"a", "src/main.rs": b"b"}
    first = stage(files, tmp_path)
    assert stage(dict(reversed(files.items())), tmp_path) == first
    assert read_tree(first) == files
    for other in ({**files, "src/main.rs": b"c"}, {"Cargo.toml": b"a"}, {"Cargo.tomla": b""}):
        assert stage(other, tmp_path) != first


def test_parts_of_a_digest_do_not_run_together() -> None:
    assert digest("ab", "c") != digest("a", "bc")
    assert digest("ab") == digest(b"ab")


def test_what_a_build_leaves_is_no_source(tmp_path: Path) -> None:
    for path in ("src/lib.rs", "target/debug/x", "src/__pycache__/y", ".git/z"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(b"")
    assert list(read_tree(tmp_path)) == ["src/lib.rs"]


def test_making_fails_whole(tmp_path: Path) -> None:
    def fail(folder: Path) -> None:
        (folder / "half").touch()
        raise RuntimeError("half way")

    with pytest.raises(RuntimeError, match="half way"):
        make_once(tmp_path / "made", fail)
    assert list(tmp_path.iterdir()) == []


def test_many_at_once_make_one(tmp_path: Path) -> None:
    def make(folder: Path) -> None:
        (folder / "a").write_text("a")
        time.sleep(0.05)
        (folder / "b").write_text("b")

    with ThreadPoolExecutor(8) as pool:
        made = set(pool.map(lambda _: make_once(tmp_path / "x" / "made", make), range(8)))
    assert made == {tmp_path / "x" / "made"}
    assert [path.name for path in (tmp_path / "x").iterdir()] == ["made"]
    assert read_tree(tmp_path / "x" / "made") == {"a": b"a", "b": b"b"}


def test_what_is_not_used_goes(tmp_path: Path) -> None:
    sources = tmp_path / "sources"
    used, unused = (stage({"a": data}, sources) for data in (b"1", b"2"))
    abandoned = sources / ".new-abandoned"
    abandoned.mkdir()
    old = time.time() - KEPT_FOR - 60
    for folder in (used, unused, abandoned):
        os.utime(folder, (old, old))
    assert stage({"a": b"1"}, sources) == used
    discard_old(tmp_path)
    assert list(sources.iterdir()) == [used]
    discard_old(tmp_path / "not there")
