"""`harness check` with a real Miri: files and crates, which are only read."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from harness.cli.main import run as run_harness
from harness.toolchain import environment

pytestmark = [
    pytest.mark.slow,
    pytest.mark.miri,
]

REBORROWED = """\
pub fn poke() -> u8 {
    let mut memory = [0u8; 8];
    let first = memory.as_mut_ptr();
    let second = memory.as_mut_ptr();
    unsafe {
        second.write(1);
        first.write(2);
        second.read()
    }
}
"""

PRINTS_ON = (
    "use std::{fs::File, io::Write, os::fd::FromRawFd};"
    " let mut out = unsafe { File::from_raw_fd(1) };"
    " let it = vec![b'x'; 1 << 22]; loop { out.write_all(&it).unwrap() }"
)
"""Past the buffer of `println!`, whose search for an end of line is slow under Miri."""

MANIFEST = '[package]\nname = "one"\nversion = "0.1.0"\nedition = "2021"\n'


@pytest.fixture(autouse=True)
def machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    # Miri's standard library stays where it is; what is built here does not stay.
    monkeypatch.setattr(environment, "cache_folder", lambda: tmp_path / "cache")
    # cargo-miri passes -Z flags, which a compiler of a stable release takes only so.
    monkeypatch.setenv("RUSTC_BOOTSTRAP", "1")


def write(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        path = folder / (name.replace("__", "/") + (".toml" if name == "Cargo" else ".rs"))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def snapshot(folder: Path) -> dict[str, tuple[bytes, int]]:
    return {
        str(path.relative_to(folder)): (path.read_bytes(), path.stat().st_mtime_ns)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def check(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, list[str], str]:
    code = run_harness(["check", *map(str, arguments)])
    captured = capsys.readouterr()
    return code, captured.out.splitlines(), captured.err


def modes(lines: list[str]) -> dict[str, str]:
    """The line of each mode."""
    found = {}
    for line in lines:
        first, _, rest = line.strip().partition(" ")
        if line.startswith("  ") and first.startswith(("stacked-", "tree-", "none-")):
            found[first] = rest.strip()
    return found


def test_a_file_in_every_mode(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = write(tmp_path / "code", main=REBORROWED + "fn main() { poke(); }\n")
    before = snapshot(folder)
    code, lines, _ = check(capsys, folder / "main.rs")
    assert code == 1
    assert snapshot(folder) == before
    found = modes(lines)
    assert len(found) == 6
    for mode, verdict in found.items():
        if mode.startswith("none"):
            assert verdict == "no undefined behaviour found"
        else:
            assert verdict == "undefined behaviour: aliasing at main.rs:7:9"
    assert any("Undefined under both borrow models" in line for line in lines)
    assert "pointer made        main.rs:3:17" in lines
    # Each model blames another access for the end of the pointer.
    assert "pointer died        main.rs:4:18" in lines
    assert "pointer died        main.rs:6:9" in lines
    assert "    let second = memory.as_mut_ptr();" in lines
    repeat = next(line for line in lines if line.startswith("to repeat it: "))
    again = subprocess.run(
        ["bash", "-c", repeat.removeprefix("to repeat it: ")],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert again.returncode == 1
    assert "\n --> main.rs:7:9\n" in again.stderr, "as people read it"


def test_a_crate_without_a_lock_file_is_only_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write(
        tmp_path / "code", Cargo=MANIFEST, src__lib=REBORROWED,
        src__main="fn main() { println!(\"{}\", one::poke()); std::process::exit(7) }\n",
    )  # fmt: skip
    before = snapshot(folder)
    monkeypatch.chdir(tmp_path)
    found = tmp_path / "found.sarif"
    words = ("--mode", "none-strict", "--mode", "stacked-strict", "--sarif", found)
    code, lines, _ = check(capsys, folder, *words)
    assert code == 1
    (result,) = json.loads(found.read_bytes())["runs"][0]["results"]
    places = [each["physicalLocation"] for each in result["locations"] + result["relatedLocations"]]
    assert {each["artifactLocation"]["uri"] for each in places} == {
        "code/src/lib.rs", "code/src/main.rs",
    }  # fmt: skip
    assert snapshot(folder) == before
    assert modes(lines) == {
        "none-strict": "no undefined behaviour found; the program's exit code is 7",
        "stacked-strict": "undefined behaviour: aliasing at src/lib.rs:7:9",
    }
    assert "called from         src/main.rs:1:28 in main" in lines


def test_tests_by_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tests = (
        "#[cfg(test)]\nmod tests {\n"
        "    #[test]\n    fn fine() {}\n"
        "    #[test]\n    fn pokes() { super::poke(); }\n"
        "    #[test]\n    fn fails() { assert_eq!(1, 2); }\n"
        "    #[test]\n    #[should_panic]\n    fn panics() { panic!() }\n}\n"
    )
    folder = write(tmp_path / "code", Cargo=MANIFEST, src__lib=REBORROWED + tests)
    mode = ("--mode", "tree-strict")
    code, lines, _ = check(capsys, folder, "--test", "tests::pokes", *mode)
    assert code == 1
    assert modes(lines) == {"tree-strict": "undefined behaviour: aliasing at src/lib.rs:7:9"}
    for name in ("tests::fine", "tests::panics"):
        code, lines, _ = check(capsys, folder, "--test", name, *mode)
        assert code == 0
        assert modes(lines) == {"tree-strict": "no undefined behaviour found"}
    code, lines, _ = check(capsys, folder, "--test", "*s::fail*", *mode)
    assert code == 1
    assert modes(lines)["tree-strict"].startswith("panicked at src/lib.rs:")
    code, _, errors = check(capsys, folder, "--test", "no_such", *mode)
    assert code == 2
    assert "there is no test 'no_such'" in errors


def test_a_target_that_does_not_say_its_tests_is_in_nobody_s_way(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write(
        tmp_path / "code", Cargo=f'{MANIFEST}[[test]]\nname = "own"\nharness = false\n',
        src__lib="#[test]\nfn fine() {}\n", tests__own='fn main() { panic!("no list") }\n',
    )  # fmt: skip
    mode = ("--mode", "none-strict")
    code, lines, errors = check(capsys, folder, "--test", "fine", *mode)
    assert (code, errors) == (0, "")
    assert modes(lines) == {"none-strict": "no undefined behaviour found"}
    code, lines, errors = check(capsys, folder, "--test", "*", *mode)
    assert code == 3
    assert modes(lines) == {"none-strict": "no undefined behaviour found"}
    assert "not checked: the tests of --test own cannot be listed" in errors
    assert "no list" in errors
    (folder / "src" / "lib.rs").write_text("")
    code, _, errors = check(capsys, folder, "--test", "*", *mode)
    assert code == 2
    assert "cannot be listed" in errors


def test_seeds_that_differ_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = (
        "fn main() {\n    let x = [0u8; 3];\n    let at = (&raw const x).addr();\n"
        '    assert!(at % 2 == 0, "an odd address");\n}\n'
    )
    folder = write(tmp_path / "code", main=text)
    arguments = ("--mode", "none-strict", "--seeds", "16", "--edition", "2024")
    code, lines, _ = check(capsys, folder / "main.rs", *arguments)
    assert code == 1
    of_mode = [line for line in lines if line.strip().startswith("none-strict ")]
    assert len(of_mode) == 2
    assert all("(seeds " in line for line in of_mode)


def test_a_cast_of_an_integer_is_not_checked_with_strict_provenance(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (
        "fn main() {\n    let x = 5u8;\n    let at = (&raw const x).expose_provenance();\n"
        "    let p = std::ptr::with_exposed_provenance::<u8>(at);\n"
        "    assert_eq!(unsafe { p.read() }, 5);\n}\n"
    )
    path = write(tmp_path / "code", main=text) / "main.rs"
    code, lines, _ = check(capsys, path)
    assert code == 0, "by default the modes are those that can be had"
    found = modes(lines)
    assert found["tree-permissive"] == "no undefined behaviour found"
    assert found["tree-strict"] == "unsupported: int-to-ptr at main.rs:4:13"
    assert any("it hangs on exposed provenance" in line for line in lines)
    assert check(capsys, path, "--mode", "tree-strict")[0] == 3, "asked for by name"


def test_what_miri_can_run_in_no_mode_is_not_checked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (
        'unsafe extern "C" {\n    fn not_there(x: i32) -> i32;\n}\n'
        'fn main() {\n    println!("{}", unsafe { not_there(3) });\n}\n'
    )
    path = write(tmp_path / "code", main=text) / "main.rs"
    code, lines, _ = check(capsys, path)
    assert code == 3
    assert set(modes(lines).values()) == {"unsupported: foreign-function at main.rs:5:29"}


def test_the_compiler_s_errors_are_passed_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = "fn main() {\n    let async = 1;\n    let _ = async;\n}\n"
    path = write(tmp_path / "code", main=text) / "main.rs"
    code, _, errors = check(capsys, path)
    assert code == 2
    assert "error: expected identifier, found keyword `async`\n --> main.rs:2:9" in errors
    assert "it is read as Rust 2021: --edition names another" in errors
    assert "it does not build for Miri" in errors
    mode = ("--mode", "none-strict")
    assert check(capsys, path, "--edition", "2015", *mode)[0] == 0, "in this edition it is a name"
    folder = write(tmp_path / "crate", Cargo=MANIFEST, src__main=text)
    code, _, errors = check(capsys, folder)
    assert code == 2
    assert "--> src/main.rs:2:9" in errors
    assert "$message_type" not in errors
    (folder / "src" / "main.rs").write_text("fn main() {}\n#[test]\nfn one() { let async = 1; }\n")
    code, _, errors = check(capsys, folder, "--test", "one")
    assert code == 2
    assert "--> src/main.rs:3:16" in errors
    assert "$message_type" not in errors


@pytest.mark.parametrize(
    ("body", "words", "limit"),
    [
        ("loop {}", "still running after 5 s", 5),
        (PRINTS_ON, "MiB of output", 300),
    ],
)
def test_whether_a_program_that_a_limit_ended_would_end_is_not_guessed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], body: str, words: str, limit: int
) -> None:
    path = write(tmp_path / "code", main=f"fn main() {{ {body} }}\n") / "main.rs"
    code, lines, _ = check(capsys, path, "--mode", "none-strict", "--timeout", limit)
    assert code == 3
    assert modes(lines) == {"none-strict": "not checked to its end"}
    assert any(words in line for line in lines)
    assert any("--timeout" in line for line in lines)


def test_a_deadlock_is_found(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = (
        "fn main() {\n    let it = std::sync::Mutex::new(1);\n    let first = it.lock();\n"
        "    let second = it.lock();\n    drop((first, second));\n}\n"
    )
    path = write(tmp_path / "code", main=text) / "main.rs"
    code, lines, _ = check(capsys, path, "--mode", "none-strict")
    assert code == 1
    found = modes(lines)["none-strict"]
    assert found.startswith("stopped: the evaluated program deadlocked at main.rs:4:")


def test_a_test_that_is_marked_to_be_ignored_is_never_called_clean(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tests = "#[test]\nfn fine() {}\n#[test]\n#[cfg_attr(miri, ignore)]\nfn pokes() { poke(); }\n"
    folder = write(tmp_path / "code", Cargo=MANIFEST, src__lib=REBORROWED + tests)
    mode = ("--mode", "tree-strict")
    code, lines, _ = check(capsys, folder, "--test", "*", *mode)
    assert code == 0
    assert modes(lines) == {"tree-strict": "no undefined behaviour found"}
    at = lines.index("test pokes  lib")
    assert "not checked: it is marked #[ignore]" in lines[at + 1]
    assert check(capsys, folder, "--test", "pok*", *mode)[0] == 3, "nothing was checked"
    code, lines, _ = check(capsys, folder, "--test", "pokes", *mode)
    assert code == 1
    assert modes(lines) == {"tree-strict": "undefined behaviour: aliasing at src/lib.rs:7:9"}


def test_no_miri_is_not_checked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(tmp_path / "code", main="fn main() {}\n") / "main.rs"
    code, _, errors = check(capsys, path, "--toolchain", "no-such-toolchain")
    assert code == 3
    assert "harness: not checked: " in errors
    assert "rustup toolchain install" in errors


def test_a_flag_of_the_user_s_reaches_miri(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = "fn main() { std::mem::forget(Box::new(1)); }\n"
    path = write(tmp_path / "code", main=text) / "main.rs"
    mode = ("--mode", "none-strict")
    code, lines, _ = check(capsys, path, *mode)
    assert code == 1
    assert modes(lines) == {"none-strict": "leaked at main.rs:1:30"}
    assert check(capsys, path, *mode, "--miri-flag", "-Zmiri-ignore-leaks")[0] == 0
    code, _, errors = check(capsys, path, *mode, "--miri-flag", "-Zmiri-no-such-flag")
    assert code == 2
    assert "unknown unstable option: `miri-no-such-flag`" in errors
