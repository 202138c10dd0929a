"""CSV that opens in a spreadsheet as text, whatever somebody wrote into a post.

RFC 4180, with a UTF-8 byte order mark, every cell quoted. A spreadsheet runs a cell that begins
with ``=``, ``+``, ``-`` or ``@`` as a formula, and one set to another language takes semicolons for
the ends of cells. So an apostrophe goes before whatever a program could take for such a beginning.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

BYTE_ORDER_MARK = "\ufeff"
COLUMNS = (
    "number",
    "entry",
    "time",
    "kind",
    "actor",
    "actor in words",
    "role",
    "subject",
    "subject in words",
    "organisation",
    "kept as",
    "field",
    "state",
    "text",
    "exemption",
    "reason",
)

# The full-width and small forms are turned into the plain ones by some programs.
_FORMULA = "=+\\-@\uff1d\uff0b\uff0d\uff20\ufe66\ufe62\ufe63\ufe6b"
_SPACES = "[ \\xa0\\u1680\\u2000-\\u200f\\u202a-\\u202f\\u205f-\\u206f\\u3000\\ufeff]*"
_BEGINNING = "(?:\\A|(?<=[;\\t\\r\\n]))"
_GUARDED = re.compile(f"{_BEGINNING}(?={_SPACES}['{_FORMULA}])|\\A(?={_SPACES}[\\t\\r\\n])")
_GUARD = re.compile(f"{_BEGINNING}'")
_CONTROLS = {code: 0x2400 + code for code in range(32) if chr(code) not in "\t\r\n"} | {127: 0x2421}


def guard(text: str) -> str:
    """``text`` as a spreadsheet may have it: no formula, and no control characters.

    Where a cell could begin - at the start, after a semicolon, a tab or a line's end - and what
    follows, after any spaces, is a sign that begins a formula or an apostrophe, an apostrophe is
    put; likewise at the start of a text that begins with a tab or a line's end. Control characters
    other than those become their pictures (U+2400 and on).
    """
    return _GUARDED.sub("'", text.translate(_CONTROLS))


def unguard(text: str) -> str:
    """What :func:`guard` was given, but for the pictures of control characters.

    One apostrophe is taken away at the start of the text and after each semicolon, tab and line's
    end where there is one.
    """
    return _GUARD.sub("", text)


def render_row(cells: Iterable[str]) -> str:
    """A line of CSV."""
    return ",".join('"' + guard(cell).replace('"', '""') + '"' for cell in cells) + "\r\n"


def render_csv(records: Iterable[dict[str, Any]]) -> Iterator[str]:
    """``data/records.csv``: a line per field of every entry, one for an entry without any."""
    yield BYTE_ORDER_MARK + render_row(COLUMNS)
    for record in records:
        names = record["folkmoot:names"]
        actor = record["actor"]["folkmoot:id"] if "actor" in record else ""
        subject = record["object"]["folkmoot:id"]
        start = (
            str(record["folkmoot:number"]),
            record["folkmoot:entry"],
            record["published"],
            record["folkmoot:kind"],
            actor,
            names.get(actor, ""),
            record["folkmoot:role"],
            subject,
            names.get(subject, ""),
            record["folkmoot:organisation"],
            record["folkmoot:retention"],
        )
        rows = [
            (label, "released", text, "", "")
            for label, text in sorted(record["folkmoot:disclosed"].items())
        ]
        rows += [
            (one["field"], "withheld", "", one["exemption"], one["reason"])
            for one in record["folkmoot:withheld"]
        ]
        for row in rows or [("", "", "", "", "")]:
            yield render_row((*start, *row))


def render_redactions(records: Iterable[dict[str, Any]]) -> Iterator[str]:
    """``data/redactions.csv``: a line per field withheld."""
    yield BYTE_ORDER_MARK + render_row(("number", "entry", "field", "exemption", "reason"))
    for record in records:
        for one in record["folkmoot:withheld"]:
            yield render_row(
                (
                    str(record["folkmoot:number"]),
                    record["folkmoot:entry"],
                    one["field"],
                    one["exemption"],
                    one["reason"],
                )
            )
