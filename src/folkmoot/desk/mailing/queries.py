"""Reads of the mailing room."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from django.db.models import Count
from django.db.models.functions import TruncMonth

from folkmoot.channels import Shelf
from folkmoot.channels.atom.shown import entry_title
from folkmoot.channels.entries import Entry, read_entry
from folkmoot.desk.people.queries import Organisation
from folkmoot.desk.records import columns
from folkmoot.desk.stops.queries import Leaving

from .deciding import TROUBLED
from .letters import issue_url, leaving_of, message_id_of
from .lifecycle import (
    MAIL,
    MAIL_WORDS,
    SUBSCRIBER,
    SUBSCRIBER_WORDS,
    MailState,
    SubscriberState,
)
from .models import Issue, Mail, MailingList, Subscriber
from .outbox import TableOutbox

__all__ = [
    "MAIL",
    "MAIL_WORDS",
    "SUBSCRIBER",
    "SUBSCRIBER_WORDS",
    "Issue",
    "IssueSummary",
    "Mail",
    "MailState",
    "MailingList",
    "Month",
    "Subscriber",
    "SubscriberState",
    "TroubledMail",
    "count_subscribers",
    "find_entry",
    "find_list",
    "issue_url",
    "list_issues",
    "list_months",
    "list_on_their_way",
    "list_troubled",
    "list_troubled_mails",
    "outbox_of",
    "summary",
]


@dataclass(frozen=True, slots=True)
class IssueSummary:
    """How an issue's e-mails stand: how many, by state."""

    key: str
    title: str
    at: datetime
    recipients: int
    counts: dict[MailState, int]
    finished_at: datetime | None

    def of(self, state: str) -> int:
        """How many stand at ``state``."""
        return self.counts.get(MailState(state), 0)


@dataclass(frozen=True, slots=True)
class TroubledMail:
    """An e-mail that waits for a person. ``message_id`` is what a mail server's log calls it."""

    reference: str
    message_id: str
    begun_at: datetime | None
    trouble: str


@dataclass(frozen=True, slots=True)
class Month:
    """How many asked, confirmed and left in a month, which begins at ``starts_at``."""

    starts_at: datetime
    asked: int
    confirmed: int
    left: int


def outbox_of(account_id: int) -> Shelf:
    """Where an account's issues are put: each once, with an e-mail for every subscriber."""
    return TableOutbox(account_id)


def find_list(organisation: Organisation) -> MailingList | None:
    """The organisation's open list."""
    return (
        MailingList.objects.filter(organisation=organisation, closed_at=None)
        .select_related("organisation")
        .first()
    )


def find_entry(organisation: Organisation, key: str) -> Entry | None:
    """The issue under this key, as it stands on its web page; ``None`` also where it was erased."""
    issue = Issue.objects.filter(mailing_list__organisation=organisation, key=key).first()
    return read_entry(bytes(issue.record)) if issue and issue.record else None


def count_subscribers(mailing_list: MailingList) -> dict[SubscriberState, int]:
    """How many subscribers stand at each state; every state is there."""
    found = dict(mailing_list.subscribers.order_by().values_list("state").annotate(Count("pk")))
    return {state: found.get(state, 0) for state in SubscriberState}


def list_months(mailing_list: MailingList, zone: ZoneInfo, most: int = 12) -> list[Month]:
    """The last months in which anybody asked, confirmed or left, newest first."""
    counted: dict[str, Counter[datetime]] = {}
    for name in ("asked_at", "confirmed_at", "left_at"):
        rows = (
            mailing_list.subscribers.exclude(**{name: None})
            .order_by()
            .annotate(month=TruncMonth(name, tzinfo=zone))
            .values_list("month")
            .annotate(Count("pk"))
        )
        counted[name] = Counter(dict(rows))
    months = sorted(set().union(*counted.values()), reverse=True)[:most]
    return [
        Month(
            month,
            counted["asked_at"][month],
            counted["confirmed_at"][month],
            counted["left_at"][month],
        )
        for month in months
    ]


def list_issues(mailing_list: MailingList, most: int = 20) -> list[IssueSummary]:
    """The list's last issues, newest first."""
    issues = list(mailing_list.issues.order_by("-at", "key")[:most])
    return _summarise(issues)


def summary(organisation: Organisation, key: str) -> IssueSummary | None:
    """How the e-mails of the issue with this key stand."""
    found = list(Issue.objects.filter(mailing_list__organisation=organisation, key=key)[:1])
    return _summarise(found)[0] if found else None


def list_troubled(organisation: Organisation) -> list[IssueSummary]:
    """The issues with e-mails that wait for a person, newest first."""
    found = Issue.objects.filter(
        mailing_list__organisation=organisation,
        pk__in=Mail.objects.filter(state__in=TROUBLED, next_try_at=None).values("issue"),
    ).order_by("-at", "key")
    return _summarise(list(found))


def list_troubled_mails(
    organisation: Organisation, key: str, state: MailState, most: int = 50
) -> list[TroubledMail]:
    """The e-mails of an issue that stand at ``state`` and that nothing but a person can settle."""
    mails = Mail.objects.filter(
        mailing_list__organisation=organisation, issue__key=key, state=state, next_try_at=None
    ).order_by("pk")[:most]
    return [
        TroubledMail(mail.reference, message_id_of(mail), mail.begun_at, mail.trouble)
        for mail in mails
    ]


def list_on_their_way(organisation: Organisation, now: datetime) -> list[tuple[Leaving, int]]:
    """E-mails that have had their last look and not ended: per issue, as a stop looks at them, and
    how many.

    One whose worker died counts until its lease has run out: until then it may still be handed
    over.
    """
    handing = (
        Mail.objects.filter(
            mailing_list__organisation=organisation,
            state=MailState.HANDING,
            lease_until__gt=now,
        )
        .select_related("mailing_list__organisation", "issue")
        .order_by("pk")
    )
    return list(Counter(leaving_of(mail.mailing_list, mail.issue) for mail in handing).items())


def _summarise(issues: list[Issue]) -> list[IssueSummary]:
    counts: dict[int, dict[MailState, int]] = {issue.pk: {} for issue in issues}
    rows = (
        Mail.objects.filter(issue__in=issues)
        .order_by()
        .values_list("issue_id", "state")
        .annotate(Count("pk"))
    )
    for issue_id, state, count in rows:
        counts[issue_id][MailState(state)] = count
    return [
        IssueSummary(
            issue.key,
            entry_title(read_entry(bytes(issue.record))) if issue.record else columns.ERASED,
            issue.at,
            issue.recipients,
            counts[issue.pk],
            issue.finished_at,
        )
        for issue in issues
    ]
