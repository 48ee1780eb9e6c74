"""What `harness check` tells, as lines of text with styles, which a pipe does without."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.text import Text

from harness.errors import printable
from harness.mode import Mode
from harness.outcome import Outcome, Ran, TimedOut, UndefinedBehaviour
from harness.usercode.account import Account
from harness.usercode.account_screen import render_account, seed_words, title
from harness.usercode.check import Checked, ModeVerdict, Seen
from harness.usercode.differences import differences


def render_checked(checked: Checked) -> Iterator[Text]:
    """One program or test: a line a mode, what they mean together, and each failure once."""
    if checked.test is not None:
        line = Text(f"test {printable(checked.test.name)}", style="bold")
        if checked.test.words:
            line.append(f"  {' '.join(checked.test.words).removeprefix('--')}", style="dim")
        yield line
        if checked.test.skipped:
            words = "not checked: it is marked #[ignore]; --test with its full name runs it"
            yield Text(f"  {words}", style="yellow")
            yield Text()
            return
    width = max(len(str(verdict.mode)) for verdict in checked.verdicts)
    for verdict in checked.verdicts:
        yield from _mode_lines(verdict, width)
    outcomes = worst(checked)
    for sentence in differences(outcomes) if outcomes else ():
        yield Text(f"- {sentence}")
    told: set[tuple[object, ...]] = set()
    for account, modes, seen in distinct(checked):
        yield Text()
        yield Text(f"In {', '.join(map(str, modes))}:", style="dim")
        yield from render_account(account, repairs_are_known=account.repairs in told)
        if isinstance(account.outcome, TimedOut) and account.outcome.by_limit:
            yield Text("to go on: --timeout and --memory-limit allow more; or let it do less")
        told.add(account.repairs)
        yield Text(f"to repeat it: {seen.command}", style="dim")
    yield Text()


def worst(checked: Checked) -> dict[Mode, Outcome]:
    """What each mode came to that was run; a failure where the seeds differ."""
    found = {}
    for verdict in checked.verdicts:
        outcomes = [seen.outcome for seen, _ in verdict.seen]
        if outcomes:
            failing = (each for each in outcomes if not isinstance(each, Ran))
            found[verdict.mode] = next(failing, outcomes[0])
    return found


def distinct(checked: Checked) -> Sequence[tuple[Account, list[Mode], Seen]]:
    """Each failure once, with the modes that show it and the first run that did."""
    found: dict[object, tuple[Account, list[Mode], Seen]] = {}
    for verdict in checked.verdicts:
        for seen, _ in verdict.seen:
            if seen.account is None:
                continue
            account = seen.account
            spans = tuple((point.what, point.span) for point in account.points)
            key = (account.outcome.name, account.kind, account.rule_name, spans)
            found.setdefault(key, (account, [], seen))[1].append(verdict.mode)
    return tuple(found.values())


def _mode_lines(verdict: ModeVerdict, width: int) -> Iterator[Text]:
    if verdict.refused:
        yield Text(f"  {verdict.mode!s:{width}}  not checked: {verdict.refused}", style="yellow")
    for seen, seeds in verdict.seen:
        style = ""
        if seen.account is not None:
            style = "red" if isinstance(seen.outcome, UndefinedBehaviour) else "yellow"
        line = Text(f"  {verdict.mode!s:{width}}  ").append(_verdict_words(seen), style=style)
        if len(verdict.seen) > 1:
            line.append(f" (seeds {seed_words(seeds)})", style="dim")
        yield line


def _verdict_words(seen: Seen) -> str:
    if seen.account is None:
        ending = f"; the program's exit code is {seen.status}" if seen.status else ""
        return f"no undefined behaviour found{ending}"
    words = title(seen.account)
    place = next((point.span for point in seen.account.points), None)
    return f"{words} at {place}" if place is not None else words
