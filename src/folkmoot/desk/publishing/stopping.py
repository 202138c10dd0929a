"""Pressing and lifting a stop: what is on its way is waited for, what lapsed is never flushed."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from folkmoot.desk.drafts import actions as draft_actions
from folkmoot.desk.drafts import queries as drafts
from folkmoot.desk.guidance import queries as guidance
from folkmoot.desk.mailing import actions as mailing_actions
from folkmoot.desk.mailing import queries as mailing
from folkmoot.desk.people.queries import Member
from folkmoot.desk.stops import actions as stop_actions
from folkmoot.desk.stops import queries as stops
from folkmoot.desk.stops.actions import press
from folkmoot.desk.stops.queries import Leaving, Stop, StopKind, StopState

from .lastlook import leaving_of
from .lifecycle import DeliveryState
from .models import Delivery
from .preparing import Clock
from .settling import end_unsent

__all__ = ["count_on_their_way", "keep_stops", "press", "resume"]


def keep_stops(clock: Clock) -> int:
    """Press what the calendar says, and say of each stop that was pressed when it is in force."""
    done = _follow_calendar(clock)
    for stop in stops.list_pressed():
        done += acknowledge(stop, clock)
    return done


def acknowledge(stop: Stop, clock: Clock) -> bool:
    """Say that a stop is in force, if nothing it covers is on its way any more."""
    if stop.state != StopState.PRESSED:
        return stop.state == StopState.IN_FORCE
    on_their_way = count_on_their_way(stop, clock())
    return stop_actions.acknowledge(stop, on_their_way=on_their_way, now=clock())


def count_on_their_way(stop: Stop, now: datetime) -> int:
    """How many deliveries and e-mails that a stop covers have had their last look and not ended.

    One whose worker died counts until its lease has run out: until then it may still be sending.
    """
    sending = Delivery.objects.filter(
        draft__organisation=stop.organisation,
        state=DeliveryState.SENDING,
        lease_until__gt=now,
    ).select_related("draft__organisation", "account")
    covered = sum(stops.covers(stop, leaving_of(delivery)) for delivery in sending)
    mails = sum(
        count
        for leaving, count in mailing.list_on_their_way(stop.organisation, now)
        if stops.covers(stop, leaving)
    )
    return covered + mails


@transaction.atomic
def resume(member: Member, stop_id: int, *, reason: str, now: datetime) -> int:
    """Lift a stop. What came due while it stood lapses, in the same transaction, and is there to be
    looked at; nothing of it is sent. How many posts that were.

    Raises :class:`~folkmoot.desk.stops.actions.StopRefused`.
    """
    stop = stop_actions.lift(member, stop_id, reason=reason, now=now)
    why = (
        f"It came due while publishing was stopped ({stop.reason.rstrip('.')})."
        " Look at it again before it goes out."
    )
    lapsed = 0
    # What no worker has begun goes first: begun meanwhile, it is among the deliveries below.
    for draft in drafts.list_due(now):
        if draft.organisation_id == stop.organisation_id and _held_draft(stop, draft):
            try:
                draft_actions.lapse(draft, why, now=now)
            except draft_actions.StaleDraft:
                continue  # begun, or taken back, at this very moment
            lapsed += 1
    held = (
        Delivery.objects.select_for_update(of=("self",))
        .filter(draft__organisation=stop.organisation, state=DeliveryState.WAITING, due_at__lte=now)
        .select_related("draft__organisation", "account")
        .order_by("pk")
    )
    for delivery in held:
        if _was_held(stop, leaving_of(delivery)):
            end_unsent(delivery, "lapse", why, now)
            lapsed += 1
    mailing_actions.lapse_waiting(
        stop.organisation, lambda leaving: _was_held(stop, leaving), reason=why, now=now
    )
    return lapsed


def _was_held(stop: Stop, leaving: Leaving) -> bool:
    return stops.covers(stop, leaving) and not stops.lets_pass(stop, leaving)


def _held_draft(stop: Stop, draft: drafts.Draft) -> bool:
    """Whether a post that no worker has begun would have been held on any of its accounts."""
    probes = [
        leaving_of(Delivery(draft=draft, account=account, version_number=draft.version_number))
        for account in drafts.list_accounts(draft)
    ]
    return any(_was_held(stop, leaving) for leaving in probes)


def _follow_calendar(clock: Clock) -> int:
    """Press a stop for each period of a calendar that asks for one and has begun."""
    pressed = 0
    for period in guidance.list_stopping(clock()):
        if stops.find_for_period(period.pk) is None:
            stop_actions.press(
                period.organisation,
                reason=period.name or period.source,
                now=clock(),
                member=None,
                kind=StopKind(period.kind),
                period_id=period.pk,
            )
            pressed += 1
    return pressed
