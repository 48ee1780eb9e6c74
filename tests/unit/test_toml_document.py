"""Places within TOML strings, whatever way they are written."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, strategies as st

from harness.cases.toml_document import parse_document


def spellings(quotes: str) -> st.SearchStrategy[tuple[str, str]]:
    """Characters with a way to write each inside `quotes`; an empty one is a folded line end."""
    plain = st.characters(
        codec="utf-8", exclude_categories=["Cc", "Cs"], exclude_characters="'\"\\"
    )
    ways = [plain.map(lambda each: (each, each)), st.just(("\t", "\t"))]
    if quotes[0] == '"':
        ways += [
            st.sampled_from([("\n", "\\n"), ("\t", "\\t"), ('"', '\\"'), ("\\", "\\\\")]),
            plain.map(lambda each: (each, f"\\U{ord(each):08x}")),
            plain.filter(lambda each: ord(each) < 0x10000).map(
                lambda each: (each, f"\\u{ord(each):04X}")
            ),
        ]
    if len(quotes) == 3:
        ways.append(st.just(("\n", "\n")))
    if quotes == '"""':
        ways += [st.just(("", "\\\n")), st.just(("", "\\ \n \t\n"))]
    return st.one_of(ways)


def written(quotes: str) -> st.SearchStrategy[tuple[str, list[tuple[str, str]]]]:
    return st.lists(spellings(quotes), max_size=12).map(lambda parts: (quotes, parts))


@given(st.sampled_from(["'", '"', "'''", '"""']).flatmap(written), st.sampled_from(["", "\n"]))
def test_every_character_of_a_string_is_found(
    string: tuple[str, list[tuple[str, str]]], trimmed: str
) -> None:
    quotes, parts = string
    opening = f"before = 1\nkey =  {quotes}" + (trimmed if len(quotes) == 3 else "")
    text, value, starts, folding = opening, "", [], False
    for character, spelling in parts:
        # A folded line end takes the blanks behind it along, and a line end right behind
        # the opening quotes would be trimmed.
        if spelling in " \t\n" and (folding or text == opening):
            continue
        folding = not character
        if character:
            starts.append(len(text))
        text, value = text + spelling, value + character
    starts.append(len(text))
    text += quotes + "\n"

    document = parse_document(text.encode(), "file")
    assert document.values["key"] == value
    locate = document.locate_in(("key",))
    for offset, start in enumerate(starts):
        line = text.count("\n", 0, start) + 1
        column = start - text.rfind("\n", 0, start)
        assert str(locate(offset)) == f"file:{line}:{column}"


@pytest.mark.parametrize(
    ("string", "offset", "place"),
    [
        ("'abc'", 0, "1:6"),
        ("'abc'", 3, "1:9"),
        ("''", 0, "1:6"),
        ("'''\r\nab\r\ncd'''", 4, "3:1"),
        ("'''it''s'''", 5, "1:13"),
        ("''''quoted'''''", 0, "1:8"),
        ('"a\\u0062c"', 2, "1:13"),
        ('"\\x41b"', 1, "1:10"),
        ('"\\eb"', 1, "1:8"),
        ('"""a\\\r\n\r\n  b"""', 1, "3:3"),
    ],
)
def test_places_in_strings(string: str, offset: int, place: str) -> None:
    document = parse_document(f"k = {string}".encode(), "file")
    assert str(document.locate_in(("k",))(offset)) == f"file:{place}"


def test_places_of_keys_and_values() -> None:
    document = parse_document(b"[a.b]\nc = { 'd e' = [ 1, 2 ] }\n", "file")
    assert str(document.place(())) == "file:1:1"
    assert str(document.key_place(("a", "b"))) == "file:1:4"
    assert str(document.place(("a", "b"))) == "file:1:1"
    assert str(document.key_place(("a", "b", "c", "d e"))) == "file:2:7"
    assert str(document.place(("a", "b", "c", "d e"))) == "file:2:15"
    assert str(document.place(("a", "b", "c", "d e", 1))) == "file:2:20"


def test_places_far_along_a_line_of_wide_characters() -> None:
    for count in (100, 255, 256, 257, 5000):
        document = parse_document(f"x = [ '{'é☃😀' * count}', 1 ]".encode(), "file")
        assert str(document.place(("x", 1))) == f"file:1:{10 + 3 * count + 1}"


def test_a_line_of_very_many_values_takes_no_longer_for_being_one_line() -> None:
    values = 60_000
    started = time.monotonic()
    document = parse_document(f"x = [{'1,' * values}]".encode(), "file")
    assert time.monotonic() - started < 15  # some minutes if each place cost its column
    assert str(document.place(("x", values - 1))) == f"file:1:{6 + 2 * (values - 1)}"
