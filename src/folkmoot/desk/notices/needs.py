"""A need: something that a person must see to; and what other rooms say, from which needs come."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from folkmoot.desk.accounts.queries import Account, Unwell
from folkmoot.desk.drafts.planned import Planned
from folkmoot.desk.mailing.queries import IssueSummary
from folkmoot.desk.publishing.queries import Ahead, Alarm, Installation, Told, Watch
from folkmoot.desk.records.queries import Anchor
from folkmoot.desk.releases.queries import Asks
from folkmoot.desk.retention.queries import Waiting
from folkmoot.desk.stops.queries import Stop

LONGEST_SILENCE = timedelta(seconds=30)
"""A worker that was not heard of for longer stands still."""


class Urgency(StrEnum):
    """How soon somebody must see to it, the most urgent first."""

    NOW = "now"
    TODAY = "today"
    SOON = "soon"


RANK = {urgency: rank for rank, urgency in enumerate(Urgency)}


@dataclass(frozen=True, slots=True)
class Page:
    """A page by the name of its address, and what is in the address."""

    name: str
    given: tuple[tuple[str, int | str], ...] = ()


@dataclass(frozen=True, slots=True)
class Need:
    """Something that needs a person.

    ``key`` is the same for as long as it is the same thing in the same state. ``what`` and ``do``
    are sentences without anybody's personal data and without a post's words. ``page`` is where it
    is done; ``None`` where that is on no page. ``since_at`` is ``None`` where nobody knows.
    """

    key: str
    kind: str
    urgency: Urgency
    what: str
    do: str
    page: Page | None
    since_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """What the other rooms say of one organisation at one moment.

    ``beat_at`` is when a worker was last known to go. ``on_their_way`` counts by stop what had left
    before it was pressed. ``awaiting`` are posts that wait for a sign-off and have a time,
    ``unsent`` posts given up before there was anything to deliver, and ``issues`` those with
    e-mails that only a person can settle. ``untold`` are targets of notices that could not be told:
    their id and name, since when, and why. ``kept`` is what retention has for a second person, or
    for somebody to decide, and ``asked`` what requests for information do. ``silence`` is why
    entries wait for a signed head where no signer says so, and ``unanchored`` are those who should
    keep the record's heads and do not. ``may_sign`` is about whoever asks.
    """

    beat_at: datetime | None
    oldest_due: datetime | None = None
    refusal: str | None = None
    silence: str | None = None
    unanchored: Sequence[Anchor] = ()
    fence: Installation | None = None
    stops: Sequence[Stop] = ()
    on_their_way: dict[int, int] = field(default_factory=dict)
    unwell: Sequence[Unwell] = ()
    proposed: Sequence[Account] = ()
    troubled: Sequence[Told] = ()
    alarms: Sequence[Alarm] = ()
    ahead: Sequence[Ahead] = ()
    watches: Sequence[Watch] = ()
    awaiting: Sequence[Planned] = ()
    unsent: Sequence[Planned] = ()
    issues: Sequence[IssueSummary] = ()
    untold: Sequence[tuple[int, str, datetime | None, str]] = ()
    kept: Sequence[Waiting] = ()
    asked: Sequence[Asks] = ()
    may_sign: bool = True


def is_still(beat_at: datetime | None, now: datetime) -> bool:
    """Whether no worker goes, as far as its last sign of life tells. One from the future, as where
    the clock was put back, is none.
    """
    return beat_at is None or abs(now - beat_at) > LONGEST_SILENCE


def count(number: int, thing: str) -> str:
    """A number of things in words: ``1 post``, ``2 deliveries``."""
    plural = {"delivery": "deliveries"}.get(thing, f"{thing}s")
    return f"{number} {thing if number == 1 else plural}"


def post_page(draft_id: int) -> Page:
    """The page of a post."""
    return Page("post", (("draft_id", draft_id),))


def sentence(text: str) -> str:
    """Words with a full stop, where they have no other."""
    return text if text.endswith((".", "!", "?")) else f"{text}."


def capital(text: str) -> str:
    """Words with a capital letter at their beginning."""
    return text[:1].upper() + text[1:]
