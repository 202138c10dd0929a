"""Asking for the posts, confirming, leaving, and being forgotten.

Nobody is put on the list by anybody else: a row that was asked for gets one e-mail with a link, and
nothing more until whoever has the address opens it and presses the button.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import IntegrityError, transaction

from folkmoot.channels.email import NotAnAddress, make_reference, read_address
from folkmoot.desk.people.queries import Member, Role
from folkmoot.desk.records import actions as records
from folkmoot.desk.records import columns

from . import journal, tokens
from .letters import CONFIRM_HOURS
from .lifecycle import MailState, SubscriberState
from .models import Mail, MailingList, Subscriber
from .steps import LostClaim, StepRefused, take_steps, take_subscriber_step

LINK_LASTS = timedelta(hours=CONFIRM_HOURS)
# Whoever enters somebody else's address over and over sends them no more than this.
ASK_AGAIN_AFTER = timedelta(hours=1)
FORGET_AFTER = timedelta(days=7)


class SubscribingRefused(Exception):
    """Nothing was done; the message is a sentence that says why."""


def subscribe(mailing_list: MailingList, address: str, *, now: datetime) -> None:
    """Ask for the posts to be sent to ``address``: queue the e-mail that asks back, unless the
    address gets the posts already or was asked within the last hour.

    Says nothing about which it was, for it is nobody else's business who is on the list. Raises
    :class:`SubscribingRefused` where ``address`` is none.
    """
    try:
        read = read_address(address)
    except NotAnAddress as wrong:
        raise SubscribingRefused(str(wrong)) from wrong
    mark = tokens.mark_of(mailing_list.pk, read)
    try:
        with transaction.atomic():
            _ask(mailing_list, read, mark, now)
    except IntegrityError:
        return  # asked for twice at the same moment: the other asks back


def confirm(token: str, *, now: datetime) -> Subscriber:
    """Confirm what the link with ``token`` was sent for; the subscriber. Confirming twice is no
    fault. Raises :class:`SubscribingRefused`.
    """
    subscriber = find_confirming(token)
    if subscriber is None:
        raise SubscribingRefused(
            "This link is not one of ours, or a newer one was sent. Use the newest, or ask again."
        )
    if subscriber.state == SubscriberState.CONFIRMED:
        return subscriber
    try:
        take_subscriber_step(
            subscriber,
            "confirm",
            role="anyone",
            now=now,
            link_until=subscriber.asked_at + LINK_LASTS,
            changes={"confirmed_at": now, "bounces": 0, "note": ""},
        )
    except StepRefused as refused:
        raise SubscribingRefused(str(refused)) from refused
    except LostClaim as lost:
        raise SubscribingRefused(
            "Something else happened at the same moment. Open the link once more."
        ) from lost
    return subscriber


def find_confirming(token: str) -> Subscriber | None:
    """Whose asking the link with ``token`` would confirm; ``None`` where it is no link of ours, or
    one that a later asking replaced.
    """
    ref = tokens.read_ref(token)
    found = Subscriber.objects.filter(ref=ref).first() if ref else None
    if found is None or found.state == SubscriberState.LEFT:
        return None
    return found if tokens.is_token(token, tokens.confirming(found), found.ref) else None


def find_leaving(token: str) -> Subscriber | None:
    """Whose link to leave by this is, whether they still get the posts or not."""
    ref = tokens.read_ref(token)
    if ref is None or not tokens.is_token(token, tokens.LEAVE, ref):
        return None
    return Subscriber.objects.filter(ref=ref).first()


@transaction.atomic
def leave(subscriber: Subscriber, *, by: str, now: datetime) -> int:
    """Take this address off the list, under whatever asking it stands there, and forget it; how
    many askings that ended. Leaving twice is no fault.

    ``by`` is how: ``link``, ``program`` or ``staff``.
    """
    same = Subscriber.objects.filter(mailing_list=subscriber.mailing_list).exclude(
        state=SubscriberState.LEFT
    )
    mine = same.filter(mark=subscriber.mark) if subscriber.mark else same.filter(pk=subscriber.pk)
    ended = 0
    for one in mine.select_for_update():
        _end(one, "leave", role="admin" if by == "staff" else "anyone", by=by, now=now)
        ended += 1
    return ended


@transaction.atomic
def remove(member: Member, mailing_list: MailingList, address: str, *, now: datetime) -> bool:
    """Take somebody off the list, and forget them, because they asked us to; whether they were on
    it. Raises :class:`SubscribingRefused`.
    """
    if Role.ADMIN not in member.held:
        raise SubscribingRefused("Only an admin can take somebody off the list.")
    try:
        mark = tokens.mark_of(mailing_list.pk, read_address(address))
    except NotAnAddress as wrong:
        raise SubscribingRefused(str(wrong)) from wrong
    found = list(Subscriber.objects.filter(mailing_list=mailing_list, mark=mark))
    for one in found:
        leave(one, by="staff", now=now)
        forget(one, now=now)
        records.record(
            "subscriber.forgotten",
            at=now,
            organisation=mailing_list.organisation.ref,
            actor=member.ref,
            role="admin",
            subject=f"subscriber/{one.ref}",
        )
    return bool(found)


def forget(subscriber: Subscriber, *, now: datetime) -> None:
    """Blank all by which somebody who left could be recognised, and destroy the key that it was
    kept under. What remains is that somebody was on the list, and when. Part of the caller's
    transaction.
    """
    Subscriber.objects.filter(pk=subscriber.pk, state=SubscriberState.LEFT).update(
        address="", mark="", note=""
    )
    Mail.objects.filter(subscriber=subscriber).update(trouble="")
    columns.forget(subscriber.sealed_for, now)


def expire(mailing_list: MailingList, *, now: datetime) -> int:
    """Forget who asked and never confirmed; how many."""
    done = 0
    for one in Subscriber.objects.filter(
        mailing_list=mailing_list, state=SubscriberState.ASKED, asked_at__lt=now - FORGET_AFTER
    )[:100]:
        try:
            with transaction.atomic():
                _end(one, "expire", role="worker", by="silence", now=now)
                forget(one, now=now)
        except LostClaim:
            continue  # they asked again at this very moment
        done += 1
    return done


def _ask(mailing_list: MailingList, address: str, mark: str, now: datetime) -> None:
    found = (
        Subscriber.objects.select_for_update()
        .filter(mailing_list=mailing_list, mark=mark)
        .exclude(state=SubscriberState.LEFT)
        .first()
    )
    if found is None:
        found = Subscriber.objects.create(
            mailing_list=mailing_list, address=address, mark=mark, asked_at=now
        )
    elif found.state == SubscriberState.CONFIRMED or found.asked_at > now - ASK_AGAIN_AFTER:
        return
    else:
        found.asked, found.asked_at, found.address = found.asked + 1, now, address
        found.save(update_fields=["asked", "asked_at", "address"])
    Mail.objects.create(
        mailing_list=mailing_list,
        subscriber=found,
        asked=found.asked,
        reference=make_reference(f"confirm/{found.asked}", found.ref),
        not_after=now + LINK_LASTS,
        next_try_at=now,
    )


def _end(one: Subscriber, verb: str, *, role: str, by: str, now: datetime) -> None:
    take_subscriber_step(
        one,
        verb,
        role=role,
        now=now,
        changes={"left_at": now, "left_by": by, "address": "", "note": ""},
    )
    journal.note_left(one.ref)
    waiting = Mail.objects.filter(subscriber=one)
    take_steps(waiting, "drop", MailState.QUEUED, roles={"worker"}, now=now)
    # Copies of the address, in backups and write-ahead logs, end with the key.
    columns.forget(one.sealed_for, now)
