"""What publishing owes now: the worker calls :func:`work` over and over."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

from django.db import OperationalError, transaction
from django.db.models import Exists, OuterRef, Q

from folkmoot.desk.accounts import queries as accounts
from folkmoot.desk.drafts import actions as draft_actions
from folkmoot.desk.drafts import queries as drafts
from folkmoot.desk.records import columns
from folkmoot.desk.records import queries as records

from . import fence
from .deciding import DecisionRefused, close_alarm, go_on, leave, lift_fence, say_absent, say_live
from .delivering import FAULT, claim, deliver, give_up_lost, note_fault
from .lanes import Beside, InTurn, Job, Lanes
from .lifecycle import DELIVERY, DeliveryState
from .models import Delivery
from .preparing import Clock, find_memo, list_to_hand_over
from .readback import read_back
from .settling import look_up
from .steps import LostClaim
from .stopping import keep_stops, press, resume
from .watching import list_watches_owed, look

log = logging.getLogger(__name__)

__all__ = [
    "Beside",
    "DecisionRefused",
    "InTurn",
    "Lanes",
    "close_alarm",
    "go_on",
    "is_held",
    "leave",
    "lift_fence",
    "press",
    "resume",
    "say_absent",
    "say_live",
    "work",
]

BATCH = 50
# A post that our own code cannot begin is tried again until no window would still be open.
KEEP_TRYING = timedelta(hours=1)


def work(clock: Clock, lanes: Lanes | None = None) -> int:
    """Do all that is owed now, once: begin posts whose time has come, deliver, look up what is
    unconfirmed, read back, watch timelines, keep stops, close posts that are through. How many
    things were done by the time this returns.

    While the record cannot be signed, or the restore fence is up, nothing new leaves: a database
    brought back from a backup would send again what was sent since.

    Safe to run in several workers at once. What fails for one post never keeps another back.
    """
    lanes = lanes or InTurn()
    held = is_held(clock())
    done = keep_stops(clock)
    jobs: dict[int, list[Job]] = defaultdict(list)
    if not held:
        done += _begin_due(clock)
        for account_id, job in list_to_hand_over(clock):
            jobs[account_id].append(job)
    now = clock()
    # One without a lease is nobody's: it must not stand at "sending" for ever.
    lost = Q(lease_until__lte=now) | Q(lease_until=None)
    for delivery in _owed(DeliveryState.SENDING, lost):
        done += _try(give_up_lost, delivery, now)
    due = Q(next_try_at__lte=now)
    free = (
        due & ~Q(account_id__in=lanes.list_busy()) & (Q(lease_until=None) | Q(lease_until__lte=now))
    )
    too_late = Q(not_after__lt=now) if held else Q()
    for delivery in _owed(DeliveryState.WAITING, free & too_late):
        jobs[delivery.account_id].append(partial(_claim_and, deliver, delivery, clock))
    for delivery in _owed(DeliveryState.UNCONFIRMED, free):
        jobs[delivery.account_id].append(partial(_claim_and, look_up, delivery, clock))
    for delivery in _owed(DeliveryState.SENT, free & Q(read_back="")):
        jobs[delivery.account_id].append(partial(_try, read_back, delivery, clock))
    for watch in list_watches_owed(now):
        jobs[watch.account_id].append(partial(look, watch, clock))
    done += sum(lanes.do(account, todo) for account, todo in jobs.items())
    return done + _finish(clock)


def is_held(now: datetime) -> bool:
    """Whether nothing new may leave at all: the record is not being signed, or the fence is up."""
    return fence.find_fence(now) is not None or records.find_refusal() is not None


def _begin_due(clock: Clock) -> int:
    """Take signed posts whose time has come, the earliest first, and owe their deliveries."""
    begun = 0
    for draft in drafts.list_due(clock(), most=BATCH):
        now = clock()
        try:
            with transaction.atomic():
                draft_actions.begin(draft, now=now)
                _owe(draft)
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


def _owe(draft: drafts.Draft) -> None:
    """One delivery per account; of a removal, one per account and post that is live there."""
    version = drafts.get_version(draft)
    assert draft.due_at is not None
    for account in accounts.get_accounts(draft.organisation, version.accounts):
        removed: list[Delivery | None] = [None]
        if draft.about_id is not None and draft.kind == drafts.DraftKind.REMOVAL:
            removed = list(
                Delivery.objects.filter(
                    draft_id=draft.about_id, account=account, removes=None, removed_at=None
                ).exclude(remote_ids=[])
            )
        for one in removed:
            delivery = Delivery.objects.create(
                draft=draft,
                account=account,
                version_number=version.number,
                digest=version.digest,
                due_at=draft.due_at,
                next_try_at=draft.due_at,
                not_after=draft.due_at + drafts.window_of(version),
                memo=find_memo(draft, version.number, account),
                removes=one,
            )
            delivery.key = accounts.key_for(account, delivery.pk, draft.due_at)
            delivery.save(update_fields=["key"])


def _lapse(draft: drafts.Draft, reason: str, now: datetime) -> None:
    try:
        draft_actions.lapse(draft, reason, now=now)
    except draft_actions.DraftRefused:
        return  # taken back, or given up by another worker, at this very moment
    log.warning("Post %s was not sent: %s", draft.pk, reason)


def _claim_and(act: Callable[[Delivery, Clock], None], delivery: Delivery, clock: Clock) -> int:
    """Claim a delivery and take it further; 1 if it went as it should."""
    if not _is_free(delivery, clock) or not claim(delivery, clock()):
        return 0
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
    return columns.list_openable(
        Delivery.objects.filter(when, state=state)
        .select_related("draft__organisation", "account", "removes")
        .order_by("next_try_at", "pk")[:BATCH]
    )


def _is_free(delivery: Delivery, clock: Clock) -> bool:
    return delivery.lease_until is None or delivery.lease_until <= clock()


def _finish(clock: Clock) -> int:
    """Close posts all of whose deliveries have ended, and those that turned out to owe none."""
    finished = 0
    open_states = [state for state in DeliveryState if state not in DELIVERY.final]
    going = Delivery.objects.filter(draft=OuterRef("pk"), state__in=open_states)
    for draft in drafts.list_publishing(~Exists(going), most=BATCH):
        # Half a thread that was left so is something that went out.
        live = Q(state=DeliveryState.SENT) | ~Q(remote_ids=[])
        any_sent = Delivery.objects.filter(live, draft=draft).exists()
        try:
            draft_actions.finish(draft, any_sent=any_sent, now=clock())
        except draft_actions.StaleDraft:
            continue  # another worker closed it
        finished += 1
    return finished
