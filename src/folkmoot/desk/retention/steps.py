"""The one place that changes a state of this room: plan, compare-and-set, record, in one go."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

from django.db import connection, models

from folkmoot.desk.people.queries import Member, Organisation, Role
from folkmoot.desk.records import actions as records
from folkmoot.desk.records.columns import sealed_values
from folkmoot.lifecycle import Lifecycle, Refused

MOVED = (
    "Somebody else changed this at the same moment, so nothing was done. Look at it as it now "
    "stands and decide again."
)

NAMED = {
    "approver": "an approver",
    "duty": "a duty officer",
    "records": "a records officer",
    "admin": "an admin",
}


class RetentionRefused(Exception):
    """Nothing was done; ``str()`` is a sentence that says why. ``field`` names the field of the
    form it is about, where it is about one.
    """

    def __init__(self, reason: str, field: str = "") -> None:
        super().__init__(reason)
        self.field = field


class HeldBack(RetentionRefused):
    """Nothing was destroyed, since a hold is in the way. That is on the record, and a person must
    decide. ``holds`` are the numbers of the holds, ``count`` how many values or entries they hold.
    """

    def __init__(self, reason: str, *, holds: tuple[int, ...], count: int) -> None:
        super().__init__(reason)
        self.holds = holds
        self.count = count


def take_step(
    row: Any,
    table: Lifecycle,
    states: type[StrEnum],
    verb: str,
    *,
    member: Member | None,
    facts: object,
    changes: Mapping[str, Any] | None = None,
) -> str:
    """Take ``verb`` on ``row`` as it was read; the past-tense word for the record. ``member`` is
    ``None`` where the worker does. The caller leaves the entry, in the same transaction.

    Raises :class:`RetentionRefused`.
    """
    assert connection.in_atomic_block
    roles = {"worker"} if member is None else {str(role) for role in member.held}
    planned = table.plan(states(row.state), verb, roles=roles, facts=facts)
    if isinstance(planned, Refused):
        raise RetentionRefused(" ".join(planned.reasons))
    values = sealed_values(row, {"state": planned.target, **(changes or {})})
    model: type[models.Model] = type(row)
    if (
        model._default_manager.filter(pk=row.pk, state=planned.source).update(**values) != 1  # noqa: SLF001
    ):
        raise RetentionRefused(MOVED)
    row.refresh_from_db()
    return planned.done


def must_hold(member: Member, roles: frozenset[str]) -> None:
    """Raises :class:`RetentionRefused` unless the member has one of ``roles``."""
    if not {str(role) for role in member.held} & roles:
        needed = " or ".join(NAMED[one] for one in NAMED if one in roles)
        raise RetentionRefused(f"Only {needed} can do this.")


def record(
    kind: str,
    organisation: Organisation,
    member: Member | None,
    now: datetime,
    *,
    subject: str,
    fields: Mapping[str, str],
    about: Mapping[str, str] | None = None,
    once: str | None = None,
) -> str:
    """Leave an entry of this room; ``member`` is ``None`` where the system did it."""
    role = "system"
    if member is not None:
        role = str(Role.RECORDS if Role.RECORDS in member.held else Role.ADMIN)
    return records.record(
        kind,
        at=now,
        organisation=organisation.ref,
        actor=member.ref if member else "",
        role=role,
        subject=subject,
        fields={label: text for label, text in fields.items() if text},
        about=about,
        once=once,
    )
