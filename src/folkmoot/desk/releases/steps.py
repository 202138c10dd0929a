"""The one place that writes the state of a request or a bag: plan, compare-and-set, record."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import F

from folkmoot.desk.people.queries import Member
from folkmoot.desk.records import actions as records
from folkmoot.desk.records.columns import sealed_values
from folkmoot.lifecycle import Refused

from .lifecycle import BAG, REQUEST, BagFacts, BagState, RequestFacts, RequestState
from .models import Bag, Request

STALE = (
    "Somebody else changed this at the same moment, so nothing was done. Look at it as it now "
    "stands and decide again."
)


NOT_READ = {"prepared_by": "", "read_by": "", "digest": ""}
"""What a change to a release takes away from it."""


class ReleaseRefused(Exception):
    """Nothing was done. ``reasons`` are sentences for the person who asked; ``field`` names the
    field of the form that they are about, where they are about one.
    """

    def __init__(self, *reasons: str, field: str = "") -> None:
        super().__init__(" ".join(reasons))
        self.reasons = reasons
        self.field = field


def take_step(
    request: Request,
    verb: str,
    *,
    member: Member,
    facts: RequestFacts,
    now: datetime,
    fields: Mapping[str, str] | None = None,
    changes: Mapping[str, object] | None = None,
    kind: str = "",
) -> Request:
    """Take ``verb`` on ``request`` as it was read, and leave its entry in the record. ``changes``
    are further columns to set; ``kind`` is the entry's where it is not the table's own word.

    Part of the caller's transaction. Raises :class:`ReleaseRefused`.
    """
    assert connection.in_atomic_block
    planned = REQUEST.plan(
        RequestState(request.state), verb, roles=sorted(member.held), facts=facts
    )
    if isinstance(planned, Refused):
        raise ReleaseRefused(*planned.reasons)
    changed = Request.objects.filter(
        pk=request.pk, state=planned.source, revision=request.revision
    ).update(
        state=planned.target,
        revision=request.revision + 1,
        changed_at=now,
        **sealed_values(request, changes or {}),
    )
    if changed != 1:
        raise ReleaseRefused(STALE)
    request.refresh_from_db()
    note(request, kind or f"request.{planned.done}", member, now, fields)
    return request


def note(
    request: Request,
    kind: str,
    member: Member,
    now: datetime,
    fields: Mapping[str, str] | None = None,
) -> str:
    """Leave an entry about a request; its id. Part of the caller's transaction."""
    return records.record(
        kind,
        at=now,
        organisation=request.organisation.ref,
        actor=member.ref,
        role="records",
        subject=request.subject,
        fields=fields,
    )


def take_bag_step(
    bag: Bag,
    verb: str,
    *,
    member: Member | None,
    reason: str = "",
    now: datetime,
    fields: Mapping[str, str] | None = None,
    changes: Mapping[str, object] | None = None,
) -> Bag:
    """Take ``verb`` on ``bag`` as it was read, and leave its entry in the record. ``member`` is
    ``None`` for the worker. Part of the caller's transaction. Raises :class:`ReleaseRefused`.
    """
    assert connection.in_atomic_block
    facts = BagFacts(member.ref if member else "", bag.proposed_by, reason)
    roles = sorted(member.held) if member else ["worker"]
    planned = BAG.plan(BagState(bag.state), verb, roles=roles, facts=facts)
    if isinstance(planned, Refused):
        raise ReleaseRefused(*planned.reasons)
    changed = Bag.objects.filter(pk=bag.pk, state=planned.source, revision=bag.revision).update(
        state=planned.target,
        revision=bag.revision + 1,
        lease_until=None,
        **sealed_values(bag, changes or {}),
    )
    if changed != 1:
        raise ReleaseRefused(STALE)
    bag.refresh_from_db()
    note_bag(bag, f"bag.{planned.done}", member, now, fields)
    return bag


def begin_bag(**columns: Any) -> Bag:
    """A bag that is proposed, or wanted at once: its first state is among ``columns``. Part of the
    caller's transaction, which leaves its entry.
    """
    return Bag.objects.create(**columns)


def claim_bag(bag: Bag, until: datetime) -> bool:
    """Take a bag that is to be made until ``until``; ``False`` if another worker was quicker."""
    mine = Bag.objects.filter(pk=bag.pk, revision=bag.revision, lease_until=bag.lease_until)
    if mine.update(lease_until=until, revision=bag.revision + 1) != 1:
        return False
    bag.refresh_from_db()
    return True


def take_back_bag(bag: Bag, now: datetime) -> None:
    """Take a bag that is being made from its worker, to be made anew."""
    Bag.objects.filter(pk=bag.pk).update(
        revision=F("revision") + 1, lease_until=None, next_try_at=now
    )


def hold_request(request: Request) -> None:
    """Hold a request as it was read until the transaction ends. Raises :class:`ReleaseRefused`
    where somebody changed it meanwhile.
    """
    mine = Request.objects.filter(pk=request.pk, revision=request.revision)
    if mine.update(revision=request.revision + 1) != 1:
        raise ReleaseRefused(STALE)
    request.revision += 1


def note_bag(
    bag: Bag,
    kind: str,
    member: Member | None,
    now: datetime,
    fields: Mapping[str, str] | None = None,
) -> str:
    """Leave an entry about a bag; its id. Part of the caller's transaction."""
    return records.record(
        kind,
        at=now,
        organisation=bag.organisation.ref,
        actor=member.ref if member else "",
        role="records" if member else "worker",
        subject=bag.subject,
        fields=fields,
    )
