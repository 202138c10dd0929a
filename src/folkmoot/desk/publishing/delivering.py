"""Delivering: claim, prepare, freeze with a last look, send once, settle, look up, read back.

The seven steps of DESIGN section 2.4. Every function here may be killed at any point and run again:
the row says how far it got, and *anything but a clear answer is unconfirmed* and looked up.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import assert_never

from django.db import transaction

from folkmoot.channels import (
    Absent,
    Adapter,
    Different,
    NotPrepared,
    Prepared,
    Refused,
    Rendition,
    Sent,
    Unconfirmed,
)
from folkmoot.desk.accounts import actions as account_actions
from folkmoot.desk.accounts import queries as accounts
from folkmoot.desk.drafts import actions as draft_actions
from folkmoot.desk.drafts import queries as drafts
from folkmoot.desk.records import queries as records

from .lastlook import against_sending
from .lifecycle import DeliveryFacts, DeliveryState
from .models import Attempt, Delivery
from .steps import DeliveryRefused, LostClaim, take_step, write

log = logging.getLogger(__name__)

Clock = Callable[[], datetime]

# Longer than any one request may take, so that a lease that has run out means a dead worker.
LEASE = timedelta(seconds=30)
FIRST_WAIT = timedelta(seconds=2)
LONGEST_WAIT = timedelta(seconds=60)
WAIT_FOR_A_PERSON = timedelta(seconds=30)
WAIT_FOR_HELP = timedelta(minutes=10)
# How long after a send its request may still be on its way. Until then "not there" proves nothing.
QUIET = timedelta(seconds=30)
FAULT = (
    "A fault in this program stands in the way. It is in the log; tell whoever looks after this "
    "system."
)


def claim(delivery: Delivery, now: datetime) -> bool:
    """Take the delivery for this worker until the lease ends; ``False`` if another was quicker."""
    try:
        write(delivery, {"lease_until": now + LEASE, "attempt": delivery.attempt + 1})
    except LostClaim:
        return False
    return True


def deliver(delivery: Delivery, clock: Clock) -> None:
    """Take a claimed, waiting delivery as far as it goes. Raises :class:`LostClaim`."""
    now = clock()
    if now > delivery.not_after:
        _miss(delivery, now)
        return
    try:
        adapter = accounts.open_adapter(delivery.account)
    except accounts.VaultError as sealed:
        _keep_waiting(delivery, NotPrepared(str(sealed), retry=False), now, clock())
        return
    prepared = _prepare(delivery, adapter, clock)
    if prepared is None:
        return
    attempt = _freeze(delivery, prepared, clock)
    if attempt is None:
        return
    outcome = adapter.send(prepared)
    settle(delivery, attempt, outcome, clock())


def settle(
    delivery: Delivery,
    attempt: Attempt,
    outcome: Sent | Refused | Unconfirmed | Absent | Different,
    now: datetime,
) -> None:
    """Write what a send or a look-up came to. Raises :class:`LostClaim`."""
    with transaction.atomic():
        facts = DeliveryFacts(now, delivery.not_after)
        match outcome:
            case Sent():
                detail = outcome.url
                _confirm(delivery, outcome, facts, now)
            case Refused():
                detail = outcome.reason
                take_step(
                    delivery,
                    "refuse",
                    facts=facts,
                    now=now,
                    fields={"reason": detail},
                    changes={"trouble": detail, "lease_until": None},
                )
            case Absent() if (until := _quiet_until(delivery)) > now:
                detail = (
                    "It is not there yet. It may still be on its way, so we look again before "
                    "we send it a second time."
                )
                _keep_unconfirmed(delivery, detail, facts, next_try_at=until)
            case Absent():
                detail = "It is not there, so it may be sent again with the same key."
                take_step(
                    delivery,
                    "clear",
                    facts=facts,
                    now=now,
                    changes={"trouble": "", "lease_until": None, "next_try_at": now},
                )
            case Unconfirmed() | Different():
                detail = outcome.reason
                wait = WAIT_FOR_HELP if isinstance(outcome, Different) else _wait(delivery.attempt)
                _keep_unconfirmed(delivery, detail, facts, next_try_at=now + wait)
            case _:
                assert_never(outcome)
        Attempt.objects.filter(pk=attempt.pk).update(
            ended_at=now, outcome=type(outcome).__name__.lower(), detail=detail
        )


def look_up(delivery: Delivery, clock: Clock) -> None:
    """Find out what became of a claimed, unconfirmed delivery. Raises :class:`LostClaim`."""
    assert delivery.request is not None
    # One row for looking, however often it takes: a post nobody can settle must not fill a table.
    attempt, _ = Attempt.objects.update_or_create(
        delivery=delivery,
        what="look_up",
        number=_last_send(delivery).number,
        defaults={"started_at": clock(), "ended_at": None, "outcome": "", "detail": ""},
    )
    outcome: Sent | Absent | Different | Unconfirmed
    try:
        adapter = accounts.open_adapter(delivery.account)
        outcome = adapter.look_up(Prepared(delivery.key, bytes(delivery.request)))
    except accounts.VaultError as sealed:
        outcome = Unconfirmed(f"It cannot be looked up. {sealed}")
    settle(delivery, attempt, outcome, clock())
    if delivery.state == DeliveryState.WAITING and clock() > delivery.not_after:
        _miss(delivery, clock())


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
        Attempt.objects.filter(delivery=delivery, ended_at=None).update(
            ended_at=now, outcome="lost", detail=reason
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


def rendition_of(delivery: Delivery) -> Rendition:
    """What this delivery sends, made anew from the signed version."""
    version = drafts.get_version(delivery.draft, delivery.version_number)
    return drafts.make_rendition(
        version.text, version.pictures, version.language, accounts.capabilities_of(delivery.account)
    )


def _prepare(delivery: Delivery, adapter: Adapter, clock: Clock) -> Prepared | None:
    """The frozen request: that of an earlier attempt where there is one, else a new one. ``None``
    where the channel cannot be reached or will not have us just now.
    """
    if delivery.request is not None:
        return Prepared(delivery.key, bytes(delivery.request))
    started_at = clock()
    try:
        prepared = adapter.prepare(rendition_of(delivery), key=delivery.key, at=started_at)
    except (drafts.PictureRefused, accounts.VaultError) as missing:
        prepared = NotPrepared(str(missing), retry=False)
    if isinstance(prepared, Prepared):
        account_actions.note_health(delivery.account, "")
        return prepared
    _keep_waiting(delivery, prepared, started_at, clock())
    return None


def _keep_waiting(
    delivery: Delivery, prepared: NotPrepared, started_at: datetime, now: datetime
) -> None:
    """It could not be prepared: say why on the delivery and the account, and try again later."""
    Attempt.objects.create(
        delivery=delivery,
        number=delivery.attempt,
        what="prepare",
        started_at=started_at,
        ended_at=now,
        outcome="notprepared",
        detail=prepared.reason,
    )
    account_actions.note_health(delivery.account, prepared.reason)
    wait = _wait(delivery.attempt) if prepared.retry else WAIT_FOR_A_PERSON
    write(
        delivery,
        {"trouble": prepared.reason, "lease_until": None, "next_try_at": now + wait},
    )


def _freeze(delivery: Delivery, prepared: Prepared, clock: Clock) -> Attempt | None:
    """Last look and intent in one transaction; ``None`` where the last look is against it."""
    now = clock()
    try:
        with transaction.atomic():
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
            if accounts.is_public(delivery.account):
                draft_actions.make_pictures_public(delivery.draft, delivery.version_number)
            return Attempt.objects.create(
                delivery=delivery, number=delivery.attempt, what="send", started_at=now
            )
    except DeliveryRefused as refused:
        if now > delivery.not_after:
            _miss(delivery, now)
            return None
        with transaction.atomic():
            take_step(
                delivery,
                "refuse",
                facts=DeliveryFacts(now, delivery.not_after),
                now=now,
                fields={"reason": str(refused)},
                changes={"trouble": str(refused), "lease_until": None},
            )
        return None


def _miss(delivery: Delivery, now: datetime) -> None:
    reason = delivery.trouble or (
        "It was sent, but the channel does not have it."
        if delivery.request is not None
        else "Nobody sent it in time: this program was not running, or busy."
    )
    with transaction.atomic():
        take_step(
            delivery,
            "miss",
            facts=DeliveryFacts(now, delivery.not_after),
            now=now,
            fields={"reason": reason},
            changes={"lease_until": None, "trouble": f"Not sent in time. {reason}"},
        )


def _confirm(delivery: Delivery, sent: Sent, facts: DeliveryFacts, now: datetime) -> None:
    """It is live: keep where, and put on the record what was said, under which guidance, and who,
    by role, wrote and signed it.
    """
    draft = delivery.draft
    version = drafts.get_version(draft, delivery.version_number)
    signoff = drafts.find_signoff(draft)
    assert signoff is not None
    url = sent.url
    said = {
        "organisation": draft.organisation.name,
        "channel": delivery.account.channel,
        "account": delivery.account.name,
        "text": version.text,
        "pictures": json.dumps(
            [{"sha256": p["sha256"], "alt": p["alt"]} for p in version.pictures], ensure_ascii=False
        ),
        "published_at": now.isoformat(timespec="seconds"),
        "url": url,
        "guidance": version.pack,
        "verdict": str(version.report.get("verdict", "")),
        "written_by": "author",
        "signed_by": "approver",
        "signed_at": signoff.at.isoformat(timespec="seconds"),
        "digest": delivery.digest,
    }
    signed_entry = records.find_entry_id(f"draft.signed/{draft.pk}/{delivery.version_number}")
    take_step(
        delivery,
        "confirm",
        facts=facts,
        now=now,
        fields=said,
        public=tuple(said) if accounts.is_public(delivery.account) else (),
        links=(signed_entry,) if signed_entry else (),
        once=f"delivery.sent/{delivery.pk}",
        changes={
            "remote_id": sent.remote_id,
            "remote_ids": list(sent.remote_ids),
            "url": url,
            "sent_at": now,
            "trouble": "",
            "lease_until": None,
            "next_try_at": now,
        },
    )


def _keep_unconfirmed(
    delivery: Delivery, reason: str, facts: DeliveryFacts, *, next_try_at: datetime
) -> None:
    """Nobody knows yet: say why, and look again later."""
    changes: dict[str, object] = {
        "trouble": reason,
        "lease_until": None,
        "next_try_at": next_try_at,
    }
    if delivery.state == DeliveryState.UNCONFIRMED:
        write(delivery, changes)
        return
    fields = {"reason": reason}
    take_step(delivery, "doubt", facts=facts, now=facts.now, fields=fields, changes=changes)


def _last_send(delivery: Delivery) -> Attempt:
    """The newest attempt at sending. A delivery that is unconfirmed has one."""
    return delivery.attempts.filter(what="send").order_by("-pk")[0]


def _quiet_until(delivery: Delivery) -> datetime:
    """When the last request sent for this delivery can no longer be on its way."""
    return _last_send(delivery).started_at + QUIET


def _wait(attempt: int) -> timedelta:
    """How long to wait before the next try: 2, 4, 8 ... at most 60 seconds."""
    doublings = min(max(attempt - 1, 0), 6)
    return min(FIRST_WAIT * (1 << doublings), LONGEST_WAIT)
