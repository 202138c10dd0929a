"""What publishing owes now: the worker calls :func:`work` over and over."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import OperationalError, transaction
from django.db.models import Q

from folkmoot.desk.accounts import queries as accounts
from folkmoot.desk.drafts import actions as draft_actions
from folkmoot.desk.drafts import queries as drafts
from folkmoot.desk.records import queries as records

from .delivering import FAULT, Clock, claim, deliver, give_up_lost, look_up, note_fault
from .lifecycle import DELIVERY, DeliveryState
from .models import Delivery
from .readback import read_back
from .steps import LostClaim

log = logging.getLogger(__name__)

__all__ = ["work"]

BATCH = 50
# A post that our own code cannot begin is tried again until no window would still be open.
KEEP_TRYING = timedelta(hours=1)


def work(clock: Clock) -> int:
    """Do all that is owed now, once: begin posts whose time has come, deliver, look up what is
    unconfirmed, read back, close posts that are through. How many things were done.

    While the record cannot be signed nothing new leaves: the likeliest cause is a database brought
    back from a backup, which would send again what was sent since.

    Safe to run in several workers at once. What fails for one post never keeps another back.
    """
    held = records.find_refusal() is not None
    done = 0 if held else _begin_due(clock)
    now = clock()
    for delivery in _owed(DeliveryState.SENDING, Q(lease_until__lte=now)):
        done += _try(give_up_lost, delivery, now)
    too_late = Q(not_after__lt=now) if held else Q()
    for delivery in _owed(DeliveryState.WAITING, Q(next_try_at__lte=now) & too_late):
        if _is_free(delivery, clock) and claim(delivery, clock()):
            done += _carry_on(deliver, delivery, clock)
    for delivery in _owed(DeliveryState.UNCONFIRMED, Q(next_try_at__lte=clock())):
        if _is_free(delivery, clock) and claim(delivery, clock()):
            done += _carry_on(look_up, delivery, clock)
    for delivery in _owed(DeliveryState.SENT, Q(read_back="", next_try_at__lte=clock())):
        done += _try(read_back, delivery, clock)
    return done + _finish(clock)


def _begin_due(clock: Clock) -> int:
    """Take every signed post whose time has come and owe its deliveries."""
    begun = 0
    for draft in drafts.list_due(clock()):
        now = clock()
        try:
            with transaction.atomic():
                draft_actions.begin(draft, now=now)
                version = drafts.get_version(draft)
                assert draft.due_at is not None
                for account in accounts.get_accounts(draft.organisation, version.accounts):
                    delivery = Delivery(
                        draft=draft,
                        account=account,
                        version_number=version.number,
                        digest=version.digest,
                        due_at=draft.due_at,
                        next_try_at=draft.due_at,
                        not_after=draft.due_at + drafts.window_of(version),
                    )
                    delivery.save()
                    delivery.key = accounts.key_for(account, delivery.pk, draft.due_at)
                    delivery.save(update_fields=["key"])
        except draft_actions.StaleDraft:
            continue  # taken back, or begun by another worker, at this very moment
        except draft_actions.DraftRefused as refused:
            _lapse(draft, str(refused), now)
        except OperationalError:
            raise  # the database is away, and it is nothing about this post
        except Exception:
            log.exception("Post %s could not be begun", draft.pk)
            if draft.due_at is None or now > draft.due_at + KEEP_TRYING:
                _lapse(draft, f"Not sent in time. {FAULT}", now)
            continue
        begun += 1
    return begun


def _lapse(draft: drafts.Draft, reason: str, now: datetime) -> None:
    try:
        draft_actions.lapse(drafts.get_again(draft), reason, now=now)
    except draft_actions.DraftRefused:
        return  # taken back, or given up by another worker, at this very moment
    log.warning("Post %s was not sent: %s", draft.pk, reason)


def _carry_on(act: Callable[[Delivery, Clock], None], delivery: Delivery, clock: Clock) -> int:
    """Take a claimed delivery further; 1 if it went as it should."""
    try:
        act(delivery, clock)
    except LostClaim:
        return 0
    except Exception:
        # A fault of ours: say so on the row and go on. Where it already says "sending" nothing may
        # be said: the lease will run out and it is looked up.
        log.exception("Delivery %s failed in our own code", delivery.pk)
        _try(note_fault, delivery, clock())
        return 0
    return 1


def _try(act: object, delivery: Delivery, moment: object) -> int:
    assert callable(act)
    try:
        act(delivery, moment)
    except LostClaim:
        return 0
    except Exception:
        log.exception("Delivery %s failed in our own code", delivery.pk)
        return 0
    return 1


def _owed(state: DeliveryState, when: Q) -> list[Delivery]:
    return list(
        Delivery.objects.filter(when, state=state)
        .select_related("draft__organisation", "account")
        .order_by("next_try_at", "pk")[:BATCH]
    )


def _is_free(delivery: Delivery, clock: Clock) -> bool:
    return delivery.lease_until is None or delivery.lease_until <= clock()


def _finish(clock: Clock) -> int:
    """Close every post all of whose deliveries have ended."""
    finished = 0
    open_states = [state for state in DeliveryState if state not in DELIVERY.final]
    for draft in drafts.list_publishing():
        deliveries = Delivery.objects.filter(draft=draft)
        if deliveries.filter(state__in=open_states).exists():
            continue
        any_sent = deliveries.filter(state=DeliveryState.SENT).exists()
        try:
            draft_actions.finish(draft, any_sent=any_sent, now=clock())
        except draft_actions.StaleDraft:
            continue  # another worker closed it
        finished += 1
    return finished
