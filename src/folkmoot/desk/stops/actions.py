"""Writes of the stops room. What is on its way when a stop is pressed is for the rooms above."""

from __future__ import annotations

from datetime import datetime

from django.db import connection, transaction
from django.db.models import Q

from folkmoot.desk.people.queries import Member, Organisation
from folkmoot.desk.records import actions as records
from folkmoot.desk.records import columns
from folkmoot.lifecycle import Refused

from .lifecycle import STOP, StopFacts, StopKind, StopScope, StopState
from .models import Stop
from .queries import STOP_LOCK, fold_topic

__all__ = ["StopRefused", "acknowledge", "lift", "press"]


class StopRefused(Exception):
    """Nothing was done; the message is a sentence that says why."""


@transaction.atomic
def press(
    organisation: Organisation,
    *,
    reason: str,
    now: datetime,
    member: Member | None,
    kind: StopKind = StopKind.STOP,
    scope: StopScope = StopScope.EVERYTHING,
    target: str = "",
    topic: str = "",
    period_id: int | None = None,
) -> Stop:
    """Stop publishing. When this returns and its transaction has ended, nothing that was not on
    its way already leaves. Any member may; ``member`` is ``None`` where the calendar does.

    Raises :class:`StopRefused` where it does not say why, or what.
    """
    if not reason.strip():
        raise StopRefused("Say in a few words why: everyone who is held up will read it.")
    if scope is not StopScope.EVERYTHING and not target.strip():
        raise StopRefused("Say which account, channel or topic is to be stopped.")
    if kind is StopKind.INCIDENT and not topic.strip() and scope is StopScope.EVERYTHING:
        raise StopRefused(
            "Say the topic of the incident: posts on it still go out, everything else is held."
        )
    _wait_for_last_looks()
    stop = Stop.objects.create(
        organisation=organisation,
        kind=kind,
        scope=scope,
        target=fold_topic(target) if scope is StopScope.TOPIC else target.strip(),
        topic=fold_topic(topic),
        reason=reason.strip(),
        pressed_by=member.ref if member else "",
        pressed_at=now,
        period_id=period_id,
    )
    _record("stop.pressed", stop, member, now)
    return stop


def acknowledge(stop: Stop, *, on_their_way: int, now: datetime) -> bool:
    """Say that a pressed stop is in force, once nothing is on its way any more; whether it is."""
    if stop.state != StopState.PRESSED:
        return stop.state == StopState.IN_FORCE
    planned = STOP.plan(
        StopState.PRESSED,
        "acknowledge",
        roles={"worker"},
        facts=StopFacts(on_their_way=on_their_way),
    )
    if isinstance(planned, Refused):
        return False
    with transaction.atomic():
        changed = Stop.objects.filter(pk=stop.pk, state=StopState.PRESSED).update(
            state=planned.target, in_force_at=now
        )
        if changed:
            _record("stop.in_force", stop, None, now)
    stop.refresh_from_db()
    return stop.state == StopState.IN_FORCE


@transaction.atomic
def lift(member: Member, stop_id: int, *, reason: str, now: datetime) -> Stop:
    """Let publishing go on. Part of the transaction that decides what becomes of what was held.

    Raises :class:`StopRefused`.
    """
    stop = Stop.objects.filter(pk=stop_id, organisation=member.organisation).first()
    if stop is None:
        raise StopRefused("There is no such stop.")
    planned = STOP.plan(
        StopState(stop.state), "lift", roles=member.held, facts=StopFacts(reason=reason)
    )
    if isinstance(planned, Refused):
        raise StopRefused(" ".join(planned.reasons))
    written = {
        "state": planned.target,
        "lifted_by": member.ref,
        "lifted_at": now,
        "lifted_reason": reason.strip(),
    }
    if not columns.update_sealed(stop, written, Q(state=planned.source)):
        raise StopRefused("Somebody else lifted this stop at the same moment.")
    stop.refresh_from_db()
    _record("stop.lifted", stop, member, now)
    return stop


def _wait_for_last_looks() -> None:
    """Wait until every last look that began has been written, and let none begin meanwhile."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [STOP_LOCK])


def _record(kind: str, stop: Stop, member: Member | None, now: datetime) -> None:
    records.record(
        kind,
        at=now,
        organisation=stop.organisation.ref,
        actor=member.ref if member else "",
        role=next(iter(sorted(member.held)), "member") if member else "system",
        subject=f"stop/{stop.pk}",
        fields={
            "kind": stop.kind,
            "scope": stop.scope,
            "target": stop.target or stop.topic,
            "reason": stop.lifted_reason if kind == "stop.lifted" else stop.reason,
        },
    )
