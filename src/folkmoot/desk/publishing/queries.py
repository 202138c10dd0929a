"""Reads of the publishing room."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q

from folkmoot.desk.drafts.queries import Draft, NoSuchDraft, get_draft, list_due
from folkmoot.desk.people.queries import Member, Organisation

from .deciding import list_open_points
from .fence import find_fence
from .lifecycle import DELIVERY, PERSON, DeliveryState
from .models import Ahead, Alarm, Attempt, Capture, Delivery, Installation, Watch
from .stopping import count_on_their_way

__all__ = [
    "Ahead",
    "Alarm",
    "Capture",
    "DeliveryState",
    "Installation",
    "NoSuchDelivery",
    "Told",
    "Watch",
    "count_on_their_way",
    "count_unconfirmed",
    "find_alarm",
    "find_fence",
    "find_oldest_due",
    "get_told",
    "list_ahead",
    "list_alarms",
    "list_captures",
    "list_deliveries",
    "list_followable",
    "list_lapsed",
    "list_open_points",
    "list_subjects_on",
    "list_troubled",
    "list_watches",
]


class NoSuchDelivery(Exception):
    """There is no such delivery, or it is another organisation's: the two look alike."""


@dataclass(frozen=True, slots=True)
class Told:
    """A delivery as a page tells of it, with its attempts, oldest first.

    ``removes`` says that it takes a post down; ``parts_live`` how much of a thread is there;
    ``offers`` what a person may decide about it.
    """

    pk: int
    account: str
    account_id: int
    channel: str
    state: DeliveryState
    due_at: datetime
    not_after: datetime
    sent_at: datetime | None
    removed_at: datetime | None
    url: str
    trouble: str
    read_back: str
    read_back_note: str
    attempts: tuple[Attempt, ...]
    draft_id: int
    removes: bool
    parts_live: int
    offers: tuple[str, ...]


def list_deliveries(draft: Draft) -> list[Told]:
    """The deliveries of a post, in the order of its accounts."""
    return [
        _told(delivery)
        for delivery in Delivery.objects.filter(draft=draft)
        .select_related("account")
        .prefetch_related("attempts")
        .order_by("pk")
    ]


def get_told(member: Member, delivery_id: int) -> Told:
    """A delivery of the member's organisation. Raises :class:`NoSuchDelivery`."""
    delivery = (
        Delivery.objects.select_related("account")
        .prefetch_related("attempts")
        .filter(pk=delivery_id)
        .first()
    )
    if delivery is None:
        raise NoSuchDelivery("There is no such delivery.")
    try:
        get_draft(member, delivery.draft_id)
    except NoSuchDraft as missing:
        raise NoSuchDelivery("There is no such delivery.") from missing
    return _told(delivery)


def list_troubled(organisation: Organisation, most: int = 20) -> list[Told]:
    """Deliveries a person should know of, those that have not ended first and the latest first:
    unconfirmed, incomplete, missed, refused, live but not as signed, and waiting with something in
    the way. One that a person has decided about is left out.
    """
    found = (
        Delivery.objects.filter(draft__organisation=organisation, settled_by="")
        .exclude(state=DeliveryState.SENT, read_back__in=["", "matches"])
        .exclude(state=DeliveryState.WAITING, trouble="")
        .exclude(state=DeliveryState.SENDING)
        .exclude(removed_at__isnull=False)
        .select_related("account")
        .prefetch_related("attempts")
        .annotate(ended=Q(state__in=DELIVERY.final))
        .order_by("ended", "-pk")
    )
    return [_told(delivery) for delivery in found[:most]]


def list_lapsed(organisation: Organisation, since: datetime) -> list[Told]:
    """Deliveries that came due since ``since`` and were not sent, the earliest first."""
    found = (
        Delivery.objects.filter(
            draft__organisation=organisation, state=DeliveryState.MISSED, due_at__gte=since
        )
        .select_related("account")
        .prefetch_related("attempts")
        .order_by("due_at")
    )
    return [_told(delivery) for delivery in found[:100]]


def list_followable(draft: Draft) -> list[Told]:
    """What is live of a post and can be corrected or taken down, in the order of its accounts."""
    found = (
        Delivery.objects.filter(draft=draft, removes=None, removed_at=None)
        .exclude(remote_ids=[])
        .select_related("account")
        .prefetch_related("attempts")
        .order_by("pk")
    )
    return [_told(delivery) for delivery in found]


def list_alarms(organisation: Organisation) -> list[Alarm]:
    """Alarms that nobody has dealt with, the oldest first."""
    return list(
        Alarm.objects.filter(account__organisation=organisation, closed_at=None)
        .select_related("account", "delivery")
        .order_by("pk")
    )


def find_alarm(organisation: Organisation, alarm_id: int) -> Alarm | None:
    """An alarm of this organisation, open or closed."""
    return (
        Alarm.objects.filter(account__organisation=organisation, pk=alarm_id)
        .select_related("account", "delivery")
        .first()
    )


def list_captures(draft_ids: Iterable[int]) -> list[Capture]:
    """What channels answered about these posts, as it was kept, the oldest first."""
    found = Capture.objects.filter(delivery__draft_id__in=list(draft_ids))
    return list(found.select_related("delivery__draft__organisation").order_by("at", "pk"))


def list_watches(organisation: Organisation) -> list[Watch]:
    """How the timelines of the organisation's accounts are watched, by account."""
    return list(
        Watch.objects.filter(account__organisation=organisation)
        .select_related("account")
        .order_by("account")
    )


def list_ahead(organisation: Organisation) -> list[Ahead]:
    """Pictures that could not be handed over ahead yet, with what is in the way."""
    return list(
        Ahead.objects.filter(draft__organisation=organisation, ready=False)
        .exclude(trouble="")
        .select_related("account")
        .order_by("pk")[:20]
    )


def count_unconfirmed() -> int:
    """Deliveries nobody yet knows the end of."""
    return Delivery.objects.filter(state=DeliveryState.UNCONFIRMED).count()


def find_oldest_due(now: datetime, grace: timedelta = timedelta(seconds=60)) -> datetime | None:
    """Since when something due has neither been begun, nor sent, nor said why not: a worker that
    stands still cannot tell of itself, so a monitor asks. ``None`` where nothing waits longer than
    ``grace``.
    """
    waiting = (
        Delivery.objects.filter(
            state=DeliveryState.WAITING, trouble="", next_try_at__lt=now - grace
        )
        .order_by("next_try_at")
        .values_list("next_try_at", flat=True)
        .first()
    )
    unbegun = [draft.due_at for draft in list_due(now - grace, most=1)]
    return min((at for at in (waiting, *unbegun) if at is not None), default=None)


def _told(delivery: Delivery) -> Told:
    return Told(
        pk=delivery.pk,
        account=delivery.account.name,
        account_id=delivery.account_id,
        channel=delivery.account.channel,
        state=DeliveryState(delivery.state),
        due_at=delivery.due_at,
        not_after=delivery.not_after,
        sent_at=delivery.sent_at,
        removed_at=delivery.removed_at,
        url=delivery.url,
        trouble=delivery.trouble,
        read_back=delivery.read_back,
        read_back_note=delivery.read_back_note,
        attempts=tuple(sorted(delivery.attempts.all(), key=lambda attempt: attempt.pk)),
        draft_id=delivery.draft_id,
        removes=delivery.removes_id is not None,
        parts_live=len(delivery.remote_ids),
        offers=DELIVERY.offers(DeliveryState(delivery.state), roles=PERSON),
    )


def list_subjects_on(account_id: int) -> set[str]:
    """What went out through an account and what was found on it, as the record names them."""
    posts = Delivery.objects.filter(account_id=account_id).values_list("draft_id", flat=True)
    alarms = Alarm.objects.filter(account_id=account_id).values_list("ref", flat=True)
    return {f"post/{one}" for one in posts} | {f"alarm/{one}" for one in alarms}
