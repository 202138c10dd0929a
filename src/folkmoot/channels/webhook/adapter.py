"""Publishing to a webhook: one signed document per post, under an id that tells a repeat."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import datetime

from folkmoot.channels.api import Meaning
from folkmoot.channels.limits import find_problems
from folkmoot.channels.outbound import Outbound, OutboundError
from folkmoot.channels.pictures import read_signed
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
from folkmoot.channels.webhook import documents
from folkmoot.channels.webhook.receiver import Receiver, Said
from folkmoot.channels.webhook.signing import Secret

_CAPABILITIES = Capabilities(
    channel="webhook",
    title="The webhook",
    lengths=(),
    pictures=10,
    picture_bytes=16 * 1024 * 1024,
    picture_types=frozenset({"image/jpeg", "image/png", "image/webp", "image/gif"}),
    parts=25,
    replies=True,
    removes=True,
)
_OK, _NOT_FOUND, _CONFLICT, _GONE, _NOT_IMPLEMENTED = 200, 404, 409, 410, 501
_CANNOT_TELL = (
    "The receiver cannot say whether it has this post: it answers no look-ups. Ask whoever runs it"
    " before anything is sent again; if it knows repeats by their id, say so in this channel's"
    " settings."
)


class Webhook:
    """A receiver of signed documents. See :class:`~folkmoot.channels.port.Adapter`.

    ``address`` takes the documents (:mod:`.documents`), ``secret`` signs them, and ``picture_url``
    gives from a picture's SHA-256 and media type where it can be fetched. ``deduplicates`` says
    that the receiver knows a repeat by its id, as the Standard Webhooks specification wants it: a
    post in doubt may then simply be sent again.

    A receiver has no limits that we know; those here keep a document readable.
    """

    def __init__(
        self,
        *,
        address: str,
        secret: Secret,
        outbound: Outbound,
        picture_url: Callable[[str, str], str],
        now: Callable[[], datetime],
        deduplicates: bool = False,
    ) -> None:
        self._receiver = Receiver(address, secret, outbound, now)
        self._picture_url = picture_url
        self._deduplicates = deduplicates

    def capabilities(self) -> Capabilities:
        return _CAPABILITIES

    def make_key(self, delivery_id: str, due_at: datetime) -> str:
        if due_at.tzinfo is None:
            raise ValueError("due_at has no time zone")
        when = int(due_at.timestamp())
        digest = hashlib.sha256(f"{delivery_id}\n{when}".encode()).hexdigest()
        return f"msg_{digest[:32]}"

    def upload(
        self,
        rendition: Rendition,
        *,
        memo: str = "",  # noqa: ARG002 - pictures are fetched, so nothing is handed over
    ) -> Uploaded | NotReady | NotPrepared:
        if problems := find_problems(_CAPABILITIES, rendition):
            return NotPrepared(" ".join(problem.message for problem in problems), retry=False)
        for part in rendition.parts:
            for picture in part.pictures:
                content = read_signed(picture)
                if isinstance(content, NotPrepared):
                    return content
        return Uploaded()

    def prepare(
        self,
        rendition: Rendition,
        *,
        key: str,
        at: datetime,
        memo: str = "",
    ) -> Prepared | NotPrepared:
        checked = self.upload(rendition, memo=memo)
        if isinstance(checked, NotPrepared):
            return checked
        if (wrong := self._find_hindrance(key)) is not None:
            return wrong
        document = documents.write_post(rendition, key=key, at=at, picture_url=self._picture_url)
        return Prepared(key, document)

    def prepare_removal(
        self, sent: Sent, *, key: str, at: datetime, reason: str
    ) -> Prepared | NotPrepared:
        if (wrong := self._find_hindrance(key)) is not None:
            return wrong
        return Prepared(key, documents.write_removal(sent, key=key, at=at, reason=reason))

    def send(
        self,
        prepared: Prepared,
        done: tuple[str, ...] = (),  # noqa: ARG002 - a thread is one document
    ) -> Sent | Partly | Refused | Unconfirmed:
        try:
            said = self._receiver.hand_over(prepared.key, prepared.request)
        except OutboundError as fault:
            return Unconfirmed(fault.reason)
        if said.yes:
            return documents.name(prepared.request, said.url)
        if said.status == _CONFLICT:
            return self._read_conflict(prepared, said)
        if said.meaning in (Meaning.LATER, Meaning.UNCLEAR):
            return Unconfirmed(said.reason, said.after_seconds)
        return Refused(said.reason)

    def look_up(
        self,
        prepared: Prepared,
        done: tuple[str, ...] = (),  # noqa: ARG002 - a thread is one document
    ) -> Sent | Partly | Absent | Different | Unconfirmed:
        try:
            said = self._receiver.ask(prepared.key)
        except OutboundError as fault:
            return Unconfirmed(fault.reason)
        if said.is_about(prepared.key):
            if said.status == _OK and said.sha256 is not None:
                return _compare(prepared, said)
            if said.status == _NOT_FOUND:
                return Absent()
        if _is_silent(said):
            return Unconfirmed(said.reason, said.after_seconds)
        return Absent() if self._deduplicates else Unconfirmed(_CANNOT_TELL)

    def read_back(self, sent: Sent) -> Live | Absent | Unreadable:
        try:
            said = self._receiver.ask(sent.remote_id)
        except OutboundError as fault:
            return Unreadable(fault.reason)
        if said.is_about(sent.remote_id):
            if said.status == _NOT_FOUND:
                return Absent()
            live = documents.read_live(said.value.get("parts")) if said.yes else None
            if live is not None:
                return live
        if _is_silent(said):
            return Unreadable(said.reason)
        return Unreadable("The receiver does not show what it has made of this post.")

    def list_recent(
        self,
        limit: int,  # noqa: ARG002 - there is nothing to list
    ) -> tuple[Seen, ...] | Unreadable:
        return Unreadable("A webhook keeps no timeline that we could read.")

    def diagnose(self) -> str | None:
        try:
            said = self._receiver.ask("diagnosis")
        except OutboundError as fault:
            return f"The receiver could not be asked. {fault.reason}"
        # Any other answer is that of a receiver which takes no look-ups, or does not know the id.
        stopped = said.status == _GONE or said.meaning is Meaning.SIGN_IN or _is_silent(said)
        return said.reason if stopped else None

    def sign_in_ends_at(self) -> datetime | None:
        return None

    def _find_hindrance(self, key: str) -> NotPrepared | None:
        """Why nothing can be sent, by asking first: whether there is a server that we may ask at
        all, and whether it still wants anything.
        """
        try:
            said = self._receiver.ask(key)
        except OutboundError as fault:
            return None if fault.sent else NotPrepared(fault.reason, retry=True)
        return NotPrepared(said.reason, retry=False) if said.status == _GONE else None

    def _read_conflict(self, prepared: Prepared, said: Said) -> Sent | Unconfirmed:
        if not said.is_about(prepared.key):
            return Unconfirmed("The receiver speaks of a conflict (409), but not about which post.")
        if said.sha256 not in (None, documents.digest(prepared.request)):
            return Unconfirmed("The receiver keeps another post under this one's id. Look it up.")
        return documents.name(prepared.request, said.url)


def _compare(prepared: Prepared, said: Said) -> Sent | Different:
    if said.sha256 == documents.digest(prepared.request):
        return documents.name(prepared.request, said.url)
    return Different(
        "The receiver keeps another document under this post's id. Compare the two with whoever"
        " runs it before doing anything."
    )


def _is_silent(said: Said) -> bool:
    """Whether the receiver is not able to answer anything just now, or ever again: then neither a
    look-up nor sending again is of use.
    """
    if said.status in (_GONE, _NOT_IMPLEMENTED):
        return said.status == _GONE
    return not said.yes and said.meaning in (Meaning.LATER, Meaning.UNCLEAR)
