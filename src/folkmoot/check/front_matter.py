"""The lines above a post in a file that say in what circumstances it is published.

Between two lines ``---`` stand lines ``key: value``, or ``key:`` with lines ``- value`` below;
between two lines ``+++`` stands TOML. The keys are those of a row (``capacity``, ``channel``,
``periods`` ...).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from .circumstances import NoSuchValue

_BLOCK = re.compile(r"\A(---|\+\+\+)[ \t]*\r?\n(.*?)(?:^|\n)\1[ \t]*(?:\r?\n|\Z)", re.DOTALL)
_LINE = re.compile(r"([A-Za-z_][\w-]*)[ \t]*:(?:[ \t]+(.*?))?[ \t]*\r?")
_ITEM = re.compile(r"[ \t]*-[ \t]+(\S.*?)[ \t]*\r?")
_FAR_ENOUGH = 20_000
"""Front matter is looked for in so many characters, so that a long post costs nothing."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """A file's front matter, and the place in the file (in code points) where its post begins."""

    values: dict[str, Any]
    begins: int


def read_sheet(text: str) -> Sheet:
    """What stands above the post in ``text``. A text without front matter is all post.

    A block between ``---`` whose lines are not all ``key: value`` is part of the post: it is a rule
    drawn across the page.

    Raises:
        NoSuchValue: A block between ``+++`` is not TOML.
    """
    match = _BLOCK.match(text[:_FAR_ENOUGH]) if text[:3] in ("---", "+++") else None
    if match is None:
        return Sheet({}, 0)
    fence, inside = match.groups()
    if fence == "+++":
        import tomllib

        try:
            return Sheet(tomllib.loads(inside), match.end())
        except tomllib.TOMLDecodeError as wrong:
            raise NoSuchValue(f"The lines between +++ are not TOML: {wrong}.") from wrong
    values = _lines(inside)
    return Sheet({}, 0) if values is None else Sheet(values, match.end())


def _lines(inside: str) -> dict[str, Any] | None:
    values: dict[str, Any] = {}
    last = ""
    for line in inside.split("\n"):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        item = _ITEM.fullmatch(line)
        if item is not None and last and isinstance(values[last] or [], list):
            values[last] = [*(values[last] or []), _plain(item[1])]
            continue
        match = _LINE.fullmatch(line)
        if match is None:
            return None
        last = match[1]
        values[last] = _plain(match[2] or "")
    return values


def _plain(value: str) -> Any:
    """A value without its quotation marks; ``[a, b]`` as a list."""
    if value.startswith("[") and value.endswith("]"):
        return [part for each in value[1:-1].split(",") if (part := _plain(each.strip()))]
    if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'":
        return value[1:-1]
    return value
