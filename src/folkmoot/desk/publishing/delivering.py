"""Delivering: claim, prepare, freeze with a last look, send once.

The first steps of DESIGN section 2.4; :mod:`.settling` has what follows. Every function here may be
killed at any point and run again: the row says how far it got, and *anything but a clear answer is
unconfirmed* and looked up.
"""

from __future__ import annotations

import hashlib
import logging
from datetime import datetime, timedelta

from django.db import transaction

from folkmoot.channels import NotPrepared, NotReady, Prepared, Unconfirmed
from folkmoot.channels.captures import capturing
from folkmoot.channels.outbound import within
from folkmoot.desk.accounts import actions as account_actions
from folkmoot.desk.accounts import queries as accounts
from folkmoot.desk.drafts import actions as draft_actions
from folkmoot.desk.mailing import actions as mailing
from folkmoot.desk.records import columns
from folkmoot.desk.stops import queries as stops

from . import fence
from .keeping import keep_answers
from .lastlook import (
    LOOK_AGAIN,
    against_leaving_now,
    against_sending,
    find_stop,
    leaving_of,
)
from .lifecycle import DeliveryFacts, DeliveryState
from .models import Attempt, Delivery
from .preparing import Clock, prepare
from .settling import end_unsent, settle
from .steps import DeliveryRefused, LostClaim, take_step, write

log = logging.getLogger(__name__)

# Longer than any one request may take, so that a lease that has run out means a dead worker.
LEASE = timedelta(seconds=30)
# While it prepares a worker may hand over many pictures; what it sends afterwards has LEASE.
LEASE_TO_PREPARE = timedelta(seconds=90)
# A send ends this much before its lease, and is not begun where that leaves too little time: a
# worker which stood still sends nothing after it has been given up for dead.
MARGIN = timedelta(seconds=3)
LEAST_TO_SEND = timedelta(seconds=20)
FIRST_WAIT = timedelta(seconds=2)
LONGEST_WAIT = timedelta(seconds=60)
WAIT_FOR_A_PERSON = timedelta(seconds=30)
FAULT = (
    "A fault in this program stands in the way. It is in the log; tell whoever looks after this "
    "system."
)


class _Held(Exception):
    """It must wait; ``until`` is when to look again."""

    def __init__(self, reason: str, until: datetime) -> None:
        super().__init__(reason)
        self.until = until


def claim(delivery: Delivery, now: datetime) -> bool:
    """Take the delivery for this worker until the lease ends; ``False`` if another was quicker."""
    try:
        lease = LEASE_TO_PREPARE if delivery.state == DeliveryState.WAITING else LEASE
        write(delivery, {"lease_until": now + lease, "attempt": delivery.attempt + 1})
    except LostClaim:
        return False
    return True


def deliver(delivery: Delivery, clock: Clock) -> None:
    """Take a claimed, waiting delivery as far as one send. Raises :class:`LostClaim`."""
    now = clock()
    if now > delivery.not_after:
        miss(delivery, now)
        return
    if held := find_stop(delivery):
        _hold(delivery, held, now + LOOK_AGAIN)
        return
    try:
        adapter = accounts.open_adapter(delivery.account, subject=delivery.draft.subject)
    except accounts.VaultError as sealed:
        _keep_waiting(delivery, NotPrepared(str(sealed), retry=False), now, clock())
        return
    prepared = prepare(delivery, adapter, now)
    if not isinstance(prepared, Prepared):
        _keep_waiting(delivery, prepared, now, clock())
        return
    account_actions.note_health(delivery.account, "")
    attempt = _freeze(delivery, prepared, clock)
    if attempt is None:
        return
    fence.remember(attempt.pk)
    assert delivery.lease_until is not None
    left = delivery.lease_until - MARGIN - clock()
    if left < LEAST_TO_SEND:
        slow = "It took too long to begin sending. We look whether it is live before trying again."
        settle(delivery, attempt, Unconfirmed(slow), clock())
        return
    with within(left.total_seconds()), capturing() as answers:
        outcome = adapter.send(prepared, tuple(delivery.remote_ids))
    settle(delivery, attempt, outcome, clock())
    keep_answers(delivery, "send", answers, clock())


def give_up_lost(delivery: Delivery, now: datetime) -> None:
    """A worker died while sending: nobody knows what became of it. Raises :class:`LostClaim`."""
    reason = "The program stopped while it was sending. We are finding out whether it is live."
    with transaction.atomic():
        take_step(
            delivery,
            "doubt",
            facts=DeliveryFacts(now, delivery.not_after),
            now=now,
            fields={"reason": reason},
            changes={"trouble": reason, "lease_until": None, "next_try_at": now},
        )
        ended = {"ended_at": now, "outcome": "lost", "detail": reason}
        Attempt.objects.filter(delivery=delivery, ended_at=None).update(
            **columns.sealed_values(Attempt(delivery=delivery), ended)
        )


def note_fault(delivery: Delivery, now: datetime) -> None:
    """Our own code failed on a claimed delivery: say so on it, and let others go first."""
    # What failed may have been rolled back, so only the row itself says how far it got.
    kept = Delivery.objects.get(pk=delivery.pk)
    ours = kept.attempt == delivery.attempt
    if ours and kept.state in {DeliveryState.WAITING, DeliveryState.UNCONFIRMED}:
        write(
            kept,
            {"lease_until": None, "next_try_at": now + WAIT_FOR_A_PERSON, "trouble": FAULT},
        )


def miss(delivery: Delivery, now: datetime) -> None:
    """Its time has passed. Raises :class:`LostClaim`."""
    reason = (
        delivery.trouble
        or fence.find_refusal()
        or (
            "It was sent, but the channel does not have it."
            if delivery.request is not None
            else "Nobody sent it in time: this program was not running, or busy."
        )
    )
    end_unsent(delivery, "miss", f"Not sent in time. {reason}", now)


def wait_after(attempt: int) -> timedelta:
    """How long to wait before the next try: 2, 4, 8 ... at most 60 seconds."""
    doublings = min(max(attempt - 1, 0), 6)
    return min(FIRST_WAIT * (1 << doublings), LONGEST_WAIT)


def _must_not_be_held(delivery: Delivery, now: datetime) -> None:
    held, until = against_leaving_now(delivery, now)
    if held:
        raise _Held(held, until)


def _hold(delivery: Delivery, reason: str, until: datetime) -> None:
    """It may not leave now. Its own time goes on: it is missed, not sent late."""
    write(
        delivery,
        {
            "trouble": reason,
            "lease_until": None,
            "next_try_at": _before_too_late(delivery, until),
        },
    )


def _keep_waiting(
    delivery: Delivery, prepared: NotPrepared | NotReady, started_at: datetime, now: datetime
) -> None:
    """It could not be prepared: say why, and try again later."""
    changes: dict[str, object] = {"trouble": prepared.reason, "lease_until": None}
    if isinstance(prepared, NotReady):
        wait = timedelta(seconds=prepared.after_seconds)
        changes["memo"] = prepared.memo
    else:
        account_actions.note_health(delivery.account, prepared.reason)
        wait = wait_after(delivery.attempt) if prepared.retry else WAIT_FOR_A_PERSON
        if prepared.after_seconds is not None:
            wait = timedelta(seconds=prepared.after_seconds)
    _note_waiting(delivery, prepared, started_at, now)
    write(delivery, {**changes, "next_try_at": _before_too_late(delivery, now + wait)})


@transaction.atomic
def _note_waiting(
    delivery: Delivery, prepared: NotPrepared | NotReady, started_at: datetime, now: datetime
) -> None:
    """One row for waiting, however often it is asked: ten minutes of it must not fill a page."""
    outcome = type(prepared).__name__.lower()
    last = delivery.attempts.order_by("-pk").first()
    if last is not None and (last.outcome, last.detail) == (outcome, prepared.reason):
        Attempt.objects.filter(pk=last.pk).update(number=delivery.attempt, ended_at=now)
        return
    Attempt.objects.create(
        delivery=delivery,
        number=delivery.attempt,
        what="prepare",
        started_at=started_at,
        ended_at=now,
        outcome=outcome,
        detail=prepared.reason,
    )


def _before_too_late(delivery: Delivery, at: datetime) -> datetime:
    """``at``, or the moment it is missed, whichever comes first: that is told at once too."""
    return min(at, delivery.not_after + timedelta(milliseconds=1))


def _freeze(delivery: Delivery, prepared: Prepared, clock: Clock) -> Attempt | None:
    """Last look and intent in one transaction; ``None`` where the last look is against it."""
    now = clock()
    try:
        with transaction.atomic():
            stops.look_last()
            _must_not_be_held(delivery, now)
            against = against_sending(delivery, now)
            take_step(
                delivery,
                "freeze",
                now=now,
                facts=DeliveryFacts(now, delivery.not_after, against),
                fields={
                    "digest": delivery.digest,
                    "key": prepared.key,
                    "request_sha256": hashlib.sha256(prepared.request).hexdigest(),
                },
                changes={
                    "request": prepared.request,
                    "key": prepared.key,
                    "lease_until": now + LEASE,
                    "trouble": "",
                },
            )
            if delivery.account.channel == "email":
                mailing.note_signing(
                    leaving_of(delivery), prepared.key, subject=delivery.draft.subject
                )
            if accounts.is_public(delivery.account) and delivery.removes_id is None:
                draft_actions.make_pictures_public(delivery.draft, delivery.version_number)
            return Attempt.objects.create(
                delivery=delivery, number=delivery.attempt, what="send", started_at=now
            )
    except _Held as waiting:
        _hold(delivery, str(waiting), waiting.until)
    except DeliveryRefused as refused:
        if now > delivery.not_after:
            miss(delivery, now)
        else:
            end_unsent(delivery, "refuse", str(refused), now)
    return None
