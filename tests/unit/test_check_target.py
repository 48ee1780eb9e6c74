"""What `harness check` is pointed at, what it makes of a run, and what the modes mean together."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from harness.cli.main import run as run_harness
from harness.diagnostics.failure import read_error
from harness.diagnostics.message import Message
from harness.errors import InputError
from harness.mode import MODES, Aliasing, Mode, Provenance
from harness.outcome import (
    FaultKind,
    Leaked,
    Outcome,
    Ran,
    TimedOut,
    UndefinedBehaviour,
    Unsupported,
    UnsupportedKind,
)
from harness.toolchain.command import Command
from harness.toolchain.process import Completed, Ending, Launcher, Limits
from harness.usercode.check import Checked
from harness.usercode.check_json import encode
from harness.usercode.check_screen import render_checked
from harness.usercode.differences import differences
from harness.usercode.target import (
    Choice,
    Crate,
    RustFile,
    RustTest,
    Target,
    find_target,
    match_tests,
)


class FakeCargo(Launcher):
    """Answers `cargo metadata` with what it was given."""

    def __init__(self, answer: object, exit_code: int = 0, errors: str = "") -> None:
        super().__init__()
        self._answer, self._exit_code, self._errors = answer, exit_code, errors

    def run(
        self,
        command: Command,
        *,
        stdin: bytes = b"",
        limits: Limits | None = None,
        listener: object = None,
    ) -> Completed:
        assert command.argv[:3] == ("cargo", "+some-toolchain", "metadata")
        return Completed(
            command=command,
            exit_code=self._exit_code,
            ending=Ending.EXITED,
            stdout=json.dumps(self._answer).encode(),
            stderr=self._errors.encode(),
            seconds=0.1,
            limits=Limits(),
        )


def target(name: str, kind: str, *, test: bool = True) -> dict[str, Any]:
    return {"name": name, "kind": [kind], "test": test}


def package(
    root: Path, name: str, *targets: dict[str, Any], folder: str = "", outside: str | None = None
) -> dict[str, Any]:
    dependency = [{"name": "other", "path": outside}] if outside else []
    return {
        "name": name, "version": "1.2.3", "id": name, "default_run": None, "targets": targets,
        "manifest_path": str(root / folder / "Cargo.toml"), "dependencies": dependency,
    }  # fmt: skip


@pytest.fixture
def crate(tmp_path: Path) -> Path:
    root = tmp_path / "crate"
    (root / "src").mkdir(parents=True)
    (root / "Cargo.toml").write_text("[package]\n")
    (root / "Cargo.lock").write_text("# made by cargo\n")
    (root / "src" / "main.rs").write_text("fn main() {}\n")
    return root


def find(root: Path, *packages: dict[str, Any], choice: Choice | None = None) -> Target:
    answer = {"packages": packages, "workspace_root": str(root), "more": 1}
    return find_target(
        FakeCargo(answer), "some-toolchain", root, choice or Choice(), edition="2021",
        cache=root.parent / "cache",
    )  # fmt: skip


def test_the_only_binary_is_meant(crate: Path) -> None:
    found = find(crate, package(crate, "one", target("one", "lib"), target("run", "bin")))
    assert isinstance(found, Crate)
    assert found.words == ("--package", "one@1.2.3", "--bin", "run")
    assert found.title == "one 1.2.3, bin run"
    assert found.root == crate
    assert not found.target.is_relative_to(crate)


def test_the_targets_with_tests_are_found(crate: Path) -> None:
    targets = (
        target("one", "lib"), target("run", "bin", test=False), target("more", "test"),
        target("bench", "bench"), target("build-script-build", "custom-build"),
    )  # fmt: skip
    found = find(crate, package(crate, "one", *targets), choice=Choice(tests=True))
    assert isinstance(found, Crate)
    assert found.test_targets == (("--lib",), ("--test", "more"))
    assert found.words == ("--package", "one@1.2.3")


def test_features_are_passed_on(crate: Path) -> None:
    choice = Choice(example="demo", features=("--features", "a,b"))
    found = find(crate, package(crate, "one", target("demo", "example")), choice=choice)
    assert isinstance(found, Crate)
    assert found.words == ("--package", "one@1.2.3", "--features", "a,b", "--example", "demo")


@pytest.mark.parametrize(
    ("targets", "choice", "message", "remedy"),
    [
        ([], Choice(), "one has no binary", "--test '*' checks all of its tests"),
        ([target("demo", "example")], Choice(), "one has no binary", "one of demo"),
        ([target("a", "bin"), target("b", "bin")], Choice(), "several binaries", "one of a, b"),
        ([target("a", "bin")], Choice(binary="z"), "has no bin 'z'", "it has a"),
        ([], Choice(example="z"), "has no example 'z'", "it has none"),
        ([], Choice(tests=True), "one has no tests", "--bin"),
        ([], Choice(package="z"), "there is no package 'z'", "one of one"),
    ],
)
def test_what_is_not_there_is_said(
    crate: Path, targets: list[Any], choice: Choice, message: str, remedy: str
) -> None:
    with pytest.raises(InputError) as raised:
        find(crate, package(crate, "one", *targets), choice=choice)
    assert message in raised.value.message
    assert remedy in raised.value.remedy


def test_a_workspace_needs_a_package(crate: Path) -> None:
    packages = (
        package(crate, "one", target("one", "bin"), folder="one"),
        package(crate, "two", target("two", "bin"), folder="two"),
    )
    with pytest.raises(InputError, match="several packages"):
        find(crate, *packages)
    found = find(crate, *packages, choice=Choice(package="two"))
    assert isinstance(found, Crate)
    assert found.words == ("--package", "two@1.2.3", "--bin", "two")


def test_without_a_lock_file_a_copy_is_built(crate: Path) -> None:
    (crate / "Cargo.lock").unlink()
    (crate / "target").mkdir()
    found = find(crate, package(crate, "one", target("one", "bin")))
    assert isinstance(found, Crate)
    assert not found.root.is_relative_to(crate)
    assert found.source == crate
    assert sorted(path.name for path in found.root.iterdir()) == ["Cargo.toml", "src"]
    # What cargo resolved stays, and what was changed is copied again.
    (found.root / "Cargo.lock").write_text("resolved\n")
    (crate / "src" / "main.rs").write_text("fn main() { loop {} }\n")
    assert find(crate, package(crate, "one", target("one", "bin"))) == found
    assert (found.root / "Cargo.lock").read_text() == "resolved\n"
    assert "loop" in (found.root / "src" / "main.rs").read_text()
    assert not (crate / "Cargo.lock").exists()


def test_a_copy_cannot_reach_what_lies_outside(crate: Path) -> None:
    (crate / "Cargo.lock").unlink()
    with pytest.raises(InputError, match="generate-lockfile"):
        find(crate, package(crate, "one", target("one", "bin"), outside="/somewhere/other"))


def test_what_cargo_says_of_a_manifest_is_passed_on(crate: Path) -> None:
    cargo = FakeCargo({}, exit_code=101, errors="error: failed to parse manifest at `x`\n")
    with pytest.raises(InputError, match="failed to parse manifest at `x`"):
        find_target(cargo, "some-toolchain", crate, Choice(), edition="2021", cache=crate.parent)


def test_a_file_is_a_program_by_itself(tmp_path: Path) -> None:
    path = tmp_path / "it.rs"
    path.write_text("fn main() {}\n")
    found = find_target(
        FakeCargo({}), "some-toolchain", path, Choice(), edition="2018", cache=tmp_path
    )
    assert found == RustFile(path=path.resolve(), edition="2018", tests=False)
    with pytest.raises(InputError, match="no packages, binaries"):
        find_target(FakeCargo({}), "t", path, Choice(binary="x"), edition="2018", cache=tmp_path)


@pytest.mark.parametrize("name", ["notes.txt", "folder"])
def test_what_is_no_crate_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "notes.txt").write_text("no Rust")
    with pytest.raises(InputError, match="no Rust file, and no crate"):
        find_target(FakeCargo({}), "t", tmp_path / name, Choice(), edition="2021", cache=tmp_path)


def test_tests_are_named_or_matched() -> None:
    tests = [RustTest(name=name) for name in ("a::one", "a::two", "b")]
    assert match_tests(tests, ["a::*"]) == (tests[0], tests[1])
    assert match_tests(tests, ["b", "a::one"]) == (tests[0], tests[2])
    with pytest.raises(InputError, match="there is no test 'c'"):
        match_tests(tests, ["c"])


def test_what_is_marked_to_be_ignored_is_run_by_its_full_name_alone() -> None:
    tests = [RustTest(name="one"), RustTest(name="two", ignored=True)]
    assert [each.skipped for each in match_tests(tests, ["*"])] == [False, True]
    assert [each.skipped for each in match_tests(tests, ["*", "two"])] == [False, False]


def test_a_skipped_test_is_told_as_not_checked() -> None:
    test = RustTest(name="two", words=("--lib",), ignored=True, skipped=True)
    checked = Checked(test=test, verdicts=())
    lines = [line.plain for line in render_checked(checked)]
    assert lines[0] == "test two  lib"
    assert lines[1].startswith("  not checked: it is marked #[ignore]")
    assert not any("undefined behaviour" in line for line in lines)
    (written,) = json.loads(encode("it", "miri", [checked]))["checked"]
    assert written["skipped"] is True
    assert written["modes"] == []


@pytest.mark.parametrize(
    "arguments",
    [
        ["no-such-path"],
        [".", "--bin", "x", "--test", "y"],
        [".", "--edition", "2022"],
        [".", "--miri-flag", "two words"],
        [".", "--miri-flag", "no-dash"],
        [".", "--seeds", "0"],
        [".", "--mode", "no-such"],
    ],
)
def test_bad_usage_is_refused_before_anything_runs(
    arguments: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Launcher, "run", lambda *_, **__: pytest.fail("something was started"))
    assert run_harness(["check", *arguments]) == 2
    assert "harness: error:" in capsys.readouterr().err


# What the modes mean together

ALIASING = UndefinedBehaviour(kind=FaultKind.ALIASING, message="Undefined Behavior: x")
DANGLING = UndefinedBehaviour(kind=FaultKind.DANGLING, message="Undefined Behavior: x")
UNEXPOSED = UndefinedBehaviour(kind=FaultKind.NO_PROVENANCE, message="Undefined Behavior: x")
BOTH = "Undefined under both borrow models"
NOT_NONE = "Without a borrow model nothing is found"
CAST = Unsupported(kind=UnsupportedKind.INT_TO_PTR, message="unsupported operation: x")


TIME = TimedOut(message="still running after 60 s")


def told(**outcomes: Outcome) -> str:
    """outcomes: by aliasing model, by provenance, or by both, the most exact first."""

    def of(mode: Mode) -> Outcome:
        both = f"{mode.aliasing.value}_{mode.provenance.value}"
        for name in (both, mode.aliasing.value, mode.provenance.value):
            if name in outcomes:
                return outcomes[name]
        return outcomes.get("default", Ran())

    return "\n".join(differences({mode: of(mode) for mode in MODES}))


@pytest.mark.parametrize(
    ("outcomes", "words", "others"),
    [
        ({}, ["No undefined behaviour was found in any"], ["Undefined"]),
        ({"stacked": ALIASING}, ["Stacked Borrows alone", NOT_NONE], ["Tree Borrows alone"]),
        ({"tree": ALIASING}, ["Tree Borrows alone", NOT_NONE], ["Stacked Borrows alone"]),
        ({"stacked": ALIASING, "tree": ALIASING}, [BOTH, "about aliasing alone"], ["alone:"]),
        ({"stacked": ALIASING, "tree": ALIASING, "none": DANGLING}, [BOTH], [NOT_NONE]),
        ({"default": DANGLING}, ["Undefined in every mode"], ["borrow models:"]),
        ({"strict": CAST}, ["hangs on exposed provenance"], ["ever exposed"]),
        ({"strict": CAST, "permissive": UNEXPOSED}, ["was ever exposed"], ["hangs on"]),
        ({"default": Leaked(message="memory leaked: x")}, ["The same in every"], ["Undefined"]),
        ({"stacked": ALIASING, "tree": TIME}, [NOT_NONE], ["Stacked Borrows alone"]),
        ({"tree": ALIASING, "stacked": TIME}, [NOT_NONE], ["Tree Borrows alone"]),
        ({"stacked": ALIASING, "tree_strict": TIME}, ["Stacked Borrows alone"], []),
        ({"stacked": ALIASING, "none": TIME}, ["Stacked Borrows alone"], [NOT_NONE]),
        ({"default": TIME}, [], ["The same in every", "No undefined"]),
        # As a crate whose addresses are made pointers: strict provenance ends it before.
        (
            {
                "strict": CAST,
                "stacked": ALIASING,
                "tree": ALIASING,
                "stacked_strict": CAST,
                "tree_strict": CAST,
                "none_strict": CAST,
            },
            [BOTH, NOT_NONE],
            ["hangs on"],
        ),
    ],
)
def test_what_the_difference_between_modes_means(
    outcomes: dict[str, Outcome], words: list[str], others: list[str]
) -> None:
    said = told(**outcomes)
    assert all(each in said for each in words), said
    assert not any(each in said for each in others), said
    assert "sound" not in said


def test_a_mode_alone_claims_nothing_about_the_others() -> None:
    mode = Mode(aliasing=Aliasing.STACKED, provenance=Provenance.STRICT)
    assert "alone" not in "\n".join(differences({mode: ALIASING}))
    assert "run the permissive modes too" in "\n".join(differences({mode: CAST}))
    leaked = Leaked(message="memory leaked: x")
    for outcome in (ALIASING, DANGLING, leaked):
        assert "\n".join(differences({mode: outcome})) == ""


def test_some_modes_say_nothing_of_all_models() -> None:
    strict = [mode for mode in MODES if mode.provenance is Provenance.STRICT]
    assert list(differences(dict.fromkeys(strict, DANGLING))) == [
        "Undefined in every mode that was run."
    ]
    stacked = [mode for mode in MODES if mode.aliasing is Aliasing.STACKED]
    leaked = Leaked(message="memory leaked: x")
    assert list(differences(dict.fromkeys(stacked, leaked))) == [
        "The same in every mode that was run."
    ]


@pytest.mark.parametrize(
    "text",
    [
        "the evaluated program deadlocked",
        "resource exhaustion: there are no more free addresses",
    ],
)
def test_a_deadlock_is_no_limit(text: str) -> None:
    assert TIME.by_limit
    failure = read_error(Message(level="error", text=text))
    assert failure.outcome == TimedOut(message=text, by_limit=False)
