"""The words around a reproducer: the head of its file, a bug report, a link to the playground."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from harness.errors import printable
from harness.explain.rules import RULES
from harness.outcome import Outcome, Panicked, Ran, Trapped, UndefinedBehaviour, Unsupported
from harness.verdict import describe

if TYPE_CHECKING:
    from harness.mode import Mode

WIDTH = 97

PLAYGROUND = "https://play.rust-lang.org/"

LONGEST_LINK = 8000
"""Characters of a link that servers and browsers take."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """What a reproducer shows.

    case: with its variant, in words. mode: None for compiled code.
    command: the shell line that repeats it, without any path of this machine.
    expected: what must come of it; rule: the broken one, by its name.
    seen: what came of the very file; None where nothing could run it, for the reason `unchecked`.
    seen_line: where in the file. seen_place: in which file and line of a project, where it is
    not that file. other: what the sides of a disagreement say, in a line; empty where they agree.
    versions: of all that had a part, a line each. must_print, printed: what a run that comes to
    its end has to print, and did; None where nobody looks at it. beside: what else it takes, in
    words, if the file is not all of it.
    """

    case: str
    mode: Mode | None
    command: str
    expected: Outcome
    rule: str | None
    seen: Outcome | None
    seen_line: int | None
    unchecked: str
    other: str
    versions: tuple[str, ...]
    seen_place: str = ""
    must_print: str | None = None
    printed: str | None = None
    beside: str = ""


def head(story: Story) -> list[str]:
    """The lines of comment at the head of the file."""
    mode = f" in mode {story.mode}" if story.mode else ""
    lines = _wrapped(f"{story.case}: {expectation(story)}{mode}.")
    lines += ["", "Run it:", f"    {story.command}", ""]
    lines += _labelled("Expected: ", expectation(story))
    lines += [f"    {each}" for each in rule_lines(story)]
    if story.other:
        lines += _labelled("But: ", story.other)
    lines += _labelled("Seen: ", sighting(story))
    lines += [f"With: {story.versions[0]}", *(f"    {each}" for each in story.versions[1:])]
    # Whatever a case is called, no line of it leaves the comment.
    return [f"// {printable(line)}".rstrip() for line in lines]


def issue(story: Story, file: str, code: str, *, distributed: bool) -> str:
    """The body of a bug report, in Markdown.

    file: its name in the command. distributed: whether the toolchain that it was seen on is one
    that everybody can install.
    """
    mode = f" in mode {story.mode}" if story.mode else ""
    beside = f", {story.beside}" if story.beside else ""
    lines = [f"I tried this code (`{file}`{beside}){mode}:", ""]
    lines += ["```rust", code.rstrip("\n"), "```", ""]
    lines += ["with", "", "```sh", story.command, "```", ""]
    lines += [f"I expected to see this: {expectation(story)}", ""]
    if rule := rule_lines(story):
        lines += [*(f"> {each}" for each in rule), ""]
    lines += [f"Instead, this happened: {story.other or sighting(story)}", ""]
    if story.other:
        lines += [f"Of this very file: {sighting(story)}", ""]
    lines += ["### Meta", "", *(f"- {each}" for each in story.versions)]
    if not distributed:
        lines += [
            "",
            "<!-- Seen on a toolchain that was linked by hand. Before you send this, see it on a "
            "distributed nightly: rustup toolchain install nightly --component miri,rust-src -->",
        ]
    return printable_lines(lines)


def playground(code: str) -> str:
    """A link that opens the file in the Rust playground, where Miri is under Tools.

    Raises: ValueError, if the file is too long for a link.
    """
    query = {"version": "nightly", "mode": "debug", "edition": "2024", "code": code}
    link = f"{PLAYGROUND}?{urlencode(query)}"
    if len(link) > LONGEST_LINK:
        raise ValueError(f"a link of {len(link)} characters is too long")
    return link


def expectation(story: Story) -> str:
    """What must come of it, in words."""
    outcome = story.expected
    match outcome:
        case UndefinedBehaviour(kind=kind):
            by = f", by the rule {story.rule}" if story.rule else ""
            return f"undefined behaviour ({kind}){by}"
        case Ran() | Trapped() if story.must_print is not None and _came_to_its_end(story):
            return f"it prints {story.must_print!r}"
        case Ran():
            return "it runs to its end, without undefined behaviour"
        case Unsupported(kind=kind):
            return f"Miri cannot go on ({kind}), whether or not the program is right"
        case Trapped(kind=kind):
            return f"a check of the program fails ({kind})"
        case Panicked():
            return "a panic"
        case _:
            return describe(outcome)


def _came_to_its_end(story: Story) -> bool:
    """Whether the program said itself what came of it."""
    return isinstance(story.seen, Ran | Trapped)


def rule_lines(story: Story) -> list[str]:
    """The rule in a sentence, and its source."""
    rule = RULES.get(story.rule or "")
    if rule is None:
        return []
    return [*_wrapped(rule.sentence), f"Source: {rule.source}"]


def sighting(story: Story) -> str:
    """What came of the very file, in words."""
    if story.seen is None:
        return f"not checked: {story.unchecked}"
    place = f"line {story.seen_line}" if story.seen_line else story.seen_place
    where = f" ({place})" if place else ""
    match story.seen:
        case UndefinedBehaviour(message=message):
            return f"{_first_line(message)}{where}"
        case Ran() | Trapped() if story.printed is not None:
            return f"it printed {story.printed!r}"
        case Ran():
            return "it ran to its end" + ("; no undefined behaviour found" if story.mode else "")
        case Panicked(message=message):
            return f"a panic: {_first_line(message)}{where}"
        case _:
            message = _first_line(getattr(story.seen, "message", ""))
            return f"{describe(story.seen)}: {message}{where}"


def printable_lines(lines: list[str]) -> str:
    """The lines as text; line ends within one stay, other control characters do not."""
    whole = "\n".join(lines)
    return "\n".join(printable(line) for line in whole.split("\n")) + "\n"


def _first_line(text: str) -> str:
    return text.splitlines()[0] if text else ""


def _labelled(label: str, text: str) -> list[str]:
    return textwrap.wrap(
        text, WIDTH, initial_indent=label, subsequent_indent="    ", break_on_hyphens=False
    )


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, WIDTH - 4, break_on_hyphens=False)
