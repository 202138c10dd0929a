"""The last look before a post leaves: is it still exactly what was signed, and may it go now?"""

from __future__ import annotations

from datetime import datetime, timedelta

from folkmoot.desk.accounts import queries as accounts
from folkmoot.desk.drafts import queries as drafts
from folkmoot.desk.people.queries import Role, list_holders
from folkmoot.desk.stops import queries as stops
from folkmoot.desk.stops.queries import Leaving

from . import fence
from .lifecycle import DeliveryState
from .models import Attempt, Delivery

# Of what a channel takes within its span, this share is kept for urgent posts, and at least one.
RESERVE = 10
LOOK_AGAIN = timedelta(seconds=60)


def against_sending(delivery: Delivery, now: datetime) -> tuple[str, ...]:
    """What speaks against ever sending it, as sentences; empty where nothing does.

    Reads everything anew in the caller's transaction: the post, its sign-off, its pictures' bytes,
    the account, and the check as it stands under today's calendar.
    """
    draft = drafts.get_again(delivery.draft)
    against = list(
        drafts.list_against_signoff(draft, delivery.version_number, delivery.digest, now=now)
    )
    window = drafts.window_of(drafts.get_version(draft, delivery.version_number))
    if draft.due_at is None or delivery.not_after != draft.due_at + window:
        against.append("The time after which it must not be sent is not the one that was signed.")
    if is_taken_down(delivery):
        against.append("What is live of it is being taken down, so no more of it is sent.")
    account = accounts.find_account(draft.organisation, delivery.account.pk)
    if account is None:
        against.append("The account was disconnected after the post was signed.")
    return tuple(against)


def against_leaving_now(delivery: Delivery, now: datetime) -> tuple[str, datetime]:
    """Why it must wait, and when to look again: a stop, the restore fence, or the channel's pace.
    An empty sentence where it need not.

    Where the caller is in the transaction that freezes it, nobody can press a stop until that has
    ended: see :func:`stops.look_last`.
    """
    if held := find_stop(delivery):
        return held, now + LOOK_AGAIN
    if fenced := fence.find_refusal():
        return fenced, now + LOOK_AGAIN
    return _find_full(delivery, now)


def is_taken_down(delivery: Delivery) -> bool:
    """Whether what is live of the delivery was taken down, or is about to be."""
    going = [DeliveryState.REFUSED, DeliveryState.MISSED]
    return (
        Delivery.objects.filter(pk=delivery.pk, removed_at__isnull=False).exists()
        or Delivery.objects.filter(removes=delivery.pk).exclude(state__in=going).exists()
    )


def find_stop(delivery: Delivery) -> str:
    """Why no stop lets the delivery go just now, as a sentence; empty where none is against it."""
    standing = stops.list_standing(delivery.draft.organisation)
    return stops.find_among(standing, leaving_of(delivery)) if standing else ""


def leaving_of(delivery: Delivery) -> Leaving:
    """The delivery as a stop looks at it."""
    draft = delivery.draft
    version = drafts.get_version(draft, delivery.version_number)
    signoff = drafts.find_signoff(draft)
    by_duty = False
    if version.through_stop and signoff is not None:
        duty = list_holders(draft.organisation, Role.DUTY)
        authors = {one.by for one in drafts.list_versions(draft)}
        by_duty = signoff.by in duty and authors <= duty and signoff.by not in authors
    return Leaving(
        organisation=draft.organisation,
        account_id=delivery.account_id,
        channel=delivery.account.channel,
        topic=version.topic,
        signed_at=signoff.at if signoff is not None else None,
        by_duty=by_duty,
        removal=delivery.removes_id is not None,
    )


def _find_full(delivery: Delivery, now: datetime) -> tuple[str, datetime]:
    """Whether the account has sent all that its channel takes within its span, less the reserve."""
    capabilities = accounts.capabilities_of(delivery.account)
    pace = capabilities.pace
    if pace is None or delivery.removes_id is not None:
        return "", now
    urgent = drafts.get_version(delivery.draft, delivery.version_number).urgent
    most = pace.posts if urgent else pace.posts - max(1, pace.posts // RESERVE)
    since = now - timedelta(seconds=pace.seconds)
    sends = Attempt.objects.filter(
        what="send",
        delivery__account=delivery.account,
        delivery__removes=None,
        started_at__gt=since,
    ).order_by("-started_at")
    started = sends.values_list("started_at", flat=True)[most - 1 : most].first()
    if started is None:
        return "", now
    kept = "" if urgent else " The rest is kept for urgent posts."
    full = (
        f"{capabilities.title} takes {pace.posts:,} posts within {_span(pace.seconds)}, and"
        f" {most:,} have gone.{kept}"
    )
    return full, started + timedelta(seconds=pace.seconds)


def _span(seconds: int) -> str:
    hours = seconds / 3600
    return f"{seconds // 60} minutes" if hours < 1 else f"{hours:g} hours"
