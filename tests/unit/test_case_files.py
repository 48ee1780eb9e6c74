"""Which case files there are below a path, and what is said of those that cannot be had."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from harness.cases.case import FILE_LIMIT
from harness.cases.files import CaseFile, find_case_files, read_case_file
from harness.cases.load import load
from harness.cases.pointer_case import PointerCase
from harness.cases.set_file import read_set_file
from harness.errors import InputError

SET = Path(__file__).parents[1] / "data" / "miri-verdicts-sample.jsonl"


def case_files(root: Path, *names: str) -> None:
    """Empty files below `root`."""
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()


def ids(*paths: Path) -> list[str]:
    """The ids of the files below `paths`, none of which may be wrong."""
    found = list(find_case_files(paths))
    assert all(isinstance(each, CaseFile) for each in found)
    return [each.id for each in found if isinstance(each, CaseFile)]


def errors(*paths: Path | str) -> list[InputError]:
    return [each for each in find_case_files(paths) if isinstance(each, InputError)]


def the_error(*paths: Path | str) -> str:
    (error,) = errors(*paths)
    assert error.remedy
    return str(error)


def test_a_folder_is_read_to_its_depth_in_the_order_of_names(tmp_path: Path) -> None:
    case_files(tmp_path, "b.toml", "a/z.toml", "a/y/x.toml", "c.toml", "B.toml")
    assert ids(tmp_path) == ["B", "a/y/x", "a/z", "b", "c"]


def test_hidden_and_other_files_are_not_looked_at(tmp_path: Path) -> None:
    case_files(tmp_path, "a.toml", ".b.toml", ".hidden/c.toml", "README.md", "d.TOML", ".toml")
    assert ids(tmp_path) == ["a"]


def test_an_id_is_the_path_below_the_corpus(tmp_path: Path) -> None:
    case_files(tmp_path, "corpus/bytecode/a.toml")
    corpus = tmp_path / "corpus"
    for path in (tmp_path, corpus, corpus / "bytecode", corpus / "bytecode" / "a.toml"):
        assert ids(path) == ["bytecode/a"]


def test_the_innermost_corpus_counts(tmp_path: Path) -> None:
    case_files(tmp_path, "corpus/mine/corpus/a.toml")
    assert ids(tmp_path) == ["a"]


def test_an_id_outside_a_corpus_is_the_path_below_what_was_given(tmp_path: Path) -> None:
    case_files(tmp_path, "mine/deep/a.toml")
    assert ids(tmp_path) == ["mine/deep/a"]
    assert ids(tmp_path / "mine") == ["deep/a"]
    assert ids(tmp_path / "mine" / "deep" / "a.toml") == ["a"]


def test_relative_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    case_files(tmp_path, "corpus/bytecode/a.toml")
    monkeypatch.chdir(tmp_path / "corpus")
    assert ids(Path()) == ["bytecode/a"]
    assert ids(Path("bytecode/a.toml")) == ["bytecode/a"]
    assert ids(Path("../corpus/bytecode")) == ["bytecode/a"]


def test_a_file_named_twice_is_one_case(tmp_path: Path) -> None:
    case_files(tmp_path, "a.toml", "deep/b.toml")
    assert ids(tmp_path, tmp_path / "deep", tmp_path / "a.toml") == ["a", "deep/b"]


def test_two_files_with_one_id(tmp_path: Path) -> None:
    case_files(tmp_path, "x/a.toml", "y/a.toml")
    assert the_error(tmp_path / "x", tmp_path / "y").startswith(
        f"{tmp_path}/y/a.toml: the id 'a' is that of {tmp_path}/x/a.toml already\n  rename"
    )


def test_nothing_there(tmp_path: Path) -> None:
    case_files(tmp_path, "bytecode/add.toml")
    assert "there is no such file or folder\n  name a case" in the_error(tmp_path / "xyz")
    assert f"did you mean {tmp_path}/bytecode?" in the_error(tmp_path / "bytcode")
    nearly = tmp_path / "bytecode" / "ad.toml"
    assert f"did you mean {tmp_path}/bytecode/add.toml?" in the_error(nearly)
    assert the_error(tmp_path / "no" / "where" / "a.toml")


def test_a_folder_without_a_case(tmp_path: Path) -> None:
    case_files(tmp_path, "README.md", "deep/notes.txt")
    assert the_error(tmp_path).startswith(f"{tmp_path}: no case in this folder or below it")


def test_a_file_of_another_kind(tmp_path: Path) -> None:
    case_files(tmp_path, "a.json")
    assert the_error(tmp_path / "a.json") == (
        f"{tmp_path}/a.json: not a case file\n  a case file's name ends in .toml"
    )


@pytest.mark.parametrize("path", ["a\0b", "a" * 300, "\udcff.toml", ""])
def test_paths_that_no_file_can_have(path: str, tmp_path: Path) -> None:
    assert errors(tmp_path / "missing" / path)[0].remedy


def test_links_that_lead_nowhere_or_round(tmp_path: Path) -> None:
    case_files(tmp_path, "deep/a.toml")
    (tmp_path / "deep" / "up").symlink_to(tmp_path, target_is_directory=True)
    (tmp_path / "gone.toml").symlink_to(tmp_path / "nothing")
    (tmp_path / "self.toml").symlink_to(tmp_path / "self.toml")
    found = list(find_case_files([tmp_path]))
    assert [each.id for each in found if isinstance(each, CaseFile)] == ["deep/a"]
    assert [str(each).removeprefix(f"{tmp_path}/").split("\n")[0] for each in errors(tmp_path)] == [
        "deep/up: a symbolic link back to a folder that it is in",
        "gone.toml: a symbolic link to nothing",
        "self.toml: cannot be read: Too many levels of symbolic links",
    ]


def test_a_link_to_another_folder_is_followed_once(tmp_path: Path) -> None:
    case_files(tmp_path, "mine/a.toml", "elsewhere/b.toml")
    (tmp_path / "mine" / "link").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    (tmp_path / "mine" / "again").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    assert ids(tmp_path / "mine") == ["a", "again/b"]


def test_odd_names_become_printable_ids(tmp_path: Path) -> None:
    names = ["a b.toml", "ünï.toml", "new\nline.toml", "\x1b[31m.toml", "$(id);'\".toml", "-x.toml"]
    case_files(tmp_path, *names)
    (tmp_path / os.fsdecode(b"\xff.toml")).touch()
    found = ids(tmp_path)
    assert sorted(found) == sorted(
        ["a b", "ünï", "new\\nline", "\\x1b[31m", "$(id);'\"", "-x", "\\udcff"]
    )
    loaded = load([tmp_path])
    assert len(loaded.errors) == len(found)
    assert all(str(error).replace("\n", "").isprintable() for error in loaded.errors)


def test_a_file_larger_than_the_limit(tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    with path.open("wb") as stream:
        stream.truncate(FILE_LIMIT)
    assert len(read_case_file(CaseFile(path=path, id="a"))) == FILE_LIMIT
    with path.open("wb") as stream:
        stream.truncate(FILE_LIMIT + 1)
    (error,) = load([path]).errors
    assert "larger than a case may be\n  the limit is 1048576 bytes (1 MiB)" in str(error)


def test_what_is_not_a_regular_file_is_not_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.toml")
    (tmp_path / "b.toml").mkdir()
    case_files(tmp_path, "b.toml/c.toml")
    (pipe, empty) = load([tmp_path]).errors
    assert "a.toml: not a regular file" in str(pipe)
    assert "c.toml:1:1: 'description' is missing" in str(empty)


def test_a_file_that_goes_away_or_may_not_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    case_files(tmp_path, "a.toml")
    file = CaseFile(path=tmp_path / "a.toml", id="a")

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patched:
        patched.setattr(Path, "open", refuse)
        with pytest.raises(InputError, match=r"a\.toml: cannot be read: Permission denied"):
            read_case_file(file)
    (tmp_path / "a.toml").unlink()
    with pytest.raises(InputError, match="there is no such file"):
        read_case_file(file)


def test_another_limit_can_be_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    with path.open("wb") as stream:
        stream.truncate(FILE_LIMIT + 1)
    (larger,) = find_case_files([path], limit=2 * FILE_LIMIT)
    assert isinstance(larger, CaseFile)
    assert len(read_case_file(larger)) == FILE_LIMIT + 1
    (smaller,) = find_case_files([path], limit=100)
    assert isinstance(smaller, CaseFile)
    with pytest.raises(InputError, match=r"the limit is 100 bytes .*--input-limit"):
        read_case_file(smaller)


def test_a_line_of_a_set_is_not_read_beyond_its_limit(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(SET.read_bytes().splitlines(keepends=True)[0] + b" " * 5000 + b"\n{}\n")
    first, error = read_set_file(path, limit=5000)
    assert isinstance(first, PointerCase)
    assert isinstance(error, InputError)
    assert str(error.place) == f"{path}:2:1"
    assert "--input-limit" in error.remedy
