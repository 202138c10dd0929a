"""From a row to the letter it stands for, and the addresses that stand in letters."""

from __future__ import annotations

from dataclasses import replace

from django.conf import settings
from django.urls import reverse

from folkmoot.channels.email import Letter, write_confirmation, write_issue
from folkmoot.channels.entries import read_entry
from folkmoot.desk.stops.queries import Leaving

from . import tokens
from .models import Issue, Mail, MailingList, Subscriber

CONFIRM_HOURS = 48


def write_letter(mail: Mail) -> Letter:
    """The letter of ``mail``, whose issue, subscriber and list have been read with it: the same
    however often it is written.

    Raises :class:`~folkmoot.channels.entries.EntryError` where the issue's record is damaged.
    """
    name = mail.mailing_list.organisation.name
    subscriber = mail.subscriber
    if mail.issue is None:
        return write_confirmation(
            reference=mail.reference,
            to=subscriber.address,
            sender_name=name,
            confirm_url=_address(
                "confirm_subscription",
                token=tokens.make_token(tokens.confirming(subscriber), subscriber.ref),
            ),
            hours=CONFIRM_HOURS,
            at=subscriber.asked_at,
        )
    return write_issue(
        read_entry(bytes(mail.issue.record)),
        reference=mail.reference,
        to=subscriber.address,
        sender_name=name,
        list_id=list_id_of(mail.mailing_list),
        unsubscribe_url=leave_url(subscriber),
    )


def leave_url(subscriber: Subscriber) -> str:
    """Where this subscriber leaves the list."""
    return _address("unsubscribe", token=tokens.make_token(tokens.LEAVE, subscriber.ref))


def issue_url(key: str) -> str:
    """Where anybody can read the issue with this key."""
    return _address("mail_issue", key=key)


def leaving_of(mailing_list: MailingList, issue: Issue | None) -> Leaving:
    """An issue's e-mails as a stop looks at them; without one, those that ask back."""
    about = Leaving(mailing_list.organisation, mailing_list.account_id, "email")
    if issue is None:
        return about
    return replace(about, topic=issue.topic, signed_at=issue.signed_at, by_duty=issue.by_duty)


def list_id_of(mailing_list: MailingList) -> str:
    """The list's name for mail programs (RFC 2919)."""
    return f"posts-{mailing_list.pk}.{settings.CONFIG.host}"


def message_id_of(mail: Mail) -> str:
    """What the e-mail is called in a mail server's log."""
    return f"<{mail.reference}@{settings.CONFIG.host}>"


def _address(name: str, **kwargs: str) -> str:
    return f"{settings.CONFIG.address}{reverse(name, kwargs=kwargs)}"
