"""`harness replay` with a real Miri: outcomes, bad input, resuming, smaller inputs."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from harness.cli.main import run as run_harness
from harness.toolchain import environment

pytestmark = [
    pytest.mark.slow,
    pytest.mark.miri,
    pytest.mark.timeout(600),
]

SCHEMA = Path(__file__).parents[2] / "docs" / "replay.schema.json"

# An older edition than that of the program around it, and a library with a name of its own.
MANIFEST = """\
[package]
name = "one-subject"
version = "0.1.0"
edition = "2015"

[lib]
name = "renamed"
path = "src/lib.rs"
"""

LIBRARY = """\
pub mod vm {
    pub fn run(input: &[u8]) -> Result<usize, String> {
        println!("an output that is no record");
        eprint!("a line without its end");
        let end = unsafe { input.as_ptr().add(input.len()) };
        match input.first() {
            Some(b'o') => unsafe { Ok(*end as usize) },
            Some(b'a') if input.contains(&0) => {
                let mut memory = [0u8; 4];
                let first = memory.as_mut_ptr();
                let second = memory.as_mut_ptr();
                unsafe {
                    *second = 1;
                    *first = 2;
                    Ok(*second as usize)
                }
            }
            Some(b'p') => panic!("of a panic"),
            Some(b'l') => {
                ::std::mem::forget(vec![1u8]);
                Ok(1)
            }
            Some(b'x') => ::std::process::exit(4),
            Some(b's') => loop {},
            Some(b'i') => Ok(unsafe { *(end as usize as *const u8).offset(-1) } as usize),
            _ => Err("no such".to_string()),
        }
    }
}

pub fn of_text(_: &str) {}
"""

INPUTS = {"o": b"o12", "a": b"a1234567\x00", "p": b"p", "l": b"l", "x": b"x", "i": b"i", "n": b""}


@pytest.fixture(autouse=True, scope="module")
def cache(miri_sysroot: Path, tmp_path_factory: pytest.TempPathFactory) -> object:
    """A cache of their own, but for Miri's sysroot, which takes a minute to build."""
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MIRI_SYSROOT", str(miri_sysroot))
        patch.setattr(environment, "cache_folder", lambda: folder)
        yield folder


@pytest.fixture
def crate(tmp_path: Path) -> Path:
    (tmp_path / "crate" / "src").mkdir(parents=True)
    (tmp_path / "crate" / "Cargo.toml").write_text(MANIFEST)
    (tmp_path / "crate" / "src" / "lib.rs").write_text(LIBRARY)
    return tmp_path / "crate"


@pytest.fixture
def inputs(tmp_path: Path) -> Path:
    (tmp_path / "in").mkdir()
    for name, data in INPUTS.items():
        (tmp_path / "in" / name).write_bytes(data)
    return tmp_path / "in"


def replay(crate: Path, *words: object, entry: str = "vm::run") -> int:
    return run_harness(["replay", "--crate", str(crate), "--entry", entry, *map(str, words)])


def test_every_input_comes_to_what_it_does_and_the_crate_is_only_read(
    crate: Path, inputs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = {path: path.stat().st_mtime_ns for path in crate.rglob("*")}
    report, smaller = tmp_path / "report.json", tmp_path / "smaller"
    words = (inputs, "--mode", "tree-permissive", "--mode", "stacked-strict", "--json", report)
    assert replay(crate, *words, "--reduce", smaller) == 1
    assert {path: path.stat().st_mtime_ns for path in crate.rglob("*")} == before
    value = json.loads(report.read_bytes())
    jsonschema.validate(value, json.loads(SCHEMA.read_bytes()))
    found = {
        mode: {
            Path(each["input"]).name: "-".join(
                filter(None, (each["outcome"]["class"], each["outcome"].get("kind")))
            )
            for each in value["results"]
            if each["mode"] == mode
        }
        for mode in ("tree-permissive", "stacked-strict")
    }
    permissive = {
        "o": "ub-out-of-bounds", "a": "ub-aliasing", "p": "panicked", "l": "leaked", "x": "ran",
        "i": "ran", "n": "ran",
    }  # fmt: skip
    assert found["tree-permissive"] == permissive
    assert found["stacked-strict"] == permissive | {"i": "unsupported-int-to-ptr"}
    aliasing = next(each for each in value["failures"] if "aliasing" in each["symptom"])
    assert aliasing["symptom"] == "ub aliasing at src/lib.rs:14:21"
    assert aliasing["modes"] == ["tree-permissive", "stacked-strict"]
    assert ("pointer made", "let first = memory.as_mut_ptr();") in {
        (point["what"], point["source"]) for point in aliasing["points"]
    }
    assert Path(aliasing["reduced"]).read_bytes() == b"a\x00"
    out = capsys.readouterr().out
    assert "undefined behaviour: aliasing" in out
    assert "it means            The memory is that of the input." in out
    assert "src/main.rs" not in "\n".join(
        line for line in out.splitlines() if not line.startswith("to repeat it: ")
    ), "a place in what stands around the crate"

    # Whatever lasts is on record now.
    assert replay(crate, *words) == 1
    value = json.loads(report.read_bytes())
    assert {each["evidence"] for each in value["results"]} == {"recorded"}
    # Another source is another function.
    (crate / "src" / "lib.rs").write_text(LIBRARY.replace("of a panic", "of another"))
    assert replay(crate, inputs / "p", "--mode", "tree-permissive", "--json", report) == 1
    value = json.loads(report.read_bytes())
    assert [each["evidence"] for each in value["results"]] == ["live"]


def test_seeds_and_shards(crate: Path, inputs: Path, tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    seen = []
    for part in ("1/2", "2/2"):
        words = ("--mode", "none-strict", "--seeds", 3, "--shard", part, "--json", report)
        replay(crate, inputs, *words)
        results = json.loads(report.read_bytes())["results"]
        seeds: dict[str, set[int]] = {}
        for each in results:
            seeds.setdefault(each["input"], set()).add(each["seed"])
        assert all(len(each) == 3 for each in seeds.values())
        seen += list(seeds)
    assert sorted(Path(name).name for name in seen) == sorted(INPUTS)


def test_a_deadlock_is_a_failure(
    crate: Path, inputs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (crate / "src" / "lib.rs").write_text(
        "pub fn run(input: &[u8]) {\n    let it = ::std::sync::Mutex::new(1);\n"
        "    let first = it.lock();\n"
        "    if input.first() == Some(&b'o') { drop(it.lock()); }\n    drop(first);\n}\n"
    )
    words = ["replay", "--crate", str(crate), "--entry", "run", str(inputs)]
    assert run_harness([*words, "--mode", "none-strict"]) == 1
    said = capsys.readouterr().out
    assert "the evaluated program deadlocked" in said
    assert "not checked" not in said


def test_an_input_that_no_mode_can_run_is_not_checked(crate: Path, inputs: Path) -> None:
    text = (
        'extern "C" {\n    fn not_there();\n}\npub fn run(input: &[u8]) {\n'
        "    if input.len() == 1 { unsafe { not_there() } }\n}\n"
    )
    (crate / "src" / "lib.rs").write_text(text)
    assert replay(crate, inputs / "o", entry="run") == 0
    assert replay(crate, inputs / "o", inputs / "p", entry="run") == 3


def test_an_input_without_an_end_is_not_checked_and_others_are(
    crate: Path, inputs: Path, tmp_path: Path
) -> None:
    (inputs / "s").write_bytes(b"s")
    report = tmp_path / "report.json"
    words = (inputs / "s", inputs / "n", "--timeout", 5, "--json", report)
    assert replay(crate, *words, "--mode", "none-strict") == 3
    value = json.loads(report.read_bytes())
    assert [each["outcome"]["class"] for each in value["results"]] == ["ran", "timed-out"]


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("absent", "cannot find function `absent`"),
        ("of_text", "expected `&str`, found `&[u8]`"),
        ("vm", "expected function, found module"),
        ("of_text(); std::process::abort", "is no path of a function"),
    ],
)
def test_an_entry_that_will_not_do_is_told_in_the_compilers_words(
    crate: Path, inputs: Path, entry: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert replay(crate, inputs, entry=entry) == 2
    assert said in capsys.readouterr().err


def test_a_function_that_is_only_promised_to_run_is_refused(
    crate: Path, inputs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    manifest = MANIFEST.replace("2015", "2021")
    (crate / "Cargo.toml").write_text(manifest)
    (crate / "src" / "lib.rs").write_text("pub async fn later(_: &[u8]) {}\n")
    assert replay(crate, inputs, entry="later") == 2
    assert "run to its end" in capsys.readouterr().err


def test_a_crate_that_does_not_build_or_has_no_library_is_told(
    crate: Path, inputs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (crate / "src" / "lib.rs").write_text("pub fn run(input: &[u8]) { input.absent() }\n")
    assert replay(crate, inputs, entry="run") == 2
    said = capsys.readouterr().err
    assert "no method named `absent`" in said
    assert "to repeat it:" in said
    (crate / "Cargo.toml").write_text('[package]\nname = "program"\nversion = "0.1.0"\n')
    (crate / "src" / "lib.rs").rename(crate / "src" / "main.rs")
    assert replay(crate, inputs, entry="run") == 2
    assert "program has no library" in capsys.readouterr().err
