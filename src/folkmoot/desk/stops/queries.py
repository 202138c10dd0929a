"""Reads of the stops room."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from folkmoot.desk.people.queries import Organisation
from folkmoot.desk.records import columns

from .lifecycle import STOP, StopKind, StopScope, StopState
from .models import Stop

__all__ = [
    "STOP",
    "STOP_LOCK",
    "Leaving",
    "Stop",
    "StopKind",
    "StopScope",
    "StopState",
    "covers",
    "find_against",
    "find_among",
    "find_for_period",
    "find_stop",
    "lets_pass",
    "list_past",
    "list_pressed",
    "list_standing",
    "look_last",
    "say_stopped",
]

# PostgreSQL's advisory locks are numbers; this one spells "stop".
STOP_LOCK = 0x73746F70
KIND_WORDS = {
    StopKind.STOP: "Publishing is stopped",
    StopKind.MOURNING: "Publishing is stopped for a time of mourning",
    StopKind.PRE_ELECTION: "Publishing is stopped for a pre-election period",
    StopKind.INCIDENT: "Publishing is stopped because of an incident",
}


@dataclass(frozen=True, slots=True)
class Leaving:
    """What is about to leave, as a stop looks at it.

    ``signed_at`` is when it was signed (``None`` for what no person signs one by one, as the
    e-mails of a list); ``by_duty`` whether two duty officers wrote and signed it to go out through
    a stop.
    """

    organisation: Organisation
    account_id: int
    channel: str
    topic: str = ""
    signed_at: datetime | None = None
    by_duty: bool = False
    removal: bool = False
    """Whether something is taken down rather than said."""


def look_last() -> None:
    """Hold back whoever presses a stop until the caller's transaction has ended.

    A last look that found no stop is so always before the press, never beside it. SQLite's write
    transactions come one after another anyway.
    """
    assert connection.in_atomic_block
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock_shared(%s)", [STOP_LOCK])


def list_standing(organisation: Organisation) -> list[Stop]:
    """The stops of an organisation that nobody has lifted, the oldest first."""
    return list(
        Stop.objects.filter(organisation=organisation)
        .exclude(state=StopState.LIFTED)
        .order_by("pk")
    )


def list_past(organisation: Organisation, most: int = 20) -> list[Stop]:
    """The last stops that were lifted, newest first."""
    return list(
        Stop.objects.filter(organisation=organisation, state=StopState.LIFTED).order_by("-pk")[
            :most
        ]
    )


def list_pressed() -> list[Stop]:
    """Stops of every organisation that are not known to be in force yet."""
    return list(
        Stop.objects.filter(state=StopState.PRESSED).select_related("organisation").order_by("pk")
    )


def find_for_period(period_id: int) -> Stop | None:
    """The stop that the calendar pressed for a period, lifted or not."""
    return Stop.objects.filter(period_id=period_id).first()


def find_stop(organisation: Organisation, stop_id: int) -> Stop | None:
    """A stop of this organisation, or ``None``."""
    return Stop.objects.filter(organisation=organisation, pk=stop_id).first()


def covers(stop: Stop, leaving: Leaving) -> bool:
    """Whether ``leaving`` is in the stop's scope at all. A stop of which it was erased what it is
    about covers all that it may be about.
    """
    target: str = stop.target
    if columns.is_erased(target):
        return True
    match StopScope(stop.scope):
        case StopScope.EVERYTHING:
            return True
        case StopScope.ACCOUNT:
            return target == str(leaving.account_id)
        case StopScope.CHANNEL:
            return target == leaving.channel
        case StopScope.TOPIC:
            return columns.is_erased(leaving.topic) or target == fold_topic(leaving.topic)


def lets_pass(stop: Stop, leaving: Leaving) -> bool:
    """Whether ``leaving``, though covered, may go out all the same.

    Two duty officers may always, and what takes something down may once it was signed: whoever
    stops because of a wrong post wants it gone. In an incident what is about it may; in a
    pre-election period what was signed since it began may, for it was looked at under its rules.
    """
    signed_since = leaving.signed_at is not None and leaving.signed_at > stop.pressed_at
    if signed_since and (leaving.by_duty or leaving.removal):
        return True
    if stop.kind == StopKind.INCIDENT:
        topic: str = stop.topic
        known = bool(topic) and not columns.is_erased(topic)
        return known and topic == fold_topic(leaving.topic)
    if stop.kind == StopKind.PRE_ELECTION:
        return signed_since
    return False


def find_against(leaving: Leaving) -> str:
    """Why ``leaving`` may not go out now, as a sentence; empty where no stop is against it."""
    return find_among(list_standing(leaving.organisation), leaving)


def find_among(standing: Iterable[Stop], leaving: Leaving) -> str:
    """As :func:`find_against`, among stops that have been read already."""
    for stop in standing:
        if covers(stop, leaving) and not lets_pass(stop, leaving):
            return say_stopped(stop)
    return ""


def say_stopped(stop: Stop) -> str:
    """What whatever a stop holds waits for, as a sentence."""
    return f"{KIND_WORDS[StopKind(stop.kind)]}: {stop.reason.rstrip('.')}."


def fold_topic(topic: str) -> str:
    """A topic as topics are compared: without case, and white space as one space."""
    return " ".join(unicodedata.normalize("NFKC", topic).casefold().split())
