"""The toolchain: tools that are missing, too old, broken or silent, and what then helps.

The tools here are shell scripts that say what rustup, cargo and rustc say; what a real Miri
does is tested where there is one.
"""

from __future__ import annotations

import stat
from dataclasses import replace
from pathlib import Path

import pytest

from harness.errors import InputError, MissingTool
from harness.mode import EVERY_MODE, MODES, parse_mode
from harness.target import Layout
from harness.toolchain import rust
from harness.toolchain.doctor import examine
from harness.toolchain.environment import cache_folder, clean_environment
from harness.toolchain.miri import (
    MiriToolchain,
    find_miri,
    install_command,
    look_for_sysroot,
    mode_flags,
    prepare_sysroot,
)
from harness.toolchain.missing import Missing
from harness.toolchain.process import Launcher, Limits
from harness.toolchain.rust import Compiler, RustToolchain, find_evaluator, find_rust
from harness.toolchain.targets import find_targets

RUSTC = """\
cat <<'TEXT'
rustc {release} (e50aa6fba 2026-05-19)
binary: rustc
commit-hash: e50aa6fba4e63ab34c72bf9acfd2c307c1155d1a
commit-date: 2026-05-19
host: x86_64-unknown-linux-gnu
release: {release}
TEXT
"""


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tools:
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for name in ("MIRI_SYSROOT", "MIRI_LIB_SRC"):
        monkeypatch.delenv(name, raising=False)
    return Tools(folder)


class Tools:
    """Scripts on PATH, and a toolchain's folder that they speak of."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.sysroot = folder.parent / "toolchain"
        (self.sysroot / "bin").mkdir(parents=True)

    def add(self, name: str, script: str, folder: Path | None = None) -> None:
        path = (folder or self.folder) / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)

    def add_rustup(self) -> None:
        """A rustup whose every toolchain has a rustc, and nothing else yet."""
        self.add(
            "rustup",
            'if [ "$1" = --version ]; then echo "rustup 1.29.0 (28d1352db 2026-03-05)"; exit; fi\n'
            f'case "$*" in *"--print sysroot") echo "{self.sysroot}";; '
            f"*) {RUSTC.format(release='1.97.0-nightly')}\n;; esac",
        )

    def add_miri(self, *, knows_implicit_writes: bool = True) -> None:
        unknown = "*implicit-writes*) echo 'error: unknown unstable option' >&2; exit 1;;"
        self.add(
            "miri",
            f'case "$*" in {"" if knows_implicit_writes else unknown} *) ;; esac',
            self.sysroot / "bin",
        )
        self.add("cargo-miri", "", self.sysroot / "bin")

    def add_sources(self) -> None:
        (self.sysroot / "lib/rustlib/src/rust/library").mkdir(parents=True)

    def add_cargo(self, setup: str = "exit 1") -> None:
        self.add(
            "cargo",
            'case "$*" in *setup*) ' + setup + ";; *miri*) echo 'miri 0.1.0 (abc 2026-05-19)';; "
            "*) echo 'cargo 1.97.0 (f2d3ce0bd 2026-03-21)';; esac",
        )


def missing(found: object) -> Missing:
    assert isinstance(found, Missing)
    return found


# rustc and cargo


def test_rustc_and_cargo_are_found(tools: Tools) -> None:
    tools.add("rustc", RUSTC.format(release="1.85.0"))
    tools.add_cargo()
    found = find_rust(Launcher())
    assert isinstance(found, RustToolchain)
    assert found.compiler.release == (1, 85, 0)
    assert found.compiler.host == "x86_64-unknown-linux-gnu"
    assert found.cargo_version == "cargo 1.97.0 (f2d3ce0bd 2026-03-21)"


def test_no_rustc(tools: Tools, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tools.folder))
    found = missing(find_rust(Launcher()))
    assert found.message == "rustc is not installed, or not on PATH"
    assert "rustup.rs" in found.remedy


def test_no_cargo_beside_rustc(tools: Tools, monkeypatch: pytest.MonkeyPatch) -> None:
    tools.add(
        "rustc", "exec /bin/cat <<'TEXT'\n" + RUSTC.format(release="1.95.0").partition("\n")[2]
    )
    monkeypatch.setenv("PATH", str(tools.folder))
    assert missing(find_rust(Launcher())).message == "cargo is not installed, or not on PATH"


def test_a_rustc_that_is_too_old(tools: Tools) -> None:
    tools.add("rustc", RUSTC.format(release="1.84.1"))
    found = missing(find_rust(Launcher()))
    assert "rustc 1.84.1" in found.message
    assert "1.85.0 is the oldest" in found.message
    assert found.remedy == "rustup update stable"


def test_a_rustc_that_knows_too_little_of_constants(tools: Tools) -> None:
    """No cargo is needed for them."""
    tools.add("rustc", RUSTC.format(release="1.87.0"))
    assert "1.88.0 is the oldest" in missing(find_evaluator(Launcher())).message
    tools.add("rustc", RUSTC.format(release="1.88.0"))
    assert isinstance(find_evaluator(Launcher()), Compiler)


def test_a_rustc_that_hangs(tools: Tools, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rust, "ANSWER_LIMITS", Limits(seconds=0.3))
    tools.add("rustc", "sleep 60")
    found = missing(find_rust(Launcher()))
    assert found.message == "`rustc -vV` does not answer: still running after 0.3 s"
    assert found.remedy.endswith("rustc -vV)")


def test_something_that_is_called_rustc_and_is_not(tools: Tools) -> None:
    tools.add("rustc", "echo hello")
    assert "answers what no rustc answers" in missing(find_rust(Launcher())).message


def test_the_remedy_that_rustup_offers_is_taken(tools: Tools) -> None:
    tools.add(
        "rustc",
        "echo \"error: rustup could not choose a version of rustc to run, because one wasn't "
        'specified explicitly, and no default is configured." >&2\n'
        "echo \"help: run 'rustup default stable' to download the latest stable release\" >&2\n"
        "exit 1",
    )
    found = missing(find_rust(Launcher()))
    assert "no default is configured" in found.message
    assert found.remedy == "rustup default stable"


# Miri


def test_a_toolchain_with_everything(tools: Tools) -> None:
    tools.add_rustup()
    tools.add_miri()
    tools.add_sources()
    tools.add_cargo()
    found = find_miri(Launcher(), "nightly")
    assert isinstance(found, MiriToolchain)
    assert found.driver == tools.sysroot / "bin" / "miri"
    assert found.version == "miri 0.1.0 (abc 2026-05-19)"
    assert all(found.lacks(mode) is None for mode in EVERY_MODE)


def test_a_miri_that_does_not_know_implicit_writes(tools: Tools) -> None:
    tools.add_rustup()
    tools.add_miri(knows_implicit_writes=False)
    tools.add_sources()
    tools.add_cargo()
    found = find_miri(Launcher(), "nightly")
    assert isinstance(found, MiriToolchain)
    assert all(found.lacks(mode) is None for mode in MODES)
    for mode in set(EVERY_MODE) - set(MODES):
        assert "-Zmiri-tree-borrows-implicit-writes" in (found.lacks(mode) or "")


def test_no_rustup(tools: Tools, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tools.folder))
    assert missing(find_miri(Launcher())).message == "rustup is not installed, or not on PATH"


@pytest.mark.parametrize(
    ("name", "remedy"),
    [
        ("nightly", "rustup toolchain install nightly --profile minimal --component miri,rust-src"),
        (
            "nightly-2026-05-19",
            "rustup toolchain install nightly-2026-05-19 --profile minimal "
            "--component miri,rust-src",
        ),
        ("mine", "rustup toolchain install nightly --profile minimal --component miri,rust-src"),
    ],
)
def test_a_toolchain_that_is_not_installed(tools: Tools, name: str, remedy: str) -> None:
    tools.add(
        "rustup",
        '[ "$1" = --version ] && exit\n'
        f"echo \"error: toolchain '{name}' is not installed\" >&2\nexit 1",
    )
    found = missing(find_miri(Launcher(), name))
    assert f"toolchain '{name}' is not installed" in found.message
    assert found.remedy == remedy == install_command(name)


def test_a_toolchain_without_miri(tools: Tools) -> None:
    tools.add_rustup()
    found = missing(find_miri(Launcher(), "nightly"))
    assert found.message == "the toolchain nightly has no miri"
    assert found.remedy == "rustup component add --toolchain nightly miri rust-src"
    assert missing(find_miri(Launcher(), "stable")).remedy == install_command("nightly")


def test_cargo_miri_is_not_asked_before_the_sources_are_there(tools: Tools) -> None:
    tools.add_rustup()
    tools.add_miri()
    tools.add("cargo", f"touch {tools.folder}/asked")
    found = missing(find_miri(Launcher(), "nightly"))
    assert "has no rust-src" in found.message
    assert found.remedy == "rustup component add --toolchain nightly miri rust-src"
    assert not (tools.folder / "asked").exists()


def test_sources_that_lie_elsewhere(tools: Tools, monkeypatch: pytest.MonkeyPatch) -> None:
    tools.add_rustup()
    tools.add_miri()
    tools.add_cargo()
    monkeypatch.setenv("MIRI_LIB_SRC", str(tools.folder))
    assert isinstance(find_miri(Launcher(), "nightly"), MiriToolchain)


def toolchain(tools: Tools) -> MiriToolchain:
    return MiriToolchain(
        name="nightly",
        version="miri 0.1.0 (abc 2026-05-19)",
        compiler=Compiler(version="rustc", release=(1, 97, 0), host="x86_64-x", commit="abc"),
        driver=tools.sysroot / "bin" / "miri",
        has_implicit_writes=True,
    )


def test_the_sysroot_is_where_cargo_miri_says(tools: Tools) -> None:
    (tools.sysroot / "lib").mkdir()
    tools.add_cargo(setup=f"echo '{tools.sysroot}'")
    assert prepare_sysroot(Launcher(), toolchain(tools)) == tools.sysroot


def test_a_toolchain_may_have_a_sysroot_of_its_own(
    tools: Tools, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = tmp_path / "own"
    (own / "lib").mkdir(parents=True)
    monkeypatch.setenv("MIRI_SYSROOT", "/that/of/all")
    tools.add_cargo(setup='echo "$MIRI_SYSROOT"')
    assert prepare_sysroot(Launcher(), replace(toolchain(tools), own_sysroot=own)) == own


def test_a_sysroot_that_cannot_be_built(tools: Tools) -> None:
    tools.add_cargo(
        setup="echo 'Preparing a sysroot...' >&2; "
        "echo 'fatal error: failed to build sysroot: disk full' >&2; exit 1"
    )
    found = missing(prepare_sysroot(Launcher(), toolchain(tools)))
    assert "failed to build sysroot: disk full" in found.message
    assert found.remedy == "cargo +nightly miri setup"


def test_a_sysroot_that_is_not_where_it_should_be(tools: Tools) -> None:
    tools.add_cargo(setup="echo /no/such/folder")
    found = missing(prepare_sysroot(Launcher(), toolchain(tools)))
    assert "/no/such/folder" in found.message


def test_looking_for_a_sysroot_builds_none(
    tools: Tools, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = missing(look_for_sysroot(toolchain(tools)))
    assert found.remedy == "cargo +nightly miri setup"
    (tmp_path / "cache/miri/lib/rustlib/x86_64-x/lib").mkdir(parents=True)
    assert look_for_sysroot(toolchain(tools)) == tmp_path / "cache/miri"
    monkeypatch.setenv("MIRI_SYSROOT", str(tmp_path / "elsewhere"))
    assert isinstance(look_for_sysroot(toolchain(tools)), Missing)


@pytest.mark.parametrize(
    ("mode", "flags"),
    [
        ("stacked-strict", ["-Zmiri-provenance-gc=0", "-Zmiri-strict-provenance"]),
        ("tree-permissive", ["-Zmiri-tree-borrows", "-Zmiri-permissive-provenance"]),
        ("none-strict", ["-Zmiri-disable-stacked-borrows", "-Zmiri-strict-provenance"]),
        (
            "tree-writes-strict",
            [
                "-Zmiri-tree-borrows",
                "-Zmiri-tree-borrows-implicit-writes",
                "-Zmiri-strict-provenance",
            ],
        ),
    ],
)
def test_the_flags_of_a_mode(mode: str, flags: list[str]) -> None:
    assert list(mode_flags(parse_mode(mode))) == flags


def test_every_mode_has_flags_of_its_own() -> None:
    assert len({mode_flags(mode) for mode in EVERY_MODE}) == len(EVERY_MODE)


# Environment


def test_what_would_change_the_compilers_is_not_passed_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    dangerous = (
        "RUSTC", "RUSTC_WRAPPER", "RUSTC_WORKSPACE_WRAPPER", "MIRI_BE_RUSTC", "RUST_BACKTRACE",
        "MIRIFLAGS", "RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", "CARGO_TARGET_DIR",
        "CARGO_BUILD_TARGET", "RUSTUP_TOOLCHAIN", "CARGO_PROFILE_RELEASE_OPT_LEVEL",
        "CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUNNER", "MIRI", "RUSTC_BOOTSTRAP",
        "CARGO_INCREMENTAL",
    )  # fmt: skip
    harmless = ("HOME", "RUSTUP_HOME", "CARGO_HOME", "MIRI_SYSROOT", "MIRI_LIB_SRC", "MIRIAM")
    for name in (*dangerous, *harmless):
        monkeypatch.setenv(name, "x")
    kept = clean_environment({"MIRIFLAGS": "-Zmiri-seed=1"})
    assert kept.pop("MIRIFLAGS") == "-Zmiri-seed=1"
    assert not kept.keys() & set(dangerous)
    assert kept.keys() >= set(harmless)
    assert kept["RUSTUP_AUTO_INSTALL"] == "0"


@pytest.mark.parametrize("relative", ["", "cache"])
def test_a_cache_folder_that_is_not_absolute_is_ignored(
    relative: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", relative)
    assert cache_folder() == Path.home() / ".cache" / "harness"


# The doctor


def test_the_doctor_names_one_command_for_each_thing_that_is_missing(
    tools: Tools, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tools.folder))
    checks = {check.name: check for check in examine(Launcher(), "nightly")}
    assert checks["python"].passed
    assert {name for name, check in checks.items() if not check.passed} == {
        "rustc and cargo", "constant evaluation", "rustup", "miri (nightly)",
    }  # fmt: skip
    assert all(check.remedy for check in checks.values() if not check.passed)


def test_the_doctor_is_content_with_everything(tools: Tools, tmp_path: Path) -> None:
    tools.add("rustc", RUSTC.format(release="1.95.0"))
    tools.add_rustup()
    tools.add_miri()
    tools.add_sources()
    tools.add_cargo()
    (tmp_path / "cache/miri/lib/rustlib/x86_64-unknown-linux-gnu/lib").mkdir(parents=True)
    checks = examine(Launcher(), "nightly")
    assert [check.name for check in checks if not check.passed] == []
    assert [check.name for check in checks] == [
        "python", "harness._native", "cache", "rustc", "cargo", "constant evaluation",
        "rustup", "miri (nightly)", "miri sysroot", "implicit writes",
    ]  # fmt: skip


def test_the_doctor_sees_a_cache_that_cannot_be_written_to(
    tools: Tools, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    [check] = [check for check in examine(Launcher(), "nightly") if check.name == "cache"]
    assert check.remedy == "export XDG_CACHE_HOME=FOLDER"


# Targets


BIG, SMALL = "s390x-unknown-linux-gnu", "i686-unknown-linux-gnu"

CFG = """\
case "$*" in
*s390x*) printf 'debug_assertions\\ntarget_endian="big"\\ntarget_pointer_width="64"\\n';;
*i686*) printf 'target_endian="little"\\ntarget_pointer_width="32"\\n';;
*-vV*) cat <<'TEXT'
rustc 1.95.0 (e50aa6fba 2026-05-19)
host: x86_64-unknown-linux-gnu
release: 1.95.0
TEXT
;;
*) echo 'error: error loading target specification' >&2; exit 1;;
esac
"""


def test_a_target_is_as_rustc_has_it(tools: Tools) -> None:
    tools.add("rustc", CFG)
    names = (
        "host",
        "s390x-unknown-linux-gnu",
        "i686-unknown-linux-gnu",
        "x86_64-unknown-linux-gnu",
    )
    host, big, small = find_targets(Launcher(), "nightly", names)
    assert host is None
    assert big is not None
    assert small is not None
    assert (str(big), big.layout) == (BIG, Layout(pointer_size=8, byte_order="big"))
    assert (str(small), small.layout) == (SMALL, Layout(pointer_size=4, byte_order="little"))


@pytest.mark.parametrize("name", ["nonsense", "", "--help", "-v", "./mine.json", "a b"])
def test_what_is_no_target_is_bad_input(tools: Tools, name: str) -> None:
    tools.add("rustc", CFG)
    with pytest.raises(InputError, match="--target: "):
        find_targets(Launcher(), "nightly", (name,))


def test_nobody_is_asked_about_the_host(tools: Tools) -> None:
    assert find_targets(Launcher(), "nightly", ()) == (None,)
    assert find_targets(Launcher(), "nightly", ("host",)) == (None,)
    with pytest.raises(MissingTool):
        find_targets(Launcher(), "nightly", (BIG,))
