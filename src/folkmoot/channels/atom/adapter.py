"""Publishing to a feed: put a record on the shelf under the post's own key.

A feed's ids are natural keys, so nothing can be sent twice: a second send finds the first.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime

from folkmoot.channels import entries
from folkmoot.channels.entries import PictureUrl
from folkmoot.channels.port import (
    Absent,
    Capabilities,
    Different,
    Live,
    NotPrepared,
    Prepared,
    Refused,
    Rendition,
    Seen,
    Sent,
    Unconfirmed,
    Unreadable,
    Uploaded,
)
from folkmoot.channels.shelf import Shelf, ShelfError

_AUTHORITY = re.compile(r"[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?")
_CAPABILITIES = Capabilities(
    channel="atom",
    title="The feed",
    lengths=(),
    pictures=10,
    picture_bytes=10_000_000,
    picture_types=frozenset({"image/jpeg", "image/png", "image/webp", "image/gif"}),
    parts=25,
    replies=True,
)


def tag_uri(authority: str, since_on: date, name: str) -> str:
    """A ``tag:`` URI (RFC 4151): a name that stays good when an address does not.

    ``authority`` is a domain the body held on ``since_on``. Raises :class:`ValueError` where it is
    not a domain in lower-case ASCII.
    """
    if not _AUTHORITY.fullmatch(authority):
        raise ValueError(f"{authority!r} is not a domain in lower-case letters")
    return f"tag:{authority},{since_on.isoformat()}:{name}"


class Atom:
    """The feed as a channel. See :class:`~folkmoot.channels.port.Adapter`.

    ``authority`` and ``since_on`` make the entries' ids (:func:`tag_uri`) and must never change.
    ``entry_url`` gives the address where a person sees the post with a key, ``picture_url`` that
    of a picture by its SHA-256 and media type; both are asked once, when a post is prepared.
    """

    def __init__(
        self,
        shelf: Shelf,
        *,
        authority: str,
        since_on: date,
        entry_url: Callable[[str], str],
        picture_url: PictureUrl,
    ) -> None:
        tag_uri(authority, since_on, "")  # a wrong authority is found now, not at the first post
        self._shelf = shelf
        self._authority = authority
        self._since_on = since_on
        self._entry_url = entry_url
        self._picture_url = picture_url

    def capabilities(self) -> Capabilities:
        return _CAPABILITIES

    def make_key(self, delivery_id: str, due_at: datetime) -> str:
        return entries.make_key(delivery_id, due_at)

    def upload(self, rendition: Rendition, *, memo: str = "") -> Uploaded | NotPrepared:  # noqa: ARG002 - nothing is handed over
        return entries.check(_CAPABILITIES, rendition)

    def prepare(
        self,
        rendition: Rendition,
        *,
        key: str,
        at: datetime,
        memo: str = "",  # noqa: ARG002 - nothing was handed over
    ) -> Prepared | NotPrepared:
        return entries.prepare(
            _CAPABILITIES,
            rendition,
            key=key,
            at=at,
            name=self._name,
            picture_url=self._picture_url,
        )

    def prepare_removal(
        self, sent: Sent, *, key: str, at: datetime, reason: str
    ) -> Prepared | NotPrepared:
        return entries.prepare_removal(sent, key=key, at=at, reason=reason)

    def send(
        self,
        prepared: Prepared,
        done: tuple[str, ...] = (),  # noqa: ARG002 - a thread goes at once
    ) -> Sent | Refused | Unconfirmed:
        return entries.put(self._shelf, prepared)

    def look_up(
        self,
        prepared: Prepared,
        done: tuple[str, ...] = (),  # noqa: ARG002 - a thread goes at once
    ) -> Sent | Absent | Different | Unconfirmed:
        return entries.look_up(self._shelf, prepared)

    def read_back(self, sent: Sent) -> Live | Absent | Unreadable:
        return entries.read_back(self._shelf, sent)

    def list_recent(self, limit: int) -> tuple[Seen, ...] | Unreadable:
        return entries.list_recent(self._shelf, limit)

    def diagnose(self) -> str | None:
        try:
            self._shelf.list_newest(1)
        except ShelfError as fault:
            return f"The feed's posts cannot be read. {fault}"
        return None

    def sign_in_ends_at(self) -> datetime | None:
        return None

    def _name(self, key: str) -> tuple[str, str]:
        return tag_uri(self._authority, self._since_on, key), self._entry_url(key)
