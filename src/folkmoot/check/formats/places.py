"""Lines and columns of places in a file, from offsets in code points."""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass

_LINE_END = re.compile(r"\r\n|\r|\n")


@dataclass(frozen=True, slots=True)
class Position:
    """A line and a column, both from 1, the column in code points."""

    line: int
    column: int


class Lines:
    """The lines of a text, for turning offsets into positions."""

    __slots__ = ("starts",)

    def __init__(self, text: str) -> None:
        self.starts = [0, *(match.end() for match in _LINE_END.finditer(text))]

    def at(self, offset: int) -> Position:
        """Where code point ``offset`` stands."""
        line = bisect_right(self.starts, offset)
        return Position(line, offset - self.starts[line - 1] + 1)
