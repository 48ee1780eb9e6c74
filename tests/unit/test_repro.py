"""Reproducers: plain Rust, honest heads, and no file that does not show what it should."""

from __future__ import annotations

import random
import urllib.parse
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from harness.bytecode.assembly import parse as assemble
from harness.bytecode.program import Program
from harness.bytecode.wire import decode
from harness.campaign.oracle import Oracle
from harness.cli import main
from harness.engines.vm_crate import vm_files
from harness.mode import parse_mode
from harness.model.machine import examine
from harness.outcome import (
    FaultKind,
    Location,
    Outcome,
    Ran,
    Span,
    ToolFailed,
    TrapKind,
    UndefinedBehaviour,
)
from harness.pointer.generator import generate
from harness.pointer.program import PointerProgram
from harness.pointer.text import parse
from harness.reduce.sides import as_case
from harness.reduce.symptom import sight
from harness.repro.check import Seen
from harness.repro.head import LONGEST_LINK, Story, head, issue, playground
from harness.repro.plain_rust import Plainness, write_plain
from harness.repro.reproducer import NotReproduced, Wanted, reproduce, reproduce_in_vm
from harness.repro.vm_project import project_files, result_line, write_main
from harness.resources import rust_vm_dir

MODE = parse_mode("stacked-strict")

FAULT = """\
local x = [0; 1]
p = &raw mut x
m = &mut x
write p[0]: u8 = 1
read m[0]: u8
"""


def read(text: str) -> PointerProgram:
    return parse(text, lambda *_: None).program  # type: ignore[arg-type]


def wanted(program: PointerProgram) -> Wanted:
    judgement = examine(program, MODE)
    return Wanted(
        case="pointer/a-case",
        mode=MODE,
        expected=judgement.outcome,
        rule=judgement.rule,
        seen=sight(judgement.outcome),
    )


@dataclass
class FakeTool:
    """Finds undefined behaviour in the line that holds a text, in files that hold another."""

    at: str
    only_with: str = ""
    kind: FaultKind = FaultKind.ALIASING
    runs: int = 0

    def run(self, text: str) -> Seen:
        self.runs += 1
        found = [n for n, line in enumerate(text.splitlines(), 1) if self.at in line]
        if not found or self.only_with not in text:
            return Seen(outcome=Ran(), line=None)
        place = Location(span=Span(file="src/main.rs", line=found[-1], column=1))
        outcome = UndefinedBehaviour(
            kind=self.kind, message="Undefined Behavior: x", location=place
        )
        return Seen(outcome=outcome, line=found[-1])

    def run_project(self, files: Mapping[str, bytes]) -> Seen:
        return self.run(files["src/main.rs"].decode())

    def command(self, file: str) -> str:
        return f"run {file}"

    def project_command(self, folder: str) -> str:
        return f"run {folder}"

    def versions(self) -> tuple[str, ...]:
        return ("fake 1",)


def test_the_plainest_file_that_shows_it_is_taken() -> None:
    program = read(FAULT)
    made = reproduce(program, wanted(program), FakeTool("let _read"), command="run it")
    assert "    let mut m3 = &mut x1;\n" in made.text
    assert "    let _read = (*m3)[0];\n" in made.text
    assert "sum" not in made.text
    line = made.text.splitlines()[(made.story.seen_line or 0) - 1]
    assert "let _read" in line


def test_what_only_the_exact_rust_shows_is_written_exactly() -> None:
    program = read(FAULT)
    tool = FakeTool("let _read", only_with="&mut *(&raw mut x1)")
    made = reproduce(program, wanted(program), tool, command="run it")
    assert "&mut *(&raw mut x1)" in made.text
    # The plainest was tried, then the one that shows it, and that once more with its head.
    assert tool.runs == 3


@pytest.mark.parametrize(
    ("tool", "message"),
    [
        (FakeTool("nowhere"), "wanted ub aliasing, saw ran"),
        (FakeTool("let _read", kind=FaultKind.PROTECTOR), "saw ub protector"),
        (FakeTool("= 1u8"), "wanted it in statement 4, saw it in 3"),
    ],
)
def test_a_file_that_does_not_show_it_is_an_error(tool: FakeTool, message: str) -> None:
    program = read(FAULT)
    with pytest.raises(NotReproduced, match=message):
        reproduce(program, wanted(program), tool, command="run it")


def test_without_a_tool_the_head_says_so() -> None:
    program = read(FAULT)
    made = reproduce(
        program, wanted(program), FakeTool(""), command="run it", unchecked="there is no Miri"
    )
    assert "// Seen: not checked: there is no Miri\n" in made.text
    assert made.seen is None
    assert "stacked/read-needs-granting-item" in made.text
    # What nobody has tried is the exact Rust.
    assert "&mut *(&raw mut x1)" in made.text


def test_a_disagreement_is_reproduced_by_what_the_tool_sees() -> None:
    program = read("local x = [7; 1]\nread x[0]: u8\n")
    judgement = examine(program, MODE)
    told = Wanted(
        case="a",
        mode=None,
        expected=judgement.outcome,
        rule=None,
        seen=sight(Ran()),
        disagrees=True,
        printed="7",
    )

    class Compiler(FakeTool):
        printed = "0"

        def run(self, text: str) -> Seen:
            return Seen(outcome=Ran(), line=None, printed=self.printed)

    made = reproduce(program, told, Compiler(""), command="run it")
    assert "it prints '0' where it must print '7'" in made.text
    assert "// Expected: it prints '7'\n" in made.text
    assert "// Seen: it printed '0'\n" in made.text
    body = issue(made.story, "a.rs", "", distributed=True)
    assert "I expected to see this: it prints '7'\n\nInstead, this happened: " in body
    Compiler.printed = "7"
    with pytest.raises(NotReproduced, match="wanted not '7', saw '7'"):
        reproduce(program, told, Compiler(""), command="run it")


def test_what_only_the_machine_calls_undefined_is_written_exactly() -> None:
    program = read(FAULT)
    told = replace(wanted(program), seen=sight(Ran()), disagrees=True, open_question="https://x")
    made = reproduce(program, told, FakeTool("nowhere"), command="run it")
    # A plainer file may be another program, and nobody would notice.
    assert "&mut *(&raw mut x1)" in made.text
    assert "// But: the tool sees ran; which is right is an open question" in made.text
    assert "https://x" in made.text


@pytest.mark.parametrize("seed", range(40))
def test_every_statement_has_its_line(seed: int) -> None:
    program = generate(random.Random(seed), 12)
    for plainness in Plainness:
        source = write_plain(program, plainness=plainness)
        paths = {line.path for line in source.lines if line.path is not None}
        assert {(index,) for index in range(len(program.statements))} <= paths
        text = source.text(["// head"])
        for word in ("Take", "TABLE", "harness", "memory(", "Trap"):
            assert word not in text
        for index in range(len(program.statements)):
            number = source.line_of((index,), 1)
            assert number is not None
            assert source.path_at(number, 1) == (index,)


def story(case: str = "a case", message: str = "words", seen: Outcome | None = None) -> Story:
    expected = UndefinedBehaviour(kind=FaultKind.ALIASING, message=message)
    return Story(
        case=case,
        mode=MODE,
        command="miri file.rs",
        expected=expected,
        rule="stacked/read-needs-granting-item",
        seen=seen or expected,
        seen_line=7,
        unchecked="",
        other="",
        versions=("miri 1", "rustc 2"),
    )


HOSTILE = "a\n} fn main() { evil() } //\r\u2028*/\x00\u202e"


@pytest.mark.parametrize("text", [HOSTILE, "x" * 400, ""])
def test_no_text_leaves_the_comment(text: str) -> None:
    told = story(case=text, message=text, seen=ToolFailed(message=text))
    lines = head(told)
    assert all(line.startswith("//") for line in lines)
    assert not any(char in "".join(lines) for char in "\n\r\u2028\x00\u202e")


def test_the_head_names_rule_source_and_versions() -> None:
    text = "\n".join(head(story()))
    assert "stacked/read-needs-granting-item" in text
    assert "POPL 2020" in text
    assert "// With: miri 1\n//     rustc 2" in text
    assert "// Seen: words (line 7)" in text


def test_a_bug_report_says_where_it_was_seen() -> None:
    body = issue(story(), "file.rs", "fn main() {}\n", distributed=False)
    assert "```rust\nfn main() {}\n```" in body
    assert "linked by hand" in body
    assert "linked by hand" not in issue(story(), "file.rs", "", distributed=True)


def test_the_playground_gets_the_very_file() -> None:
    link = playground('fn main() { print!("1 + 1 & 2 = é"); }\n')
    query = urllib.parse.parse_qs(urllib.parse.urlparse(link).query)
    assert query["code"] == ['fn main() { print!("1 + 1 & 2 = é"); }\n']
    with pytest.raises(ValueError, match="too long"):
        playground("x" * LONGEST_LINK)


CASE = "pointer/tree-only/as-ptr-freezes-written-as-mut-ptr"


@pytest.fixture
def no_miri(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HARNESS_MIRI_TOOLCHAIN", "no-such-toolchain")
    return tmp_path


def test_without_miri_it_is_written_and_not_checked(
    no_miri: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main.run(["repro", CASE, "--issue", "--playground"]) == 0
    out = capsys.readouterr().out
    assert "seen: not checked" in out
    assert "https://play.rust-lang.org/?" in out
    text = (no_miri / "as-ptr-freezes-written-as-mut-ptr.rs").read_text()
    assert "// Seen: not checked: " in text
    assert str(no_miri) not in text


def test_miri_asked_for_by_name_and_missing_is_exit_3(no_miri: Path) -> None:
    assert main.run(["repro", CASE, "--engine", "miri"]) == 3
    assert not list(no_miri.iterdir())


def test_a_project_has_its_manifest(no_miri: Path) -> None:
    assert main.run(["repro", CASE, "--project", "it"]) == 0
    assert sorted(path.name for path in (no_miri / "it").iterdir()) == ["Cargo.toml", "src"]
    assert "cd it && MIRIFLAGS=" in (no_miri / "it" / "src" / "main.rs").read_text()


IN_VM = ["bytecode/thread-program", "--variant", "reborrow", "--form", "vm"]


def test_what_the_vm_shows_is_a_project_with_the_vm(no_miri: Path) -> None:
    assert main.run(["repro", *IN_VM]) == 0
    folder = no_miri / "thread-program"
    assert (folder / "Cargo.toml").is_file()
    for path, data in vm_files(rust_vm_dir()).items():
        assert (folder / "harness-vm" / path).read_bytes() == data
    text = (folder / "src" / "main.rs").read_text()
    assert "// Seen: not checked: " in text
    assert "cd thread-program && MIRIFLAGS=" in text
    assert "-Zmiri-ignore-leaks" not in text
    assert str(no_miri) not in text
    program = decode(bytes(numbers_in(text)))
    assert 1 <= len(program.instructions) <= 2
    marked = [line for line in text.splitlines() if "<-- here, operand" in line]
    judgement = Oracle().predicted(as_case(program, "it"), "reborrow", MODE)
    assert isinstance(judgement.outcome, UndefinedBehaviour)
    assert len(marked) == 1
    assert marked[0].strip().startswith(f"// {judgement.outcome.location.instruction}: ")


def numbers_in(text: str) -> list[int]:
    """The bytes of the constant in a project's `main.rs`."""
    inside = text[text.index("&[u8] = &[") : text.index("];")].splitlines()[1:]
    lines = [line for line in inside if not line.strip().startswith("//")]
    return [int(word) for line in lines for word in line.replace(",", " ").split()]


def test_a_project_that_does_not_show_it_is_an_error() -> None:
    program = Program(instructions=assemble("const.u8 7 -> [0]"), memory=bytes(1))
    text = write_main(program, "raw", None, None)
    told = Wanted(
        case="a",
        mode=None,
        expected=Ran(memory=b"\x07", steps=1),
        rule=None,
        seen=sight(Ran()),
        disagrees=True,
        printed=result_line(Ran(memory=b"\x07", steps=1)),
    )

    class Vm(FakeTool):
        printed = "ran 1 08"

        def run(self, text: str) -> Seen:
            self.runs += 1
            return Seen(outcome=Ran(), line=None, printed=self.printed)

    def files(text: str) -> Mapping[str, bytes]:
        return project_files(text, None)

    tool = Vm("")
    made = reproduce_in_vm(text, told, tool, files=files, command="run it")
    assert "// But: it prints 'ran 1 08' where it must print 'ran 1 07'\n" in made.text
    body = issue(made.story, "main.rs", made.text, distributed=True)
    assert "I tried this code (`main.rs`, in a project with the Rust VM, `harness-vm`, " in body
    assert made.text.endswith(text)
    assert tool.runs == 2
    for printed, message in (
        ("ran 1 07", "wanted not 'ran 1 07', saw 'ran 1 07'"),
        (f"trapped {TrapKind.DIVISION_BY_ZERO} 0 addr 07", "wanted ran, saw trapped"),
        ("", "wanted ran, saw tool-failed"),
    ):
        Vm.printed = printed
        with pytest.raises(NotReproduced, match=message):
            reproduce_in_vm(text, told, Vm(""), files=files, command="run it")


def test_a_crate_that_is_there_is_spared(no_miri: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = no_miri / "thread-program"
    folder.mkdir()
    (folder / "Cargo.toml").write_text('[package]\nname = "mine"\n')
    for arguments in (IN_VM, [CASE, "--project", "thread-program"]):
        assert main.run(["repro", *arguments]) == 2
        assert "Cargo.toml: there is a crate" in capsys.readouterr().err
    assert list(folder.iterdir()) == [folder / "Cargo.toml"]
    # A reproducer is replaced.
    assert main.run(["repro", *IN_VM, "--project", "new"]) == 0
    assert main.run(["repro", *IN_VM, "--project", "new"]) == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["no-such-case"], "there is no case"),
        ([*IN_VM, "--output", "x.rs"], "--project FOLDER"),
        ([*IN_VM, "--playground"], "--playground"),
        (["bytecode/thread-program", "--variant", "raw", "--form", "no"], "--form"),
        ([CASE, "--level", "1"], "--engine native"),
        ([CASE, "--engine", "native", "--level", "4"], "--level"),
        ([CASE, "--engine", "reference"], "--engine"),
        ([CASE, "--engine", "const"], "harness run CASE --engine const"),
        ([CASE, "--output", "no/folder/x.rs"], "--output"),
        ([CASE, "--variant", "raw"], "--variant"),
        ([CASE, "--output", "x.rs", "--project", "y"], "name one of them"),
        (["bytecode/empty-program", "--variant", "raw"], "fails nowhere"),
    ],
)
def test_what_cannot_be_reproduced_is_refused(
    no_miri: Path, arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main.run(["repro", *arguments]) == 2
    assert message in capsys.readouterr().err
    assert not list(no_miri.iterdir())
