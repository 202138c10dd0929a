"""The forms in which reports leave the command: each a writer of pieces of text, post by post.

A writer never holds more than one report, so that a million rows need no more memory than one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from folkmoot.check.compiled import Compiled
from folkmoot.check.engine import Checker
from folkmoot.check.inputs import Item, Problem
from folkmoot.check.model import Report

if TYPE_CHECKING:
    from folkmoot.guidance.model import Pack


class Writer(Protocol):
    """One form of output. The pieces, put after one another, are the whole.

    ``separator`` stands between two posts' pieces where both are not empty.
    """

    separator: str

    def begin(self) -> str:
        """What stands before the first post."""
        ...

    def report(self, item: Item, report: Report) -> str:
        """One post's piece."""
        ...

    def problem(self, bad: Problem) -> str:
        """The piece for a post that could not be checked; may be empty."""
        ...

    def end(self, *, failed: int) -> str:
        """What stands behind the last post, ``failed`` of which could not be checked."""
        ...


FORMATS = ("text", "json", "jsonl", "csv", "sarif", "github")


def make_writer(
    form: str, checker: Checker, compiled: Compiled, pack: Pack | None, *, many: bool
) -> Writer:
    """The writer of ``form``, one of :data:`FORMATS`; ``many`` where there is more than one post.

    SARIF tells of whole clauses and rules, so it needs ``pack`` and a checker built of it.

    Raises ``KeyError`` for another form, ``ValueError`` for SARIF without a pack.
    """
    if form == "text":
        from .text import TextWriter

        return TextWriter(compiled.clauses, many=many)
    if form == "sarif":
        from .sarif import SarifWriter

        if pack is None:
            raise ValueError("SARIF needs the pack itself.")
        return SarifWriter(checker, pack)
    if form == "github":
        from .github import GithubWriter

        return GithubWriter()
    from .rows import CsvWriter, JsonLinesWriter, JsonWriter

    makers: dict[str, Callable[[], Writer]] = {
        "json": JsonWriter,
        "jsonl": JsonLinesWriter,
        "csv": CsvWriter,
    }
    return makers[form]()
