"""The one place that writes a delivery's state: plan, compare-and-set, record, in a transaction."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from django.db import connection
from django.db.models import Q

from folkmoot.desk.people.queries import Member
from folkmoot.desk.records import actions as records
from folkmoot.desk.records import columns
from folkmoot.lifecycle import Refused

from .lifecycle import DELIVERY, DeliveryFacts, DeliveryState
from .models import Delivery


class DeliveryRefused(Exception):
    """The table refuses the step; the message says why."""


class LostClaim(Exception):
    """Another worker has taken the delivery over; whatever this one learnt is the other's to find
    out.
    """


def take_step(
    delivery: Delivery,
    verb: str,
    *,
    facts: DeliveryFacts,
    now: datetime,
    fields: Mapping[str, str] | None = None,
    public: tuple[str, ...] = (),
    links: tuple[str, ...] = (),
    once: str | None = None,
    changes: Mapping[str, object] | None = None,
    member: Member | None = None,
    kind: str = "",
) -> Delivery:
    """Take ``verb`` on the delivery as it was read and leave its entry in the record.

    ``member`` decides where the table wants a person; else the worker does. ``kind`` names the
    entry where the table's own word would not do. Must run in the caller's transaction. Raises
    :class:`DeliveryRefused` and :class:`LostClaim`.
    """
    assert connection.in_atomic_block
    roles = {"worker"} if member is None else {str(role) for role in member.held}
    planned = DELIVERY.plan(DeliveryState(delivery.state), verb, roles=roles, facts=facts)
    if isinstance(planned, Refused):
        raise DeliveryRefused(" ".join(planned.reasons))
    write(delivery, {"state": planned.target, **(changes or {})}, expected=planned.source)
    records.record(
        kind or f"delivery.{planned.done}",
        at=now,
        organisation=delivery.draft.organisation.ref,
        actor=member.ref if member else "",
        role=next(iter(sorted(roles))),
        subject=delivery.draft.subject,
        links=links,
        public=public,
        once=once,
        fields={
            "account": delivery.account.name,
            "channel": delivery.account.channel,
            **(fields or {}),
        },
    )
    return delivery


def write(
    delivery: Delivery, changes: Mapping[str, object], *, expected: str | None = None
) -> None:
    """Write columns by compare-and-set on state and revision, and onto ``delivery`` itself.

    Raises :class:`LostClaim` where another worker was there first.
    """
    unchanged = Q(state=expected or delivery.state, revision=delivery.revision)
    written = {**changes, "revision": delivery.revision + 1}
    if not columns.update_sealed(delivery, written, unchanged):
        raise LostClaim(f"Delivery {delivery.pk} has been taken over.")
    for name, value in changes.items():
        setattr(delivery, name, value)
    delivery.revision += 1
