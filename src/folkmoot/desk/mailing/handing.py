"""Handing e-mails over: claim with a last look, hand over once, settle; and ask about what nobody
answered for.

Every function here may be killed at any point and run again. A row that says ``handing`` when its
lease has run out may have been handed over, so it never is again by itself.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import assert_never

from django.db import transaction
from django.db.models import Q

from folkmoot.channels.email import (
    Handed,
    Letter,
    NotNow,
    NotTaken,
    NotThere,
    Transport,
    Unsure,
)
from folkmoot.desk.records import columns
from folkmoot.desk.stops import queries as stops

from .journal import Journal, read_left
from .letters import leaving_of, write_letter
from .lifecycle import MailState, SubscriberState
from .models import Mail, MailingList, Subscriber
from .steps import LostClaim, StepRefused, count_bounce, take_step, take_subscriber_step
from .subscribing import leave

log = logging.getLogger(__name__)

Clock = Callable[[], datetime]

# Longer than a transport may take for one letter, so that a lease that ran out means a dead worker;
# one that stood still, and has less than that left, begins nothing.
LEASE = timedelta(seconds=120)
LONGEST_SEND = timedelta(seconds=100)
# How long after a request it may still be on its way. Until then "not there" proves nothing.
QUIET = timedelta(seconds=60)
LONGEST_LOOK = timedelta(hours=1)
# After that a person decides. GOV.UK Notify forgets after seven days; by then "not there" would
# prove nothing either.
ASKED_FOR = timedelta(days=1)
MOST_BOUNCES = 3
LOST = "The program stopped while this was being handed over. Nobody knows whether it was taken."
BACK = (
    "The database was brought back from a backup: this was being handed over already, and nobody"
    " knows whether it was taken."
)
FAULT = (
    "A fault in this program stands in the way. It is in the log; tell whoever looks after this"
    " system."
)


@dataclass
class Round:
    """What one round over a list keeps in mind. ``closed`` is why it ended early, if it did."""

    mailing_list: MailingList
    transport: Transport
    clock: Clock
    left: frozenset[str] = field(default_factory=read_left)
    journals: dict[str, Journal] = field(default_factory=dict)
    stopped: set[int | None] = field(default_factory=set)
    closed: NotNow | None = None

    def journal_of(self, mail: Mail) -> Journal:
        """Where attempts at this e-mail are remembered."""
        name = mail.issue.key if mail.issue else "asking"
        return self.journals.setdefault(name, Journal(name))


def give_up_lost(mail: Mail, now: datetime) -> None:
    """A worker died while it handed this over. Raises :class:`LostClaim`."""
    _doubt(mail, LOST, now, look_at=now)


def carry(this: Round, mail: Mail) -> bool:
    """Take a waiting e-mail as far as it goes; whether anything was done."""
    if mail.issue_id in this.stopped:
        return False
    try:
        if mail.issue is not None and not mail.issue.record:
            erased = {"trouble": "What it said was erased.", "next_try_at": None}
            take_step(mail, "drop", now=this.clock(), changes=erased)
            return True
        letter = write_letter(mail)
        if not _freeze(this, mail):
            return False
    except LostClaim:
        return False
    except Exception:
        log.exception("%s could not be written", mail)
        _put_off(mail, FAULT, this.clock() + timedelta(minutes=10))
        return False
    _hand_over(this, mail, letter)
    return True


def ask_about(this: Round, mail: Mail) -> None:
    """Find out what became of an e-mail nobody answered for. Raises :class:`LostClaim`."""
    now = this.clock()
    begun_at = mail.begun_at or now
    if not this.transport.can_find or now - begun_at > ASKED_FOR:
        _look_later(mail, mail.trouble, None)
        return
    if now < begun_at + QUIET:
        _look_later(mail, mail.trouble, begun_at + QUIET)
        return
    found = this.transport.find(mail.reference)
    now = this.clock()
    match found:
        case Handed():
            settle(mail, found, now)
        case NotThere():
            take_step(mail, "clear", now=now, changes={"trouble": "", "next_try_at": now})
        case Unsure():
            wait = min(max((now - begun_at) / 4, QUIET), LONGEST_LOOK)
            _look_later(mail, found.reason, now + wait)
        case _:
            assert_never(found)


def settle(
    mail: Mail,
    outcome: Handed | NotTaken | NotNow | Unsure,
    now: datetime,
    *,
    can_find: bool = True,
) -> None:
    """Write what handing over came to. Raises :class:`LostClaim`."""
    match outcome:
        case Handed():
            _confirm(mail, outcome, now)
        case NotTaken():
            _refuse(mail, outcome, now)
        case NotNow():
            later = now + timedelta(seconds=outcome.after_seconds)
            take_step(
                mail,
                "wait",
                now=now,
                changes={
                    "trouble": outcome.reason,
                    "lease_until": None,
                    "next_try_at": now if outcome.for_all else later,
                },
            )
        case Unsure():
            _doubt(mail, outcome.reason, now, look_at=now + QUIET if can_find else None)
        case _:
            assert_never(outcome)


def _freeze(this: Round, mail: Mail) -> bool:
    """Last look and claim in one transaction; whether it may be handed over now.

    Raises :class:`LostClaim`.
    """
    now = this.clock()
    known = this.journal_of(mail).find_attempt(mail.reference)
    if known > mail.attempt:
        _doubt(mail, BACK, now, look_at=now, attempt=known)
        return False
    if mail.subscriber.ref in this.left:
        # They left, and a database from before brought them back.
        leave(mail.subscriber, by="link", now=now)
        return False
    with transaction.atomic():
        stops.look_last()
        against = stops.find_against(_leaving(mail))
        if against:
            this.stopped.add(mail.issue_id)
            _note(mail, against)
            return False
        if not _is_wanted(mail):
            take_step(mail, "drop", now=now, changes={"next_try_at": None})
            return False
        try:
            take_step(
                mail,
                "hand",
                now=now,
                changes={"lease_until": now + LEASE, "begun_at": now, "trouble": ""},
            )
        except StepRefused:
            return False  # too late; it lapses in the next round
    return True


def _hand_over(this: Round, mail: Mail, letter: Letter) -> None:
    try:
        this.journal_of(mail).begin(mail.reference, mail.attempt)
    except OSError as fault:
        log.critical("The home folder cannot be written, so no e-mail goes out: %s", fault)
        full = NotNow("The home folder of this system cannot be written.", for_all=True)
        settle(mail, full, this.clock())
        this.closed = full
        return
    if mail.lease_until is None or this.clock() + LONGEST_SEND > mail.lease_until:
        settle(mail, NotNow("It took too long to begin. It is tried again.", 1.0), this.clock())
        return
    outcome = this.transport.hand_over(letter)
    try:
        settle(mail, outcome, this.clock(), can_find=this.transport.can_find)
    except LostClaim:
        # The lease ran out meanwhile, and what is known now is better than what was noted.
        kept = Mail.objects.get(pk=mail.pk)
        if (
            isinstance(outcome, Handed)
            and kept.attempt == mail.attempt
            and kept.state == MailState.UNSURE
        ):
            settle(kept, outcome, this.clock())
    if isinstance(outcome, NotNow) and outcome.for_all:
        this.closed = outcome


def _leaving(mail: Mail) -> stops.Leaving:
    leaving = leaving_of(mail.mailing_list, mail.issue)
    if mail.issue is None:
        # Nobody signs a question back to somebody who asked; when they asked is what counts.
        return replace(leaving, signed_at=mail.subscriber.asked_at)
    return leaving


def _is_wanted(mail: Mail) -> bool:
    """Whether the subscriber still wants it, looked at anew."""
    now = Subscriber.objects.get(pk=mail.subscriber_id)
    if not now.address or now.address != mail.subscriber.address:
        return False
    if mail.issue_id is not None:
        return now.state == SubscriberState.CONFIRMED
    return now.asked == mail.asked and now.state in {
        SubscriberState.ASKED,
        SubscriberState.PAUSED,
    }


@transaction.atomic
def _confirm(mail: Mail, handed: Handed, now: datetime) -> None:
    take_step(
        mail,
        "confirm",
        now=now,
        changes={
            "handed_at": now,
            "remote_id": handed.remote_id,
            "trouble": "",
            "lease_until": None,
            "next_try_at": None,
        },
    )
    if mail.subscriber.bounces:
        Subscriber.objects.filter(pk=mail.subscriber_id).update(bounces=0)


@transaction.atomic
def _refuse(mail: Mail, refused: NotTaken, now: datetime) -> None:
    take_step(
        mail,
        "refuse",
        now=now,
        changes={"trouble": refused.reason, "lease_until": None, "next_try_at": None},
    )
    if not refused.about_address or mail.issue_id is None:
        return
    bounces = count_bounce(mail.subscriber_id)
    if bounces < MOST_BOUNCES:
        return
    subscriber = Subscriber.objects.get(pk=mail.subscriber_id)
    if subscriber.state == SubscriberState.CONFIRMED:
        note = f"The address took none of {bounces} issues in a row: {refused.reason}"
        take_subscriber_step(subscriber, "pause", role="worker", now=now, changes={"note": note})


def _doubt(
    mail: Mail, reason: str, now: datetime, *, look_at: datetime | None, attempt: int | None = None
) -> None:
    changes: dict[str, object] = {
        "trouble": reason,
        "lease_until": None,
        "next_try_at": look_at,
        "begun_at": mail.begun_at or now,
        "attempt": mail.attempt if attempt is None else attempt,
    }
    take_step(mail, "doubt", now=now, changes=changes)


def _look_later(mail: Mail, reason: str, at: datetime | None) -> None:
    unchanged = Q(state=MailState.UNSURE, attempt=mail.attempt)
    columns.update_sealed(mail, {"trouble": reason, "next_try_at": at}, unchanged)


def _put_off(mail: Mail, reason: str, at: datetime) -> None:
    unchanged = Q(state=MailState.QUEUED, attempt=mail.attempt)
    columns.update_sealed(mail, {"trouble": reason, "next_try_at": at}, unchanged)


def _note(mail: Mail, reason: str) -> None:
    if mail.trouble != reason:
        columns.update_sealed(mail, {"trouble": reason})
