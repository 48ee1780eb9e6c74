"""Generated Rust with a memory of where each line of a case's own text came to stand."""

from __future__ import annotations

from dataclasses import dataclass, field

from harness.outcome import FaultKind, Location, Span


@dataclass(slots=True)
class Listing:
    """Lines of Rust.

    origins: by the line's number, from 1, the text that it is from and its number in that.
    claims: by the line's number and rustc's code, what the text breaks where rustc refuses that
    line with that code: the rule and the kind.
    """

    lines: list[str] = field(default_factory=list)
    origins: dict[int, tuple[str, int]] = field(default_factory=dict)
    claims: dict[tuple[int, str], tuple[int, FaultKind]] = field(default_factory=dict)

    def add(self, text: str) -> None:
        """Lines of the harness's own."""
        self.lines += text.split("\n")

    def quote(self, name: str, text: str) -> None:
        """Lines of a case: of what places go by `name` in."""
        for number, line in enumerate(text.split("\n"), 1):
            self.lines.append(line)
            self.origins[len(self.lines)] = (name, number)

    def end(self, line: str) -> None:
        """A line of the harness's own that is about the end of what was quoted before."""
        name, number = next(reversed(self.origins.values()))
        self.lines.append(line)
        self.origins[len(self.lines)] = (name, number)

    def begin(self, name: str, line: str) -> None:
        """A line of the harness's own that is about the whole of what is quoted next."""
        self.lines.append(line)
        self.origins[len(self.lines)] = (name, 1)

    def claim(self, code: str, breach: tuple[int, FaultKind], *, lines: int = 1) -> None:
        """Say what is broken where rustc refuses one of the last `lines` with `code`."""
        last = len(self.lines)
        self.claims.update({(each, code): breach for each in range(last - lines + 1, last + 1)})

    def text(self) -> str:
        return "\n".join(self.lines) + "\n"

    def place(self, span: Span | None, file: str) -> Location | None:
        """Where in a case's own text a place in the Rust is; None if it is not from there."""
        if span is None or span.file != file or span.line not in self.origins:
            return None
        name, line = self.origins[span.line]
        return Location(span=Span(file=name, line=line, column=span.column))
