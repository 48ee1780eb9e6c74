"""What Miri said before: headlines of releases since 2021 in today's words.

The diagnostics are read by today's words; a log may be older. Only the words that tell kinds
and rules apart are here.

Source: the history of rust-lang/miri, `src/borrow_tracker/stacked_borrows/diagnostics.rs`, and of
rust-lang/rust, `compiler/rustc_const_eval/messages.ftl` and `src/interpret/error.rs`.
"""

from __future__ import annotations

import re

_TODAY: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), words)
    for pattern, words in (
        (r"^Undefined Behavior: trying to reborrow from ",
         "Undefined Behavior: trying to retag from "),
        (r"^Undefined Behavior: (dereferencing pointer failed|out-of-bounds pointer use): ",
         "Undefined Behavior: pointer not dereferenceable: "),
        (r"^Undefined Behavior: out-of-bounds pointer arithmetic: ",
         "Undefined Behavior: in-bounds pointer arithmetic failed: "),
        (r"^Undefined Behavior: type validation failed",
         "Undefined Behavior: constructing invalid value"),
        (r"(?<=: )null pointer is (a dangling|not a valid) pointer.*$", "but got null pointer"),
        (r"was dereferenced after this allocation got freed$",
         "has been freed, so this pointer is dangling"),
        (r"^Undefined Behavior: using uninitialized data.*$",
         "Undefined Behavior: reading memory, but memory is uninitialized"),
    )
)  # fmt: skip


def in_todays_words(headline: str) -> str:
    """The headline as today's Miri would have it, as far as it tells the kind and the rule."""
    for pattern, words in _TODAY:
        headline = pattern.sub(words, headline)
    return headline
