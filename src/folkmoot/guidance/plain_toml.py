"""A quick reader for the plainest TOML, which is nearly all that packs hold.

Internal to :mod:`folkmoot.guidance`. The standard library's reader took half of the time a pack
needs to load. This one understands lines of the form ``key = value`` and ``[[table]]`` in their
plainest spelling and gives up on anything else, which the standard library then reads or refuses.
What it does read, it reads as the standard library would; a test holds the two against each other.
"""

from __future__ import annotations

import re
from datetime import date
from typing import Any

# Text in double quotes without escapes or control characters.
_TEXT = r'"[^"\\\x00-\x1f\x7f]*"'
_LINE = re.compile(
    r"(?P<key>[a-z_]+) = (?:"
    rf"(?P<text>{_TEXT})"
    rf"|(?P<texts>\[(?:{_TEXT}(?:, {_TEXT})*)?\])"
    r"|(?P<day>[0-9]{4}-[0-9]{2}-[0-9]{2})"
    r"|(?P<number>0|[1-9][0-9]{0,8})"
    r"|(?P<flag>true|false))"
)
_ROW = re.compile(r"\[\[([a-z_]+)\]\]")
_COMMENT = re.compile(r"#[^\x00-\x1f\x7f]*")
_EACH_TEXT = re.compile(r'"([^"]*)"')


def find_plain(text: str) -> dict[str, Any] | None:
    """The TOML in ``text``, or ``None`` where any of it is not of the plainest kind."""
    data: dict[str, Any] = {}
    lists: dict[str, list[dict[str, Any]]] = {}
    table = data
    for line in text.split("\n"):
        match = _LINE.fullmatch(line)
        if match is not None:
            key = match["key"]
            if key in table:
                return None
            table[key] = _value(match)
            if table[key] is None:
                return None
        elif row := _ROW.fullmatch(line):
            # Whatever else bears the name of a list of tables is for the standard library.
            if row[1] in data and row[1] not in lists:
                return None
            rows = lists.setdefault(row[1], data.setdefault(row[1], []))
            table = {}
            rows.append(table)
        elif line and not _COMMENT.fullmatch(line):
            return None
    return data


def _value(match: re.Match[str]) -> Any:
    kind, told = match.lastgroup, match[match.lastindex or 0]
    if kind == "text":
        return told[1:-1]
    if kind == "texts":
        return _EACH_TEXT.findall(told)
    if kind == "number":
        return int(told)
    if kind == "flag":
        return told == "true"
    try:
        return date.fromisoformat(told)
    except ValueError:
        # No such day. The standard library says so with the line and column.
        return None
