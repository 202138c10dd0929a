"""The practice channel: a shelf with Bluesky's limits, and whatever faults it was given."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from folkmoot.channels import entries
from folkmoot.channels.entries import PictureUrl
from folkmoot.channels.limits import characters, utf8_bytes
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
from folkmoot.channels.practice.faults import Fault, Faults, Occasion, Script
from folkmoot.channels.shelf import Shelf, ShelfError

_CAPABILITIES = Capabilities(
    channel="practice",
    title="The practice channel",
    lengths=(characters(300), utf8_bytes(3000)),
    pictures=4,
    picture_bytes=1_000_000,
    picture_types=frozenset({"image/jpeg", "image/png", "image/webp"}),
    parts=25,
    alt=characters(2000),
    replies=True,
)
_SILENCE = "No answer came from the practice channel."
_RUBBISH = "The practice channel answered with something unreadable."


class Practice:
    """A channel nobody outside can see. See :class:`~folkmoot.channels.port.Adapter`.

    ``post_url`` gives the address of a post by its key, ``picture_url`` that of a picture.
    ``faults`` says what goes wrong, by default nothing. ``sleep`` takes seconds.
    """

    def __init__(
        self,
        shelf: Shelf,
        *,
        post_url: Callable[[str], str],
        picture_url: PictureUrl,
        faults: Faults | None = None,
        slow_seconds: float = 5.0,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._shelf = shelf
        self._post_url = post_url
        self._picture_url = picture_url
        self._faults = faults or Script()
        self._slow_seconds = slow_seconds
        self._sleep = sleep

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
        fault = self._strike(Occasion.PREPARE, key)
        if fault is Fault.REFUSE:
            return NotPrepared(
                "The practice channel does not accept this password. Enter it again.", retry=False
            )
        if fault is not None:
            return NotPrepared(f"{_SILENCE} Nothing was published.", retry=True)
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
        fault = self._strike(Occasion.SEND, prepared.key)
        if fault is Fault.REFUSE:
            return Refused("The practice channel refused this post. Nothing was published.")
        if fault in (Fault.DROP, Fault.LIE):
            return Unconfirmed(_SILENCE)
        outcome = entries.put(self._shelf, prepared)
        if fault is Fault.LOSE_ANSWER:
            return Unconfirmed(_SILENCE)
        if fault is Fault.RUBBISH:
            return Unconfirmed(_RUBBISH)
        return outcome

    def look_up(
        self,
        prepared: Prepared,
        done: tuple[str, ...] = (),  # noqa: ARG002 - a thread goes at once
    ) -> Sent | Absent | Different | Unconfirmed:
        fault = self._strike(Occasion.LOOK_UP, prepared.key)
        if fault is Fault.LIE:
            return Absent()
        if fault is not None:
            return Unconfirmed(_RUBBISH if fault is Fault.RUBBISH else _SILENCE)
        return entries.look_up(self._shelf, prepared)

    def read_back(self, sent: Sent) -> Live | Absent | Unreadable:
        fault = self._strike(Occasion.READ_BACK, sent.remote_id.rpartition(":")[2])
        if fault not in (None, Fault.LIE):
            return Unreadable(_RUBBISH if fault is Fault.RUBBISH else _SILENCE)
        live = entries.read_back(self._shelf, sent)
        if fault is Fault.LIE and isinstance(live, Live):
            return replace(live, texts=tuple(f"{text} (changed)" for text in live.texts))
        return live

    def list_recent(self, limit: int) -> tuple[Seen, ...] | Unreadable:
        return entries.list_recent(self._shelf, limit)

    def diagnose(self) -> str | None:
        fault = self._strike(Occasion.DIAGNOSE, "")
        if fault is Fault.REFUSE:
            return "The practice channel does not accept this password. Enter it again."
        if fault is not None:
            return f"{_SILENCE} Try again in a few minutes."
        try:
            self._shelf.list_newest(1)
        except ShelfError as broken:
            return f"The practice channel's posts cannot be read. {broken}"
        return None

    def sign_in_ends_at(self) -> datetime | None:
        return None

    def _strike(self, occasion: Occasion, key: str) -> Fault | None:
        fault = self._faults.next_fault(occasion, key)
        if fault is Fault.SLOW:
            self._sleep(self._slow_seconds)
            return None
        return fault

    def _name(self, key: str) -> tuple[str, str]:
        return f"practice:{key}", self._post_url(key)
