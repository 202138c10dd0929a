"""Reports for people at a terminal."""

from __future__ import annotations

from collections.abc import Iterable

from folkmoot.check.compiled import Cited
from folkmoot.check.inputs import Item, Problem
from folkmoot.check.model import Report
from folkmoot.check.rendering import escaped, report_as_text


class TextWriter:
    """Each report in words, an empty line between two."""

    separator = "\n"

    def __init__(self, cited: Iterable[Cited], *, many: bool) -> None:
        self._cited = tuple(cited)
        self._many = many

    def begin(self) -> str:
        return ""

    def report(self, item: Item, report: Report) -> str:
        name = str(item.id) if self._many or item.line else None
        return report_as_text(report, self._cited, name) + "\n"

    def problem(self, bad: Problem) -> str:
        return f"{escaped(str(bad))} It has not been checked.\n"

    def end(self, *, failed: int) -> str:
        return f"\n{failed} could not be checked.\n" if failed else ""
