"""A difference between packs as lines to read and as plain JSON."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from .diffing import ClauseChange, KeyChange, PackDiff
from .model import Clause, Level
from .spans import Mark, Span

SCHEMA_VERSION = 1

KEY_WORDS = {
    "title": "Title",
    "status": "Status",
    "evidence": "Evidence",
    "version_on": "Edition of",
    "checked_on": "Last checked",
    "source": "Source",
    "official_ref": "Reference",
    "aliases": "Also cited as",
    "url": "Address",
    "url_history": "Earlier addresses",
    "note": "Note",
    "kind": "Kind",
    "group": "Heading",
    "audiences": "Concerns",
    "in_overview": "On the overview",
    "locked": "Locked",
    "pack": "Stated by the pack",
    "id": "Id",
    "version": "Version",
    "issuer": "Issuer",
    "nation": "Nation",
    "summary": "Summary",
    "extends": "Extends",
}
_AROUND = {Mark.SAME: ("", ""), Mark.REMOVED: ("[-", "-]"), Mark.ADDED: ("{+", "+}")}


def diff_lines(diff: PackDiff) -> Iterator[str]:
    """The difference as text: ``[-removed-]`` and ``{+added+}`` within the levels that changed."""
    yield f"From {diff.old}"
    yield f"to   {diff.new}"
    if diff.audience is not None:
        yield f"What changed for {diff.audience.word}"
    if diff.is_empty:
        yield ""
        yield "Nothing changed." if diff.audience is None else "Nothing that concerns them."
        return
    if diff.keys:
        yield ""
        yield "What the pack says of itself"
        yield from _key_lines(diff.keys)
    yield from _clause_lines("New", diff.added)
    yield from _clause_lines("No longer there", diff.removed)
    if diff.changed:
        yield ""
        yield f"Changed ({len(diff.changed)})"
        for change in diff.changed:
            yield from _change_lines(change)


def diff_to_dict(diff: PackDiff) -> dict[str, Any]:
    """The difference as plain JSON, schema version 1.

    ``schema``; ``old`` and ``new`` (references); ``audience`` (a word or ``null``); ``keys``
    (``{key, old, new}``); ``added`` and ``removed`` (clauses: ``id, pack, title, group, kind,
    status, evidence, audiences, overview``); ``changed`` (``{id, title, pack, keys, levels}``).
    ``levels`` maps a level to spans ``{mark, text}`` with the marks same, removed, added.
    """
    return {
        "schema": SCHEMA_VERSION,
        "old": diff.old,
        "new": diff.new,
        "audience": None if diff.audience is None else diff.audience.value,
        "keys": [_key_to_dict(key) for key in diff.keys],
        "added": [_clause_to_dict(clause) for clause in diff.added],
        "removed": [_clause_to_dict(clause) for clause in diff.removed],
        "changed": [
            {
                "id": change.id,
                "title": change.new.title,
                "pack": change.new.pack,
                "keys": [_key_to_dict(key) for key in change.keys],
                "levels": {
                    level.value: [{"mark": span.mark.value, "text": span.text} for span in spans]
                    for level, spans in change.levels.items()
                },
            }
            for change in diff.changed
        ],
    }


def spans_text(spans: Iterable[Span]) -> str:
    """Spans as one text, with ``[-removed-]`` and ``{+added+}``."""
    return "".join(f"{_AROUND[span.mark][0]}{span.text}{_AROUND[span.mark][1]}" for span in spans)


def _clause_lines(heading: str, clauses: tuple[Clause, ...]) -> Iterator[str]:
    if clauses:
        yield ""
        yield f"{heading} ({len(clauses)})"
    for clause in clauses:
        yield f"  {clause.id}  {clause.title}"
        yield f"      {clause.levels[Level.OVERVIEW]}"


def _change_lines(change: ClauseChange) -> Iterator[str]:
    yield f"  {change.id}  {change.new.title}"
    yield from _key_lines(change.keys)
    for level, spans in change.levels.items():
        yield f"      {level.value}:"
        for line in spans_text(spans).split("\n"):
            yield f"        {line}".rstrip()


def _key_lines(keys: Iterable[KeyChange]) -> Iterator[str]:
    for change in keys:
        told = KEY_WORDS[change.key]
        yield f"      {told}: {change.old or 'nothing'} -> {change.new or 'nothing'}"


def _key_to_dict(change: KeyChange) -> dict[str, str]:
    return {"key": change.key, "old": change.old, "new": change.new}


def _clause_to_dict(clause: Clause) -> dict[str, Any]:
    return {
        "id": clause.id,
        "pack": clause.pack,
        "title": clause.title,
        "group": clause.group,
        "kind": clause.kind.value,
        "status": clause.status.value,
        "evidence": clause.evidence.value,
        "audiences": sorted(audience.value for audience in clause.audiences),
        "overview": clause.levels[Level.OVERVIEW],
    }
