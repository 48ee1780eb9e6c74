"""Accounts for a terminal, as lines of text with styles, which a pipe does without."""

from __future__ import annotations

from collections.abc import Iterator

from rich.text import Text

from harness.errors import printable
from harness.outcome import TimedOut, UndefinedBehaviour
from harness.usercode.account import Account
from harness.usercode.log import Log

NAME_WIDTH = 20
"""Columns of the names on the left."""

LONGEST_LIST = 12
"""Seeds that are listed one by one."""


def render_log(log: Log, accounts: tuple[Account, ...]) -> Iterator[Text]:
    """All failures of a log, and what it does not have."""
    for account in accounts:
        yield from render_account(account)
        yield Text()
    if not accounts:
        yield Text(_without_failure(log), style="bold")
    if log.gap:
        yield Text(f"The log is incomplete: {log.gap}. This is what could be read.", style="yellow")


def render_account(account: Account, *, repairs_are_known: bool = False) -> Iterator[Text]:
    """One failure, a line for each thing that is known of it.

    repairs_are_known: whether its kinds of repair stand above already.
    """
    style = "bold red" if isinstance(account.outcome, UndefinedBehaviour) else "bold"
    yield Text(title(account), style=style)
    if account.rule is not None:
        yield _field("broken rule", str(account.rule_name))
        yield _field("the rule", account.rule.sentence)
    elif isinstance(account.outcome, UndefinedBehaviour):
        yield _field("broken rule", _unknown_rule(account))
    if account.meaning:
        yield _field("it means", account.meaning)
    for point in account.points:
        function = f" in {point.function}" if point.function else ""
        yield _field(point.what, f"{point.span}{function}")
        if point.line:
            yield Text(f"    {point.line}", style="cyan")
    for state in account.states:
        yield _field("Miri adds", state)
    if account.rule is not None:
        yield _field("source", account.rule.source)
    if account.message:
        first, *more = account.message.splitlines()
        yield _field("Miri's words", first)
        yield from (Text(f"    {printable(line)}") for line in more)
    if account.seeds:
        yield _field("seeds", seed_words(account.seeds))
    if account.repairs and repairs_are_known:
        yield _field("kinds of repair", "as above")
    elif account.repairs:
        yield Text("kinds of repair, each with a case of the corpus (`harness explain CASE`)")
        for repair in account.repairs:
            yield Text(f"  - {repair.words}")
            yield Text(f"    {repair.case}", style="dim")


def title(account: Account) -> str:
    """`undefined behaviour: aliasing`, and whether that is all there is to know."""
    words = {
        "ub": "undefined behaviour",
        "tool-failed": "not run",
    }.get(account.outcome.name, account.outcome.name)
    if isinstance(account.outcome, TimedOut):
        stopped = f"stopped: {account.outcome.message}"
        words = "not checked to its end" if account.outcome.by_limit else stopped
    if account.kind is not None:
        words = f"{words}: {account.kind}"
    return words if account.whole else f"{words} (the log stops in its message)"


def seed_words(seeds: tuple[int, ...]) -> str:
    listed = ", ".join(map(str, sorted(seeds)[:LONGEST_LIST]))
    more = len(seeds) - LONGEST_LIST
    return f"{listed} and {more} more" if more > 0 else listed


def _without_failure(log: Log) -> str:
    if log.finished:
        return "No undefined behaviour found: the tests ran to their end, and none failed."
    return (
        "No failure in the log, and nothing that says that the run came to its end: Miri says "
        "nothing where it finds nothing."
    )


def _unknown_rule(account: Account) -> str:
    if account.kind is None:
        return "cannot be told: the log stops before the words that name it"
    return "none that the harness knows; Miri's words say all there is"


def _field(name: str, words: str) -> Text:
    return Text(f"{name:<{NAME_WIDTH}}").append(printable(words))
