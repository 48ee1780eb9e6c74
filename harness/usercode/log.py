"""A log of Miri's, whatever wrote it down: which failures it has, and whether it is whole.

A log has no exit code, and often more in it than Miri's words: cargo's, a test harness's, a
terminal's colours, the clock of a CI service, and what the program itself prints.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

import msgspec

from harness.diagnostics.failure import Failure, read_error, read_panic
from harness.diagnostics.human import read_human
from harness.diagnostics.message import Message, Transcript, read_json
from harness.outcome import ToolFailed
from harness.usercode.older_words import in_todays_words
from harness.usercode.source_lines import SourceLines, lines_in_log

EMPTY = "the log is empty"
NOT_MIRI = "nothing in the log is Miri's: no diagnostic of its own, and no word of cargo-miri's"


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedFailure:
    """One failure of a log, however often the log has it.

    failure: in today's words, where an older Miri had others. message: the diagnostic behind it,
    as it is; None for a panic. seeds: those of Miri's under which it
    was seen, where the log names them. whole: whether the log has all that Miri said of it.
    kind_is_known: whether what there is of it tells which kind it is.
    """

    failure: Failure
    message: Message | None
    seeds: tuple[int, ...] = ()
    whole: bool = True
    kind_is_known: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Log:
    """failures: each once, in the log's order. gap: what is missing in it; empty if nothing is.

    finished: whether the log itself says that the run came to its end without a failure.
    stranger: why it cannot be called a log of Miri's; empty where it can.
    """

    failures: tuple[LoggedFailure, ...]
    sources: SourceLines
    gap: str = ""
    finished: bool = False
    stranger: str = ""


def read_log(data: bytes) -> Log:
    """Everything that a log has of Miri's and rustc's diagnostics, in either of their formats."""
    text = _plain(data.decode(errors="replace"))
    is_json = _JSON in text
    transcript = (read_json if is_json else read_human)(text.encode())
    cut_entry = _piece(transcript) if is_json else _cut_entry(text, transcript)
    if is_json and cut_entry is not None:
        transcript = Transcript(entries=(*transcript.entries[:-1], cut_entry))
    failures = tuple(_merged(_failures(transcript, cut_entry, is_json=is_json)))
    if len(failures) == 1:
        seeds = tuple(
            int(seed[1]) for seed in map(_SEED.match, transcript.text.split("\n")) if seed
        )
        failures = (replace(failures[0], seeds=seeds),)
    gap = _gap(text, transcript, failures, is_cut=cut_entry is not None)
    if is_json and not gap and _has_others(transcript):
        gap = "messages in the human form stand beside those in JSON, and were not read"
    return Log(
        failures=failures,
        sources=lines_in_log(text),
        gap=gap,
        finished=not failures and _FINISHED.search(text) is not None,
        stranger=_stranger(text, transcript, failures, gap),
    )


def _has_others(transcript: Transcript) -> bool:
    """Whether what stands around the messages in JSON has some of Miri's in its human form.

    A program may print such text itself, so that it is told of and not read.
    """
    messages = read_human(transcript.text.encode()).messages
    return any(message.span and _of_miri(message.text) for message in messages)


_JSON = '{"$message_type":"diagnostic"'
_COLOURS = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)")
# GitHub's raw logs have a byte-order mark and a time before every line.
_CLOCK = re.compile(r"^\N{BOM}?\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z ", re.MULTILINE)
# A test's name stands before the first words of Miri, which ends the line.
_TEST_NAME = re.compile(
    r"^(test .+ \.\.\. )(?=(?:error(?:\[|: )|warning: |thread '|\{\"\$message_type\"))",
    re.MULTILINE,
)


def _plain(text: str) -> str:
    """The log as the tools wrote it, each of their words at the beginning of a line."""
    text = text.replace("\r\n", "\n")
    text = _COLOURS.sub("", text)
    text = _CLOCK.sub("", text)
    text = _TEST_NAME.sub(r"\1\n", text)
    # A note takes all lines up to an empty one for its own.
    text = _SEED.sub(r"\n\g<0>\n", text)
    return "\n".join(_unwrapped(line) for line in text.split("\n"))


class _CargoLine(msgspec.Struct):
    """A diagnostic as cargo passes it on under `--message-format json`."""

    reason: str
    message: msgspec.Raw


_cargo_decoder = msgspec.json.Decoder(_CargoLine)


def _unwrapped(line: str) -> str:
    if not line.startswith('{"reason":"compiler-message"'):
        return line
    try:
        return bytes(_cargo_decoder.decode(line.encode()).message).decode()
    except msgspec.DecodeError:
        return line


def _failures(
    transcript: Transcript, cut_entry: Message | None, *, is_json: bool
) -> Iterator[LoggedFailure]:
    """The failures in order, as often as the log has them, each with the seed after it."""
    waiting: list[LoggedFailure] = []
    text: list[str] = []

    def panics() -> None:
        found = read_panic("\n".join((*text, "")))
        text.clear()
        if found is not None:
            waiting.append(LoggedFailure(failure=found, message=None))

    for entry in transcript.entries:
        if isinstance(entry, str):
            if seed := _SEED.match(entry):
                panics()
                # Interpreters that run side by side may all have spoken before the line.
                if len(waiting) == 1:
                    waiting[0] = replace(waiting[0], seeds=(int(seed[1]),))
                yield from waiting
                waiting.clear()
            else:
                text.append(entry)
            continue
        panics()
        if entry.is_error and not _AFTERWARDS.match(entry.text):
            whole = entry is not cut_entry
            waiting.append(
                LoggedFailure(
                    failure=read_error(replace(entry, text=in_todays_words(entry.text))),
                    message=entry,
                    whole=whole,
                    kind_is_known=whole or _tells_its_kind(entry, is_json=is_json),
                )
            )
    panics()
    yield from waiting


_SEED = re.compile(r"^FAILING SEED: (\d+)$", re.MULTILINE)
# What cargo and the test harness say once Miri or rustc has failed.
_AFTERWARDS = re.compile(
    r"test failed, to rerun|could not compile|process didn't exit successfully"
    r"|\d+ targets? failed|doctest failed|aborting due to"
)


def _tells_its_kind(message: Message, *, is_json: bool) -> bool:
    """Whether what is left of a cut message has the words that name its kind."""
    # In the human form the place comes next, so that the headline has its end.
    if message.span is None and not is_json:
        return False
    # Only the helps of Tree Borrows tell a protector from a lost permission.
    return not message.text.endswith(" is forbidden") or any(
        _TELLING.search(note.text) for note in message.notes
    )


_TELLING = re.compile(r"protected tag|has state (?!Reserved \(conflicted).* which forbids")


def _merged(failures: Iterator[LoggedFailure]) -> Iterator[LoggedFailure]:
    """Those that differ in tags and addresses alone as one, with all their seeds."""
    found: dict[object, LoggedFailure] = {}
    for each in failures:
        outcome = each.failure.outcome
        key = (
            outcome.name,
            getattr(outcome, "kind", None),
            getattr(outcome, "location", None),
            _NUMBERS.sub("_", getattr(outcome, "message", "")),
        )
        first = found.get(key)
        found[key] = each if first is None else replace(first, seeds=first.seeds + each.seeds)
    yield from found.values()


_NUMBERS = re.compile(r"alloc\d+|0x[0-9a-f]+|<\d+>|\d+")


def _piece(transcript: Transcript) -> Message | None:
    """What there is of a message in the JSON format that has no end: its headline."""
    last = transcript.entries[-1] if transcript.entries else None
    if not isinstance(last, str) or _JSON not in last:
        return None
    found = _HEADLINE.match(last.partition(_JSON)[2])
    text = "" if found is None else msgspec.json.decode(f'"{found[1]}"', type=str)
    return Message(level="error" if _of_miri(text) else "unknown", text=text)


_HEADLINE = re.compile(r',"message":"((?:[^"\\]|\\.)*)"')


def _of_miri(headline: str) -> bool:
    outcome = read_error(Message(level="error", text=headline)).outcome
    return not isinstance(outcome, ToolFailed)


def _cut_entry(text: str, transcript: Transcript) -> Message | None:
    """The message that the log may stop in: the last one, without the empty line after it."""
    last = transcript.entries[-1] if transcript.entries else None
    if not isinstance(last, Message) or text.endswith("\n\n"):
        return None
    if not last.is_error or _AFTERWARDS.match(last.text):
        return None
    # rustc's options are refused in one line.
    is_line = last.span is None and not _of_miri(last.text)
    return None if is_line and text.endswith("\n") else last


def _gap(
    text: str, transcript: Transcript, failures: tuple[LoggedFailure, ...], *, is_cut: bool
) -> str:
    """What shows that the log stops too early; empty where nothing does."""
    if is_cut or _is_piece_of_json(text.rstrip("\n").rpartition("\n")[2]):
        return "it stops within a message, or right after it"
    if not failures:
        return ""
    if failures[-1].message is None:
        last = transcript.entries[-1]
        is_open = isinstance(last, str) and bool(last) and not text.endswith("\n")
        return "it stops within a line" if is_open else ""
    by_miri = any(not isinstance(each.failure.outcome, ToolFailed) for each in failures)
    ended = any(message.text.startswith("aborting due to ") for message in transcript.messages)
    if by_miri and not ended and not failures[-1].seeds:
        return "the line with which Miri ends is missing, `error: aborting due to …`"
    return ""


def _is_piece_of_json(line: str) -> bool:
    """Whether the line stops in the first words of a message in the JSON format."""
    _, brace, after = line.rpartition('{"')
    return bool(brace) and len(after) > 2 and _JSON.startswith(brace + after)


_FINISHED = re.compile(r"^test result: ok\.", re.MULTILINE)
_SIGNS = re.compile(
    r"^ *Preparing a sysroot for Miri|^ *Running .*cargo-miri runner|^warning: .* MIRIFLAGS"
    r"|^Trying seed: \d+$|^\d+/\d+ SEEDS FAILED$|run with `MIRIFLAGS=|in Miri, you may have to"
    r"|^(?:fatal )?error: .*`(?:-Z)?miri-",
    re.MULTILINE,
)


def _stranger(
    text: str, transcript: Transcript, failures: tuple[LoggedFailure, ...], gap: str
) -> str:
    if not text.strip():
        return EMPTY
    if any(message.span for message in transcript.messages) or _SIGNS.search(text) or gap:
        return ""
    by_miri = (each for each in failures if not isinstance(each.failure.outcome, ToolFailed))
    return "" if any(each.message is not None for each in by_miri) else NOT_MIRI
