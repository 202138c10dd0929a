"""The CSV of a bag: no cell is a formula, however the file is taken apart, and nothing is lost."""

from __future__ import annotations

import csv
import io
import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from folkmoot.ledger.alone.spreadsheet import guard, render_row, unguard

STARTS = "=+-@\uff1d\uff0b\uff0d\uff20\ufe66\ufe62\ufe63\ufe6b"


@pytest.mark.parametrize(
    ("text", "guarded"),
    [
        ("", ""),
        ("plain, with a comma", "plain, with a comma"),
        ("a = b; c", "a = b; c"),
        ("=1+1", "'=1+1"),
        ("+44 20 7946 0000", "'+44 20 7946 0000"),
        ("-1", "'-1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("=cmd|'/c calc'!A1", "'=cmd|'/c calc'!A1"),
        ("\t=1", "'\t'=1"),
        ("\r=1", "'\r'=1"),
        ("\ntext", "'\ntext"),
        ("  =1", "'  =1"),
        ("  \t=1", "'  \t'=1"),
        ("\u00a0\u200b\ufeff=1", "'\u00a0\u200b\ufeff=1"),
        ("\u202e=1", "'\u202e=1"),
        ("\uff1d1+1", "'\uff1d1+1"),
        ("\uff20x", "'\uff20x"),
        ("a;=1", "a;'=1"),
        ("two\n- points", "two\n'- points"),
        ("'quoted'", "''quoted'"),
        ("don't", "don't"),
        ("nul\0 bell\7 del\x7f", "nul\u2400 bell\u2407 del\u2421"),
        ("\0=1", "\u2400=1"),
    ],
)
def test_an_apostrophe_stands_before_whatever_could_be_a_formula(text: str, guarded: str) -> None:
    assert guard(text) == guarded


hostile = st.text(st.sampled_from(STARTS + "'\";,\t\r\n \u00a0\u200bab\0|") | st.characters())


@given(hostile)
def test_no_cell_begins_a_formula_whatever_ends_a_cell(text: str) -> None:
    data = render_row([text, "x", text])
    for ends in (";", "\t", "\r\n;"):
        for cell in re.split(f"[{ends}]", data):
            assert not cell.lstrip(' "\u00a0\u200b\ufeff').startswith(tuple(STARTS)), ends
    (row,) = csv.reader(io.StringIO(data, newline=""), strict=True)
    assert row == [guard(text), "x", guard(text)]
    assert not row[0].lstrip().startswith(tuple(STARTS))
    assert not row[0].startswith(("\t", "\r", "\n"))


@given(hostile)
def test_the_guard_can_be_taken_away(text: str) -> None:
    controls = {code: 0x2400 + code for code in range(32) if chr(code) not in "\t\r\n"}
    assert unguard(guard(text)) == text.translate({**controls, 127: 0x2421})


def test_a_megabyte_of_anything_is_guarded_in_a_moment() -> None:
    started = time.process_time()
    for text in ("\n", " ", "\t ", "=", ";", "'", "\u200b", "a", '"'):
        guard(text * (1_000_000 // len(text)))
        unguard(text * (1_000_000 // len(text)))
    assert time.process_time() - started < 8
