"""Reads of the publishing room."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from folkmoot.desk.drafts.queries import Draft
from folkmoot.desk.people.queries import Organisation

from .lifecycle import DeliveryState
from .models import Attempt, Delivery

__all__ = ["DeliveryState", "Told", "count_unconfirmed", "list_deliveries", "list_troubled"]


@dataclass(frozen=True, slots=True)
class Told:
    """A delivery as a page tells of it, with its attempts, oldest first."""

    account: str
    channel: str
    state: DeliveryState
    due_at: datetime
    not_after: datetime
    sent_at: datetime | None
    url: str
    trouble: str
    read_back: str
    read_back_note: str
    attempts: tuple[Attempt, ...]
    draft_id: int


def list_deliveries(draft: Draft) -> list[Told]:
    """The deliveries of a post, in the order of its accounts."""
    return [
        _told(delivery)
        for delivery in Delivery.objects.filter(draft=draft)
        .select_related("account")
        .prefetch_related("attempts")
        .order_by("pk")
    ]


def list_troubled(organisation: Organisation) -> list[Told]:
    """Deliveries a person should know of, the latest first: unconfirmed, missed, refused, live but
    not as signed, and waiting with something in the way.
    """
    found = (
        Delivery.objects.filter(draft__organisation=organisation)
        .exclude(state=DeliveryState.SENT, read_back__in=["", "matches"])
        .exclude(state=DeliveryState.WAITING, trouble="")
        .exclude(state=DeliveryState.SENDING)
        .select_related("account")
        .prefetch_related("attempts")
        .order_by("-pk")
    )
    return [_told(delivery) for delivery in found[:20]]


def count_unconfirmed() -> int:
    """Deliveries nobody yet knows the end of."""
    return Delivery.objects.filter(state=DeliveryState.UNCONFIRMED).count()


def _told(delivery: Delivery) -> Told:
    return Told(
        delivery.account.name,
        delivery.account.channel,
        DeliveryState(delivery.state),
        delivery.due_at,
        delivery.not_after,
        delivery.sent_at,
        delivery.url,
        delivery.trouble,
        delivery.read_back,
        delivery.read_back_note,
        tuple(sorted(delivery.attempts.all(), key=lambda attempt: attempt.pk)),
        delivery.draft_id,
    )
