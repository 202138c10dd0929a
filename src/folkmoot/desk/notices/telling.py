"""Telling: what stands is told once to whoever wants it, again when it is worse, and as a reminder.

A need is told when it has stood for half a minute, so that what rights itself wakes nobody, and
forgotten when it has not been seen for two, so that it is told again when it comes back. All that
waits for one target goes out in one message, and there are at most twelve messages an hour: what
comes after these waits, and is told together.

Unlike a post, a message whose answer was lost is sent again, as is one that a worker which died was
sending: somebody may so be told twice, which is better than not at all.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from django.conf import settings
from django.db import transaction
from django.db.models import F, Max, Q, QuerySet
from django.urls import reverse

from folkmoot.channels.email import (
    CannotOpen,
    Handed,
    NotNow,
    NotTaken,
    make_reference,
)
from folkmoot.desk.accounts.vault import VaultError, unseal
from folkmoot.desk.people.queries import Organisation, list_organisations
from folkmoot.desk.records import columns

from . import chats, letters
from .models import Heartbeat, Standing, Target, TargetKind, Telling, TellingState
from .needs import RANK, Need, Urgency
from .queries import address_of, list_needs, list_targets
from .wording import Item, Message, as_letter, as_text, plan_time, write_message

log = logging.getLogger(__name__)

Clock = Callable[[], datetime]

BEAT_EVERY = timedelta(seconds=5)
LOOK_EVERY = timedelta(seconds=5)
STEADY_FOR = timedelta(seconds=30)
GONE_FOR = timedelta(minutes=2)
FIRST_REMINDER = timedelta(minutes=30)
LONGEST_BETWEEN = timedelta(hours=12)
MOST_AN_HOUR = 12
# Longer than handing over one message may take, so that a lease that ran out means a dead worker.
LEASE = timedelta(minutes=3)
FIRST_WAIT = timedelta(seconds=30)
LONGEST_WAIT = timedelta(minutes=30)
MOST_TRIES = 8
KEPT_FOR = timedelta(days=30)
_LOOK = "notices"


class _NotTold(Exception):
    """The message did not get there, as far as anybody knows. ``last`` says that it never will."""

    def __init__(self, reason: str, *, last: bool = False) -> None:
        super().__init__(reason)
        self.last = last


def work(clock: Clock) -> int:
    """Look what needs a person, and tell whoever is to be told; how many things were done.

    Safe to run in several workers at once. May wait for other people's servers, for about a minute:
    chats go first, and then one e-mail, so that a mail server which does not answer keeps no chat
    waiting for longer.
    """
    if _is_time_to_look(clock()):
        for organisation in list_organisations():
            try:
                note(organisation, list_needs(organisation, clock()), clock())
            except Exception:  # one body's fault must not keep another's notices back
                log.exception("What needs a person at %s could not be worked out", organisation.ref)
        _forget_old(clock())
    owed = Target.objects.filter(
        pk__in=_due(clock()).values("target"), removed_at=None
    ).select_related("organisation")
    done = 0
    for target in owed.filter(kind=TargetKind.CHAT).order_by("pk"):
        done += _tell(target, clock)
    for target in owed.filter(kind=TargetKind.EMAIL).order_by("pk"):
        if told := _tell(target, clock):
            return done + told
    return done


@transaction.atomic
def note(organisation: Organisation, needs: Sequence[Need], now: datetime) -> None:
    """Keep what stands, and owe a telling of it to every target that wants it.

    Somebody who was added later is told of what stood already, once.
    """
    standing = {one.key: one for one in Standing.objects.filter(organisation=organisation)}
    for need in needs:
        kept = standing.get(need.key)
        if kept is None:
            kept, _ = Standing.objects.get_or_create(
                organisation=organisation,
                key=need.key,
                defaults={
                    "urgency": need.urgency,
                    "round": 0,
                    "since_at": now,
                    "seen_at": now,
                },
            )
            standing[need.key] = kept
        _take_further(kept, need, now)
    _forget_gone(organisation, now)
    owed = []
    for target in list_targets(organisation):
        told = set(target.tellings.exclude(standing=None).values_list("standing", "round"))
        owed += [
            _owe(target, standing[need.key], need, now)
            for need in needs
            if _wants(target, need)
            and standing[need.key].round
            and (standing[need.key].pk, standing[need.key].round) not in told
        ]
    Telling.objects.bulk_create(owed, ignore_conflicts=True)


def _take_further(kept: Standing, need: Need, now: datetime) -> None:
    before = (kept.urgency, kept.round, kept.reminders, kept.seen_at)
    worse = RANK[need.urgency] < RANK[Urgency(kept.urgency)]
    kept.urgency = need.urgency
    if now - kept.seen_at >= GONE_FOR / 4:  # not at every look: each is a write
        kept.seen_at = now
    if kept.round == 0:
        if now - kept.since_at >= STEADY_FOR:
            kept.round = 1
            kept.remind_at = now + FIRST_REMINDER
    elif worse:
        kept.round += 1
        kept.reminders = 0
        kept.remind_at = now + FIRST_REMINDER
    elif need.urgency is Urgency.NOW and kept.remind_at and kept.remind_at <= now:
        kept.round += 1
        kept.reminders += 1
        kept.remind_at = now + min(FIRST_REMINDER * (1 << min(kept.reminders, 8)), LONGEST_BETWEEN)
    if kept.round != before[1]:  # what still waits to be told of it is out of date
        kept.tellings.filter(state=TellingState.WAITING).delete()
    if before != (kept.urgency, kept.round, kept.reminders, kept.seen_at):
        kept.save()


def _owe(target: Target, kept: Standing, need: Need, now: datetime) -> Telling:
    quiet = (
        (target.quiet_from, target.quiet_until)
        if target.quiet_from is not None and target.quiet_until is not None
        else None
    )
    return Telling(
        target=target,
        standing=kept,
        round=kept.round,
        kind="reminder" if kept.reminders else "need",
        urgency=need.urgency,
        what=need.what,
        do=need.do,
        address=address_of(need.page),
        next_try_at=plan_time(need.urgency, quiet, now, target.organisation.timezone),
        made_at=now,
    )


def _wants(target: Target, need: Need) -> bool:
    # That somebody cannot be told is told to the others.
    return need.urgency in target.urgencies and need.key != f"untold/{target.pk}"


def _forget_gone(organisation: Organisation, now: datetime) -> None:
    """What is over is forgotten; what still waits to be told of it is dropped."""
    gone = Standing.objects.filter(organisation=organisation, seen_at__lte=now - GONE_FOR)
    if gone.exists():
        Telling.objects.filter(standing__in=gone, state=TellingState.WAITING).delete()
        gone.delete()


def _forget_old(now: datetime) -> None:
    Telling.objects.filter(standing=None, made_at__lt=now - KEPT_FOR).exclude(
        state=TellingState.WAITING
    ).delete()


def _is_time_to_look(now: datetime) -> bool:
    """Whether this worker is the one to look now: one of them does, every few seconds."""
    kept = Heartbeat.objects.filter(name=_LOOK).first()
    if kept is None:
        return Heartbeat.objects.get_or_create(name=_LOOK, defaults={"at": now})[1]
    if abs(now - kept.at) < LOOK_EVERY:
        return False
    return Heartbeat.objects.filter(name=_LOOK, at=kept.at).update(at=now) == 1


def _due(now: datetime) -> QuerySet[Telling]:
    free = Q(lease_until=None) | Q(lease_until__lte=now)
    return Telling.objects.filter(free, state=TellingState.WAITING, next_try_at__lte=now)


def _tell(target: Target, clock: Clock) -> int:
    """Tell a target of all that waits for it, in one message; how many tellings that were."""
    claimed, note_ = _claim(target, clock())
    if not claimed:
        return 0
    claim = claimed[0].claim
    message = write_message(
        target.organisation.name,
        [Item(one.kind, Urgency(one.urgency), one.what, one.do, one.address) for one in claimed],
        duty_address=settings.CONFIG.address + reverse("duty"),
        note=note_,
    )
    try:
        _hand_over(target, message, claim, clock())
    except _NotTold as fault:
        _keep_untold(target, claimed, fault, clock())
    except Exception:
        log.exception("Target %s of notices could not be told", target.pk)
        ours = _NotTold("A fault in this program stands in the way; it is in its log.")
        _keep_untold(target, claimed, ours, clock())
    else:
        _mine(claim).update(state=TellingState.TOLD, told_at=clock(), lease_until=None, trouble="")
        Target.objects.filter(pk=target.pk).exclude(trouble="").update(trouble="", troubled_at=None)
    return len(claimed)


def _claim(target: Target, now: datetime) -> tuple[list[Telling], str]:
    """Take what is due for this worker until the lease ends, a test by itself; and a sentence for
    the last message of the hour.
    """
    due = _due(now).filter(target=target)
    wanted = list(due.filter(kind="test").order_by("pk").values_list("pk", flat=True)[:1])
    said = ""
    if not wanted:
        sent = (
            target.tellings.filter(state=TellingState.TOLD, told_at__gt=now - timedelta(hours=1))
            .exclude(kind="test")
            .values("claim")
            .annotate(at=Max("told_at"))
            .order_by("at")
            .values_list("at", flat=True)
        )
        told_at = list(sent)
        if len(told_at) >= MOST_AN_HOUR:
            due.update(next_try_at=told_at[0] + timedelta(hours=1))
            return [], ""
        if len(told_at) == MOST_AN_HOUR - 1:
            again = (min([*told_at, now]) + timedelta(hours=1)).astimezone(
                target.organisation.timezone
            )
            said = (
                f"This is message {MOST_AN_HOUR} within an hour. What comes next is told together, "
                f"from {again:%H:%M} on; until then look at the page below."
            )
        wanted = list(due.values_list("pk", flat=True))
    claim = secrets.token_hex(16)
    due.filter(pk__in=wanted).update(
        claim=claim, lease_until=now + LEASE, attempts=F("attempts") + 1
    )
    return list(Telling.objects.filter(claim=claim).order_by("pk")), said


def _mine(claim: str) -> QuerySet[Telling]:
    return Telling.objects.filter(claim=claim, state=TellingState.WAITING)


def _keep_untold(
    target: Target, claimed: Sequence[Telling], fault: _NotTold, now: datetime
) -> None:
    trouble = str(fault)
    for one in claimed:
        last = fault.last or one.attempts >= MOST_TRIES or one.kind == "test"
        wait = min(FIRST_WAIT * (1 << min(one.attempts - 1, 10)), LONGEST_WAIT)
        one.target = target
        kept = {
            "state": TellingState.FAILED if last else TellingState.WAITING,
            "next_try_at": now + wait,
            "lease_until": None,
            "trouble": trouble,
        }
        columns.update_sealed(one, kept, Q(claim=one.claim, state=TellingState.WAITING))
    columns.update_sealed(target, {"trouble": trouble, "troubled_at": target.troubled_at or now})
    # Why is on the page of notices: an answer may quote an address, which no log should keep.
    log.warning("Target %s of notices was not told", target.pk)


def _hand_over(target: Target, message: Message, claim: str, now: datetime) -> None:
    """Hand a message over, once. Raises :class:`_NotTold`."""
    if target.kind == TargetKind.CHAT:
        try:
            chat = chats.read_chat(unseal(place_of(target), target.address))
            chats.tell(chat, message.title, as_text(message))
        except (VaultError, chats.ChatRefused) as fault:
            raise _NotTold(str(fault), last=True) from fault
        except chats.ChatFailed as fault:
            raise _NotTold(str(fault)) from fault
        return
    letter = as_letter(
        message,
        reference=make_reference(f"notice/{claim}", target.ref),
        to=target.address,
        sender_name=target.organisation.name,
        domain=urlsplit(settings.CONFIG.address).hostname or "localhost",
        at=now,
    )
    try:
        transport = letters.open_transport()
    except CannotOpen as fault:
        raise _NotTold(str(fault), last=True) from fault
    try:
        outcome = transport.hand_over(letter)
    finally:
        transport.close()
    match outcome:
        case Handed():
            return
        case NotTaken(reason):
            raise _NotTold(reason, last=True)
        case NotNow(reason):
            raise _NotTold(reason)
        case _:
            raise _NotTold(f"{outcome.reason} It is sent again, so it may come twice.")


def place_of(target: Target) -> str:
    """What a target's address is sealed for."""
    return f"notices/target/{target.ref}"
