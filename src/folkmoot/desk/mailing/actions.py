"""Writes of the mailing room, and what it owes now: the worker calls :func:`work` over and over."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from contextlib import closing
from datetime import datetime, timedelta

from django.db import IntegrityError, OperationalError, transaction
from django.db.models import Count, Exists, OuterRef, QuerySet

from folkmoot.channels.email import CannotOpen, Transport
from folkmoot.desk.people.queries import Member, Organisation
from folkmoot.desk.records import actions as records
from folkmoot.desk.records import columns
from folkmoot.desk.records import queries as record_queries
from folkmoot.desk.stops.queries import Leaving

from . import journal
from .deciding import DecisionRefused, decide
from .handing import Clock, Round, ask_about, carry, give_up_lost
from .letters import leaving_of
from .lifecycle import MailState, SubscriberState
from .models import Issue, Mail, MailingList, Signing
from .steps import LostClaim, take_steps
from .subscribing import (
    SubscribingRefused,
    confirm,
    expire,
    find_confirming,
    find_leaving,
    forget,
    leave,
    remove,
    subscribe,
)

log = logging.getLogger(__name__)

__all__ = [
    "DecisionRefused",
    "MailingRefused",
    "SubscribingRefused",
    "close_list",
    "confirm",
    "decide",
    "doubt_waiting",
    "find_confirming",
    "find_leaving",
    "forget",
    "lapse_waiting",
    "leave",
    "note_signing",
    "open_list",
    "remove",
    "subscribe",
    "work",
    "work_list",
]

OpenTransport = Callable[[int], Transport]
"""From an account's id to what hands its e-mails over. Raises
:class:`~folkmoot.channels.email.CannotOpen`.
"""

BATCH = 50
ROUND_SECONDS = 2.0
WAIT_FOR_A_PERSON = timedelta(minutes=1)


class MailingRefused(Exception):
    """Nothing was done; the message is a sentence that says why."""


@transaction.atomic
def open_list(
    organisation: Organisation, account_id: int, *, now: datetime, actor: Member | None = None
) -> MailingList:
    """Open the list of an account on the channel ``email``, or open it again with its subscribers.
    Part of the transaction that connects the account.

    Raises :class:`MailingRefused` where the organisation has another open list.
    """
    try:
        with transaction.atomic():
            mailing_list, made = MailingList.objects.get_or_create(
                account_id=account_id, defaults={"organisation": organisation, "opened_at": now}
            )
            if not made and mailing_list.closed_at is not None:
                mailing_list.closed_at, mailing_list.trouble = None, ""
                mailing_list.next_try_at = None
                mailing_list.save(update_fields=["closed_at", "trouble", "next_try_at"])
    except IntegrityError as taken:
        raise MailingRefused(
            "There is an e-mail list already. Disconnect it first, or connect it again."
        ) from taken
    _record("list.opened", mailing_list, actor, now)
    return mailing_list


@transaction.atomic
def close_list(account_id: int, *, now: datetime, actor: Member | None = None) -> None:
    """Close an account's list: nobody can ask for its posts, and nothing waiting goes out. Who is
    on it can still leave. Part of the transaction that disconnects the account.
    """
    mailing_list = MailingList.objects.filter(account_id=account_id, closed_at=None).first()
    if mailing_list is None:
        return
    mailing_list.closed_at = now
    mailing_list.save(update_fields=["closed_at"])
    take_steps(
        Mail.objects.filter(mailing_list=mailing_list),
        "drop",
        MailState.QUEUED,
        roles={"worker"},
        now=now,
        changes={"trouble": "The list was closed before this was sent."},
        subject=mailing_list.sealed_for,
    )
    _record("list.closed", mailing_list, actor, now)


def note_signing(leaving: Leaving, key: str, *, subject: str) -> None:
    """Note, before an issue is put out under ``key``, what a stop looks at in its e-mails: its
    topic, when it was signed, and whether two duty officers did it all. Without this nothing lets
    them pass a stop. ``subject`` is the post, as the record names it: what the issue says is kept
    under that.
    """
    Signing.objects.update_or_create(
        account_id=leaving.account_id,
        key=key,
        defaults={
            "subject": subject,
            "topic": leaving.topic[:60],
            "signed_at": leaving.signed_at,
            "by_duty": leaving.by_duty,
        },
    )


@transaction.atomic
def lapse_waiting(
    organisation: Organisation, is_held: Callable[[Leaving], bool], *, reason: str, now: datetime
) -> int:
    """Let nothing go out by itself of what waits and ``is_held`` says was held back: a person
    decides about each issue. For when a stop is lifted. How many e-mails that were.
    """
    lapsed = 0
    waiting = Mail.objects.filter(state=MailState.QUEUED)
    for issue in Issue.objects.filter(
        Exists(waiting.filter(issue=OuterRef("pk"))), mailing_list__organisation=organisation
    ).select_related("mailing_list__organisation"):
        if is_held(leaving_of(issue.mailing_list, issue)):
            lapsed += take_steps(
                Mail.objects.filter(issue=issue),
                "lapse",
                MailState.QUEUED,
                roles={"worker"},
                now=now,
                changes={"trouble": reason, "next_try_at": None},
                subject=issue.mailing_list.sealed_for,
            )
    return lapsed


@transaction.atomic
def doubt_waiting(*, reason: str, now: datetime) -> int:
    """Hold everything that waits to have been sent, perhaps: for a database that was brought back
    from a backup. What can be asked about is; the rest is for a person. How many that were.
    """
    return sum(
        take_steps(
            Mail.objects.filter(mailing_list=mailing_list),
            "doubt",
            MailState.QUEUED,
            roles={"worker"},
            now=now,
            changes={"trouble": reason, "next_try_at": now, "begun_at": now},
            subject=mailing_list.sealed_for,
        )
        for mailing_list in MailingList.objects.order_by("pk")
    )


def work(clock: Clock, open_transport: OpenTransport, *, held: bool = False) -> int:
    """Do what every list owes now, once, each for a short while; how many things were done.

    While the record cannot be signed, or where ``held`` (the restore fence is up), nothing new is
    handed over. Safe to run in several workers at once.
    """
    held = held or record_queries.find_refusal() is not None
    lists = MailingList.objects.filter(closed_at=None).order_by("pk")
    return sum(
        work_list(pk, clock, open_transport, held=held)
        for pk in lists.values_list("account_id", flat=True)
    )


def work_list(
    account_id: int, clock: Clock, open_transport: OpenTransport, *, held: bool = False
) -> int:
    """Do what one account's list owes now, for at most a few seconds; how many things were done."""
    mailing_list = (
        MailingList.objects.filter(account_id=account_id, closed_at=None)
        .select_related("organisation")
        .first()
    )
    if mailing_list is None:
        return 0
    now = clock()
    done = _give_up_lost(mailing_list, now) + _end_overdue(mailing_list, now)
    if not held:
        done += _hand_over_due(mailing_list, clock, open_transport)
    return done + _finish(mailing_list, clock())


def _hand_over_due(mailing_list: MailingList, clock: Clock, open_transport: OpenTransport) -> int:
    now = clock()
    if mailing_list.next_try_at is not None and mailing_list.next_try_at > now:
        return 0
    unsure = columns.list_openable(_owed(mailing_list, MailState.UNSURE, now)[:BATCH])
    waiting = columns.list_openable(_owed(mailing_list, MailState.QUEUED, now)[:BATCH])
    if not unsure and not waiting:
        return 0
    try:
        transport = open_transport(mailing_list.account_id)
    except CannotOpen as closed:
        _note_closed(mailing_list, str(closed), now + WAIT_FOR_A_PERSON)
        return 0
    done, until = 0, time.monotonic() + ROUND_SECONDS
    with closing(transport):
        this = Round(mailing_list, transport, clock)
        for mail in unsure:
            if time.monotonic() >= until:
                break
            done += _try(ask_about, this, mail)
        for mail in waiting[: _allowance(mailing_list, transport, now)]:
            if time.monotonic() >= until or this.closed is not None:
                break
            done += carry(this, mail)
    if this.closed is not None:
        wait = timedelta(seconds=this.closed.after_seconds)
        _note_closed(mailing_list, this.closed.reason, clock() + wait)
    elif mailing_list.trouble and done:
        _note_closed(mailing_list, "", None)
    return done


def _owed(mailing_list: MailingList, state: MailState, now: datetime) -> QuerySet[Mail]:
    return (
        Mail.objects.filter(mailing_list=mailing_list, state=state, next_try_at__lte=now)
        .select_related("issue", "subscriber", "mailing_list__organisation")
        .order_by("next_try_at", "pk")
    )


def _allowance(mailing_list: MailingList, transport: Transport, now: datetime) -> int:
    """How many more letters may be handed over in this minute."""
    begun = Mail.objects.filter(
        mailing_list=mailing_list, begun_at__gt=now - timedelta(minutes=1)
    ).count()
    return max(transport.per_minute - begun, 0)


def _give_up_lost(mailing_list: MailingList, now: datetime) -> int:
    lost = Mail.objects.filter(
        mailing_list=mailing_list, state=MailState.HANDING, lease_until__lte=now
    )
    return sum(_try(give_up_lost, mail, now) for mail in lost[:BATCH])


def _end_overdue(mailing_list: MailingList, now: datetime) -> int:
    """Let lapse what was not sent in time, and forget who never confirmed."""
    late = Mail.objects.filter(mailing_list=mailing_list, not_after__lt=now)
    asking = late.filter(issue__isnull=True)
    issues = late.filter(issue__isnull=False)
    roles = {"worker"}
    done = take_steps(asking, "drop", MailState.QUEUED, roles=roles, now=now)
    done += take_steps(asking, "leave", MailState.UNSURE, roles=roles, now=now)
    lapsed = take_steps(
        issues,
        "lapse",
        MailState.QUEUED,
        roles=roles,
        now=now,
        changes={"next_try_at": None},
    )
    if lapsed:
        log.warning("%s e-mails of %s were not sent in time", lapsed, mailing_list)
    return done + lapsed + expire(mailing_list, now=now)


def _finish(mailing_list: MailingList, now: datetime) -> int:
    """Record what came of every issue that waits for nothing more."""
    going = Mail.objects.filter(
        issue=OuterRef("pk"), state__in=(MailState.QUEUED, MailState.HANDING)
    )
    done = 0
    for issue in Issue.objects.filter(~Exists(going), mailing_list=mailing_list, finished_at=None):
        with transaction.atomic():
            if not Issue.objects.filter(pk=issue.pk, finished_at=None).update(finished_at=now):
                continue  # another worker
            counts = issue.mails.order_by().values_list("state").annotate(Count("pk"))
            records.record(
                "issue.finished",
                at=now,
                organisation=mailing_list.organisation.ref,
                actor="",
                role="worker",
                subject=f"issue/{issue.key}",
                fields={state: str(count) for state, count in counts},
            )
        done += 1
    if done:
        journal.prune()
    return done


def _note_closed(mailing_list: MailingList, reason: str, until: datetime | None) -> None:
    columns.update_sealed(mailing_list, {"trouble": reason, "next_try_at": until})


def _try(act: Callable[..., None], *arguments: object) -> int:
    try:
        act(*arguments)
    except LostClaim:
        return 0
    except OperationalError:
        raise  # the database is away, and it is nothing about this e-mail
    except Exception:
        log.exception("The mailing room met a fault in its own code and goes on")
        return 0
    return 1


def _record(kind: str, mailing_list: MailingList, actor: Member | None, now: datetime) -> None:
    confirmed = mailing_list.subscribers.filter(state=SubscriberState.CONFIRMED).count()
    records.record(
        kind,
        at=now,
        organisation=mailing_list.organisation.ref,
        actor=actor.ref if actor else "",
        role=next(iter(sorted(actor.held)), "member") if actor else "system",
        subject=f"list/{mailing_list.pk}",
        fields={"account": str(mailing_list.account_id), "subscribers": str(confirmed)},
    )
