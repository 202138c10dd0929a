"""What a period runs from: an event that the record itself tells of, or the day of each entry.

Everything is worked out from the kinds and times of entries, so that no room has to be asked, and
so that what was disposed of can be checked by anybody who holds the headers alone.
"""

from __future__ import annotations

import calendar
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from folkmoot.desk.records.classes import RecordClass
from folkmoot.desk.records.survey import Over


class Trigger(StrEnum):
    """What a period runs from."""

    ENTRY_MADE = "entry_made"
    LAST_ENTRY = "last_entry"
    POST_ENDED = "post_ended"
    ACCOUNT_DISCONNECTED = "account_disconnected"
    MAILING_ENDED = "mailing_ended"
    STOP_LIFTED = "stop_lifted"
    MEMBER_LEFT = "member_left"
    TARGET_REMOVED = "target_removed"
    REQUEST_CLOSED = "request_closed"
    MATTER_CLOSED = "matter_closed"


class Action(StrEnum):
    """What is done once the period is over, the most destructive first."""

    DESTROY = "destroy"
    TRANSFER = "transfer"
    REVIEW = "review"
    KEEP = "keep"


HARSHNESS = {action: rank for rank, action in enumerate(Action)}
ACTION_WORDS = {
    Action.DESTROY: "Destroy",
    Action.TRANSFER: "Transfer to an archive, then destroy",
    Action.REVIEW: "Look at it and decide",
    Action.KEEP: "Keep",
}
CLASS_WORDS = {
    RecordClass.POSTS: "Posts",
    RecordClass.ALARMS: "Alarms about posts nobody signed",
    RecordClass.ACCOUNTS: "Accounts",
    RecordClass.MAILING: "E-mail lists",
    RecordClass.STOPS: "Stops",
    RecordClass.GUIDANCE: "Guidance, calendar and house rules",
    RecordClass.PEOPLE: "Members",
    RecordClass.NOTICES: "Who is told",
    RecordClass.REQUESTS: "Requests for information",
    RecordClass.RECORDS: "What was done to the record",
}


@dataclass(frozen=True, slots=True)
class Event:
    """How a trigger is read from the record: the words for it, the classes it fits, the kinds of
    entry that are it, and those that undo it.
    """

    words: str
    classes: frozenset[RecordClass]
    ends: frozenset[str] = frozenset()
    begins: frozenset[str] = frozenset()


# What is live must never come due: a class has only triggers that a live thing does not meet.
EVENTS = {
    Trigger.ENTRY_MADE: Event(
        "the day of each entry", frozenset({RecordClass.ALARMS, RecordClass.GUIDANCE})
    ),
    Trigger.LAST_ENTRY: Event(
        "the last that was recorded of the same thing", frozenset({RecordClass.GUIDANCE})
    ),
    Trigger.POST_ENDED: Event(
        "the day the post was published, removed, withdrawn or given up",
        frozenset({RecordClass.POSTS}),
        frozenset(
            {
                "draft.published",
                "draft.unsent",
                "draft.withdrawn",
                "draft.lapsed",
                "post.removed",
                "series.ended",
                "slot.removed",
            }
        ),
    ),
    Trigger.ACCOUNT_DISCONNECTED: Event(
        "the day the account was disconnected",
        frozenset({RecordClass.ACCOUNTS}),
        frozenset({"account.disconnected", "account.turned_down", "account.handed_over"}),
        frozenset({"account.connected", "account.confirmed", "account.renewed"}),
    ),
    Trigger.MAILING_ENDED: Event(
        "the day the e-mails had gone out, the list was closed, or the person was forgotten",
        frozenset({RecordClass.MAILING}),
        frozenset({"issue.finished", "list.closed", "subscriber.forgotten"}),
    ),
    Trigger.STOP_LIFTED: Event(
        "the day publishing was let go on",
        frozenset({RecordClass.STOPS}),
        frozenset({"stop.lifted", "installation.reconciled"}),
    ),
    Trigger.MEMBER_LEFT: Event(
        "the day the member left",
        frozenset({RecordClass.PEOPLE}),
        frozenset({"member.left"}),
        frozenset({"member.added"}),
    ),
    Trigger.TARGET_REMOVED: Event(
        "the day it was told nothing more",
        frozenset({RecordClass.NOTICES}),
        frozenset({"notice_target.removed"}),
    ),
    Trigger.REQUEST_CLOSED: Event(
        "the day the request was answered, refused or withdrawn",
        frozenset({RecordClass.REQUESTS}),
        frozenset({"request.released", "request.refused", "request.withdrawn"}),
    ),
    Trigger.MATTER_CLOSED: Event(
        "the day the hold was released, the bag removed, the disposal or erasure done or given up",
        frozenset({RecordClass.RECORDS}),
        frozenset(
            {
                "bag.removed",
                "hold.released",
                "disposal.done",
                "disposal.dropped",
                "erasure.done",
                "erasure.refused",
                "erasure.dropped",
            }
        ),
    ),
}

# What is kept outside the record, in words; an entry is told by its kind.
TABLE_WORDS = {
    "accounts.account": "Account",
    "accounts.shelfitem": "Post on our own feed",
    "accounts.trouble": "Trouble of an account",
    "drafts.occurrence": "Note on a repeated post",
    "drafts.picture": "Picture",
    "drafts.signoff": "Decision on a post",
    "drafts.version": "Version of a post",
    "mailing.issue": "E-mail that was sent",
    "mailing.mail": "E-mail to one person",
    "mailing.mailinglist": "E-mail list",
    "mailing.signing": "Signing of an e-mail",
    "mailing.subscriber": "Subscriber",
    "notices.target": "Who is told of troubles",
    "notices.telling": "What somebody was told",
    "people.member": "Member",
    "publishing.ahead": "Pictures sent ahead",
    "publishing.alarm": "Alarm",
    "publishing.attempt": "Try to send a post",
    "publishing.capture": "Answer of a channel",
    "publishing.delivery": "Post on its way to a channel",
    "publishing.watch": "Watch on an account",
    "releases.bag": "Bag",
    "releases.ground": "Reason to withhold",
    "releases.reading": "Second reading",
    "releases.request": "Request for information",
    "retention.batch": "Disposal",
    "retention.erasure": "Erasure",
    "retention.hold": "Hold",
    "stops.stop": "Stop",
}
# Whose columns belong to a class of records: by the beginning of the table's name. A table that is
# named in no line keeps its columns until the person or thing is erased by name.
TABLES = {
    RecordClass.POSTS: (
        "drafts.",
        "publishing.ahead",
        "publishing.attempt",
        "publishing.capture",
        "publishing.capture",
        "publishing.delivery",
        # A post's copies on the desk's own channels are kept under the post's key.
        "accounts.shelfitem",
        "mailing.issue",
        "mailing.signing",
    ),
    RecordClass.ALARMS: ("publishing.alarm",),
    RecordClass.ACCOUNTS: ("accounts.account", "accounts.trouble", "publishing.watch"),
    RecordClass.MAILING: ("mailing.mail", "mailing.subscriber"),
    RecordClass.STOPS: ("stops.", "publishing.installation"),
    RecordClass.GUIDANCE: ("guidance.",),
    RecordClass.PEOPLE: ("people.",),
    RecordClass.NOTICES: ("notices.",),
    RecordClass.REQUESTS: (
        "releases.request",
        "releases.waiting",
        "releases.ground",
        "releases.decision",
        "releases.chosen",
        "releases.reading",
    ),
    RecordClass.RECORDS: ("retention.", "releases.bag"),
}


def fitting(record_class: RecordClass) -> list[Trigger]:
    """The triggers that a class may have, the more telling first."""
    return [one for one in reversed(Trigger) if record_class in EVENTS[one].classes]


def months_before(moment: datetime, months: int) -> datetime:
    """The same day and time of the month ``months`` before, or that month's last day."""
    year, month = divmod(moment.year * 12 + moment.month - 1 - months, 12)
    day = min(moment.day, calendar.monthrange(year, month + 1)[1])
    return moment.replace(year=year, month=month + 1, day=day)


def over(record_class: RecordClass, trigger: Trigger, months: int, now: datetime) -> Over:
    """Which entries of a class are over at ``now``, as the record is asked for them."""
    event = EVENTS[trigger]
    return Over(
        record_class,
        months_before(now, months),
        event.ends,
        event.begins,
        still=trigger is Trigger.LAST_ENTRY,
    )


def tell_kind(kind: str) -> str:
    """A kind of entry, or a table, as people read it: ``Entry: draft sent back``."""
    if kind in TABLE_WORDS:
        return TABLE_WORDS[kind]
    return "Entry: " + kind.replace(".", " ").replace("_", " ")


def tell_months(months: int) -> str:
    """A period in words: ``6 years``, ``18 months``."""
    if months and months % 12 == 0:
        years = months // 12
        return f"{years} year{'' if years == 1 else 's'}"
    return f"{months} month{'' if months == 1 else 's'}"
