"""The one place that writes a subscriber's or an e-mail's state: plan, then compare-and-set."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from django.db import connection
from django.db.models import F, Q, QuerySet

from folkmoot.desk.records import columns
from folkmoot.lifecycle import Refused

from .lifecycle import (
    MAIL,
    SUBSCRIBER,
    MailFacts,
    MailState,
    SubscriberFacts,
    SubscriberState,
)
from .models import Mail, Subscriber


class StepRefused(Exception):
    """The table refuses the step; the message says why."""


class LostClaim(Exception):
    """Somebody else was there first."""


def take_step(
    mail: Mail,
    verb: str,
    *,
    now: datetime,
    against: tuple[str, ...] = (),
    changes: Mapping[str, object] | None = None,
) -> None:
    """Take ``verb`` on the e-mail as it was read, and onto ``mail`` itself. ``hand`` begins a new
    attempt; what the attempt came to can be written by whoever made it alone.

    Raises :class:`StepRefused` and :class:`LostClaim`.
    """
    planned = MAIL.plan(
        MailState(mail.state),
        verb,
        roles={"worker"},
        facts=MailFacts(now, mail.not_after, against),
    )
    if isinstance(planned, Refused):
        raise StepRefused(" ".join(planned.reasons))
    attempt = mail.attempt + 1 if verb == "hand" else mail.attempt
    written = {"state": planned.target, "attempt": attempt, **(changes or {})}
    unchanged = Q(state=planned.source, attempt=mail.attempt)
    if not columns.update_sealed(mail, written, unchanged):
        raise LostClaim(f"{mail} has been taken over.")
    for name, value in written.items():
        setattr(mail, name, value)


def take_steps(
    mails: QuerySet[Mail],
    verb: str,
    source: MailState,
    *,
    roles: Iterable[str],
    now: datetime,
    changes: Mapping[str, object] | None = None,
    subject: str = "",
) -> int:
    """Take ``verb`` on every one of ``mails`` that stands at ``source``; how many those were.
    ``subject`` is what a trouble among ``changes``, which is then nobody's own, is kept under; such
    a step is part of its caller's transaction.

    Raises :class:`StepRefused`.
    """
    planned = MAIL.plan(source, verb, roles=roles, facts=MailFacts(now, now))
    if isinstance(planned, Refused):
        raise StepRefused(" ".join(planned.reasons))
    written = columns.sealed_values(Mail(), changes or {}, subject=subject)
    return mails.filter(state=planned.source).update(state=planned.target, **written)


def take_subscriber_step(
    subscriber: Subscriber,
    verb: str,
    *,
    role: str,
    now: datetime,
    link_until: datetime | None = None,
    changes: Mapping[str, object] | None = None,
) -> None:
    """Take ``verb`` on the subscriber as they were read, and onto ``subscriber`` itself.

    Raises :class:`StepRefused` and :class:`LostClaim`.
    """
    planned = SUBSCRIBER.plan(
        SubscriberState(subscriber.state),
        verb,
        roles={role},
        facts=SubscriberFacts(now, link_until),
    )
    if isinstance(planned, Refused):
        raise StepRefused(" ".join(planned.reasons))
    written = {"state": planned.target, **(changes or {})}
    unchanged = Q(state=planned.source, asked=subscriber.asked)
    if not columns.update_sealed(subscriber, written, unchanged):
        raise LostClaim(f"{subscriber} has changed.")
    for name, value in written.items():
        setattr(subscriber, name, value)


def count_bounce(subscriber_id: int) -> int:
    """Count one more issue that an address did not take; how many in a row that makes."""
    assert connection.in_atomic_block
    Subscriber.objects.filter(pk=subscriber_id).update(bounces=F("bounces") + 1)
    return Subscriber.objects.values_list("bounces", flat=True).get(pk=subscriber_id)
