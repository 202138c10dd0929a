"""The e-mail list as a channel: an issue is published once it stands on its web page, for good, and
a row is queued for every recipient.

Handing the e-mails over comes after, row by row, and is not this adapter's business: see
:mod:`.transport`. So an issue cannot be put out twice, however often it is tried.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from folkmoot.channels import entries
from folkmoot.channels.entries import PictureUrl
from folkmoot.channels.limits import characters
from folkmoot.channels.port import (
    Absent,
    Capabilities,
    Different,
    Live,
    NotPrepared,
    NotReady,
    Partly,
    Prepared,
    Refused,
    Rendition,
    Seen,
    Sent,
    Unconfirmed,
    Unreadable,
    Uploaded,
)
from folkmoot.channels.shelf import Shelf

CAPABILITIES = Capabilities(
    channel="email",
    title="E-mail",
    lengths=(characters(20_000),),
    pictures=10,
    picture_bytes=10_000_000,
    # What every mail program shows.
    picture_types=frozenset({"image/jpeg", "image/png"}),
    parts=25,
    removes=False,
)


class Email:
    """An e-mail list as a channel. See :class:`~folkmoot.channels.port.Adapter`.

    ``outbox`` keeps issues by key, and queues an e-mail for each recipient in the same moment as it
    takes an issue. ``issue_url`` gives the address where an issue with a key is shown, and
    ``picture_url`` that of a picture by its SHA-256 and media type; ``diagnose`` asks whatever
    hands the e-mails over.
    """

    def __init__(
        self,
        outbox: Shelf,
        *,
        issue_url: Callable[[str], str],
        picture_url: PictureUrl,
        diagnose: Callable[[], str | None] = lambda: None,
    ) -> None:
        self._outbox = outbox
        self._issue_url = issue_url
        self._picture_url = picture_url
        self._diagnose = diagnose

    def capabilities(self) -> Capabilities:
        return CAPABILITIES

    def make_key(self, delivery_id: str, due_at: datetime) -> str:
        return entries.make_key(delivery_id, due_at)

    def upload(
        self,
        rendition: Rendition,
        *,
        memo: str = "",  # noqa: ARG002 - nothing is handed over ahead
    ) -> Uploaded | NotReady | NotPrepared:
        return entries.check(CAPABILITIES, rendition)

    def prepare(
        self,
        rendition: Rendition,
        *,
        key: str,
        at: datetime,
        memo: str = "",  # noqa: ARG002
    ) -> Prepared | NotPrepared:
        return entries.prepare(
            CAPABILITIES,
            rendition,
            key=key,
            at=at,
            name=lambda key: (f"issue:{key}", self._issue_url(key)),
            picture_url=self._picture_url,
        )

    def prepare_removal(
        self,
        sent: Sent,  # noqa: ARG002
        *,
        key: str,  # noqa: ARG002
        at: datetime,  # noqa: ARG002
        reason: str,  # noqa: ARG002
    ) -> Prepared | NotPrepared:
        return NotPrepared(
            "An e-mail cannot be taken back. Send a correction: it goes to the same list.",
            retry=False,
        )

    def send(
        self,
        prepared: Prepared,
        done: tuple[str, ...] = (),  # noqa: ARG002 - an issue goes out whole
    ) -> Sent | Partly | Refused | Unconfirmed:
        return entries.put(self._outbox, prepared)

    def look_up(
        self,
        prepared: Prepared,
        done: tuple[str, ...] = (),  # noqa: ARG002
    ) -> Sent | Partly | Absent | Different | Unconfirmed:
        return entries.look_up(self._outbox, prepared)

    def read_back(self, sent: Sent) -> Live | Absent | Unreadable:
        return entries.read_back(self._outbox, sent)

    def list_recent(self, limit: int) -> tuple[Seen, ...] | Unreadable:
        return entries.list_recent(self._outbox, limit)

    def diagnose(self) -> str | None:
        return self._diagnose()

    def sign_in_ends_at(self) -> datetime | None:
        return None
