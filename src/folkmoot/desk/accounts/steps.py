"""The one place that changes an account's state: plan, compare-and-set, record, in one go."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from django.db import connection
from django.db.models import Q

from folkmoot.desk.people.queries import Member, Role
from folkmoot.desk.records import actions as records
from folkmoot.desk.records import columns
from folkmoot.lifecycle import Refused

from .lifecycle import ACCOUNT, AccountFacts, AccountState
from .models import Account


class AccountRefused(Exception):
    """The account was not connected or changed; ``str()`` is a sentence that says why. ``field``
    names the field of the form it is about, where it is about one.
    """

    def __init__(self, reason: str, field: str = "") -> None:
        super().__init__(reason)
        self.field = field


def take_step(
    account: Account,
    verb: str,
    member: Member,
    *,
    facts: AccountFacts,
    now: datetime,
    fields: Mapping[str, str] | None = None,
    changes: Mapping[str, object] | None = None,
) -> None:
    """Take ``verb`` on ``account`` as it was read, and leave its entry in the record.

    ``changes`` are further columns to set, ``fields`` further fields of the entry. Must run in the
    caller's transaction. Raises :class:`AccountRefused`.
    """
    assert connection.in_atomic_block
    planned = ACCOUNT.plan(AccountState(account.state), verb, roles=member.held, facts=facts)
    if isinstance(planned, Refused):
        raise AccountRefused(" ".join(planned.reasons))
    ending = {"disconnected_at": now} if planned.target == AccountState.DISCONNECTED else {}
    unchanged = Q(state=planned.source, secret=account.secret)
    written = {"state": planned.target, **ending, **(changes or {})}
    if not columns.update_sealed(account, written, unchanged):
        raise AccountRefused(
            "Somebody else changed this account at the same moment, so nothing was done. Look at "
            "it as it now stands and decide again."
        )
    account.refresh_from_db()
    record(
        f"account.{planned.done}", account, member, now, role=role_for(verb, member), fields=fields
    )


def connect_own(account: Account) -> Account:
    """Keep a new account on a channel of the desk's own, connected from the start. The database
    takes no other.
    """
    account.state = AccountState.CONNECTED
    account.save(force_insert=True)
    return account


def role_for(verb: str, member: Member) -> str:
    """The role in which a member takes a step: the first of theirs that may."""
    may = {role for step in ACCOUNT.steps if step.verb == verb for role in step.roles}
    return next((role.value for role in (Role.ADMIN, *Role) if role in may & member.held), "")


def record(
    kind: str,
    account: Account,
    member: Member | None,
    now: datetime,
    *,
    role: str = "admin",
    fields: Mapping[str, str] | None = None,
) -> None:
    """Leave an entry about an account; ``member`` is ``None`` where the system did it."""
    records.record(
        kind,
        at=now,
        organisation=account.organisation.ref,
        actor=member.ref if member else "",
        role=role if member else "system",
        subject=f"account/{account.pk}",
        fields={
            "channel": account.channel,
            "name": account.name,
            "handle": account.handle,
            "server": account.server,
            **(fields or {}),
        },
    )
