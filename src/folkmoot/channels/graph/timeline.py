"""What stood on a timeline when a post was prepared, and what has come since.

An id of Meta's says nothing about time, so "newer" means: listed above the first post that was
there before. The newest of any list is never taken to be ours for being the newest.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from folkmoot.channels.graph.client import Graph
from folkmoot.channels.port import Different, Unconfirmed

_KNOWN = 25
_PAGES = 4
_LONG_ENOUGH = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Newer:
    """What has come since. ``certain`` if the list went back as far as what was known."""

    items: tuple[dict[str, Any], ...]
    certain: bool


def read_known(graph: Graph, path: str) -> tuple[str, ...]:
    """The ids of what stands on the timeline at ``path`` now, newest first, 25 at most. Raises one
    of :data:`~folkmoot.channels.graph.client.FAULTS`.
    """
    items, _ = graph.list_page(path, fields="id", limit=_KNOWN)
    return tuple(item["id"] for item in items)


def find_newer(graph: Graph, path: str, known: Collection[str], *, fields: str) -> Newer:
    """What has come on the timeline at ``path`` since ``known``, newest first. Raises one of
    :data:`~folkmoot.channels.graph.client.FAULTS`.

    Uncertain where nothing that was known turns up any more: all of it was deleted, there is more
    new than is looked through here (200), or the list is not telling the truth.
    """
    found: list[dict[str, Any]] = []
    after = ""
    for _ in range(_PAGES):
        items, after = graph.list_page(path, fields=fields, after=after)
        for item in items:
            if item["id"] in known:
                return Newer(tuple(found), certain=True)
            found.append(item)
        if not after:
            return Newer(tuple(found), certain=not known)
    return Newer(tuple(found), certain=False)


def undecided(reason: str, at: str, now: datetime) -> Unconfirmed | Different:
    """What to say of a look that decided nothing about a post due ``at`` (ISO 8601): look again
    for a quarter of an hour, then leave it to a person.
    """
    if now - datetime.fromisoformat(at) > _LONG_ENOUGH:
        return Different(f"{reason} Look at the account itself before doing anything.")
    return Unconfirmed(f"{reason} It is looked up again.")


def same_text(signed: str, shown: object) -> bool:
    """Whether two texts are the same to a reader: canonical forms, line ends, and space around the
    whole are no difference.
    """
    return _plain(signed) == _plain(str(shown or ""))


def _plain(text: str) -> str:
    return unicodedata.normalize("NFC", text.replace("\r\n", "\n").strip())


def read_at(shown: object) -> datetime:
    """The time in an answer, aware; the epoch where there is none to be read."""
    try:
        at = datetime.fromisoformat(str(shown))
    except ValueError:
        return datetime.fromtimestamp(0, UTC)
    return at if at.tzinfo is not None else at.replace(tzinfo=UTC)
