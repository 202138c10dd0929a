"""The outbox of an account's list: an issue stands in it once, with a row for each recipient."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import DatabaseError, IntegrityError, transaction

from folkmoot.channels.email import make_reference
from folkmoot.channels.shelf import ShelfError, Shelved
from folkmoot.desk.records import actions as records

from .letters import issue_url
from .lifecycle import SubscriberState
from .models import Issue, Mail, MailingList, Signing, Subscriber

# After this an e-mail that was not handed over is for a person to decide: old news does not go out
# by itself.
WINDOW = timedelta(hours=24)
_ROWS = 500


class TableOutbox:
    """The engine's ``Shelf``, for one account. An issue that was erased has an empty record."""

    def __init__(self, account_id: int) -> None:
        self._account_id = account_id

    def put_if_absent(self, key: str, record: bytes, *, published_at: datetime) -> bool:
        """Put an issue under ``key`` and queue an e-mail for everybody who gets the posts, all or
        nothing; whether it was put.
        """
        try:
            with transaction.atomic():
                mailing_list = MailingList.objects.filter(
                    account_id=self._account_id, closed_at=None
                ).first()
                if mailing_list is None:
                    raise ShelfError("This list is closed, so nothing can be put on it.")
                signing = (
                    Signing.objects.filter(account_id=self._account_id, key=key).first()
                    or Signing()
                )
                issue = Issue.objects.create(
                    mailing_list=mailing_list,
                    key=key,
                    subject=signing.subject or f"issue/{key}",
                    record=record,
                    at=published_at,
                    not_after=published_at + WINDOW,
                    topic=signing.topic,
                    signed_at=signing.signed_at,
                    by_duty=signing.by_duty,
                )
                self._queue(issue)
        except IntegrityError:
            return False
        except DatabaseError as fault:
            raise ShelfError(f"The database could not be written: {fault}.") from fault
        return True

    def find(self, key: str) -> Shelved | None:
        """What stands under ``key``, or ``None``."""
        try:
            issue = Issue.objects.filter(mailing_list__account_id=self._account_id, key=key).first()
        except DatabaseError as fault:
            raise ShelfError(f"The database could not be read: {fault}.") from fault
        return _shelved(issue) if issue else None

    def list_newest(self, limit: int) -> tuple[Shelved, ...]:
        """At most ``limit`` issues, newest first; then by key."""
        try:
            return tuple(
                _shelved(issue)
                for issue in Issue.objects.filter(
                    mailing_list__account_id=self._account_id
                ).order_by("-at", "key")[:limit]
            )
        except DatabaseError as fault:
            raise ShelfError(f"The database could not be read: {fault}.") from fault

    def _queue(self, issue: Issue) -> None:
        recipients = Subscriber.objects.filter(
            mailing_list=issue.mailing_list, state=SubscriberState.CONFIRMED
        ).order_by("pk")
        rows = [
            Mail(
                mailing_list=issue.mailing_list,
                issue=issue,
                subscriber_id=pk,
                reference=make_reference(issue.key, ref),
                not_after=issue.not_after,
                next_try_at=issue.at,
            )
            for pk, ref in recipients.values_list("pk", "ref")
        ]
        Mail.objects.bulk_create(rows, batch_size=_ROWS)
        issue.recipients = len(rows)
        issue.save(update_fields=["recipients"])
        records.record(
            "issue.queued",
            at=issue.at,
            organisation=issue.mailing_list.organisation.ref,
            actor="",
            role="worker",
            subject=f"issue/{issue.key}",
            fields={"recipients": str(issue.recipients), "url": issue_url(issue.key)},
        )


def _shelved(issue: Issue) -> Shelved:
    return Shelved(issue.key, bytes(issue.record), issue.at)
