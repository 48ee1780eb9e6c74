"""Reproducers: the file for a symptom, run again before it is handed over."""

from __future__ import annotations

from dataclasses import dataclass, replace
from importlib.metadata import version
from typing import TYPE_CHECKING

from harness.engines.result_line import read_vm_result
from harness.engines.vm_crate import VM_PACKAGE
from harness.errors import HarnessError
from harness.outcome import Outcome, Panicked, Ran, Trapped, UndefinedBehaviour
from harness.reduce.symptom import Sight, sight
from harness.repro.head import Story, head
from harness.repro.plain_rust import Plainness, PlainSource, write_plain
from harness.verdict import describe

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from harness.mode import Mode
    from harness.pointer.program import Path, PointerProgram
    from harness.repro.check import Seen, Tool


class NotReproduced(HarnessError):
    """The file does not show what the case shows (exit code 1)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What the file must show.

    case: with its variant, in words. expected: by the abstract machine, at that statement;
    rule: that it names. seen: what the tool has to see. disagrees: whether that is something
    else than what is expected, so that no line can be compared.
    printed: what it must print, or must not where the sides disagree; None for anything.
    open_question: the address of what the specification has not settled, if it hangs on that.
    """

    case: str
    mode: Mode | None
    expected: Outcome
    rule: str | None
    seen: Sight
    disagrees: bool = False
    printed: str | None = None
    open_question: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reproducer:
    """text: the file's. seen: what became of it; None where it was not checked."""

    text: str
    story: Story
    seen: Seen | None


def reproduce(
    program: PointerProgram,
    wanted: Wanted,
    tool: Tool,
    *,
    command: str,
    unchecked: str = "",
    run: Callable[[str], Seen] | None = None,
) -> Reproducer:
    """The plainest file that shows what is wanted; the exact one, where the sides disagree.

    command: as the head has it. unchecked: why the tool cannot run it; empty if it can.
    run: how the very file is run that is handed over, if not by the tool as it is.

    Raises: NotReproduced, if not even the exact Rust shows it.
    """
    prints = wanted.printed is not None
    remarks = _remarks(wanted)
    if unchecked:
        source = write_plain(program, prints=prints, remarks=remarks)
        return _written(source, wanted, tool, command, None, unchecked)
    differing = ""
    # Where the sides disagree the machine alone says what is right, and says it of the exact Rust.
    forms = (Plainness.EXACT,) if wanted.disagrees else sorted(Plainness, reverse=True)
    for plainness in forms:
        source = write_plain(program, plainness=plainness, prints=prints, remarks=remarks)
        seen = tool.run(source.text(()))
        differing = _difference(wanted, seen, source.path_at(seen.line or 0, 0))
        if not differing:
            reproducer = _written(source, wanted, tool, command, seen, "")
            _run_again(reproducer, source, wanted, run or tool.run)
            return reproducer
    raise NotReproduced(f"{wanted.case}: the Rust file does not show it: {differing}")


def reproduce_in_vm(
    main: str,
    wanted: Wanted,
    tool: Tool,
    *,
    files: Callable[[str], Mapping[str, bytes]],
    command: str,
    unchecked: str = "",
) -> Reproducer:
    """The `main.rs` of a project with the Rust VM, under a head that says what it shows.

    main: without the head. files: all of the project's, with that text as its `main.rs`.
    command, unchecked: as in `reproduce`.

    Raises: NotReproduced.
    """

    def run(text: str) -> Seen:
        seen = _of_vm(tool.run_project(files(text)))
        if differing := _difference(wanted, seen, None):
            raise NotReproduced(f"{wanted.case}: the project does not show it: {differing}")
        return seen

    seen = None if unchecked else run(main)
    story = replace(
        _story(wanted, tool, command, seen, unchecked),
        seen_place=seen.place if seen else "",
        beside=f"in a project with the Rust VM, `{VM_PACKAGE}`, which is attached",
    )
    text = "".join(f"{line}\n" for line in (*head(story), "", *main.splitlines()))
    if not unchecked:
        run(text)
    return Reproducer(text=text, story=story, seen=seen)


def _story(wanted: Wanted, tool: Tool, command: str, seen: Seen | None, unchecked: str) -> Story:
    """What is told of a file, but for the line. seen: what became of it."""
    return Story(
        case=wanted.case,
        mode=wanted.mode,
        command=command,
        expected=wanted.expected,
        rule=wanted.rule,
        seen=seen.outcome if seen else None,
        seen_line=None,
        unchecked=unchecked,
        other=_disagreement(wanted, seen),
        must_print=wanted.printed,
        printed=seen.printed if seen and wanted.printed is not None else None,
        versions=(*tool.versions(), f"harness {version('harness')}"),
    )


def _of_vm(seen: Seen) -> Seen:
    """What the VM says of itself, where it came to say anything."""
    if not isinstance(seen.outcome, Ran):
        return seen
    return replace(seen, outcome=read_vm_result(seen.printed))


def _written(
    source: PlainSource,
    wanted: Wanted,
    tool: Tool,
    command: str,
    seen: Seen | None,
    unchecked: str,
) -> Reproducer:
    line = seen.line if seen else None
    story = replace(_story(wanted, tool, command, seen, unchecked), seen_line=line)
    above = len(head(story)) + 1
    if line is not None:
        story = replace(story, seen_line=line + above)
    # A number with more digits may take another line.
    lines = [*head(story), ""]
    if len(lines) != above and line is not None:
        lines = [*head(replace(story, seen_line=line + len(lines))), ""]
    return Reproducer(text=source.text(lines), story=story, seen=seen)


def _run_again(
    reproducer: Reproducer, source: PlainSource, wanted: Wanted, run: Callable[[str], Seen]
) -> None:
    """Run what is to be handed over. Raises: NotReproduced."""
    seen = run(reproducer.text)
    above = len(reproducer.text.splitlines()) - len(source.lines)
    differing = _difference(wanted, seen, source.path_at(seen.line or 0, above))
    if not differing and seen.line != reproducer.story.seen_line:
        differing = f"its head names line {reproducer.story.seen_line}, it stops in {seen.line}"
    if differing:
        raise NotReproduced(f"{wanted.case}: the Rust file does not show it: {differing}")


def _difference(wanted: Wanted, seen: Seen, path: Path | None) -> str:
    """In what a run differs from what is wanted; empty if in nothing that counts."""
    # A check of the program's own is an `assert!` here.
    names = {wanted.seen.name, Panicked.name if wanted.seen.name == Trapped.name else ""}
    same_kind = wanted.seen.kind in (None, sight(seen.outcome).kind) or Trapped.name in names
    if seen.outcome.name not in names or not same_kind:
        return f"wanted {wanted.seen}, saw {describe(seen.outcome)}"
    told = wanted.printed is not None and isinstance(seen.outcome, Ran | Trapped)
    if told and wanted.disagrees == (seen.printed == wanted.printed):
        what = f"{'not ' if wanted.disagrees else ''}{wanted.printed!r}"
        return f"wanted {what}, saw {seen.printed!r}"
    at = _statement(wanted.expected)
    if wanted.disagrees or at is None or path is None or path == at:
        return ""
    return f"wanted it in statement {_dotted(at)}, saw it in {_dotted(path)}"


def _disagreement(wanted: Wanted, seen: Seen | None) -> str:
    if not wanted.disagrees:
        return ""
    told = seen is not None and isinstance(seen.outcome, Ran | Trapped)
    if wanted.printed is not None and seen is not None and told:
        return f"it prints {seen.printed!r} where it must print {wanted.printed!r}"
    said = f"the tool sees {wanted.seen}"
    if wanted.open_question is not None:
        said += f"; which is right is an open question of the specification: {wanted.open_question}"
    return said


def _remarks(wanted: Wanted) -> Mapping[Path, str]:
    """Comments at the statements that the fault is about."""
    outcome = wanted.expected
    at = _statement(outcome)
    if not isinstance(outcome, UndefinedBehaviour) or at is None:
        return {}
    found: dict[Path, str] = {}
    for place, words in (
        (outcome.created, "The pointer's tag is made here,"),
        (outcome.invalidated, "it loses its rights here,"),
    ):
        if place is not None and place.path is not None and place.path != at:
            found[place.path] = words
    found[at] = f"undefined behaviour by {wanted.rule}:"
    return found


def _statement(outcome: Outcome) -> Path | None:
    place = getattr(outcome, "location", None)
    return place.path if place is not None else None


def _dotted(path: Path) -> str:
    return ".".join(map(str, path))
