"""Report files: whole or not at all, and never in the place of a device."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from harness.errors import InputError
from harness.report.report_file import ReportFile


def test_a_new_file_takes_the_place_of_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "report"
    path.write_bytes(b"before")
    ReportFile(option="--json", path=path).write(b"after")
    assert path.read_bytes() == b"after"
    assert list(tmp_path.iterdir()) == [path]


def test_a_link_stays_one(tmp_path: Path) -> None:
    target, link = tmp_path / "target", tmp_path / "link"
    link.symlink_to(target)
    ReportFile(option="--json", path=link).write(b"written")
    assert link.is_symlink()
    assert target.read_bytes() == b"written"


def test_a_pipe_is_written_to_and_stays_one(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    read: list[bytes] = []
    reader = threading.Thread(target=lambda: read.append(path.read_bytes()))
    reader.start()
    ReportFile(option="--json", path=path).write(b"through the pipe")
    reader.join()
    assert read == [b"through the pipe"]
    assert path.is_fifo()


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_what_was_there_stays_where_writing_ends_early(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    path = tmp_path / "report"
    path.write_bytes(b"before")
    write = Path.write_bytes

    def write_some(self: Path, data: bytes) -> int:
        write(self, data[:2])
        raise error

    monkeypatch.setattr(Path, "write_bytes", write_some)
    with pytest.raises((InputError, KeyboardInterrupt)):
        ReportFile(option="--json", path=path).write(b"after")
    monkeypatch.undo()
    assert path.read_bytes() == b"before"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("name", ["", "no/such/folder", "file/below", "n" * 300])
def test_what_cannot_be_written_is_refused_with_its_option(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match=r"--junit: .* cannot be written"):
        ReportFile(option="--junit", path=tmp_path / name).write(b"data")
