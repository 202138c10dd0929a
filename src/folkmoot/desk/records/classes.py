"""Which class of records an entry belongs to: how long it is kept is the class's to say.

The class stands in the entry's header, so it is given by what happened, not by whoever records it.
"""

from __future__ import annotations

from enum import StrEnum


class RecordClass(StrEnum):
    """A class of records. What the schedule says of each is in the room ``retention``."""

    POSTS = "posts"
    """What was written, checked, signed, sent, corrected and taken down."""
    ALARMS = "alarms"
    """Posts on our accounts that nobody signed, which may be strangers' words."""
    ACCOUNTS = "accounts"
    """Connecting accounts, and who may speak through them."""
    MAILING = "mailing"
    """Lists of people who asked for posts by e-mail, and what was sent to them."""
    STOPS = "stops"
    """Stopping and resuming publishing, and reconciling after a restore."""
    GUIDANCE = "guidance"
    """Calendars, house rules and the periods that rules depend on."""
    PEOPLE = "people"
    """Who was a member, with which roles."""
    NOTICES = "notices"
    """Where it is told that something needs a person."""
    REQUESTS = "requests"
    """What people asked for under the law, and what they were given of it."""
    RECORDS = "records"
    """What was done to the record itself: holds, disposal, erasure, releases."""


_CLASSES = {
    "account": RecordClass.ACCOUNTS,
    "alarm": RecordClass.ALARMS,
    "calendar": RecordClass.GUIDANCE,
    "delivery": RecordClass.POSTS,
    "draft": RecordClass.POSTS,
    "entry": RecordClass.RECORDS,
    "house_rules": RecordClass.GUIDANCE,
    "installation": RecordClass.STOPS,
    "issue": RecordClass.MAILING,
    "list": RecordClass.MAILING,
    "mails": RecordClass.MAILING,
    "member": RecordClass.PEOPLE,
    "notice_target": RecordClass.NOTICES,
    "organisation": RecordClass.PEOPLE,
    "period": RecordClass.GUIDANCE,
    "post": RecordClass.POSTS,
    "series": RecordClass.POSTS,
    "slot": RecordClass.POSTS,
    "stop": RecordClass.STOPS,
    "subscriber": RecordClass.MAILING,
    # The room retention
    "disposal": RecordClass.RECORDS,
    "epoch": RecordClass.RECORDS,
    "erasure": RecordClass.RECORDS,
    "hold": RecordClass.RECORDS,
    "schedule": RecordClass.RECORDS,
    # The room releases
    "bag": RecordClass.RECORDS,
    "redaction": RecordClass.REQUESTS,
    "request": RecordClass.REQUESTS,
    # The record's own anchors
    "key": RecordClass.RECORDS,
    "witness": RecordClass.RECORDS,
}


def class_of(kind: str) -> RecordClass:
    """The class of entries of this kind. Raises ``KeyError`` for a kind that has none yet: add it
    here, and to the schedule.
    """
    return _CLASSES[kind.partition(".")[0]]
