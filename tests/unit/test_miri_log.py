"""Logs of Miri's: every recorded run in both renderings, cut off anywhere, and what is none."""

from __future__ import annotations

import io
import json
import sys
from functools import cache
from typing import Any

import pytest

from harness.cli.main import run as run_harness
from harness.outcome import Location, Outcome, TimedOut, UndefinedBehaviour
from harness.usercode.account import Account, account_of, is_library
from harness.usercode.account_screen import render_log
from harness.usercode.log import EMPTY, NOT_MIRI, Log, read_log
from tests.unit.test_diagnostics import (
    DATA,
    FLAGS_REFUSED,
    MESSAGES,
    line_of,
    name,
    recording,
    recordings,
    wanted,
)


def human(stderr: str) -> str:
    """What Miri would have printed without `--error-format=json`."""
    return "".join(
        json.loads(line)["rendered"] if line.startswith('{"$message_type"') else f"{line}\n"
        for line in stderr.splitlines()
    )


RENDERINGS = {"as recorded": lambda text: text, "human": human}


@cache
def logs(run_name: str) -> tuple[Log, Log]:
    [found] = [run for run in recordings() if name(run) == run_name]
    return read_log(found["stderr"].encode()), read_log(human(found["stderr"]).encode())


def accounts(log: Log) -> tuple[Account, ...]:
    return tuple(account_of(each, log.sources) for each in log.failures)


def place(outcome: Outcome, which: str) -> Location | None:
    found: Location | None = getattr(outcome, which, None)
    return found


@pytest.mark.parametrize("run", recordings(), ids=name)
def test_class_kind_and_places_of_a_recorded_run(run: dict[str, Any]) -> None:
    for log in logs(name(run)):
        if run["label"] in FLAGS_REFUSED:
            assert [each.outcome.name for each in accounts(log)] == ["tool-failed"]
            continue
        fault = None if run["exit_code"] == "timeout" else wanted(run)
        # The program's own status and its end by a limit are nothing that a log could have.
        if fault is None or not run["stderr"] or run["exit_code"] == 7:
            assert not log.failures
            continue
        [account] = accounts(log)
        outcome = account.outcome
        assert type(outcome) is fault.outcome
        assert account.kind == fault.kind
        assert account.message.startswith(fault.message)
        if not isinstance(outcome, TimedOut):
            assert line_of(place(outcome, "location")) == fault.line
        for which in ("created", "invalidated"):
            assert line_of(place(outcome, which)) == getattr(fault, which)


@pytest.mark.parametrize("run", recordings(), ids=name)
def test_both_renderings_give_the_same_account(run: dict[str, Any]) -> None:
    first, second = logs(name(run))
    assert accounts(first) == accounts(second)
    assert first.gap == second.gap == ""


def is_undefined(run: dict[str, Any]) -> bool:
    if run["label"] in FLAGS_REFUSED or run["exit_code"] in (0, "timeout"):
        return False
    fault = wanted(run)
    return fault is not None and fault.outcome is UndefinedBehaviour


@pytest.mark.parametrize("run", [run for run in recordings() if is_undefined(run)], ids=name)
def test_undefined_behaviour_has_a_rule_and_its_lines(run: dict[str, Any]) -> None:
    for log in logs(name(run)):
        [account] = accounts(log)
        assert account.rule is not None, account.message
        own = [point for point in account.points if not is_library(point.span)]
        assert own, "a place in the user's code"
        # The frame of `main` in a backtrace is the only place that Miri does not quote.
        assert all(point.line for point in own if not point.function)


def test_the_seeds_of_a_failure_are_told() -> None:
    log = read_log(recording("static_memory_reborrowed", "seeds-keep-going")["stderr"].encode())
    [account] = accounts(log)
    assert sorted(account.seeds) == list(range(16))
    [account] = accounts(
        read_log(recording("nondeterministic_address", "seeds-keep-going")["stderr"].encode())
    )
    assert account.outcome.name == "panicked"
    assert len(account.seeds) == 9


# Cut off


CUT = [run for run in recordings() if run["label"] in ("stacked-strict", "tree-permissive")]


@pytest.mark.parametrize("rendering", RENDERINGS)
@pytest.mark.parametrize("run", CUT, ids=name)
def test_a_log_cut_off_anywhere_tells_nothing_wrong(run: dict[str, Any], rendering: str) -> None:
    """Wherever it stops: the same class, kind and place as the whole, or nothing of them."""
    text = RENDERINGS[rendering](run["stderr"])
    whole = accounts(read_log(text.encode()))
    for end in range(len(run["program"]), len(text), 101):
        log = read_log(text[:end].encode())
        for part in accounts(log):
            [account] = whole
            assert part.outcome.name == account.outcome.name or not part.whole
            assert part.kind in (account.kind, None)
            assert part.rule_name in (account.rule_name, None) or not part.whole
            of_part, of_whole = (place(each.outcome, "location") for each in (part, account))
            assert of_part == of_whole or not part.whole
        if log.failures and isinstance(log.failures[0].failure.outcome, UndefinedBehaviour):
            ends_as_a_whole = "aborting due to" in text[:end]
            assert log.gap or ends_as_a_whole


def test_a_cut_log_says_so(capsys: pytest.CaptureFixture[str], tmp_path: Any) -> None:
    path = tmp_path / "log"
    text = recording("static_memory_reborrowed", "tree-strict")["stderr"]
    path.write_text(text[:400])
    assert run_harness(["explain", "--miri-log", str(path)]) == 0
    shown = capsys.readouterr().out
    assert "Undefined Behavior: write access through <227> at alloc109[0x0] is forbidden" in shown
    assert "The log is incomplete: it stops within a message" in shown
    assert "kinds of repair" not in shown, "a protector, or a lost right: the log does not say"


def test_messages_in_both_forms_are_not_dropped_in_silence() -> None:
    first = recording("protected_argument", "stacked-strict")["stderr"]
    second = human(recording("null_read", "none-strict")["stderr"])
    log = read_log(f"{first}\n{second}".encode())
    assert accounts(log) == accounts(read_log(first.encode()))
    assert "human form" in log.gap


# What stands around Miri's words


def test_colours_clocks_and_the_names_of_tests_are_no_hindrance() -> None:
    bare = human(recording("protected_argument", "stacked-strict")["stderr"])
    first, rest = bare.split("\n", 1)
    coloured = f"\x1b[0m\x1b[1m\x1b[38;5;9merror\x1b[0m{first.removeprefix('error')}\x1b[0m\n{rest}"
    in_a_test = (
        f"running 1 test\ntest tests::one ... {bare}error: test failed, to rerun pass `--lib`\n\n"
    )
    clocked = "\r\n".join(f"2026-11-25T02:50:01.1234567Z {line}" for line in bare.split("\n"))
    wanted_accounts = accounts(read_log(bare.encode()))
    for text in (coloured, in_a_test, clocked):
        assert accounts(read_log(text.encode())) == wanted_accounts


def test_a_message_that_cargo_wraps_is_read() -> None:
    run = recording("protected_argument", "stacked-strict")
    wrapped = "".join(
        f'{{"reason":"compiler-message","package_id":"x 0.1.0","message":{line}}}\n'
        for line in run["stderr"].splitlines()
    )
    assert accounts(read_log(wrapped.encode())) == accounts(read_log(run["stderr"].encode()))


def test_the_stack_that_older_miris_show_is_read() -> None:
    """As rust-lang/miri had it until 2025: a note for each function, with a place or under one."""
    text = (
        "error: Undefined Behavior: entering unreachable code\n"
        "  --> /x/lib/rustlib/src/rust/library/core/src/hint.rs:105:5\n    |\n"
        "105 |     intrinsics::unreachable()\n    |     ^^^^^ entering unreachable code\n    |\n"
        "    = note: BACKTRACE:\n"
        "    = note: inside `std::hint::unreachable_unchecked` at "
        "/x/lib/rustlib/src/rust/library/core/src/hint.rs:105:5: 105:30\n"
        "note: inside `poke`\n   --> src/main.rs:3:14\n    |\n3   |     unsafe { f() }\n"
        "    = note: inside `main` at src/main.rs:9:1: 9:2\n\n"
        "error: aborting due to previous error\n\n"
    )
    log = read_log(text.encode())
    [account] = accounts(log)
    assert [(point.function, str(point.span)) for point in account.points[1:]] == [
        ("poke", "src/main.rs:3:14"),
        ("main", "src/main.rs:9:1"),
    ]
    assert not log.gap


@pytest.mark.parametrize(
    ("words", "kind", "rule"),
    [
        # Seen in logs of 2021 to 2025: dlmalloc-rs 19, miette 189, smallbox 21, dumpster 21.
        ("null pointer is not a valid pointer for this operation", "null", None),
        ("trying to reborrow from <1> for SharedReadOnly permission at alloc1[0x18], but that tag "
         "does not exist in the borrow stack for this location", "aliasing",
         "stacked/retag-needs-granting-item"),
        ("dereferencing pointer failed: 0x1f[noalloc] is a dangling pointer (it has no provenance)",
         "no-provenance", "memory/dereferenceable-needs-provenance"),
        ("out-of-bounds pointer use: expected a pointer to 1 byte of memory, but got 0x2b[noalloc] "
         "which is a dangling pointer (it has no provenance)", "no-provenance",
         "memory/dereferenceable-needs-provenance"),
        ("constructing invalid value at .0.raw: encountered a dangling reference (use-after-free)",
         "dangling", "validity/live-referent"),
    ],
)  # fmt: skip
def test_the_words_of_older_miris_are_known(words: str, kind: str, rule: str | None) -> None:
    headline = f"Undefined Behavior: {words}"
    [account] = accounts(read_log(f"error: {headline}\n --> src/x.rs:1:1\n\n".encode()))
    assert account.kind == kind
    assert account.rule_name == rule
    assert account.message == headline


# What is no log of Miri's


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (b"", EMPTY),
        (b"\n\n", EMPTY),
        (b"hello\nworld\n", NOT_MIRI),
        (b"error: no such file\n", NOT_MIRI),
        (bytes(range(256)) * 40, NOT_MIRI),
        (b'{"some": "json"}\n', NOT_MIRI),
        (b"thread 'main' panicked at src/main.rs:1:1:\nboom\n", NOT_MIRI),
    ],
)
def test_what_is_not_miri_s_is_refused(
    text: bytes, why: str, tmp_path: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    assert read_log(text).stranger == why
    path = tmp_path / "log"
    path.write_bytes(text)
    assert run_harness(["explain", "--miri-log", str(path)]) == 2
    assert why in capsys.readouterr().err


def test_the_log_may_come_from_standard_input(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stderr = recording("use_after_free", "none-strict")["stderr"].encode()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stderr)))
    assert run_harness(["explain", "--miri-log", "-"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[:3] == [
        "undefined behaviour: dangling",
        "broken rule         memory/access-of-live-memory",
        "the rule            An access needs memory that is alive: neither given back nor of a "
        "body that was left.",
    ]
    assert "memory allocated    main.rs:3:13" in lines
    assert "memory freed        main.rs:5:14" in lines


@pytest.mark.parametrize("arguments", [["explain"], ["explain", "x", "--miri-log", "-"]])
def test_a_case_or_a_log(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run_harness(arguments) == 2
    assert "harness: error:" in capsys.readouterr().err


def test_a_log_that_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_harness(["explain", "--miri-log", str(DATA / "no-such-log")]) == 2
    assert "cannot be read: No such file or directory" in capsys.readouterr().err


def test_a_run_without_a_failure_is_not_called_sound() -> None:
    log = read_log(b"Preparing a sysroot for Miri (target: x)... done\n   Running `cargo-miri`\n")
    assert not log.stranger
    shown = "\n".join(line.plain for line in render_log(log, ()))
    assert "No failure in the log" in shown
    ended = read_log(b"Preparing a sysroot for Miri\n\ntest result: ok. 3 passed; 0 failed\n")
    assert ended.finished
    for text in (shown, "\n".join(line.plain for line in render_log(ended, ()))):
        assert "sound" not in text


def test_control_characters_of_a_log_do_not_reach_the_screen() -> None:
    text = "error: Undefined Behavior: \x1b[2Jodd \x07 words\n --> src/\x08x.rs:1:1\n\n"
    log = read_log(text.encode())
    for line in render_log(log, accounts(log)):
        assert "\x07" not in line.plain
        assert "\x08" not in line.plain
        assert "\x1b" not in line.plain


def test_every_message_that_miri_was_seen_to_print_has_a_rule() -> None:
    for outcome, _, message in MESSAGES:
        if outcome == "ub":
            text = f"error: {message}\n --> src/main.rs:1:1\n\nerror: aborting due to 1\n\n"
            [account] = accounts(read_log(text.encode()))
            assert account.rule is not None, message
